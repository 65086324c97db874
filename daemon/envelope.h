/* envelope.h: everything about one render as one JSON document. */
#ifndef DAEMON_ENVELOPE_H
#define DAEMON_ENVELOPE_H

#include <stddef.h>
#include "cdp/result.h"
#include "daemon/phases.h"
#include "daemon/requests.h"
#include "document/document.h"

/* From malloc(); NULL when memory is out. What the document said by metas is in it if that was
 * asked for. Reads nothing else: may run in any thread. */
char *envelope_text(const struct request *, const struct render_result *,
                    const struct document_result *, const struct phases *, size_t *ret_bytes);
/* {"prerenderData", "content"}: the value of the expression, null if a partial render did not
 * come to it, and the document. From malloc(); NULL when memory is out. */
char *envelope_data_text(const struct render_result *, size_t *ret_bytes);

#endif
