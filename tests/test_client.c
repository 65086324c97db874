/* test_client.c: outgoing requests, whatever the server does. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "http/client.h"
#include "tests/rig.h"
#include "tests/suite.h"

#define LIMIT_MS 10000
#define CONNECTIONS_MAX 64

/* A server that reads one request per connection and answers with a fixed text. */
struct server {
    uv_tcp_t listener;
    uv_tcp_t connections[CONNECTIONS_MAX];
    size_t connections_count;
    char *read; /* Of the latest connection. */
    size_t read_bytes, read_capacity;
    size_t whole_bytes; /* Of the whole request; 0: its head is not there yet. */
    const char *answer; /* NULL: none. */
    bool closes;        /* Without an answer. */
};

static struct rig rig;
static struct server server;
static struct http_client *client;
static struct http_result result;

static void on_alloc(uv_handle_t *handle, size_t bytes, uv_buf_t *ret)
{
    (void)handle;
    *ret = uv_buf_init(malloc(bytes), (unsigned)bytes);
}

static void drop(uv_tcp_t *connection)
{
    if (!uv_is_closing((uv_handle_t *)connection))
        uv_close((uv_handle_t *)connection, NULL);
}

static bool request_is_whole(void)
{
    const char *end = server.whole_bytes == 0 ? strstr(server.read, "\r\n\r\n") : NULL;
    if (end) {
        const char *length = strcasestr(server.read, "content-length: ");
        size_t body_bytes = length ? strtoul(length + 16, NULL, 10) : 0;
        server.whole_bytes = (size_t)(end + 4 - server.read) + body_bytes;
    }
    return server.whole_bytes > 0 && server.read_bytes >= server.whole_bytes;
}

static void keep(const char *bytes, size_t count)
{
    while (server.read_bytes + count + 1 > server.read_capacity) {
        server.read_capacity = server.read_capacity > 0 ? 2 * server.read_capacity : 4096;
        server.read = realloc(server.read, server.read_capacity);
        ck_assert_ptr_nonnull(server.read);
    }
    memcpy(server.read + server.read_bytes, bytes, count);
    server.read_bytes += count;
    server.read[server.read_bytes] = '\0';
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count > 0) {
        keep(buffer->base, (size_t)count);
        if (request_is_whole() && server.answer) {
            uv_buf_t out =
                uv_buf_init((char *)(uintptr_t)server.answer, (unsigned)strlen(server.answer));
            (void)uv_try_write(stream, &out, 1);
        }
        if (request_is_whole() && server.closes)
            drop((uv_tcp_t *)stream);
    } else if (count < 0) {
        drop((uv_tcp_t *)stream);
    }
    free(buffer->base);
}

static void on_connection(uv_stream_t *listener, int status)
{
    ck_assert_int_eq(status, 0);
    ck_assert_uint_lt(server.connections_count, CONNECTIONS_MAX);
    uv_tcp_t *connection = &server.connections[server.connections_count++];
    (void)uv_tcp_init(&rig.loop, connection);
    ck_assert_int_eq(uv_accept(listener, (uv_stream_t *)connection), 0);
    server.read_bytes = server.whole_bytes = 0;
    (void)uv_read_start((uv_stream_t *)connection, on_alloc, on_read);
}

static void turn(void *subject, uint64_t now_ms)
{
    http_client_turn(*(struct http_client **)subject, now_ms);
}

static uint64_t deadline_ms(void *subject)
{
    return http_client_deadline_ms(*(struct http_client **)subject);
}

static void open_client(const char *url_format)
{
    char url[256];
    struct sockaddr_in address;
    int bytes = sizeof address;
    (void)uv_tcp_getsockname(&server.listener, (struct sockaddr *)&address, &bytes);
    const char *at = strchr(url_format, '#');
    (void)snprintf(url, sizeof url, "%.*s%d%s", (int)(at - url_format), url_format,
                   ntohs(address.sin_port), at + 1);
    client = http_client_new(&rig.loop, url);
    ck_assert_ptr_nonnull(client);
    rig.subject = &client;
    rig.turn = turn;
    rig.deadline_ms = deadline_ms;
}

static void setup(void)
{
    struct sockaddr_in address;
    memset(&server, 0, sizeof server);
    rig_open(&rig);
    (void)uv_tcp_init(&rig.loop, &server.listener);
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    ck_assert_int_eq(uv_tcp_bind(&server.listener, (struct sockaddr *)&address, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&server.listener, 16, on_connection), 0);
    client = NULL;
}

