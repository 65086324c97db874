/* test_http_guard.c: who may call: hosts, origins, framing, tokens. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "http/guard.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

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
    snprintf(path, 64, "%s", P_tmpdir "/test_http_tokens_XXXXXX");
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

int main(void)
{
    Suite *suite = suite_create("http guard");
    TCase *tests = tcase_create("guard");
    tcase_add_loop_test(tests, host_is_known, 0, (int)COUNT(host_cases));
    tcase_add_loop_test(tests, web_pages_may_not_call, 0, (int)COUNT(origin_cases));
    tcase_add_test(tests, framing_must_be_clear);
    tcase_add_test(tests, tokens_have_scopes);
    tcase_add_test(tests, token_files_are_strict);
    tcase_add_test(tests, tokens_come_in_three_ways);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
