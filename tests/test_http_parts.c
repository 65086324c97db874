/* test_http_parts.c: the parts of http/ that need no connection: Accept, URLs, Host and
 * origins, tokens, routes, errors. Each table is one rule in many inputs. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "http/accept.h"
#include "http/guard.h"
#include "http/judge.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/text.h"
#include "http/url.h"

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

START_TEST(accept_chooses_a_form)
{
    const char *accept = accept_cases[_i].accept;
    enum http_accept got = HTTP_ACCEPT_DOCUMENT;
    bool acceptable = accept_choose(accept, &got);
    ck_assert_msg(acceptable == (accept_cases[_i].want != NEITHER), "%s", accept);
    if (acceptable)
        ck_assert_msg((int)got == accept_cases[_i].want, "%s: %d", accept, (int)got);
}
END_TEST

START_TEST(errors_are_plain_only_when_preferred)
{
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

static char no_text[] = "";
static char allowed_hosts[] = "render.example, other.example";
static char allowed_origins[] = "https://app.example";
static char advertise_url[] = "http://node7.example:4221";

static const struct config guard_config = {
    .http = {.allowed_hosts = allowed_hosts,
             .allowed_origins = allowed_origins,
             .listen = no_text,
             .tokens_file = no_text,
             .url_bytes_max = 8192,
             .body_bytes_max = 1000},
    .manager = {.advertise_url = advertise_url},
    .render = {.timeout_ms = 30000, .timeout_ms_max = 120000},
};

static const struct {
    const char *host;
    bool allowed;
} host_cases[] = {
    {"127.0.0.1", true},
    {"127.0.0.1:4221", true},
    {"10.1.2.3:80", true},
    {"[::1]", true},
    {"[::1]:4221", true},
    {"[fe80::1]", true},
    {"localhost", true},
    {"LOCALHOST:4221", true},
    {"localhost.", true},
    {"render.example:1", true},
    {"Other.Example", true},
    {"node7.example", true},
    {"node7.example:4221", true},
    {"evil.example", false},
    {"render.example.evil.example", false},
    {"xrender.example", false},
    {"127.0.0.1.evil.example", false},
    {"127.0.0.1x", false},
    {"1.2.3", false},
    {"", false},
    {":80", false},
    {"[::1", false},
    {"localhost@evil.example", false},
    {"evil.example/localhost", false},
};

START_TEST(host_is_known)
{
    struct fault fault;
    struct head head = {.tcp = true, .host = host_cases[_i].host};
    fault_init(&fault);
    ck_assert_msg(guard_host(&head, &guard_config, &fault) == host_cases[_i].allowed, "%s",
                  head.host);
    ck_assert(fault.code == (host_cases[_i].allowed ? HTTP_CODES : HTTP_HOST_DENIED));
    head.tcp = false; /* A Unix socket has permissions instead. */
    fault_init(&fault);
    ck_assert(guard_host(&head, &guard_config, &fault));
}
END_TEST

static const struct {
    const char *origin, *site;
    bool allowed;
} origin_cases[] = {
    {NULL, NULL, true},
    {NULL, "none", true},
    {NULL, "same-origin", true},
    {NULL, "same-site", false},
    {NULL, "cross-site", false},
    {NULL, "anything", false},
    {"https://app.example", NULL, true},
    {"https://APP.example", "cross-site", true},
    {"http://app.example", NULL, false},
    {"https://app.example:8443", NULL, false},
    {"https://app.example.evil.example", NULL, false},
    {"null", NULL, false},
    {"", NULL, false},
    {"http://127.0.0.1:4221", "same-origin", false},
};

START_TEST(web_pages_may_not_call)
{
    struct fault fault;
    struct head head = {
        .tcp = true, .origin = origin_cases[_i].origin, .sec_fetch_site = origin_cases[_i].site};
    fault_init(&fault);
    ck_assert_msg(guard_origin(&head, &guard_config, &fault) == origin_cases[_i].allowed, "%s %s",
                  head.origin ? head.origin : "-", head.sec_fetch_site ? head.sec_fetch_site : "-");
    ck_assert(fault.code == (origin_cases[_i].allowed ? HTTP_CODES : HTTP_CROSS_ORIGIN));
    head.tcp = false;
    fault_init(&fault);
    ck_assert(guard_origin(&head, &guard_config, &fault));
}
END_TEST

