/* attributes.h: the attributes of an answer in the manager's dialect, by route, from what a
 * render has brought. Pure. */
#ifndef DAEMON_ATTRIBUTES_H
#define DAEMON_ATTRIBUTES_H

#include <jansson.h>
#include <stdbool.h>
#include "cdp/result.h"
#include "http/http.h"

struct attributes_error {
    bool is_timeout;
    const char *title, *message;
    int status;
};

/* A render that is ready: what a recipe answered, over what every answer of the route says.
 * NULL: it answered no JSON. */
json_t *attributes_ready(const struct http_request *, const struct render_result *);
/* A render that failed. A command tells it in words, the others as an object. */
json_t *attributes_failed(const struct http_request *, const struct attributes_error *);
/* The application says of its page that it is of no further use. */
bool attributes_are_unusable(const struct render_result *);
/* Sets .meta. Diagnostics that the application has put into its answer, or beneath one of its
 * members, move there; ours, which are taken, win over those of the same name. */
void attributes_set_meta(json_t *attributes, const char *request_id, json_t *diagnostics);

#endif
