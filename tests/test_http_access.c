/* test_http_access.c: who is let in: tokens, and listeners beyond this machine. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/http_client.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct server server;

static void setup(void)
{
    server_defaults(&server);
}

static void teardown(void)
{
    server_stop(&server);
}

START_TEST(tokens_guard_the_routes)
{
    static const struct {
        const char *line, *token;
        int status;
    } cases[] = {
        {"GET /healthz", "", 200},
        {"GET /readyz", "", 200},
        {"HEAD /", "", 200},
        {"GET /version", "", 401},
        {"GET /render?url=http://h/", "", 401},
        {"GET /render?url=http://h/", "Authorization: Bearer wrong\r\n", 401},
        {"GET /render?url=http://h/", "Authorization: Bearer r1\r\n", 200},
        {"GET /render?url=http://h/", "X-Prerender-Token: r1\r\n", 200},
        {"GET /render?url=http://h/", "Authorization: Basic dXNlcjpyMQ==\r\n", 200},
        {"GET /affinities", "X-Prerender-Token: r1\r\n", 401},
        {"GET /affinities", "X-Prerender-Token: a1\r\n", 200},
        {"GET /heartbeat", "X-Prerender-Token: r1\r\n", 401},
        {"DELETE /affinities/a", "X-Prerender-Token: r1\r\n", 401},
        {"DELETE /affinities/a", "X-Prerender-Token: a1\r\n", 204},
        {"DELETE /affinities/a?nonsense", "", 401}, /* Strangers learn nothing else. */
    };
    char path[] = P_tmpdir "/test_http_tokens_XXXXXX", value[512], text[512];
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "render r1\nadmin a1\n", 19), 19);
    free(server.config.http.tokens_file);
    server.config.http.tokens_file = strdup(path);
    server_start(&server);
    struct response response;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST "%s\r\n", cases[i].line,
                 cases[i].token);
        client_request(&server, text, &response, NULL, 0);
        ck_assert_msg(response.status == cases[i].status, "%s: %d", text, response.status);
        if (response.status == 401)
            ck_assert_ptr_nonnull(response_header(&response, "WWW-Authenticate", value));
    }
    /* A new file replaces the tokens; a bad one leaves them. */
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(pwrite(fd, "render r2\n", 10, 0), 10);
    ck_assert_int_eq(http_reload_tokens(server.http), 0);
    snprintf(text, sizeof(text), "GET /version HTTP/1.1\r\n" HOST "X-Prerender-Token: r1\r\n\r\n");
    client_request(&server, text, &response, NULL, 0);
    ck_assert_int_eq(response.status, 401);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_lt(http_reload_tokens(server.http), 0);
    ck_assert_ptr_nonnull(strstr(http_tokens_error(server.http), "no token"));
    snprintf(text, sizeof(text), "GET /version HTTP/1.1\r\n" HOST "X-Prerender-Token: r2\r\n\r\n");
    client_request(&server, text, &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
    close(fd);
    unlink(path);
}
END_TEST

