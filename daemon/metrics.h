/* metrics.h: what the daemon counts, and the text that a Prometheus server reads of it.
 *
 * Events are counted here as they happen; what the pool and the listeners know by
 * themselves is asked for when the text is made. No label takes its value from a client:
 * a URL or a key would make one series each. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include "daemon/phases.h"
#include "http/http.h"
#include "pool/pool.h"

/* How a request for a render ended. */
enum metric_outcome {
    METRIC_COMPLETE,
    METRIC_PARTIAL,
    METRIC_FAILED,    /* It ran, and there is no document. */
    METRIC_REFUSED,   /* It never started: queue full, queue timeout, draining. */
    METRIC_CANCELLED, /* Its client left first. */
    METRIC_OUTCOMES,
};

#define METRIC_BUCKETS_MAX 12

struct histogram {
    uint64_t buckets[METRIC_BUCKETS_MAX + 1]; /* Not cumulative; the last is the rest. */
    uint64_t count, sum_us;
};

/* An answer has a status of three digits; 0 stands for a client that left first. */
#define METRIC_STATUSES 600

struct metrics {
    uint64_t renders[METRIC_OUTCOMES];
    struct histogram phases[PHASES];
    struct histogram turns, heartbeat_turns;
    uint64_t requests[HTTP_ROUTES][METRIC_STATUSES];
    uint64_t response_bytes;
};

/* What is measured at the moment of asking. */
struct metrics_state {
    struct pool_stats pool;
    uint64_t exchanges_open; /* HTTP exchanges and connections. */
    uint64_t uptime_ms;
    const char *version;
};

void metrics_count_outcome(struct metrics *, enum metric_outcome);
/* The phases of a render that ran to its end. */
void metrics_count_phases(struct metrics *, const struct phases *);
/* `has_heartbeat`: the manager was told the state in it. */
void metrics_count_turn(struct metrics *, uint64_t us, bool has_heartbeat);
void metrics_count_finished(struct metrics *, const struct http_finished *);
/* The text exposition format, version 0.0.4, from malloc(); NULL when memory is out. */
char *metrics_text(const struct metrics *, const struct metrics_state *, size_t *ret_bytes);

#endif
