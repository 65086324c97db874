/* test_recycle.c: browsers are replaced under load, and nobody notices. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "tests/system/process.h"
#include "tests/system/stage.h"

#define RENDERS 120
#define AT_ONCE 6
#define AFFINITIES 5
#define RECYCLE_RENDERS 20

static int64_t number_at(const json_t *tree, const char *name, const char *member)
{
    const json_t *value = json_object_get(json_object_get(tree, name), member);
    demand(json_is_integer(value), "/affinities has no %s.%s", name, member);
    return json_integer_value(value);
}

static int64_t number_of(const struct stage *stage, const char *name, const char *member)
{
    json_t *tree = harness_get_json(stage->harness, "/affinities");
    int64_t number = number_at(tree, name, member);
    json_decref(tree);
    return number;
}

static void send_render(struct stage *stage, struct flight *flight, int n)
{
    char affinity[32];
    snprintf(affinity, sizeof(affinity), "tenant-%d", n % AFFINITIES);
    flight_render(flight, "{s:s, s:s, s:i}", "url", origin_url(stage->origin, "/static?n=%d", n),
                  "affinity", affinity, "timeoutMs", 60000);
}

static void check_render(const struct client_reply *reply, int n)
{
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "page %d</p>", n);
    expect_reply(reply, 200, wanted);
    expect_header(reply, "X-Prerenderd-Outcome", "complete");
    expect_header(reply, "X-Prerenderd-Attempts", "1"); /* What runs may finish. */
}

static bool is_one_browser(void *stage_)
{
    return harness_profiles_count(((struct stage *)stage_)->harness) == 1;
}

/* Every 20 renders a browser gives way to the next one: no request is lost, started twice
 * or refused, every page closes in order, and of the old browsers nothing is left. */
START_TEST(hand_over_under_load)
{
    static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3",
                                        "--browser.recycle_renders=20", NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = flight_new(stage.harness->address);
    for (int n = 0; n < RENDERS; n++) {
        send_render(&stage, flight, n);
        if (n >= AT_ONCE) {
            demand(flight_wait(flight, (size_t)(n - AT_ONCE), 60000), "a render hangs");
        }
        if (n % 5 == 0) {
            ck_assert_int_eq(number_of(&stage, "pages", "zombie"), 0);
        }
    }
    demand(flight_wait_all(flight, 60000), "a render hangs");
    for (int n = 0; n < RENDERS; n++) {
        char target[32];
        check_render(flight_reply(flight, (size_t)n), n);
        snprintf(target, sizeof(target), "/static?n=%d", n);
        ck_assert_uint_eq(origin_count(stage.origin, target), 1);
    }
    flight_free(flight);
    demand(until(is_one_browser, &stage, SOON_MS), "an old browser is still there");
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    int64_t life = number_of(&stage, "browser", "life");
    printf("# %d renders, browser number %d\n", RENDERS, (int)life);
    /* A hand-over takes a while, in which the old browser goes on. */
    ck_assert_int_ge(life, 3);
    ck_assert_int_le(life, RENDERS / RECYCLE_RENDERS + 1);
    ck_assert_int_eq(number_of(&stage, "pages", "zombie"), 0);
    demand(!harness_output_contains(stage.harness, "close is late"), "a page did not close");
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recycle");
    suite_add(suite, hand_over_under_load, 240);
    return suite_run(suite, SUITE_FORKS);
}
