/* replay.h: a bare client: one browser, one page, and a script that is played to it.
 *
 * It uses the daemon's own browser and connection code, and nothing else of it: what a
 * render takes here is what the browser needs for these commands. */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/script.h"

struct replay;

/* Starts a browser with its profile below `directory`. */
struct replay *replay_new(const char *directory);
const char *replay_url(const struct replay *);
/* Opens a page in a context of its own that stands for the recorded one. */
void replay_open(struct replay *, const struct tape_page *);
void replay_close(struct replay *);
/* Plays the script from its first command until nothing of it is left. Returns the time
 * to the document in ns; 0 when the script awaits none. False in *ret_clean when something
 * of the recording did not come again. */
uint64_t replay_play(struct replay *, const struct script *, bool *ret_clean);
void replay_free(struct replay *);

#endif
