/* deadline.h: the earlier of two times, in ms; UINT64_MAX is never. */
#ifndef CDP_DEADLINE_H
#define CDP_DEADLINE_H

#include <stdint.h>

static inline uint64_t earlier_ms(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The same of a time that 0 says is not set. */
static inline uint64_t earlier_if_set_ms(uint64_t deadline_ms, uint64_t due_ms)
{
    return due_ms != 0 ? earlier_ms(deadline_ms, due_ms) : deadline_ms;
}

#endif
