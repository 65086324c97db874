/* http.h: the HTTP face of the daemon.
 *
 * libmicrohttpd without threads on the caller's libuv loop. Each exchange (one HTTP
 * request and its reply) has an id; it is suspended from the moment its request is
 * complete until http_reply(). Whatever can be judged without the pool (method, path,
 * host, origin, tokens, body, parameters) is judged here and answered at once with a
 * typed error; only valid work reaches the daemon. Callbacks collect; http_turn()
 * works; every event goes through `emit`. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "config/config.h"
#include "config/params.h"

struct http;

enum http_route {
    HTTP_ROUTE_NONE, /* Refused before a route was found. */
    HTTP_RENDER,
    HTTP_HEARTBEAT,
    HTTP_AFFINITIES,
    HTTP_AFFINITY_DELETE,
    HTTP_HEALTHZ,
    HTTP_READYZ,
    HTTP_VERSION,
    HTTP_METRICS,
    HTTP_OPENAPI,
    HTTP_PATH_MODE, /* The path is a URL: the prerender.io dialect. */
    HTTP_INDEX,     /* GET /, HEAD /: liveness, or a status page. */
    HTTP_VISIT,     /* The manager's dialect from here on; see http/dialect.h. */
    HTTP_MODULE,
    HTTP_COMMAND,
    HTTP_SCREENSHOT,
    HTTP_RELEASE_BATCH,
    HTTP_ROUTES,
};

/* The path of a route, or a word where there is none; static. For metrics and logs. */
const char *http_route_name(enum http_route);

/* Its requests are renders, with parameters. */
bool http_route_is_render(enum http_route);

/* The interface as an OpenAPI document, from malloc(); NULL when memory is out. */
char *http_openapi(size_t *ret_bytes);

enum http_event_type {
    HTTP_REQUEST,  /* A valid request waits for http_reply(). */
    HTTP_GONE,     /* The client of .exchange went away before its reply; none is wanted. A
                      client that shuts down its sending side counts as gone. */
    HTTP_FINISHED, /* The exchange is over: for the log and the metrics. */
};

/* How what a render made is wanted. */
enum http_accept {
    HTTP_ACCEPT_DOCUMENT, /* The one output itself. */
    HTTP_ACCEPT_ENVELOPE, /* JSON that tells everything. */
    HTTP_ACCEPT_DATA,     /* What prerender.io answers where `javascript` is given. */
};

/* What Accept allows, by output: sets of OUTPUT_BIT(). */
struct http_forms {
    uint32_t acceptable; /* In one form or the other. */
    uint32_t as_itself;  /* And rather not in the envelope. */
    bool envelope;
};

/* The Content-Type of an output; static. */
const char *http_output_type(enum output);

/* Whose a warm context is: said by the attributes of the manager's dialect, or by the
 * parameters auth, batch and clearCache. */
struct http_dialect {
    uint64_t fingerprint; /* Of the realms it has tokens for; 0: none. */
    uint64_t batch;       /* Hash of the batch; 0: none. */
    bool clear_cache;
};

struct http_request {
    enum http_route route;
    char request_id[REQUEST_ID_BYTES_MAX + 1]; /* Theirs if valid, else a new UUID. */
    enum http_accept accept;
    struct http_forms forms;          /* HTTP_RENDER: what it was chosen from. */
    bool gzip;                        /* The client takes it. */
    bool url_decoded;                 /* HTTP_PATH_MODE: the path was decoded once more. */
    bool head;                        /* HEAD: as GET, without a body. */
    bool wants_html;                  /* HTTP_INDEX: a page for a person. */
    struct render_params params;      /* Of what http_route_is_render(): the receiver takes its
                                         strings. */
    struct http_dialect dialect;      /* Zeros elsewhere. */
    char key[AFFINITY_KEY_BYTES_MAX]; /* HTTP_AFFINITY_DELETE, HTTP_RELEASE_BATCH. */
    size_t key_bytes;
    bool retain, wait; /* HTTP_AFFINITY_DELETE. */
};

struct http_finished {
    enum http_route route;
    int status;       /* 0: the client went away first, or never took its answer. */
    const char *code; /* Error code, or "". Static. */
    char request_id[REQUEST_ID_BYTES_MAX + 1];
    uint64_t elapsed_ms; /* From the complete request head to the last byte. */
    uint64_t body_bytes;
};

struct http_event {
    enum http_event_type type;
    uint64_t exchange;
    struct http_request *request;  /* HTTP_REQUEST: borrowed for the call. */
    struct http_finished finished; /* HTTP_FINISHED. */
};

typedef void http_emit(void *owner, const struct http_event *);

/* Binds every listener of the configuration, or takes the `fds_count` inherited sockets
 * (socket activation) instead; an http.listen of "" makes an http that nobody reaches. 0, or a
 * negative errno with one sentence in `error`. The configuration is kept until http_free(). */
