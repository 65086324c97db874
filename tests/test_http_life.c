/* test_http_life.c: how exchanges end: answered, or by clients that leave or are slow, in
 * every phase; large answers and many exchanges at once. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/http_client.h"
#include "tests/suite.h"

#define MIB ((size_t)1 << 20)

static struct server server;

static void setup(void)
{
    server_defaults(&server);
}

static void teardown(void)
{
    server_stop(&server);
}

enum leaving { LEAVE_CLOSE, LEAVE_RESET, LEAVE_HALF_CLOSE, LEAVE_WITH_UNREAD, LEAVINGS };

static void leave(struct client *client, enum leaving how)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    switch (how) {
    case LEAVE_RESET:
        ck_assert_int_eq(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        client_close(client);
        break;
    case LEAVE_HALF_CLOSE:
        ck_assert_int_eq(shutdown(client->fd, SHUT_WR), 0);
        break;
    case LEAVE_WITH_UNREAD:
        ck_assert(client_send(client, GET_RENDER)); /* Pipelined, and never to be read. */
        client_close(client);
        break;
    case LEAVE_CLOSE:
    case LEAVINGS:
        client_close(client);
        break;
    }
}

/* The client leaves a request that waits: told at once, dropped, finished with status 0,
 * and its reply is refused. */
START_TEST(client_leaves_while_suspended)
{
    struct client client;
    server.hold = true;
    server_start(&server);
    uint64_t id = server_hold(&server, &client);
    ck_assert_uint_eq(http_open_count(server.http), 1);
    leave(&client, (enum leaving)_i);
    WAIT_UNTIL(&server, server_count(&server, HTTP_GONE) == 1);
    ck_assert_uint_eq(server_last(&server, HTTP_GONE)->exchange, id);
    /* Told, dropped and finished in one turn. */
    const struct seen *finished = server_last(&server, HTTP_FINISHED);
    ck_assert_ptr_nonnull(finished);
    ck_assert_uint_eq(finished->exchange, id);
    ck_assert_int_eq(finished->finished.status, 0);
    ck_assert_str_eq(finished->finished.code, "");
    ck_assert_int_eq(finished->finished.route, HTTP_RENDER);
    ck_assert(!server_reply(&server, id, "too late"));
    ck_assert_uint_eq(http_open_count(server.http), 0);
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 1);
    if (client.fd >= 0)
        client_close(&client);
}
END_TEST

/* The client leaves between the answer and its sending: no HTTP_GONE, nothing crashes. */
START_TEST(client_leaves_as_it_is_answered)
{
    struct client client;
    server.hold = true;
    server_start(&server);
    uint64_t id = server_hold(&server, &client);
    leave(&client, LEAVE_RESET);
    ck_assert(server_reply(&server, id, "answer"));
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_uint_eq(server_count(&server, HTTP_GONE), 0);
    ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 0);
}
END_TEST

START_TEST(client_leaves_while_it_is_sent)
{
    struct client client;
    server.body_bytes = 20 * MIB;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, GET_RENDER));
    WAIT_UNTIL(&server, server_count(&server, HTTP_REQUEST) == 1);
    for (int i = 0; i < 5; i++)
        server_turn(&server, 1); /* The socket is full by now. */
    ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), 0);
    client_close(&client);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 0);
    ck_assert_uint_eq(server_last(&server, HTTP_FINISHED)->finished.body_bytes, 0);
    ck_assert_uint_eq(server_count(&server, HTTP_GONE), 0);
    ck_assert_uint_eq(http_open_count(server.http), 0);
}
END_TEST

/* In the middle of its head, and of its body. */
START_TEST(client_leaves_while_it_asks)
{
    static const char *const parts[] = {
        "GET",
        "GET /render HTTP/1.1\r\nHo",
        "POST /render HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n{\"url\"",
    };
    server_start(&server);
    for (size_t i = 0; i < 3; i++) {
        struct client client;
        client_open(&server, &client);
        ck_assert(client_send(&client, parts[i]));
        WAIT_UNTIL(&server, http_open_count(server.http) == 1);
        for (int turn_ = 0; turn_ < 3; turn_++)
            server_turn(&server, 1);
        client_close(&client);
        WAIT_UNTIL(&server, http_open_count(server.http) == 0);
    }
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
    ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), 2);
    for (size_t i = 0; i < server.seen_count; i++) {
        ck_assert_int_eq(server.seen[i].finished.status, 0);
        ck_assert_uint_eq(strlen(server.seen[i].finished.request_id), 36);
    }
}
END_TEST

/* Expects the 408 of a request that never became whole. */
static void expect_timeout(struct client *client)
{
    struct response response;
    client_receive(client, false, &response);
    char value[512];
    ck_assert_int_eq(response.status, 408);
    ck_assert_ptr_nonnull(response_header(&response, "X-Request-Id", value));
    ck_assert_ptr_nonnull(strstr(response.body, "request_timeout"));
    free(response.body);
    ck_assert(client_is_closed(client));
    client_close(client);
}

