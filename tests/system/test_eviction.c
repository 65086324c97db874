/* test_eviction.c: closes that the browser never acknowledges. Nobody waits for them who
 * does not need that very slot, the slot comes back through a kill, and the browser never
 * holds more than the bound. The browser is a stand-in, since a real one would answer. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "tests/system/standin.h"
#include "tests/system/stage.h"

#define PAGES 3
#define ORPHANS_MAX 6
#define KNOBS_MAX 16
/* A grant that waits for nothing, on a busy machine. */
#define AT_ONCE_MS 500

struct scene {
    struct stage stage;
    struct standin *standin;
};

static struct scene scene_open(const char *const *knobs)
{
    char url[128], attach[192];
    const char *all[KNOBS_MAX] = {attach};
    struct scene scene = {.standin = standin_start(url, sizeof(url))};
    snprintf(attach, sizeof(attach), "--browser.websocket_url=%s", url);
    for (size_t i = 0; knobs[i] != NULL; i++) {
        demand(i + 2 < KNOBS_MAX, "too many knobs");
        all[i + 1] = knobs[i];
    }
    scene.stage = stage_open(all);
    return scene;
}

static void scene_close(struct scene *scene)
{
    stage_close(&scene->stage);
    standin_stop(scene->standin);
}

static size_t send_render(struct flight *flight, const char *affinity, const char *name)
{
    char url[128];
    snprintf(url, sizeof(url), "http://standin.invalid/%s", name);
    return flight_render_as(flight, "application/json", "{s:s, s:s, s:i, s:{s:s}}", "url", url,
                            "affinity", affinity, "timeoutMs", 60000, "wait", "until", "load");
}

/* It shows its URL and is complete. Returns what it waited for its page, in ms. */
static int64_t check_render(const struct client_reply *reply, const char *name)
{
    static const char *const waits[] = {"permit", "admission", "slot", "open", "probe"};
    int64_t wait_ms = 0;
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "standin.invalid/%s</body>", name);
    expect_reply(reply, 200, wanted);
    json_t *tree = client_json(reply);
    const char *outcome = json_string_value(json_object_get(tree, "outcome"));
    demand(outcome != NULL && strcmp(outcome, "complete") == 0, "%s is %s", name, outcome);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        wait_ms += json_integer_value(json_object_get(json_object_get(tree, "timings"), waits[i]));
    }
    json_decref(tree);
    return wait_ms;
}

static int64_t render(struct scene *scene, const char *affinity)
{
    struct flight *flight = flight_new(scene->stage.harness->address);
    send_render(flight, affinity, affinity);
    demand(flight_wait_all(flight, 60000), "no answer");
    int64_t wait_ms = check_render(flight_reply(flight, 0), affinity);
    flight_free(flight);
    return wait_ms;
}

/* Renders many affinities at once; all must be complete. */
static void render_many(struct scene *scene, int renders)
{
    struct flight *flight = flight_new(scene->stage.harness->address);
    char name[32];
    for (int i = 0; i < renders; i++) {
        snprintf(name, sizeof(name), "many-%d", i);
        send_render(flight, name, name);
    }
    demand(flight_wait_all(flight, 70000), "not all were answered");
    for (int i = 0; i < renders; i++) {
        snprintf(name, sizeof(name), "many-%d", i);
        check_render(flight_reply(flight, (size_t)i), name);
    }
    flight_free(flight);
}

/* All slots are in service: nothing opens or closes, and the standbys are there that make
 * up for pages without an affinity. */
static bool is_whole(void *scene_)
{
    struct pool_view view;
    harness_view(((struct scene *)scene_)->stage.harness, &view);
    return view.closing == 0 && view.opening == 0 && view.standby >= 1 &&
           view.standby + view.idle >= PAGES;
}

/* Waits until all slots are in service again; tells where they are when they do not come. */
static void demand_whole(struct scene *scene, uint64_t timeout_ms)
{
    if (until(is_whole, scene, timeout_ms))
        return;
    struct client_reply reply;
    client_perform(scene->stage.harness->address, &(struct client_request){.path = "/affinities"},
                   &reply);
    demand(false, "the slots do not come back: %s", reply.body);
}

