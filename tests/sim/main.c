/* main.c: simulate [--seeds=A..B] [--seed=N] [--steps=N] [--trace] [--matrix]
 *
 * Plays the seeds (scenario N-028) and prints a summary. Exit status 1 when a seed fails,
 * or when many seeds together have missed an arrow of pool.h. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Fewer seeds than this are a spot check: nobody expects them to see everything. */
#define COVERAGE_SEEDS_MIN 500

struct options {
    uint64_t first, last, steps;
    bool trace, matrix;
};

/* For the handler: a failed assertion of the pool should say which seed it was. */
static volatile uint64_t running_seed;

static void on_abort(int number)
{
    char text[64];
    int length =
        snprintf(text, sizeof text, "assertion failed in seed %" PRIu64 "\n", running_seed);
    ssize_t written = write(STDERR_FILENO, text, (size_t)length);
    (void)written;
    (void)number;
    _exit(EXIT_FAILURE);
}

static bool parse_number(const char *text, const char **ret_end, uint64_t *ret)
{
    char *end = NULL;
    *ret = strtoull(text, &end, 10);
    *ret_end = end;
    return end != text;
}

static bool parse_option(const char *argument, struct options *ret)
{
    const char *end = "";
    if (strcmp(argument, "--trace") == 0) {
        ret->trace = true;
    } else if (strcmp(argument, "--matrix") == 0) {
        ret->matrix = true;
    } else if (strncmp(argument, "--steps=", 8) == 0) {
        return parse_number(argument + 8, &end, &ret->steps) && *end == '\0';
    } else if (strncmp(argument, "--seed=", 7) == 0) {
        bool good = parse_number(argument + 7, &end, &ret->first) && *end == '\0';
        ret->last = ret->first;
        return good;
    } else if (strncmp(argument, "--seeds=", 8) == 0) {
        return parse_number(argument + 8, &end, &ret->first) && strncmp(end, "..", 2) == 0 &&
               parse_number(end + 2, &end, &ret->last) && *end == '\0' && ret->first <= ret->last;
    } else {
        return false;
    }
    return true;
}

static uint64_t milliseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 1000, .steps = 1000};
    for (int i = 1; i < argc; i++) {
        if (!parse_option(argv[i], &options)) {
            (void)fprintf(stderr, "usage: simulate [--seeds=A..B] [--seed=N] [--steps=N] [--trace] "
                                  "[--matrix]\n");
            return 2;
        }
    }
    signal(SIGABRT, on_abort);
    struct coverage *coverage = coverage_new();
    uint64_t started_ms = milliseconds(), steps = 0;
    for (uint64_t seed = options.first; seed <= options.last; seed++) {
        running_seed = seed;
        world_run(seed, options.steps, options.trace, coverage, &steps);
    }
    uint64_t seeds = options.last - options.first + 1;
    uint64_t took_ms = milliseconds() - started_ms;
    if (options.matrix)
        coverage_print(coverage);
    int missing = seeds >= COVERAGE_SEEDS_MIN ? coverage_missing(coverage) : 0;
    printf("%" PRIu64 " seeds, %" PRIu64 " steps, 0 violations, %" PRIu64 ".%03" PRIu64
           " s, %" PRIu64 " steps/s with all checks\n",
           seeds, steps, took_ms / 1000, took_ms % 1000, steps * 1000 / (took_ms + 1));
    coverage_free(coverage);
    return missing == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
