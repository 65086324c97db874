/* pool.h: decides which page serves which request. Read this header first.
 *
 * A pure state machine: one event and the time in, actions out. It does no I/O,
 * reads no clock, and allocates nothing after pool_init(), so the same events at the
 * same times always give the same actions. tests/sim/ stands on that property.
 *
 * One render that never ends must never cost more than its own slot. Other pools let a
 * request that finds no room wait for an eviction, the eviction for a close, and the
 * close for the page that hangs. Here nothing waits for anything but the explicit queue:
 * a request that needs a slot gets a ticket and waits, everything else goes on.
 *
 * VOCABULARY
 *   page       one browser view in a context of its own    context  an isolated profile
 *   life       one browser process, numbered, never reused
 *   affinity   what requests want to share a context by; an epoch is one stretch of it
 *   lease      exclusive use of a page by one request: granted, then released
 *   standby    a page opened ahead of need, bound to no affinity
 *   idle       a page of an affinity, not leased          orphan   a context without page
 *   retire     release a page that may not serve again    doomed   leased, and no more
 *   evict      close an idle page to make room            expire   close it by age
 *   cap        main renders that may run; it grows under load and contracts when idle
 *   slot       room for a page: cap + 1 in each life      ticket   "my slot is on its way"
 *   rank       place in the queue: priority, then arrival, or arrival less a bonus
 *   lane       main, or nested: a render that a main render waits for
 *   stale      an event about what the pool has forgotten
 *
 * LEDGERS
 *   Slots. A slot is charged from POOL_OPEN until the acknowledgement that page and context
 *     are gone, or that the page is gone and the context stays as an orphan, or until the
 *     end of the life. Never until the mere intention.
 *   Orphans, with those that close: at most orphan_contexts_max per life. When full, the
 *     slot of the page that has just closed passes to the close of the oldest orphan.
 *   Permits, of all lives together: main renders <= cap less zombies (at least 1), all
 *     renders <= cap + 1. The slot and the permit beyond the cap are for nested renders,
 *     so one of them can always finish while any set of main renders waits for it.
 *   Per affinity: affinity_main_max main renders; affinity_pages_max pages, openings and
 *     tickets of the current epoch, and one more for a nested request.
 *
 * MATCHING, at the end of every step, best rank first, until nothing more can be done
 *   0 A fingerprint that differs from its affinity's disposes of the epoch.
 *   1 A permit of its lane and, for main, of its affinity; else it waits, unless the cap
 *     may grow for its priority. A nested request stands where the best main render of
 *     its affinity stands.
 *   2 An idle page of its affinity, least recently used, through a probe when it served.
 *   3 Below its page limit: a slot for its affinity's orphan; else a standby; else a
 *     ticket for what opens or closes anyway; else a free slot; else growth; else the
 *     idle page of another affinity that is missed least is closed, for a ticket.
 *   Then slots are refilled with standbys. While no life is up, or shortly after openings
 *   failed, only idle pages and standbys are granted.
 *   At equal priority a younger request may take the warm page that would make room for
 *   an older one of another affinity, warm_bypass_max times for each that waits.
 *
 * PAGE
 *             open                ready
 *    (none) --------> OPENING ------------> STANDBY, or IDLE when its context has an owner
 *                      |   |  ready, waited for              |
 *         failed, late |   +-----------------------+         | grant
 *                      v                           v         v
 *                   CLOSING <------ retired ----- LEASED <---+--- PROBING
 *                   |  ^  ^                        |  |             ^ |
 *                   |  |  +--- released -- DOOMED <+  | good        | | failed, late: CLOSING
 *                   |  |       disposed, handed over  v       grant | | given up: IDLE
 *                   |  +--- evicted, expired ------- IDLE ----------+ v
 *                   |
 *                   +-- acknowledged --> (gone)
 *                   +-- close_timeout_ms --> KILLING -- acknowledged --> (gone)
 *                            KILLING -- kill_timeout_ms --> ZOMBIE -- acknowledged --> (gone)
 *    A zombie keeps its slot, is killed again and again, and asks for a new browser. A crash
 *    leads to CLOSING from anywhere before it; a lost context or life to (gone) at once. An
 *    opening that is not answered yet is closed only when the browser's answer has come.
 *
 * CONTEXT   OPENING -> UNOWNED (standby) -> OWNED, by one affinity for good
 *           OWNED -> ORPHAN when its page is gone, the affinity has no other page or orphan
 *             and neither the cause nor a dispose speaks against it; ORPHAN -> OWNED again
 *           OWNED, ORPHAN -> CLOSING -> (gone), or KILLING -> ZOMBIE as above
 *
 * REQUEST   WAITING -> (PROBING ->) RUNNING -> done. A fault of the page, and the death of
 *           the browser, lead back to WAITING at the same rank, once each, if repeatable.
 *           Exactly one answer: its result (POOL_RENDER_DONE), ABORT, FAIL, or REFUSE.
 *
 * LIFE      STARTING -> UP -> RETIRING -> (gone). UP -> RETIRING is the hand-over: the next
 *           life is up and takes all new grants; leased pages finish on the old one, at
 *           most for recycle_timeout_ms. Death leads to (gone), and a launch after backoff.
 *
 * INVARIANTS, asserted by pool_check() after every step of every test
 *    1 Contexts with a slot <= cap + 1 in each life, or what was charged before the cap
 *      fell; all contexts <= that + orphan_contexts_max.
 *    2 A slot comes back exactly once.
 *    3 Every opening, probe, render, close and kill has a deadline and an escalation.
 *    4 A context serves one affinity, under one fingerprint, during its whole life.
 *    5 A context has one page or none. An affinity has at most one orphan, none while live.
 *    6 An orphan is never closed when it has a page again.
 *    7 One lease per page; a doomed page is never granted; no page is closed under its
 *      lease except to end that very render, at recycle_timeout_ms, or with its life.
 *    8 Nobody waits with open gates while an idle page of its affinity is there.
 *    9 A close that hangs delays only who needs that very slot.
 *   10 A nested render can finish while any set of main renders waits for it.
 *   11 Who is cancelled leaves within the step and leaves nothing behind.
 *   12 A fault of one page costs that page.
 *   13 pages_min <= cap <= the ceiling of the priority that lifted it.
 *   14 POOL_ENDED only for an affinity without a page that could serve.
 *   15 Live means at least one such page; see struct pool_affinity.
 *   16 Every request gets exactly one answer, at or before its deadline.
 *   17 A request that is refused was not started.
 *   18 Counters move only in the setters, and are what a recount says.
 *
 * The parts: step.c (events), match.c and refill.c (decisions), line.c and turn.c (the
 * queue), page.c, context.c, request.c, life.c (the machines), affinity.c, dispose.c,
 * ticket.c, permit.c, wait.c, drain.c, deadline.c, memory.c, check.c; records: state.h. */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"