/* A byte now and then does not help: the time is that of the whole head. */
START_TEST(slow_head)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaa";
    struct client client;
    server.config.http.head_timeout_ms = 3600000; /* Only the test's clock reaches that. */
    server_start(&server);
    client_open(&server, &client);
    for (size_t i = 0; i < 25; i++) {
        ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), 0);
        ck_assert(client_send_bytes(&client, text + i, 1));
        server_turn(&server, 1);
        server.skew_ms += server.config.http.head_timeout_ms / 30;
    }
    server.skew_ms += server.config.http.head_timeout_ms / 4;
    expect_timeout(&client);
}
END_TEST

START_TEST(silent_connection)
{
    struct client client;
    server_start(&server);
    client_open(&server, &client);
    WAIT_UNTIL(&server, http_open_count(server.http) == 1);
    server.skew_ms += server.config.http.head_timeout_ms + 1;
    ck_assert(client_is_closed(&client)); /* Nothing was asked, so nothing is said. */
    client_close(&client);
}
END_TEST

START_TEST(slow_body)
{
    struct client client;
    server.config.http.body_timeout_ms = 3600000;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, "POST /render HTTP/1.1\r\n" HOST "X-Request-Id: slow\r\n"
                                   "Content-Length: 100\r\n\r\n"));
    for (int i = 0; i < 12; i++) {
        (void)client_send(&client, "{");
        server_turn(&server, 1);
        server.skew_ms += server.config.http.body_timeout_ms / 10;
    }
    expect_timeout(&client);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    const struct http_finished *finished = &server_last(&server, HTTP_FINISHED)->finished;
    ck_assert_int_eq(finished->status, 408);
    ck_assert_str_eq(finished->code, "request_timeout");
    ck_assert_str_eq(finished->request_id, "slow");
    ck_assert_int_eq(finished->route, HTTP_RENDER);
    ck_assert_uint_ge(finished->elapsed_ms, server.config.http.body_timeout_ms);
}
END_TEST

START_TEST(idle_connection)
{
    struct client client;
    struct response response;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, false, &response);
    free(response.body);
    server.skew_ms += server.config.http.keep_alive_ms - 1000;
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, false, &response);
    free(response.body);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 2);
    uint64_t now = uv_now(&server.loop) + server.skew_ms;
    uint64_t deadline = http_deadline_ms(server.http);
    ck_assert_uint_gt(deadline, now + server.config.http.keep_alive_ms - 1000);
    ck_assert_uint_le(deadline, now + server.config.http.keep_alive_ms);
    server.skew_ms += server.config.http.keep_alive_ms + 1;
    ck_assert(client_is_closed(&client)); /* Without a word: nobody asked. */
    client_close(&client);
}
END_TEST

/* A render may take longer than any timeout of the connection. */
START_TEST(suspended_exchange_is_not_timed)
{
    struct client client;
    struct response response;
    server.hold = true;
    server_start(&server);
    uint64_t id = server_hold(&server, &client);
    ck_assert_uint_eq(http_deadline_ms(server.http), UINT64_MAX);
    server.skew_ms += 3600 * 1000;
    for (int i = 0; i < 5; i++)
        server_turn(&server, 1);
    ck_assert(server_reply(&server, id, "at last"));
    client_receive(&client, false, &response);
    ck_assert_str_eq(response.body, "at last");
    free(response.body);
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_uint_ge(server_last(&server, HTTP_FINISHED)->finished.elapsed_ms, 3600 * 1000);
    client_close(&client);
}
END_TEST

/* Takes up to `count` bytes while turning the loop. */
static size_t take(struct client *client, size_t count)
{
    static char bytes[65536];
    size_t taken = 0;
    uint64_t end_ms = uv_hrtime() / 1000000 + SERVER_WAIT_MS;
    while (taken < count && uv_hrtime() / 1000000 < end_ms) {
        ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        taken += got > 0 ? (size_t)got : 0;
        server_turn(&server, got > 0 ? 0 : 1);
    }
    return taken;
}

/* A reader that makes progress is served however long it takes; one that stalls is not. */
START_TEST(slow_reader)
{
    struct client client;
    server.body_bytes = 40 * MIB;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, GET_RENDER));
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_ge(take(&client, 2 * MIB), 2 * MIB);
        server.skew_ms += server.config.http.write_timeout_ms * 6 / 10;
        server_turn(&server, 1);
    }
    ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), 0);
    server.skew_ms += server.config.http.write_timeout_ms + 1;
    server_turn(&server, 1);
    server.skew_ms += server.config.http.write_timeout_ms + 1;
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 0);
    ck_assert_uint_eq(http_open_count(server.http), 0);
    client_close(&client);
}
END_TEST

