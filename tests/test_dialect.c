/* test_dialect.c: what the manager's dialect accepts, clamps and refuses. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/dialect.h"
#include "tests/suite.h"

static const struct config config = {
    .http = {.url_bytes_max = 8192},
    .render = {.timeout_ms = 30000, .timeout_ms_max = 120000},
    .manager = {.request_timeout_ms = 90000},
};

/* A visit with these attributes changed: "name" NULL: none; "value" NULL: left out. */
static char *visit_with(const char *name, const char *value)
{
    json_t *attributes =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "url", "http://a.example/x", "affinityType", "realm",
                  "affinityValue", "http://a.example/", "realm", "http://a.example/", "auth",
                  "{\"b\":\"1\",\"a\":\"2\"}");
    if (name && value)
        (void)json_object_set_new(attributes, name, json_loads(value, JSON_DECODE_ANY, NULL));
    else if (name)
        (void)json_object_del(attributes, name);
    json_t *root = json_pack("{s:{s:s, s:o}}", "data", "type", "x", "attributes", attributes);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static bool parse(enum http_route route, const char *body, size_t bytes, struct http_request *ret,
                  struct fault *fault)
{
    fault_init(fault);
    *ret = (struct http_request){.route = route};
    return dialect_parse(&config, body, bytes, ret, fault);
}

static void visit(const char *name, const char *value, struct http_request *ret)
{
    struct fault fault;
    char *body = visit_with(name, value);
    ck_assert_msg(parse(HTTP_VISIT, body, strlen(body), ret, &fault), "%s: %s", body, fault.detail);
    free(body);
}

START_TEST(takes_a_visit)
{
    struct http_request request;
    visit(NULL, NULL, &request);
    ck_assert_str_eq(request.params.url, "http://a.example/x");
    ck_assert_str_eq(request.params.affinity, "realm:http://a.example/");
    ck_assert_uint_eq(request.params.affinity_bytes, strlen("realm:http://a.example/"));
    ck_assert_uint_eq(request.params.timeout_ms, 90000);
    ck_assert_int_eq(request.params.on_timeout, ON_TIMEOUT_ERROR);
    ck_assert_uint_eq(request.params.priority, 0);
    ck_assert_uint_ne(request.dialect.fingerprint, 0);
    ck_assert_uint_eq(request.dialect.batch, 0);
    ck_assert(!request.dialect.clear_cache);
    render_params_free(&request.params);
}
END_TEST

/* Attributes that a visit cannot do without, as they must not be. */
static const struct {
    const char *name, *value;
} bad[] = {
    {"url", NULL},
    {"url", "\"\""},
    {"url", "\"  \""},
    {"url", "7"},
    {"url", "null"},
    {"url", "\"ftp://a/\""},
    {"url", "\"file:///etc/passwd\""},
    {"affinityType", NULL},
    {"affinityType", "\"user\""},
    {"affinityType", "\"bogus\""},
    {"affinityType", "\"realm:x\""},
    {"affinityType", "[]"},
    {"affinityValue", NULL},
    {"affinityValue", "\" \""},
    {"affinityValue", "{}"},
    {"realm", NULL},
    {"realm", "\"\""},
    {"auth", NULL},
    {"auth", "\"\\t\""},
    {"auth", "{\"a\":1}"},
};

START_TEST(refuses_attributes)
{
    struct http_request request;
    struct fault fault;
    char want[128];
    char *body = visit_with(bad[_i].name, bad[_i].value);
    ck_assert_msg(!parse(HTTP_VISIT, body, strlen(body), &request, &fault), "%s", body);
    (void)snprintf(want, sizeof want, "Missing or invalid required attributes: %s", bad[_i].name);
    ck_assert_str_eq(fault.detail, want);
    ck_assert_int_eq(dialect_status(fault.code), 400);
    ck_assert_ptr_null(request.params.url);
    free(body);
}
END_TEST