/* The manager's routes are for the manager, who has no token; the others are as they were. */
START_TEST(networks_guard_the_managers_routes)
{
    static const struct {
        const char *allow_from, *line;
        int status;
    } cases[] = {
        {"127.0.0.0/8", "GET /heartbeat", 200},
        {"127.0.0.0/8", "POST /release-batch", 400}, /* It has no body. */
        {"127.0.0.0/8", "DELETE /affinities/a", 204},
        {"127.0.0.0/8", "GET /affinities", 401},
        {"10.0.0.0/8", "GET /heartbeat", 403},
        {"10.0.0.0/8", "POST /release-batch", 403},
        {"10.0.0.0/8", "POST /prerender-visit", 403},
        {"10.0.0.0/8", "POST /prerender-module", 403},
        {"10.0.0.0/8", "POST /run-command", 403},
        {"10.0.0.0/8", "POST /prerender-screenshot", 403},
        {"10.0.0.0/8", "DELETE /affinities/a", 403},
        {"10.0.0.0/8", "DELETE /prerender-servers/affinities/a", 403},
        {"10.0.0.0/8", "GET /healthz", 200},
        {"10.0.0.0/8", "HEAD /", 200},
        {"10.0.0.0/8", "GET /affinities", 401},
    };
    char path[] = P_tmpdir "/test_http_tokens_XXXXXX", text[512], body[1024];
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "render r1\nadmin a1\n", 19), 19);
    free(server.config.http.tokens_file);
    server.config.http.tokens_file = strdup(path);
    server_start(&server);
    struct response response;
    for (size_t i = 0; i < COUNT(cases); i++) {
        free(server.config.manager.allow_from);
        server.config.manager.allow_from = strdup(cases[i].allow_from);
        snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
                 cases[i].line);
        client_request(&server, text, &response, body, sizeof(body));
        ck_assert_msg(response.status == cases[i].status, "%s %s: %d", cases[i].allow_from,
                      cases[i].line, response.status);
        if (response.status == 403)
            ck_assert_ptr_nonnull(strstr(body, "127.0.0.1 may not call"));
    }
    close(fd);
    unlink(path);
}
END_TEST

static void set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = strdup(text);
}

START_TEST(starting_can_fail)
{
    static const struct {
        const char *listen, *tokens_file, *want;
        bool allow;
    } cases[] = {
        {"0.0.0.0:0", "", "http.allow_unauthenticated", false},
        {"127.0.0.1:0 [::]:0", "", "http.tokens_file", false},
        {"nonsense", "", "\"nonsense\"", false},
        {"127.0.0.1:65536", "", "http.listen", false},
        {"localhost:80", "", "http.listen", false},
        {"unix:relative", "", "http.listen", false},
        {"unix:/nonexistent/dir/sock", "", "http.listen", false},
        {"127.0.0.1:0", "/nonexistent/tokens", "http.tokens_file", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char error[CONFIG_ERROR_BYTES] = "";
        set_text(&server.config.http.listen, cases[i].listen);
        set_text(&server.config.http.tokens_file, cases[i].tokens_file);
        server.config.http.allow_unauthenticated = cases[i].allow;
        int result = server_try_start(&server, NULL, 0, error);
        ck_assert_msg(result < 0, "case %zu", i);
        ck_assert_msg(strstr(error, cases[i].want), "%s", error);
        ck_assert_ptr_null(server.http);
        (void)uv_run(&server.loop, UV_RUN_DEFAULT);
    }
}
END_TEST

/* The configuration never says so; rendering once, without a server, does. */
START_TEST(may_listen_nowhere)
{
    char error[CONFIG_ERROR_BYTES] = "";
    set_text(&server.config.http.listen, "");
    ck_assert_int_eq(server_try_start(&server, NULL, 0, error), 0);
    ck_assert_ptr_null(http_address(server.http, 0));
}
END_TEST

START_TEST(strangers_may_be_allowed)
{
    set_text(&server.config.http.listen, "0.0.0.0:0 127.0.0.1:0");
    server.config.http.allow_unauthenticated = true;
    server_start(&server);
    ck_assert_int_eq(strncmp(http_address(server.http, 0), "http://0.0.0.0:", 15), 0);
    ck_assert_int_eq(strncmp(http_address(server.http, 1), "http://127.0.0.1:", 17), 0);
    ck_assert_str_ne(http_address(server.http, 1), "http://127.0.0.1:0");
    ck_assert_ptr_null(http_address(server.http, 2));
    struct response response;
    client_request(&server, "GET / HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http access");
    TCase *tests = tcase_create("access");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, tokens_guard_the_routes);
    tcase_add_test(tests, networks_guard_the_managers_routes);
    tcase_add_test(tests, starting_can_fail);
    tcase_add_test(tests, may_listen_nowhere);
    tcase_add_test(tests, strangers_may_be_allowed);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
