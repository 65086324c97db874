/* test_network.c: what a request says about the network, through the daemon: which context
 * serves it, and how a redirect is told. What the browser does is in test_cdp_intercept.c. */
#include <check.h>
#include <string.h>
#include "tests/system/stage.h"

static const char *const knobs[] = {"--pool.pages_max=2", NULL};

/* Of the second of two renders with this further member in the body. */
static bool is_warm(const struct stage *stage, const char *member)
{
    struct client_reply reply;
    bool is_warm = false;

    for (int i = 0; i < 2; i++) {
        char body[512];
        (void)snprintf(body, sizeof body, "{\"url\":\"%s\"%s}",
                       origin_url(stage->origin, "/static?n=net"), member);
        const struct client_request request = {.path = "/render", .body = body};
        client_perform(stage->harness->address, &request, &reply);
        expect_reply(&reply, 200, "page net");
        is_warm = strcmp(client_header(&reply, "X-Prerenderd-Context"), "warm") == 0;
        client_reply_free(&reply);
        demand(harness_wait_quiet(stage->harness), "it is not quiet");
    }
    return is_warm;
}

/* Only what carries nothing of its caller gets the context that others use as well. */
START_TEST(callers_do_not_share)
{
    struct stage stage = stage_open(knobs);

    ck_assert(is_warm(&stage, ""));
    ck_assert(is_warm(&stage, ",\"network\":{\"blockTypes\":[\"image\"]}"));
    ck_assert(!is_warm(&stage, ",\"page\":{\"headers\":{\"X-A\":\"1\"}}"));
    ck_assert(!is_warm(&stage, ",\"page\":{\"httpAuth\":{\"username\":\"a\"}}"));
    ck_assert(!is_warm(&stage, ",\"page\":{\"cookies\":[{\"name\":\"a\",\"value\":\"b\"}]}"));
    ck_assert(!is_warm(&stage, ",\"page\":{\"localStorage\":{\"a\":\"b\"}}"));
    ck_assert(!is_warm(&stage, ",\"method\":\"POST\""));
    ck_assert(is_warm(&stage, ",\"method\":\"POST\",\"affinity\":\"k\""));
    stage_close(&stage);
}
END_TEST

