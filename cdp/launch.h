/* launch.h: from the configuration to a browser's process, and from its end to a sentence. */
#ifndef CDP_LAUNCH_H
#define CDP_LAUNCH_H

#include <stddef.h>
#include <uv.h>
#include "cdp/ports.h"
#include "cdp/process.h"
#include "cdp/profile.h"
#include "config/config.h"

#define LAUNCH_ERROR_BYTES 512

/* Finds the program, makes its profile and starts it. What went wrong is in `error`, ""
 * if nothing did; *ret_profile is to be removed if its lock_fd is not -1, and a process
 * that is returned is to be killed, in either case. */
struct process *launch(uv_loop_t *, const struct browser_config *, const struct browser_ports *,
                       struct profile *ret_profile, char error[LAUNCH_ERROR_BYTES]);
/* How an exited process ended, with its last words and what may be done about it. */
void launch_describe_end(const struct process *, char *ret, size_t ret_bytes);

#endif
