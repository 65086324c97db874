/* test_dialect.c: the daemon as a manager calls it. The ids are those of the scenarios. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/stage.h"

#define REQUEST_ID "x-boxel-prerender-request-id: abc-123"

static const char *const knobs[] = {"--pool.pages_min=2", "--pool.pages_max=2",
                                    "--pool.standbys_min=1", NULL};

/* The body of a visit; `more` is further attributes, such as ",\"priority\":1". */
static const char *visit_body(const char *url, const char *value, const char *more, char ret[2048])
{
    (void)snprintf(ret, 2048,
                   "{\"data\":{\"type\":\"prerender-visit\",\"attributes\":{\"url\":\"%s\","
                   "\"affinityType\":\"realm\",\"affinityValue\":\"%s\",\"realm\":\"%s\","
                   "\"auth\":\"{\\\"r\\\":\\\"t\\\"}\"%s}}}",
                   url, value, value, more);
    return ret;
}

static void post(const struct stage *stage, const char *path, const char *body,
                 struct client_reply *ret)
{
    client_perform(stage->harness->address,
                   &(struct client_request){.path = path, .body = body, .headers = {REQUEST_ID}},
                   ret);
}

/* The document of a visit, which must be a 201; the caller decrefs it. */
static json_t *visit(const struct stage *stage, const char *path, const char *value,
                     const char *more)
{
    char body[2048];
    struct client_reply reply;
    post(stage, "/prerender-visit",
         visit_body(origin_url(stage->origin, "%s", path), value, more, body), &reply);
    demand(reply.status == 201, "a visit is %ld: %s", reply.status, reply.body);
    expect_header(&reply, "Content-Type", "application/vnd.api+json");
    expect_header(&reply, "X-Boxel-Prerender-Request-Id", "abc-123");
    json_t *tree = client_json(&reply);
    client_reply_free(&reply);
    return tree;
}

static const json_t *at(const json_t *tree, const char *path)
{
    char name[64];
    while (*path != '\0' && tree != NULL) {
        size_t bytes = strcspn(path, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)bytes, path);
        tree = json_object_get(tree, name);
        path += bytes + (path[bytes] == '.' ? 1 : 0);
    }
    demand(tree != NULL, "no %s in the document", name);
    return tree;
}

static const char *text_at(const json_t *tree, const char *path)
{
    const char *text = json_string_value(at(tree, path));
    demand(text != NULL, "%s is no string", path);
    return text;
}

