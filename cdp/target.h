/* target.h: the only user of the Target domain: contexts, targets, sessions.
 *
 *   NEW --context is there--> CREATING --> ATTACHING --> PREPARING --> READY
 *   READY --renderer gone--> CRASHED
 *   every state with a target id --target_close--> CLOSING --targetDestroyed--> (freed)
 *   disposing its context ends a target in any state
 *
 * What comes of it is told to page.c: page_target_ready(), page_target_failed(),
 * page_target_crashed(), page_target_gone(), page_context_ready(), page_context_gone(). */
#ifndef CDP_TARGET_H
#define CDP_TARGET_H

#include "cdp/cdp_state.h"

/* Creates the browser context; page_context_ready() or page_context_gone() follows. */
struct context *context_new(struct life *, uint64_t now_ms, uint64_t id);
struct context *context_find(struct cdp *, uint64_t id);
/* Ends it with all its targets; may be repeated. page_context_gone() follows. */
void context_dispose(struct context *, uint64_t now_ms);
/* Forgets it: it is gone, or its browser is. */
void context_free(struct context *);

struct target *target_new(struct page *);
/* Creates it in the page's context, which is READY. */
void target_create(struct target *, uint64_t now_ms);
void target_close(struct target *, uint64_t now_ms);
/* Asks the browser process to end its renderer. */
void target_crash(struct target *, uint64_t now_ms);
void target_free(struct target *);

/* A call on its session, which must be there; it is forgotten with the target. */
void target_call(struct target *, uint64_t now_ms, const char *method, json_t *params,
                 uint64_t timeout_ms, call_done *, uint64_t tag);
/* Forgets all pending calls of its session. */
void target_forget_calls(struct target *);
/* Performance.getMetrics as a look. False when the reply is none. */
bool target_read_look(const struct call_reply *, struct render_look *ret);
/* The page's clock minus the real one, as of a look at now_ms. */
double target_skew_ms(const struct target *, double virtual_ms, uint64_t now_ms);

struct target *target_find_session(struct cdp *, struct cdp_span session);
/* An event of the browser session. */
void target_on_event(struct life *, uint64_t now_ms, struct cdp_message *);
/* Asks the browser to tell of all targets; `done` answers. */
void target_discover(struct life *, uint64_t now_ms, call_done *, uint64_t tag);

#endif