static bool has_left_out(void *standin)
{
    struct standin_ledger ledger;
    standin_get_ledger(standin, &ledger);
    return ledger.left_out > 0;
}

static void check_bound(struct standin *standin, uint32_t orphans_max)
{
    struct standin_ledger ledger;
    standin_get_ledger(standin, &ledger);
    printf("# contexts <= %u, with a page <= %u, left out %u, crashes %u, connections %u\n",
           ledger.contexts_max, ledger.occupied_max, ledger.left_out, ledger.crashes,
           ledger.connections);
    demand(ledger.contexts_max <= PAGES + 1 + orphans_max, "%u contexts", ledger.contexts_max);
    ck_assert_uint_eq(ledger.occupied_max, PAGES + 1);
}

/* Evicted contexts never go by themselves. Who needs that very slot waits for the kill, which
 * brings it back; all others are granted at once meanwhile. */
START_TEST(others_are_granted_at_once)
{
    static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3",
                                        "--pool.orphan_contexts_max=0",
                                        "--pool.close_timeout_ms=5000", NULL};
    static const char *const others[] = {"b", "c", "d", "d", "c", "b", "c", "d"};
    struct scene scene = scene_open(knobs);
    struct standin_ledger ledger;
    render(&scene, "a");
    render(&scene, "b");
    render(&scene, "c");
    demand_whole(&scene, SOON_MS);
    standin_set_script(scene.standin, &(struct standin_script){.disposals = UINT32_MAX});
    demand(render(&scene, "d") < AT_ONCE_MS, "a standby was there"); /* For the next one a goes. */
    demand(until(has_left_out, scene.standin, SOON_MS), "nothing is evicted");
    struct flight *flight = flight_new(scene.stage.harness->address);
    send_render(flight, "e", "e");
    demand(harness_wait_load(scene.stage.harness, 0, 1), "a slot from nowhere");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        int64_t wait_ms = render(&scene, others[i]);
        demand(wait_ms < AT_ONCE_MS, "%s waited %d ms", others[i], (int)wait_ms);
    }
    flight_pump(flight, 0);
    standin_get_ledger(scene.standin, &ledger);
    ck_assert_uint_eq(ledger.crashes, 0); /* All that was before the kill. */
    ck_assert(!flight_is_done(flight, 0));
    demand(flight_wait_all(flight, 2 * SOON_MS), "the slot does not come back");
    int64_t wait_ms = check_render(flight_reply(flight, 0), "e");
    printf("# the others were granted within %d ms, the slot came back after %d ms\n", AT_ONCE_MS,
           (int)wait_ms);
    flight_free(flight);
    demand_whole(&scene, 2 * SOON_MS);
    standin_get_ledger(scene.standin, &ledger);
    ck_assert_uint_eq(ledger.left_out, 2); /* The second one for a standby after e. */
    ck_assert_uint_eq(ledger.crashes, 2);
    check_bound(scene.standin, 0);
    scene_close(&scene);
}
END_TEST

/* No context at all goes before it is killed: all are served, one kill after the other. */
START_TEST(every_slot_returns_by_kill)
{
    static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3",
                                        "--pool.orphan_contexts_max=0",
                                        "--pool.close_timeout_ms=200", NULL};
    struct scene scene = scene_open(knobs);
    struct standin_ledger ledger;
    standin_set_script(scene.standin, &(struct standin_script){.disposals = UINT32_MAX});
    render_many(&scene, 15);
    demand_whole(&scene, SOON_MS);
    standin_get_ledger(scene.standin, &ledger);
    ck_assert_uint_ge(ledger.left_out, 15 - (PAGES + 1));
    ck_assert_uint_eq(ledger.crashes, ledger.left_out);
    ck_assert_uint_eq(ledger.connections, 1);
    check_bound(scene.standin, 0);
    scene_close(&scene);
}
END_TEST

