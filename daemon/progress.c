/* progress.c: how far a command is, as text; see progress.h. */
#include "daemon/progress.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BAR_COLUMNS 30

size_t progress_done(const struct progress *progress)
{
    size_t done = progress->complete + progress->partial + progress->failed + progress->timed_out;
    assert(done <= progress->total);
    return done;
}

const char *progress_line(const struct progress *progress, uint64_t elapsed_ms, size_t columns,
                          char ret[PROGRESS_TEXT_BYTES])
{
    char bar[BAR_COLUMNS + 1];
    size_t done = progress_done(progress);
    size_t missing = progress->failed + progress->timed_out;
    unsigned long long seconds = elapsed_ms / 1000;
    assert(progress->total > 0);
    if (progress->total == 1) {
        (void)snprintf(ret, PROGRESS_TEXT_BYTES, "rendering, %llu s", seconds);
    } else {
        size_t filled = done * BAR_COLUMNS / progress->total;
        memset(bar, '#', filled);
        memset(bar + filled, '.', BAR_COLUMNS - filled);
        bar[BAR_COLUMNS] = '\0';
        (void)snprintf(ret, PROGRESS_TEXT_BYTES, "[%s] %zu of %zu, %zu without a document, %llu s",
                       bar, done, progress->total, missing, seconds);
    }
    if (columns < PROGRESS_TEXT_BYTES)
        ret[columns] = '\0'; /* A line that wraps could not be drawn over. */
    return ret;
}

const char *progress_summary(const struct progress *progress, uint64_t elapsed_ms,
                             char ret[PROGRESS_TEXT_BYTES])
{
    size_t left = progress->total - progress_done(progress);
    (void)snprintf(ret, PROGRESS_TEXT_BYTES,
                   "%zu URLs in %llu.%llu s: %zu complete, %zu partial, %zu failed, %zu timed out",
                   progress->total, (unsigned long long)elapsed_ms / 1000,
                   (unsigned long long)elapsed_ms / 100 % 10, progress->complete, progress->partial,
                   progress->failed, progress->timed_out);
    size_t used = strlen(ret);
    if (left > 0)
        (void)snprintf(ret + used, PROGRESS_TEXT_BYTES - used, ", %zu not rendered", left);
    return ret;
}
