/* pool_text.h: events and actions of the pool as text.
 *
 * One notation for step tables and traces of the simulator: "grant r1 p1, open p2 c2". */
#ifndef TESTS_POOL_TEXT_H
#define TESTS_POOL_TEXT_H

#include <stddef.h>
#include "pool/pool.h"

/* Both write a string of at most `bytes` and abort when it does not fit. */
void pool_actions_text(const struct pool_actions *, char *text, size_t bytes);
void pool_event_text(const struct pool_event *, char *text, size_t bytes);

#endif
