/* test_http_listen.c: how listeners begin and end: sockets of every kind, who may be let
 * in from where, limits, quiescing and closing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

START_TEST(connections_have_a_limit)
{
    struct client clients[5], late;
    struct response response;
    server.config.http.connections_max = 5;
    server.config.http.head_timeout_ms = 3600000; /* Nothing else makes room. */
    server_start(&server);
    for (int i = 0; i < 5; i++)
        client_open(&server, &clients[i]);
    WAIT_UNTIL(&server, http_open_count(server.http) == 5);
    client_open(&server, &late);
    ck_assert(client_send(&late, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    for (int i = 0; i < 10; i++)
        server_turn(&server, 1);
    ck_assert_uint_eq(http_open_count(server.http), 5);
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
    client_close(&clients[0]); /* Its place is taken by the one that waits. */
    client_receive(&late, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&late);
    for (int i = 1; i < 5; i++)
        client_close(&clients[i]);
}
END_TEST

/* Nobody can be let in while no descriptor is left; the loop sleeps until one may be. */
START_TEST(no_descriptor_left)
{
    struct client client;
    struct response response;
    struct rlimit limit;
    int ready_count = 0;
    server_start(&server);
    server_turn(&server, 0);
    struct pollfd loop = {.fd = uv_backend_fd(&server.loop), .events = POLLIN};
    client_open(&server, &client);
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(client.fd);
    ck_assert_int_ge(next, 0);
    close(next);
    const struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 100; i++) {
        server_turn(&server, 0);
        ready_count += poll(&loop, 1, 0);
    }
    ck_assert_uint_eq(http_open_count(server.http), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_lt(ready_count, 50);
    server.skew_ms += 1000;
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&client);
}
END_TEST

START_TEST(quiesce)
{
    struct client idle, busy, refused;
    struct response response;
    char value[512];
    server_start(&server);
    client_open(&server, &idle);
    ck_assert(client_send(&idle, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&idle, false, &response);
    free(response.body);
    server.hold = true;
    uint64_t id = server_hold(&server, &busy);
    uint16_t port = server_port(&server);
    http_quiesce(server.http);
    http_quiesce(server.http);
    ck_assert(client_is_closed(&idle));
    client_close(&idle);
    WAIT_UNTIL(&server, http_open_count(server.http) == 1);
    ck_assert_ptr_nonnull(http_address(server.http, 0));
    refused.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_lt(connect(refused.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(errno, ECONNREFUSED);
    close(refused.fd);
    ck_assert(server_reply(&server, id, "the last"));
    client_receive(&busy, false, &response);
    ck_assert_str_eq(response.body, "the last");
    ck_assert_str_eq(response_header(&response, "Connection", value), "close");
    free(response.body);
    ck_assert(client_is_closed(&busy));
    client_close(&busy);
    WAIT_UNTIL(&server, http_open_count(server.http) == 0);
}
END_TEST

/* Closing with exchanges in every state; server_stop() finds nothing left. */
START_TEST(close_drops_everything)
{
    struct client clients[6];
    server.hold = true;
    server_start(&server);
    (void)server_hold(&server, &clients[0]);
    uint64_t answered = server_hold(&server, &clients[1]);
    client_open(&server, &clients[2]);
    client_open(&server, &clients[3]);
    ck_assert(client_send(&clients[3], "GET /render HTTP/1.1\r\nHo"));
    client_open(&server, &clients[4]);
    ck_assert(
        client_send(&clients[4], "POST /render HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n{"));
    server.hold = false;
    server.body_bytes = 20 * MIB;
    client_open(&server, &clients[5]);
    ck_assert(client_send(&clients[5], GET_RENDER GET_RENDER));
    WAIT_UNTIL(&server, server_count(&server, HTTP_REQUEST) == 3);
    WAIT_UNTIL(&server, http_open_count(server.http) == 6);
    ck_assert(server_reply(&server, answered, "never sent"));
    http_close(server.http);
    WAIT_UNTIL(&server, http_is_closed(server.http));
    ck_assert_uint_eq(server_count(&server, HTTP_GONE), 1);
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 3);
    ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), 5);
    for (int i = 0; i < 6; i++)
        client_close(&clients[i]);
}
END_TEST

static void listen_on(const char *text)
{
    free(server.config.http.listen);
    server.config.http.listen = strdup(text);
}

