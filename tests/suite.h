/* suite.h: how a test program runs its suite. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>

enum suite_process {
    SUITE_FORKS, /* A process for each test: one that crashes, or leaves state, harms no other. */
    /* All in this one, for tables of hundreds of small tests: under sanitizers a process costs
     * a tenth of a second, mostly to look for leaks when it ends. */
    SUITE_IS_ONE,
};

/* Runs the suite, frees it, and returns the exit status of main(). CK_FORK overrides. */
int suite_run(Suite *, enum suite_process);

#endif
