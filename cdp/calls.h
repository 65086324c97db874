/* calls.h: commands that await their reply, on one connection.
 *
 * Ids are unique on the connection and start at 1. Every call has a label (its method)
 * and a deadline. Exactly one of reply, deadline, connection loss or session loss ends a
 * call, and its `done` runs exactly once; a later reply is counted as stale. Knows
 * neither sockets nor JSON beyond the reply's spans. */
#ifndef CDP_CALLS_H
#define CDP_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cdp/message.h"

enum call_end {
    CALL_REPLIED, /* .message holds the result. */
    CALL_REFUSED, /* .message holds the error object: {"code","message"}. */
    CALL_LATE,    /* Its deadline came. */
    CALL_LOST,    /* Its connection is gone. */
};

struct call_reply {
    enum call_end end;
    const char *label;           /* The method. */
    struct cdp_message *message; /* REPLIED, REFUSED; borrowed, may be unescaped in place. */
};

typedef void call_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *);

struct calls;
struct calls *calls_new(uint32_t calls_max);
/* Pending calls are forgotten: no `done` runs. Not from inside a `done`. */
void calls_free(struct calls *);
/* Registers a call and returns its id; 0 when calls_max are pending, or when the ids that
 * Chromium understands (31 bits) are used up. `done` may be NULL. `label` must be a
 * string constant. `session` is any number that names the session for calls_forget_session();
 * `owner` and `tag` come back in `done`. */
uint64_t calls_add(struct calls *, const char *label, uint64_t session, uint64_t deadline_ms,
                   call_done *, void *owner, uint64_t tag);
/* The call just added could not be sent: it ends with CALL_LOST at the next calls_tick(). */
void calls_lose(struct calls *, uint64_t id);
/* The same for a call that calls_add() had no room for; always succeeds. */
void calls_add_lost(struct calls *, const char *label, uint64_t session, call_done *, void *owner,
                    uint64_t tag);
/* Ends the call that `message` answers. False when it is stale. Not from inside a `done`. */
bool calls_reply(struct calls *, uint64_t now_ms, struct cdp_message *);
/* These two may be called from inside a `done`; what they end then ends after it. */
void calls_fail_all(struct calls *, uint64_t now_ms);
/* Ends what is late at now_ms. */
void calls_tick(struct calls *, uint64_t now_ms);
/* When calls_tick() has something to do; UINT64_MAX: never. */
uint64_t calls_deadline_ms(const struct calls *);
/* Forgets the pending calls of `session` without running `done`. */
void calls_forget_session(struct calls *, uint64_t session);
uint32_t calls_pending_count(const struct calls *);

#endif
