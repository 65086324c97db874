/* accept.h: which form of an answer a client wants (RFC 9110 section 12.5.1). Pure. */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include <stdbool.h>
#include "http/http.h"

/* An output of that type itself, or the JSON envelope; "" accepts everything. At the same
 * quality the form that was named more exactly wins, and the output itself when that is equal
 * too. False: neither. */
bool accept_choose(const char *accept, const char *type, const char *subtype,
                   enum http_accept *ret);
bool accept_allows(const char *accept, const char *type, const char *subtype);
/* True when errors are wanted as plain text rather than as problem documents. */
bool accept_prefers_plain(const char *accept);

/* True when HTML is named, and JSON not preferred to it: a person looks, no program. */
bool accept_prefers_html(const char *accept);

/* A value of Accept-Encoding lists gzip, by name or by a wildcard, and does not refuse it. */
bool accept_lists_gzip(const char *accept_encoding);

#endif