static void no_event(void *owner, const struct http_event *event)
{
    (void)owner;
    ck_abort_msg("event %d of a listener that there is not", (int)event->type);
}

/* A Unix socket needs no Host and knows no cross-origin; a file that a dead process left
 * is replaced, one that is served is not, and the file goes when the server does. */
START_TEST(unix_socket)
{
    char path[64], listen[80];
    struct client client;
    struct response response;
    struct stat status;
    snprintf(path, sizeof(path), P_tmpdir "/test_http_%d.sock", (int)getpid());
    snprintf(listen, sizeof(listen), "unix:%s", path);
    listen_on(listen);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    ck_assert_int_eq(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
    server_start(&server);
    ck_assert_str_eq(http_address(server.http, 0), listen);
    client_open_unix(&server, &client, path);
    ck_assert(client_send(&client, "GET /render?url=http://h.test/ HTTP/1.1\r\nHost: any.name\r\n"
                                   "Origin: https://any.origin\r\n\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    server.hold = true;
    ck_assert(client_send(&client, GET_RENDER));
    WAIT_UNTIL(&server, server_count(&server, HTTP_REQUEST) == 2);
    client_close(&client);
    WAIT_UNTIL(&server, server_count(&server, HTTP_GONE) == 1);

    struct http *second = NULL;
    char error[CONFIG_ERROR_BYTES];
    int result = http_new(&server.loop, &server.config, NULL, 0, no_event, NULL, &second, error);
    ck_assert_int_eq(result, -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(error, path));
    ck_assert_int_eq(stat(path, &status), 0);
    http_close(server.http);
    WAIT_UNTIL(&server, http_is_closed(server.http));
    ck_assert_int_ne(stat(path, &status), 0);
}
END_TEST

/* What is no socket is never removed. */
START_TEST(unix_path_is_a_file)
{
    char path[] = P_tmpdir "/test_http_file_XXXXXX", listen[80], error[CONFIG_ERROR_BYTES];
    int fd = mkstemp(path);
    snprintf(listen, sizeof(listen), "unix:%s", path);
    listen_on(listen);
    ck_assert_int_lt(server_try_start(&server, NULL, 0, error), 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(two_listeners_at_once)
{
    struct client client;
    struct response response;
    char path[64], listen[128];
    snprintf(path, sizeof(path), P_tmpdir "/test_http_two_%d.sock", (int)getpid());
    snprintf(listen, sizeof(listen), "127.0.0.1:0, [::1]:0 unix:%s", path);
    listen_on(listen);
    server_start(&server);
    ck_assert_int_eq(strncmp(http_address(server.http, 1), "http://[::1]:", 13), 0);
    client_open(&server, &client);
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, false, &response);
    free(response.body);
    client_close(&client);
    client_open_unix(&server, &client, path);
    ck_assert(client_send(&client, "GET /healthz HTTP/1.0\r\n\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    ck_assert(client_is_closed(&client));
    client_close(&client);
}
END_TEST

/* As a service manager hands it over: blocking, inherited over exec. */
static int listening_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

START_TEST(inherited_socket)
{
    struct client client;
    struct response response;
    char error[CONFIG_ERROR_BYTES];
    int fd = listening_socket();
    int managers_copy = dup(fd);
    ck_assert_int_eq(server_try_start(&server, &fd, 1, error), 0);
    ck_assert_ptr_null(http_address(server.http, 1)); /* Instead of http.listen. */
    client_open(&server, &client);
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&client);
    http_quiesce(server.http);
    /* The manager's copy still listens: whoever connects waits for the next daemon. */
    int listens = 0;
    socklen_t length = sizeof(listens);
    getsockopt(managers_copy, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
    ck_assert_int_eq(listens, 1);
    close(managers_copy);
}
END_TEST

START_TEST(inherited_socket_must_listen)
{
    char error[CONFIG_ERROR_BYTES] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(server_try_start(&server, &fd, 1, error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error, "not a listening"));
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http listen");
    TCase *tests = tcase_create("listen");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, connections_have_a_limit);
    tcase_add_test(tests, no_descriptor_left);
    tcase_add_test(tests, quiesce);
    tcase_add_test(tests, close_drops_everything);
    tcase_add_test(tests, unix_socket);
    tcase_add_test(tests, unix_path_is_a_file);
    tcase_add_test(tests, two_listeners_at_once);
    tcase_add_test(tests, inherited_socket);
    tcase_add_test(tests, inherited_socket_must_listen);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
