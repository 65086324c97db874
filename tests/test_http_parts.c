/* test_http_parts.c: the parts of http/ that need no connection: Accept, URLs, routes,
 * errors, request ids, text. Each table is one rule in many inputs. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/accept.h"
#include "http/judge.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/text.h"
#include "http/url.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { DOCUMENT = HTTP_ACCEPT_DOCUMENT, ENVELOPE = HTTP_ACCEPT_ENVELOPE, NEITHER };

static const struct {
    const char *accept;
    int want;
} accept_cases[] = {
    {"", DOCUMENT},
    {"*/*", DOCUMENT},
    {"text/html", DOCUMENT},
    {"TEXT/HTML", DOCUMENT},
    {"text/*", DOCUMENT},
    {"application/json", ENVELOPE},
    {"application/*", ENVELOPE},
    {"application/json;charset=utf-8", ENVELOPE},
    {"application/json, text/plain, */*", ENVELOPE},
    {"text/html, application/json", DOCUMENT},
    {"text/html;q=0.5, application/json", ENVELOPE},
    {"text/html, application/json;q=0.9", DOCUMENT},
    {"text/html;q=0.8,application/json;q=0.81", ENVELOPE},
    {"text/html;q=0, */*", ENVELOPE},
    {"application/json;q=0, */*", DOCUMENT},
    {"text/html;q=0", NEITHER},
    {"image/png", NEITHER},
    {"application/xml, image/*;q=0.8", NEITHER},
    {"*/*;q=0", NEITHER},
    {"text/html ; q=0.1 , application/json ; q=0.2", ENVELOPE},
    {"text/htmlx, application/jsonp", NEITHER},
    {",,, ,text/html", DOCUMENT},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", DOCUMENT},
    {"  ", DOCUMENT},
    {"html", NEITHER},
    {"*", DOCUMENT},
    {"text/html;level=1;q=0.3, application/json;q=0.4", ENVELOPE},
};

static const struct {
    const char *value;
    bool lists;
} encoding_cases[] = {
    {"", false},
    {"gzip", true},
    {"GZIP", true},
    {"x-gzip", true},
    {"deflate, br", false},
    {"br;q=1, gzip;q=0.5", true},
    {"gzip;q=0", false},
    {"gzip;q=0.000", false},
    {"*", true},
    {"*;q=0", false},
    {"gzip;q=0, *", false},
    {"*;q=0, gzip", true},
    {"identity", false},
    {"gzipped", false},
    {", ,gzip", true},
    {"deflate;q=0.5 , gzip ; q=0.1", true},
};

START_TEST(encodings_are_listed)
{
    const char *value = encoding_cases[_i].value;
    ck_assert_msg(accept_lists_gzip(value) == encoding_cases[_i].lists, "%s", value);
}
END_TEST

START_TEST(accept_chooses_a_form)
{
    const char *accept = accept_cases[_i].accept;
    enum http_accept got = HTTP_ACCEPT_DOCUMENT;
    bool acceptable = accept_choose(accept, "text", "html", &got);
    ck_assert_msg(acceptable == (accept_cases[_i].want != NEITHER), "%s", accept);
    if (acceptable)
        ck_assert_msg((int)got == accept_cases[_i].want, "%s: %d", accept, (int)got);
}
END_TEST

