/* sim.h: the deterministic simulator of the pool.
 *
 * One seed draws a configuration, a load and faults, and then plays a world around a real
 * pool in virtual time: clients that ask, leave and render (clients.c), a browser that
 * opens, closes, hangs, crashes and dies and keeps its own ledger (chromium.c), and a
 * manager that audits what it is told (manager.c). After every step the books of the
 * world are compared with those of the pool (oracle.c). When the faults stop, everything
 * must be answered and the pool must return to its floor (world.c).
 *
 * The world never looks at the pool to decide what happens, only to check it. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pool/pool.h"

/* ---- random.c: splitmix64, the only source of chance ---- */

struct random {
    uint64_t state;
};
uint64_t random_next(struct random *);
/* 0 <= result < bound. */
uint64_t random_below(struct random *, uint64_t bound);
/* Both ends included. */
uint64_t random_between(struct random *, uint64_t low, uint64_t high);
bool random_chance(struct random *, uint32_t permille);
/* About exponential around the mean, at least 1. */
uint64_t random_around(struct random *, uint64_t mean);

/* ---- future.c: what is going to happen, by (time, sequence) ---- */

enum future_kind {
    FUTURE_EVENT,      /* Deliver .event to the pool, whatever has happened since. */
    FUTURE_ARRIVAL,    /* A client asks. */
    FUTURE_CANCEL,     /* The client of .id leaves. */
    FUTURE_RENDER_END, /* The work of .id is done, unless it was aborted meanwhile. */
    FUTURE_EFFECT,     /* The browser carries out an order on page or context .id. */
    FUTURE_ACCIDENT,   /* The browser does something on its own. */
    FUTURE_ADMIN,      /* Somebody disposes, recycles, or ends a batch. */
    FUTURE_NOTICE,     /* The manager hears of the end of affinity .id. */
};

struct future {
    uint64_t time_ms, seq;
    enum future_kind kind;
    uint64_t id;
    uint32_t serial; /* Of the order or the render: an outdated one is void. */
    bool mute;       /* FUTURE_EFFECT: it happens, but nobody hears of it. */
    struct pool_event event;
};

struct futures {
    struct future *items;
    size_t count, capacity;
    uint64_t last_seq;
};
void futures_push(struct futures *, struct future);
struct future futures_pop(struct futures *);

/* ---- The world ---- */

#define KEYS_MAX 16
#define KEY_TEXT_MAX 16

/* How often things go wrong, per mille, and how long things take. */
struct faults {
    uint32_t open_fails, open_slow, open_never, open_transient;
    uint32_t close_slow, close_never, kill_never;
    uint32_t probe_fails, probe_never;
    uint32_t render_hangs, render_unusable, render_crashes;
    uint32_t duplicates, stale_replies;
    uint32_t launch_fails;
    uint32_t accident_page, accident_context, accident_life; /* Shares of accidents. */
    uint32_t accident_interval_ms;                           /* 0: none. */
    uint32_t stalls;
};

struct load {
    uint32_t keys;
    uint32_t interval_ms; /* Between arrivals, on average. */
    uint32_t render_ms, timeout_ms;
    uint32_t bursts, cancels, nested, children, priorities, auth, batches, single_use;
    uint32_t repeatable, short_queue;
    uint32_t admin_interval_ms; /* 0: none. */
};

/* What has become of a page in the browser. */
enum page_fate { FATE_NOWHERE, FATE_MAKING, FATE_READY, FATE_CRASHED, FATE_ENDED };

struct sim_page {
    enum page_fate fate;
    uint64_t life, context, request; /* request: that renders on it. */
    uint32_t serial;                 /* Of the latest order. */
    bool close_ordered, close_retain, opened_heard;
};

struct sim_context {
    bool exists, bound;
    uint64_t life, page;      /* page: in it; 0: none. */
    uint64_t affinity;        /* Index of its key, when bound. */
    uint64_t private_request; /* The only one that may use it; 0: none. */
    uint64_t fingerprint;
    uint64_t bound_step;
    uint32_t serial;
};

