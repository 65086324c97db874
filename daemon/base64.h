/* base64.h: what the browser sends as base64, as bytes. No shared state: may run in any
 * thread. Of the libraries that are linked only libwebsockets has a decoder; it belongs to
 * the connection to the browser, and stops in silence at what it does not know. */
#ifndef DAEMON_BASE64_H
#define DAEMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes in place (RFC 4648 section 4, padded). False when it is malformed; the text is
 * then spoilt. */
bool base64_decode(char *text, size_t bytes, size_t *ret_bytes);

#endif
