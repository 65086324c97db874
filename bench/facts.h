/* facts.h: what every benchmark prints besides its result: the machine, and medians. */
#ifndef BENCH_FACTS_H
#define BENCH_FACTS_H

#include <stddef.h>
#include <stdint.h>
#include "tests/system/harness.h"

/* Prints processor, memory, kernel, and the browser of the running daemon. */
void facts_print(const struct harness *);
/* Sorts the values. `percent` 50: the median. */
double facts_percentile(double *values, size_t count, unsigned percent);
/* The number of a command-line argument, or `initial` without one. */
size_t facts_argument(int argc, char **argv, int index, size_t initial);

#endif
