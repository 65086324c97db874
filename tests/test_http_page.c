/* test_http_page.c: what a page is shown of its surroundings, and what a request brings with
 * it, in JSON bodies, by example. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "http/body.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define URL "\"url\":\"http://h/\""

static const struct config config = {
    .http = {.url_bytes_max = 8192, .body_bytes_max = 1048576},
    .render = {.timeout_ms = 25000, .timeout_ms_max = 60000},
};

static const struct {
    const char *text;
    enum http_code want;        /* HTTP_CODES: valid. */
    const char *param, *detail; /* What the fault must name, and a part of its sentence. */
} cases[] = {
    {"{" URL ",\"page\":{\"device\":\"mobile\",\"locale\":\"de-AT\",\"timezone\":\"Asia/Tokyo\"}}",
     HTTP_CODES, "", ""},
    {"{" URL ",\"javascript\":\"1\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"javascript\":\"\"}", HTTP_INVALID_PARAM, "javascript", "empty"},
    {"{" URL ",\"javascript\":\"1\",\"output\":[\"html\",\"text\"]}", HTTP_INVALID_PARAM,
     "javascript", "must be html"},
    {"{" URL ",\"javascript\":\"1\",\"output\":[\"html\",\"expression\"],"
     "\"expression\":\"1\"}",
     HTTP_INVALID_PARAM, "javascript", "expression"},
    {"{\"html\":\"<p>\"}", HTTP_CODES, "", ""},
    {"{\"html\":\"<p>\",\"baseUrl\":\"http://h/\"}", HTTP_CODES, "", ""},
    {"{" URL ",\"html\":\"<p>\"}", HTTP_INVALID_PARAM, "html", "baseUrl"},
    {"{" URL ",\"baseUrl\":\"http://h/\"}", HTTP_INVALID_PARAM, "baseUrl", "html"},
    {"{\"html\":\"<p>\",\"baseUrl\":\"about:blank\"}", HTTP_INVALID_PARAM, "baseUrl", "http"},
    {"{\"html\":\"<p>\",\"isolation\":\"origin\"}", HTTP_INVALID_PARAM, "isolation", "html"},
    {"{\"html\":\"<p>\",\"method\":\"POST\"}", HTTP_INVALID_PARAM, "method", "html"},
    {"{\"html\":\"\"}", HTTP_INVALID_PARAM, "html", "empty"},
    {"{" URL
     ",\"page\":{\"inject\":[{\"js\":\"1\"},{\"css\":\"a{}\",\"when\":\"before_capture\"}]}}",
     HTTP_CODES, "", ""},
    {"{" URL ",\"page\":{\"inject\":[{\"js\":\"1\",\"css\":\"a{}\"}]}}", HTTP_INVALID_PARAM,
     "page.inject", "either"},
    {"{" URL ",\"page\":{\"inject\":[{}]}}", HTTP_INVALID_PARAM, "page.inject", "page.inject[0]"},
    {"{" URL ",\"page\":{\"inject\":[{\"js\":\"1\"}]},\"retryOnCrash\":true}", HTTP_INVALID_PARAM,
     "retryOnCrash", "page.inject"},
    {"{" URL ",\"page\":{\"inject\":[{\"js\":\"1\"}]},\"isolation\":\"origin\"}",
     HTTP_INVALID_PARAM, "isolation", "page.inject"},
    {"{" URL ",\"page\":{\"device\":\"phone\"}}", HTTP_INVALID_PARAM, "page.device",
     "googlebot-mobile"},
    {"{" URL ",\"page\":{\"locale\":\"de_AT\"}}", HTTP_INVALID_PARAM, "page.locale", "de-AT"},
    {"{" URL ",\"page\":{\"timezone\":\"a\\u0007\"}}", HTTP_INVALID_PARAM, "page.timezone",
     "ASCII"},
    {"{" URL ",\"page\":{\"viewport\":{\"deviceScaleFactor\":9}}}", HTTP_INVALID_PARAM,
     "page.viewport.deviceScaleFactor", "0.25 to 8"},
};

START_TEST(body_is_judged)
{
    struct render_params params;
    struct fault fault;

    fault_init(&fault);
    if (body_parse(&config, cases[_i].text, strlen(cases[_i].text), &params, &fault))
        render_params_free(&params);
    ck_assert_msg(fault.code == cases[_i].want, "%s: %s", cases[_i].text, fault.detail);
    if (fault_is_set(&fault)) {
        ck_assert_str_eq(fault.param, cases[_i].param);
        ck_assert_msg(strstr(fault.detail, cases[_i].detail) != NULL, "%s", fault.detail);
    }
}
END_TEST

/* Only what travels in a URL is bounded so. */
START_TEST(long_documents_need_a_base)
{
    size_t bytes = HTML_BYTES_MAX + 1;
    char *body = malloc(bytes + 64);
    struct render_params params;
    struct fault fault;

    ck_assert_ptr_nonnull(body);
    memcpy(body, "{\"html\":\"", 9);
    memset(body + 9, 'a', bytes);
    for (int i = 0; i < 2; i++) {
        const char *end = i == 0 ? "\"}" : "\",\"baseUrl\":\"http://h/\"}";
        memcpy(body + 9 + bytes, end, strlen(end) + 1);
        fault_init(&fault);
        if (body_parse(&config, body, strlen(body), &params, &fault))
            render_params_free(&params);
        ck_assert_int_eq(fault.code, i == 0 ? HTTP_INVALID_PARAM : HTTP_CODES);
    }
    free(body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http page");
    TCase *tests = tcase_create("page");

    tcase_add_loop_test(tests, body_is_judged, 0, (int)COUNT(cases));
    tcase_add_test(tests, long_documents_need_a_base);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
