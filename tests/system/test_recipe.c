/* test_recipe.c: the application of config/recipe-example behind the manager's dialect. The
 * ids are those of the scenarios. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/example.h"
#include "tests/system/stage.h"

/* What a test changes: further knobs, NULL at the end. */
struct setup {
    const char *knobs[8];
    const char *standby; /* NULL: the application. */
};

static struct stage open_with(const struct setup *setup)
{
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    const char *standby =
        setup->standby ? setup->standby : origin_url(stage.origin, "/recipe/app.html");
    struct example *example = example_new(standby, setup->knobs);
    harness_start(stage.harness, example_knobs(example));
    example_free(example);
    return stage;
}

static const struct setup plain = {
    .knobs = {"--pool.pages_min=2", "--pool.pages_max=2", "--log.level=debug"}};

/* One request of the manager. `more` is further attributes, such as ",\"priority\":1". */
struct ask {
    const char *path, *subject, *value, *more;
    const char *auth; /* NULL: a token t of the realm r. */
};

static void ask_body(const struct ask *ask, char ret[4096])
{
    bool command = strcmp(ask->path, "/run-command") == 0;
    json_t *auth = json_string(ask->auth ? ask->auth : "{\"r\":\"t\"}");
    char *literal = json_dumps(auth, JSON_ENCODE_ANY);
    (void)snprintf(ret, 4096,
                   "{\"data\":{\"attributes\":{\"%s\":\"%s\",\"affinityType\":\"%s\","
                   "\"affinityValue\":\"%s\",\"realm\":\"r\",\"auth\":%s%s}}}",
                   command ? "command" : "url", ask->subject, command ? "user" : "realm",
                   ask->value, literal, ask->more ? ask->more : "");
    free(literal);
    json_decref(auth);
}

static size_t begin(struct flight *flight, const struct ask *ask)
{
    char body[4096];
    ask_body(ask, body);
    return flight_start(flight, &(struct client_request){.path = ask->path, .body = body});
}

/* The document of an answer, which must be a 201; the caller decrefs it. */
static json_t *document_of(const struct client_reply *reply)
{
    demand(reply->status == 201, "the answer is %ld: %s", reply->status, reply->body);
    return client_json(reply);
}

static json_t *perform(const struct stage *stage, const struct ask *ask)
{
    char body[4096];
    struct client_reply reply;
    ask_body(ask, body);
    client_perform(stage->harness->address,
                   &(struct client_request){.path = ask->path, .body = body}, &reply);
    json_t *tree = document_of(&reply);
    client_reply_free(&reply);
    return tree;
}

static const json_t *at(const json_t *tree, const char *path)
{
    char name[64];
    const json_t *node = tree;
    while (*path != '\0' && node != NULL) {
        size_t bytes = strcspn(path, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)bytes, path);
        node = json_object_get(node, name);
        path += bytes + (path[bytes] == '.' ? 1 : 0);
    }
    return node;
}

static void expect_text(const json_t *tree, const char *path, const char *want)
{
    const char *text = json_string_value(at(tree, path));
    demand(text != NULL && strcmp(text, want) == 0, "%s is %s, not %s", path,
           text ? text : "no string", want);
}

static void expect_truth(const json_t *tree, const char *path, bool want)
{
    const json_t *value = at(tree, path);
    demand(json_is_boolean(value) && json_is_true(value) == want, "%s is not %s", path,
           want ? "true" : "false");
}

static void expect_int(const json_t *tree, const char *path, json_int_t want)
{
    const json_t *value = at(tree, path);
    demand(json_is_integer(value) && json_integer_value(value) == want, "%s is %lld, not %lld",
           path, (long long)json_integer_value(value), (long long)want);
}

static void expect_meta(const json_t *tree)
{
    demand(json_is_integer(at(tree, "meta.timing.totalMs")), "no timing");
    demand(json_is_string(at(tree, "meta.pool.pageId")), "no page");
    demand(json_is_integer(at(tree, "data.attributes.meta.diagnostics.renderElapsedMs")),
           "no diagnostics");
}

/* T-034 to T-037: a visit by transition. What the application tells of itself is
 * in the diagnostics, beside ours, and no longer in its card. */
