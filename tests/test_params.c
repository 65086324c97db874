/* test_params.c: the table of render parameters is whole, and its names are found. */
#include "config/params.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/nearest.h"
#include "tests/suite.h"

START_TEST(defaults_are_those_of_the_interface)
{
    struct render_params params;
    memset(&params, 0xa5, sizeof params);
    render_params_init(&params);
    ck_assert_ptr_null(params.url);
    ck_assert_ptr_null(params.affinity);
    ck_assert_uint_eq(params.affinity_bytes, 0);
    ck_assert_int_eq(params.isolation, ISOLATION_DEFAULT);
    ck_assert_int_eq(params.lane, LANE_MAIN);
    ck_assert_uint_eq(params.priority, 0);
    ck_assert_uint_eq(params.timeout_ms, 30000);
    ck_assert_uint_eq(params.queue_timeout_ms, 0);
    ck_assert_int_eq(params.on_timeout, ON_TIMEOUT_PARTIAL);
    ck_assert(params.retry_on_crash);
    ck_assert_int_eq(params.until, WAIT_AUTO);
    ck_assert(!params.strip_scripts);
    ck_assert_ptr_null(params.base);
    render_params_free(&params);
}
END_TEST

START_TEST(free_releases_strings_and_may_be_repeated)
{
    struct render_params params;
    render_params_init(&params);
    params.url = strdup("http://127.0.0.1/");
    params.affinity = strdup("a");
    params.affinity_bytes = 1;
    render_params_free(&params);
    ck_assert_ptr_null(params.url);
    ck_assert_uint_eq(params.affinity_bytes, 0);
    render_params_free(&params);
    render_params_free(NULL);
}
END_TEST

static void *member_of(const struct param_row *row, struct render_params *params)
{
    return (char *)params + row->offset;
}

/* A value other than the default, owned by the params. */
static void change(const struct param_row *row, struct render_params *params)
{
    struct param_strings *strings = member_of(row, params);
    struct param_integers *integers = member_of(row, params);
    struct param_records *records = member_of(row, params);
    switch (row->type) {
    case PARAM_STRING:
        *(char **)member_of(row, params) = strdup("x");
        if (row->bytes_offset != 0)
            *(size_t *)(void *)((char *)params + row->bytes_offset) = 1;
        break;
    case PARAM_BOOLEAN:
        *(bool *)member_of(row, params) = row->initial == 0;
        break;
    case PARAM_INTEGER:
    case PARAM_ENUM:
    case PARAM_SET:
        *(unsigned *)member_of(row, params) = (unsigned)row->initial + 1;
        break;
    case PARAM_NUMBER:
        *(double *)member_of(row, params) = row->number_initial + 1;
        break;
    case PARAM_STRINGS:
        strings->items = calloc(1, sizeof(char *));
        strings->items[0] = strdup("x");
        strings->count = 1;
        break;
    case PARAM_INTEGERS:
        integers->items = calloc(1, sizeof *integers->items);
        integers->count = 1;
        break;
    case PARAM_MAP:
        records->items = calloc(1, sizeof(struct param_pair));
        records->count = 1;
        break;
    case PARAM_RECORDS:
        records->items = calloc(1, row->record_bytes);
        records->count = 1;
        break;
    }
}

static bool same(const struct render_params *a, const struct render_params *b)
{
    size_t a_bytes, b_bytes;
    char *first = render_params_canonical(a, &a_bytes);
    char *second = render_params_canonical(b, &b_bytes);
    ck_assert(first && second);
    bool equal = a_bytes == b_bytes && memcmp(first, second, a_bytes) == 0;
    free(first);
    free(second);
    return equal;
}

/* No row is forgotten: what differs in any value is another render. */
START_TEST(canonical_tells_every_row)
{
    struct render_params params, plain, copy;
    render_params_init(&params);
    render_params_init(&plain);
    ck_assert(same(&params, &plain));
    change(&param_rows[_i], &params);
    ck_assert_msg(!same(&params, &plain), "%s", param_rows[_i].name);
    ck_assert(render_params_copy(&params, &copy));
    copy.given[_i] = true; /* How it was said does not count. */
    ck_assert_msg(same(&params, &copy), "%s", param_rows[_i].name);
    render_params_free(&params);
    render_params_free(&plain);
    render_params_free(&copy);
}
END_TEST

