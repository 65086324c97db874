/* host_shell.h: whether the application shell that the pages load has changed. Pure. */
#ifndef DAEMON_HOST_SHELL_H
#define DAEMON_HOST_SHELL_H

#include <stdbool.h>
#include "http/client.h"

/* The manager tells a token with its answers to heartbeats. The first one is remembered; a
 * different one wants a fresh browser, and is remembered only once that one is up, so that
 * after a failure the next heartbeat tries again. */
struct host_shell {
    char known[HTTP_CLIENT_VALUE_BYTES];  /* "": none yet. */
    char wanted[HTTP_CLIENT_VALUE_BYTES]; /* "": no recycle is under way. */
    uint64_t life;                        /* That is being replaced, while one is. */
};

/* True when the browser is to be recycled for the reported token ("": none was reported).
 * `life` is the one that serves, 0 when there is none; `may_recycle` false: not now. */
bool host_shell_report(struct host_shell *, const char *token, uint64_t life, bool may_recycle);
/* `life` has come up, or has ended or failed to start. */
void host_shell_life_up(struct host_shell *, uint64_t life);
void host_shell_life_down(struct host_shell *, uint64_t life);

#endif
