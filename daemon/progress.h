/* progress.h: the line that tells a person at a terminal how far a command is. Pure. */
#ifndef DAEMON_PROGRESS_H
#define DAEMON_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/* A command that is done sooner shows none. */
#define PROGRESS_AFTER_MS 1000
#define PROGRESS_INTERVAL_MS 200
#define PROGRESS_TEXT_BYTES 256

/* How the URLs of a command ended. */
struct progress {
    size_t total, complete, partial, failed, timed_out;
};

size_t progress_done(const struct progress *);
/* The line without control characters, cut to `columns`: a bar, or for one URL the time.
 * Returns `ret`. */
const char *progress_line(const struct progress *, uint64_t elapsed_ms, size_t columns,
                          char ret[PROGRESS_TEXT_BYTES]);
/* One sentence for the end. Returns `ret`. */
const char *progress_summary(const struct progress *, uint64_t elapsed_ms,
                             char ret[PROGRESS_TEXT_BYTES]);

#endif
