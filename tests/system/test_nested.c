/* test_nested.c: pages that cannot be complete before another render of their affinity is:
 * their server waits for a nested render. The main lane must leave a slot for those. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "tests/system/stage.h"

#define AFFINITIES_MAX 10
#define PARENTS_PER_AFFINITY 2
#define PARENT_TIMEOUT_MS 100000
/* Far from every deadline in play: of a parent 100 s, of a nested render 50 s. */
#define LATEST_MS 40000

static int64_t timing(const json_t *tree, const char *name)
{
    const json_t *value = json_object_get(json_object_get(tree, "timings"), name);
    demand(json_is_integer(value), "no timing %s", name);
    return json_integer_value(value);
}

static void check_parent(const struct client_reply *reply, int n)
{
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "parent %d</p>", n);
    expect_reply(reply, 200, wanted);
    json_t *tree = client_json(reply);
    const char *outcome = json_string_value(json_object_get(tree, "outcome"));
    demand(outcome != NULL && strcmp(outcome, "complete") == 0, "parent %d is %s", n, outcome);
    demand(timing(tree, "total") < LATEST_MS, "parent %d took %d ms, of which permit %d, slot %d",
           n, (int)timing(tree, "total"), (int)timing(tree, "permit"), (int)timing(tree, "slot"));
    json_decref(tree);
}

/* Every affinity asks for parents at once; each parent's server asks for its nested render
 * and waits. Returns the longest time of one parent. */
static int64_t run_parents(struct stage *stage, int affinities)
{
    int64_t longest_ms = 0;
    struct flight *flight = flight_new(stage->harness->address);
    int count = affinities * PARENTS_PER_AFFINITY;
    for (int n = 0; n < count; n++) {
        char affinity[32];
        snprintf(affinity, sizeof(affinity), "tenant-%d", n % affinities);
        flight_render_as(flight, "application/json", "{s:s, s:s, s:i}", "url",
                         origin_url(stage->origin, "/parent?affinity=%s&n=%d", affinity, n),
                         "affinity", affinity, "timeoutMs", PARENT_TIMEOUT_MS);
    }
    demand(flight_wait_all(flight, PARENT_TIMEOUT_MS), "a parent waits for ever");
    for (int n = 0; n < count; n++) {
        const struct client_reply *reply = flight_reply(flight, (size_t)n);
        char target[32];
        snprintf(target, sizeof(target), "/static?n=%d", n);
        check_parent(reply, n);
        demand(origin_count(stage->origin, target) == 1, "%s was loaded %zu times", target,
               origin_count(stage->origin, target));
        longest_ms = longest_ms > (int64_t)reply_ms(reply) ? longest_ms : (int64_t)reply_ms(reply);
    }
    flight_free(flight);
    return longest_ms;
}

static void parents_on(int pages, int affinities)
{
    char min[32], max[32];
    snprintf(min, sizeof(min), "--pool.pages_min=%d", pages);
    snprintf(max, sizeof(max), "--pool.pages_max=%d", pages);
    const char *const knobs[] = {min, max, NULL};
    struct stage stage = stage_open(knobs);
    origin_set_renderer(stage.origin, stage.harness->address);
    int64_t longest_ms = run_parents(&stage, affinities);
    printf("# %d pages, %d affinities: %d parents, the longest %d ms\n", pages, affinities,
           affinities * PARENTS_PER_AFFINITY, (int)longest_ms);
    stage_close(&stage);
}

static const int affinities_of[] = {1, 2, AFFINITIES_MAX};

START_TEST(on_one_page)
{
    parents_on(1, affinities_of[_i]);
}
END_TEST

START_TEST(on_two_pages)
{
    parents_on(2, affinities_of[_i]);
}
END_TEST

START_TEST(on_three_pages)
{
    parents_on(3, affinities_of[_i]);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 200);
    tcase_add_loop_test(tcase, test, 0, sizeof(affinities_of) / sizeof(affinities_of[0]));
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("nested");
    add(suite, "on_one_page", on_one_page);
    add(suite, "on_two_pages", on_two_pages);
    add(suite, "on_three_pages", on_three_pages);
    return suite_run(suite, SUITE_FORKS);
}
