/* body.h: the JSON body of POST /render. Pure. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include "config/config.h"
#include "config/params.h"
#include "http/problem.h"

/* Objects within objects deeper than this are refused before they are parsed. */
#define BODY_DEPTH_MAX 16

/* True when it is nested deeper than that. */
bool body_is_too_deep(const char *body, size_t bytes);
/* Strict: an object, whole, valid UTF-8, no key twice, no key that is not in the table.
 * True with *ret filled and its strings to be freed; else the fault is set and *ret holds
 * nothing. */
bool body_parse(const struct config *, const char *body, size_t bytes, struct render_params *ret,
                struct fault *);

#endif
