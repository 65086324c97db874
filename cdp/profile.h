/* profile.h: the private directory of one browser life, and its removal.
 *
 *   ROOT/prerenderd-XXXXXX/          ours, and locked (flock) for as long as we live; the
 *                                    browser's group may enter it, only we may write there
 *   ROOT/prerenderd-XXXXXX/process   the browser's process id and its start time
 *   ROOT/prerenderd-XXXXXX/profile/  the browser's: home, user data, temporary files
 *
 * The lock ends with the daemon however that ends, so a directory whose lock can be taken
 * was left behind. (Cleaners of old temporary files respect such locks as well.) What the
 * browser may write to is never trusted, see remove.h. */
#ifndef CDP_PROFILE_H
#define CDP_PROFILE_H

#include <limits.h>
#include "cdp/program.h"
#include "config/config.h"

/* Names of all such directories begin with this, followed by six characters. */
#define PROFILE_PREFIX "prerenderd-"
#define PROFILE_PROCESS_FILE "process"

struct profile {
    char directory[PATH_MAX];
    char data[PATH_MAX]; /* directory/profile */
    int lock_fd;         /* The directory; -1: there is none. */
};

/* Makes the directories. 0, or a negative errno and one sentence. */
int profile_new(const struct browser_config *, const struct program *, struct profile *ret,
                char error[PROGRAM_ERROR_BYTES]);
/* Writes down which process uses it, so that the next start can end that process too
 * should it have outlived us. */
void profile_note_pid(const struct profile *, int pid);
/* Removes the directory and what is in it. 0, or a negative errno: something is left, for
 * example because a process still writes there, and this may be called again. Slow;
 * touches only `directory`, so that another thread may call it. */
int profile_remove(const char *directory);
/* Gives up the lock. A directory that is still there is then for the next sweep. */
void profile_release(struct profile *);

/* The directory below which profiles are made: browser.profile_root, else the runtime
 * directory that systemd or the session gave us, else /tmp. */
const char *profile_root(const struct browser_config *);

#endif
