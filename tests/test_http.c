/* test_http.c: requests and answers over real sockets: what is answered, with what
 * headers, and what of it reaches the daemon. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/http_client.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ID "X-Request-Id: test-7\r\n"

static struct server server;

static void setup(void)
{
    server_defaults(&server);
}

static void teardown(void)
{
    server_stop(&server);
}

struct bad_case {
    const char *request;
    int status;
    const char *code, *param, *detail;
};

#define POST(body) "POST /render HTTP/1.1\r\n" HOST ID "Content-Length: " body

static const struct bad_case bad_cases[] = {
    /* No body, bad JSON, wrong types, unknown keys. */
    {POST("0\r\n\r\n"), 400, "bad_json", NULL, "empty"},
    {"POST /render HTTP/1.1\r\n" HOST ID "\r\n", 400, "bad_json", NULL, "empty"},
    {POST("5\r\n\r\n{url}"), 400, "bad_json", NULL, "line 1"},
    {POST("2\r\n\r\n{}"), 400, "invalid_param", "url", "missing"},
    {POST("9\r\n\r\n{\"url\":1}"), 400, "invalid_param", "url", "string"},
    {POST("24\r\n\r\n{\"urll\":\"http://h.test\"}"), 400, "unknown_param", "urll", "\"url\""},
    /* URLs. */
    {POST("27\r\n\r\n{\"url\":\"file:///etc/hosts\"}"), 400, "invalid_url", "url", "http://"},
    {POST("25\r\n\r\n{\"url\":\"chrome://crash/\"}"), 400, "invalid_url", "url", "http://"},
    {POST("29\r\n\r\n{\"url\":\"javascript:alert(1)\"}"), 400, "invalid_url", "url", "http://"},
    {"GET /render HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_param", "url", "missing"},
    {"GET /render?url=file:///x HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_url", "url", "https"},
    /* Query strings of other routes. */
    {"POST /render?url=http://h/ HTTP/1.1\r\n" HOST ID "Content-Length: 2\r\n\r\n{}", 400,
     "unknown_param", "url", "body"},
    {"GET /healthz?verbose HTTP/1.1\r\n" HOST ID "\r\n", 400, "unknown_param", "verbose",
     "healthz"},
    {"DELETE /affinities/a?retian=true HTTP/1.1\r\n" HOST ID "\r\n", 400, "unknown_param", "retian",
     "\"retain\""},
    {"DELETE /affinities/a?wait=1 HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_param", "wait",
     "true"},
    {"DELETE /affinities/%2 HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_param", "key", "%25"},
    /* Paths and methods. */
    {"GET /nothing HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_url", NULL, "/nothing"},
    {"GET /render/x HTTP/1.1\r\n" HOST ID "\r\n", 400, "invalid_url", NULL, "/render"},
    {"PUT /render HTTP/1.1\r\n" HOST ID "Content-Length: 2\r\n\r\n{}", 405, "method_not_allowed",
     NULL, "PUT"},
    {"OPTIONS /render HTTP/1.1\r\n" HOST ID "\r\n", 405, "method_not_allowed", NULL, "POST"},
    {"DELETE /render HTTP/1.1\r\n" HOST ID "\r\n", 405, "method_not_allowed", NULL, "GET"},
    {"POST /healthz HTTP/1.1\r\n" HOST ID "Content-Length: 0\r\n\r\n", 405, "method_not_allowed",
     NULL, "GET, HEAD"},
    {"BREW / HTTP/1.1\r\n" HOST ID "\r\n", 405, "method_not_allowed", NULL, "BREW"},
    {"TRACE / HTTP/1.1\r\n" HOST ID "\r\n", 405, "method_not_allowed", NULL, "TRACE"},
    /* Forms. */
    {"GET /render?url=http://h/ HTTP/1.1\r\n" HOST ID "Accept: image/png\r\n\r\n", 406,
     "not_acceptable", "Accept", "text/html"},
    {"POST /render HTTP/1.1\r\n" HOST ID "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
     415, "unsupported_encoding", "Content-Encoding", "compressed"},
    /* Sizes. */
    {POST("2097152\r\n\r\n"), 413, "body_too_large", "Content-Length", "1048576"},
    {POST("18446744073709551615\r\n\r\n"), 413, "body_too_large", "Content-Length", "1048576"},
    {"POST /render HTTP/1.1\r\n" HOST ID "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n",
     413, "body_too_large", "Content-Length", "http.body_bytes_max"},
    {"POST /nothing HTTP/1.1\r\n" HOST ID "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", 404,
     "not_found", NULL, "/nothing"},
    /* Who asks. */
    {"GET / HTTP/1.1\r\nHost: evil.test\r\n" ID "\r\n", 403, "host_denied", "Host", "evil.test"},
    {"GET / HTTP/1.1\r\n" HOST ID "Origin: https://evil.test\r\n\r\n", 403, "cross_origin",
     "Origin", "https://evil.test"},
    {"GET / HTTP/1.1\r\n" HOST ID "Sec-Fetch-Site: cross-site\r\n\r\n", 403, "cross_origin",
     "Sec-Fetch-Site", "cross-site"},
    /* Framing. */
    {"GET / HTTP/1.1\r\n" ID "\r\n", 400, "invalid_param", "Host", "no Host"},
    {"GET / HTTP/1.1\r\n" HOST HOST ID "\r\n", 400, "invalid_param", "Host", "2 Host"},
    {"POST /render HTTP/1.1\r\n" HOST ID "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400,
     "invalid_param", "Content-Length", "2 Content-Length"},
    {"POST /render HTTP/1.1\r\n" HOST ID
     "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "invalid_param", "Transfer-Encoding", "both"},
    {"POST /render HTTP/1.1\r\n" HOST ID "Content-Length : 2\r\n\r\n{}GET / HTTP/1.1\r\n" HOST
     "\r\n",
     400, "invalid_param", NULL, "\"Content-Length \""},
    {"POST /render HTTP/1.1\r\n" HOST ID "Transfer-Encoding: gzip\r\n\r\n", 400, "invalid_param",
     "Transfer-Encoding", "chunked"},
};

