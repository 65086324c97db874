/* path_url.h: the prerender.io dialect: which URL a request means whose path is a URL, and
 * which headers of an origin are passed on. Pure. */
#ifndef HTTP_PATH_URL_H
#define HTTP_PATH_URL_H

#include <stdbool.h>
#include <stddef.h>
#include "config/config.h"
#include "http/problem.h"

/* The path, after its slash, begins with http:/ or https:/, or with that colon encoded. */
bool path_url_is_one(const char *target);

/* Finds the URL. Middleware sends it as it is, some encode it whole, and nginx encodes a
 * second time what it has rewritten; so it is decoded once or not at all, by what the text
 * itself gives away, then by `int_type`, the header X-Prerender-Int-Type (NULL: none). The
 * knob may decide instead, but for what is encoded whole and would be no URL otherwise.
 * What is no part of a URL is encoded; "_escaped_fragment_" becomes "#!". From malloc(),
 * or NULL with the fault set. */
char *path_url_find(const char *target, const char *int_type, enum url_decoding,
                    size_t url_bytes_max, bool *ret_decoded, struct fault *);

#endif
