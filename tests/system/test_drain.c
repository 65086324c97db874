/* test_drain.c: a daemon of a fleet that is told to stop while it is busy. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "tests/system/manager.h"
#include "tests/system/stage.h"

#define RUNNING 5
#define ALL 10

static void start_renders(struct flight *flight, struct origin *origin)
{
    for (int i = 0; i < ALL; i++) {
        char affinity[24];
        (void)snprintf(affinity, sizeof affinity, "user:%d", i);
        (void)flight_render(flight, "{s:s, s:s}", "affinity", affinity, "url",
                            i < RUNNING ? origin_url(origin, "/gate?name=g")
                                        : origin_url(origin, "/static?n=%d", i));
        if (i == RUNNING - 1)
            demand(origin_wait_gate(origin, "g", RUNNING, SOON_MS), "the first five do not run");
    }
}

static void expect_refused(struct flight *flight, struct origin *origin)
{
    for (size_t i = RUNNING; i < ALL; i++) {
        demand(flight_wait(flight, i, SOON_MS), "a waiting request is not refused");
        expect_problem(flight_reply(flight, i), 503, "draining", "");
        char target[32];
        (void)snprintf(target, sizeof target, "/static?n=%zu", i);
        ck_assert_uint_eq(origin_count(origin, target), 0);
    }
}

/* Five run and five wait at SIGTERM: the five answer 200, the others 503 and were never
 * started; the manager hears of both ends, and the exit status is 0 within the grace. */
START_TEST(five_run_and_five_wait)
{
    char url[128];
    struct manager manager;
    manager_start(&manager); /* A fork, so before there are threads. */
    (void)snprintf(url, sizeof url, "--manager.url=%s", manager.address);
    const char *const knobs[] = {url, "--pool.pages_min=5", "--pool.pages_max=5",
                                 "--daemon.drain_grace_ms=20000", NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = flight_new(stage.harness->address);
    start_renders(flight, stage.origin);
    demand(harness_wait_load(stage.harness, RUNNING, ALL - RUNNING), "not five and five");
    ck_assert_int_eq(kill(stage.harness->pid, SIGTERM), 0);
    expect_refused(flight, stage.origin);
    for (size_t i = 0; i < RUNNING; i++)
        demand(!flight_is_done(flight, i), "a running render is cut off");
    origin_open_gate(stage.origin, "g");
    for (size_t i = 0; i < RUNNING; i++) {
        demand(flight_wait(flight, i, SOON_MS), "a running render is not answered");
        expect_reply(flight_reply(flight, i), 200, "page g");
    }
    ck_assert_int_eq(harness_wait_exit(stage.harness, 20000), 0);
    json_t *last = NULL;
    ck_assert_uint_ge(manager_count(&manager, "heartbeat", NULL, &last), 2);
    ck_assert_str_eq(json_string_value(json_object_get(last, "status")), "draining");
    ck_assert_uint_eq(manager_count(&manager, "unregister", NULL, NULL), 1);
    json_decref(last);
    flight_free(flight);
    stage_close(&stage);
    manager_kill(&manager);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drain");
    suite_add(suite, five_run_and_five_wait, 180);
    return suite_run(suite, SUITE_FORKS);
}