static void expect_problem(const struct bad_case *want, const struct response *response,
                           const char *body)
{
    char value[512];
    json_error_t error;
    ck_assert_msg(response->status == want->status, "%s: %d %s", want->request, response->status,
                  body);
    ck_assert_str_eq(response_header(response, "Content-Type", value), "application/problem+json");
    ck_assert_str_eq(response_header(response, "Cache-Control", value), "no-store");
    ck_assert_str_eq(response_header(response, "X-Request-Id", value), "test-7");
    json_t *root = json_loads(body, 0, &error);
    ck_assert_msg(root, "%s: %s", body, error.text);
    ck_assert_msg(strcmp(json_string_value(json_object_get(root, "code")), want->code) == 0,
                  "%s: %s", want->request, body);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), want->status);
    const char *param = json_string_value(json_object_get(root, "param"));
    ck_assert_msg((param == NULL) == (want->param == NULL), "%s", body);
    if (param)
        ck_assert_str_eq(param, want->param);
    const char *detail = json_string_value(json_object_get(root, "detail"));
    ck_assert_msg(strstr(detail, want->detail), "%s: %s", want->request, detail);
    ck_assert_str_eq(json_string_value(json_object_get(root, "requestId")), "test-7");
    json_decref(root);
}

START_TEST(bad_input_is_told)
{
    struct response response;
    char body[2048];
    const struct bad_case *want = &bad_cases[_i];
    server_start(&server);
    client_request(&server, want->request, &response, body, sizeof(body));
    expect_problem(want, &response, body);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
    const struct http_finished *finished = &server_last(&server, HTTP_FINISHED)->finished;
    ck_assert_int_eq(finished->status, want->status);
    ck_assert_str_eq(finished->code, want->code);
    ck_assert_str_eq(finished->request_id, "test-7");
    ck_assert_uint_eq(finished->body_bytes, strlen(body));
    /* Nothing is lost: the next request is served. */
    client_request(&server, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(render_by_post)
{
    struct response response;
    char body[256], value[512];
    char *text =
        client_post("", "{\"url\":\"http://h.test/a?b\",\"affinity\":\"k\",\"priority\":3}");
    server_start(&server);
    client_request(&server, text, &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(body, "http://h.test/a?b");
    ck_assert_str_eq(server.affinity, "k");
    ck_assert_uint_eq(server.params.priority, 3);
    ck_assert_uint_eq(server.params.timeout_ms, server.config.render.timeout_ms);
    ck_assert_str_eq(response_header(&response, "Content-Type", value), "text/html; charset=utf-8");
    ck_assert_str_eq(response_header(&response, "Content-Length", value), "17");
    ck_assert_uint_eq(strlen(response_header(&response, "X-Request-Id", value)), 36);
    const struct http_request *request = &server_last(&server, HTTP_REQUEST)->request;
    ck_assert_str_eq(value, request->request_id);
    ck_assert_int_eq(request->accept, HTTP_ACCEPT_DOCUMENT);
    free(text);
}
END_TEST

START_TEST(render_by_form)
{
    struct response response;
    char body[256];
    server_start(&server);
    client_request(
        &server,
        "GET /render?url=https%3A%2F%2Fh.test%2F%3Fa%3D%2520&wait.until=load HTTP/1.1\r\n" HOST
        "Accept: application/json\r\n\r\n",
        &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(body, "https://h.test/?a=%20");
    ck_assert_int_eq(server.params.until, WAIT_LOAD);
    ck_assert_int_eq(server_last(&server, HTTP_REQUEST)->request.accept, HTTP_ACCEPT_ENVELOPE);
}
END_TEST

START_TEST(head_is_get_without_a_body)
{
    struct client client;
    struct response response;
    char value[512];
    server_start(&server);
    client_open(&server, &client);
    /* Pipelined, so that a body sent after the first answer would garble the second. */
    ck_assert(client_send(&client, "HEAD /render?url=http://h.test/ HTTP/1.1\r\n" HOST "\r\n"
                                   "HEAD /nothing HTTP/1.1\r\n" HOST "\r\n"
                                   "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, true, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response_header(&response, "Content-Length", value), "14");
    free(response.body);
    client_receive(&client, true, &response);
    ck_assert_int_eq(response.status, 400);
    ck_assert_str_ne(response_header(&response, "Content-Length", value), "0");
    free(response.body);
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 3);
    ck_assert(server.seen[0].request.head);
    for (size_t i = 0; i < server.seen_count; i++) {
        if (server.seen[i].type == HTTP_FINISHED)
            ck_assert_uint_eq(server.seen[i].finished.body_bytes, 0);
    }
    client_close(&client);
}
END_TEST

/* Every route reaches the daemon as itself. */
START_TEST(routes_reach_the_daemon)
{
    static const struct {
        const char *line;
        enum http_route route;
        int status;
    } cases[] = {
        {"GET /heartbeat", HTTP_HEARTBEAT, 200},
        {"GET /affinities", HTTP_AFFINITIES, 200},
        {"GET /healthz", HTTP_HEALTHZ, 200},
        {"GET /readyz", HTTP_READYZ, 200},
        {"GET /version", HTTP_VERSION, 200},
        {"GET /metrics", HTTP_METRICS, 200},
        {"GET /openapi.json", HTTP_OPENAPI, 200},
        {"GET /", HTTP_INDEX, 200},
        {"HEAD /", HTTP_INDEX, 200},
        {"DELETE /affinities/a", HTTP_AFFINITY_DELETE, 204},
        {"DELETE /prerender-servers/affinities/a", HTTP_AFFINITY_DELETE, 204},
    };
    server_start(&server);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct response response;
        char text[256], value[512];
        snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST ID "\r\n", cases[i].line);
        client_request(&server, text, &response, NULL, 0);
        ck_assert_int_eq(response.status, cases[i].status);
        ck_assert_int_eq(server_last(&server, HTTP_REQUEST)->request.route, cases[i].route);
        ck_assert_str_eq(response_header(&response, "X-Request-Id", value), "test-7");
        if (cases[i].status == 204)
            ck_assert_ptr_null(response_header(&response, "Content-Type", value));
    }
}
END_TEST

START_TEST(delete_carries_its_key)
{
    struct response response;
    char key[AFFINITY_KEY_BYTES_MAX + 1];
    server_start(&server);
    client_request(&server,
                   "DELETE /affinities/realm%3Ahttps%3A%2F%2Fh%2F%00+?retain=true&wait=true "
                   "HTTP/1.1\r\n" HOST "\r\n",
                   &response, NULL, 0);
    ck_assert_int_eq(response.status, 204);
    const struct http_request *request = &server_last(&server, HTTP_REQUEST)->request;
    memcpy(key, request->key, sizeof(request->key));
    ck_assert_uint_eq(request->key_bytes, 18);
    ck_assert_int_eq(memcmp(key, "realm:https://h/\0+", 18), 0);
    ck_assert(request->retain);
    ck_assert(request->wait);
}
END_TEST

START_TEST(errors_are_plain_on_request)
{
    struct response response;
    char body[512], value[512];
    server_start(&server);
    client_request(&server, "GET /nothing HTTP/1.1\r\n" HOST ID "Accept: text/plain\r\n\r\n",
                   &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 400);
    ck_assert_str_eq(response_header(&response, "Content-Type", value),
                     "text/plain; charset=utf-8");
    ck_assert_ptr_nonnull(strstr(body, "400 invalid_url: "));
    ck_assert_ptr_nonnull(strstr(body, "test-7"));
}
END_TEST

START_TEST(method_not_allowed_says_what_is)
{
    struct response response;
    char value[512];
    server_start(&server);
    client_request(&server, "OPTIONS /render HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_str_eq(response_header(&response, "Allow", value), "GET, HEAD, POST");
    client_request(&server, "GET /affinities/a HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_str_eq(response_header(&response, "Allow", value), "DELETE");
}
END_TEST

START_TEST(problems_of_the_daemon)
{
    struct client client;
    struct response response;
    char value[512];
    const struct http_problem problem = {
        .code = HTTP_QUEUE_FULL, .detail = "Full.", .retry_after_ms = 1001};
    const struct http_header headers[] = {
        {"X-Prerenderd-Context", "warm"}, {"X-Empty", ""}, {"X-Bad", "a\r\nX-Injected: 1"}};
    server.hold = true;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, "GET /render?url=http://h.test/ HTTP/1.1\r\n" HOST "\r\n"));
    WAIT_UNTIL(&server, server_count(&server, HTTP_REQUEST) == 1);
    uint64_t id = server_last(&server, HTTP_REQUEST)->exchange;
    ck_assert(http_reply_problem(server.http, id, &problem, headers, COUNT(headers)));
    ck_assert_uint_eq(http_deadline_ms(server.http), 0);
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 503);
    ck_assert_str_eq(response_header(&response, "Retry-After", value), "2");
    ck_assert_str_eq(response_header(&response, "X-Prerenderd-Context", value), "warm");
    ck_assert_ptr_null(response_header(&response, "X-Injected", value));
    ck_assert_ptr_nonnull(strstr(response.body, "\"retryAfterMs\":1001"));
    /* An exchange is answered once. */
    ck_assert(!http_reply_problem(server.http, id, &problem, NULL, 0));
    ck_assert(!server_reply(&server, id, "late"));
    ck_assert(!server_reply(&server, 999, "never was"));
    free(response.body);
    client_close(&client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("http");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, bad_input_is_told, 0, (int)COUNT(bad_cases));
    tcase_add_test(tests, render_by_post);
    tcase_add_test(tests, render_by_form);
    tcase_add_test(tests, head_is_get_without_a_body);
    tcase_add_test(tests, routes_reach_the_daemon);
    tcase_add_test(tests, delete_carries_its_key);
    tcase_add_test(tests, errors_are_plain_on_request);
    tcase_add_test(tests, method_not_allowed_says_what_is);
    tcase_add_test(tests, problems_of_the_daemon);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
