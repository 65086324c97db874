/* browser.h: one life of one browser: its process, its connection, its self-test.
 *
 *   STARTING --endpoint--> CONNECTING --open--> TESTING --passed--> UP
 *   any --kill, exit, lost, silent, late--> STOPPING --processes and handles gone--> GONE
 *
 * A browser is never restarted: the next attempt is another life. The connection's
 * messages are routed here: replies to the pending calls, events to `on_event`. */
#ifndef CDP_BROWSER_H
#define CDP_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "cdp/calls.h"
#include "cdp/ports.h"
#include "config/config.h"

struct browser;

/* The session_number of the browser's own calls: its self-test and its probes. */
#define BROWSER_OWN_SESSION UINT64_MAX

enum browser_state {
    BROWSER_STARTING,   /* The process runs; its endpoint is not known yet. */
    BROWSER_CONNECTING, /* The websocket is opening. */
    BROWSER_TESTING,    /* Connected; the start-up self-test runs. */
    BROWSER_UP,
    BROWSER_STOPPING, /* Killed; its processes, profile and handles are going. */
    BROWSER_GONE,     /* browser_free() may be called. */
};

/* An event of the protocol. `session` is "" for the browser session; both spans and the
 * message are borrowed for the call. */
typedef void browser_on_event(void *owner, struct browser *, uint64_t now_ms, struct cdp_message *);

/* Starts a browser process (or attaches, see lookup.h: then it has its own ports).
 * It dies with the calling thread, however that ends. Never fails at once: what goes wrong
 * ends in STOPPING with browser_error(). NULL: out of memory. */
struct browser *browser_new(uv_loop_t *, const struct config *, const struct browser_ports *,
                            uint64_t now_ms, browser_on_event *, void *owner);
enum browser_state browser_get_state(const struct browser *);
const char *browser_error(const struct browser *); /* Why it is going; "". */
int browser_pid(const struct browser *);           /* 0: attached. */
const char *browser_product(const struct browser *);
const char *browser_websocket_url(const struct browser *);

/* Sends a command. `session` NULL or "": the browser session. `session_number` groups
 * calls for browser_forget_session(). `params` is taken (decref'ed), may be NULL. `done`
 * runs exactly once, never from inside this call; NULL `done`: the reply is of no
 * interest. */
void browser_call(struct browser *, uint64_t now_ms, const char *method, json_t *params,
                  const char *session, uint64_t session_number, uint64_t timeout_ms, call_done *,
                  void *owner, uint64_t tag);
/* Forgets all pending calls of that session: no `done` runs. */
void browser_forget_session(struct browser *, uint64_t session_number);

void browser_turn(struct browser *, uint64_t now_ms);
uint64_t browser_deadline_ms(const struct browser *);
/* Ends the whole process group; idempotent. Pending calls are lost before it returns or,
 * when it is called from inside a `done`, right after that. */
void browser_kill(struct browser *, uint64_t now_ms);
void browser_free(struct browser *);

/* Removes the profile directories that earlier daemons left below `root`: those whose
 * owner (a lock that dies with its process) is gone. Returns how many. */
int browser_sweep_profiles(const struct config *);

#endif
