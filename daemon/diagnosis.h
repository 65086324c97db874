/* diagnosis.h: what is known of a render beside its outputs, as JSON: for envelopes, for
 * problem documents, and for the manager's dialect. */
#ifndef DAEMON_DIAGNOSIS_H
#define DAEMON_DIAGNOSIS_H

#include <jansson.h>
#include "cdp/result.h"

struct daemon;
struct request;

/* Adds `pending`, and what was gathered of `console`, `exceptions`, `resources`, `redirects`;
 * of a render that ran out of time also `timeout`. Reads nothing else. */
void diagnosis_add(json_t *object, const struct render_result *);
/* Other requests for the same affinity, at most 20: one that waits while this one hangs may
 * be what it hangs on. */
json_t *diagnosis_activity(const struct daemon *, const struct request *);
/* Both, of a render that failed, as text from malloc(); NULL: out of memory. */
char *diagnosis_text(const struct daemon *, const struct request *, const struct render_result *);

#endif
