/* main.c: simulate_fleet [--seed=N] [--seeds=A..B] [--minutes=N] [--canary=N] [--trace]
 *
 * Plays that much time of a fleet for each seed and prints what it has seen; without
 * arguments an hour, in twelve parts. Exit status 1
 * when anything was violated. */
#include "tests/fleet/fleet.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    uint64_t first, last, minutes, canary;
    bool trace;
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

static bool parse_option(const char *argument, struct options *ret)
{
    char rest;
    if (strcmp(argument, "--trace") == 0) {
        ret->trace = true;
        return true;
    }
    if (sscanf(argument, "--seed=%" SCNu64 "%c", &ret->first, &rest) == 1) {
        ret->last = ret->first;
        return true;
    }
    if (sscanf(argument, "--seeds=%" SCNu64 "..%" SCNu64 "%c", &ret->first, &ret->last, &rest) == 2)
        return ret->first <= ret->last;
    if (sscanf(argument, "--minutes=%" SCNu64 "%c", &ret->minutes, &rest) == 1)
        return ret->minutes > 0;
    return sscanf(argument, "--canary=%" SCNu64 "%c", &ret->canary, &rest) == 1 &&
           ret->canary <= CANARY_COMMAND_REPEATED;
}

static void print_tally(const struct options *options, const struct tally *tally)
{
    uint64_t seeds = options->last - options->first + 1;
    printf("%" PRIu64 " ms simulated: %d daemons, %" PRIu64 " seeds\n",
           seeds * options->minutes * 60000, MEMBERS, seeds);
    printf("requests %" PRIu64 ": answered %" PRIu64 " (in doubt %" PRIu64 "), left %" PRIu64
           "; tries %" PRIu64 ", retries %" PRIu64 ", refused %" PRIu64 ", warm %" PRIu64
           ", no daemon %" PRIu64 "\n",
           tally->jobs, tally->answered, tally->in_doubt, tally->left, tally->tries, tally->retries,
           tally->refused, tally->warm_routes, tally->unrouted);
    printf("heartbeats %" PRIu64 ", notices %" PRIu64 ", overtaken %" PRIu64 ", crossed %" PRIu64
           "; kills %" PRIu64 ", drains %" PRIu64 ", manager restarts %" PRIu64
           "; violations %" PRIu64 "\n",
           tally->heartbeats, tally->notices, tally->overtaken, tally->crossed, tally->kills,
           tally->drains, tally->restarts, tally->violations);
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 12, .minutes = 5};
    struct tally tally = {0};
    for (int i = 1; i < argc; i++) {
        if (!parse_option(argv[i], &options)) {
            (void)fprintf(stderr, "usage: simulate_fleet [--seed=N] [--seeds=A..B] [--minutes=N] "
                                  "[--canary=1..4] [--trace]\n");
            return 2;
        }
    }
    signal(SIGABRT, on_abort);
    for (uint64_t seed = options.first; seed <= options.last; seed++) {
        running_seed = seed;
        fleet_run(seed, options.minutes * 60000, (enum canary)options.canary, options.trace,
                  &tally);
    }
    print_tally(&options, &tally);
    return tally.violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
