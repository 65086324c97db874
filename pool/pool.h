/* pool.h: decides which page serves which request. Read this header first.
 *
 * A pure state machine: one event and the time in, actions out. It does no I/O,
 * reads no clock, and allocates nothing after pool_init(), so the same events at the
 * same times always give the same actions. tests/sim/ stands on that property.
 */
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
                           its context too unless the close said retain. */
    POOL_CONTEXT_GONE,  /* .context is gone: answers POOL_DISPOSE_CONTEXT, or the browser
                           reported it destroyed. Its page, if any, went with it. */
    POOL_PAGE_CRASHED,  /* The renderer of .page is gone. */
    POOL_LIFE_UP,       /* Answers POOL_LAUNCH: the browser of .life serves. */
    POOL_LIFE_DOWN,     /* The browser of .life is gone, or failed to start. */
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
    bool single_use;            /* Its page and context serve nobody else. */
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
    POOL_DISPOSE_CONTEXT, /* Dispose .context, which has no page. */
    POOL_KILL,            /* A close is late: end .page and .context by force. */
    POOL_REFUSE,          /* .request was never started; .reason, .retry_after_ms. */
    POOL_FAIL,            /* .request ran and has failed for good; .reason. */
    POOL_STARTED,         /* The affinity .key became live in .epoch. */
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

/* From arrival to grant, in disjoint buckets that sum to the whole wait. */
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
    uint32_t attempt;    /* 1 at first, 2 after a fault. */
    bool clear_cache;    /* Honoured; see batches. */
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
 * caller's: freeing it is all there is to do at the end. The configuration is copied. */
struct pool *pool_init(void *memory, const struct pool_config *, uint64_t now_ms);
/* Cannot fail. The caller starts the actions, in order, before the next step. */
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
    uint64_t used_ms;
};
/* Steps through the known affinities, in no defined order. *cursor starts at 0.
 * False when there are no more. Not across a pool_step(). */
bool pool_next_affinity(const struct pool *, size_t *cursor, struct pool_affinity *ret);

/* Names for logs and traces. */
const char *pool_event_name(enum pool_event_type);
const char *pool_action_name(enum pool_action_type);
const char *pool_reason_name(enum pool_reason);

#endif