/* The copy owns what it holds: the first may go. */
START_TEST(copy_stands_alone)
{
    struct render_params params, copy;
    render_params_init(&params);
    params.url = strdup("http://127.0.0.1/");
    params.affinity = malloc(4);
    memcpy(params.affinity, "a\0b", 4); /* Counted, not terminated. */
    params.affinity_bytes = 3;
    params.network.block_urls.items = calloc(2, sizeof(char *));
    params.network.block_urls.items[0] = strdup("*.png");
    params.network.block_urls.count = 1;
    params.given[0] = true;
    ck_assert(render_params_copy(&params, &copy));
    render_params_free(&params);
    ck_assert_str_eq(copy.url, "http://127.0.0.1/");
    ck_assert_uint_eq(copy.affinity_bytes, 3);
    ck_assert_mem_eq(copy.affinity, "a\0b", 3);
    ck_assert_uint_eq(copy.network.block_urls.count, 1);
    ck_assert_str_eq(copy.network.block_urls.items[0], "*.png");
    ck_assert(param_is_given(&copy, "url"));
    render_params_free(&copy);
}
END_TEST

/* The rows the interface promises, with their ranges. */
static const struct {
    const char *name;
    enum param_type type;
    uint64_t initial, min, max;
    const char *choices; /* Joined by spaces. */
} wanted[] = {
    {"url", PARAM_STRING, 0, 1, 8192, ""},
    {"method", PARAM_ENUM, 0, 0, 0, "GET POST PUT PATCH DELETE"},
    {"body", PARAM_STRING, 0, 0, 1048576, ""},
    {"contentType", PARAM_STRING, 0, 1, 256, ""},
    {"html", PARAM_STRING, 0, 1, 67108864, ""},
    {"baseUrl", PARAM_STRING, 0, 1, 8192, ""},
    {"affinity", PARAM_STRING, 0, 1, 512, ""},
    {"auth", PARAM_STRING, 0, 1, 65536, ""},
    {"batch", PARAM_STRING, 0, 1, 256, ""},
    {"clearCache", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"isolation", PARAM_ENUM, 0, 0, 0, "default affinity origin fresh"},
    {"lane", PARAM_ENUM, 0, 0, 0, "main nested"},
    {"priority", PARAM_INTEGER, 0, 0, 1000000, ""},
    {"timeoutMs", PARAM_INTEGER, 30000, 1, 120000, ""},
    {"queueTimeoutMs", PARAM_INTEGER, 0, 0, 120000, ""},
    {"onTimeout", PARAM_ENUM, 0, 0, 0, "partial error"},
    {"retryOnCrash", PARAM_BOOLEAN, 1, 0, 0, ""},
    {"dedupe", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"document.stripScripts", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"document.shadowDom", PARAM_ENUM, 0, 0, 0, "declarative ignore"},
    {"document.charset", PARAM_ENUM, 0, 0, 0, "utf-8 ascii"},
    {"document.metaStatus", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"document.base", PARAM_STRING, 0, 1, 8192, ""},
    {"document.removeSelectors", PARAM_STRINGS, 0, 1, 1024, ""},
    {"wait.until", PARAM_ENUM, 0, 0, 0, "auto domcontentloaded load networkidle none"},
    {"wait.clock", PARAM_ENUM, 0, 0, 0, "virtual real"},
    {"wait.idleMs", PARAM_INTEGER, 500, 0, 60000, ""},
    {"wait.idleConnections", PARAM_INTEGER, 0, 0, 64, ""},
    {"wait.stuckRequestMs", PARAM_INTEGER, 0, 0, 120000, ""},
    {"wait.ignore", PARAM_STRINGS, 0, 1, 2048, ""},
    {"failOn.status", PARAM_INTEGERS, 0, 100, 599, ""},
    {"failOn.resourceStatus", PARAM_INTEGERS, 0, 100, 599, ""},
    {"failOn.resourceFailed", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"failOn.exception", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"failOn.emptyBody", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"wait.readyFlag", PARAM_STRING, 0, 0, 256, ""},
    {"wait.readyFlagGraceMs", PARAM_INTEGER, 1000, 0, 120000, ""},
    {"wait.selector.selector", PARAM_STRING, 0, 1, 4096, ""},
    {"wait.selector.state", PARAM_ENUM, 0, 0, 0, "attached visible hidden detached"},
    {"wait.selector.minCount", PARAM_INTEGER, 1, 1, 1000000, ""},
    {"wait.expression", PARAM_STRING, 0, 1, 65536, ""},
    {"wait.event", PARAM_STRING, 0, 1, 256, ""},
    {"wait.domStableMs", PARAM_INTEGER, 0, 0, 60000, ""},
    {"wait.delayMs", PARAM_INTEGER, 0, 0, 120000, ""},
    {"page.viewport.width", PARAM_INTEGER, 1280, 1, 8192, ""},
    {"page.viewport.height", PARAM_INTEGER, 800, 1, 8192, ""},
    {"page.viewport.mobile", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"page.viewport.touch", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"page.viewport.deviceScaleFactor", PARAM_NUMBER, 0, 0, 0, ""},
    {"page.device", PARAM_ENUM, 0, 0, 0, "default desktop mobile googlebot-mobile"},
    {"page.userAgent", PARAM_STRING, 0, 1, 1000, ""},
    {"page.locale", PARAM_STRING, 0, 2, 35, ""},
    {"page.timezone", PARAM_STRING, 0, 1, 64, ""},
    {"page.inject", PARAM_RECORDS, 0, 0, 0, ""},
    {"page.media.type", PARAM_ENUM, 0, 0, 0, "screen print"},
    {"page.media.colorScheme", PARAM_ENUM, 0, 0, 0, "light dark"},
    {"page.media.reducedMotion", PARAM_ENUM, 0, 0, 0, "no-preference reduce"},
    {"page.javaScript", PARAM_BOOLEAN, 1, 0, 0, ""},
    {"page.headers", PARAM_MAP, 0, 0, 8192, ""},
    {"page.headersScope", PARAM_ENUM, HEADERS_ORIGIN, 0, 0, "document origin all"},
    {"page.httpAuth.username", PARAM_STRING, 0, 1, 256, ""},
    {"page.httpAuth.password", PARAM_STRING, 0, 0, 1024, ""},
    {"page.cookies", PARAM_RECORDS, 0, 0, 0, ""},
    {"page.localStorage", PARAM_MAP, 0, 0, 1048576, ""},
    {"network.blockUrls", PARAM_STRINGS, 0, 1, 2048, ""},
    {"network.allowUrls", PARAM_STRINGS, 0, 1, 2048, ""},
    {"network.blockTypes", PARAM_SET, 0, 0, 0,
     "image stylesheet font media script xhr eventsource frame prefetch ping other"},
    {"network.rewrites", PARAM_RECORDS, 0, 0, 0, ""},
    {"network.maxRequests", PARAM_INTEGER, 0, 0, 1000000, ""},
    {"network.maxBytes", PARAM_INTEGER, 0, 0, 4294967295, ""},
    {"network.serviceWorkers", PARAM_ENUM, 0, 0, 0, "block allow"},
    {"network.followRedirects", PARAM_BOOLEAN, 1, 0, 0, ""},
    {"output", PARAM_SET, 1, 0, 0, "html text links png jpeg webp pdf mhtml expression"},
    {"expression", PARAM_STRING, 0, 1, 65536, ""},
    {"javascript", PARAM_STRING, 0, 1, 65536, ""},
    {"screenshot.fullPage", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"screenshot.clip.x", PARAM_NUMBER, 0, 0, 0, ""},
    {"screenshot.clip.y", PARAM_NUMBER, 0, 0, 0, ""},
    {"screenshot.clip.width", PARAM_NUMBER, 0, 0, 0, ""},
    {"screenshot.clip.height", PARAM_NUMBER, 0, 0, 0, ""},
    {"screenshot.selector", PARAM_STRING, 0, 1, 4096, ""},
    {"screenshot.quality", PARAM_INTEGER, 80, 0, 100, ""},
    {"screenshot.omitBackground", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"pdf.landscape", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"pdf.displayHeaderFooter", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"pdf.printBackground", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"pdf.scale", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.paperWidth", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.paperHeight", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.marginTop", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.marginBottom", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.marginLeft", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.marginRight", PARAM_NUMBER, 0, 0, 0, ""},
    {"pdf.pageRanges", PARAM_STRING, 0, 1, 256, ""},
    {"pdf.headerTemplate", PARAM_STRING, 0, 0, 65536, ""},
    {"pdf.footerTemplate", PARAM_STRING, 0, 0, 65536, ""},
    {"pdf.preferCSSPageSize", PARAM_BOOLEAN, 0, 0, 0, ""},
    {"pdf.generateTaggedPDF", PARAM_BOOLEAN, 1, 0, 0, ""},
    {"pdf.generateDocumentOutline", PARAM_BOOLEAN, 0, 0, 0, ""},
};

