/* diagnostics.h: what an answer in the manager's dialect says about how it came about. */
#ifndef DAEMON_DIAGNOSTICS_H
#define DAEMON_DIAGNOSTICS_H

#include <jansson.h>
#include "cdp/result.h"

struct daemon;
struct request;

/* In ms: from arrival to grant, from grant until now, both. */
struct times {
    json_int_t launch, render, total;
};
struct times times_of(const struct daemon *, const struct request *);
/* The waits before the grant, by the dialect's names. */
json_t *waits_json(const struct request *);
/* `result` NULL: the pool ended the render. One that failed tells also where it stood, what
 * its page had done, and what else its affinity was doing: a nested request that is queued
 * while this one hangs is the mark of an application that waits for itself. */
json_t *diagnostics_json(const struct daemon *, const struct request *,
                         const struct render_result *);

#endif
