/* phases.h: where the time of one request went. One vocabulary for the envelope, the
 * Server-Timing header, the metrics and the log. */
#ifndef DAEMON_PHASES_H
#define DAEMON_PHASES_H

#include <stdint.h>

/* Disjoint; together they are PHASE_TOTAL. */
enum phase {
    PHASE_PERMIT,
    PHASE_ADMISSION,
    PHASE_SLOT,
    PHASE_OPEN,
    PHASE_PROBE,
    PHASE_NAVIGATE,
    PHASE_LOAD,
    PHASE_SETTLE,
    PHASE_CAPTURE,
    PHASE_PROCESS, /* What the others leave: the daemon's own work. */
    PHASE_TOTAL,   /* From arrival to answer. */
    PHASES,
};

struct phases {
    uint64_t ms[PHASES];
};

const char *phase_name(enum phase);

#endif
