/* http_client.h: an HTTP face on a loop of the test's own, and raw clients for it.
 *
 * Everything runs in one thread: a client that waits turns the server's loop, so nothing
 * is raced and state can be looked at between any two steps. `skew_ms` moves the clock
 * that the server sees, so that no test waits for a timeout. */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "config/config.h"
#include "http/http.h"

#define SERVER_WAIT_MS 5000 /* Longest wait for anything; far more than it ever takes. */
#define SERVER_EVENTS_MAX 2048

struct server;

/* What the server was asked and told, in order. */
struct seen {
    enum http_event_type type;
    uint64_t exchange;
    struct http_request request;   /* HTTP_REQUEST, without the strings of .params. */
    struct http_finished finished; /* HTTP_FINISHED. */
};

struct server {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    struct config config;
    struct http *http;
    uint64_t skew_ms;
    size_t descriptors_count; /* Of the process, before the server was there. */
    bool hold;                /* Requests wait for the test to answer. */
    size_t body_bytes;        /* Of the answer to a render; 0: its URL. */
    struct seen seen[SERVER_EVENTS_MAX];
    size_t seen_count;
    char url[1024]; /* Of the last render. */
    char affinity[AFFINITY_KEY_BYTES_MAX + 1];
    struct render_params params; /* Of the last render, without strings. */
};

/* Defaults of the knobs, on a free port of 127.0.0.1. */
void server_defaults(struct server *);
/* Starts with the knobs as they are by now; `fds` as in http_new(). Fails the test. */
void server_start(struct server *);
int server_try_start(struct server *, const int *fds, size_t count, char error[CONFIG_ERROR_BYTES]);
/* Closes and checks that nothing is left: events, descriptors, handles. */
void server_stop(struct server *);
/* Turns the loop once, waiting at most `wait_ms` for something to happen. */
void server_turn(struct server *, int wait_ms);
uint16_t server_port(const struct server *);
size_t server_count(const struct server *, enum http_event_type);
/* The last event of that type, or NULL. */
const struct seen *server_last(const struct server *, enum http_event_type);
/* Answers a held exchange with a small document. */
bool server_reply(struct server *, uint64_t exchange, const char *body);

/* Turns the loop until the condition holds; fails the test when it does not in time. */
#define WAIT_UNTIL(server, condition)                                                              \
    do {                                                                                           \
        uint64_t wait_end_ms_ = uv_hrtime() / 1000000 + SERVER_WAIT_MS;                            \
        while (!(condition) && uv_hrtime() / 1000000 < wait_end_ms_)                               \
            server_turn(server, 5);                                                                \
        ck_assert_msg(condition, "in %d ms not: %s", SERVER_WAIT_MS, #condition);                  \
    } while (0)

struct client {
    struct server *server;
    int fd;
    char *data; /* Received and not yet consumed; NUL-terminated. */
    size_t bytes, size;
    bool eof;
};

struct response {
    int status;
    char head[4096];
    char *body; /* NUL-terminated; the caller frees it. */
    size_t body_bytes;
};

void client_open(struct server *, struct client *);
void client_open_unix(struct server *, struct client *, const char *path);
void client_close(struct client *);
/* Sends all of it, turning the loop while the socket is full; false when it was closed. */
bool client_send_bytes(struct client *, const char *bytes, size_t count);
bool client_send(struct client *, const char *text);
/* The next response, whole; `is_head`: it has no body whatever its Content-Length.
 * Fails the test when none comes. */
void client_receive(struct client *, bool is_head, struct response *);
/* Waits for the server to close the connection; true if nothing else came. */
bool client_is_closed(struct client *);
/* The value of a header of the response, or NULL; into a buffer of the response's own. */
const char *response_header(const struct response *, const char *name, char ret[512]);
/* Sends one whole request on a new connection and closes it. */
void client_request(struct server *, const char *text, struct response *, char *body,
                    size_t body_size);

#define HOST "Host: 127.0.0.1\r\n"
#define GET_RENDER "GET /render?url=http://h.test/ HTTP/1.1\r\n" HOST "\r\n"

/* Opens a client whose GET_RENDER waits for the test to answer; returns its exchange. */
uint64_t server_hold(struct server *, struct client *ret);
/* The bytes of a whole POST /render, from malloc(). `headers` are whole lines. */
char *client_post(const char *headers, const char *body);

#endif
