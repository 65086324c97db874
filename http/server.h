/* server.h: the objects behind http.h. Private to server.c, listener.c, connection.c,
 * exchange.c and handler.c.
 *
 * libmicrohttpd (MHD) runs one daemon per listener, without threads, over an epoll
 * descriptor that the caller's loop watches. MHD_run() is called by http_turn() only, so
 * an MHD callback is never on the stack when an event is emitted or http_reply() called.
 *
 *     uv callback: marks the listener, or the exchange whose client left
 *     http_turn(): expire -> tell who left -> run MHD -> emit requests -> emit finished
 *
 * A connection runs at most one clock, an exchange is in one state:
 *
 *     HEAD --head--> BODY --end--> READY --emit--> WAITING --http_reply--> ANSWERED
 *       |              |             |               |                        |
 *       |              | refused                     +--> GONE                | MHD asks
 *       |              |                 client left       |                  v
 *       |              +-----------------------------------|--------------> SENDING
 *       |              |                                   |                  |
 *       +--------------+------------------- MHD is done ---+------------------+--> DONE
 *
 * READY and WAITING are suspended in MHD: it neither reads nor times their connection. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>
#include <uv.h>
#include "http/head.h"
#include "http/http.h"
#include "http/listen.h"
#include "http/problem.h"
#include "http/tokens.h"

#define LISTENERS_MAX 16

/* Memory of one connection inside MHD: the head, an entry per header, and the reply's
 * head have to fit. Twice the longest head leaves MHD's own error page to abuse only. */
#define CONNECTION_MEMORY_BYTES (2 * (size_t)HTTP_HEAD_BYTES_MAX)

/* A body over http.body_bytes_max is read and forgotten up to this many times the limit,
 * because a client that is cut off while it sends seldom reads the answer. */
#define BODY_EXCESS_FACTOR 16

/* Below this rate a TCP client that takes its reply counts as making no progress. */
#define WRITE_BYTES_PER_SECOND_MIN 16384

/* Rounds of MHD in one turn: an answer given while a request is emitted is sent in the
 * same turn. More work than that waits for the next turn, which is due at once. */
#define TURN_ROUNDS_MAX 4

enum http_state {
    HTTP_SERVING,   /* Accepts and answers. */
    HTTP_QUIESCED,  /* Accepts no connection; every answer closes its own. */
    HTTP_CLOSING,   /* http_close() was called; the next turn drops everything. */
    HTTP_CLOSED,    /* MHD is stopped; libuv handles may still be closing. */
    HTTP_ABANDONED, /* http_new() failed; freed with its last libuv handle. */
};

/* What a connection is timed by. */
enum connection_clock {
    CLOCK_NONE,       /* Suspended: the deadline is the daemon's. Or being dropped. */
    CLOCK_HEAD,       /* Until the head is whole. */
    CLOCK_BODY,       /* Until the body is whole. */
    CLOCK_WRITE,      /* Until the client made progress in taking its reply. */
    CLOCK_KEEP_ALIVE, /* Until the next request line is whole. */
    CLOCKS,
};

enum exchange_state {
    EXCHANGE_HEAD,     /* The request line is there, the head is not. */
    EXCHANGE_BODY,     /* The head was judged; the body is read, or read and forgotten. */
    EXCHANGE_READY,    /* Whole and suspended; to be emitted in this turn. */
    EXCHANGE_WAITING,  /* Emitted; suspended until http_reply(). */
    EXCHANGE_ANSWERED, /* Resumed; MHD is about to ask for the response. */
    EXCHANGE_SENDING,  /* MHD has the response. */
    EXCHANGE_GONE,     /* The client left; resumed to be dropped. */
    EXCHANGE_DONE,     /* Over; to be emitted as finished, then freed. */
};

TAILQ_HEAD(connection_list, connection);
TAILQ_HEAD(exchange_list, exchange);

struct listener {
    struct http *http;
    struct endpoint endpoint;
    struct MHD_Daemon *mhd;
    uv_poll_t poll; /* Watches MHD's epoll descriptor. */
    bool poll_is_open;
    bool wants_run;     /* MHD has, or may have, work. */
    uint64_t resume_ms; /* It is not looked at before: there was no descriptor. 0: it is. */
};

/* One accepted socket. Freed when both MHD and libuv have let go of it. */
struct connection {
    struct http *http;
    struct listener *listener;
    struct exchange *exchange; /* The one in progress, or NULL. */
    struct MHD_Connection *mhd;
    int fd; /* MHD's; valid until MHD reports the end. */
    enum connection_clock clock;
    uint64_t deadline_ms;
    uint64_t acked_bytes; /* CLOCK_WRITE: what the client had taken at its start. */
    uv_poll_t poll;       /* Watches for the client to leave. */
    bool poll_is_open;
    TAILQ_ENTRY(connection) clock_entry;
};

