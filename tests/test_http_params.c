/* test_http_params.c: JSON bodies and query strings into struct render_params, by example;
 * test_http_rows.c tries every row. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/body.h"
#include "http/form.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct config config = {
    .http = {.url_bytes_max = 8192, .body_bytes_max = 1048576},
    .render = {.timeout_ms = 25000, .timeout_ms_max = 60000},
};

struct param_case {
    const char *text;
    enum http_code want;        /* HTTP_CODES: valid. */
    const char *param, *detail; /* Parts that the fault must name. */
};

#define URL "\"url\":\"http://h/\""

static const struct param_case body_cases[] = {
    {"{" URL "}", HTTP_CODES, "", ""},
    {" \r\n\t{ " URL " } \n", HTTP_CODES, "", ""},
    {"{" URL ",\"affinity\":\"\\u20ac k\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"affinity\":\"k\",\"isolation\":\"affinity\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"affinity\":\"k\",\"lane\":\"nested\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"isolation\":\"fresh\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"priority\":1000000}", HTTP_CODES, "", ""},
    {"{" URL ",\"timeoutMs\":60000,\"queueTimeoutMs\":60000}", HTTP_CODES, "", ""},
    {"{" URL ",\"retryOnCrash\":false,\"onTimeout\":\"error\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"wait\":{\"until\":\"load\"}}", HTTP_CODES, "", ""},
    {"{" URL ",\"wait\":{}}", HTTP_CODES, "", ""},
    {"{" URL ",\"network\":{\"blockUrls\":[]}}", HTTP_CODES, "", ""},
    {"{" URL ",\"network\":{\"blockUrls\":[\"*.png\",\"*://ads.*\"]}}", HTTP_CODES, "", ""},
    {"{" URL ",\"network\":{\"blockUrls\":[\"a\",7]}}", HTTP_INVALID_PARAM, "network.blockUrls",
     "holds 7"},
    {"{" URL ",\"network\":{\"blockUrls\":[\"a\",\"\"]}}", HTTP_INVALID_PARAM, "network.blockUrls",
     "empty"},
    {"{" URL ",\"page\":{\"viewport\":{\"width\":400},\"media\":{\"type\":\"print\"}}}", HTTP_CODES,
     "", ""},
    {"{" URL ",\"page\":{\"userAgent\":\"a\\r\\nX: y\"}}", HTTP_INVALID_PARAM, "page.userAgent",
     "ASCII"},
    {"{" URL ",\"page\":{\"viewport\":400}}", HTTP_INVALID_PARAM, "page.viewport", "width"},
    {"{" URL ",\"wait\":{\"selector\":\"#a\"}}", HTTP_CODES, "", ""},
    {"{" URL ",\"wait\":{\"selector\":{\"selector\":\"#a\",\"minCount\":3}}}", HTTP_CODES, "", ""},
    {"{" URL ",\"wait\":{\"selector\":{\"selecter\":\"#a\"}}}", HTTP_UNKNOWN_PARAM,
     "wait.selector.selecter", "\"wait.selector.selector\""},
    {"{" URL ",\"wait\":{\"selector.state\":\"hidden\"}}", HTTP_UNKNOWN_PARAM,
     "wait.selector.state", "nested"},
    {"{" URL ",\"wait\":{\"selector\":{\"minCount\":2}}}", HTTP_INVALID_PARAM,
     "wait.selector.selector", "missing"},
    {"{" URL ",\"wait\":{\"selector\":{\"state\":\"gone\"}}}", HTTP_INVALID_PARAM,
     "wait.selector.state", "detached"},
    {"{" URL ",\"document\":{\"removeSelectors\":[\"a > b, #c\",\"[d='e']\"]}}", HTTP_CODES, "",
     ""},
    {"{" URL ",\"document\":{\"removeSelectors\":[\"a\",\"b:hover\"]}}", HTTP_INVALID_PARAM,
     "document.removeSelectors", "\"b:hover\""},
    {"{" URL ",\"dedupe\":true}", HTTP_CODES, "", ""},
    {"{" URL ",\"dedupe\":1}", HTTP_INVALID_PARAM, "dedupe", "true or false"},
    {"{" URL ",\"auth\":\"a\"}", HTTP_INVALID_PARAM, "auth", "affinity"},
    {"{" URL ",\"batch\":\"a\"}", HTTP_INVALID_PARAM, "batch", "affinity"},
    {"{" URL ",\"auth\":\"\",\"affinity\":\"k\"}", HTTP_INVALID_PARAM, "auth", "empty"},
    {"{" URL ",\"auth\":\"a\",\"batch\":\"b\",\"clearCache\":true,\"affinity\":\"k\"}", HTTP_CODES,
     "", ""},
    {"{" URL ",\"clearCache\":true}", HTTP_CODES, "", ""},
    /* Requests of the page. */
    {"{" URL ",\"method\":\"POST\",\"body\":\"\",\"contentType\":\"text/plain\"}", HTTP_CODES, "",
     ""},
    {"{" URL ",\"method\":\"post\"}", HTTP_INVALID_PARAM, "method", "POST"},
    {"{" URL ",\"body\":\"a\"}", HTTP_INVALID_PARAM, "body", "other than GET"},
    {"{" URL ",\"method\":\"PUT\",\"contentType\":\"text/plain\"}", HTTP_INVALID_PARAM,
     "contentType", "missing"},
    {"{" URL ",\"method\":\"POST\",\"body\":\"a\",\"contentType\":\"a\\r\\nb\"}",
     HTTP_INVALID_PARAM, "contentType", "ASCII"},
    {"{" URL ",\"method\":\"POST\",\"retryOnCrash\":true}", HTTP_INVALID_PARAM, "retryOnCrash",
     "\"method\""},
    {"{" URL ",\"method\":\"POST\",\"retryOnCrash\":false}", HTTP_CODES, "", ""},
    {"{" URL ",\"method\":\"GET\",\"retryOnCrash\":true}", HTTP_CODES, "", ""},
    {"{" URL ",\"page\":{\"headers\":{\"X-A\":\"1\",\"accept-language\":\"\"}}}", HTTP_CODES, "",
     ""},
    {"{" URL ",\"page\":{\"headers\":{\"X A\":\"1\"}}}", HTTP_INVALID_PARAM, "page.headers", "X A"},
    {"{" URL ",\"page\":{\"headers\":{\"X-A\":\"1\\n\"}}}", HTTP_INVALID_PARAM, "page.headers",
     "ASCII"},
    {"{" URL ",\"page\":{\"headers\":{\"hOst\":\"h\"}}}", HTTP_INVALID_PARAM, "page.headers",
     "\"hOst\""},
    {"{" URL ",\"page\":{\"headers\":{\"Content-Length\":\"3\"}}}", HTTP_INVALID_PARAM,
     "page.headers", "Content-Length"},
    {"{" URL ",\"page\":{\"headers\":{\"proxy-foo\":\"3\"}}}", HTTP_INVALID_PARAM, "page.headers",
     "proxy-foo"},
    {"{" URL ",\"page\":{\"headers\":{\"cookie\":\"a=b\"}}}", HTTP_INVALID_PARAM, "page.headers",
     "page.cookies"},
    {"{" URL ",\"page\":{\"headersScope\":\"site\"}}", HTTP_INVALID_PARAM, "page.headersScope",
     "document, origin, all"},
    {"{" URL ",\"isolation\":\"origin\",\"page\":{\"headers\":{\"a\":\"b\"}}}", HTTP_INVALID_PARAM,
     "isolation", "page.headers"},
    {"{" URL ",\"affinity\":\"k\",\"page\":{\"headers\":{\"a\":\"b\"}}}", HTTP_CODES, "", ""},
    {"{" URL ",\"page\":{\"httpAuth\":{\"username\":\"a\",\"password\":\"b:c\"}}}", HTTP_CODES, "",
     ""},
    {"{" URL ",\"page\":{\"httpAuth\":{\"username\":\"a\"}},\"isolation\":\"fresh\"}", HTTP_CODES,
     "", ""},
    {"{" URL ",\"page\":{\"httpAuth\":{\"password\":\"b\"}}}", HTTP_INVALID_PARAM,
     "page.httpAuth.username", "missing"},
    {"{" URL ",\"page\":{\"httpAuth\":{\"username\":\"a:b\"}}}", HTTP_INVALID_PARAM,
     "page.httpAuth.username", "colon"},
    {"{" URL ",\"affinity\":\"k\",\"page\":{\"httpAuth\":{\"username\":\"a\"}}}",
     HTTP_INVALID_PARAM, "page.httpAuth.username", "context of its own"},
    {"{" URL ",\"page\":{\"httpAuth\":{\"username\":\"a\"},\"headers\":{\"authorization\":\"b\"}}}",
     HTTP_INVALID_PARAM, "page.httpAuth.username", "one too"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b c\",\"path\":\"/x\"}]}}",
     HTTP_CODES, "", ""},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\"}]}}", HTTP_INVALID_PARAM,
     "page.cookies[].value", "missing"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a=b\",\"value\":\"\"}]}}", HTTP_INVALID_PARAM,
     "page.cookies[].name", "a=b"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b;c\"}]}}", HTTP_INVALID_PARAM,
     "page.cookies[].value", "semicolon"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b\",\"path\":\"x\"}]}}",
     HTTP_INVALID_PARAM, "page.cookies[].path", "slash"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b\",\"url\":\"http://h/\","
     "\"domain\":\"h\"}]}}",
     HTTP_INVALID_PARAM, "page.cookies[].url", "leave one"},
    {"{" URL ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b\",\"sameSite\":\"lax\"}]}}",
     HTTP_INVALID_PARAM, "page.cookies[].sameSite", "Strict, Lax, None"},
    {"{" URL ",\"isolation\":\"origin\",\"page\":{\"localStorage\":{\"a\":\"b\"}}}",
     HTTP_INVALID_PARAM, "isolation", "page.localStorage"},
    {"{" URL ",\"page\":{\"localStorage\":{\"a\":7}}}", HTTP_INVALID_PARAM, "page.localStorage",
     "holds 7"},
    {"{" URL ",\"network\":{\"blockTypes\":[\"image\",\"xhr\"],\"allowUrls\":[\"*\"]}}", HTTP_CODES,
     "", ""},
    {"{" URL ",\"network\":{\"maxRequests\":0,\"maxBytes\":4294967295}}", HTTP_CODES, "", ""},
    {"{" URL ",\"network\":{\"maxRequests\":-1}}", HTTP_INVALID_PARAM, "network.maxRequests",
     "1000000"},
    {"{" URL ",\"network\":{\"maxBytes\":4294967296}}", HTTP_INVALID_PARAM, "network.maxBytes",
     "4294967295"},
    {"{" URL ",\"network\":{\"blockTypes\":[\"images\"]}}", HTTP_INVALID_PARAM,
     "network.blockTypes", "stylesheet"},
    {"{" URL ",\"network\":{\"rewrites\":[{\"from\":\"*a*\",\"to\":\"http://h/*/*\"}]}}",
     HTTP_CODES, "", ""},
    {"{" URL ",\"network\":{\"rewrites\":[{\"from\":\"*\",\"to\":\"http://h/*/*\"}]}}",
     HTTP_INVALID_PARAM, "network.rewrites[].to", "more `*`"},
    {"{" URL ",\"network\":{\"rewrites\":[{\"from\":\"*\",\"to\":\"file:///x\"}]}}",
     HTTP_INVALID_PARAM, "network.rewrites[].to", "http"},
    {"{" URL ",\"network\":{\"rewrites\":[{\"from\":\"*\"}]}}", HTTP_INVALID_PARAM,
     "network.rewrites[].to", "missing"},
    /* Not JSON. */
    {"", HTTP_BAD_JSON, "", "empty"},
    {" ", HTTP_BAD_JSON, "", "line 1"},
    {"url=http://h/", HTTP_BAD_JSON, "", "column"},
    {"{", HTTP_BAD_JSON, "", "line 1"},
    {"{" URL "} x", HTTP_BAD_JSON, "", "byte"},
    {"{" URL "}{}", HTTP_BAD_JSON, "", "byte"},
    {"{" URL ",}", HTTP_BAD_JSON, "", "byte"},
    {"{'url':'http://h/'}", HTTP_BAD_JSON, "", "byte"},
    {"\xef\xbb\xbf{" URL "}", HTTP_BAD_JSON, "", "byte"},
    {"{\"url\":\"http://h/\xff\"}", HTTP_BAD_JSON, "", "byte"},
    {"{\"url\":\"http://h/\\ud800\"}", HTTP_BAD_JSON, "", "byte"},
    {"{\"url\":\"http://h/\\u0000\"}", HTTP_BAD_JSON, "", "byte"},
    {"{" URL "," URL "}", HTTP_BAD_JSON, "", "url"},
    {"{" URL ",\"priority\":NaN}", HTTP_BAD_JSON, "", "byte"},
    {"{" URL ",\"priority\":99999999999999999999}", HTTP_BAD_JSON, "", "integer"},
    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", HTTP_BAD_JSON, "", "byte 16"},
    {"[]", HTTP_BAD_JSON, "", "object"},
    {"\"http://h/\"", HTTP_BAD_JSON, "", "object"},
    {"null", HTTP_BAD_JSON, "", "object"},
    {"7", HTTP_BAD_JSON, "", "object"},
    /* Names. */
    {"{\"uri\":\"http://h/\"}", HTTP_UNKNOWN_PARAM, "uri", "\"url\""},
    {"{" URL ",\"timeoutms\":1}", HTTP_UNKNOWN_PARAM, "timeoutms", "\"timeoutMs\""},
    {"{" URL ",\"afinity\":\"k\"}", HTTP_UNKNOWN_PARAM, "afinity", "\"affinity\""},
    {"{" URL ",\"\":1}", HTTP_UNKNOWN_PARAM, "", "\"\""},
    {"{" URL ",\"waitUntil\":\"load\"}", HTTP_UNKNOWN_PARAM, "waitUntil", "\"wait.until\""},
    {"{" URL ",\"wait.until\":\"load\"}", HTTP_UNKNOWN_PARAM, "wait.until", "{\"wait\":"},
    {"{" URL ",\"wait\":{\"untill\":\"load\"}}", HTTP_UNKNOWN_PARAM, "wait.untill",
     "\"wait.until\""},
    {"{" URL ",\"wait\":{\"until.x\":1}}", HTTP_UNKNOWN_PARAM, "wait.until.x", "wait.until"},
    {"{" URL ",\"a\\nb\\u001b[0m\":1}", HTTP_UNKNOWN_PARAM, "a?b?[0m", "a?b?[0m"},
    /* Values. */
    {"{}", HTTP_INVALID_PARAM, "url", "missing"},
    {"{\"url\":7}", HTTP_INVALID_PARAM, "url", "7"},
    {"{\"url\":null}", HTTP_INVALID_PARAM, "url", "null"},
    {"{\"url\":[\"http://h/\"]}", HTTP_INVALID_PARAM, "url", "an array"},
    {"{\"url\":{}}", HTTP_INVALID_PARAM, "url", "an object"},
    {"{\"url\":\"\"}", HTTP_INVALID_URL, "url", "http://"},
    {"{\"url\":\"file:///etc/passwd\"}", HTTP_INVALID_URL, "url", "file:///etc/passwd"},
    {"{\"url\":\"chrome://crash\"}", HTTP_INVALID_URL, "url", "http://"},
    {"{\"url\":\"javascript:1\"}", HTTP_INVALID_URL, "url", "http://"},
    {"{" URL ",\"priority\":\"1\"}", HTTP_INVALID_PARAM, "priority", "1000000"},
    {"{" URL ",\"priority\":1.5}", HTTP_INVALID_PARAM, "priority", "1.5"},
    {"{" URL ",\"priority\":1.0}", HTTP_INVALID_PARAM, "priority", "integer"},
    {"{" URL ",\"priority\":-1}", HTTP_INVALID_PARAM, "priority", "-1"},
    {"{" URL ",\"priority\":1000001}", HTTP_INVALID_PARAM, "priority", "from 0 to 1000000"},
    {"{" URL ",\"priority\":4294967296}", HTTP_INVALID_PARAM, "priority", "4294967296"},
    {"{" URL ",\"timeoutMs\":0}", HTTP_INVALID_PARAM, "timeoutMs", "from 1 to 60000"},
    {"{" URL ",\"timeoutMs\":60001}", HTTP_INVALID_PARAM, "timeoutMs", "60000"},
    {"{" URL ",\"queueTimeoutMs\":25001}", HTTP_INVALID_PARAM, "queueTimeoutMs", "25000"},
    {"{" URL ",\"timeoutMs\":10,\"queueTimeoutMs\":11}", HTTP_INVALID_PARAM, "queueTimeoutMs",
     "timeoutMs"},
    {"{" URL ",\"retryOnCrash\":\"yes\"}", HTTP_INVALID_PARAM, "retryOnCrash", "true or false"},
    {"{" URL ",\"retryOnCrash\":0}", HTTP_INVALID_PARAM, "retryOnCrash", "true or false"},
    {"{" URL ",\"onTimeout\":\"never\"}", HTTP_INVALID_PARAM, "onTimeout", "partial, error"},
    {"{" URL ",\"onTimeout\":\"Partial\"}", HTTP_INVALID_PARAM, "onTimeout", "partial"},
    {"{" URL ",\"onTimeout\":1}", HTTP_INVALID_PARAM, "onTimeout", "1"},
    {"{" URL ",\"wait\":\"load\"}", HTTP_INVALID_PARAM, "wait", "until"},
    {"{" URL ",\"wait\":{\"until\":\"idle\"}}", HTTP_INVALID_PARAM, "wait.until", "auto"},
    {"{" URL ",\"wait\":{\"until\":{\"x\":1}}}", HTTP_INVALID_PARAM, "wait.until", "an object"},
    {"{" URL ",\"affinity\":\"\"}", HTTP_INVALID_PARAM, "affinity", "empty"},
    {"{" URL ",\"isolation\":\"affinity\"}", HTTP_INVALID_PARAM, "isolation", "no \"affinity\""},
    {"{" URL ",\"affinity\":\"k\",\"isolation\":\"origin\"}", HTTP_INVALID_PARAM, "isolation",
     "origin"},
    {"{" URL ",\"affinity\":\"k\",\"isolation\":\"fresh\"}", HTTP_INVALID_PARAM, "isolation",
     "fresh"},
    {"{" URL ",\"lane\":\"nested\"}", HTTP_INVALID_PARAM, "lane", "affinity"},
};