enum life_fate { LIFE_NOWHERE, LIFE_COMING, LIFE_ALIVE, LIFE_ENDED };

struct sim_life {
    enum life_fate fate;
    uint32_t contexts, pages;                 /* Its own ledger. */
    uint32_t making;                          /* Pages that are ordered and not there yet. */
    uint32_t pages_allowed, contexts_allowed; /* See oracle.c. */
};

/* How the pool is done with a request. */
enum sim_answer {
    ANSWER_RENDERED, /* With its result. */
    ANSWER_ENDED,    /* It ran, and was ended: deadline, cancel, drain, recycle. */
    ANSWER_REFUSED,  /* Never started. */
    ANSWER_FAILED,   /* It ran, and its page or browser is gone. */
    ANSWER_LEFT,     /* Its client left while it waited. */
};

enum request_fate { ASK_NOWHERE, ASK_WAITING, ASK_PROBING, ASK_RUNNING, ASK_ANSWERED };

struct sim_request {
    enum request_fate fate;
    struct pool_request asked;
    uint64_t affinity; /* Index of its key. */
    uint64_t parent;   /* That waits for it; 0: none. */
    uint64_t outside;  /* What its owner calls it; 0: nothing. */
    uint32_t children; /* Not answered yet. */
    bool work_done, returned, hangs;
    uint64_t page, waiting_since_ms, waited_ms;
    uint64_t arrival_ms, started_step, returned_step;
    uint32_t serial, attempts;
};

struct sim_affinity {
    char key[KEY_TEXT_MAX];
    bool live;            /* As the edges said. */
    uint64_t epoch;       /* Of the last edge. */
    bool notice;          /* An eviction notice is on its way. */
    uint64_t fingerprint; /* What most of its requests carry at present. */
};

struct sim_wait {
    uint64_t id, affinity, step;
    bool answered;
};

/* What a pool is a part of (tests/fleet/): hears of the requests that it asked, and of the
 * edges that an outbox is fed with. */
struct sim;
struct sim_owner {
    void (*granted)(struct sim *, uint64_t outside);
    void (*answered)(struct sim *, uint64_t outside, enum sim_answer);
    void (*edge)(struct sim *, const struct pool_action *);
    void *context;
};

struct sim {
    uint64_t seed;
    const struct sim_owner *owner; /* NULL: a pool alone, and clients of its own. */
    struct random random;
    uint64_t now_ms, step, steps_max;
    struct pool_config config;
    struct faults faults;
    struct load load;
    bool trace, calm; /* calm: no faults at all: nested renders must never be late. */
    bool draining, load_over;
    uint64_t drain_ms;
    struct pool *pool;
    void *memory;
    struct coverage *coverage;
    struct futures futures;

    struct sim_page *pages;
    size_t pages_count;
    struct sim_context *contexts;
    size_t contexts_count;
    struct sim_life *lives;
    size_t lives_count;
    struct sim_request *requests;
    size_t requests_count;
    struct sim_wait *waits;
    size_t waits_count;
    struct sim_affinity affinities[KEYS_MAX];
    uint64_t last_request, last_wait;
    uint32_t waiting, running; /* By lane does not matter here. */
    uint32_t waiting_fresh;    /* Main, never returned to their rank. */
    uint32_t cap;
    uint64_t no_open_life, no_open_before_ms; /* After an opening that failed. */
    /* What the run has seen, for the summary. */
    uint64_t granted, refused, answered, notices;
};

/* Prints the seed, the step and the text, and ends the process: 1 by exit status. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_fail(const struct sim *,
                                                              const char *format, ...);
#define SIM_CHECK(sim, condition, ...)                                                             \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sim_fail((sim), __VA_ARGS__);                                                          \
    } while (0)

/* Steps the pool with the event and carries out what it answers. */
void sim_step(struct sim *, const struct pool_event *);
void sim_later(struct sim *, uint64_t delay_ms, struct future);

