/* test_dedupe.c: requests that share one render, with the real browser. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/stage.h"

#define CALLERS 20

/* What /metrics counts under that name and labels. */
static long metric(const struct stage *stage, const char *name)
{
    struct client_reply reply;
    client_perform(stage->harness->address, &(struct client_request){.path = "/metrics"}, &reply);
    const char *line = strstr(reply.body, name);
    demand(line != NULL, "there is no %s", name);
    long value = strtol(line + strlen(name), NULL, 10);
    client_reply_free(&reply);
    return value;
}

static void start(struct flight *flight, struct stage *stage, const char *name)
{
    flight_render(flight, "{s:s, s:b}", "url", origin_url(stage->origin, "/gate?name=%s", name),
                  "dedupe", 1);
}

static void wait_at_gate(struct stage *stage, const char *name, size_t count)
{
    demand(origin_wait_gate(stage->origin, name, count, SOON_MS), "%zu do not wait at %s", count,
           name);
}

/* Twenty ask for the same: the origin sees one, and each gets its own answer. */
START_TEST(one_render_for_all)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    for (size_t i = 0; i < CALLERS; i++)
        start(flight, &stage, "all");
    wait_at_gate(&stage, "all", 1);
    demand(harness_wait_load(stage.harness, 1, 0), "not one render");
    origin_open_gate(stage.origin, "all");
    demand(flight_wait_all(flight, SOON_MS), "not all are answered");
    for (size_t i = 0; i < CALLERS; i++) {
        const struct client_reply *reply = flight_reply(flight, i);
        expect_reply(reply, 200, "page all");
        for (size_t j = 0; j < i; j++) {
            char other[80];
            snprintf(other, sizeof other, "%s",
                     client_header(flight_reply(flight, j), "X-Request-Id"));
            ck_assert_str_ne(client_header(reply, "X-Request-Id"), other);
        }
    }
    ck_assert_uint_eq(origin_count(stage.origin, "/gate?name=all"), 1);
    ck_assert_int_eq(metric(&stage, "prerenderd_renders_total{outcome=\"complete\"} "), 1);
    ck_assert_int_eq(
        metric(&stage, "prerenderd_http_requests_total{route=\"/render\",code=\"200\"} "), CALLERS);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* The form of the answer is the caller's; GET and POST share. */
START_TEST(each_in_its_form)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    char path[300];
    start(flight, &stage, "form");
    wait_at_gate(&stage, "form", 1);
    flight_render_as(flight, "application/json", "{s:s, s:b}", "url",
                     origin_url(stage.origin, "/gate?name=form"), "dedupe", 1);
    snprintf(path, sizeof path, "/render?dedupe=true&url=%s",
             origin_url(stage.origin, "/gate?name=form"));
    flight_start(flight,
                 &(struct client_request){
                     .path = path, .headers = {"X-Request-Id: mine", "Accept: application/json"}});
    demand(harness_wait_load(stage.harness, 1, 0), "not one render");
    origin_open_gate(stage.origin, "form");
    demand(flight_wait_all(flight, SOON_MS), "not all are answered");
    expect_reply(flight_reply(flight, 0), 200, "<html");
    expect_header(flight_reply(flight, 0), "Content-Type", "text/html; charset=utf-8");
    expect_reply(flight_reply(flight, 1), 200, "{\"requestId\":");
    expect_reply(flight_reply(flight, 2), 200, "{\"requestId\":\"mine\"");
    ck_assert_uint_eq(origin_count(stage.origin, "/gate?name=form"), 1);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* Whoever leaves, first or later, the others are answered. */
START_TEST(one_leaves)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    start(flight, &stage, "leave");
    wait_at_gate(&stage, "leave", 1);
    start(flight, &stage, "leave");
    start(flight, &stage, "leave");
    /* Asked on a connection of its own after them: they have been read. */
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    flight_drop(flight, (size_t)_i);
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    demand(harness_wait_load(stage.harness, 1, 0), "the render was ended");
    origin_open_gate(stage.origin, "leave");
    for (size_t i = 0; i < 3; i++) {
        if (i == (size_t)_i)
            continue;
        demand(flight_wait(flight, i, SOON_MS), "%zu is not answered", i);
        expect_reply(flight_reply(flight, i), 200, "page leave");
    }
    ck_assert_uint_eq(origin_count(stage.origin, "/gate?name=leave"), 1);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

START_TEST(all_leave)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    start(flight, &stage, "empty");
    wait_at_gate(&stage, "empty", 1);
    start(flight, &stage, "empty");
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    flight_drop(flight, 0);
    flight_drop(flight, 1);
    demand(harness_wait_quiet(stage.harness), "the render goes on for nobody");
    ck_assert_int_eq(metric(&stage, "prerenderd_renders_total{outcome=\"cancelled\"} "), 1);
    origin_open_gate(stage.origin, "empty");
    /* Nothing of it is left to be joined. */
    start(flight, &stage, "empty");
    demand(flight_wait(flight, 2, SOON_MS), "the next is not answered");
    expect_reply(flight_reply(flight, 2), 200, "page empty");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* Another value, or no wish to share, is another render. */
START_TEST(only_the_same_is_shared)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    const char *url = origin_url(stage.origin, "/gate?name=other");
    start(flight, &stage, "other");
    flight_render(flight, "{s:s, s:b, s:i}", "url", url, "dedupe", 1, "timeoutMs", 29999);
    flight_render(flight, "{s:s}", "url", url);
    wait_at_gate(&stage, "other", 3);
    origin_open_gate(stage.origin, "other");
    demand(flight_wait_all(flight, SOON_MS), "not all are answered");
    ck_assert_uint_eq(origin_count(stage.origin, "/gate?name=other"), 3);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* What goes wrong goes wrong for all. */
START_TEST(failure_is_shared)
{
    struct stage stage = stage_open(NULL);
    struct flight *flight = flight_new(stage.harness->address);
    for (int i = 0; i < 3; i++)
        flight_render(flight, "{s:s, s:b, s:i, s:s}", "url", origin_url(stage.origin, "/never"),
                      "dedupe", 1, "timeoutMs", 2000, "onTimeout", "error");
    demand(flight_wait_all(flight, SOON_MS), "not all are answered");
    for (size_t i = 0; i < 3; i++)
        expect_problem(flight_reply(flight, i), 504, "render_timeout", "");
    ck_assert_uint_eq(origin_count(stage.origin, "/never"), 1);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dedupe");
    suite_add(suite, one_render_for_all, 120);
    suite_add(suite, each_in_its_form, 120);
    suite_add(suite, all_leave, 120);
    suite_add(suite, only_the_same_is_shared, 120);
    suite_add(suite, failure_is_shared, 120);
    TCase *leave = tcase_create("one_leaves");
    tcase_set_timeout(leave, 180);
    tcase_add_loop_test(leave, one_leaves, 0, 3);
    suite_add_tcase(suite, leave);
    return suite_run(suite, SUITE_FORKS);
}
