/* path_mode.h: which headers of an origin, and of a page, an answer in path mode has. */
#ifndef DAEMON_PATH_MODE_H
#define DAEMON_PATH_MODE_H

#include <stdbool.h>
#include "cdp/result.h"
#include "document/document.h"

/* True for what describes the connection or the bytes that the origin sent, and for what
 * the daemon says itself. */
bool path_mode_denies(const char *name);
/* Header `index` of the origin goes into the answer. A page's own header replaces it. */
bool path_mode_passes(const struct render_result *, size_t index, const struct document_result *);
/* Header `index` of those that the page set goes into the answer. */
bool path_mode_passes_own(const struct render_result *, size_t index,
                          const struct document_result *);
/* The status of the answer; `partial_status` is that of a partial one, 0: as any other. */
int path_mode_status(const struct render_result *, const struct document_result *,
                     uint32_t partial_status);
/* A partial page that shows nothing, of an origin that means it to be a page: a crawler would
 * take it for the whole. `partial_status` as above; it says that crawlers are told. */
bool path_mode_is_vain(const struct render_result *, uint32_t partial_status);
/* The origin's answer has no document to send: a redirect, or no content. */
bool path_mode_is_bodyless(const struct render_result *);

#endif
