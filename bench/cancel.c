/* cancel.c: how soon the next waiting request is granted when a client leaves.
 *
 *   bench/cancel [ROUNDS] [LIMIT_MS]
 *
 * One page; a render that waits for its document holds it, a second request waits. The
 * first client closes its connection. Printed are the time from there to the grant of the
 * second (its arrival plus the waits that its answer reports), and to the moment when the
 * origin sees its document asked for. First the second request is of a new affinity each
 * time, which a standby serves; then of a known one, for which a page is opened in the
 * context that was kept for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/stage.h"

static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

struct measured {
    double grant_ms, origin_ms;
};

/* The sum of the waits of an answered render. */
static double waited_ms(const struct client_reply *reply)
{
    static const char *const waits[] = {"permit", "admission", "slot", "open", "probe"};
    json_t *envelope = client_json(reply);
    const json_t *timings = json_object_get(envelope, "timings");
    double sum = 0;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        sum += (double)json_integer_value(json_object_get(timings, waits[i]));
    }
    json_decref(envelope);
    return sum;
}

static struct measured measure(struct stage *stage, size_t round, bool is_known)
{
    char gate[32], target[64], affinity[32];
    snprintf(affinity, sizeof(affinity), "stayer-%zu", is_known ? 0 : round + 1);
    snprintf(gate, sizeof(gate), "held-%zu", round);
    snprintf(target, sizeof(target), "/static?n=next-%zu", round);
    struct flight *flight = flight_new(stage->harness->address);
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage->origin, "/gate?name=%s", gate),
                  "affinity", "leaver");
    demand(origin_wait_gate(stage->origin, gate, 1, SOON_MS), "the render does not start");
    size_t next = flight_render_as(flight, "application/json", "{s:s, s:s}", "url",
                                   origin_url(stage->origin, "%s", target), "affinity", affinity);
    demand(harness_wait_load(stage->harness, 1, 1), "the second does not wait");
    uint64_t left_ns = clock_ns();
    flight_drop(flight, 0);
    demand(flight_wait(flight, next, SOON_MS), "the second is not answered");
    const struct client_reply *reply = flight_reply(flight, next);
    expect_reply(reply, 200, "next-");
    double arrival_ms = (double)reply->sent_ns / 1e6, left_ms = (double)left_ns / 1e6;
    struct measured measured = {
        .grant_ms = arrival_ms + waited_ms(reply) - left_ms,
        .origin_ms = (double)origin_seen_ns(stage->origin, target) / 1e6 - left_ms,
    };
    origin_open_gate(stage->origin, gate);
    flight_free(flight);
    demand(harness_wait_quiet(stage->harness), "the pool does not come to rest");
    return measured;
}

/* Measures and prints; true when the limit holds. */
static bool run(struct stage *stage, size_t rounds, size_t limit_ms, bool is_known)
{
    double *grant = calloc(rounds, sizeof(double)), *origin = calloc(rounds, sizeof(double));
    demand(grant != NULL && origin != NULL, "no memory");
    for (size_t i = 0; i < rounds; i++) {
        struct measured measured = measure(stage, i + (is_known ? rounds : 0), is_known);
        grant[i] = measured.grant_ms;
        origin[i] = measured.origin_ms;
    }
    double median = facts_percentile(grant, rounds, 50);
    bool holds = median <= (double)limit_ms;
    printf("next request of a %s affinity, %zu rounds:\n", is_known ? "known" : "new", rounds);
    printf("  client left -> granted           median %6.1f ms, p90 %6.1f ms, limit %zu ms: %s\n",
           median, facts_percentile(grant, rounds, 90), limit_ms, holds ? "held" : "NOT HELD");
    printf("  client left -> asks its origin   median %6.1f ms, p90 %6.1f ms\n",
           facts_percentile(origin, rounds, 50), facts_percentile(origin, rounds, 90));
    free(grant);
    free(origin);
    return holds;
}

int main(int argc, char **argv)
{
    size_t rounds = facts_argument(argc, argv, 1, 50);
    size_t limit_ms = facts_argument(argc, argv, 2, 100);
    struct stage stage = stage_open(knobs);
    facts_print(stage.harness);
    bool new_holds = run(&stage, rounds, limit_ms, false);
    bool known_holds = run(&stage, rounds, limit_ms, true);
    stage_close(&stage);
    return new_holds && known_holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
