/* digest.h: large replies are read outside the loop.
 *
 * Finding the parts of a message and unescaping the document in it take some nanoseconds
 * per byte, thus tens of milliseconds for the largest documents, in which nobody would be
 * answered. So a thread does it. Only replies are taken: events must stay in their order,
 * while a reply that is overtaken by an event is like one that the browser sent a little
 * later. All calls are made on the loop's thread. */
#ifndef CDP_DIGEST_H
#define CDP_DIGEST_H

#include <stdbool.h>
#include <uv.h>
#include "cdp/message.h"
#include "cdp/wire.h"

struct digests;

/* NULL when memory runs out. */
struct digests *digests_new(uv_loop_t *);
/* Takes the text of a large reply. False: it is none, and stays the caller's. */
bool digests_offer(struct digests *, const struct wire_message *);
/* The next reply that has been read; false: none. What it points to lives until
 * digests_drop(), except a document that was taken from it. */
struct cdp_message *digests_next(struct digests *);
/* Forgets what digests_next() gave. */
void digests_drop(struct digests *);
/* Nothing is being read, and nothing waits to be taken. */
bool digests_is_idle(const struct digests *);
/* Only when it is idle. */
void digests_free(struct digests *);

#endif
