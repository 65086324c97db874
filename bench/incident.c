/* incident.c: what one stuck page costs all other affinities.
 *
 *   bench/incident [RENDERS] [ROUNDS]
 *
 * A pool of 3 pages first shows its throughput for five affinities in a closed loop. Then
 * they come in an open loop at a quarter of that, in phases of RENDERS by turns without
 * and with one more affinity whose page never settles and pins its thread: it is rendered
 * until its deadline, again and again. Compared is the 99th percentile of what a render
 * waits for its page: permit, admission, slot, open and probe. The time of the whole
 * render is printed too; of that a page that pins a processor may well take its share.
 *
 * Fails when that percentile with the stuck page is over 1.5 times the other plus 5 ms, or
 * when a standby is not back within a second after a stuck page was given up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/incident.h"

#define WARM_RENDERS 100
#define THROUGHPUT_RENDERS 400
#define STUCK_TIMEOUT_MS 10000
#define BACK_MAX_MS 1000

/* All phases of one kind. */
struct pile {
    const char *name;
    double *ms[INCIDENT_SERIES];
    size_t count;
    uint32_t retirements;
    uint64_t back_max_ms;
};

/* Sorts them. */
static void print_times(const char *name, double *const ms[INCIDENT_SERIES], size_t count)
{
    static const char *const names[INCIDENT_WAIT] = {"permit", "admission", "slot", "open",
                                                     "probe"};
    double *wait_ms = ms[INCIDENT_WAIT], *total_ms = ms[INCIDENT_TOTAL];
    printf("  %-8s wait p50 %4.0f p90 %4.0f p99 %4.0f ms (p99 of", name,
           facts_percentile(wait_ms, count, 50), facts_percentile(wait_ms, count, 90),
           facts_percentile(wait_ms, count, 99));
    for (size_t i = 0; i < INCIDENT_WAIT; i++) {
        printf(" %s %.0f", names[i], facts_percentile(ms[i], count, 99));
    }
    printf("), total p50 %4.0f p99 %4.0f ms", facts_percentile(total_ms, count, 50),
           facts_percentile(total_ms, count, 99));
}

static void pile_add(struct pile *pile, struct incident *incident)
{
    for (size_t i = 0; i < INCIDENT_SERIES; i++) {
        memcpy(pile->ms[i] + pile->count, incident->ms[i], incident->renders * sizeof(double));
    }
    pile->count += incident->renders;
    pile->retirements += incident->retirements;
    if (incident->back_max_ms > pile->back_max_ms) {
        pile->back_max_ms = incident->back_max_ms;
    }
    print_times(pile->name, incident->ms, incident->renders);
    printf(", %.1f/s, contexts with a page <= %u, contexts <= %u", incident->per_second,
           incident->recorded.occupied_max, incident->recorded.contexts_max);
    if (incident->retirements > 0) {
        printf(", %u retired, standby back <= %llu ms", incident->retirements,
               (unsigned long long)incident->back_max_ms);
    }
    printf("\n");
    fflush(stdout);
}

static void pile_init(struct pile *pile, const char *name, size_t renders)
{
    *pile = (struct pile){.name = name};
    for (size_t i = 0; i < INCIDENT_SERIES; i++) {
        pile->ms[i] = calloc(renders, sizeof(double));
        demand(pile->ms[i] != NULL, "no memory");
    }
}

static void pile_free(struct pile *pile)
{
    for (size_t i = 0; i < INCIDENT_SERIES; i++) {
        free(pile->ms[i]);
    }
}

static double measure_throughput(struct stage *stage)
{
    struct incident incident;
    incident_run(stage, &(struct incident_plan){.renders = WARM_RENDERS}, &incident);
    incident_free(&incident);
    incident_run(stage, &(struct incident_plan){.renders = THROUGHPUT_RENDERS}, &incident);
    double per_second = incident.per_second;
    incident_free(&incident);
    return per_second;
}

/* One phase of either kind, and then the stuck page is well for once. */
static void run_round(struct stage *stage, size_t round, struct incident_plan plan,
                      struct pile *without, struct pile *with)
{
    char gate[32];
    struct incident incident;
    plan.has_stuck = false;
    incident_run(stage, &plan, &incident);
    pile_add(without, &incident);
    incident_free(&incident);
    snprintf(gate, sizeof(gate), "round-%zu", round);
    plan.has_stuck = true;
    plan.gate = gate;
    incident_run(stage, &plan, &incident);
    uint64_t fixed_ms = incident_fix(stage, gate);
    pile_add(with, &incident);
    printf("           the fixed page rendered in %llu ms\n", (unsigned long long)fixed_ms);
    incident_free(&incident);
}

static bool judge(struct pile *without, struct pile *with)
{
    double limit_ms = 1.5 * facts_percentile(without->ms[INCIDENT_WAIT], without->count, 99) + 5;
    double found_ms = facts_percentile(with->ms[INCIDENT_WAIT], with->count, 99);
    bool is_short = found_ms <= limit_ms, is_back = with->back_max_ms <= BACK_MAX_MS;
    printf("all phases, %zu renders of each kind:\n", with->count);
    print_times(without->name, without->ms, without->count);
    printf("\n");
    print_times(with->name, with->ms, with->count);
    printf("\n  p99 of the wait %.0f ms, limit %.1f ms: %s\n", found_ms, limit_ms,
           is_short ? "held" : "NOT HELD");
    printf("  %u stuck pages retired, standby back within %llu ms, limit %d ms: %s\n",
           with->retirements, (unsigned long long)with->back_max_ms, BACK_MAX_MS,
           is_back ? "held" : "NOT HELD");
    return is_short && is_back;
}

int main(int argc, char **argv)
{
    size_t renders = facts_argument(argc, argv, 1, 2000);
    size_t rounds = facts_argument(argc, argv, 2, 4);
    struct pile without, with;
    struct stage stage = stage_open(incident_knobs);
    facts_print(stage.harness);
    pile_init(&without, "without", renders * rounds);
    pile_init(&with, "stuck", renders * rounds);
    double per_second = measure_throughput(&stage);
    printf("%.1f renders per second in a closed loop; phases at a quarter of that\n", per_second);
    fflush(stdout);
    const struct incident_plan plan = {.renders = (uint32_t)renders,
                                       .per_second = per_second / 4,
                                       .stuck_timeout_ms = STUCK_TIMEOUT_MS};
    for (size_t round = 0; round < rounds; round++) {
        run_round(&stage, round, plan, &without, &with);
    }
    bool holds = judge(&without, &with);
    pile_free(&without);
    pile_free(&with);
    stage_close(&stage);
    return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