START_TEST(names_all_that_is_missing)
{
    struct http_request request;
    struct fault fault;
    ck_assert(!parse(HTTP_VISIT, "{}", 2, &request, &fault));
    ck_assert_str_eq(fault.detail, "Missing or invalid required attributes: url, affinityType, "
                                   "affinityValue, auth, realm");
}
END_TEST

static const char *const broken[] = {
    "{\"data\":{\"attributes\":{\"url\":\"http://a/\\u0000\"}}}",
    "",
    "{",
    "[]",
    "null",
    "\"x\"",
    "{\"data\":{\"a\":1,\"a\":2}}",
    "{}{}",
    "{\"a\":\"\xff\"}",
    "{\"data\":}",
    "1",
};

START_TEST(refuses_what_is_no_json_object)
{
    struct http_request request;
    struct fault fault;
    ck_assert(!parse(HTTP_VISIT, broken[_i], strlen(broken[_i]), &request, &fault));
    ck_assert_str_eq(fault.detail, "Invalid JSON body");
    ck_assert_int_eq(dialect_status(fault.code), 400);
}
END_TEST

START_TEST(refuses_deep_bodies)
{
    enum { DEPTH = 100000 };
    struct http_request request;
    struct fault fault;
    char *body = malloc(DEPTH);
    memset(body, '[', DEPTH);
    ck_assert(!parse(HTTP_VISIT, body, DEPTH, &request, &fault));
    ck_assert_str_eq(fault.detail, "Invalid JSON body");
    free(body);
}
END_TEST

static const struct {
    const char *value;
    uint32_t priority;
} priorities[] = {
    {"0", 0},
    {"7", 7},
    {"1000000", 1000000},
    {"1000001", 1000000},
    {"-1", 0},
    {"-9223372036854775808", 0},
    {"9223372036854775807", 1000000},
    {"1e300", 1000000},
    {"-1e300", 0},
    {"2.9", 2},
    {"0.5", 0},
    {"\"7\"", 0},
    {"true", 0},
    {"null", 0},
    {"[7]", 0},
};

START_TEST(clamps_priorities)
{
    struct http_request request;
    visit("priority", priorities[_i].value, &request);
    ck_assert_msg(request.params.priority == priorities[_i].priority, "%s is %u",
                  priorities[_i].value, request.params.priority);
    render_params_free(&request.params);
}
END_TEST

/* Values of affinities are any text; the key is "realm:" and its bytes. */
static const char *const values[] = {
    "a",           "a:b",    "http://x/?a=%2F%25#y", "__proto__",
    "../..",       "\"\\\b", "gr\xc3\xbc\xc3\x9f",   " x ",
    "constructor",
};

START_TEST(keeps_keys_byte_for_byte)
{
    struct http_request request;
    char want[128];
    json_t *value = json_string(values[_i]);
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    visit("affinityValue", text, &request);
    (void)snprintf(want, sizeof want, "realm:%s", values[_i]);
    ck_assert_str_eq(request.params.affinity, want);
    render_params_free(&request.params);
    free(text);
    json_decref(value);
}
END_TEST

/* "realm:" and 506 bytes are the longest key. */
START_TEST(bounds_keys)
{
    struct http_request request;
    struct fault fault;
    char text[1024];
    for (int bytes = 505; bytes <= 508; bytes++) {
        (void)snprintf(text, sizeof text, "\"%0*d\"", bytes, 0);
        char *body = visit_with("affinityValue", text);
        bool fits = parse(HTTP_VISIT, body, strlen(body), &request, &fault);
        ck_assert_int_eq(fits, bytes <= 506);
        if (fits) {
            ck_assert_uint_eq(request.params.affinity_bytes, (size_t)bytes + 6);
            render_params_free(&request.params);
        }
        free(body);
    }
}
END_TEST