/* Ids are never 0 and never reused. Requests and disposals are numbered by the
 * caller; pages, contexts and lives by the pool. An event that names an id which
 * the pool has already forgotten is counted as stale and changes nothing. */

enum pool_lane { POOL_MAIN, POOL_NESTED };

enum pool_event_type {
    POOL_REQUEST,       /* .request wants a page; see struct pool_request. */
    POOL_CANCEL,        /* The client behind .request has gone away. */
    POOL_RENDER_DONE,   /* The render of .request on .page is over, with .outcome. */
    POOL_OPENED,        /* Answers POOL_OPEN: .page is ready. */
    POOL_OPEN_FAILED,   /* Answers POOL_OPEN: nothing of .page is left behind. */
    POOL_PROBED,        /* Answers POOL_PROBE: .page answered. */
    POOL_PROBE_FAILED,  /* Answers POOL_PROBE: .page cannot be used. */
    POOL_CLOSED,        /* Answers POOL_CLOSE and POOL_KILL of .page: the page is gone, and
                           its context too unless the close said retain. Unasked: it is
                           lost, with its context. */
    POOL_CONTEXT_GONE,  /* .context is gone: answers POOL_DISPOSE_CONTEXT, or the browser
                           reported it destroyed. Its page, if any, went with it. */
    POOL_PAGE_CRASHED,  /* The renderer of .page is gone. */
    POOL_LIFE_UP,       /* Answers POOL_LAUNCH: the browser of .life serves. */
    POOL_LIFE_DOWN,     /* The browser of .life is gone, or failed to start. That answers
                           everything that was asked of it. A request that ran there gets
                           POOL_FAIL, or waits again, which no action tells. */
    POOL_RECYCLE,       /* Replace the browser by a fresh one (admin, memory, host shell). */
    POOL_DISPOSE,       /* Forget the warm state of .key with .strength; .dispose names the
                           caller that waits, for POOL_DISPOSE_WAIT. */
    POOL_RELEASE_BATCH, /* .batch gives up the ownership of .key. */
    POOL_DRAIN,         /* Refuse what waits and what comes; finish what runs until
                           .deadline_ms, then end it as at its own deadline. */
    POOL_TICK,          /* pool_deadline_ms() has been reached. */
};