/* Not even a kill helps: such slots come back with the next browser, and still every
 * request is served. */
START_TEST(zombies_end_with_their_browser)
{
    static const char *const knobs[] = {
        "--pool.pages_min=3",          "--pool.pages_max=3",         "--pool.orphan_contexts_max=0",
        "--pool.close_timeout_ms=200", "--pool.kill_timeout_ms=200", NULL};
    struct scene scene = scene_open(knobs);
    struct standin_ledger ledger;
    standin_set_script(scene.standin,
                       &(struct standin_script){.disposals = UINT32_MAX, .is_deaf = true});
    render_many(&scene, 15);
    standin_set_script(scene.standin, &(struct standin_script){0});
    demand_whole(&scene, SOON_MS);
    standin_get_ledger(scene.standin, &ledger);
    ck_assert_uint_ge(ledger.connections, 2);
    check_bound(scene.standin, 0);
    scene_close(&scene);
}
END_TEST

/* A page that does not close while its context is to be kept: the kill takes both. */
START_TEST(pages_that_do_not_close)
{
    static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3",
                                        "--pool.orphan_contexts_max=6",
                                        "--pool.close_timeout_ms=200", NULL};
    struct scene scene = scene_open(knobs);
    struct standin_ledger ledger;
    standin_set_script(scene.standin, &(struct standin_script){.closes = 5});
    render_many(&scene, 15);
    demand_whole(&scene, SOON_MS);
    standin_get_ledger(scene.standin, &ledger);
    ck_assert_uint_eq(ledger.left_out, 5);
    ck_assert_uint_eq(ledger.crashes, 5);
    check_bound(scene.standin, ORPHANS_MAX);
    scene_close(&scene);
}
END_TEST

/* Refused is at arrival who finds the queue full, and at its own deadline who waited; never
 * anybody else, and nothing is refused late. */
START_TEST(reasons_of_refusals)
{
    enum { QUEUE = 10, BURST = 30, DEADLINE_MS = 3000 };
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--pool.queue_max=10", NULL};
    struct scene scene = scene_open(knobs);
    struct flight *flight = flight_new(scene.stage.harness->address);
    flight_render(flight, "{s:s, s:s, s:i}", "url", "http://standin.invalid/stuck", "affinity",
                  "stuck", "timeoutMs", 3 * DEADLINE_MS);
    demand(harness_wait_load(scene.stage.harness, 1, 0), "the stuck render does not start");
    for (int i = 0; i < BURST; i++) {
        char affinity[32];
        snprintf(affinity, sizeof(affinity), "burst-%d", i);
        flight_render(flight, "{s:s, s:s, s:i}", "url", "http://standin.invalid/burst", "affinity",
                      affinity, "timeoutMs", DEADLINE_MS);
    }
    demand(flight_wait_all(flight, 60000), "not all were answered");
    for (size_t i = 1; i <= BURST; i++) {
        const struct client_reply *reply = flight_reply(flight, i);
        expect_problem(reply, 503, i <= QUEUE ? "queue_timeout" : "queue_full", "");
        /* The daemon counts in whole milliseconds, by a clock of its own. */
        bool is_in_time =
            i <= QUEUE ? reply_ms(reply) >= DEADLINE_MS - 2 && reply_ms(reply) < DEADLINE_MS + 1500
                       : reply_ms(reply) < 1500;
        demand(is_in_time, "request %zu was refused after %d ms", i, (int)reply_ms(reply));
    }
    expect_problem(flight_reply(flight, 0), 504, "render_timeout", "");
    flight_free(flight);
    render(&scene, "afterwards");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eviction");
    suite_add(suite, others_are_granted_at_once, 120);
    suite_add(suite, every_slot_returns_by_kill, 120);
    suite_add(suite, zombies_end_with_their_browser, 120);
    suite_add(suite, pages_that_do_not_close, 120);
    suite_add(suite, reasons_of_refusals, 120);
    return suite_run(suite, SUITE_FORKS);
}