static struct head framed(void)
{
    return (struct head){.version = "HTTP/1.1", .host = "localhost", .hosts_count = 1};
}

START_TEST(framing_must_be_clear)
{
    struct fault fault;
    struct head heads[5] = {framed(), framed(), framed(), framed(), framed()};
    heads[0].hosts_count = 2;
    heads[1].hosts_count = 0;
    heads[2].content_lengths_count = 2;
    heads[3].content_lengths_count = heads[3].transfer_encodings_count = 1;
    heads[3].transfer_encoding = "chunked";
    heads[4].transfer_encodings_count = 1;
    heads[4].transfer_encoding = "gzip, chunked";
    for (size_t i = 0; i < COUNT(heads); i++) {
        fault_init(&fault);
        ck_assert_msg(!guard_framing(&heads[i], &fault), "head %zu", i);
        ck_assert_int_eq(fault.code, HTTP_INVALID_PARAM);
        ck_assert(fault.close);
    }
    struct head good[3] = {framed(), framed(), framed()};
    good[0].version = "HTTP/1.0";
    good[0].hosts_count = 0;
    good[1].content_lengths_count = 1;
    good[2].transfer_encodings_count = 1;
    good[2].transfer_encoding = "Chunked";
    for (size_t i = 0; i < COUNT(good); i++) {
        fault_init(&fault);
        ck_assert_msg(guard_framing(&good[i], &fault), "head %zu: %s", i, fault.detail);
        ck_assert(!fault.close);
    }
}
END_TEST

