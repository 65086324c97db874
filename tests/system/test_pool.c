/* test_pool.c: many requests on few pages: bounds, ranks and refusals. The rules themselves
 * are proven by the tables and the simulator of the pool; here they meet a browser. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/recorder.h"
#include "tests/system/stage.h"

#define RENDERS 50
#define AFFINITIES 10
#define PAGES 3
#define ORPHANS_MAX (2 * PAGES) /* pool.orphan_contexts_max by default. */

static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

/* 50 renders at once over 10 affinities on 3 pages: every one is answered with its own
 * document, and a second connection to the browser never sees more contexts than the
 * slots and the orphans allow. A context has one page, and for some moments the target
 * that takes over from that page's own because its clock is right. */
START_TEST(fifty_on_three_pages)
{
    static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3", NULL};
    struct stage stage = stage_open(knobs);
    char url[256];
    demand(harness_browser_url(stage.harness, url, sizeof(url)), "no browser");
    struct recorder *recorder = recorder_start(url);
    struct flight *flight = flight_new(stage.harness->address);
    for (int i = 0; i < RENDERS; i++) {
        char affinity[32];
        snprintf(affinity, sizeof(affinity), "tenant-%d", i % AFFINITIES);
        const char *target =
            origin_url(stage.origin, i % 3 == 0 ? "/slow?ms=50&n=%d" : "/static?n=%d", i);
        flight_render(flight, "{s:s, s:s, s:i}", "url", target, "affinity", affinity, "timeoutMs",
                      120000);
    }
    demand(flight_wait_all(flight, 130000), "not all were answered");
    for (int i = 0; i < RENDERS; i++) {
        char text[32];
        snprintf(text, sizeof(text), "page %d</p>", i);
        expect_reply(flight_reply(flight, (size_t)i), 200, text);
        expect_header(flight_reply(flight, (size_t)i), "X-Prerenderd-Outcome", "complete");
    }
    flight_free(flight);
    struct recorded recorded;
    recorder_stop(recorder, &recorded);
    printf("# contexts with a page <= %u, contexts <= %u, pages of a context <= %u; "
           "%u pages created, %u samples\n",
           recorded.occupied_max, recorded.contexts_max, recorded.pages_max, recorded.created,
           recorded.samples);
    ck_assert(!recorded.lost);
    ck_assert_uint_gt(recorded.samples, 20);
    ck_assert_uint_ge(recorded.created, AFFINITIES);
    ck_assert_uint_ge(recorded.occupied_max, 2);
    ck_assert_uint_le(recorded.occupied_max, PAGES + 1);
    ck_assert_uint_le(recorded.pages_max, 2);
    ck_assert_uint_le(recorded.contexts_max, PAGES + 1 + ORPHANS_MAX);
    struct pool_view view;
    harness_view(stage.harness, &view);
    ck_assert_int_eq(view.cap, PAGES);
    stage_close(&stage);
}
END_TEST

/* Fills the only page of the pool with a render that waits at the gate "busy". */
static void occupy(struct stage *stage, struct flight *flight)
{
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage->origin, "/gate?name=busy"),
                  "affinity", "busy");
    demand(origin_wait_gate(stage->origin, "busy", 1, SOON_MS), "the render does not start");
}

/* Higher priorities are served first, equal ones in the order of their arrival. */
START_TEST(priorities)
{
    static const struct {
        int priority;
        const char *name;
    } rows[] = {{0, "third"}, {0, "fourth"}, {10, "second"}, {500, "first"}};
    static const char *const order[] = {"first", "second", "third", "fourth"};
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    occupy(&stage, flight);
    for (size_t i = 0; i < 4; i++) {
        flight_render(flight, "{s:s, s:s, s:i}", "url",
                      origin_url(stage.origin, "/static?n=%s", rows[i].name), "affinity",
                      rows[i].name, "priority", rows[i].priority);
        demand(harness_wait_load(stage.harness, 1, (int64_t)i + 1), "it does not wait");
    }
    origin_open_gate(stage.origin, "busy");
    demand(flight_wait_all(flight, 60000), "not all were answered");
    uint64_t before_ns = 0;
    for (size_t i = 0; i < 4; i++) {
        char target[64];
        snprintf(target, sizeof(target), "/static?n=%s", order[i]);
        uint64_t at_ns = origin_seen_ns(stage.origin, target);
        demand(at_ns > before_ns, "%s came too early", order[i]);
        before_ns = at_ns;
    }
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* More than may wait is refused at once, with a time to come back; what waits is not
 * touched by that. */
START_TEST(full_queue)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--pool.queue_max=2", NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = flight_new(stage.harness->address);
    occupy(&stage, flight);
    for (int i = 0; i < 2; i++) {
        flight_render(flight, "{s:s}", "url", origin_url(stage.origin, "/static?n=%d", i));
        demand(harness_wait_load(stage.harness, 1, i + 1), "it does not wait");
    }
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/static?n=refused"));
    expect_problem(&reply, 503, "queue_full", "");
    const char *after = client_header(&reply, "Retry-After");
    long seconds = after == NULL ? 0 : strtol(after, NULL, 10);
    demand(seconds >= 1 && seconds <= 60, "Retry-After is %s", after);
    client_reply_free(&reply);
    origin_open_gate(stage.origin, "busy");
    demand(flight_wait_all(flight, 60000), "not all were answered");
    expect_reply(flight_reply(flight, 1), 200, "page 0");
    expect_reply(flight_reply(flight, 2), 200, "page 1");
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=refused"), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* A request whose wait is over is refused without having started. */
START_TEST(queue_timeout)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    occupy(&stage, flight);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:i}", "url",
                  origin_url(stage.origin, "/static?n=late"), "queueTimeoutMs", 500);
    expect_problem(&reply, 503, "queue_timeout", "");
    demand(client_header(&reply, "Retry-After") != NULL, "no Retry-After");
    client_reply_free(&reply);
    client_render(stage.harness->address, &reply, "{s:s, s:i}", "url",
                  origin_url(stage.origin, "/static?n=late"), "timeoutMs", 500);
    expect_problem(&reply, 503, "queue_timeout", "");
    client_reply_free(&reply);
    origin_open_gate(stage.origin, "busy");
    demand(flight_wait_all(flight, SOON_MS), "no answer");
    expect_reply(flight_reply(flight, 0), 200, "page busy");
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=late"), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* A main render whose page causes a nested render of the same affinity, and waits for it:
 * on a pool of one page this must end, since the slot beyond the cap is the nested lane's. */
START_TEST(nested_render)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage.origin, "/gate?name=parent"),
                  "affinity", "a");
    demand(origin_wait_gate(stage.origin, "parent", 1, SOON_MS), "the parent does not start");
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:s, s:s}", "url",
                  origin_url(stage.origin, "/static?n=child"), "affinity", "a", "lane", "nested");
    expect_reply(&reply, 200, "page child");
    client_reply_free(&reply);
    origin_open_gate(stage.origin, "parent");
    demand(flight_wait_all(flight, SOON_MS), "no answer");
    expect_reply(flight_reply(flight, 0), 200, "page parent");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool");
    suite_add(suite, fifty_on_three_pages, 240);
    suite_add(suite, priorities, 120);
    suite_add(suite, full_queue, 120);
    suite_add(suite, queue_timeout, 120);
    suite_add(suite, nested_render, 120);
    return suite_run(suite, SUITE_FORKS);
}
