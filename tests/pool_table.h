/* pool_table.h: step tables for the pool.
 *
 * A case is a configuration and a story: one event per step with its time, and all the
 * actions that the pool must answer with, in order; "" is silence. Every table starts
 * with an empty pool whose browser is down; BOOT() brings up life 1. The runner also
 * checks every invariant after every step, and that the waits of each grant add up. */
#ifndef TESTS_POOL_TABLE_H
#define TESTS_POOL_TABLE_H

#include "pool/pool.h"

struct pool_step_row {
    uint64_t now_ms;
    struct pool_event event;
    const char *want;
};

struct pool_case {
    const char *name;
    const struct pool_step_row *rows;
    size_t rows_count;
    struct pool_config config; /* Zero members get the defaults of the runner. */
};

#define CASE(table, ...)                                                                           \
    {                                                                                              \
        .name = #table, .rows = table, .rows_count = sizeof table / sizeof *table, .config = {     \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* A knob that is 0: a plain 0 would mean the default of the runner. */
#define OFF UINT32_MAX

/* Deadline of requests that do not name one: far away, so that few rows need TICK. */
#define FAR_MS 1000000

#define REQUEST_AS(id_, key_, ...)                                                                 \
    {                                                                                              \
        .type = POOL_REQUEST, .request = {                                                         \
            .id = id_,                                                                             \
            .key = key_,                                                                           \
            .key_bytes = sizeof key_ - 1,                                                          \
            .deadline_ms = FAR_MS,                                                                 \
            .queue_deadline_ms = FAR_MS,                                                           \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define REQUEST(id_, key_) REQUEST_AS(id_, key_, .lane = POOL_MAIN)
#define REQUEST_UNTIL(id_, key_, queue_ms_, ms_)                                                   \
    {                                                                                              \
        .type = POOL_REQUEST, .request = {                                                         \
            .id = id_,                                                                             \
            .key = key_,                                                                           \
            .key_bytes = sizeof key_ - 1,                                                          \
            .deadline_ms = ms_,                                                                    \
            .queue_deadline_ms = queue_ms_                                                         \
        }                                                                                          \
    }
#define NESTED(id_, key_) REQUEST_AS(id_, key_, .lane = POOL_NESTED)
#define CANCEL(id_)                                                                                \
    {                                                                                              \
        .type = POOL_CANCEL, .request.id = id_                                                     \
    }
#define DONE(id_, page_)                                                                           \
    {                                                                                              \
        .type = POOL_RENDER_DONE, .request.id = id_, .page = page_                                 \
    }
#define UNUSABLE(id_, page_)                                                                       \
    {                                                                                              \
        .type = POOL_RENDER_DONE, .request.id = id_, .page = page_,                                \
        .outcome = POOL_RENDER_UNUSABLE                                                            \
    }
#define OPENED(page_)                                                                              \
    {                                                                                              \
        .type = POOL_OPENED, .page = page_                                                         \
    }
#define OPEN_FAILED(page_)                                                                         \
    {                                                                                              \
        .type = POOL_OPEN_FAILED, .page = page_                                                    \
    }
#define OPEN_FAILED_AS(page_, ...)                                                                 \
    {                                                                                              \
        .type = POOL_OPEN_FAILED, .page = page_, __VA_ARGS__                                       \
    }
#define PROBED(page_)                                                                              \
    {                                                                                              \
        .type = POOL_PROBED, .page = page_                                                         \
    }
#define PROBE_FAILED(page_)                                                                        \
    {                                                                                              \
        .type = POOL_PROBE_FAILED, .page = page_                                                   \
    }
#define CLOSED(page_)                                                                              \
    {                                                                                              \
        .type = POOL_CLOSED, .page = page_                                                         \
    }
#define CONTEXT_GONE(context_)                                                                     \
    {                                                                                              \
        .type = POOL_CONTEXT_GONE, .context = context_                                             \
    }
#define CRASHED(page_)                                                                             \
    {                                                                                              \
        .type = POOL_PAGE_CRASHED, .page = page_                                                   \
    }
#define LIFE_UP(life_)                                                                             \
    {                                                                                              \
        .type = POOL_LIFE_UP, .life = life_                                                        \
    }
/* The middle of the jitter: a backoff of exactly its mean. */
#define LIFE_DOWN(life_)                                                                           \
    {                                                                                              \
        .type = POOL_LIFE_DOWN, .life = life_, .random = 0x80000000u                               \
    }
#define RECYCLE()                                                                                  \
    {                                                                                              \
        .type = POOL_RECYCLE                                                                       \
    }
#define DISPOSE(key_, strength_)                                                                   \
    {                                                                                              \
        .type = POOL_DISPOSE, .key = key_, .key_bytes = sizeof key_ - 1, .strength = strength_     \
    }
#define DISPOSE_WAIT(key_, id_)                                                                    \
    {                                                                                              \
        .type = POOL_DISPOSE, .key = key_, .key_bytes = sizeof key_ - 1,                           \
        .strength = POOL_DISPOSE_WAIT, .dispose = id_                                              \
    }
#define RELEASE_BATCH(key_, batch_)                                                                \
    {                                                                                              \
        .type = POOL_RELEASE_BATCH, .key = key_, .key_bytes = sizeof key_ - 1, .batch = batch_     \
    }
#define DRAIN(deadline_)                                                                           \
    {                                                                                              \
        .type = POOL_DRAIN, .deadline_ms = deadline_                                               \
    }
#define TICK()                                                                                     \
    {                                                                                              \
        .type = POOL_TICK                                                                          \
    }

/* The first rows of a story: the browser comes up, and as many standbys as the cap says. */
#define LAUNCH                                                                                     \
    {                                                                                              \
        0, TICK(), "launch l1"                                                                     \
    }
#define BOOT1                                                                                      \
    LAUNCH, {0, LIFE_UP(1), "open p1 c1"},                                                         \
    {                                                                                              \
        0, OPENED(1), ""                                                                           \
    }
#define BOOT2                                                                                      \
    LAUNCH, {0, LIFE_UP(1), "open p1 c1, open p2 c2"}, {0, OPENED(1), ""},                         \
    {                                                                                              \
        0, OPENED(2), ""                                                                           \
    }
#define BOOT3                                                                                      \
    LAUNCH, {0, LIFE_UP(1), "open p1 c1, open p2 c2, open p3 c3"}, {0, OPENED(1), ""},             \
        {0, OPENED(2), ""},                                                                        \
    {                                                                                              \
        0, OPENED(3), ""                                                                           \
    }
#define BOOT4                                                                                      \
    LAUNCH, {0, LIFE_UP(1), "open p1 c1, open p2 c2, open p3 c3, open p4 c4"}, {0, OPENED(1), ""}, \
        {0, OPENED(2), ""}, {0, OPENED(3), ""},                                                    \
    {                                                                                              \
        0, OPENED(4), ""                                                                           \
    }

/* Runs all cases in one Check suite; the exit status of the test program. */
int pool_table_run(const char *suite, const struct pool_case *cases, size_t cases_count);

/* Rows that do not step: `want` is a view of the pool. LOOK: one clause per affinity;
 * STATS: permits and waiting requests. */
#define LOOK_TYPE ((enum pool_event_type)1000)
#define LOOK()                                                                                     \
    {                                                                                              \
        .type = LOOK_TYPE                                                                          \
    }
#define STATS_TYPE ((enum pool_event_type)1001)
#define STATS()                                                                                    \
    {                                                                                              \
        .type = STATS_TYPE                                                                         \
    }

#endif