START_TEST(visits_by_transition)
{
    struct stage stage = open_with(&plain);
    const char *url = origin_url(stage.origin, "/static?n=7");
    struct ask ask = {"/prerender-visit", url, "a", ",\"priority\":3", NULL};
    for (int i = 0; i < 3; i++) {
        json_t *tree = perform(&stage, &ask);
        expect_text(tree, "data.type", "prerender-visit-result");
        expect_text(tree, "data.id", url);
        expect_text(tree, "data.attributes.status", "ready");
        demand(strstr(json_string_value(at(tree, "data.attributes.card.html")), "page 7") != NULL,
               "the card is not shown");
        expect_text(tree, "data.attributes.card.token", "t");
        demand(at(tree, "data.attributes.card.diagnostics") == NULL, "diagnostics in the card");
        demand(at(tree, "data.attributes.meta.diagnostics.parsed") != NULL, "they are lost");
        expect_int(tree, "data.attributes.meta.diagnostics.priority", 3);
        expect_truth(tree, "meta.pool.reused", i > 0);
        expect_meta(tree);
        json_decref(tree);
    }
    /* The application was loaded once per target, not once per request: at most one for each
     * page that can be, and a spare. */
    demand(origin_count(stage.origin, "/static?n=7") == 3, "the card was not asked for thrice");
    demand(origin_count(stage.origin, "/recipe/app.html") <= 4, "the application was loaded again");
    stage_close(&stage);
}
END_TEST

/* S-003, T-012, T-013, T-019, P-023 of the scenarios: the application's own errors are no
 * timeouts and evict nobody. */