static bool is_closed(void *argument)
{
    (void)argument;
    return http_client_is_closed(client);
}

static void teardown(void)
{
    if (client) {
        http_client_close(client);
        ck_assert(rig_until(&rig, is_closed, NULL, LIMIT_MS));
        rig.turn = NULL;
        http_client_free(client);
    }
    for (size_t i = 0; i < server.connections_count; i++)
        drop(&server.connections[i]);
    if (!uv_is_closing((uv_handle_t *)&server.listener))
        uv_close((uv_handle_t *)&server.listener, NULL);
    rig_close(&rig); /* Fails when a handle is left. */
    free(server.read);
}

/* Asked more than once: what was taken stays taken. */
static bool has_result(void *argument)
{
    bool *taken = argument;
    *taken = *taken || http_client_take(client, &result);
    return *taken;
}

static bool is_idle(void *argument)
{
    (void)argument;
    return http_client_is_idle(client);
}

static void call(const char *method, const char *target, size_t body_bytes, uint32_t timeout_ms)
{
    struct http_call call = {.method = method, .target = target, .timeout_ms = timeout_ms};
    if (body_bytes > 0) {
        call.type = "application/vnd.api+json";
        call.body = malloc(body_bytes);
        memset(call.body, 'x', body_bytes);
        call.body_bytes = body_bytes;
    }
    ck_assert(rig_until(&rig, is_idle, NULL, LIMIT_MS));
    uint64_t start_ms = rig_now_ms();
    bool taken = false;
    http_client_start(client, start_ms, &call);
    ck_assert(!http_client_is_idle(client));
    ck_assert(rig_until(&rig, has_result, &taken, LIMIT_MS));
    ck_assert_uint_le(rig_now_ms() - start_ms, timeout_ms + 1000);
}

