/* test_http_rows.c: every row of config/param_rows.c refuses what it must, through JSON
 * bodies; so a new row is covered the day it is added. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/body.h"
#include "http/form.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define URL "\"url\":\"http://h/\""

static const struct config config = {
    .http = {.url_bytes_max = 8192, .body_bytes_max = 1048576},
    .render = {.timeout_ms = 25000, .timeout_ms_max = 60000},
};

static void nest(const char *name, const char *value, char *ret, size_t size)
{
    /* Some rows are about an output, and refused without it. */
    bool needs_output = strncmp(name, "screenshot.", 11) == 0 || strncmp(name, "pdf.", 4) == 0;
    int used = snprintf(ret, size, "{%s%s\"", strcmp(name, "url") == 0 ? "" : URL ",",
                        needs_output ? "\"output\":[\"png\",\"jpeg\",\"pdf\"]," : "");
    int depth = 1;
    for (const char *at = name; *at; at++) {
        depth += *at == '.';
        used += snprintf(ret + used, size - (size_t)used, *at == '.' ? "\":{\"" : "%c", *at);
    }
    snprintf(ret + used, size - (size_t)used, "\":%s%.*s", value, depth, "}}}}}}}}");
}

static const char *const values[] = {"\"surely wrong\"", "7.5", "true", "null", "[]", "{}"};

/* values[index] is one that a row of that type may have. */
static bool is_own_type(enum param_type type, size_t index)
{
    switch (type) {
    case PARAM_STRING:
        return index == 0;
    case PARAM_NUMBER:
        return index == 1;
    case PARAM_BOOLEAN:
        return index == 2;
    case PARAM_STRINGS:
    case PARAM_INTEGERS:
    case PARAM_RECORDS:
        return index == 4;
    case PARAM_MAP:
        return index == 5;
    case PARAM_INTEGER:
    case PARAM_ENUM:
    case PARAM_SET:
        break;
    }
    return false;
}

static void expect_refusal(const char *body, const char *name)
{
    struct render_params params;
    struct fault fault;
    fault_init(&fault);
    ck_assert_msg(!body_parse(&config, body, strlen(body), &params, &fault), "%s", body);
    ck_assert_msg(fault.code == HTTP_INVALID_PARAM, "%s: %s", body, fault.detail);
    ck_assert_msg(strcmp(fault.param, name) == 0, "%s: %s", body, fault.detail);
}

/* A value of every other type is refused with the name of the row. */
START_TEST(every_row_refuses_other_types)
{
    const struct param_row *row = &param_rows[_i];
    for (size_t i = 0; i < COUNT(values); i++) {
        char body[512];
        if (is_own_type(row->type, i))
            continue;
        nest(row->name, values[i], body, sizeof(body));
        expect_refusal(body, row->name);
    }
}
END_TEST

/* So is one in an array, a map or a record. */
START_TEST(every_item_refuses_other_types)
{
    const struct param_row *row = &param_rows[_i];
    char body[512], value[256];
    if (row->type == PARAM_STRINGS || row->type == PARAM_INTEGERS || row->type == PARAM_RECORDS) {
        nest(row->name, "[null]", body, sizeof(body));
        expect_refusal(body, row->name);
    } else if (row->type == PARAM_MAP) {
        nest(row->name, "{\"a\":7}", body, sizeof(body));
        expect_refusal(body, row->name);
    }
    for (size_t j = 0; j < row->fields_count; j++) {
        const struct param_row *field = &row->fields[j];
        for (size_t i = 0; i < COUNT(values); i++) {
            if (is_own_type(field->type, i))
                continue;
            snprintf(value, sizeof(value), "[{\"%s\":%s}]", param_last_name(field), values[i]);
            nest(row->name, value, body, sizeof(body));
            expect_refusal(body, field->name);
        }
        if (field->is_required) {
            nest(row->name, "[{}]", body, sizeof(body));
            struct render_params params;
            struct fault fault;
            fault_init(&fault);
            ck_assert(!body_parse(&config, body, strlen(body), &params, &fault));
            ck_assert_ptr_nonnull(strstr(fault.detail, "is missing"));
        }
    }
}
END_TEST

START_TEST(every_number_has_its_range)
{
    const struct param_row *row = &param_rows[_i];
    char body[512], value[64];
    if (row->type != PARAM_NUMBER)
        return;
    const double outside[] = {row->number_min - 0.5, row->number_max + 0.5};
    for (size_t i = 0; i < COUNT(outside); i++) {
        snprintf(value, sizeof(value), "%.3f", outside[i]);
        nest(row->name, value, body, sizeof(body));
        expect_refusal(body, row->name);
    }
}
END_TEST