START_TEST(errors_are_plain_only_when_preferred)
{
    ck_assert(!accept_prefers_html(""));
    ck_assert(!accept_prefers_html("*/*"));
    ck_assert(!accept_prefers_html("text/*"));
    ck_assert(!accept_prefers_html("text/html;q=0"));
    ck_assert(!accept_prefers_html("application/json, text/html;q=0.9"));
    ck_assert(accept_prefers_html("text/html"));
    ck_assert(
        accept_prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    ck_assert(accept_prefers_html("application/json, text/html"));
    ck_assert(!accept_prefers_plain(""));
    ck_assert(!accept_prefers_plain("*/*"));
    ck_assert(!accept_prefers_plain("text/html"));
    ck_assert(!accept_prefers_plain("application/json, text/plain, */*"));
    ck_assert(!accept_prefers_plain("text/plain;q=0.5, application/problem+json"));
    ck_assert(accept_prefers_plain("text/plain"));
    ck_assert(accept_prefers_plain("text/plain, */*"));
    ck_assert(accept_prefers_plain("text/plain, application/json;q=0.9"));
}
END_TEST

static const struct {
    const char *url;
    enum http_code want; /* HTTP_CODES: accepted. */
} url_cases[] = {
    {"http://h", HTTP_CODES},
    {"https://example.com/a?b=1&c=%20d#f", HTTP_CODES},
    {"HTTP://Example.COM/", HTTP_CODES},
    {"http://127.0.0.1:8080/", HTTP_CODES},
    {"http://[::1]:8080/x", HTTP_CODES},
    {"http://h:/", HTTP_CODES},
    {"http://h?a@b", HTTP_CODES},
    {"http://h/a@b:c", HTTP_CODES},
    {"http://h/a b", HTTP_CODES},
    {"http://h\\@x/", HTTP_CODES}, /* The browser ends the authority there as well. */
    {"http://b\xc3\xbc"
     "cher.example/\xe4\xbd\xa0",
     HTTP_CODES},
    {"http://h:65535/", HTTP_CODES},
    {"", HTTP_INVALID_URL},
    {"h", HTTP_INVALID_URL},
    {"//h/", HTTP_INVALID_URL},
    {"http:", HTTP_INVALID_URL},
    {"http:/h/", HTTP_INVALID_URL},
    {"http:\\\\h/", HTTP_INVALID_URL},
    {"http://", HTTP_INVALID_URL},
    {"http:///path", HTTP_INVALID_URL},
    {"https://?q", HTTP_INVALID_URL},
    {"http://:80/", HTTP_INVALID_URL},
    {"http://[]/", HTTP_INVALID_URL},
    {"http://[::1/", HTTP_INVALID_URL},
    {"http://[::1]x/", HTTP_INVALID_URL},
    {"http://h:65536/", HTTP_INVALID_URL},
    {"http://h:99999999999999999999/", HTTP_INVALID_URL},
    {"http://h:8a/", HTTP_INVALID_URL},
    {"http://user@h/", HTTP_INVALID_URL},
    {"http://user:pass@h/", HTTP_INVALID_URL},
    {"http://@h/", HTTP_INVALID_URL},
    {" http://h/", HTTP_INVALID_URL},
    {"http://h/\n", HTTP_INVALID_URL},
    {"ht\ttp://h/", HTTP_INVALID_URL},
    {"http://h/\x7f", HTTP_INVALID_URL},
    {"http://h/\xff", HTTP_INVALID_URL},
    {"http://h/\xed\xa0\x80", HTTP_INVALID_URL},
    {"ftp://h/", HTTP_INVALID_URL},
    {"file:///etc/passwd", HTTP_INVALID_URL},
    {"FILE:///etc/passwd", HTTP_INVALID_URL},
    {"\\\\localhost/etc/passwd", HTTP_INVALID_URL},
    {"chrome://crash", HTTP_INVALID_URL},
    {"javascript:alert(1)", HTTP_INVALID_URL},
    {"view-source:http://h/", HTTP_INVALID_URL},
    {"data:text/html,x", HTTP_INVALID_URL},
    {"blob:http://h/x", HTTP_INVALID_URL},
    {"about:blank", HTTP_INVALID_URL},
    {"\xef\xbd\x88ttp://h/", HTTP_INVALID_URL},
};

START_TEST(url_is_judged)
{
    struct fault fault;
    const char *url = url_cases[_i].url;
    fault_init(&fault);
    bool valid = url_check(url, strlen(url), 64, &fault);
    ck_assert_msg(fault.code == url_cases[_i].want, "%s: %s", url, fault.detail);
    ck_assert(valid == (url_cases[_i].want == HTTP_CODES));
    if (!valid)
        ck_assert_str_eq(fault.param, "url");
}
END_TEST

START_TEST(url_has_a_longest_length)
{
    char url[66];
    struct fault fault;
    fault_init(&fault);
    memset(url, 'a', sizeof(url));
    memcpy(url, "http://h/", 9);
    ck_assert(url_check(url, 64, 64, &fault));
    ck_assert(!url_check(url, 65, 64, &fault));
    ck_assert_int_eq(fault.code, HTTP_URL_TOO_LONG);
    ck_assert_ptr_nonnull(strstr(fault.detail, "64"));
}
END_TEST

static const struct {
    const char *method, *target;
    enum http_route route;
    enum http_code want;
    const char *key;
} route_cases[] = {
    {"POST", "/render", HTTP_RENDER, HTTP_CODES, NULL},
    {"GET", "/render?url=x", HTTP_RENDER, HTTP_CODES, NULL},
    {"HEAD", "/render", HTTP_RENDER, HTTP_CODES, NULL},
    {"GET", "/", HTTP_INDEX, HTTP_CODES, NULL},
    {"HEAD", "/?", HTTP_INDEX, HTTP_CODES, NULL},
    {"GET", "/heartbeat", HTTP_HEARTBEAT, HTTP_CODES, NULL},
    {"GET", "/affinities", HTTP_AFFINITIES, HTTP_CODES, NULL},
    {"GET", "/healthz", HTTP_HEALTHZ, HTTP_CODES, NULL},
    {"GET", "/readyz", HTTP_READYZ, HTTP_CODES, NULL},
    {"GET", "/version", HTTP_VERSION, HTTP_CODES, NULL},
    {"GET", "/openapi.json", HTTP_OPENAPI, HTTP_CODES, NULL},
    {"GET", "/metrics", HTTP_METRICS, HTTP_CODES, NULL},
    {"GET", "/metrics/", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"DELETE", "/affinities/a", HTTP_AFFINITY_DELETE, HTTP_CODES, "a"},
    {"DELETE", "/affinities/realm%3Ahttps%3A%2F%2Fh%2F", HTTP_AFFINITY_DELETE, HTTP_CODES,
     "realm:https://h/"},
    {"DELETE", "/prerender-servers/affinities/a+b%20c?wait=true", HTTP_AFFINITY_DELETE, HTTP_CODES,
     "a+b c"},
    {"DELETE", "/affinities/%ff%zz", HTTP_AFFINITY_DELETE, HTTP_INVALID_PARAM, NULL},
    {"DELETE", "/affinities/a%2", HTTP_AFFINITY_DELETE, HTTP_INVALID_PARAM, NULL},
    {"OPTIONS", "/render", HTTP_RENDER, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"post", "/render", HTTP_RENDER, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"PUT", "/", HTTP_INDEX, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"DELETE", "/affinities", HTTP_AFFINITIES, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"GET", "/affinities/a", HTTP_AFFINITY_DELETE, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"GE", "/render", HTTP_RENDER, HTTP_METHOD_NOT_ALLOWED, NULL},
    {"GET", "/Render", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "/render/", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "//render", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "/%72ender", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "/./render", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "http://127.0.0.1/render", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "*", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"GET", "", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"DELETE", "/affinities/", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
    {"DELETE", "/affinities/a/b", HTTP_ROUTE_NONE, HTTP_NOT_FOUND, NULL},
};

START_TEST(route_is_found)
{
    struct fault fault;
    struct route_target target;
    char key[AFFINITY_KEY_BYTES_MAX + 1];
    size_t key_bytes = 0;
    fault_init(&fault);
    const char *path = route_cases[_i].target;
    bool found = route_find(route_cases[_i].method, path, &target, &fault);
    if (found && target.row->has_key) {
        found = route_key(&target, key, &key_bytes, &fault);
        key[found ? key_bytes : 0] = '\0';
    }
    ck_assert_msg(fault.code == route_cases[_i].want, "%s: %s", path, fault.detail);
    enum http_route route = target.row ? target.row->route : HTTP_ROUTE_NONE;
    ck_assert_msg(route == route_cases[_i].route, "%s", path);
    if (route_cases[_i].key)
        ck_assert_str_eq(key, route_cases[_i].key);
    if (fault.code == HTTP_METHOD_NOT_ALLOWED)
        ck_assert_ptr_nonnull(fault.allow);
}
END_TEST

START_TEST(keys_keep_every_byte)
{
    struct fault fault;
    struct route_target target;
    char key[AFFINITY_KEY_BYTES_MAX], path[2048] = "/affinities/";
    size_t key_bytes;
    fault_init(&fault);
    for (unsigned i = 0; i < 256; i++)
        snprintf(path + 12 + 3 * i, 4, "%%%02X", i);
    ck_assert(route_find("DELETE", path, &target, &fault));
    ck_assert(route_key(&target, key, &key_bytes, &fault));
    ck_assert_uint_eq(key_bytes, 256);
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq((unsigned char)key[i], i);
    memset(path + 12, 'k', 513);
    path[12 + 512] = '\0';
    ck_assert(route_find("DELETE", path, &target, &fault));
    ck_assert(route_key(&target, key, &key_bytes, &fault));
    ck_assert_uint_eq(key_bytes, 512);
    path[12 + 512] = 'k';
    path[12 + 513] = '\0';
    ck_assert(route_find("DELETE", path, &target, &fault));
    ck_assert(!route_key(&target, key, &key_bytes, &fault));
    ck_assert_int_eq(fault.code, HTTP_INVALID_PARAM);
}
END_TEST

/* Every code has a row, whose name is the enum value in lower case, and a document that
 * any JSON parser reads, whatever the detail holds. */
START_TEST(every_code_makes_a_document)
{
    char broken[] = "say \"\xff\x01\\ \xe2\x82\xac\"";
    for (enum http_code code = 0; code < HTTP_CODES; code++) {
        struct http_problem problem = {
            .code = code, .detail = broken, .param = "wait.until", .retry_after_ms = 1500};
        size_t bytes = 0;
        char *text = problem_body(&problem, "id-1", false, &bytes);
        ck_assert_ptr_nonnull(text);
        json_error_t error;
        json_t *root = json_loadb(text, bytes, 0, &error);
        ck_assert_msg(root, "%s: %s", text, error.text);
        ck_assert_str_eq(json_string_value(json_object_get(root, "code")), http_code_name(code));
        ck_assert_int_eq(json_integer_value(json_object_get(root, "status")),
                         http_code_status(code));
        ck_assert_str_eq(json_string_value(json_object_get(root, "detail")),
                         "say \"??\\ \xe2\x82\xac\"");
        ck_assert_str_eq(json_string_value(json_object_get(root, "param")), "wait.until");
        ck_assert_str_eq(json_string_value(json_object_get(root, "requestId")), "id-1");
        ck_assert_int_eq(json_integer_value(json_object_get(root, "retryAfterMs")), 1500);
        ck_assert_uint_gt(strlen(json_string_value(json_object_get(root, "title"))), 0);
        json_decref(root);
        free(text);
        text = problem_body(&problem, "id-1", true, &bytes);
        ck_assert_ptr_nonnull(strstr(text, http_code_name(code)));
        ck_assert_uint_eq(bytes, strlen(text));
        free(text);
    }
}
END_TEST

START_TEST(request_ids_are_theirs_or_new)
{
    char id[REQUEST_ID_BYTES_MAX + 1], other[REQUEST_ID_BYTES_MAX + 1], longest[66];
    judge_request_id("Abc-1.2_3", id);
    ck_assert_str_eq(id, "Abc-1.2_3");
    memset(longest, 'x', 65);
    longest[65] = '\0';
    static const char *const invalid[] = {"", "a b", "a\r\nX: y", "a/b", "\xe2\x82\xac", NULL};
    for (size_t i = 0; invalid[i]; i++) {
        judge_request_id(invalid[i], id);
        ck_assert_uint_eq(strlen(id), 36);
        ck_assert_int_eq(id[14], '4');
        ck_assert_ptr_nonnull(strchr("89ab", id[19]));
    }
    judge_request_id(longest, id);
    ck_assert_uint_eq(strlen(id), 36);
    judge_request_id(longest + 1, other);
    ck_assert_str_eq(other, longest + 1);
    judge_request_id(NULL, other);
    ck_assert_str_ne(id, other);
}
END_TEST

START_TEST(quotes_are_cut_and_printable)
{
    char quoted[TEXT_QUOTE_BYTES], long_text[200];
    ck_assert_str_eq(text_quote(quoted, "a\n\xff\xe2\x82\xac", 6), "a??\xe2\x82\xac");
    ck_assert_str_eq(text_quote(quoted, "", 0), "");
    memset(long_text, 'z', sizeof(long_text));
    text_quote(quoted, long_text, sizeof(long_text));
    ck_assert_uint_eq(strlen(quoted), TEXT_QUOTE_BYTES - 1);
    ck_assert_str_eq(quoted + TEXT_QUOTE_BYTES - 4, "...");
    for (size_t i = 0; i + 3 <= sizeof(long_text); i += 3)
        memcpy(long_text + i, "\xe2\x82\xac", 3);
    for (size_t start = 0; start < 3; start++) {
        text_quote(quoted, long_text + start, 150);
        ck_assert(text_is_utf8(quoted, strlen(quoted)));
    }
}
END_TEST

START_TEST(base64_is_decoded)
{
    static const char *const pairs[][2] = {
        {"", ""},       {"Zg==", "f"},   {"Zg", "f"},
        {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmFy", "foobar"},
    };
    char out[8];
    size_t bytes;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        ck_assert(text_base64_decode(pairs[i][0], strlen(pairs[i][0]), out, sizeof(out), &bytes));
        ck_assert_uint_eq(bytes, strlen(pairs[i][1]));
        ck_assert_int_eq(memcmp(out, pairs[i][1], bytes), 0);
    }
    ck_assert(!text_base64_decode("Z", 1, out, sizeof(out), &bytes));
    ck_assert(!text_base64_decode("Zm9v!", 5, out, sizeof(out), &bytes));
    ck_assert(!text_base64_decode("Zm9vYmFyZm9v", 12, out, sizeof(out), &bytes));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http parts");
    TCase *tests = tcase_create("parts");
    tcase_add_loop_test(tests, encodings_are_listed, 0, (int)COUNT(encoding_cases));
    tcase_add_loop_test(tests, accept_chooses_a_form, 0, (int)COUNT(accept_cases));
    tcase_add_test(tests, errors_are_plain_only_when_preferred);
    tcase_add_loop_test(tests, url_is_judged, 0, (int)COUNT(url_cases));
    tcase_add_test(tests, url_has_a_longest_length);
    tcase_add_loop_test(tests, route_is_found, 0, (int)COUNT(route_cases));
    tcase_add_test(tests, keys_keep_every_byte);
    tcase_add_test(tests, every_code_makes_a_document);
    tcase_add_test(tests, request_ids_are_theirs_or_new);
    tcase_add_test(tests, quotes_are_cut_and_printable);
    tcase_add_test(tests, base64_is_decoded);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