int http_new(uv_loop_t *, const struct config *, const int *fds, size_t fds_count, http_emit *,
             void *owner, struct http **ret, char error[CONFIG_ERROR_BYTES]);
/* The addresses really bound, one URL each ("http://127.0.0.1:4221", "unix:/run/x").
 * Borrowed; NULL past the last. */
const char *http_address(const struct http *, size_t index);
/* Reads the tokens file again. 0, or a negative errno; the old tokens then stay. */
int http_reload_tokens(struct http *);
/* One sentence on why the last reload failed; "" when it did not. Borrowed. */
const char *http_tokens_error(const struct http *);

/* Everything happens in here: MHD runs, events are emitted. `emit` may call http_reply(),
 * http_quiesce() and http_close(), but not http_turn(). */
void http_turn(struct http *, uint64_t now_ms);
/* When the next turn is due; at once (0) after http_reply() and whenever work is left. */
uint64_t http_deadline_ms(const struct http *);

/* One header of a reply; both strings are copied. One that is empty or holds control
 * characters is left out: what a page can influence must not keep its answer back. */
struct http_header {
    const char *name, *value;
};

struct http_reply {
    int status;
    const char *content_type;          /* NULL: no body at all. */
    const struct http_header *headers; /* Copied. */
    size_t headers_count;
    char *body; /* Taken: freed with free() when it was sent, also when the client is gone. */
    size_t body_bytes;
    const char *code; /* Error code for HTTP_FINISHED; static; NULL: none. */
};
/* Answers an exchange. False when it is gone already; the body is freed all the same.
 * X-Request-Id, Content-Length and Connection are added here. When the answers that are
 * being sent would exceed http.output_memory_bytes_max, the client gets the problem
 * budget_exceeded instead: the render ran, so it must not look as if it never started. */
bool http_reply(struct http *, uint64_t exchange, const struct http_reply *);

/* Error codes of the interface, one table row each (http/problem.c). */
enum http_code {
    HTTP_BAD_JSON,
    HTTP_UNKNOWN_PARAM,
    HTTP_INVALID_PARAM,
    HTTP_INVALID_URL,
    HTTP_UNAUTHORIZED,
    HTTP_URL_DENIED,
    HTTP_CROSS_ORIGIN,
    HTTP_HOST_DENIED,
    HTTP_NOT_FOUND,
    HTTP_METHOD_NOT_ALLOWED,
    HTTP_NOT_ACCEPTABLE,
    HTTP_REQUEST_TIMEOUT,
    HTTP_BODY_TOO_LARGE,
    HTTP_URL_TOO_LONG,
    HTTP_UNSUPPORTED_ENCODING,
    HTTP_HEADERS_TOO_LARGE,
    HTTP_WAIT_UNMET,
    HTTP_FAIL_ON,
    HTTP_OUTPUT_FAILED,
    HTTP_INTERNAL,
    HTTP_NAVIGATION_FAILED,
    HTTP_TOO_MANY_REDIRECTS,
    HTTP_REDIRECT_STORM,
    HTTP_TRUNCATED_DOCUMENT,
    HTTP_NOT_A_DOCUMENT,
    HTTP_OUTPUT_TOO_LARGE,
    HTTP_BUDGET_EXCEEDED,
    HTTP_PAGE_CRASHED,
    HTTP_BROWSER_CRASHED,
    HTTP_QUEUE_FULL,
    HTTP_QUEUE_TIMEOUT,
    HTTP_DRAINING,
    HTTP_RENDER_TIMEOUT,
    HTTP_PAGE_UNRESPONSIVE,
    HTTP_LOOP_DETECTED,
    HTTP_CODES,
};

/* The name of a code in documents, logs and metrics ("bad_json"); static. */
const char *http_code_name(enum http_code);
int http_code_status(enum http_code);

struct http_problem {
    enum http_code code;
    int status;              /* 0: that of the code. */
    const char *detail;      /* One sentence: what is wrong and what would be right. */
    const char *param;       /* The parameter or header it is about; NULL: none. */
    uint64_t retry_after_ms; /* 0: no Retry-After. */
    const char *members;     /* A JSON object whose members are added; NULL: none. */
};
/* More headers than this cannot be added to a problem. */
#define HTTP_PROBLEM_HEADERS_MAX 32
/* Answers with an RFC 9457 problem document, or plain text when the client prefers it, or
 * in the form of the dialect.
 * Further headers are those of the reply. */
bool http_reply_problem(struct http *, uint64_t exchange, const struct http_problem *,
                        const struct http_header *headers, size_t headers_count);

/* Stops accepting connections; open exchanges go on and are answered with
 * "Connection: close". Connections that wait for a next request are dropped. */
void http_quiesce(struct http *);
/* Exchanges and connections that are still open. */
size_t http_open_count(const struct http *);
/* Starts closing: drops what is open. http_is_closed() turns true some turns later. */
void http_close(struct http *);
bool http_is_closed(const struct http *);
void http_free(struct http *);

#endif
