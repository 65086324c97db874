/* lookup.h: finds the websocket of a running browser from what an operator writes into
 * browser.websocket_url:
 *
 *   ws://IP:PORT/devtools/browser/UUID     is taken as it is, no lookup needed
 *   ws://NAME:PORT/devtools/browser/UUID   the name is resolved
 *   ws://HOST:PORT, http://HOST:PORT       the browser is asked: GET /json/version
 *
 * The result always has an IP address: Chromium refuses names in a Host header. */
#ifndef CDP_LOOKUP_H
#define CDP_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct lookup;

enum lookup_state { LOOKUP_RUNNING, LOOKUP_FOUND, LOOKUP_FAILED };

/* NULL when `url` has none of these forms, or memory runs out. It has no deadline. */
struct lookup *lookup_new(uv_loop_t *, const char *url);
enum lookup_state lookup_get_state(const struct lookup *);
const char *lookup_url(const struct lookup *);   /* Of FOUND. */
const char *lookup_error(const struct lookup *); /* Of FAILED, one clause. */
/* Gives it up or, when it is over, puts it away; lookup_is_gone() turns true some turns
 * later. A name server that does not answer can delay that by its own timeout. */
void lookup_close(struct lookup *);
bool lookup_is_gone(const struct lookup *);
void lookup_free(struct lookup *);

#endif
