/* state.h: the records behind pool.h and their relations. Private to pool/.
 *
 * Everything lives in the block given to pool_init(). Records come from arenas that
 * are sized once from the configuration; memory that was never used is never touched.
 * Each machine has one setter (page_set_state, context_set_state, request_set_state,
 * life_set_state): it checks the arrow, moves the counters and keeps the record in
 * exactly the lists of its state. Nothing else writes a state.
 *
 * What is derived from states (which waiting request may move, who is a victim) is
 * brought up to date lazily: transitions call pool_affinity_touch(), and pool_lines_settle()
 * puts the touched affinities back in order before the next decision. */
#ifndef POOL_STATE_H
#define POOL_STATE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bsd/sys/tree.h>
#include <sys/queue.h>
#include "config/config.h"
#include "pool/pool.h"

/* Canaries: `make canaries` builds the pool once per number, each time with one known bug
 * compiled in, and demands that the simulator finds it. Elsewhere CANARY() is false. */
#define CANARY_EVICTION_BLOCKS 1   /* While a page closes, nobody is served. */
#define CANARY_SLOT_EARLY 2        /* A slot is free before its close is acknowledged. */
#define CANARY_STALE_NOTICE 3      /* The end of an affinity is told that is live again. */
#define CANARY_ORPHAN_BESIDE 4     /* An orphan is kept beside a live page. */
#define CANARY_DOUBLE_CLOSE 5      /* A page is closed twice. */
#define CANARY_PARENT_EVICTED 6    /* A request evicts the page of a render. */
#define CANARY_PERMIT_DEADLOCK 7   /* Main renders take the permit of nested ones. */
#define CANARY_DOOMED_GRANTED 8    /* A doomed page is idle after its render. */
#define CANARY_OWNER_CHANGES 9     /* A page of another affinity is granted. */
#define CANARY_COUNTER_RESET 10    /* The end of a life forgets what runs elsewhere. */
#define CANARY_LATE_OPEN_STALE 11  /* A late opening frees its slot, its page leaks. */
#define CANARY_PROBE_TIME_LOST 12  /* The time of a probe is in no bucket. */
#define CANARY_NO_DEADLINE 13      /* A render is not ended at its deadline. */
#define CANARY_AUTH_KEPT 14        /* A context survives the change of its fingerprint. */
#define CANARY_POISON 15           /* A request that kills pages is repeated for ever. */
#define CANARY_ZOMBIE_FREED 16     /* A kill that is late frees the slot. */
#define CANARY_REARM_FORGOTTEN 17  /* Openings that fail are tried again at once. */
#define CANARY_CAP_STAYS 18        /* The cap never comes down again. */
#define CANARY_BYPASS_UNBOUNDED 19 /* A waiting request is passed again and again. */
#define CANARY_RANK_IGNORED 20     /* Whoever came last is served first. */
#ifdef POOL_CANARY
#define CANARY(number) (POOL_CANARY == (number))
#else
#define CANARY(number) false
#endif

/* Timers that one TICK handles, and waiting requests that one step refuses when the
 * pool drains: the rest is due at once, so that no turn of the loop gets long. */
#define STEP_BATCH_MAX 256

/* ---- Memory ---- */

/* Fixed-size records, handed out zeroed, first from `spare`, then from the end. */
struct arena {
    unsigned char *base;
    size_t record_bytes;
    uint32_t used, limit;
    void *spare;
};

/* First member of every record that is found by id. */
struct id_node {
    uint64_t id;
    struct id_node *next;
};
struct id_table {
    struct id_node **buckets;
    uint32_t bits;
};

/* ---- Time ---- */

enum timer_kind {
    TIMER_PAGE,        /* Its state is late: opening, probe, close, kill. */
    TIMER_CONTEXT,     /* The same for a context without a page. */
    TIMER_REQUEST,     /* End of the wait or of the render. */
    TIMER_LIFE,        /* UP: recycle by age; RETIRING: the hand-over is late. */
    TIMER_LAUNCH,      /* Start of the pool; end of the backoff between launches. */
    TIMER_REARM,       /* Openings may be tried again. */
    TIMER_CONTRACTION, /* The pool was idle for a whole window. */
    TIMER_DRAIN,       /* End of the grace. */
    TIMER_REFUSALS,    /* More waiting requests to refuse while draining. */
};
struct timer {
    uint64_t due_ms;
    uint64_t seq; /* Equal times fire in the order in which they were set. */
    enum timer_kind kind;
    bool armed;
    RB_ENTRY(timer) node;
};

