/* url.h: which URLs are accepted for a render. Pure. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include "http/problem.h"

/* http or https, a host, no user information, no control bytes, a port that exists, at
 * most `bytes_max` long. Nothing is changed: the browser gets it byte for byte. */
bool url_check(const char *url, size_t bytes, size_t bytes_max, struct fault *);

#endif
