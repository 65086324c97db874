/* daemon.h: the one struct that owns everything, and who does what with it.
 *
 *   main.c     command line, configuration, exit status
 *   command.c  `prerenderd render`: the same without a server, with cli*.c,
 *              batch.c (batch.h), save.c, progress.c
 *   init.c     PID 1 of a container: forwards signals and reaps strangers
 *   daemon.c   builds everything at start, takes it down at the end
 *   turn.c     the loop turn: the only reader of the clock
 *   events.c   what the adapters report, turned into events of the pool
 *   act.c      what the pool decides, carried out
 *   requests.c render requests by id, from arrival to answer; share.c: several with one render
 *   reply.c    a render result as an HTTP answer, with verdict.c, envelope.c,
 *              diagnosis.c
 *   dialect.c  answers in the dialect of a fleet manager
 *   diagnostics.c  what they say about how they came about
 *   attributes.c  what a recipe has answered, as attributes of the dialect
 *   finish.c   its document edited and compressed, in a thread when it is large
 *   path_mode.c  what an answer in path mode takes over from the origin
 *   report.c   heartbeat, affinities, health: documents about the state
 *   metrics.c  counters, and their text for Prometheus
 *   drain.c    signals and the way to the exit
 *   heartbeat.c what the fleet manager is told (heartbeat.h), with heartbeat_text.c,
 *              courier.c, outbox.c, host_shell.c
 *   notify.c   systemd: readiness, watchdog, inherited sockets
 *   log.c      log lines
 *
 * Private to daemon/. Request ids are the exchange ids of http/. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "cdp/cdp.h"
#include "cdp/result.h"
#include "config/config.h"
#include "daemon/batch.h"
#include "daemon/heartbeat.h"
#include "daemon/keys.h"
#include "daemon/finish.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/requests.h"
#include "http/http.h"
#include "pool/pool.h"

/* Events that wait for the drain of this turn. An adapter emits a few events per
 * connection, page and pending call at most; a full inbox is a bug, not a load. */
#define INBOX_EVENTS_MAX 65536

enum inbox_type {
    INBOX_CDP,
    INBOX_HTTP_REQUEST,
    INBOX_HTTP_GONE,
    INBOX_HTTP_FINISHED,
    INBOX_FINISHED,
    INBOX_SAVED
};

struct inbox_event {
    enum inbox_type type;
    union {
        struct cdp_event cdp;
        struct request *request; /* INBOX_HTTP_REQUEST: a render, owned. */
        uint64_t exchange;       /* INBOX_HTTP_GONE. */
        struct http_finished finished;
        struct finish *finish; /* INBOX_FINISHED: owned. */
        struct save *save;     /* INBOX_SAVED: owned. */
    } as;
};

/* A ring that grows up to INBOX_EVENTS_MAX and never shrinks. */
struct inbox {
    struct inbox_event *events;
    size_t capacity, head, count;
};

enum daemon_state {
    DAEMON_SERVING,
    DAEMON_DRAINING, /* A signal came: running renders finish, new work is refused. */
    DAEMON_FLUSHING, /* Nothing runs; the last answers are being sent. */
    DAEMON_CLOSING,  /* Listeners, browsers and handles are being closed. */
};

struct daemon {
    struct config config;
    int argc; /* For the re-read at SIGHUP. */
    char *const *argv;
    char *const *environ_;
    struct log log;
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    uv_signal_t signals[4];
    uint64_t now_ms; /* Of this turn. */
    uint64_t started_ms;
    struct inbox inbox;
    void *pool_memory;
    struct pool *pool;
    struct cdp *cdp;
    struct http *http;
    struct requests requests;
    struct metrics metrics;
    char boot_id[33];       /* Random per process. */
    uint64_t heartbeat_seq; /* Increases with every heartbeat document and notice. */
    struct heartbeat heartbeat;
    struct batch *batch;  /* Of a command line; NULL: serves. Borrowed. */
    char life_error[256]; /* Why the last browser went; "" while none did. */
    enum daemon_state state;
    uint64_t state_deadline_ms;    /* DRAINING: the grace; later: until closed by force. */
    uint32_t stop_signals;         /* SIGTERM and SIGINT that drain.c has not handled. */
    int stop_signal;               /* The latest of them. */
    bool wants_reload, wants_dump; /* SIGHUP, SIGUSR1 came. */
    uint64_t snapshot_ms;          /* When the next fleet-health line is due. */
    uint64_t watchdog_interval_ms; /* 0: systemd wants none. */
    uint64_t watchdog_ms;          /* When to feed it next. */
    bool ready_notified;
    int exit_status;
};