START_TEST(rows_have_type_range_and_choices)
{
    const struct param_row *row = param_find(wanted[_i].name);
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(row->type, wanted[_i].type);
    ck_assert_uint_eq(row->initial, wanted[_i].initial);
    ck_assert_uint_eq(row->min, wanted[_i].min);
    ck_assert_uint_eq(row->max, wanted[_i].max);
    char choices[128] = "";
    for (const char *const *c = row->choices; c && *c; c++) {
        size_t used = strlen(choices);
        snprintf(choices + used, sizeof choices - used, "%s%s", used > 0 ? " " : "", *c);
    }
    ck_assert_str_eq(choices, wanted[_i].choices);
    ck_assert_ptr_nonnull(row->meaning);
    ck_assert_str_eq(param_nearest(row->name), row->name);
}
END_TEST

START_TEST(table_has_exactly_the_wanted_rows)
{
    ck_assert_uint_eq(param_rows_count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < param_rows_count; i++) {
        ck_assert_uint_lt(param_rows[i].offset, sizeof(struct render_params));
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(param_rows[i].offset, param_rows[j].offset);
            ck_assert_str_ne(param_rows[i].name, param_rows[j].name);
        }
    }
}
END_TEST

static const struct {
    const char *given, *nearest;
} misspelt[] = {
    {"timeoutms", "timeoutMs"},
    {"timeout", "timeoutMs"},
    {"timeout_ms", "timeoutMs"},
    {"URL", "url"},
    {"uri", "url"},
    {"until", "wait.until"},
    {"waitUntil", "wait.until"},
    {"wait.untill", "wait.until"},
    {"queueTimeout", "queueTimeoutMs"},
    {"on_timeout", "onTimeout"},
    {"affinty", "affinity"},
    {"retryonCrash", "retryOnCrash"},
    {"priorty", "priority"},
    {"isolate", "isolation"},
};

