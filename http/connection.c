/* connection.c: the clock of each accepted socket, and noticing that its client left.
 *
 * MHD knows one timeout per connection, in whole seconds, and restarts it at every byte.
 * The deadlines here are absolute instead: a head or body that trickles ends all the
 * same. All connections on one clock have the same duration, so each clock is a list
 * that is in order of deadlines because its members were appended in order of time. */
#include "http/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "http/judge.h"
#include "http/progress.h"

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    assert(info);
    return info->socket_context;
}

static uint64_t clock_duration_ms(const struct http *http, enum connection_clock clock)
{
    switch (clock) {
    case CLOCK_HEAD:
        return http->config->http.head_timeout_ms;
    case CLOCK_BODY:
        return http->config->http.body_timeout_ms;
    case CLOCK_WRITE:
        return http->config->http.write_timeout_ms;
    case CLOCK_KEEP_ALIVE:
        return http->config->http.keep_alive_ms;
    case CLOCK_NONE:
    case CLOCKS:
        break;
    }
    return UINT64_MAX;
}

void connection_set_clock(struct connection *connection, enum connection_clock clock)
{
    struct http *http = connection->http;
    assert((unsigned)clock < CLOCKS);
    if (connection->clock != CLOCK_NONE)
        TAILQ_REMOVE(&http->clocks[connection->clock], connection, clock_entry);
    connection->clock = clock;
    connection->deadline_ms = UINT64_MAX;
    if (clock == CLOCK_NONE)
        return;
    connection->deadline_ms = http->now_ms + clock_duration_ms(http, clock);
    if (clock == CLOCK_WRITE)
        connection->acked_bytes = progress_acked_bytes(connection->fd);
    TAILQ_INSERT_TAIL(&http->clocks[clock], connection, clock_entry);
}

static void on_client_left(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    /* A reset makes libuv report an error instead of UV_DISCONNECT. */
    if (status == 0 && !(events & UV_DISCONNECT))
        return;
    connection_unwatch(connection);
    if (connection->exchange)
        exchange_leave(connection->exchange);
}

/* One handle serves all exchanges of the connection: closing it takes until the end of the
 * loop's turn, and the next exchange can be there before that. */
void connection_watch(struct connection *connection)
{
    struct http *http = connection->http;
    if (!connection->poll_is_open) {
        if (uv_poll_init(http->loop, &connection->poll, connection->fd) != 0)
            return; /* Out of memory: this one client is only missed when it is answered. */
        connection->poll.data = connection;
        connection->poll_is_open = true;
        http->handles_count++;
    }
    (void)uv_poll_start(&connection->poll, UV_DISCONNECT, on_client_left);
}

void connection_unwatch(struct connection *connection)
{
    if (connection->poll_is_open)
        (void)uv_poll_stop(&connection->poll);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct http *http = connection->http;
    free(connection);
    http_handle_closed(http);
}

static struct connection *connection_new(struct listener *listener, struct MHD_Connection *mhd)
{
    struct http *http = listener->http;
    struct connection *connection = calloc(1, sizeof(*connection));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    assert(info);
    if (!connection)
        return NULL;
    connection->http = http;
    connection->listener = listener;
    connection->mhd = mhd;
    connection->fd = info->connect_fd;
    http->connections_count++;
    connection_set_clock(connection, CLOCK_HEAD);
    return connection;
}

static void connection_end(struct connection *connection)
{
    struct http *http = connection->http;
    assert(!connection->exchange);
    assert(http->connections_count > 0);
    connection_set_clock(connection, CLOCK_NONE);
    http->connections_count--;
    connection->fd = -1;
    connection->mhd = NULL;
    if (!connection->poll_is_open) {
        free(connection);
        return;
    }
    (void)uv_poll_stop(&connection->poll);
    uv_close((uv_handle_t *)&connection->poll, on_closed);
}

void connection_notify(void *context, struct MHD_Connection *mhd, void **ret_context,
                       enum MHD_ConnectionNotificationCode code)
{
    switch (code) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        *ret_context = connection_new(context, mhd);
        break;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        if (*ret_context)
            connection_end(*ret_context);
        /* MHD that had stopped to accept, at its limit or for want of descriptors, looks at
         * its listening socket again only when it is run again. */
        ((struct listener *)context)->wants_run = true;
        *ret_context = NULL;
        break;
    }
}

void connection_drop(struct connection *connection)
{
    assert(connection->fd >= 0);
    connection_set_clock(connection, CLOCK_NONE);
    (void)shutdown(connection->fd, SHUT_RDWR);
    connection->listener->wants_run = true;
}

/* What a client did not take is thrown away at once rather than kept by the kernel. */
static void connection_reset(struct connection *connection)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    connection_drop(connection);
}