/* ---- Pages ---- */

enum page_state {
    PAGE_OPENING, /* POOL_OPEN is out. */
    PAGE_STANDBY, /* Ready, bound to no affinity. */
    PAGE_IDLE,    /* Of its affinity, not leased. */
    PAGE_PROBING, /* POOL_PROBE is out for a request that holds its permits. */
    PAGE_LEASED,  /* One request renders on it. */
    PAGE_DOOMED,  /* Leased, but of an epoch or a life that is over: never granted again. */
    PAGE_CLOSING, /* POOL_CLOSE is out, or will be once the browser knows the page. */
    PAGE_KILLING, /* The close was late; POOL_KILL is out. */
    PAGE_ZOMBIE,  /* The kill was late too. */
    PAGE_GONE,    /* Not a state of a record: the record is free again. */
};
#define PAGE_STATES PAGE_GONE

struct page {
    struct id_node node;
    enum page_state state;
    bool known;      /* The browser answered its opening: a close can be sent. */
    bool page_gone;  /* CLOSING and later: only the context is still to go. */
    bool claimed;    /* Opened in a context that its affinity had before. */
    bool retain;     /* The cause of the close allows to keep the context. */
    bool keep_asked; /* POOL_CLOSE said retain: the acknowledgement is of the page alone. */
    bool single_use;
    enum pool_lane lane; /* Of the request that probes or renders. */
    uint32_t renders;
    struct life *life;
    struct context *context;
    struct affinity *affinity;  /* NULL: bound to none. */
    struct request *request;    /* That probes or renders. */
    struct request *ticket;     /* That waits for this very slot. */
    uint64_t epoch;             /* Of its affinity, when it became routable. */
    uint64_t site;              /* That it served last. */
    uint64_t used_ms, used_seq; /* When it became idle: the LRU order. */
    struct timer timer;
    LIST_ENTRY(page) of_life, of_affinity;
    /* In life.openings, standbys, closings or affinity.idle, by state. */
    TAILQ_ENTRY(page) queue;
    RB_ENTRY(page) lru; /* pool.idle_pages. */
};

/* ---- Contexts ---- */

enum context_state {
    CONTEXT_OPENING, /* Being made together with its first page. */
    CONTEXT_UNOWNED, /* Of a standby. */
    CONTEXT_OWNED,   /* Bound to one affinity, for good. */
    CONTEXT_ORPHAN,  /* Kept without a page. */
    CONTEXT_CLOSING,
    CONTEXT_KILLING,
    CONTEXT_ZOMBIE,
    CONTEXT_GONE, /* The record is free again. */
};
#define CONTEXT_STATES CONTEXT_GONE

struct context {
    struct id_node node;
    enum context_state state;
    bool leaving; /* Counted in affinity.leaving: a dispose may wait for it. */
    struct life *life;
    struct page *page; /* In it, or whose slot its close holds; NULL: none. */
    struct affinity *affinity;
    uint64_t fingerprint; /* Of its first bind. */
    uint64_t leave_seq;
    struct timer timer; /* While it closes without a slot. */
    LIST_ENTRY(context) of_life;
    TAILQ_ENTRY(context) orphan; /* life.orphans, oldest first. */
};

/* ---- Requests ---- */

enum request_state {
    REQUEST_WAITING, /* Holds its rank, and perhaps a ticket. */
    REQUEST_PROBING, /* Holds permits and a page that is being probed. */
    REQUEST_RUNNING, /* Holds permits and a lease. */
    /* Terminal: the record is free again. */
    REQUEST_DONE,
    REQUEST_CANCELLED,
    REQUEST_REFUSED,
    REQUEST_FAILED,
};
#define REQUEST_STATES REQUEST_DONE
#define LANES 2

/* Where a request waits: smaller is sooner. `order` is arrival less the bonus of its
 * priority, or the priority alone; `seq` counts arrivals. */
struct rank {
    int64_t order;
    uint64_t seq;
};

/* Requests that see the same growth ceiling. */
enum tier { TIER_NORMAL, TIER_HIGH };
#define TIERS 2

/* What the ticket of a waiting request is for. */
enum ticket_kind {
    TICKET_NONE,
    TICKET_CLOSING, /* The slot of a page that closes. */
    TICKET_OPENING, /* A page that opens in an unowned context. */
    TICKET_OWN,     /* A page that opens in a context of its affinity. */
};
#define TICKET_KINDS 4

