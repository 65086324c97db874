/* client.h: outgoing requests to one server, such as a fleet manager; one at a time, so
 * that they arrive in the order in which they were made.
 *
 * A libwebsockets HTTP/1.1 client on the caller's libuv loop. Names are looked up without
 * blocking the loop. A result is the status and two headers; the body is not read: the
 * connection is closed once the head is there. Redirects are not followed.
 *
 *   IDLE --http_client_start--> BUSY --head, failure, deadline--> DONE --take--> IDLE
 *
 * Callbacks only collect; the owner calls http_client_turn() and takes the result. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* A request target: the path of the server's URL, a key and a URL of ours, both
 * percent-encoded threefold, and some numbers. */
#define HTTP_CLIENT_TARGET_BYTES 8192
/* A header value longer than this counts as absent. */
#define HTTP_CLIENT_VALUE_BYTES 256

struct http_client;

struct http_call {
    const char *method; /* Static. */
    const char *target; /* After the path of the server's URL: "/x?y"; copied. */
    const char *type;   /* Content-Type and Accept; static; NULL: no body. */
    char *body;         /* Taken, also on failure. */
    size_t body_bytes;
    uint32_t timeout_ms; /* For all of it, the lookup of the name included. */
};

struct http_result {
    int status;                               /* 0: no answer; `error` says why. */
    char host_shell[HTTP_CLIENT_VALUE_BYTES]; /* X-Boxel-Prerender-Host-Shell-Hash, or "". */
    char server_id[HTTP_CLIENT_VALUE_BYTES];  /* X-Prerender-Server-Id, or "". */
    char error[96];
};

/* `url` is http://HOST[:PORT][/PATH]. NULL when it is no such URL, when memory runs out, or
 * when libwebsockets has no libuv support here. */
struct http_client *http_client_new(uv_loop_t *, const char *url);
/* True when a request can be started: none runs, and the last result was taken. */
bool http_client_is_idle(const struct http_client *);
/* Only when idle. A request that cannot even be started has a result as any other. */
void http_client_start(struct http_client *, uint64_t now_ms, const struct http_call *);
/* Ends a request whose deadline has come. */
void http_client_turn(struct http_client *, uint64_t now_ms);
/* When the next turn is due; 0: a result is there to be taken. */
uint64_t http_client_deadline_ms(const struct http_client *);
/* False when there is no result. */
bool http_client_take(struct http_client *, struct http_result *ret);
/* Starts closing; what runs is given up. http_client_is_closed() turns true some loop
 * turns later, then http_client_free(). */
void http_client_close(struct http_client *);
bool http_client_is_closed(const struct http_client *);
void http_client_free(struct http_client *);

#endif
