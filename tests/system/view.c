/* view.c: what the daemon under test says about itself; declared in harness.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/harness.h"

long harness_status(const struct harness *harness, const char *method, const char *path)
{
    struct client_reply reply;
    const struct client_request request = {.method = method, .path = path, .timeout_ms = SOON_MS};
    client_perform(harness->address, &request, &reply);
    long status = reply.status;
    client_reply_free(&reply);
    return status;
}

json_t *harness_get_json(const struct harness *harness, const char *path)
{
    struct client_reply reply;
    const struct client_request request = {.path = path, .timeout_ms = SOON_MS};
    client_perform(harness->address, &request, &reply);
    demand(reply.status == 200, "GET %s: status %ld, %s", path, reply.status, reply.error);
    json_t *tree = client_json(&reply);
    client_reply_free(&reply);
    return tree;
}

/* The integer at object.name.member; ends the test when there is none. */
static int64_t number_at(const json_t *tree, const char *name, const char *member)
{
    const json_t *value = json_object_get(tree, name);
    if (member != NULL) {
        value = json_object_get(value, member);
    }
    demand(json_is_integer(value), "/affinities has no integer %s%s%s", name,
           member == NULL ? "" : ".", member == NULL ? "" : member);
    return json_integer_value(value);
}

void harness_view(const struct harness *harness, struct pool_view *ret)
{
    json_t *tree = harness_get_json(harness, "/affinities");
    const json_t *browser = json_object_get(tree, "browser");
    *ret = (struct pool_view){
        .browser = json_is_null(browser) ? 0 : (pid_t)number_at(tree, "browser", "pid"),
        .cap = number_at(tree, "cap", NULL),
        .waiting = number_at(tree, "waiting", "main") + number_at(tree, "waiting", "nested"),
        .running = number_at(tree, "running", "main") + number_at(tree, "running", "nested"),
        .idle = number_at(tree, "pages", "idle"),
        .standby = number_at(tree, "pages", "standby"),
        .leased = number_at(tree, "pages", "leased") + number_at(tree, "pages", "doomed"),
        .opening = number_at(tree, "pages", "opening"),
        .closing = number_at(tree, "pages", "closing") + number_at(tree, "pages", "killing") +
                   number_at(tree, "pages", "zombie"),
        .affinities = (int64_t)json_array_size(json_object_get(tree, "affinities")),
    };
    json_decref(tree);
}

struct wanted_load {
    const struct harness *harness;
    int64_t running, waiting;
};

static bool has_load(void *wanted_)
{
    const struct wanted_load *wanted = wanted_;
    struct pool_view view;
    harness_view(wanted->harness, &view);
    return view.running == wanted->running && view.waiting == wanted->waiting;
}

bool harness_wait_load(const struct harness *harness, int64_t running, int64_t waiting)
{
    return until(has_load, &(struct wanted_load){harness, running, waiting}, SOON_MS);
}

static bool is_quiet(void *harness)
{
    struct pool_view view;
    harness_view(harness, &view);
    return view.running + view.waiting + view.leased + view.opening + view.closing == 0;
}

bool harness_wait_quiet(const struct harness *harness)
{
    return until(is_quiet, (void *)(uintptr_t)harness, SOON_MS);
}

bool harness_browser_url(const struct harness *harness, char *ret, size_t ret_bytes)
{
    json_t *tree = harness_get_json(harness, "/affinities");
    const char *url =
        json_string_value(json_object_get(json_object_get(tree, "browser"), "websocketUrl"));
    bool found = url != NULL && strlen(url) < ret_bytes;
    if (found) {
        snprintf(ret, ret_bytes, "%s", url);
    }
    json_decref(tree);
    return found;
}

void suite_add(Suite *suite, const TTest *test, int timeout_s)
{
    TCase *tcase = tcase_create(test->name);
    tcase_set_timeout(tcase, timeout_s);
    tcase_add_test(tcase, test);
    suite_add_tcase(suite, tcase);
}