/* A line: the waiting requests of one affinity that differ in nothing but their rank
 * as far as pool_match() is concerned. Only the best of each line stands in a front. */
#define LINES (LANES * TIERS * TICKET_KINDS)
static_assert(LINES <= 16, "affinity.lines_used has a bit for each");

/* Fronts: the heads of all lines that wait for the same kind of thing. */
enum front {
    FRONT_AUTH,   /* Its fingerprint differs: the epoch is to be disposed. */
    FRONT_READY,  /* An idle page of its affinity is there. */
    FRONT_ORPHAN, /* It needs a slot for the orphan of its affinity. */
    FRONT_PLAIN,  /* It needs a page. */
    FRONT_PARKED, /* Only an event of its own affinity can help: in no front. */
};
#define FRONTS FRONT_PARKED

struct request {
    struct id_node node;
    enum request_state state;
    enum pool_lane lane;
    enum tier tier;
    enum front front;
    bool repeatable, single_use, clear_cache;
    bool page_fault_used, death_used; /* Each cause may put it back to its rank once. */
    enum pool_reason fault;           /* Why it came back from running. */
    bool returned;                    /* To its rank: exempt from queue_max. */
    uint32_t priority, attempt, bypassed;
    struct rank rank;  /* Its own, fixed for life. */
    struct rank place; /* In its front: may be inherited from a main render. */
    struct affinity *affinity;
    struct page *page;   /* PROBING, RUNNING. */
    struct page *ticket; /* WAITING. */
    uint64_t deadline_ms, queue_deadline_ms, granted_ms;
    uint64_t fingerprint, site, batch;
    struct pool_waits waits;
    uint64_t mark_ms, mark_open_ms, mark_admission_ms; /* When `waits` was settled. */
    struct timer timer;
    RB_ENTRY(request) line;  /* affinity.lines[]; running: affinity.mains. */
    RB_ENTRY(request) ahead; /* pool.fronts[][]. */
    TAILQ_ENTRY(request) waiting;
    RB_ENTRY(request) turn; /* pool.turns, when it has a ticket. */
    struct rank turn_place;
    uint32_t turn_all, turn_mains; /* In its subtree. */
};

/* ---- Affinities ---- */

struct dispose_wait {
    uint64_t dispose;
    uint64_t leave_seq; /* It waits for contexts that left before. */
    uint32_t remaining;
    LIST_ENTRY(dispose_wait) next;
};

RB_HEAD(line, request);
RB_HEAD(front_tree, request);
TAILQ_HEAD(page_queue, page);
LIST_HEAD(page_list, page);

#define VICTIM_CLASSES 4

struct affinity {
    char *key;
    size_t key_bytes;
    uint64_t key_hash;
    bool known;      /* Not a free record. */
    bool single_use; /* Of one such request: found by nobody, reported to nobody. */
    bool touched;    /* In pool.touched: before_ is what it was before the step. */
    bool unsettled;  /* In pool.unsettled. */
    bool in_lru;
    bool main_closed; /* Its main permits were used when it was settled. */
    bool bound;       /* `fingerprint` was set by a bind. */
    bool before_live;
    uint8_t victim_class; /* VICTIM_CLASSES: in no tree. */
    uint64_t before_epoch;
    uint64_t epoch;          /* Rises when the last routable page leaves, and on dispose. */
    uint64_t disposed_epoch; /* No context of it or an older one may stay. */
    uint64_t fingerprint;
    uint64_t batch, batch_ms, batch_epoch;
    uint64_t used_ms;
    uint32_t idle_count, probing, leased; /* Routable pages. */
    uint32_t mains;                       /* Main permits used: on routable pages. */
    uint32_t tickets[LANES];              /* Of its requests, for pages it does not own. */
    uint32_t waiting[LANES];
    uint32_t running;       /* Probing and running requests, on doomed pages too. */
    uint32_t contexts;      /* Not gone. */
    uint32_t leaving;       /* Of those, closing or under a doomed page, not zombies. */
    struct page *opening;   /* In a context it owns; one at most. */
    struct context *orphan; /* One at most. */
    struct page_list pages;
    struct page_queue idle;          /* Least recently used first. */
    uint16_t lines_used, heads_used; /* A bit for each that is not empty. */
    struct line lines[LINES];
    struct request *heads[LINES];             /* That stand in a front. */
    struct line main_renders;                 /* Running main requests by rank. */
    uint64_t admission_ms, admission_mark_ms; /* Open gate time with main_closed. */
    uint64_t victim_seq;                      /* Its key in the victim tree. */
    LIST_HEAD(, dispose_wait) waits;
    RB_ENTRY(affinity) by_key;
    RB_ENTRY(affinity) victim;
    TAILQ_ENTRY(affinity) lru;
    STAILQ_ENTRY(affinity) next_touched, next_unsettled;
};

