/* verdict.h: the words for how a render ended: in headers, envelopes, problems and logs. */
#ifndef DAEMON_VERDICT_H
#define DAEMON_VERDICT_H

#include <stddef.h>
#include "cdp/result.h"
#include "config/config.h"
#include "http/http.h"
#include "pool/pool.h"

/* All static. */
const char *verdict_outcome(enum render_outcome);
const char *verdict_reason(enum render_reason);
const char *verdict_warmth(enum pool_warmth);

/* The error of the interface that a failed render is answered with. */
enum http_code verdict_code(enum render_code);
/* Its sentence, written to `text`, which is returned. */
const char *verdict_detail(const struct config *, const struct render_result *, char *text,
                           size_t text_bytes);

#endif