static uint64_t fingerprint(const char *auth)
{
    struct http_request request;
    json_t *value = json_string(auth);
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    visit("auth", text, &request);
    render_params_free(&request.params);
    free(text);
    json_decref(value);
    return request.dialect.fingerprint;
}

/* Of the sorted realms, not of the tokens; of the text where that is no object. */
START_TEST(fingerprints_realms)
{
    uint64_t two = fingerprint("{\"b\":\"1\",\"a\":\"2\"}");
    ck_assert_uint_eq(two, fingerprint("{ \"a\": \"other\", \"b\": null }"));
    ck_assert_uint_ne(two, fingerprint("{\"a\":\"2\"}"));
    ck_assert_uint_ne(two, fingerprint("{\"ab\":\"2\"}"));
    ck_assert_uint_eq(fingerprint("token"), fingerprint("token"));
    ck_assert_uint_ne(fingerprint("token"), fingerprint("token2"));
    ck_assert_uint_ne(fingerprint("[1]"), fingerprint("[2]"));
    ck_assert_uint_eq(fingerprint("{}"), fingerprint("{ }"));
}
END_TEST

START_TEST(reads_batches_and_options)
{
    struct http_request request;
    visit("batchId", "\"job-1\"", &request);
    uint64_t batch = request.dialect.batch;
    ck_assert_uint_ne(batch, 0);
    render_params_free(&request.params);
    visit("batchId", "\" \"", &request);
    ck_assert_uint_eq(request.dialect.batch, 0);
    render_params_free(&request.params);
    visit("renderOptions", "{\"clearCache\":true,\"x\":1}", &request);
    ck_assert(request.dialect.clear_cache);
    render_params_free(&request.params);
    visit("renderOptions", "{\"clearCache\":\"true\"}", &request);
    ck_assert(!request.dialect.clear_cache);
    render_params_free(&request.params);
    visit("renderOptions", "7", &request);
    ck_assert(!request.dialect.clear_cache);
    render_params_free(&request.params);
    struct fault fault;
    static const char release[] =
        "{\"batchId\":\"job-1\",\"affinityType\":\"user\",\"affinityValue\":\"u:1\"}";
    ck_assert(parse(HTTP_RELEASE_BATCH, release, strlen(release), &request, &fault));
    ck_assert_uint_eq(request.dialect.batch, batch);
    ck_assert_uint_eq(request.key_bytes, strlen("user:u:1"));
    ck_assert(memcmp(request.key, "user:u:1", request.key_bytes) == 0);
}
END_TEST

/* What a recipe's scripts are called with is what the protocol knows, as it was sent: a
 * member named __proto__ stays one. Nested work is made for a render that waits for it, and a
 * command that may have been carried out is not repeated. */
START_TEST(takes_what_a_recipe_needs)
{
    static const char command[] =
        "{\"data\":{\"attributes\":{\"command\":\"c\",\"commandInput\":{\"__proto__\":{\"x\":1}},"
        "\"affinityType\":\"user\",\"affinityValue\":\"u\",\"realm\":\"r\",\"auth\":\"t\","
        "\"other\":1,\"priority\":7}}}";
    struct config with = config;
    struct http_request request = {.route = HTTP_COMMAND, .request_id = "id-1"};
    struct fault fault;
    fault_init(&fault);
    ck_assert(!dialect_parse(&with, command, strlen(command), &request, &fault));
    ck_assert_str_eq(fault.detail, "No recipe for /run-command");
    with.recipes[RECIPE_COMMAND] = (struct recipe){
        .standby_url = (char *)"http://app/", .ready = (char *)"1", .result = (char *)"({})"};
    fault_init(&fault);
    ck_assert(dialect_parse(&with, command, strlen(command), &request, &fault));
    const struct render_params *params = &request.params;
    ck_assert_ptr_eq(params->recipe, &with.recipes[RECIPE_COMMAND]);
    ck_assert_str_eq(params->url, "http://app/");
    ck_assert_int_eq(params->lane, LANE_NESTED);
    ck_assert_int_eq(params->until, WAIT_LOAD);
    ck_assert(!params->retry_on_crash);
    json_t *input = json_loads(params->input, 0, NULL);
    json_t *want =
        json_pack("{s:s, s:s, s:{s:{s:i}}, s:s, s:s, s:s, s:s, s:i}", "requestId", "id-1",
                  "command", "c", "commandInput", "__proto__", "x", 1, "affinityType", "user",
                  "affinityValue", "u", "realm", "r", "auth", "t", "priority", 7);
    ck_assert(json_equal(input, want));
    json_decref(input);
    json_decref(want);
    render_params_free(&request.params);
}
END_TEST