enum pool_outcome {
    POOL_RENDER_GOOD,     /* The page may serve again. */
    POOL_RENDER_UNUSABLE, /* The page may not; its context may. */
    POOL_RENDER_CRASHED,  /* The renderer is gone; nothing of the page is kept. A repeatable
                             request goes back to its rank once. */
};

enum pool_strength {
    POOL_DISPOSE_NOW,    /* Pages and contexts of every earlier epoch. */
    POOL_DISPOSE_RETAIN, /* A context may stay as the orphan. */
    POOL_DISPOSE_WAIT,   /* As now, answered by POOL_DISPOSED when all closes are over. */
};

struct pool_request {
    uint64_t id;
    const char *key; /* Borrowed for the call; any bytes, 1..POOL_KEY_BYTES_MAX. */
    size_t key_bytes;
    enum pool_lane lane;
    uint32_t priority;          /* 0..1000000, higher first. */
    uint64_t deadline_ms;       /* End of the render, same clock as now_ms. */
    uint64_t queue_deadline_ms; /* End of the wait; at most deadline_ms. */
    uint64_t fingerprint;       /* Of its auth; 0: none. */
    uint64_t site;              /* Hash of the site it renders; 0: unknown. */
    uint64_t batch;             /* Hash of its batch id; 0: none. */
    bool clear_cache;           /* Wants to reload, subject to batch ownership. */
    bool repeatable;            /* May run again after a page fault or browser death. */
    bool single_use;            /* Its page and context serve nobody else: it has an affinity
                                   of its own, which no other request, edge or list shows. */
};

struct pool_event {
    enum pool_event_type type;
    uint64_t life;               /* POOL_LIFE_UP, POOL_LIFE_DOWN. */
    uint64_t page, context;      /* Page events; POOL_CONTEXT_GONE. */
    struct pool_request request; /* POOL_REQUEST; .id alone: CANCEL, RENDER_DONE. */
    enum pool_outcome outcome;   /* POOL_RENDER_DONE. */
    bool transient;              /* POOL_OPEN_FAILED: a failure that a browser is known to
                                    produce just after its start. */
    const char *key;             /* POOL_DISPOSE, POOL_RELEASE_BATCH: borrowed. */
    size_t key_bytes;
    enum pool_strength strength; /* POOL_DISPOSE. */
    uint64_t dispose, batch;
    uint64_t deadline_ms; /* POOL_DRAIN. */
    uint32_t random;      /* Any value: the source of all jitter. */
};

enum pool_action_type {
    POOL_LAUNCH,          /* Start a browser as .life. */
    POOL_KILL_LIFE,       /* End the browser of .life. No answer is needed. */
    POOL_OPEN,            /* Open .page in .context of .life, which is made first when
                             .new_context. */
    POOL_PROBE,           /* Ask .page whether it answers. */
    POOL_GRANT,           /* .request has the lease of .page; see struct pool_grant. */
    POOL_ABORT,           /* End the render of .request on .page without an answer to the
                             pool; the reason says what to tell the client. */
    POOL_REST,            /* .page became idle and nobody took it in this step. */
    POOL_CLOSE,           /* Close .page, and .context with it unless .retain. */
    POOL_DISPOSE_CONTEXT, /* Dispose .context, which has no page. Sent again when late. */
    POOL_KILL,            /* A close is late: end .page and .context by force, also when the
                             close said retain or the opening was never answered. Sent again
                             until POOL_CLOSED says that both are gone. */
    POOL_REFUSE,          /* .request was never started; .reason, .retry_after_ms. */
    POOL_FAIL,            /* .request ran and has failed for good; .reason. */
    POOL_STARTED,         /* The affinity .key became live in .epoch; when it was live before,
                             in a new one. */
    POOL_ENDED,           /* The affinity .key of .epoch has ended: report it evicted. */
    POOL_DISPOSED,        /* Answers POOL_DISPOSE_WAIT of .dispose. */
    POOL_CAP,             /* The cap is now .cap. */
};

enum pool_reason {
    POOL_NO_REASON,
    POOL_QUEUE_FULL,      /* REFUSE: queue_max requests wait already. */
    POOL_QUEUE_TIMEOUT,   /* REFUSE: its queue deadline came before its turn. */
    POOL_DRAINING,        /* REFUSE: the daemon is stopping. */
    POOL_DEADLINE,        /* ABORT: its deadline came while it ran. */
    POOL_CANCELLED,       /* ABORT: its client went away. */
    POOL_PAGE_FAULT,      /* ABORT: its page crashed, and it goes back to its rank. FAIL: the
                             same, for good. */
    POOL_BROWSER_DEATH,   /* FAIL: its browser died, and it may not run again. */
    POOL_DRAIN_GRACE,     /* ABORT: the grace of the drain is over. */
    POOL_RECYCLE_TIMEOUT, /* ABORT: its browser is being replaced and did not wait longer. */
};