START_TEST(redirect_is_told)
{
    struct stage stage = stage_open(knobs);
    struct client_reply reply;

    client_render(stage.harness->address, &reply, "{s:s, s:{s:b}}", "url",
                  origin_url(stage.origin, "/redirect?n=1"), "network", "followRedirects", 0);
    expect_reply(&reply, 200, "");
    expect_absent(&reply, "redirected");
    expect_header(&reply, "X-Prerenderd-Origin-Status", "302");
    ck_assert_ptr_nonnull(client_header(&reply, "Location"));
    ck_assert_ptr_nonnull(strstr(client_header(&reply, "Location"), "/static?n=redirected"));
    client_reply_free(&reply);
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/redirect?n=1"));
    expect_reply(&reply, 200, "redirected");
    ck_assert_ptr_null(client_header(&reply, "Location"));
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(refused_cookies)
{
    struct stage stage = stage_open(knobs);
    struct client_reply reply;

    client_render(stage.harness->address, &reply, "{s:s, s:{s:[{s:s, s:s, s:s}]}}", "url",
                  origin_url(stage.origin, "/static"), "page", "cookies", "name", "__Host-a",
                  "value", "b", "domain", "127.0.0.1");
    expect_problem(&reply, 400, "invalid_param", "page.cookies");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

static void render_with(const struct stage *stage, const char *path, const char *members,
                        const char *shows)
{
    char body[512];
    struct client_reply reply;

    (void)snprintf(body, sizeof body, "{\"url\":\"%s\",\"affinity\":\"k\"%s}",
                   origin_url(stage->origin, "%s", path), members);
    const struct client_request request = {.path = "/render", .body = body};
    client_perform(stage->harness->address, &request, &reply);
    expect_reply(&reply, 200, shows);
    client_reply_free(&reply);
}

/* What was seen with other tokens is not seen; the same realms are the same eyes. */
START_TEST(auth_owns_a_context)
{
    struct stage stage = stage_open(knobs);

    render_with(&stage, "/cookie?set=who=alice", ",\"auth\":\"{\\\"a\\\":\\\"1\\\"}\"",
                "own [who=alice]");
    render_with(&stage, "/cookie", ",\"auth\":\"{\\\"a\\\":\\\"2\\\"}\"", "sent [who=alice]");
    render_with(&stage, "/cookie", "", "sent [who=alice]");
    render_with(&stage, "/cookie", ",\"auth\":\"{\\\"b\\\":\\\"1\\\"}\"", "sent []");
    stage_close(&stage);
}
END_TEST

/* How often the script that may be cached was asked for. */
START_TEST(batch_owns_a_cache)
{
    static const struct {
        const char *members;
        size_t count;
    } steps[] = {
        {"", 1},
        {"", 1},
        {",\"clearCache\":true", 2},
        {",\"clearCache\":true,\"batch\":\"one\"", 3},
        {",\"clearCache\":true", 3}, /* The batch owns it. */
        {",\"batch\":\"one\"", 3},
        {",\"clearCache\":true,\"batch\":\"two\"", 4},
    };
    struct stage stage = stage_open(knobs);

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        render_with(&stage, "/uses-cache", steps[i].members, "cached");
        ck_assert_uint_eq(origin_count(stage.origin, "/cacheable"), steps[i].count);
        demand(harness_wait_quiet(stage.harness), "it is not quiet");
    }
    stage_close(&stage);
}
END_TEST

/* A page that wants more than it may have: what is there, or an error with the parameter. */
START_TEST(budgets_are_told)
{
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    const char *address = stage.harness->address;

    client_render(address, &reply, "{s:s, s:{s:i}}", "url",
                  origin_url(stage.origin, "/static?n=spent"), "network", "maxBytes", 1);
    expect_reply(&reply, 200, "");
    expect_header(&reply, "X-Prerenderd-Outcome", "partial");
    expect_header(&reply, "X-Prerenderd-Reason", "budget");
    expect_header(&reply, "Cache-Control", "no-store");
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:s, s:{s:i}}", "url",
                  origin_url(stage.origin, "/static?n=spent"), "onTimeout", "error", "network",
                  "maxBytes", 1);
    expect_problem(&reply, 502, "budget_exceeded", "network.maxBytes");
    ck_assert_ptr_nonnull(strstr(reply.body, "\"param\":\"network.maxBytes\""));
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* The envelope has the headers of the document, whether or not its request was held back. */
START_TEST(headers_are_told)
{
    static const char *const members[] = {"", ",\"network\":{\"followRedirects\":false}"};
    struct stage stage = stage_open(knobs);

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char body[512];
        struct client_reply reply;
        (void)snprintf(body, sizeof body, "{\"url\":\"%s\"%s}",
                       origin_url(stage.origin, "/static?n=headers"), members[i]);
        const struct client_request request = {
            .path = "/render", .body = body, .headers = {"Accept: application/json"}};
        client_perform(stage.harness->address, &request, &reply);
        expect_reply(&reply, 200, "page headers");
        json_t *tree = client_json(&reply);
        const char *type = NULL;
        ck_assert_int_eq(json_unpack(tree, "{s:{s:s}}", "headers", "content-type", &type), 0);
        ck_assert(strncmp(type, "text/html", 9) == 0);
        json_decref(tree);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");

    suite_add(suite, callers_do_not_share, 60);
    suite_add(suite, redirect_is_told, 60);
    suite_add(suite, refused_cookies, 60);
    suite_add(suite, auth_owns_a_context, 60);
    suite_add(suite, batch_owns_a_cache, 60);
    suite_add(suite, budgets_are_told, 60);
    suite_add(suite, headers_are_told, 60);
    return suite_run(suite, SUITE_FORKS);
}