START_TEST(takes_a_screenshot)
{
    static const struct {
        const char *format;
        bool valid;
    } formats[] = {{NULL, true},     {"\"isolated\"", true}, {"\"embedded\"", true},
                   {"\"x\"", false}, {"1", false},           {"null", false}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct http_request request;
        struct fault fault;
        char *body = visit_with("format", formats[i].format);
        bool valid = parse(HTTP_SCREENSHOT, body, strlen(body), &request, &fault);
        ck_assert_int_eq(valid, formats[i].valid);
        if (valid) {
            ck_assert_uint_eq(request.params.outputs, OUTPUT_BIT(OUTPUT_PNG));
            ck_assert_ptr_null(request.params.recipe);
            ck_assert_int_eq(request.params.lane, LANE_MAIN);
            render_params_free(&request.params);
        }
        free(body);
    }
}
END_TEST

/* B-014. */
START_TEST(refuses_releases)
{
    static const char *const releases[][2] = {
        {"{\"affinityType\":\"realm\",\"affinityValue\":\"x\"}", "batchId"},
        {"{\"batchId\":\"b\",\"affinityType\":\"bogus\",\"affinityValue\":\"x\"}", "affinityType"},
        {"{\"batchId\":\"b\",\"affinityType\":\"realm\"}", "affinityValue"},
    };
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        struct http_request request;
        struct fault fault;
        const char *body = releases[i][0];
        ck_assert(!parse(HTTP_RELEASE_BATCH, body, strlen(body), &request, &fault));
        ck_assert_msg(strstr(fault.detail, releases[i][1]) != NULL, "%s", fault.detail);
    }
}
END_TEST

START_TEST(judges_request_ids)
{
    char id[80];
    memset(id, 'a', sizeof id);
    id[64] = '\0';
    ck_assert(dialect_request_id_is_valid(id));
    id[64] = 'a';
    id[65] = '\0';
    ck_assert(!dialect_request_id_is_valid(id));
    ck_assert(dialect_request_id_is_valid("0123-abcDEF"));
    ck_assert(!dialect_request_id_is_valid(""));
    ck_assert(!dialect_request_id_is_valid("xyz"));
    ck_assert(!dialect_request_id_is_valid("a b"));
}
END_TEST

#define ADD_TABLE(test, table)                                                                     \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("dialect");
    TCase *tcase = tcase_create("dialect");
    tcase_add_test(tcase, takes_a_visit);
    ADD_TABLE(refuses_attributes, bad);
    tcase_add_test(tcase, names_all_that_is_missing);
    ADD_TABLE(refuses_what_is_no_json_object, broken);
    tcase_add_test(tcase, refuses_deep_bodies);
    ADD_TABLE(clamps_priorities, priorities);
    ADD_TABLE(keeps_keys_byte_for_byte, values);
    tcase_add_test(tcase, bounds_keys);
    tcase_add_test(tcase, fingerprints_realms);
    tcase_add_test(tcase, reads_batches_and_options);
    tcase_add_test(tcase, takes_what_a_recipe_needs);
    tcase_add_test(tcase, takes_a_screenshot);
    tcase_add_test(tcase, refuses_releases);
    tcase_add_test(tcase, judges_request_ids);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