START_TEST(loads_modules)
{
    static const struct {
        const char *path;
        json_int_t status;
    } failures[] = {{"/recipe/ready.js?x)", 404}, {"/status?code=401", 401}, {"/broken.js", 404}};
    struct stage stage = open_with(&plain);
    struct ask ask = {"/prerender-module", origin_url(stage.origin, "/recipe/greeting.js"), "a",
                      NULL, NULL};
    json_t *tree = perform(&stage, &ask);
    expect_text(tree, "data.type", "prerender-module-result");
    expect_text(tree, "data.id", ask.subject);
    expect_text(tree, "data.attributes.status", "ready");
    expect_truth(tree, "data.attributes.isShimmed", false);
    demand(json_is_object(at(tree, "data.attributes.definitions.Greeting")), "no definition");
    expect_meta(tree);
    json_decref(tree);
    for (size_t i = 1; i < sizeof failures / sizeof failures[0]; i++) {
        ask.subject = origin_url(stage.origin, "%s", failures[i].path);
        tree = perform(&stage, &ask);
        expect_text(tree, "data.attributes.status", "error");
        expect_int(tree, "data.attributes.error.status", failures[i].status);
        expect_truth(tree, "meta.pool.timedOut", false);
        expect_truth(tree, "meta.pool.evicted", false);
        expect_truth(tree, "meta.pool.reused", true);
        /* T-031: moved, and the error is otherwise untouched. */
        demand(at(tree, "data.attributes.error.diagnostics") == NULL, "diagnostics in the error");
        demand(at(tree, "data.attributes.meta.diagnostics.shown") != NULL, "they are lost");
        expect_text(tree, "data.attributes.error.title", "Not loaded");
        json_decref(tree);
    }
    ask.subject = origin_url(stage.origin, "/recipe/app.html"); /* T-012: no script. */
    tree = perform(&stage, &ask);
    expect_int(tree, "data.attributes.error.status", 406);
    expect_truth(tree, "meta.pool.evicted", false);
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

/* S-004, S-005, S-006. */
START_TEST(runs_commands)
{
    struct stage stage = open_with(&plain);
    struct ask ask = {"/run-command", "greet", "u", ",\"commandInput\":{\"name\":\"you\"}", NULL};
    json_t *tree = perform(&stage, &ask);
    expect_text(tree, "data.type", "command-result");
    expect_text(tree, "data.id", "greet");
    expect_text(tree, "data.attributes.status", "ready");
    expect_text(tree, "data.attributes.cardResultString", "hello you");
    expect_text(tree, "meta.pool.affinityType", "user");
    demand(at(tree, "data.attributes.error") == NULL, "an error");
    expect_meta(tree);
    json_decref(tree);
    ask.subject = "fail";
    tree = perform(&stage, &ask);
    expect_text(tree, "data.attributes.status", "error");
    expect_text(tree, "data.attributes.error", "command exploded");
    demand(at(tree, "data.attributes.cardResultString") == NULL, "a result");
    expect_meta(tree);
    json_decref(tree);

    struct flight *flight = flight_new(stage.harness->address);
    for (int i = 0; i < 3; i++) {
        char user[16], more[64];
        (void)snprintf(user, sizeof user, "u%d", i);
        (void)snprintf(more, sizeof more, ",\"commandInput\":{\"ms\":500,\"name\":\"u%d\"}", i);
        (void)begin(flight, &(struct ask){"/run-command", "wait", user, more, NULL});
    }
    demand(flight_wait_all(flight, 60000), "no answer");
    for (size_t i = 0; i < 3; i++) {
        char want[32];
        (void)snprintf(want, sizeof want, "waited for u%zu", i);
        tree = document_of(flight_reply(flight, i));
        expect_text(tree, "data.attributes.cardResultString", want);
        json_decref(tree);
    }
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* S-007, T-002: what is not ready in time is a 201 that says so, and the next one is as any
 * first one. */
START_TEST(times_out)
{
    const struct setup setup = {.knobs = {"--pool.pages_min=2", "--pool.pages_max=2",
                                          "--recipe.command.timeout_ms=2000",
                                          "--recipe.module.timeout_ms=2000"}};
    struct stage stage = open_with(&setup);
    char more[256];
    (void)snprintf(more, sizeof more, ",\"commandInput\":{\"url\":\"%s\"}",
                   origin_url(stage.origin, "/never"));
    json_t *tree = perform(&stage, &(struct ask){"/run-command", "load", "u", more, NULL});
    expect_text(tree, "data.attributes.status", "unusable");
    expect_text(tree, "data.attributes.error", "Render timed-out");
    expect_truth(tree, "meta.pool.timedOut", true);
    json_decref(tree);
    struct ask ask = {"/prerender-module", origin_url(stage.origin, "/never"), "a", NULL, NULL};
    tree = perform(&stage, &ask);
    expect_text(tree, "data.attributes.status", "error");
    expect_text(tree, "data.attributes.error.title", "Render timeout");
    expect_int(tree, "data.attributes.error.status", 504);
    expect_truth(tree, "meta.pool.timedOut", true);
    expect_truth(tree, "meta.pool.evicted", true);
    demand(json_is_integer(at(tree, "data.attributes.meta.diagnostics.waits.tabQueueMs")), "waits");
    json_decref(tree);
    ask.subject = origin_url(stage.origin, "/recipe/greeting.js");
    tree = perform(&stage, &ask);
    expect_text(tree, "data.attributes.status", "ready");
    expect_truth(tree, "meta.pool.reused", false);
    expect_truth(tree, "meta.pool.timedOut", false);
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

/* D-017, D-018 and D-022 of the scenarios: what else its affinity was doing, in the
 * diagnostics of what did not come to an end. */
START_TEST(tells_what_its_affinity_was_doing)
{
    const struct setup setup = {.knobs = {"--pool.pages_min=1", "--pool.pages_max=1",
                                          "--pool.affinity_pages_max=1",
                                          "--manager.render_timeout_ms=3000"}};
    struct stage stage = open_with(&setup);
    struct flight *flight = flight_new(stage.harness->address);
    struct ask ask = {"/prerender-visit", origin_url(stage.origin, "/gate?name=v"), "a", NULL,
                      NULL};
    (void)begin(flight, &ask);
    demand(origin_wait_gate(stage.origin, "v", 1, SOON_MS), "it does not run");
    ask.subject = origin_url(stage.origin, "/static?n=6");
    ask.more = ",\"priority\":5";
    (void)begin(flight, &ask);
    demand(harness_wait_load(stage.harness, 1, 1), "not one runs and one waits");
    demand(flight_wait(flight, 0, 60000), "no answer");
    json_t *tree = document_of(flight_reply(flight, 0));
    expect_truth(tree, "meta.pool.timedOut", true);
    const json_t *diagnostics = at(tree, "data.attributes.meta.diagnostics");
    const json_t *other = json_array_get(json_object_get(diagnostics, "affinityActivity"), 0);
    expect_text(other, "url", ask.subject);
    expect_text(other, "kind", "/prerender-visit");
    expect_text(other, "queue", "main");
    expect_text(other, "state", "queued");
    expect_int(other, "priority", 5);
    demand(json_is_integer(json_object_get(other, "ageMs")), "no age");
    expect_text(diagnostics, "phase", "settle");
    expect_truth(diagnostics, "mainThreadAnswered", true);
    demand(json_integer_value(json_object_get(diagnostics, "phaseAgeMs")) > 1000, "no age");
    demand(json_is_integer(json_object_get(diagnostics, "taskMs")), "no times");
    json_decref(tree);
    demand(flight_wait(flight, 1, 60000), "no answer");
    origin_open_gate(stage.origin, "v");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* The image of what the transition has brought, and of a navigation; a PNG says its size. */
START_TEST(takes_screenshots)
{
    struct stage stage = open_with(&plain);
    struct ask ask = {"/prerender-screenshot", origin_url(stage.origin, "/static?n=1"), "a",
                      ",\"format\":\"isolated\"", NULL};
    json_t *tree = perform(&stage, &ask);
    expect_text(tree, "data.type", "screenshot-result");
    expect_text(tree, "data.attributes.status", "ready");
    expect_text(tree, "data.attributes.contentType", "image/png");
    expect_int(tree, "data.attributes.width", 1280);
    expect_int(tree, "data.attributes.height", 800);
    demand(strncmp(json_string_value(at(tree, "data.attributes.base64")), "iVBORw0KGgo", 11) == 0,
           "it is no PNG");
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

/* B-004: while a batch owns what is warm, another request does not clear it, and neither does
 * the application: the attribute does not reach its scripts. */
START_TEST(keeps_what_a_batch_owns)
{
    static const struct {
        const char *more;
        bool cleared;
    } visits[] = {
        {",\"renderOptions\":{\"clearCache\":true},\"batchId\":\"job-1\"", true},
        {",\"renderOptions\":{\"clearCache\":true}", false},
        {",\"renderOptions\":{\"clearCache\":true},\"batchId\":\"job-2\"", true},
    };
    struct stage stage = open_with(&plain);
    const char *url = origin_url(stage.origin, "/static?n=5");
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++) {
        json_t *tree =
            perform(&stage, &(struct ask){"/prerender-visit", url, "a", visits[i].more, NULL});
        expect_truth(tree, "data.attributes.card.cleared", visits[i].cleared);
        json_decref(tree);
    }
    stage_close(&stage);
}
END_TEST

/* The page belongs to its affinity: its token is that of its own last request, and the shell
 * of another affinity never sees it. A render without a recipe may come between. */
START_TEST(keeps_affinities_apart)
{
    struct stage stage = open_with(&plain);
    const char *url = origin_url(stage.origin, "/static?n=2");
    struct client_reply reply;
    for (int i = 0; i < 6; i++) {
        const char *value = i % 2 ? "a" : "b";
        struct ask ask = {"/prerender-visit", url, value, NULL,
                          i % 2 ? "{\"r\":\"of a\"}" : "{\"r\":\"of b\"}"};
        json_t *tree = perform(&stage, &ask);
        expect_text(tree, "data.attributes.card.token", i % 2 ? "of a" : "of b");
        json_decref(tree);
        if (i == 3) {
            client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                          origin_url(stage.origin, "/static?n=3"), "affinity", "realm:a");
            expect_reply(&reply, 200, "page 3");
            client_reply_free(&reply);
        }
    }
    stage_close(&stage);
}
END_TEST

/* N-023 of the scenarios, for the shell: without its standby document a request waits for
 * its own deadline, nothing else is hurt, and no browser is restarted. */
START_TEST(waits_for_a_standby_document)
{
    const struct setup setup = {
        .knobs = {"--pool.pages_min=2", "--pool.pages_max=2", "--manager.render_timeout_ms=2000"},
        .standby = "http://127.0.0.1:1/"};
    struct stage stage = open_with(&setup);
    struct client_reply reply;
    demand(harness_wait_output(stage.harness, "net::ERR_", SOON_MS), "its failure is not logged");
    struct pool_view before, after;
    harness_view(stage.harness, &before);
    json_t *tree = perform(&stage, &(struct ask){"/run-command", "greet", "u", NULL, NULL});
    expect_text(tree, "data.attributes.error", "Render timed-out");
    json_decref(tree);
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/static?n=4"));
    expect_reply(&reply, 200, "page 4");
    client_reply_free(&reply);
    harness_view(stage.harness, &after);
    ck_assert_int_eq(before.browser, after.browser);
    stage_close(&stage);
}
END_TEST

/* A command is not executed again when its browser dies: it may have done its work. */
START_TEST(never_runs_a_command_twice)
{
    struct stage stage = open_with(&plain);
    struct flight *flight = flight_new(stage.harness->address);
    struct pool_view view;
    char more[256];
    (void)snprintf(more, sizeof more, ",\"commandInput\":{\"url\":\"%s\"}",
                   origin_url(stage.origin, "/gate?name=g"));
    (void)begin(flight, &(struct ask){"/run-command", "load", "u", more, NULL});
    demand(origin_wait_gate(stage.origin, "g", 1, SOON_MS), "it does not run");
    harness_view(stage.harness, &view);
    ck_assert_int_eq(kill(view.browser, SIGKILL), 0);
    demand(flight_wait_all(flight, 20000), "no answer");
    json_t *tree = document_of(flight_reply(flight, 0));
    expect_text(tree, "data.attributes.status", "error");
    json_decref(tree);
    origin_open_gate(stage.origin, "g");
    tree = perform(&stage, &(struct ask){"/run-command", "greet", "u", NULL, NULL});
    expect_text(tree, "data.attributes.status", "ready");
    json_decref(tree);
    ck_assert_uint_eq(origin_count(stage.origin, "/gate?name=g"), 1);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* N-022 of the scenarios, S-014: the command that runs at SIGTERM answers with its result, and the
 * next is 410 and never executed. */
START_TEST(drains)
{
    struct stage stage = open_with(&plain);
    struct flight *flight = flight_new(stage.harness->address);
    char more[2][256];
    for (int i = 0; i < 2; i++)
        (void)snprintf(more[i], sizeof more[i], ",\"commandInput\":{\"url\":\"%s\"}",
                       origin_url(stage.origin, i == 0 ? "/gate?name=g" : "/static?n=9"));
    (void)begin(flight, &(struct ask){"/run-command", "load", "u", more[0], NULL});
    demand(origin_wait_gate(stage.origin, "g", 1, SOON_MS), "it does not run");
    ck_assert_int_eq(kill(stage.harness->pid, SIGTERM), 0);
    demand(harness_wait_output(stage.harness, "draining", SOON_MS), "it does not drain");
    (void)begin(flight, &(struct ask){"/run-command", "load", "u", more[1], NULL});
    demand(flight_wait(flight, 1, SOON_MS), "no refusal");
    ck_assert_int_eq(flight_reply(flight, 1)->status, 410);
    expect_header(flight_reply(flight, 1), "X-Boxel-Prerender-Server-Status", "draining");
    origin_open_gate(stage.origin, "g");
    demand(flight_wait(flight, 0, 20000), "no answer");
    json_t *tree = document_of(flight_reply(flight, 0));
    expect_text(tree, "data.attributes.status", "ready");
    json_decref(tree);
    ck_assert_int_eq(harness_wait_exit(stage.harness, STOP_TIMEOUT_MS), 0);
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=9"), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recipe");
    suite_add(suite, visits_by_transition, 120);
    suite_add(suite, loads_modules, 120);
    suite_add(suite, runs_commands, 120);
    suite_add(suite, times_out, 120);
    suite_add(suite, tells_what_its_affinity_was_doing, 120);
    suite_add(suite, takes_screenshots, 120);
    suite_add(suite, keeps_what_a_batch_owns, 120);
    suite_add(suite, keeps_affinities_apart, 120);
    suite_add(suite, waits_for_a_standby_document, 120);
    suite_add(suite, never_runs_a_command_twice, 120);
    suite_add(suite, drains, 120);
    return suite_run(suite, SUITE_FORKS);
}
