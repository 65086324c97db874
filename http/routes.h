/* routes.h: the table of routes. Pure. */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include "http/http.h"
#include "http/problem.h"
#include "http/tokens.h"

struct route_row {
    const char *path;
    bool has_key;      /* A key follows the path, as one percent-encoded segment. */
    const char *allow; /* Its methods, as the header Allow lists them. */
    enum http_route route;
    enum token_scope scope; /* What a caller needs when tokens are configured. */
};

/* The parts of a request target, borrowed from it. */
struct route_target {
    const struct route_row *row;
    const char *key; /* Still encoded; has_key only. */
    size_t key_bytes;
    const char *query; /* After the '?', "" when there is none. */
};

/* The rows of the table in order; NULL past the last. */
const struct route_row *route_row(size_t index);
/* The path must be that of a row byte for byte. False: HTTP_NOT_FOUND or
 * HTTP_METHOD_NOT_ALLOWED; .row is set in the latter case too, else NULL. */
bool route_find(const char *method, const char *target, struct route_target *ret, struct fault *);
/* Decodes a key byte for byte. */
bool route_key(const struct route_target *, char ret[AFFINITY_KEY_BYTES_MAX], size_t *ret_bytes,
               struct fault *);

#endif