static void expect(const struct param_case *want, bool valid, const struct fault *fault)
{
    ck_assert_msg(fault->code == want->want, "%s: got %d \"%s\"", want->text, (int)fault->code,
                  fault->detail);
    ck_assert(valid == (want->want == HTTP_CODES));
    if (valid)
        return;
    ck_assert_msg(strcmp(fault->param, want->param) == 0, "%s: param \"%s\"", want->text,
                  fault->param);
    ck_assert_msg(strstr(fault->detail, want->detail), "%s: \"%s\"", want->text, fault->detail);
    size_t length = strlen(fault->detail);
    ck_assert_msg(length > 0 && fault->detail[length - 1] == '.', "\"%s\"", fault->detail);
}

START_TEST(body_is_judged)
{
    struct render_params params;
    struct fault fault;
    const struct param_case *item = &body_cases[_i];
    fault_init(&fault);
    bool valid = body_parse(&config, item->text, strlen(item->text), &params, &fault);
    expect(item, valid, &fault);
    if (valid)
        render_params_free(&params);
}
END_TEST

static const struct param_case query_cases[] = {
    {"url=http://h/", HTTP_CODES, "", ""},
    {"url=http%3A%2F%2Fh%2Fa%3Fb%3D%2526", HTTP_CODES, "", ""},
    {"&&url=http://h/&", HTTP_CODES, "", ""},
    {"url=http://h/?a=b=c", HTTP_CODES, "", ""},
    {"url=http://h/&wait.until=load&retryOnCrash=false&priority=7", HTTP_CODES, "", ""},
    {"%75rl=http://h/", HTTP_CODES, "", ""},
    {"url=http://h/&affinity=a+b", HTTP_CODES, "", ""},
    {"url=http://h/&wait.selector=p&wait.selector.minCount=2", HTTP_CODES, "", ""},
    {"url=http://h/&wait.selector=p&wait.selector.selector=p", HTTP_INVALID_PARAM,
     "wait.selector.selector", "twice"},
    {"", HTTP_INVALID_PARAM, "url", "missing"},
    {"url", HTTP_INVALID_URL, "url", "http://"},
    {"url=http://h/&url=http://h/", HTTP_INVALID_PARAM, "url", "twice"},
    {"url=http://h/&wait=load", HTTP_UNKNOWN_PARAM, "wait", "nearest"},
    {"url=http://h/&Priority=1", HTTP_UNKNOWN_PARAM, "Priority", "\"priority\""},
    {"url=http://h/&=1", HTTP_UNKNOWN_PARAM, "", "nearest"},
    {"url=http://h/%zz", HTTP_INVALID_PARAM, "url", "%25"},
    {"url=http://h/%", HTTP_INVALID_PARAM, "url", "%25"},
    {"u%rl=x", HTTP_INVALID_PARAM, "u%rl", "%25"},
    {"url=http://h/%ff", HTTP_INVALID_PARAM, "url", "UTF-8"},
    {"url=http://h/%00", HTTP_INVALID_PARAM, "url", "NUL"},
    {"u%00rl=http://h/", HTTP_INVALID_PARAM, "u%00rl", "NUL"},
    {"url=http://h/%0a", HTTP_INVALID_URL, "url", "control"},
    {"url=http://h/&priority=", HTTP_INVALID_PARAM, "priority", "integer"},
    {"url=http://h/&priority=+1", HTTP_INVALID_PARAM, "priority", "integer"},
    {"url=http://h/&priority=-1", HTTP_INVALID_PARAM, "priority", "-1"},
    {"url=http://h/&priority=0x10", HTTP_INVALID_PARAM, "priority", "0x10"},
    {"url=http://h/&priority=99999999999999999999", HTTP_INVALID_PARAM, "priority", "integer"},
    {"url=http://h/&retryOnCrash=1", HTTP_INVALID_PARAM, "retryOnCrash", "true or false"},
    {"url=http://h/&retryOnCrash", HTTP_INVALID_PARAM, "retryOnCrash", "true or false"},
    {"url=http://h/&wait.until=idle", HTTP_INVALID_PARAM, "wait.until", "auto"},
    {"url=http://h/&affinity=", HTTP_INVALID_PARAM, "affinity", "empty"},
    {"url=http://h/&network.blockUrls=a", HTTP_INVALID_PARAM, "network.blockUrls", "POST"},
    {"url=http://h/&isolation=affinity", HTTP_INVALID_PARAM, "isolation", "affinity"},
};