/* ---- configure.c ---- */
void configure(struct sim *);

/* ---- clients.c ---- */
struct sim_request *request_at(struct sim *, uint64_t id);
void clients_start(struct sim *);
/* Accidents and administrators alone. */
void clients_start_nobody(struct sim *);
void clients_arrival(struct sim *, const struct future *);
/* Asks at once for a main render of that affinity; returns its id. */
uint64_t clients_ask(struct sim *, uint64_t affinity, enum pool_lane, uint64_t parent);
/* Asks for its owner, who has filled in all but the id; returns that. */
uint64_t clients_ask_outside(struct sim *, struct pool_request, uint64_t affinity,
                             uint64_t outside);
void clients_cancel(struct sim *, const struct future *);
void clients_render_end(struct sim *, const struct future *);
void clients_granted(struct sim *, const struct pool_action *);
void clients_probed(struct sim *, const struct pool_action *);
void clients_aborted(struct sim *, const struct pool_action *);
void clients_refused(struct sim *, const struct pool_action *);
void clients_failed(struct sim *, const struct pool_action *);
/* Its page or browser is gone without a word of the pool about it. */
void clients_back_to_rank(struct sim *, uint64_t id);
void clients_answered(struct sim *, uint64_t id, enum sim_answer);

/* ---- admin.c ---- */
void admin(struct sim *, const struct future *);
void admin_disposed(struct sim *, const struct pool_action *);

/* ---- chromium.c ---- */
struct sim_page *page_at(struct sim *, uint64_t id);
struct sim_context *context_at(struct sim *, uint64_t id);
struct sim_life *life_at(struct sim *, uint64_t id);
void chromium_act(struct sim *, const struct pool_action *);
void chromium_effect(struct sim *, const struct future *);
void chromium_accident(struct sim *, const struct future *);
void chromium_granted(struct sim *, const struct pool_action *);
void chromium_heard(struct sim *, const struct pool_event *);
void chromium_life_ended(struct sim *, uint64_t life);
void chromium_page_ended(struct sim *, uint64_t page, bool with_context);

/* ---- manager.c ---- */
void manager_started(struct sim *, const struct pool_action *);
void manager_ended(struct sim *, const struct pool_action *);
void manager_notice(struct sim *, const struct future *);
/* Compares what the edges said with what a heartbeat would say. */
void manager_audit(struct sim *);
uint64_t affinity_index(const struct sim *, const char *key, size_t key_bytes);

/* ---- oracle.c ---- */
void oracle_before_step(struct sim *, const struct pool_event *);
void oracle_after_step(struct sim *, const struct pool_event *, const struct pool_actions *);
void oracle_after_tick(struct sim *);
void oracle_at_end(struct sim *);
/* Nothing is left over: the run may end. */
bool oracle_is_settled(struct sim *);

/* ---- coverage.c ---- */
struct coverage;
struct coverage *coverage_new(void);
void coverage_free(struct coverage *);
void coverage_before(struct coverage *, const struct pool *);
void coverage_after(struct coverage *, const struct pool *, enum pool_event_type);
void coverage_print(const struct coverage *);
/* How many arrows of pool.h were never taken; names them. */
int coverage_missing(const struct coverage *);

/* ---- world.c ---- */
/* The parts of a run, for an owner that has several worlds at one clock: `sim` is configured
 * and its time is set; what is next, and to do that; and to stop taking up work. */
void world_open(struct sim *);
uint64_t world_next_ms(const struct sim *);
void world_turn(struct sim *);
void world_drain(struct sim *, uint64_t grace_ms);
void world_close(struct sim *);
/* Plays one seed to its end. */
void world_run(uint64_t seed, uint64_t steps_max, bool trace, struct coverage *, uint64_t *steps);

#endif