START_TEST(nearest_name_is_the_one_meant)
{
    ck_assert_ptr_null(param_find(misspelt[_i].given));
    ck_assert_str_eq(param_nearest(misspelt[_i].given), misspelt[_i].nearest);
}
END_TEST

static const struct {
    const char *given, *name;
    size_t distance;
} distances[] = {
    {"", "", 0},
    {"", "url", 3},
    {"url", "", 3},
    {"url", "URL", 0},
    {"kitten", "sitting", 3},
    {"ab", "ba", 2},
    {"b", "section.b", 1},
    {"section.b", "section.b", 0},
};

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(nearest_distance(distances[_i].given, distances[_i].name),
                      distances[_i].distance);
}
END_TEST

START_TEST(nearest_of_anything_is_a_name)
{
    char name[5000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_ptr_nonnull(param_find(param_nearest(name)));
    ck_assert_ptr_nonnull(param_find(param_nearest("")));
    ck_assert_ptr_nonnull(param_find(param_nearest("\xff\xfe.\x01")));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *suite = suite_create("params");
    TCase *tests = tcase_create("params");
    tcase_add_test(tests, defaults_are_those_of_the_interface);
    tcase_add_test(tests, free_releases_strings_and_may_be_repeated);
    tcase_add_test(tests, copy_stands_alone);
    tcase_add_loop_test(tests, canonical_tells_every_row, 0, (int)param_rows_count);
    tcase_add_loop_test(tests, rows_have_type_range_and_choices, 0, COUNT(wanted));
    tcase_add_test(tests, table_has_exactly_the_wanted_rows);
    tcase_add_loop_test(tests, nearest_name_is_the_one_meant, 0, COUNT(misspelt));
    tcase_add_loop_test(tests, distance_counts_edits, 0, COUNT(distances));
    tcase_add_test(tests, nearest_of_anything_is_a_name);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
