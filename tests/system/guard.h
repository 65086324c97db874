/* guard.h: cleans up behind a test program, however it ends.
 *
 * A failed assertion, a timeout of Check and a crash all end the test's process at once.
 * A guard is a process of its own that notices this by the end of a pipe, and then ends
 * every process whose command line names the test's directory, and removes the directory. */
#ifndef TESTS_SYSTEM_GUARD_H
#define TESTS_SYSTEM_GUARD_H

#include <sys/types.h>

struct guard {
    pid_t pid;
    int pipe; /* Open as long as the test lives. */
};

/* Starts watching over `directory`. `log` is a file in it whose end is printed when the
 * test did not end in order. */
void guard_start(struct guard *, const char *directory, const char *log);
/* Ends in order: what is left over goes, nothing is printed. */
void guard_stop(struct guard *);

#endif
