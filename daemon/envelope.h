/* envelope.h: everything about one render as one JSON document. */
#ifndef DAEMON_ENVELOPE_H
#define DAEMON_ENVELOPE_H

#include <stddef.h>
#include "cdp/result.h"
#include "daemon/phases.h"
#include "daemon/requests.h"

/* From malloc(); NULL when memory is out. Reads nothing else: may run in any thread. */
char *envelope_text(const struct request *, const struct render_result *, const struct phases *,
                    size_t *ret_bytes);

#endif
