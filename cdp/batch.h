/* batch.h: has a child process run as batch work (sched(7), SCHED_BATCH).
 *
 * A browser is some dozens of threads that send each other messages. A normal thread that is
 * woken by one takes the CPU from its sender in the middle of its work: some 80 times in a
 * small render when all CPUs are busy. A thread of SCHED_BATCH waits until the CPU is given
 * up or a slice has ended, and slices are longer. The daemon stays a normal process, so it
 * takes the CPU from its browser when there is something to do. */
#ifndef CDP_BATCH_H
#define CDP_BATCH_H

#include <stdbool.h>
#include <stdint.h>

/* The scheduling of the calling thread before batch_begin(). */
struct batch {
    bool is_begun;
    uint32_t policy;
    int32_t nice;
    uint64_t slice_ns; /* Linux 6.12 and later; 0: what the kernel takes. */
};

/* What the calling thread starts until batch_end() inherits SCHED_BATCH; a thread whose
 * policy somebody has chosen (anything but SCHED_OTHER) keeps it. A kernel or a sandbox that
 * refuses leaves all as it is. */
void batch_begin(struct batch *ret);
void batch_end(const struct batch *);

#endif