static void write_raw(struct connection *connection, const struct http_problem *problem)
{
    struct exchange *exchange = connection->exchange;
    char id[REQUEST_ID_BYTES_MAX + 1], head[512];
    judge_request_id(exchange ? exchange->request.request_id : NULL, id);
    struct http_reply reply;
    problem_reply(problem, id, exchange ? exchange->request.route : HTTP_ROUTE_NONE,
                  exchange && exchange->wants_plain, &reply);
    int length =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: "
                 "no-store\r\nConnection: close\r\nX-Request-Id: %s\r\n\r\n",
                 reply.status, reply.code, reply.content_type, reply.body_bytes, id);
    assert(length > 0 && (size_t)length < sizeof(head));
    if (reply.body) {
        bool has_body = !exchange || !exchange->request.head;
        /* Nothing else was sent on this connection since its last reply: it takes this. */
        (void)send(connection->fd, head, (size_t)length,
                   MSG_DONTWAIT | MSG_NOSIGNAL | (has_body ? MSG_MORE : 0));
        if (has_body)
            (void)send(connection->fd, reply.body, reply.body_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    free(reply.body);
    if (exchange) {
        memcpy(exchange->request.request_id, id, sizeof(id));
        exchange->status = reply.status;
        exchange->code = reply.code;
        exchange->raw_bytes = reply.body_bytes;
    }
}

void connection_reply_raw(struct connection *connection, enum http_code code, const char *detail)
{
    const struct http_problem problem = {.code = code, .detail = detail};
    if (!connection->exchange || !connection->exchange->is_refused)
        write_raw(connection, &problem);
    connection_drop(connection);
}

void connection_refuse(struct connection *connection)
{
    assert(connection->exchange && !connection->exchange->is_refused);
    const struct http_problem problem = fault_problem(&connection->exchange->fault);
    write_raw(connection, &problem);
    (void)shutdown(connection->fd, SHUT_WR);
    connection->exchange->is_refused = true;
}

/* A Unix socket does not tell how much was taken: there the whole reply has this time. */
static void write_expired(struct connection *connection)
{
    const struct http *http = connection->http;
    uint64_t needed = (uint64_t)http->config->http.write_timeout_ms * WRITE_BYTES_PER_SECOND_MIN;
    uint64_t taken = progress_acked_bytes(connection->fd) - connection->acked_bytes;
    if (connection->listener->endpoint.tcp && taken >= needed / 1000)
        connection_set_clock(connection, CLOCK_WRITE);
    else
        connection_reset(connection);
}

/* Who opened a connection in advance and never asked is owed no answer. */
static void head_expired(struct connection *connection)
{
    if (!connection->exchange && progress_is_silent(connection->fd))
        connection_drop(connection);
    else
        connection_reply_raw(connection, HTTP_REQUEST_TIMEOUT,
                             "The head of the request did not arrive in time (knob "
                             "http.head_timeout_ms).");
}

static void connection_expire(struct connection *connection)
{
    switch (connection->clock) {
    case CLOCK_HEAD:
        head_expired(connection);
        break;
    case CLOCK_BODY:
        connection_reply_raw(
            connection, HTTP_REQUEST_TIMEOUT,
            "The body of the request did not arrive in time (knob http.body_timeout_ms).");
        break;
    case CLOCK_WRITE:
        write_expired(connection);
        break;
    case CLOCK_KEEP_ALIVE:
        connection_drop(connection);
        break;
    case CLOCK_NONE:
    case CLOCKS:
        abort(); /* Only a clock that runs can expire. */
    }
}

void connections_expire(struct http *http)
{
    for (size_t clock = CLOCK_NONE + 1; clock < CLOCKS; clock++) {
        struct connection *first = TAILQ_FIRST(&http->clocks[clock]);
        while (first && first->deadline_ms <= http->now_ms) {
            connection_expire(first);
            assert(first->clock == CLOCK_NONE || first->deadline_ms > http->now_ms);
            first = TAILQ_FIRST(&http->clocks[clock]);
        }
    }
}

uint64_t connections_deadline_ms(const struct http *http)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t clock = CLOCK_NONE + 1; clock < CLOCKS; clock++) {
        const struct connection *first = TAILQ_FIRST(&http->clocks[clock]);
        if (first && first->deadline_ms < deadline_ms)
            deadline_ms = first->deadline_ms;
    }
    return deadline_ms;
}

void connections_drop_idle(struct http *http)
{
    struct connection *first = TAILQ_FIRST(&http->clocks[CLOCK_KEEP_ALIVE]);
    while (first) {
        connection_drop(first);
        first = TAILQ_FIRST(&http->clocks[CLOCK_KEEP_ALIVE]);
    }
}