START_TEST(query_is_judged)
{
    struct render_params params;
    struct fault fault;
    const struct param_case *item = &query_cases[_i];
    fault_init(&fault);
    bool valid = form_parse_render(&config, item->text, &params, &fault);
    expect(item, valid, &fault);
    if (valid)
        render_params_free(&params);
}
END_TEST

START_TEST(values_arrive)
{
    static const char body[] =
        "{\"url\":\"https://h/?q=\xc3\xa9+%20\",\"affinity\":\"realm:x y\",\"lane\":\"nested\","
        "\"priority\":42,\"timeoutMs\":5000,\"queueTimeoutMs\":4000,\"onTimeout\":\"error\","
        "\"retryOnCrash\":false,\"isolation\":\"affinity\",\"wait\":{\"until\":\"none\"}}";
    static const char query[] =
        "url=https://h/?q=%C3%A9%2B%2520&affinity=realm:x+y&lane=nested&priority=42"
        "&timeoutMs=5000&queueTimeoutMs=4000&onTimeout=error&retryOnCrash=false"
        "&isolation=affinity&wait.until=none";
    struct render_params got[2];
    struct fault fault;
    fault_init(&fault);
    ck_assert_msg(body_parse(&config, body, strlen(body), &got[0], &fault), "%s", fault.detail);
    ck_assert_msg(form_parse_render(&config, query, &got[1], &fault), "%s", fault.detail);
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(got[i].url, "https://h/?q=\xc3\xa9+%20");
        ck_assert_str_eq(got[i].affinity, "realm:x y");
        ck_assert_uint_eq(got[i].affinity_bytes, 9);
        ck_assert_int_eq(got[i].lane, LANE_NESTED);
        ck_assert_int_eq(got[i].isolation, ISOLATION_AFFINITY);
        ck_assert_uint_eq(got[i].priority, 42);
        ck_assert_uint_eq(got[i].timeout_ms, 5000);
        ck_assert_uint_eq(got[i].queue_timeout_ms, 4000);
        ck_assert_int_eq(got[i].on_timeout, ON_TIMEOUT_ERROR);
        ck_assert(!got[i].retry_on_crash);
        ck_assert_int_eq(got[i].until, WAIT_NONE);
        ck_assert(param_is_given(&got[i], "wait.until"));
        ck_assert(!param_is_given(&got[i], "page.javaScript"));
        render_params_free(&got[i]);
    }
}
END_TEST

