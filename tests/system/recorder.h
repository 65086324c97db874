/* recorder.h: watches a browser's contexts over a connection of its own.
 *
 * A thread with its own loop takes part in the browser's Target events and asks for the
 * list of contexts again and again; it keeps the largest numbers it saw. */
#ifndef TESTS_SYSTEM_RECORDER_H
#define TESTS_SYSTEM_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

struct recorder;

struct recorded {
    uint32_t occupied_max; /* Contexts with at least one page. */
    uint32_t pages_max;    /* Pages of one context. */
    uint32_t contexts_max; /* All contexts, without the browser's own. */
    uint32_t created;      /* Pages that were created while it watched. */
    uint32_t samples;      /* Lists of contexts that were received. */
    bool lost;             /* The connection ended before recorder_stop(). */
};

/* Connects to that websocket URL; returns once the first list has come. */
struct recorder *recorder_start(const char *url);
void recorder_stop(struct recorder *, struct recorded *ret);

#endif
