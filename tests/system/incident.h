/* incident.h: replays the incident that the pool was built for.
 *
 * A stage renders steadily for a few affinities in an open loop, while one more affinity
 * may have a page that never settles and pins its thread. Measured is what the others
 * wait for, and how soon a standby is back after the stuck page. */
#ifndef TESTS_SYSTEM_INCIDENT_H
#define TESTS_SYSTEM_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>
#include "tests/system/recorder.h"
#include "tests/system/stage.h"

#define INCIDENT_PAGES 3
#define INCIDENT_AFFINITIES 5
/* pool.orphan_contexts_max by default. */
#define INCIDENT_ORPHANS_MAX (2 * INCIDENT_PAGES)

/* For stage_open(): a pool of INCIDENT_PAGES. */
extern const char *const incident_knobs[];

/* What is measured of each steady render, in ms. */
enum incident_series {
    INCIDENT_PERMIT,
    INCIDENT_ADMISSION,
    INCIDENT_SLOT,
    INCIDENT_OPEN,
    INCIDENT_PROBE,
    INCIDENT_WAIT, /* Those above, together. */
    INCIDENT_TOTAL,
    INCIDENT_SERIES,
};

struct incident_plan {
    uint32_t renders;          /* Of the steady affinities. */
    double per_second;         /* 0: closed loop, as many at once as there are pages. */
    bool has_stuck;            /* One stuck render is under way at any time. */
    uint32_t stuck_timeout_ms; /* Its deadline; then the next begins. */
    const char *gate;          /* Of /pinned: not open yet, unless the page is fixed. */
};

/* What one phase showed. The caller frees the arrays with incident_free(). */
struct incident {
    double *ms[INCIDENT_SERIES];
    uint32_t renders;
    double per_second;        /* Reached. */
    uint32_t retirements;     /* Of stuck pages. */
    uint64_t back_max_ms;     /* The longest from the end of a stuck render to a standby. */
    struct recorded recorded; /* What the browser's own list of contexts showed. */
};

/* Runs a phase. Every steady render must be complete and show its own document, no request
 * may be refused, and no context may be over the bound. */
void incident_run(struct stage *, const struct incident_plan *, struct incident *ret);
void incident_free(struct incident *);
/* Opens the gate, and renders the page of the stuck affinity: it must be there now. Returns
 * the time that took, in ms. */
uint64_t incident_fix(struct stage *, const char *gate);

#endif
