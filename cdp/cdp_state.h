/* cdp_state.h: what cdp.c, target.c and page*.c share, and nobody else.
 *
 *   struct cdp --has--> struct life (a browser)         life.c
 *   struct life --has--> struct context --has--> struct page (or none)
 *   struct page --shows--> struct target, and prepares a spare one
 *
 * Calls that belong to a session are forgotten with it, so their owner may be freed.
 * Calls of the Target domain name their target or context by number and look it up: a
 * late success of something given up is undone. */
#ifndef CDP_CDP_STATE_H
#define CDP_CDP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>
#include "cdp/browser.h"
#include "cdp/cdp.h"
#include "cdp/ports.h"
#include "cdp/render.h"
#include "cdp/result.h"

struct page;

/* Target ids, session ids and browser context ids are 32 hex digits. */
#define CDP_ID_BYTES 48

/* Calls whose answer decides whether something is still there are awaited for long: a
 * reply after the deadline would be lost, and the thing counted as there for ever. */
#define CDP_CLOSE_CALL_TIMEOUT_MS (60u * 60 * 1000)

enum life_state {
    LIFE_NONE,     /* The slot is free. */
    LIFE_STARTING, /* Launched; not up yet. */
    LIFE_UP,       /* CDP_LIFE_UP was emitted. */
    LIFE_ENDING,   /* Told to end; CDP_LIFE_DOWN comes when its processes are gone. */
    LIFE_DOWN,     /* CDP_LIFE_DOWN was emitted; its browser is still going. */
};

struct life {
    enum life_state state;
    uint64_t id, up_since_ms;
    struct browser *browser;
    struct cdp *cdp;
};

enum context_state {
    CONTEXT_CREATING,
    CONTEXT_READY,
    CONTEXT_DISPOSING,
};

struct context {
    uint64_t id;
    enum context_state state;
    struct life *life;
    struct page *page; /* Or NULL. */
    bool is_asked;     /* cdp_dispose_context() awaits its end. */
    bool has_workers;  /* Service workers have been seen in it. */
    char browser_context_id[CDP_ID_BYTES];
    UT_hash_handle hh;
};

enum target_state {
    TARGET_NEW,       /* Its context is not there yet. */
    TARGET_CREATING,  /* Target.createTarget is out. */
    TARGET_ATTACHING, /* Target.attachToTarget is out. */
    TARGET_PREPARING, /* Its session is being set up. */
    TARGET_READY,
    TARGET_CRASHED, /* Its renderer is gone: nothing is sent to its session again. */
    TARGET_CLOSING, /* Target.closeTarget is out. */
    TARGET_GONE,    /* The browser has no such target any more. */
};

/* The standby document of a recipe on a target; see page_shell.c. */
enum shell_state {
    SHELL_NONE,    /* The target shows something else. */
    SHELL_LOADING, /* It is on its way, or its selector is awaited. */
    SHELL_SHOWN,
    SHELL_FAILED, /* It is tried again at .retry_ms. */
};

struct shell {
    enum shell_state state;
    const struct recipe *recipe; /* Of the configuration; NULL: none. */
    uint64_t attempt;            /* Tag of its calls. */
    uint64_t loader, committed;  /* As answered, as shown; 0: not yet. */
    int64_t world;               /* Its isolated world. */
    uint64_t retry_ms;
};

struct target {
    enum target_state state;
    uint64_t number; /* Never reused: the session number of its calls. */
    struct page *page;
    char target_id[CDP_ID_BYTES], session_id[CDP_ID_BYTES];
    /* The page's clock minus ours when that clock was real. */
    double clock_base_ms;
    bool is_virtual;         /* Its clock is ours to move. */
    bool is_blank;           /* Shows about:blank, or is about to. */
    bool is_placed;          /* The browser has confirmed its context. */
    struct render_look look; /* The last one. */
    struct shell shell;
    UT_hash_handle by_number, by_target, by_session;
};

struct cdp {
    uv_loop_t *loop;
    const struct config *config;
    cdp_emit *emit;
    void *owner;
    cdp_trace *trace;
    void *trace_owner;
    bool is_closing;

    struct life lives[BROWSER_LIVES_MAX];
    struct page *pages;       /* By id. */
    struct context *contexts; /* By id. */
    struct target *targets_by_number, *targets_by_target, *targets_by_session;
    uint64_t numbers; /* Of targets and shells, used so far. */

    struct ports ports;

    struct cdp_event *events; /* Emitted at the end of the turn. */
    size_t events_count, events_capacity;
};

/* Queues an event; *event is copied. */
void cdp_queue(struct cdp *, const struct cdp_event *event);
/* Allocates zeroed memory or ends the program: small, bounded objects only. */
void *cdp_alloc(size_t bytes);

/* Copies a span as a string; false when it is absent, empty or too long. */
bool span_copy(struct cdp_span, char *ret, size_t ret_bytes);
/* The member `key` of `body`, copied as a string. */
bool span_text(struct cdp_span body, const char *key, char *ret, size_t ret_bytes);
bool span_is(struct cdp_span, const char *text);
/* A number for a text, never 0 but for collisions. */
uint64_t text_number(const char *text, size_t bytes);

/* A call to the browser itself. */
void life_call(struct life *, uint64_t now_ms, const char *method, json_t *params,
               uint64_t timeout_ms, call_done *, uint64_t tag);

#endif