/* S-002, T-032, T-033. */
START_TEST(a_visit)
{
    static const char *const waits[] = {"semaphoreMs", "admissionMs", "tabQueueMs", "tabStartupMs",
                                        "tabProbeMs"};
    struct stage stage = stage_open(knobs);
    json_t *tree = visit(&stage, "/static?n=7", "http://r.example/", ",\"priority\":12");
    ck_assert_str_eq(text_at(tree, "data.type"), "prerender-visit-result");
    ck_assert_str_eq(text_at(tree, "data.id"), origin_url(stage.origin, "/static?n=7"));
    ck_assert_str_eq(text_at(tree, "data.attributes.status"), "ready");
    ck_assert_ptr_nonnull(strstr(text_at(tree, "data.attributes.html"), "page 7"));
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.httpStatus")), 200);
    ck_assert_str_eq(text_at(tree, "meta.requestId"), "abc-123");
    ck_assert_str_eq(text_at(tree, "data.attributes.meta.requestId"), "abc-123");
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.meta.diagnostics.priority")), 12);
    json_int_t launch = json_integer_value(at(tree, "meta.timing.launchMs")), sum = 0;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        sum += json_integer_value(at(at(tree, "meta.timing.waits"), waits[i]));
    ck_assert_int_eq(sum, launch);
    ck_assert_int_eq(launch + json_integer_value(at(tree, "meta.timing.renderMs")),
                     json_integer_value(at(tree, "meta.timing.totalMs")));
    ck_assert_str_ne(text_at(tree, "meta.pool.pageId"), "");
    ck_assert_str_eq(text_at(tree, "meta.pool.affinityType"), "realm");
    ck_assert_str_eq(text_at(tree, "meta.pool.affinityValue"), "http://r.example/");
    ck_assert(json_is_false(at(tree, "meta.pool.reused")));
    ck_assert(json_is_false(at(tree, "meta.pool.evicted")));
    ck_assert(json_is_false(at(tree, "meta.pool.timedOut")));
    json_decref(tree);
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    tree = visit(&stage, "/status?code=404", "http://r.example/", "");
    ck_assert(json_is_true(at(tree, "meta.pool.reused")));
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.httpStatus")), 404);
    json_decref(tree);
    /* S-010, S-012. */
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    tree = harness_get_json(stage.harness, "/heartbeat");
    const json_t *vacancy = at(tree, "data.attributes.affinityVacancy");
    const json_t *entry = json_object_get(vacancy, "realm:http://r.example/");
    ck_assert(json_is_true(json_object_get(entry, "idle")));
    ck_assert_int_eq(json_integer_value(json_object_get(entry, "tabCount")), 1);
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

/* T-001: a timeout is a 201, its page is evicted, and the next visit is as any first one. */
START_TEST(a_visit_that_times_out)
{
    static const char *const short_knobs[] = {"--pool.pages_min=2", "--pool.pages_max=2",
                                              "--manager.render_timeout_ms=700", NULL};
    struct stage stage = stage_open(short_knobs);
    json_decref(visit(&stage, "/static?n=1", "r", ""));
    json_t *tree = visit(&stage, "/never", "r", "");
    ck_assert_str_eq(text_at(tree, "data.attributes.status"), "error");
    ck_assert_str_eq(text_at(tree, "data.attributes.error.title"), "Render timeout");
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.error.status")), 504);
    ck_assert(json_is_true(at(tree, "meta.pool.timedOut")));
    ck_assert(json_is_true(at(tree, "meta.pool.evicted")));
    ck_assert(json_is_integer(at(tree, "data.attributes.meta.diagnostics.waits.tabStartupMs")));
    json_decref(tree);
    tree = visit(&stage, "/static?n=2", "r", "");
    ck_assert_str_eq(text_at(tree, "data.attributes.status"), "ready");
    ck_assert(json_is_false(at(tree, "meta.pool.reused")));
    ck_assert(json_is_false(at(tree, "meta.pool.timedOut")));
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

/* What a page does wrong is no 5xx: a manager would prune the server. */
START_TEST(a_visit_that_fails)
{
    char body[2048];
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    post(&stage, "/prerender-visit", visit_body("http://127.0.0.1:1/", "r", "", body), &reply);
    expect_reply(&reply, 201, "\"title\":\"navigation_failed\"");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* Without a recipe a screenshot is that of a page that was navigated to. */
START_TEST(a_screenshot)
{
    char body[2048];
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    post(&stage, "/prerender-screenshot",
         visit_body(origin_url(stage.origin, "/static?n=7"), "r", ",\"format\":\"embedded\"", body),
         &reply);
    json_t *tree = client_json(&reply);
    ck_assert_int_eq(reply.status, 201);
    ck_assert_str_eq(text_at(tree, "data.type"), "screenshot-result");
    ck_assert_str_eq(text_at(tree, "data.attributes.contentType"), "image/png");
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.width")), 1280);
    ck_assert_int_eq(json_integer_value(at(tree, "data.attributes.height")), 800);
    ck_assert_int_eq(strncmp(text_at(tree, "data.attributes.base64"), "iVBORw0KGgo", 11), 0);
    json_decref(tree);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

static void expect_error(const struct client_reply *reply, long status, const char *message)
{
    json_t *tree = client_json(reply);
    const json_t *error = json_array_get(json_object_get(tree, "errors"), 0);
    ck_assert_int_eq(reply->status, status);
    ck_assert_int_eq(json_integer_value(json_object_get(error, "status")), status);
    ck_assert_str_eq(json_string_value(json_object_get(error, "message")), message);
    expect_header(reply, "Content-Type", "application/vnd.api+json");
    json_decref(tree);
}

/* B-014, and routes without a recipe; what was never built is unknown. */
START_TEST(refusals)
{
    static const char command[] =
        "{\"data\":{\"attributes\":{\"command\":\"x\",\"affinityType\":\"user\",\"affinityValue\":"
        "\"u\",\"realm\":\"r\",\"auth\":\"t\"}}}";
    static const struct {
        const char *path, *body, *message;
    } cases[] = {
        {"/prerender-visit", "{", "Invalid JSON body"},
        {"/prerender-visit", "{\"data\":{}}",
         "Missing or invalid required attributes: url, affinityType, affinityValue, auth, realm"},
        {"/run-command", command, "No recipe for /run-command"},
        {"/release-batch", "{\"affinityType\":\"bogus\",\"affinityValue\":\"x\",\"batchId\":\"b\"}",
         "Missing or invalid required attributes: affinityType"},
    };
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    char body[2048];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        post(&stage, cases[i].path, cases[i].body, &reply);
        expect_error(&reply, 400, cases[i].message);
        client_reply_free(&reply);
    }
    post(&stage, "/prerender-module", visit_body("http://a/", "r", "", body), &reply);
    expect_error(&reply, 400, "No recipe for /prerender-module");
    client_reply_free(&reply);
    post(&stage, "/release-batch",
         "{\"batchId\":\"b\",\"affinityType\":\"realm\",\"affinityValue\":\"x\"}", &reply);
    ck_assert_int_eq(reply.status, 204);
    client_reply_free(&reply);
    ck_assert_int_eq(harness_status(stage.harness, "POST", "/prerender-other"), 404);
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/prerender-visit"), 405);
    char *large = malloc(10000001);
    memset(large, ' ', 10000000);
    large[10000000] = '\0';
    post(&stage, "/prerender-visit", large, &reply);
    ck_assert_int_eq(reply.status, 413);
    client_reply_free(&reply);
    free(large);
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    stage_close(&stage);
}
END_TEST

/* A manager closes its connection when its own client is gone: that ends the render. */
START_TEST(client_that_leaves)
{
    char body[2048];
    struct stage stage = stage_open(knobs);
    struct flight *flight = flight_new(stage.harness->address);
    visit_body(origin_url(stage.origin, "/gate?name=g"), "r", "", body);
    (void)flight_start(flight, &(struct client_request){.path = "/prerender-visit", .body = body});
    demand(harness_wait_load(stage.harness, 1, 0), "it does not run");
    flight_drop(flight, 0);
    demand(harness_wait_load(stage.harness, 0, 0), "it still runs");
    origin_open_gate(stage.origin, "g");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* S-001, S-008, S-009, S-013: what runs at SIGTERM is answered; what comes is told 410. */
START_TEST(draining)
{
    char body[2048], other[2048];
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    client_perform(stage.harness->address, &(struct client_request){.path = "/"}, &reply);
    expect_reply(&reply, 200, "{\"ready\":true}");
    client_reply_free(&reply);
    client_perform(stage.harness->address,
                   &(struct client_request){.path = "/", .headers = {"Accept: text/html"}}, &reply);
    expect_reply(&reply, 200, "<dt>state</dt><dd>ready</dd>");
    expect_header(&reply, "Content-Type", "text/html; charset=utf-8");
    client_reply_free(&reply);
    struct flight *flight = flight_new(stage.harness->address);
    visit_body(origin_url(stage.origin, "/gate?name=g"), "r", "", body);
    (void)flight_start(flight, &(struct client_request){.path = "/prerender-visit", .body = body});
    demand(origin_wait_gate(stage.origin, "g", 1, SOON_MS), "it does not render");
    ck_assert_int_eq(kill(stage.harness->pid, SIGTERM), 0);
    demand(harness_wait_output(stage.harness, "draining", SOON_MS), "it does not drain");
    post(&stage, "/prerender-visit",
         visit_body(origin_url(stage.origin, "/static?n=1"), "r", "", other), &reply);
    ck_assert_int_eq(reply.status, 410);
    expect_header(&reply, "X-Boxel-Prerender-Server-Status", "draining");
    client_reply_free(&reply);
    post(&stage, "/run-command", "{\"data\":{\"attributes\":{}}}", &reply);
    ck_assert_int_eq(reply.status, 400);
    client_reply_free(&reply);
    post(&stage, "/release-batch",
         "{\"batchId\":\"b\",\"affinityType\":\"realm\",\"affinityValue\":\"x\"}", &reply);
    ck_assert_int_eq(reply.status, 204);
    client_reply_free(&reply);
    client_perform(stage.harness->address, &(struct client_request){.path = "/", .method = "HEAD"},
                   &reply);
    ck_assert_int_eq(reply.status, 410);
    expect_header(&reply, "X-Boxel-Prerender-Server-Status", "draining");
    client_reply_free(&reply);
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=1"), 0);
    origin_open_gate(stage.origin, "g");
    demand(flight_wait_all(flight, 20000), "no answer");
    ck_assert_int_eq(flight_reply(flight, 0)->status, 201);
    ck_assert_int_eq(harness_wait_exit(stage.harness, STOP_TIMEOUT_MS), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* Five run and five wait at SIGTERM: the five are answered, the others are told 410 and were
 * never started. */
START_TEST(draining_with_a_queue)
{
    static const char *const five[] = {"--pool.pages_min=5", "--pool.pages_max=5", NULL};
    struct stage stage = stage_open(five);
    struct flight *flight = flight_new(stage.harness->address);
    for (int i = 0; i < 10; i++) {
        char body[2048], value[16];
        (void)snprintf(value, sizeof value, "r%d", i);
        visit_body(i < 5 ? origin_url(stage.origin, "/gate?name=g")
                         : origin_url(stage.origin, "/static?n=%d", i),
                   value, "", body);
        (void)flight_start(flight,
                           &(struct client_request){.path = "/prerender-visit", .body = body});
        if (i == 4)
            demand(origin_wait_gate(stage.origin, "g", 5, SOON_MS), "the first five do not run");
    }
    demand(harness_wait_load(stage.harness, 5, 5), "not five run and five wait");
    ck_assert_int_eq(kill(stage.harness->pid, SIGTERM), 0);
    for (size_t i = 5; i < 10; i++) {
        demand(flight_wait(flight, i, SOON_MS), "a waiting request is not refused");
        ck_assert_int_eq(flight_reply(flight, i)->status, 410);
        char target[32];
        (void)snprintf(target, sizeof target, "/static?n=%zu", i);
        ck_assert_uint_eq(origin_count(stage.origin, target), 0);
    }
    origin_open_gate(stage.origin, "g");
    for (size_t i = 0; i < 5; i++) {
        demand(flight_wait(flight, i, SOON_MS), "a running request is not answered");
        expect_reply(flight_reply(flight, i), 201, "\"status\":\"ready\"");
    }
    ck_assert_int_eq(harness_wait_exit(stage.harness, STOP_TIMEOUT_MS), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dialect");
    suite_add(suite, a_visit, 120);
    suite_add(suite, a_visit_that_times_out, 120);
    suite_add(suite, a_visit_that_fails, 120);
    suite_add(suite, a_screenshot, 120);
    suite_add(suite, refusals, 120);
    suite_add(suite, client_that_leaves, 120);
    suite_add(suite, draining, 120);
    suite_add(suite, draining_with_a_queue, 120);
    return suite_run(suite, SUITE_FORKS);
}