enum pool_warmth {
    POOL_WARM,  /* A page that served this affinity before. */
    POOL_COLD,  /* A new page in a context of this affinity. */
    POOL_FRESH, /* A new page in a new context. */
};

/* From arrival to grant, in disjoint buckets that sum to the whole wait. After a fault
 * the time of the render that failed is in none of them. */
struct pool_waits {
    uint64_t permit_ms;    /* The gate of its lane was closed. */
    uint64_t admission_ms; /* The main permits of its affinity were used. */
    uint64_t slot_ms;      /* Gates open, neither page nor ticket. */
    uint64_t open_ms;      /* Gates open, with a ticket. */
    uint64_t probe_ms;
};

struct pool_grant {
    enum pool_warmth warmth;
    struct pool_waits waits;
    uint32_t attempt;    /* 1 at first; at most 3, after a page fault and a death. */
    bool clear_cache;    /* Honoured: a batch that asks for it takes the ownership of its
                            affinity for batch_owner_ttl_ms; without a batch only when
                            nobody has it. */
    bool clear_stripped; /* Asked for, but another batch owns the affinity. */
};

struct pool_action {
    enum pool_action_type type;
    uint64_t life, page, context, request, dispose;
    bool new_context, retain;
    enum pool_reason reason;
    uint32_t retry_after_ms, cap;
    struct pool_grant grant;
    const char *key; /* STARTED, ENDED, OPEN in an owned context: borrowed until the next step. */
    size_t key_bytes;
    uint64_t epoch;
};

/* Valid until the next pool_step(). */
struct pool_actions {
    size_t count;
    const struct pool_action *items;
};

/* Bytes that pool_init() needs for this configuration. */
size_t pool_bytes(const struct pool_config *);
/* `memory` holds pool_bytes() zeroed bytes, aligned as by malloc(), and stays the
 * caller's: freeing it is all there is to do at the end. The configuration is copied.
 * A first TICK is due at once: it launches the browser. */
struct pool *pool_init(void *memory, const struct pool_config *, uint64_t now_ms);
/* Cannot fail. The caller starts the actions, in order, before the next step. Events that
 * have come in are stepped before a TICK that is due, so that nothing is called late that
 * was only heard late. A time before the last one counts as the last one. */
struct pool_actions pool_step(struct pool *, uint64_t now_ms, const struct pool_event *);
/* When POOL_TICK is due; UINT64_MAX: never. */
uint64_t pool_deadline_ms(const struct pool *);
/* Aborts on a broken invariant. O(pages + waiters). */
void pool_check(const struct pool *);

/* A view for heartbeats, /affinities, logs and metrics. Projections of the states,
 * never separate books. */
struct pool_stats {
    uint32_t cap, pages_opening, pages_standby, pages_idle, pages_probing, pages_leased;
    uint32_t pages_doomed, pages_closing, pages_killing, pages_zombie;
    uint32_t contexts_orphan, contexts_orphan_closing;
    uint32_t waiting_main, waiting_nested, running_main, running_nested;
    uint32_t affinities;
    uint64_t life;    /* That serves; 0: none is up. */
    uint64_t renders; /* Granted in that life. */
    bool draining;
    uint64_t granted, refused, cancelled, aborted, failed, requeued, stale;
    uint64_t opened, evicted, expired, crashed, zombies, lives;
};
void pool_get_stats(const struct pool *, struct pool_stats *ret);

struct pool_affinity {
    const char *key; /* Borrowed until the next step. */
    size_t key_bytes;
    uint64_t epoch;
    uint32_t pages, pages_idle, contexts, waiting, running;
    bool live;    /* At least one routable page. */
    bool warming; /* Its first page is opening. */
    bool idle;    /* A main request of priority 0, ranked last, would be granted now. */
    bool has_waiting;
    uint32_t priority_waiting_max; /* Of those that wait. */
    uint64_t batch;                /* Owner; 0: none. */
    uint64_t used_ms;              /* When it was last found unused. */
};
/* Steps through the known affinities, in no defined order. *cursor starts at 0.
 * False when there are no more. Not across a pool_step(). */
bool pool_next_affinity(const struct pool *, size_t *cursor, struct pool_affinity *ret);
/* False when no such affinity is known. The view is borrowed in the same way. */
bool pool_find_affinity(const struct pool *, const char *key, size_t key_bytes,
                        struct pool_affinity *ret);

/* Names for logs and traces. */
const char *pool_event_name(enum pool_event_type);
const char *pool_action_name(enum pool_action_type);
const char *pool_reason_name(enum pool_reason);

#endif
