/* share.h: requests that share one render, because they asked to (dedupe) and for the same.
 *
 * The first is the leader. It is the only one that the pool and the page know, and its
 * deadline holds for all: later ones asked for the same timeout, so they are answered
 * sooner than they had to be. Those that come while it waits or runs are its followers; they
 * are answered with it, each in the form that its client takes.
 *
 *   (new) --same as a leader--> FOLLOWING --answered with it, or client gone--> (gone)
 *
 * A leader whose client leaves goes on as long as it has a follower. */
#ifndef DAEMON_SHARE_H
#define DAEMON_SHARE_H

#include <stdbool.h>
#include "daemon/requests.h"

/* Puts a request that may share beneath its leader and into the table: true. False: it has
 * none; others may follow it now, if it asked to share. When memory is out it renders alone. */
bool share_join(struct requests *, struct request *);
/* A client left. The request whose render nobody waits for any more, or NULL: it goes on. */
struct request *share_leave(struct requests *, struct request *);
/* The answer is on its way: nobody joins any more, and followers are forgotten. */
void share_end(struct requests *, struct request *leader);

#endif
