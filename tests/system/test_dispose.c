/* test_dispose.c: what DELETE /affinities/KEY leaves behind, and when it answers. */
#include <check.h>
#include <stdio.h>
#include "tests/system/recorder.h"
#include "tests/system/stage.h"
#include "tests/system/standin.h"

static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

static const struct client_request delete_and_wait = {
    .method = "DELETE", .path = "/affinities/a?wait=true", .timeout_ms = 60000};

static void render(struct stage *stage, const char *path, const char *text)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s, s:s}", "url",
                  origin_url(stage->origin, "%s", path), "affinity", "a");
    expect_reply(&reply, 200, text);
    client_reply_free(&reply);
}

/* The contexts that the browser lists now. */
static uint32_t contexts_count(const struct stage *stage)
{
    char url[256];
    struct recorded recorded;
    demand(harness_browser_url(stage->harness, url, sizeof(url)), "no browser");
    recorder_stop(recorder_start(url), &recorded);
    demand(!recorded.lost && recorded.samples > 0, "the browser lists no contexts");
    return recorded.contexts_max;
}

/* With wait the answer comes when the render of the affinity is over and its context is
 * gone; the render is not disturbed. */
START_TEST(answers_when_all_is_closed)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    uint32_t before = contexts_count(&stage);
    render(&stage, "/cookie?set=who=alice", "own [who=alice]");
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage.origin, "/gate?name=old"),
                  "affinity", "a");
    demand(origin_wait_gate(stage.origin, "old", 1, SOON_MS), "the render does not start");
    flight_start(flight, &delete_and_wait);
    /* A request that came later has been answered: the disposal has been seen. */
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    flight_pump(flight, 0);
    demand(!flight_is_done(flight, 0) && !flight_is_done(flight, 1), "answered too early");
    origin_open_gate(stage.origin, "old");
    demand(flight_wait(flight, 1, SOON_MS), "the disposal is not answered");
    ck_assert_int_eq(flight_reply(flight, 1)->status, 204);
    ck_assert_uint_le(contexts_count(&stage), before);
    demand(flight_wait(flight, 0, SOON_MS), "the render is not answered");
    expect_reply(flight_reply(flight, 0), 200, "page old");
    expect_header(flight_reply(flight, 0), "X-Prerenderd-Outcome", "complete");
    flight_free(flight);
    render(&stage, "/cookie", "sent []");
    stage_close(&stage);
}
END_TEST

/* With retain the page goes and the context stays, until a disposal without it. */
START_TEST(retain_keeps_cookies)
{
    struct stage stage = stage_open(one_page);
    render(&stage, "/cookie?set=who=alice", "own [who=alice]");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(harness_status(stage.harness, "DELETE", "/affinities/a?retain=true"), 204);
        /* Only a context whose page is gone can be claimed. */
        demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
        struct pool_view view;
        harness_view(stage.harness, &view);
        ck_assert_int_eq(view.idle, 0);
        render(&stage, "/cookie", "sent [who=alice]");
    }
    ck_assert_int_eq(harness_status(stage.harness, "DELETE", "/affinities/a?retain=true"), 204);
    ck_assert_int_eq(harness_status(stage.harness, "DELETE", "/affinities/a"), 204);
    render(&stage, "/cookie", "sent []");
    stage_close(&stage);
}
END_TEST

/* A close that the browser does not acknowledge is awaited until the kill; without wait
 * nobody waits for it. */
START_TEST(answers_after_the_kill)
{
    enum { CLOSE_TIMEOUT_MS = 1500 };
    char url[128], attach[192];
    const char *const knobs[] = {attach, "--pool.pages_min=1", "--pool.pages_max=1",
                                 "--pool.close_timeout_ms=1500", NULL};
    struct standin *standin = standin_start(url, sizeof(url));
    snprintf(attach, sizeof(attach), "--browser.websocket_url=%s", url);
    struct stage stage = stage_open(knobs);
    struct standin_ledger ledger;
    struct client_reply reply;
    render(&stage, "/static?n=1", "/static?n=1");
    standin_set_script(standin, &(struct standin_script){.disposals = UINT32_MAX});
    uint64_t start_ms = clock_ms();
    client_perform(stage.harness->address, &delete_and_wait, &reply);
    ck_assert_int_eq(reply.status, 204);
    client_reply_free(&reply);
    ck_assert_uint_ge(clock_ms() - start_ms, CLOSE_TIMEOUT_MS - 50);
    standin_get_ledger(standin, &ledger);
    ck_assert_uint_eq(ledger.left_out, 1);
    ck_assert_uint_eq(ledger.crashes, 1);
    render(&stage, "/static?n=2", "/static?n=2");
    start_ms = clock_ms();
    ck_assert_int_eq(harness_status(stage.harness, "DELETE", "/affinities/a"), 204);
    ck_assert_uint_lt(clock_ms() - start_ms, CLOSE_TIMEOUT_MS);
    standin_get_ledger(standin, &ledger);
    ck_assert_uint_eq(ledger.crashes, 1);
    stage_close(&stage);
    standin_stop(standin);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dispose");
    suite_add(suite, answers_when_all_is_closed, 120);
    suite_add(suite, retain_keeps_cookies, 120);
    suite_add(suite, answers_after_the_kill, 120);
    return suite_run(suite, SUITE_FORKS);
}