/* turn.c */
void turn_start(struct daemon *);
void turn_stop(struct daemon *); /* Closes its handles. */
void inbox_push(struct inbox *, const struct inbox_event *);
void inbox_free(struct inbox *);

/* events.c */
void daemon_on_cdp(void *owner, const struct cdp_event *);
void daemon_on_http(void *owner, const struct http_event *);
/* Handles one event from the inbox. */
void daemon_handle(struct daemon *, const struct inbox_event *);

/* act.c */
/* Steps the pool and carries out what it decides. */
void daemon_step(struct daemon *, const struct pool_event *);

/* reply.c */
/* Takes the result. */
void reply_result(struct daemon *, const struct request *, struct render_result *);
/* The rest of it, once the body is ready. Takes the process. */
void reply_finished(struct daemon *, struct finish *);
/* A problem instead of a document; in path mode 502 reads 504, with the reason in a header. */
void reply_problem(struct daemon *, const struct request *, const struct http_problem *,
                   const struct http_header *headers, size_t headers_count);

/* dialect.c: answers in the manager's dialect. */
bool dialect_asked(const struct request *);
void dialect_reply_ready(struct daemon *, const struct request *, const struct render_result *);
/* A script of its recipe threw. */
void dialect_reply_script_failed(struct daemon *, const struct request *,
                                 const struct render_result *);
/* A render that ran and failed; no result: the pool ended it. `evicted`: its page is gone. */
void dialect_reply_failed(struct daemon *, const struct request *, const struct render_result *,
                          const struct http_problem *, bool evicted);
/* What it says of the page: it is to serve nobody else. */
bool dialect_retires(const struct request *, const struct render_result *);
/* What a render may take from its grant. */
uint32_t dialect_budget_ms(const struct daemon *, const struct request *);
/* It is about to start: what the pool has decided of its cache reaches its scripts. */
void dialect_start(struct request *);
void dialect_release_batch(struct daemon *, uint64_t exchange, const struct http_request *);

/* report.c */
#define REPORT_URL_BYTES 512
/* The URL under which a manager reaches this daemon: its identity there. */
void report_url(const struct daemon *, char ret[REPORT_URL_BYTES]);
/* The next heartbeat document, which the caller frees; NULL: out of memory. */
char *report_heartbeat(struct daemon *, size_t *ret_bytes);
/* Answers every route that only reads the state. */
void report_reply(struct daemon *, uint64_t exchange, const struct http_request *);
/* One line about pages and waiting requests; silent when there is nothing to tell. */
void report_snapshot(struct daemon *);
/* The whole state of the pool, for SIGUSR1. */
void report_dump(struct daemon *);

/* drain.c */
int drain_watch_signals(struct daemon *); /* 0 or negative errno. */
void drain_close_signals(struct daemon *);
/* Moves the state on when what it waits for has happened. */
void drain_turn(struct daemon *);
uint64_t drain_deadline_ms(const struct daemon *);

/* notify.c */
/* The inherited listening sockets, into fds; their count. */
size_t notify_listen_fds(int *fds, size_t fds_max);
void notify_init(struct daemon *);
/* Feeds the watchdog and reports readiness once a browser is up. */
void notify_turn(struct daemon *);
uint64_t notify_deadline_ms(const struct daemon *);
void notify_stopping(struct daemon *);

/* daemon.c */
/* Serves until a signal, or until the batch is over; the exit status of the process. */
int daemon_run(struct daemon *);

#endif