/* One request and its reply. */
struct exchange {
    uint64_t id;
    struct http *http;
    struct connection *connection; /* NULL once it is DONE. */
    enum exchange_state state;
    uint64_t start_ms;
    char *target; /* As sent; until the head is judged. */
    char *body;
    size_t body_bytes, body_size, body_read_bytes;
    bool wants_body;  /* Else the body is read and forgotten. */
    bool is_refused;  /* BODY: it was answered past MHD already; what still comes is forgotten. */
    bool wants_plain; /* Errors as plain text. */
    struct http_request request;
    struct fault fault;
    struct MHD_Response *response; /* ANSWERED. */
    int status;                    /* Of the response; 0: none yet. */
    const char *code;
    uint64_t reply_bytes;          /* Counted in http.output_bytes until DONE. */
    uint64_t raw_bytes;            /* Of a body that was sent past MHD. */
    struct http_finished finished; /* DONE. */
    TAILQ_ENTRY(exchange) entry;   /* Of at most one list of struct http. */
    struct exchange_list *list;
    UT_hash_handle hh;
};

struct http {
    uv_loop_t *loop;
    const struct config *config;
    http_emit *emit;
    void *owner;
    enum http_state state;
    struct tokens *tokens;                 /* NULL: none are configured. */
    char tokens_error[CONFIG_ERROR_BYTES]; /* Of the last reload. */
    struct listener *listeners[LISTENERS_MAX];
    size_t listeners_count;
    size_t connections_count;
    struct connection_list clocks[CLOCKS]; /* Each in order of its deadlines. */
    struct exchange *exchanges;            /* By id. */
    struct exchange_list ready, gone, finished;
    size_t suspended_count;
    size_t handles_count; /* libuv handles that are not closed yet. */
    uint64_t exchange_last;
    uint64_t output_bytes; /* Bodies of answers that are being sent. */
    uint64_t now_ms;       /* Of the turn. */
    bool in_turn, in_run;
};

/* listener.c */
int listener_new(struct http *, const struct endpoint *, struct listener **ret);
/* Opens what needs the loop; from here on listener_close() is asynchronous. */
int listener_start(struct listener *);
/* Runs MHD if it wants to; false when it did not. */
bool listener_run(struct listener *);
void listener_quiesce(struct listener *);
/* Stops MHD, closes the socket and frees the listener, in the end. */
void listener_close(struct listener *);

/* connection.c */
void connection_notify(void *listener, struct MHD_Connection *, void **context,
                       enum MHD_ConnectionNotificationCode);
struct connection *connection_of(struct MHD_Connection *);
void connection_set_clock(struct connection *, enum connection_clock);
/* Watches a suspended connection for its client to leave. */
void connection_watch(struct connection *);
void connection_unwatch(struct connection *);
/* Ends a connection that MHD would keep; MHD notices and reports the end. */
void connection_drop(struct connection *);
/* Writes a whole error reply past MHD, where MHD takes none, and drops the connection. */
void connection_reply_raw(struct connection *, enum http_code, const char *detail);
/* Writes the fault of its exchange at once, and nothing after it. What the client still sends
 * must be read, or the kernel resets the connection and the client may never see the reply. */
void connection_refuse(struct connection *);
void connections_expire(struct http *);
uint64_t connections_deadline_ms(const struct http *);
/* Drops the connections that wait for a next request. */
void connections_drop_idle(struct http *);

/* exchange.c */
struct exchange *exchange_new(struct connection *, const char *target);
void exchange_set_state(struct exchange *, enum exchange_state);
/* Suspends a whole request until the daemon answers it. */
void exchange_suspend(struct exchange *);
/* Gives the exchange its response; it is not resumed. The body is taken. */
void exchange_set_reply(struct exchange *, const struct http_reply *);
/* Fills *ret but for its headers, in the form of the route; its body may be NULL for want of
 * memory. */
void problem_reply(const struct http_problem *, const char *request_id, enum http_route, bool plain,
                   struct http_reply *ret);
void exchange_set_problem(struct exchange *, const struct http_problem *,
                          const struct http_header *headers, size_t headers_count);
void exchange_set_fault(struct exchange *);
/* Hands the response to MHD. */
enum MHD_Result exchange_send(struct exchange *);
/* The client left: ends a waiting exchange, and means nothing to any other. */
void exchange_leave(struct exchange *);
/* MHD is done with it, for that reason. */
void exchange_finish(struct exchange *, enum MHD_RequestTerminationCode);
void exchanges_emit_gone(struct http *);
void exchanges_emit_ready(struct http *);
void exchanges_emit_finished(struct http *);

/* handler.c: the callbacks of MHD. */
void *handler_target(void *listener, const char *target, struct MHD_Connection *);
enum MHD_Result handler_request(void *listener, struct MHD_Connection *, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_bytes, void **context);
void handler_completed(void *listener, struct MHD_Connection *, void **context,
                       enum MHD_RequestTerminationCode);

/* server.c */
/* True once http_close() was called. */
bool http_is_closing(const struct http *);
/* A libuv handle is closed; the last one frees an abandoned `http`. */
void http_handle_closed(struct http *);

#endif