/* A few bytes now and then are no progress. */
START_TEST(trickling_reader)
{
    struct client client;
    const int small = 4096;
    server.body_bytes = 40 * MIB;
    server.config.http.write_timeout_ms = 3600000;
    server_start(&server);
    client_open(&server, &client);
    (void)setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    ck_assert(client_send(&client, GET_RENDER));
    (void)take(&client, 65536);
    for (int i = 0; i < 3; i++) {
        server.skew_ms += server.config.http.write_timeout_ms + 1;
        server_turn(&server, 1);
        (void)take(&client, 65536);
    }
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 0);
    client_close(&client);
}
END_TEST

START_TEST(large_answer)
{
    struct client client;
    struct response response;
    char value[512];
    server.body_bytes = 20 * MIB;
    server_start(&server);
    client_open(&server, &client);
    for (int i = 0; i < 2; i++) {
        ck_assert(client_send(&client, GET_RENDER));
        client_receive(&client, false, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_str_eq(response_header(&response, "Content-Length", value), "20971520");
        ck_assert_uint_eq(response.body_bytes, 20 * MIB);
        ck_assert_uint_eq(strspn(response.body, "x"), 20 * MIB);
        free(response.body);
    }
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 2);
    ck_assert_uint_eq(server_last(&server, HTTP_FINISHED)->finished.body_bytes, 20 * MIB);
    client_close(&client);
}
END_TEST

/* What does not fit beside the answers that are being sent becomes a small error. */
START_TEST(output_memory_has_an_end)
{
    struct client slow, other;
    struct response response;
    server.config.http.output_memory_bytes_max = 30 * MIB;
    server.body_bytes = 20 * MIB;
    server_start(&server);
    client_open(&server, &slow);
    ck_assert(client_send(&slow, GET_RENDER));
    WAIT_UNTIL(&server, server_count(&server, HTTP_REQUEST) == 1);
    client_open(&server, &other);
    ck_assert(client_send(&other, GET_RENDER));
    client_receive(&other, false, &response);
    ck_assert_int_eq(response.status, 502);
    ck_assert_ptr_nonnull(strstr(response.body, "budget_exceeded"));
    ck_assert_ptr_nonnull(strstr(response.body, "http.output_memory_bytes_max"));
    free(response.body);
    client_receive(&slow, false, &response);
    ck_assert_uint_eq(response.body_bytes, 20 * MIB);
    free(response.body);
    ck_assert(client_send(&other, GET_RENDER)); /* There is room again. */
    client_receive(&other, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&slow);
    client_close(&other);
}
END_TEST

#define MANY 200

/* Answered in another order than they came; half of the clients leave before that. */
START_TEST(many_suspended_exchanges)
{
    static struct client clients[MANY];
    uint64_t ids[MANY];
    struct response response;
    server.hold = true;
    server_start(&server);
    for (size_t i = 0; i < MANY; i++)
        ids[i] = server_hold(&server, &clients[i]);
    ck_assert_uint_eq(http_open_count(server.http), MANY);
    for (size_t i = 1; i < MANY; i++)
        ck_assert_uint_gt(ids[i], ids[i - 1]);
    for (size_t i = 0; i < MANY; i += 2)
        client_close(&clients[i]);
    WAIT_UNTIL(&server, server_count(&server, HTTP_GONE) == MANY / 2);
    WAIT_UNTIL(&server, http_open_count(server.http) == MANY / 2);
    for (size_t i = MANY; i > 0; i--) {
        char body[32];
        snprintf(body, sizeof(body), "answer %zu", i - 1);
        ck_assert(server_reply(&server, ids[i - 1], body) == ((i - 1) % 2 == 1));
    }
    for (size_t i = 1; i < MANY; i += 2) {
        char body[32];
        snprintf(body, sizeof(body), "answer %zu", i);
        client_receive(&clients[i], false, &response);
        ck_assert_str_eq(response.body, body);
        free(response.body);
        client_close(&clients[i]);
    }
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == MANY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http life");
    TCase *tests = tcase_create("life");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, client_leaves_while_suspended, 0, LEAVINGS);
    tcase_add_test(tests, client_leaves_as_it_is_answered);
    tcase_add_test(tests, client_leaves_while_it_is_sent);
    tcase_add_test(tests, client_leaves_while_it_asks);
    tcase_add_test(tests, slow_head);
    tcase_add_test(tests, silent_connection);
    tcase_add_test(tests, slow_body);
    tcase_add_test(tests, idle_connection);
    tcase_add_test(tests, suspended_exchange_is_not_timed);
    tcase_add_test(tests, slow_reader);
    tcase_add_test(tests, trickling_reader);
    tcase_add_test(tests, large_answer);
    tcase_add_test(tests, output_memory_has_an_end);
    tcase_add_test(tests, many_suspended_exchanges);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