START_TEST(defaults_come_from_table_and_knobs)
{
    struct render_params got, table;
    struct fault fault;
    fault_init(&fault);
    render_params_init(&table);
    ck_assert(form_parse_render(&config, "url=http://h/", &got, &fault));
    ck_assert_uint_eq(got.timeout_ms, 25000); /* The knob render.timeout_ms. */
    ck_assert_ptr_null(got.affinity);
    ck_assert_int_eq(got.isolation, table.isolation);
    ck_assert_int_eq(got.lane, table.lane);
    ck_assert_uint_eq(got.priority, table.priority);
    ck_assert_uint_eq(got.queue_timeout_ms, table.queue_timeout_ms);
    ck_assert_int_eq(got.on_timeout, table.on_timeout);
    ck_assert(got.retry_on_crash == table.retry_on_crash);
    ck_assert_int_eq(got.until, table.until);
    render_params_free(&got);
}
END_TEST

START_TEST(arrays_have_an_end)
{
    char body[4096] = "{" URL ",\"network\":{\"blockUrls\":[\"a\"";
    struct render_params params;
    struct fault fault;
    size_t length = strlen(body);
    for (size_t i = 1; i < 256; i++, length += 4)
        memcpy(body + length, ",\"a\"", 5);
    memcpy(body + length, "]}}", 4);
    fault_init(&fault);
    ck_assert_msg(body_parse(&config, body, strlen(body), &params, &fault), "%s", fault.detail);
    ck_assert_uint_eq(params.network.block_urls.count, 256);
    ck_assert_str_eq(params.network.block_urls.items[255], "a");
    render_params_free(&params);
    ck_assert_uint_eq(params.network.block_urls.count, 0);
    memcpy(body + length, ",\"a\"]}}", 8);
    ck_assert(!body_parse(&config, body, strlen(body), &params, &fault));
    ck_assert_int_eq(fault.code, HTTP_INVALID_PARAM);
    ck_assert_str_eq(fault.param, "network.blockUrls");
    ck_assert_ptr_nonnull(strstr(fault.detail, "at most 256"));
}
END_TEST