/* Writes a file of that content; the caller removes it. */
static void write_file(char path[64], const char *content)
{
    snprintf(path, 64, "%s", "test_http_tokens_XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

static int load(const char *content, struct tokens **ret, char error[CONFIG_ERROR_BYTES])
{
    char path[64];
    write_file(path, content);
    int result = tokens_load(path, ret, error);
    unlink(path);
    return result;
}

static enum token_scope scope_of(const struct tokens *tokens, const char *token)
{
    return tokens_scope(tokens, token, strlen(token));
}

START_TEST(tokens_have_scopes)
{
    struct tokens *tokens = NULL;
    char error[CONFIG_ERROR_BYTES] = "";
    const char *file = "# comment\n\n  render  r1\nADMIN a1  \r\nrender both\nadmin both";
    ck_assert_msg(load(file, &tokens, error) == 0, "%s", error);
    ck_assert_int_eq(scope_of(tokens, "r1"), TOKEN_RENDER);
    ck_assert_int_eq(scope_of(tokens, "a1"), TOKEN_ADMIN);
    ck_assert_int_eq(scope_of(tokens, "both"), TOKEN_ADMIN);
    ck_assert_int_eq(scope_of(tokens, "r"), TOKEN_NONE);
    ck_assert_int_eq(scope_of(tokens, "r11"), TOKEN_NONE);
    ck_assert_int_eq(scope_of(tokens, ""), TOKEN_NONE);
    ck_assert_int_eq(scope_of(tokens, "R1"), TOKEN_NONE);
    ck_assert_int_eq(tokens_scope(tokens, "r1\0", 3), TOKEN_NONE);
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    ck_assert_int_eq(tokens_scope(tokens, longest, sizeof(longest)), TOKEN_NONE);
    tokens_free(tokens);
}
END_TEST

START_TEST(token_files_are_strict)
{
    static const struct {
        const char *content, *want;
    } cases[] = {
        {"", "no token"},           {"# only this\n", "no token"},
        {"render\n", "line 1"},     {"render a\nroot b\n", "line 2"},
        {"render a b\n", "line 1"}, {"secret\n", "line 1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tokens *tokens = NULL;
        char error[CONFIG_ERROR_BYTES] = "";
        ck_assert_int_eq(load(cases[i].content, &tokens, error), -EINVAL);
        ck_assert_ptr_null(tokens);
        ck_assert_msg(strstr(error, cases[i].want) && strstr(error, "http.tokens_file"), "%s",
                      error);
        ck_assert_ptr_null(strstr(error, "secret"));
    }
    struct tokens *tokens = NULL;
    char error[CONFIG_ERROR_BYTES] = "";
    ck_assert_int_eq(tokens_load("/nonexistent/tokens", &tokens, error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/tokens"));
}
END_TEST

START_TEST(tokens_come_in_three_ways)
{
    static const struct {
        const char *authorization, *token;
        enum token_scope needed;
        bool allowed;
    } cases[] = {
        {"Bearer r1", NULL, TOKEN_RENDER, true},
        {"bearer  r1", NULL, TOKEN_RENDER, true},
        {NULL, "r1", TOKEN_RENDER, true},
        {"Basic dXNlcjpyMQ==", NULL, TOKEN_RENDER, true}, /* user:r1 */
        {"Basic OmEx", NULL, TOKEN_ADMIN, true},          /* :a1 */
        {"Bearer a1", NULL, TOKEN_RENDER, true},
        {"Bearer r1", "a1", TOKEN_ADMIN, true},
        {"Bearer r1", NULL, TOKEN_ADMIN, false},
        {NULL, NULL, TOKEN_RENDER, false},
        {NULL, NULL, TOKEN_NONE, true},
        {"Bearer ", NULL, TOKEN_RENDER, false},
        {"Bearerr1", NULL, TOKEN_RENDER, false},
        {"Bearer r2", NULL, TOKEN_RENDER, false},
        {"Basic r1", NULL, TOKEN_RENDER, false},
        {"Basic ????", NULL, TOKEN_RENDER, false},
        {"Digest r1", NULL, TOKEN_RENDER, false},
        {"r1", NULL, TOKEN_RENDER, false},
    };
    struct tokens *tokens = NULL;
    char error[CONFIG_ERROR_BYTES] = "";
    ck_assert_int_eq(load("render r1\nadmin a1\n", &tokens, error), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct head head = {.authorization = cases[i].authorization,
                            .prerender_token = cases[i].token};
        struct fault fault;
        fault_init(&fault);
        bool allowed = guard_token(&head, tokens, cases[i].needed, &fault);
        ck_assert_msg(allowed == cases[i].allowed, "case %zu: %s", i, fault.detail);
        ck_assert(fault.code == (allowed ? HTTP_CODES : HTTP_UNAUTHORIZED));
        fault_init(&fault);
        ck_assert(guard_token(&head, NULL, cases[i].needed, &fault));
    }
    tokens_free(tokens);
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
    tcase_add_loop_test(tests, accept_chooses_a_form, 0, (int)COUNT(accept_cases));
    tcase_add_test(tests, errors_are_plain_only_when_preferred);
    tcase_add_loop_test(tests, url_is_judged, 0, (int)COUNT(url_cases));
    tcase_add_test(tests, url_has_a_longest_length);
    tcase_add_loop_test(tests, host_is_known, 0, (int)COUNT(host_cases));
    tcase_add_loop_test(tests, web_pages_may_not_call, 0, (int)COUNT(origin_cases));
    tcase_add_test(tests, framing_must_be_clear);
    tcase_add_test(tests, tokens_have_scopes);
    tcase_add_test(tests, token_files_are_strict);
    tcase_add_test(tests, tokens_come_in_three_ways);
    tcase_add_loop_test(tests, route_is_found, 0, (int)COUNT(route_cases));
    tcase_add_test(tests, keys_keep_every_byte);
    tcase_add_test(tests, every_code_makes_a_document);
    tcase_add_test(tests, request_ids_are_theirs_or_new);
    tcase_add_test(tests, quotes_are_cut_and_printable);
    tcase_add_test(tests, base64_is_decoded);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
