/* recipe.c: what a warm transition saves over a navigation.
 *
 *   bench/recipe [ROUNDS]
 *
 * The application of config/recipe-example shows the same card in two ways, by turns and to
 * the same affinity each: by the recipe of its visits, and as a page whose fragment names the
 * card, navigated to by POST /render and captured as soon as the card is there. The time is
 * that of the client, from the request to the whole answer. Fails when the median of the
 * transitions is not below that of the navigations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/example.h"
#include "tests/system/stage.h"

#define WARM_ROUNDS 5

static const char *const knobs[] = {"--pool.pages_min=4", "--pool.pages_max=4", NULL};

static double elapsed_ms(const struct client_reply *reply)
{
    return (double)(reply->done_ns - reply->sent_ns) / 1e6;
}

static double transit(const struct stage *stage, const char *card)
{
    char body[2048];
    struct client_reply reply;
    (void)snprintf(body, sizeof body,
                   "{\"data\":{\"attributes\":{\"url\":\"%s\",\"affinityType\":\"realm\","
                   "\"affinityValue\":\"a\",\"realm\":\"r\",\"auth\":\"{}\"}}}",
                   card);
    client_perform(stage->harness->address,
                   &(struct client_request){.path = "/prerender-visit", .body = body}, &reply);
    expect_reply(&reply, 201, "page 7");
    double ms = elapsed_ms(&reply);
    client_reply_free(&reply);
    return ms;
}

static double navigate(const struct stage *stage, const char *card, size_t round)
{
    char url[512];
    struct client_reply reply;
    /* A query of its own, so that it is a navigation and not a change of the fragment. */
    (void)snprintf(url, sizeof url, "%s?%zu#%s", origin_url(stage->origin, "/recipe/app.html"),
                   round, card);
    client_render(stage->harness->address, &reply, "{s:s, s:s, s:{s:s, s:s}}", "url", url,
                  "affinity", "b", "wait", "expression", "document.title.startsWith('page')",
                  "until", "load");
    expect_reply(&reply, 200, "page 7");
    double ms = elapsed_ms(&reply);
    client_reply_free(&reply);
    return ms;
}

static double print_times(const char *name, double *ms, size_t count)
{
    double median = facts_percentile(ms, count, 50);
    printf("  %-11s p50 %6.1f p90 %6.1f p99 %6.1f ms\n", name, median,
           facts_percentile(ms, count, 90), facts_percentile(ms, count, 99));
    return median;
}

int main(int argc, char **argv)
{
    size_t rounds = facts_argument(argc, argv, 1, 200);
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    struct example *example = example_new(origin_url(stage.origin, "/recipe/app.html"), knobs);
    harness_start(stage.harness, example_knobs(example));
    example_free(example);
    facts_print(stage.harness);
    const char *card = origin_url(stage.origin, "/static?n=7");
    double *transitions = calloc(rounds, sizeof(double)),
           *navigations = calloc(rounds, sizeof(double));
    demand(transitions != NULL && navigations != NULL, "no memory");
    for (size_t i = 0; i < rounds + WARM_ROUNDS; i++) {
        double transition_ms = transit(&stage, card), navigation_ms = navigate(&stage, card, i);
        if (i >= WARM_ROUNDS) {
            transitions[i - WARM_ROUNDS] = transition_ms;
            navigations[i - WARM_ROUNDS] = navigation_ms;
        }
    }
    printf("%zu renders of each kind, by turns:\n", rounds);
    double navigation_ms = print_times("navigation", navigations, rounds);
    double transition_ms = print_times("transition", transitions, rounds);
    bool holds = transition_ms < navigation_ms;
    printf("a transition takes %.0f %% of a navigation: %s\n", 100 * transition_ms / navigation_ms,
           holds ? "held" : "NOT HELD");
    free(transitions);
    free(navigations);
    stage_close(&stage);
    return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