START_TEST(lengths_have_an_end)
{
    char body[16384], text[9300];
    struct render_params params;
    struct fault fault;
    memset(text, 'k', sizeof(text));
    snprintf(body, sizeof(body), "{" URL ",\"affinity\":\"%.*s\"}", 512, text);
    fault_init(&fault);
    ck_assert(body_parse(&config, body, strlen(body), &params, &fault));
    ck_assert_uint_eq(params.affinity_bytes, 512);
    render_params_free(&params);
    snprintf(body, sizeof(body), "{" URL ",\"affinity\":\"%.*s\"}", 513, text);
    ck_assert(!body_parse(&config, body, strlen(body), &params, &fault));
    ck_assert_int_eq(fault.code, HTTP_INVALID_PARAM);
    ck_assert_ptr_nonnull(strstr(fault.detail, "513"));
    snprintf(body, sizeof(body), "{\"url\":\"http://h/%.*s\"}", 9216, text);
    fault_init(&fault);
    ck_assert(!body_parse(&config, body, strlen(body), &params, &fault));
    ck_assert_int_eq(fault.code, HTTP_URL_TOO_LONG);
    ck_assert_ptr_nonnull(strstr(fault.detail, "8192"));
}
END_TEST

/* What is cut short anywhere is refused and leaves nothing behind (leak checked). */
START_TEST(no_prefix_of_a_body_is_valid)
{
    static const char body[] =
        "{\"affinity\":\"k\",\"wait\":{\"until\":\"load\"},\"priority\":3," URL "}";
    for (size_t bytes = 0; bytes + 1 < sizeof(body); bytes++) {
        char *copy = malloc(bytes + 1); /* Of exactly that size: reading past it is seen. */
        struct render_params params;
        struct fault fault;
        memcpy(copy, body, bytes);
        fault_init(&fault);
        ck_assert(!body_parse(&config, copy, bytes, &params, &fault));
        ck_assert_int_eq(fault.code, HTTP_BAD_JSON);
        free(copy);
    }
}
END_TEST

