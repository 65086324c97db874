/* cdp.h: everything the daemon asks of Chromium, and what it hears back.
 *
 * The face of cdp/ towards daemon/. Browsers are named by life, pages and contexts by
 * the ids of the pool, requests by the ids of the caller; target ids and session ids
 * stay inside. Every command is answered by exactly one event unless said otherwise,
 * also when the browser dies: then CDP_LIFE_DOWN comes once and answers for all pages
 * of that life. Callbacks of libuv and libwebsockets only collect; the work is done in
 * cdp_turn(), where the time is known, and every event goes through `emit`. */
#ifndef CDP_CDP_H
#define CDP_CDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "config/config.h"
#include "config/params.h"

struct cdp;
struct render_result; /* cdp/result.h */

enum cdp_event_type {
    CDP_LIFE_UP,        /* Answers cdp_launch(): connected and self-tested. */
    CDP_LIFE_DOWN,      /* The browser of .life is gone or could not start: .text says why. */
    CDP_OPENED,         /* Answers cdp_open(). */
    CDP_OPEN_FAILED,    /* Answers cdp_open(); nothing of the page is left. .text, .transient. */
    CDP_PROBED,         /* Answers cdp_probe(), .ok. */
    CDP_RESULT,         /* Answers cdp_render(): .result for .request, taken by the receiver.
                           The page is still busy; CDP_RENDER_DONE follows. */
    CDP_RENDER_DONE,    /* The page of .request is free, and good again if .ok. */
    CDP_CLOSED,         /* Answers cdp_close() and cdp_kill(). */
    CDP_CONTEXT_GONE,   /* Answers cdp_dispose_context(), or the browser dropped it. */
    CDP_CRASHED,        /* The renderer of .page is gone; nothing more comes for its render. */
    CDP_STANDBY_FAILED, /* The standby document of a recipe did not load on .page: .text says
                           why. It is tried again. */
    CDP_STRAY,          /* A target that nobody asked for was closed; .text is its type. */
};

struct cdp_event {
    enum cdp_event_type type;
    uint64_t life, page, context, request;
    bool ok, transient;
    struct render_result *result;
    char text[256];
};

typedef void cdp_emit(void *owner, const struct cdp_event *);

/* The loop, the configuration and `owner` must outlive the cdp. NULL when memory runs out. */
struct cdp *cdp_new(uv_loop_t *, const struct config *, cdp_emit *, void *owner);
/* Starts closing everything: browsers are killed, handles closed. cdp_is_closed() turns
 * true some loop turns later, then cdp_free() may be called. */
void cdp_close_all(struct cdp *);
bool cdp_is_closed(const struct cdp *);
void cdp_free(struct cdp *);

/* Handles what the callbacks collected and what is due at now_ms. */
void cdp_turn(struct cdp *, uint64_t now_ms);
/* When cdp_turn() is due without further input; UINT64_MAX: never. */
uint64_t cdp_deadline_ms(const struct cdp *);

void cdp_launch(struct cdp *, uint64_t now_ms, uint64_t life);
/* Ends that browser at once; CDP_LIFE_DOWN comes when its processes are gone. */
void cdp_kill_life(struct cdp *, uint64_t now_ms, uint64_t life);
/* Opens `page` in `context`, which is created first if new_context. */
void cdp_open(struct cdp *, uint64_t now_ms, uint64_t life, uint64_t page, uint64_t context,
              bool new_context, uint64_t deadline_ms);
void cdp_probe(struct cdp *, uint64_t now_ms, uint64_t page, uint64_t deadline_ms);

struct cdp_render {
    uint64_t request, page;
    const struct render_params *params; /* Borrowed until CDP_RESULT, crash or abort. */
    uint64_t deadline_ms;               /* A partial result is captured before it. */
    bool clear_cache;                   /* Navigate without the HTTP cache. */
    bool diagnose;                      /* Gather all diagnostics: it costs some time. */
    bool clear_storage;                 /* Clear cookies and storage before CDP_RENDER_DONE. */
};
void cdp_render(struct cdp *, uint64_t now_ms, const struct cdp_render *);
/* The render of that page must end earlier than it was told: the daemon is stopping. */
void cdp_shorten(struct cdp *, uint64_t now_ms, uint64_t page, uint64_t deadline_ms);
/* Forgets the render of that page: no event comes for it any more. The page must then
 * be closed. With `terminate` a script that still runs is stopped. */
void cdp_abort(struct cdp *, uint64_t now_ms, uint64_t page);
/* The page is idle and nobody waits for it: if that lasts, its document goes. No event. */
void cdp_rest(struct cdp *, uint64_t now_ms, uint64_t page);
void cdp_close(struct cdp *, uint64_t now_ms, uint64_t page, bool retain_context);
void cdp_dispose_context(struct cdp *, uint64_t now_ms, uint64_t context);
/* The close of `page` is late: kill its renderer and dispose its context. CDP_CLOSED
 * answers both this and the close. */
void cdp_kill(struct cdp *, uint64_t now_ms, uint64_t page);

/* Pages of browsers that are started later reach nothing at this TCP port, whatever the host,
 * and no document is shown that came over it: ports of the daemon itself. The ports of the
 * browsers are known here. See ports.h. */
void cdp_deny_port(struct cdp *, uint16_t port);

/* Is told every command of a page that is sent, for tests of what a render costs. `params`
 * is JSON text, "{}" when there are none. NULL: off. */
typedef void cdp_trace(void *owner, uint64_t page, const char *method, const char *params);
void cdp_set_trace(struct cdp *, cdp_trace *, void *owner);

/* Facts for /affinities and /version. */
struct cdp_life_info {
    uint64_t life;
    int pid; /* 0: attached, not started by us. */
    uint64_t up_since_ms;
    char product[64]; /* "HeadlessChrome/156.0.8078.79" */
    char websocket_url[256];
};
/* False when that life is not up. */
bool cdp_get_life(const struct cdp *, uint64_t life, struct cdp_life_info *ret);

#endif
