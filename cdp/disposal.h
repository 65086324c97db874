/* disposal.h: removes a profile directory without blocking the loop: in the thread pool,
 * again and again until it works, since the children of a browser still write for some
 * milliseconds after their end was ordered. */
#ifndef CDP_DISPOSAL_H
#define CDP_DISPOSAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum disposal_state {
    DISPOSAL_IDLE,    /* Not started. */
    DISPOSAL_RUNNING, /* In the thread pool. */
    DISPOSAL_PAUSED,  /* Until the next attempt. */
    DISPOSAL_DONE,    /* Removed, or given up: the next sweep will do it. */
};

struct disposal {
    uv_work_t work;
    enum disposal_state state;
    const char *directory;
    int result;
    uint64_t due_ms, give_up_ms;
};

/* Starts it, and moves on. `directory` is kept until it is done. Zero bytes are IDLE. */
void disposal_turn(struct disposal *, uv_loop_t *, uint64_t now_ms, const char *directory);
uint64_t disposal_deadline_ms(const struct disposal *);

#endif