START_TEST(refuses_what_is_no_address)
{
    static const char *const bad[] = {"",
                                      "http://",
                                      "https://127.0.0.1:1",
                                      "127.0.0.1:1",
                                      "http://127.0.0.1:0",
                                      "http://a b/",
                                      "ws://127.0.0.1:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!http_client_new(&rig.loop, bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(sends_the_body_and_reads_two_headers)
{
    static const size_t sizes[] = {1, 65536, 65537, 3000000};
    char want[128];
    server.answer = "HTTP/1.1 204 No Content\r\nX-Prerender-Server-Id: http://a:1\r\n"
                    "X-Boxel-Prerender-Host-Shell-Hash: tok-1\r\nX-Other: no\r\n\r\n";
    open_client("http://127.0.0.1:#/");
    call("POST", "/prerender-servers", sizes[_i], 5000);
    ck_assert_int_eq(result.status, 204);
    ck_assert_str_eq(result.server_id, "http://a:1");
    ck_assert_str_eq(result.host_shell, "tok-1");
    ck_assert_ptr_nonnull(strstr(server.read, "POST /prerender-servers HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strcasestr(server.read, "\r\ncontent-type: application/vnd.api+json\r"));
    ck_assert_ptr_nonnull(strcasestr(server.read, "\r\naccept: application/vnd.api+json\r"));
    (void)snprintf(want, sizeof want, "\r\ncontent-length: %zu\r\n", sizes[_i]);
    ck_assert_ptr_nonnull(strcasestr(server.read, want));
    const char *body = strstr(server.read, "\r\n\r\n") + 4;
    ck_assert_uint_eq(strspn(body, "x"), sizes[_i]);
}
END_TEST

/* Nothing of a target is decoded, encoded or made shorter; the path of the server's URL
 * comes first. */
START_TEST(sends_the_target_byte_for_byte)
{
    static const char *const targets[] = {
        "/a/realm%3Ahttp%3A%2F%2Fx%2F%2E%2E%2F%25?url=http%3A%2F%2Fb&seq=1", "/%00%ff%FF%20",
        "/a//b/../c/./d", "/a%2Fb?x=%26&y=?&z=/../"};
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    open_client("http://localhost:#/base/");
    char want[256];
    (void)snprintf(want, sizeof want, "DELETE /base%s HTTP/1.1\r\n", targets[_i]);
    call("DELETE", targets[_i], 0, 5000);
    ck_assert_int_eq(result.status, 200);
    ck_assert_msg(strncmp(server.read, want, strlen(want)) == 0, "%.300s", server.read);
    ck_assert_ptr_null(strcasestr(server.read, "content-length:"));
    ck_assert_str_eq(result.host_shell, "");
}
END_TEST

START_TEST(ends_at_the_deadline)
{
    open_client("http://127.0.0.1:#");
    uint64_t start_ms = rig_now_ms();
    call("POST", "/", 10, 300);
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.error, "no answer in time");
    ck_assert_uint_ge(rig_now_ms() - start_ms, 300);
    /* And is there for the next one. */
    server.answer = "HTTP/1.1 204 No Content\r\n\r\n";
    call("POST", "/", 10, 5000);
    ck_assert_int_eq(result.status, 204);
}
END_TEST

/* Answers that are none, and answers that say too much. */
static const struct {
    const char *answer;
    int status; /* 0: any failure. */
} answers[] = {
    {"", 0},
    {"hello\r\n\r\n", 0},
    {"HTTP/1.1\r\n\r\n", 0},
    {"HTTP/1.1 99999999999999999999 x\r\n\r\n", 0},
    {"HTTP/1.1 500 Oops\r\nContent-Length: 99999999999\r\n\r\n", 500},
    {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nabc", 404},
};

START_TEST(survives_what_is_no_answer)
{
    open_client("http://127.0.0.1:#");
    server.answer = answers[_i].answer[0] ? answers[_i].answer : NULL;
    server.closes = true;
    for (int round = 0; round < 3; round++) {
        call("POST", "/", 100, 2000);
        bool as_wanted = answers[_i].status == 0 ? result.error[0] != '\0' || result.status != 204
                                                 : result.status == answers[_i].status;
        ck_assert_msg(as_wanted, "%d %s", result.status, result.error);
    }
}
END_TEST

/* A value that does not fit is none, rather than half of one. */
START_TEST(ignores_a_value_that_is_too_long)
{
    char *answer = malloc(2000);
    char value[601];
    memset(value, 'v', 600);
    value[600] = '\0';
    (void)snprintf(answer, 2000, "HTTP/1.1 204 x\r\nX-Boxel-Prerender-Host-Shell-Hash: %s\r\n\r\n",
                   value);
    server.answer = answer;
    open_client("http://127.0.0.1:#");
    call("POST", "/", 1, 5000);
    ck_assert_int_eq(result.status, 204);
    ck_assert_str_eq(result.host_shell, "");
    free(answer);
}
END_TEST

START_TEST(nobody_listens)
{
    open_client("http://127.0.0.1:#");
    uv_close((uv_handle_t *)&server.listener, NULL);
    (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
    for (int round = 0; round < 3; round++) {
        call("POST", "/", 100, 5000);
        ck_assert_int_eq(result.status, 0);
        ck_assert(result.error[0] != '\0');
    }
}
END_TEST

START_TEST(name_without_address)
{
    open_client("http://no-such-host.invalid:#");
    call("POST", "/", 100, 5000);
    ck_assert_int_eq(result.status, 0);
    ck_assert(result.error[0] != '\0');
}
END_TEST

/* Closing in the middle of a request leaves neither handle nor memory. */
START_TEST(closes_while_busy)
{
    open_client(_i == 0 ? "http://127.0.0.1:#" : "http://localhost.invalid:#");
    struct http_call busy = {.method = "POST", .target = "/", .timeout_ms = 5000};
    busy.type = "text/plain";
    busy.body = strdup("x");
    busy.body_bytes = 1;
    http_client_start(client, rig_now_ms(), &busy);
    (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, refuses_what_is_no_address);
    tcase_add_loop_test(tcase, sends_the_body_and_reads_two_headers, 0, 4);
    tcase_add_loop_test(tcase, sends_the_target_byte_for_byte, 0, 4);
    tcase_add_test(tcase, ends_at_the_deadline);
    tcase_add_loop_test(tcase, survives_what_is_no_answer, 0,
                        (int)(sizeof answers / sizeof answers[0]));
    tcase_add_test(tcase, ignores_a_value_that_is_too_long);
    tcase_add_test(tcase, nobody_listens);
    tcase_add_test(tcase, name_without_address);
    tcase_add_loop_test(tcase, closes_while_busy, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