/* The ends of every range, and one beyond them. */
START_TEST(every_row_has_its_range)
{
    const struct param_row *row = &param_rows[_i];
    if (row->type != PARAM_INTEGER)
        return;
    bool is_budget = !strcmp(row->name, "timeoutMs") || !strcmp(row->name, "queueTimeoutMs");
    uint64_t max = is_budget ? 60000 : row->max;
    char body[512], value[32];
    struct render_params params;
    struct fault fault;
    snprintf(value, sizeof(value), "%" PRIu64, max + 1);
    nest(row->name, value, body, sizeof(body));
    fault_init(&fault);
    ck_assert_msg(!body_parse(&config, body, strlen(body), &params, &fault), "%s", body);
    ck_assert_str_eq(fault.param, row->name);
    snprintf(value, sizeof(value), "%" PRIu64, row->min);
    nest(row->name, value, body, sizeof(body));
    fault_init(&fault);
    ck_assert_msg(body_parse(&config, body, strlen(body), &params, &fault), "%s", fault.detail);
    render_params_free(&params);
}
END_TEST

/* Names of prerender.io, each with a value that changes the render, in both forms. */
static const struct {
    const char *alias, *name, *value, *json, *other_value;
} aliases[] = {
    {"renderType", "output", "pdf", "\"pdf\"", "png"},
    {"fullpage", "screenshot.fullPage", "true", "true,\"output\":\"png\"", "false"},
    {"width", "page.viewport.width", "320", "320", "7"},
    {"height", "page.viewport.height", "240", "240", "7"},
    {"followRedirects", "network.followRedirects", "false", "false", "true"},
    {"userAgent", "page.userAgent", "Probe/1", "\"Probe/1\"", "Probe/2"},
};

static bool query_parse(const char *name, const char *value, const char *rest,
                        struct render_params *ret, struct fault *fault)
{
    char query[256];
    snprintf(query, sizeof query, "url=http://h/&%s=%s%s", name, value, rest);
    fault_init(fault);
    return form_parse_render(&config, query, ret, fault);
}

/* Frees what was read, which must mean the same as `want` does. */
static void expect_same(bool valid, struct render_params *params, const struct fault *fault,
                        const char *want, size_t want_bytes)
{
    ck_assert_msg(valid, "%s", fault->detail);
    size_t bytes;
    char *got = render_params_canonical(params, &bytes);
    ck_assert(bytes == want_bytes && memcmp(got, want, bytes) == 0);
    free(got);
    render_params_free(params);
}

START_TEST(other_names)
{
    const char *alias = aliases[_i].alias, *name = aliases[_i].name, *value = aliases[_i].value;
    const char *rest = strcmp(alias, "fullpage") == 0 ? "&output=png" : "";
    struct render_params params;
    struct fault fault;
    size_t bytes;
    char text[256];
    ck_assert(query_parse(name, value, rest, &params, &fault));
    char *want = render_params_canonical(&params, &bytes);
    render_params_free(&params);
    bool valid = query_parse(alias, value, rest, &params, &fault);
    expect_same(valid, &params, &fault, want, bytes);
    snprintf(text, sizeof text, "{" URL ",\"%s\":%s}", alias, aliases[_i].json);
    valid = body_parse(&config, text, strlen(text), &params, &fault);
    expect_same(valid, &params, &fault, want, bytes);
    free(want);
    snprintf(text, sizeof text, "%s&%s=%s", rest, name, aliases[_i].other_value);
    ck_assert(!query_parse(alias, value, text, &params, &fault));
    ck_assert_int_eq(fault.code, HTTP_INVALID_PARAM);
    ck_assert_str_eq(fault.param, name);
    ck_assert_ptr_nonnull(strstr(fault.detail, alias));
}
END_TEST

START_TEST(both_names)
{
    expect_refusal("{" URL ",\"page\":{\"viewport\":{\"width\":320}},\"width\":320}",
                   "page.viewport.width");
    expect_refusal("{" URL ",\"renderType\":\"pdf\",\"output\":\"pdf\"}", "output");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http rows");
    TCase *tests = tcase_create("rows");
    int count = (int)param_rows_count;
    tcase_add_loop_test(tests, every_row_refuses_other_types, 0, count);
    tcase_add_loop_test(tests, every_item_refuses_other_types, 0, count);
    tcase_add_loop_test(tests, every_row_has_its_range, 0, count);
    tcase_add_loop_test(tests, every_number_has_its_range, 0, count);
    tcase_add_loop_test(tests, other_names, 0, COUNT(aliases));
    tcase_add_test(tests, both_names);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