/* Mutations of a good body and query: never both or neither of a result and a fault. */
START_TEST(noise_is_judged)
{
    static const char body[] = "{\"wait\":{\"until\":\"load\"},\"priority\":3," URL "}";
    static const char query[] = "url=http%3A%2F%2Fh%2F&wait.until=load&priority=3";
    uint32_t state = 7;
    for (int round = 0; round < 20000; round++) {
        bool is_body = round % 2 == 0;
        size_t count = is_body ? sizeof(body) - 1 : sizeof(query) - 1;
        char *copy = malloc(count + 1);
        struct render_params params;
        struct fault fault;
        memcpy(copy, is_body ? body : query, count + 1);
        for (int change = 0; change < 1 + round % 3; change++) {
            state = state * 1664525 + 1013904223;
            copy[(state >> 8) % count] = (char)(1 + (state >> 24) % 255);
        }
        fault_init(&fault);
        bool valid = is_body ? body_parse(&config, copy, count, &params, &fault)
                             : form_parse_render(&config, copy, &params, &fault);
        ck_assert(valid != fault_is_set(&fault));
        if (valid)
            render_params_free(&params);
        free(copy);
    }
}
END_TEST

START_TEST(delete_has_two_parameters)
{
    static const struct {
        const char *query;
        bool valid, retain, wait;
    } cases[] = {
        {"", true, false, false},
        {"retain=true", true, true, false},
        {"wait=true&retain=false", true, false, true},
        {"&retain=true&&wait=true&", true, true, true},
        {"retain=1", false, false, false},
        {"retain", false, false, false},
        {"retain=true&retain=true", false, false, false},
        {"force=true", false, false, false},
        {"retain=%zz", false, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fault fault;
        bool retain = false, wait = false;
        fault_init(&fault);
        bool valid = form_parse_delete(cases[i].query, &retain, &wait, &fault);
        ck_assert_msg(valid == cases[i].valid, "%s: %s", cases[i].query, fault.detail);
        ck_assert(valid != fault_is_set(&fault));
        ck_assert(retain == cases[i].retain && wait == cases[i].wait);
    }
    struct fault fault;
    fault_init(&fault);
    ck_assert(form_parse_none("", "/healthz", &fault));
    ck_assert(form_parse_none("&", "/healthz", &fault));
    ck_assert(!form_parse_none("verbose=1", "/healthz", &fault));
    ck_assert_int_eq(fault.code, HTTP_UNKNOWN_PARAM);
    ck_assert_str_eq(fault.param, "verbose");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http params");
    TCase *tests = tcase_create("params");
    tcase_add_loop_test(tests, body_is_judged, 0, (int)COUNT(body_cases));
    tcase_add_loop_test(tests, query_is_judged, 0, (int)COUNT(query_cases));
    tcase_add_test(tests, values_arrive);
    tcase_add_test(tests, defaults_come_from_table_and_knobs);
    tcase_add_test(tests, lengths_have_an_end);
    tcase_add_test(tests, arrays_have_an_end);
    tcase_add_test(tests, no_prefix_of_a_body_is_valid);
    tcase_add_test(tests, noise_is_judged);
    tcase_add_test(tests, delete_has_two_parameters);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
