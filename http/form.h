/* form.h: query strings. Pure. */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include <stdbool.h>
#include "config/config.h"
#include "config/params.h"
#include "http/problem.h"

/* The parameters of GET /render: the names of config/params.h, dotted ones as they are
 * ("wait.until=load"), percent-encoded, '+' for a space, none twice. As body_parse(). */
bool form_parse_render(const struct config *, const char *query, struct render_params *ret,
                       struct fault *);
/* The parameters of DELETE /affinities/{key}: retain and wait, true or false. */
bool form_parse_delete(const char *query, bool *ret_retain, bool *ret_wait, struct fault *);
/* A route without parameters; `route` is its name in the message. */
bool form_parse_none(const char *query, const char *route, struct fault *);

#endif
