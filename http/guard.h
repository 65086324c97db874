/* guard.h: who may call. Pure. Every check returns true or sets the fault. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>
#include "config/config.h"
#include "http/head.h"
#include "http/problem.h"
#include "http/tokens.h"

/* The framing of the request is unambiguous: one Host, one Content-Length or chunks. */
bool guard_framing(const struct head *, struct fault *);
/* On TCP the Host is an IP literal, localhost, the advertised host or an allowed one: a
 * page anywhere can make its own name resolve to this machine. */
bool guard_host(const struct head *, const struct config *, struct fault *);
/* On TCP no web page calls, unless its origin is allowed. */
bool guard_origin(const struct head *, const struct config *, struct fault *);
/* The request carries a token for the scope. `tokens` NULL: none are configured. */
bool guard_token(const struct head *, const struct tokens *, enum token_scope, struct fault *);
/* On TCP only the addresses of manager.allow_from call the routes of the manager's protocol,
 * which carries no tokens. */
bool guard_manager(const struct head *, const struct config *, struct fault *);

#endif
