/* program.h: which program is the browser, and as whom it runs. */
#ifndef CDP_PROGRAM_H
#define CDP_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "config/config.h"

#define PROGRAM_ERROR_BYTES 384

struct program {
    char path[PATH_MAX];    /* Absolute. */
    bool is_headless_shell; /* Needs no --headless. */
    bool is_batch;          /* Runs under SCHED_BATCH, see process.c. */
    bool changes_user;      /* uid and gid are to be taken before it is executed. */
    uid_t uid;
    gid_t gid;
};

/* Finds browser.path, else chromium-headless-shell, else chromium; and browser.user when
 * the daemon is root. 0, or a negative errno and one sentence that names the knob. */
int program_find(const struct browser_config *, struct program *ret,
                 char error[PROGRAM_ERROR_BYTES]);

/* The second half alone: sets changes_user, uid and gid. */
int program_find_user(const struct browser_config *, struct program *ret,
                      char error[PROGRAM_ERROR_BYTES]);

#endif