/* ---- Lives ---- */

enum life_state {
    LIFE_STARTING,
    LIFE_UP,
    LIFE_RETIRING, /* The next life has taken over; leased pages finish. */
    LIFE_DOWN,     /* The record is free again. */
};

struct life {
    uint64_t id;
    enum life_state state;
    bool recycle_wanted;
    bool transient_used; /* Its one immediate re-arm. */
    uint32_t pages[PAGE_STATES];
    uint32_t charged; /* Slots: the sum of pages[]. */
    uint32_t contexts[CONTEXT_STATES];
    uint32_t loose;            /* Contexts that close without a slot. */
    uint32_t standby_openings; /* Openings that will become standbys. */
    uint64_t renders, up_ms;
    struct timer timer;
    struct page_list all_pages;
    LIST_HEAD(, context) all_contexts;
    struct page_queue openings; /* Unowned, no ticket; oldest first. */
    struct page_queue standbys;
    struct page_queue closings; /* No ticket. */
    TAILQ_HEAD(, context) orphans;
};

/* ---- The pool ---- */

RB_HEAD(turn_tree, request);
RB_HEAD(timer_tree, timer);
RB_HEAD(key_tree, affinity);
RB_HEAD(victim_tree, affinity);
RB_HEAD(lru_tree, page);

struct pool {
    struct pool_config config;
    uint32_t ceiling[TIERS];
    uint32_t main_max; /* Main permits per affinity. */
    uint32_t nested_max;
    uint32_t returned_max; /* Per lane, with those that run: the bound of their records. */
    uint64_t now_ms;

    struct arena pages, contexts, requests, affinities, waits;
    char *keys; /* POOL_KEY_BYTES_MAX for each record of affinities. */
    struct id_table pages_by_id, contexts_by_id, requests_by_id;
    uint64_t last_page, last_context, last_life, last_epoch;
    uint64_t last_timer, last_arrival, last_used, last_leave;

    uint32_t cap;
    struct life lives[BROWSER_LIVES_MAX];
    struct life *serving, *starting, *retiring;
    uint32_t launch_failures, open_failures;
    uint32_t random; /* Of the event being handled. */
    bool draining;

    uint32_t requests_in[REQUEST_STATES][LANES];
    uint32_t returned[LANES]; /* Waiting, but exempt from queue_max. */
    uint32_t tickets;
    TAILQ_HEAD(, request) waiting;
    struct turn_tree turns;
    struct front_tree fronts[FRONTS][LINES];
    uint64_t fronts_used;    /* Bit front * LINES + line: not empty. */
    bool gate_open[LANES];   /* At the end of the last step. */
    uint64_t open_ms[LANES]; /* Time with the gate open, ever. */
    uint64_t render_mean_ms;

    struct key_tree by_key;
    uint32_t affinities_known; /* In it. */
    struct victim_tree victims[VICTIM_CLASSES];
    struct lru_tree idle_pages;
    TAILQ_HEAD(, affinity) lru; /* Unused ones with something warm, oldest first. */
    STAILQ_HEAD(, affinity) touched, unsettled;

    struct timer_tree timers;
    struct timer launch, rearm, contraction, drain, refusals;

    bool granted_any; /* In this step; rank and tier of the best. */
    struct rank granted_rank;
    enum tier granted_tier;
    uint32_t ended_late; /* In this step: a full batch stops match() till the next tick. */
    struct page *rested; /* Became idle in this step. */
    uint32_t cap_before;

    struct pool_stats totals; /* Only the running totals are used. */
    struct pool_action *actions;
    size_t actions_count, actions_max;
};

/* trees.c */
RB_PROTOTYPE(timer_tree, timer, node, timer_cmp)
RB_PROTOTYPE(key_tree, affinity, by_key, affinity_key_cmp)
RB_PROTOTYPE(victim_tree, affinity, victim, affinity_victim_cmp)
RB_PROTOTYPE(lru_tree, page, lru, page_lru_cmp)
RB_PROTOTYPE(turn_tree, request, turn, turn_cmp)
RB_PROTOTYPE(line, request, line, request_rank_cmp)
RB_PROTOTYPE(front_tree, request, ahead, request_place_cmp)

#endif
