/* http_client.c: see http_client.h. */
#include "tests/http_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* Answers a render with its URL, or with as many bytes as the test asked for. */
static void answer(struct server *server, uint64_t exchange, const struct http_request *request)
{
    const char *text = request->params.url ? request->params.url : "";
    size_t bytes = server->body_bytes > 0 ? server->body_bytes : strlen(text);
    char *body = malloc(bytes + 1);
    ck_assert_ptr_nonnull(body);
    memset(body, 'x', bytes);
    if (server->body_bytes == 0)
        memcpy(body, text, bytes);
    struct http_reply reply = {.status = 200,
                               .content_type = "text/html; charset=utf-8",
                               .body = body,
                               .body_bytes = bytes};
    if (request->route == HTTP_AFFINITY_DELETE)
        reply = (struct http_reply){.status = 204, .body = body, .body_bytes = bytes};
    ck_assert(http_reply(server->http, exchange, &reply));
}

static void remember_params(struct server *server, const struct render_params *params)
{
    snprintf(server->url, sizeof(server->url), "%s", params->url);
    snprintf(server->affinity, sizeof(server->affinity), "%s",
             params->affinity ? params->affinity : "");
    server->params = *params;
    server->params.url = server->params.affinity = NULL;
}

static void on_event(void *owner, const struct http_event *event)
{
    struct server *server = owner;
    ck_assert_uint_lt(server->seen_count, SERVER_EVENTS_MAX);
    struct seen *seen = &server->seen[server->seen_count++];
    *seen = (struct seen){
        .type = event->type, .exchange = event->exchange, .finished = event->finished};
    if (event->type != HTTP_REQUEST)
        return;
    seen->request = *event->request;
    if (event->request->route == HTTP_RENDER)
        remember_params(server, &event->request->params);
    if (!server->hold)
        answer(server, event->exchange, event->request);
    render_params_free(&event->request->params);
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static void turn(struct server *server)
{
    if (!server->http)
        return;
    uv_update_time(&server->loop);
    uint64_t now = uv_now(&server->loop) + server->skew_ms;
    http_turn(server->http, now);
    uint64_t deadline = http_deadline_ms(server->http);
    if (deadline == UINT64_MAX)
        (void)uv_timer_stop(&server->timer);
    else
        (void)uv_timer_start(&server->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
    turn(prepare->data);
}

static void on_check(uv_check_t *check)
{
    turn(check->data);
}

/* Open descriptors of this process; the one that lists them is always among them. */
static size_t descriptors_count(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

void server_defaults(struct server *server)
{
    static char *const no_environment[] = {NULL};
    char *arguments[] = {"test", "--http.listen=127.0.0.1:0", "--config=/dev/null"};
    char error[CONFIG_ERROR_BYTES];
    enum config_verb verb;
    memset(server, 0, sizeof(*server));
    int result = config_load(3, arguments, no_environment, &server->config, &verb, error);
    ck_assert_msg(result == 0, "%s", error);
    /* The first loop of a process opens the pipe of its signals, for good. */
    ck_assert_int_eq(uv_loop_init(&server->loop), 0);
    ck_assert_int_eq(uv_loop_close(&server->loop), 0);
    server->descriptors_count = descriptors_count();
    ck_assert_int_eq(uv_loop_init(&server->loop), 0);
}

int server_try_start(struct server *server, const int *fds, size_t count,
                     char error[CONFIG_ERROR_BYTES])
{
    int result = http_new(&server->loop, &server->config, fds, count, on_event, server,
                          &server->http, error);
    if (result != 0)
        return result;
    uv_prepare_init(&server->loop, &server->prepare);
    uv_check_init(&server->loop, &server->check);
    uv_timer_init(&server->loop, &server->timer);
    server->prepare.data = server->check.data = server;
    uv_prepare_start(&server->prepare, on_prepare);
    uv_check_start(&server->check, on_check);
    return 0;
}

void server_start(struct server *server)
{
    char error[CONFIG_ERROR_BYTES] = "";
    int result = server_try_start(server, NULL, 0, error);
    ck_assert_msg(result == 0, "%s", error);
}

void server_turn(struct server *server, int wait_ms)
{
    struct pollfd loop = {.fd = uv_backend_fd(&server->loop), .events = POLLIN};
    (void)uv_run(&server->loop, UV_RUN_NOWAIT);
    int timeout = uv_backend_timeout(&server->loop);
    if (timeout < 0 || timeout > wait_ms)
        timeout = wait_ms;
    (void)poll(&loop, 1, timeout);
    (void)uv_run(&server->loop, UV_RUN_NOWAIT);
}

void server_stop(struct server *server)
{
    if (server->http) {
        http_close(server->http);
        WAIT_UNTIL(server, http_is_closed(server->http));
        ck_assert_uint_eq(http_open_count(server->http), 0);
        size_t requests = server_count(server, HTTP_REQUEST);
        ck_assert_uint_ge(server_count(server, HTTP_FINISHED), requests);
        http_free(server->http);
        server->http = NULL;
        uv_close((uv_handle_t *)&server->prepare, NULL);
        uv_close((uv_handle_t *)&server->check, NULL);
        uv_close((uv_handle_t *)&server->timer, NULL);
    }
    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&server->loop), 0);
    config_free(&server->config);
    ck_assert_uint_eq(descriptors_count(), server->descriptors_count);
}

uint16_t server_port(const struct server *server)
{
    const char *colon = strrchr(http_address(server->http, 0), ':');
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

size_t server_count(const struct server *server, enum http_event_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < server->seen_count; i++)
        count += server->seen[i].type == type ? 1 : 0;
    return count;
}

const struct seen *server_last(const struct server *server, enum http_event_type type)
{
    for (size_t i = server->seen_count; i > 0; i--) {
        if (server->seen[i - 1].type == type)
            return &server->seen[i - 1];
    }
    return NULL;
}

bool server_reply(struct server *server, uint64_t exchange, const char *body)
{
    const struct http_reply reply = {.status = 200,
                                     .content_type = "text/html; charset=utf-8",
                                     .body = strdup(body),
                                     .body_bytes = strlen(body)};
    return http_reply(server->http, exchange, &reply);
}

static void connect_to(struct server *server, struct client *client, const struct sockaddr *address,
                       socklen_t length)
{
    *client = (struct client){.server = server, .size = 65536};
    client->data = calloc(1, client->size);
    client->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(client->fd, 0);
    /* Completes without the server: the kernel accepts into the backlog. */
    ck_assert_msg(connect(client->fd, address, length) == 0, "connect: %s", strerror(errno));
}

void client_open(struct server *server, struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    connect_to(server, client, (const struct sockaddr *)&address, sizeof(address));
}

void client_open_unix(struct server *server, struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    connect_to(server, client, (const struct sockaddr *)&address, sizeof(address));
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    free(client->data);
    client->data = NULL;
}

bool client_send_bytes(struct client *client, const char *bytes, size_t count)
{
    uint64_t end_ms = now_ms() + SERVER_WAIT_MS;
    while (count > 0) {
        ssize_t sent = send(client->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        ck_assert_msg(now_ms() < end_ms, "the server does not read");
        bytes += sent > 0 ? sent : 0;
        count -= sent > 0 ? (size_t)sent : 0;
        if (sent < 0)
            server_turn(client->server, 1);
    }
    return true;
}

bool client_send(struct client *client, const char *text)
{
    return client_send_bytes(client, text, strlen(text));
}

/* Takes what is there, then turns the loop. False at the end of the connection. */
static bool receive_some(struct client *client)
{
    if (client->bytes + 1 == client->size) {
        client->size *= 2;
        client->data = realloc(client->data, client->size);
        ck_assert_ptr_nonnull(client->data);
    }
    ssize_t got = recv(client->fd, client->data + client->bytes, client->size - client->bytes - 1,
                       MSG_DONTWAIT);
    if (got > 0) {
        client->bytes += (size_t)got;
        client->data[client->bytes] = '\0';
        return true;
    }
    if (got == 0 || errno != EAGAIN) {
        client->eof = true;
        return false;
    }
    server_turn(client->server, 1);
    return true;
}

const char *response_header(const struct response *response, const char *name, char ret[512])
{
    const char *line = response->head;
    size_t length = strlen(name);
    while ((line = strstr(line, "\r\n"))) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1 + strspn(line + length + 1, " ");
        snprintf(ret, 512, "%.*s", (int)strcspn(line, "\r"), line);
        return ret;
    }
    return NULL;
}

static void consume(struct client *client, size_t count)
{
    ck_assert_uint_le(count, client->bytes);
    memmove(client->data, client->data + count, client->bytes - count + 1);
    client->bytes -= count;
}

void client_receive(struct client *client, bool is_head, struct response *ret)
{
    uint64_t end_ms = now_ms() + SERVER_WAIT_MS;
    const char *blank = NULL;
    char value[512];
    ret->body = NULL;
    while (!(blank = strstr(client->data, "\r\n\r\n")) && now_ms() < end_ms) {
        if (!receive_some(client))
            break;
    }
    blank = strstr(client->data, "\r\n\r\n");
    ck_assert_msg(blank, "no response; got \"%s\"%s", client->data, client->eof ? " and EOF" : "");
    size_t head_bytes = (size_t)(blank - client->data) + 4;
    ck_assert_uint_lt(head_bytes, sizeof(ret->head));
    memcpy(ret->head, client->data, head_bytes);
    ret->head[head_bytes] = '\0';
    ck_assert_int_eq(strncmp(ret->head, "HTTP/1.1 ", 9), 0);
    ret->status = (int)strtol(ret->head + 9, NULL, 10);
    consume(client, head_bytes);
    bool has_length = response_header(ret, "Content-Length", value) != NULL;
    ret->body_bytes = has_length && !is_head ? strtoul(value, NULL, 10) : 0;
    while (client->bytes < ret->body_bytes && now_ms() < end_ms && receive_some(client)) {
    }
    ck_assert_uint_ge(client->bytes, ret->body_bytes);
    ret->body = malloc(ret->body_bytes + 1);
    memcpy(ret->body, client->data, ret->body_bytes);
    ret->body[ret->body_bytes] = '\0';
    consume(client, ret->body_bytes);
}

bool client_is_closed(struct client *client)
{
    uint64_t end_ms = now_ms() + SERVER_WAIT_MS;
    while (!client->eof && now_ms() < end_ms)
        (void)receive_some(client);
    return client->eof && client->bytes == 0;
}

void client_request(struct server *server, const char *text, struct response *ret, char *body,
                    size_t body_size)
{
    struct client client;
    bool is_head = strncmp(text, "HEAD ", 5) == 0;
    client_open(server, &client);
    ck_assert(client_send(&client, text));
    client_receive(&client, is_head, ret);
    if (body)
        snprintf(body, body_size, "%s", ret->body);
    free(ret->body);
    ret->body = NULL;
    client_close(&client);
}

uint64_t server_hold(struct server *server, struct client *ret)
{
    size_t before = server_count(server, HTTP_REQUEST);
    client_open(server, ret);
    ck_assert(client_send(ret, GET_RENDER));
    WAIT_UNTIL(server, server_count(server, HTTP_REQUEST) == before + 1);
    return server_last(server, HTTP_REQUEST)->exchange;
}

char *client_post(const char *headers, const char *body)
{
    char *text = NULL;
    ck_assert_int_gt(asprintf(&text,
                              "POST /render HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s",
                              headers, strlen(body), body),
                     0);
    return text;
}
