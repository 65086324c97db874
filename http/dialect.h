/* dialect.h: the bodies of the manager's dialect: JSON:API, forgiving where its clients are
 * careless (unknown attributes, priorities out of range), strict where work would go to the
 * wrong place. Pure. */
#ifndef HTTP_DIALECT_H
#define HTTP_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include "config/config.h"
#include "http/http.h"
#include "http/problem.h"

#define DIALECT_TYPE "application/vnd.api+json"

/* Answered in the forms of the dialect, errors included. */
bool dialect_has(enum http_route);
/* Fills in the parameters of a render and .dialect, or the key and the batch of a release.
 * False: the fault is set and nothing is to be freed. */
bool dialect_parse(const struct config *, const char *body, size_t bytes, struct http_request *ret,
                   struct fault *);
/* Fills in .dialect from the parameters that say the same. */
void dialect_take(struct http_request *);
/* [0-9a-fA-F-]{1,64}. */
bool dialect_request_id_is_valid(const char *id);
/* The status of a problem here: draining is 410. */
int dialect_status(enum http_code);
/* {"errors": [{"status", "message"}]}, from malloc(); NULL when memory is out. */
char *dialect_problem(const struct http_problem *, size_t *ret_bytes);

#endif
