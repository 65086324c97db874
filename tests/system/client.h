/* client.h: the HTTP client of the system tests, over libcurl.
 *
 * One request at a time with client_perform(), many at once with a flight. What libcurl
 * would refuse to send goes through client_raw(). Proxies of the environment are never
 * used. */
#ifndef TESTS_SYSTEM_CLIENT_H
#define TESTS_SYSTEM_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_HEADERS_MAX 8

/* What to send. Zero values: GET, no body, no further headers, 60 s. All borrowed for the call. */
struct client_request {
    const char *method; /* NULL: POST with a body, else GET. */
    const char *path;   /* Sent as it is; begins with "/". */
    const char *body;
    const char *headers[CLIENT_HEADERS_MAX]; /* "Name: value", NULL after the last. */
    uint64_t timeout_ms;
};

struct client_reply {
    long status;     /* 0: no answer; `error` says why. */
    bool is_reached; /* A connection was made: the peer may have acted, answer or not. */
    char *head;      /* Status line and headers; never NULL. */
    char *body;      /* NUL-terminated for convenience; never NULL. */
    size_t head_bytes, body_bytes;
    uint64_t sent_ns, done_ns; /* Monotonic clock: request handed over, answer complete. */
    char error[256];
};

/* `address` is "http://HOST:PORT" or "unix:/path". */
void client_perform(const char *address, const struct client_request *, struct client_reply *ret);
/* POST /render with the JSON that json_pack() makes of `format`. */
void client_render(const char *address, struct client_reply *ret, const char *format, ...);
void client_reply_free(struct client_reply *);
/* The value of a header, or NULL; `name` without colon, in any case. Valid until the next
 * call of this function. */
const char *client_header(const struct client_reply *, const char *name);
/* The body as a JSON tree, which the caller decrefs. Ends the test when it is none. */
json_t *client_json(const struct client_reply *);

/* Connects, sends these bytes as they are, and reads until the peer closes, `timeout_ms`
 * has passed or `ret` is full. Returns the bytes read; the text ends with a NUL. */
size_t client_raw(const char *address, const char *bytes, size_t bytes_count, uint64_t timeout_ms,
                  char *ret, size_t ret_bytes);

/* Requests that run at the same time, each on a connection of its own. A request is sent
 * before flight_start() returns; answers are read by flight_pump() and the waits only. */
struct flight;

struct flight *flight_new(const char *address);
/* Sends a request and returns its index, counting from 0. */
size_t flight_start(struct flight *, const struct client_request *);
size_t flight_render(struct flight *, const char *format, ...);
/* As flight_render(), with `accept` as the Accept header. */
size_t flight_render_as(struct flight *, const char *accept, const char *format, ...);
/* Moves all of them for at most that long; returns when something happened. */
void flight_pump(struct flight *, uint64_t timeout_ms);
/* False when the time was up first. */
bool flight_wait(struct flight *, size_t index, uint64_t timeout_ms);
bool flight_wait_all(struct flight *, uint64_t timeout_ms);
bool flight_is_done(const struct flight *, size_t index);
size_t flight_count(const struct flight *);
/* Closes the connection of a request without waiting for its answer. */
void flight_drop(struct flight *, size_t index);
/* The answer so far; final once the request is done. Borrowed from the flight. */
const struct client_reply *flight_reply(const struct flight *, size_t index);
void flight_free(struct flight *);

#endif
