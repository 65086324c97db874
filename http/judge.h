/* judge.h: from the head of a request to what is asked for, or to what is wrong. Pure. */
#ifndef HTTP_JUDGE_H
#define HTTP_JUDGE_H

#include <stdbool.h>
#include "config/config.h"
#include "http/head.h"
#include "http/http.h"
#include "http/problem.h"
#include "http/tokens.h"

/* Fills in everything of *ret but the request id and, for POST /render, the parameters,
 * which are in the body. *ret is zeroed by the caller. False: the fault is set, and what
 * of *ret was found out by then (the route) holds. `tokens` NULL: none are configured. */
bool judge_head(const struct head *, const struct config *, const struct tokens *,
                struct http_request *ret, struct fault *);
/* True when the parameters of this request come in its body. */
bool judge_wants_body(const struct head *, const struct http_request *);
/* Theirs if it is [0-9A-Za-z._-]{1,64}, else a new UUID (RFC 9562 version 4). */
void judge_request_id(const char *theirs, char ret[REQUEST_ID_BYTES_MAX + 1]);

#endif
