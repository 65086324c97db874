/* test_affinity.c: who shares a warm context with whom, and what a manager is told of it. */
#include <check.h>
#include <string.h>
#include "tests/system/stage.h"

static const char *const knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3", NULL};

/* Renders `path` and demands `text` in the document. Returns the id of the page. */
static int64_t render_in(struct stage *stage, const char *affinity, const char *path,
                         const char *text)
{
    struct flight *flight = flight_new(stage->harness->address);
    flight_render_as(flight, "application/json", "{s:s, s:s*}", "url",
                     origin_url(stage->origin, "%s", path), "affinity", affinity);
    demand(flight_wait_all(flight, 60000), "no answer");
    json_t *tree = client_json(flight_reply(flight, 0));
    const char *html = json_string_value(json_object_get(json_object_get(tree, "outputs"), "html"));
    demand(html != NULL && strstr(html, text) != NULL, "no \"%s\" in %s of affinity %s: %.900s",
           text, path, affinity, flight_reply(flight, 0)->body);
    int64_t page = json_integer_value(json_object_get(json_object_get(tree, "page"), "id"));
    json_decref(tree);
    flight_free(flight);
    return page;
}

static long dispose(const struct stage *stage, const char *path)
{
    struct client_reply reply;
    client_perform(
        stage->harness->address,
        &(struct client_request){.method = "DELETE", .path = path, .timeout_ms = SOON_MS}, &reply);
    long status = reply.status;
    demand(reply.body_bytes == 0, "a body after DELETE: %s", reply.body);
    client_reply_free(&reply);
    return status;
}

/* The second render of an affinity is served by the same page and sends the cookies of the
 * first; another affinity never sees them, nor the storage. */
START_TEST(warm_page_and_cookies)
{
    struct stage stage = stage_open(knobs);
    int64_t first = render_in(&stage, "a", "/cookie?set=who=alice", "own [who=alice]");
    int64_t second = render_in(&stage, "a", "/cookie", "sent [who=alice]");
    ck_assert_int_eq(first, second);
    int64_t other = render_in(&stage, "b", "/cookie", "sent []");
    ck_assert_int_ne(first, other);
    render_in(&stage, "b", "/cookie", "own []");
    render_in(&stage, "a", "/storage?set=secret", "stored [secret]");
    render_in(&stage, "a", "/storage", "stored [secret]");
    render_in(&stage, "b", "/storage", "stored [null]");
    render_in(&stage, "a", "/cookie", "own [who=alice]");
    stage_close(&stage);
}
END_TEST

/* The context of an evicted page is kept: its affinity finds its cookies again. */
START_TEST(cookies_outlive_eviction)
{
    static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};
    struct stage stage = stage_open(one_page);
    render_in(&stage, "a", "/cookie?set=who=alice", "own [who=alice]");
    render_in(&stage, "b", "/cookie?set=who=bob", "own [who=bob]");
    for (int i = 0; i < 3; i++) {
        /* A context whose page is still closing cannot be claimed yet. */
        demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
        render_in(&stage, "a", "/cookie", "sent [who=alice]");
        demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
        render_in(&stage, "b", "/cookie", "sent [who=bob]");
    }
    stage_close(&stage);
}
END_TEST

static json_t *heartbeat_attributes(const struct stage *stage)
{
    json_t *tree = harness_get_json(stage->harness, "/heartbeat");
    json_t *data = json_object_get(tree, "data");
    demand(strcmp(json_string_value(json_object_get(data, "type")), "prerender-server") == 0,
           "data.type");
    json_t *attributes = json_incref(json_object_get(data, "attributes"));
    json_decref(tree);
    demand(json_is_object(attributes), "data.attributes");
    return attributes;
}

static bool lists(const json_t *array, const char *key)
{
    size_t index;
    const json_t *value;
    json_array_foreach(array, index, value)
    {
        if (strcmp(json_string_value(value), key) == 0) {
            return true;
        }
    }
    return false;
}

static void check_vacancy(const json_t *attributes, const char *key, bool idle)
{
    const json_t *entry = json_object_get(json_object_get(attributes, "affinityVacancy"), key);
    demand(json_is_object(entry), "no vacancy of %s", key);
    demand(json_is_boolean(json_object_get(entry, "idle")) &&
               json_is_true(json_object_get(entry, "idle")) == idle,
           "vacancy of %s: idle is not %d", key, idle);
    demand(json_integer_value(json_object_get(entry, "tabCount")) == 1, "tabCount of %s", key);
    demand(json_object_get(entry, "maxPendingPriority") == NULL, "nobody waits for %s", key);
}

/* Both affinities are listed with their vacancy, the capacity is the live cap, and the
 * document says of which process and in which order it was made. */
START_TEST(heartbeat)
{
    struct stage stage = stage_open(knobs);
    render_in(&stage, "a", "/static?n=1", "page 1");
    render_in(&stage, "b", "/static?n=2", "page 2");
    render_in(&stage, NULL, "/static?n=3", "page 3"); /* An origin context: never told. */
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    struct pool_view view;
    harness_view(stage.harness, &view);
    json_t *attributes = heartbeat_attributes(&stage);
    const json_t *warm = json_object_get(attributes, "warmedAffinities");
    demand(json_array_size(warm) == 2 && lists(warm, "a") && lists(warm, "b"), "the warm list");
    check_vacancy(attributes, "a", true);
    check_vacancy(attributes, "b", true);
    ck_assert_int_eq(json_integer_value(json_object_get(attributes, "capacity")), view.cap);
    ck_assert_int_eq(view.cap, 3);
    ck_assert_str_eq(json_string_value(json_object_get(attributes, "status")), "active");
    demand(json_is_string(json_object_get(attributes, "url")), "no url");
    json_t *later = heartbeat_attributes(&stage);
    ck_assert_str_eq(json_string_value(json_object_get(attributes, "bootId")),
                     json_string_value(json_object_get(later, "bootId")));
    ck_assert_int_gt(json_integer_value(json_object_get(later, "seq")),
                     json_integer_value(json_object_get(attributes, "seq")));
    json_decref(attributes);
    json_decref(later);
    stage_close(&stage);
}
END_TEST

/* With one page and that page busy, a request arriving now would not start now. */
START_TEST(vacancy_while_busy)
{
    static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage.origin, "/gate?name=busy"),
                  "affinity", "a");
    demand(origin_wait_gate(stage.origin, "busy", 1, SOON_MS), "the render does not start");
    json_t *attributes = heartbeat_attributes(&stage);
    check_vacancy(attributes, "a", false);
    json_decref(attributes);
    origin_open_gate(stage.origin, "busy");
    demand(flight_wait_all(flight, SOON_MS), "no answer");
    expect_reply(flight_reply(flight, 0), 200, "page busy");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* 204 for a known key, the same key again, and one that never was; afterwards nothing of
 * the affinity is left. */
START_TEST(disposal)
{
    struct stage stage = stage_open(knobs);
    render_in(&stage, "a", "/cookie?set=who=alice", "own [who=alice]");
    render_in(&stage, "b", "/cookie?set=who=bob", "own [who=bob]");
    ck_assert_int_eq(dispose(&stage, "/affinities/a"), 204);
    ck_assert_int_eq(dispose(&stage, "/affinities/a"), 204);
    ck_assert_int_eq(dispose(&stage, "/affinities/never-was"), 204);
    json_t *attributes = heartbeat_attributes(&stage);
    const json_t *warm = json_object_get(attributes, "warmedAffinities");
    demand(!lists(warm, "a") && lists(warm, "b"), "the warm list after the disposal");
    json_decref(attributes);
    render_in(&stage, "a", "/cookie", "sent []");
    render_in(&stage, "b", "/cookie", "sent [who=bob]");
    ck_assert_int_eq(dispose(&stage, "/affinities/b?wait=true"), 204);
    render_in(&stage, "b", "/cookie", "sent []");
    stage_close(&stage);
}
END_TEST

/* The key in the path is percent-encoded; any bytes may be in it. */
START_TEST(disposal_of_encoded_key)
{
    struct stage stage = stage_open(knobs);
    render_in(&stage, "realm:a/b \xe2\x82\xac", "/cookie?set=who=alice", "own [who=alice]");
    ck_assert_int_eq(dispose(&stage, "/affinities/realm%3Aa%2Fb%20%E2%82%AC"), 204);
    render_in(&stage, "realm:a/b \xe2\x82\xac", "/cookie", "sent []");
    stage_close(&stage);
}
END_TEST

/* A disposal does not wait for a render of the affinity, which goes on undisturbed; a new
 * request starts beside it in a new context. */
START_TEST(disposal_while_rendering)
{
    struct stage stage = stage_open(knobs);
    render_in(&stage, "a", "/cookie?set=who=alice", "own [who=alice]");
    struct flight *flight = flight_new(stage.harness->address);
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage.origin, "/gate?name=old"),
                  "affinity", "a");
    demand(origin_wait_gate(stage.origin, "old", 1, SOON_MS), "the render does not start");
    ck_assert_int_eq(dispose(&stage, "/affinities/a"), 204);
    render_in(&stage, "a", "/cookie", "sent []");
    demand(!flight_is_done(flight, 0), "answered before its page was");
    origin_open_gate(stage.origin, "old");
    demand(flight_wait_all(flight, SOON_MS), "no answer");
    expect_reply(flight_reply(flight, 0), 200, "page old");
    render_in(&stage, "a", "/cookie", "sent []");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* `fresh` starts and ends with nothing; a shared origin context forgets cookies and storage
 * between renders; neither is in the heartbeat. */
START_TEST(isolation)
{
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    const char *address = stage.harness->address;
    const char *set = origin_url(stage.origin, "/cookie?set=who=alice");
    const char *store = origin_url(stage.origin, "/storage?set=secret");
    const char *const isolations[] = {"fresh", "origin"};
    for (size_t i = 0; i < 2; i++) {
        client_render(address, &reply, "{s:s, s:s}", "url", set, "isolation", isolations[i]);
        expect_reply(&reply, 200, "own [who=alice]");
        client_reply_free(&reply);
        client_render(address, &reply, "{s:s, s:s}", "url", store, "isolation", isolations[i]);
        expect_reply(&reply, 200, "stored [secret]");
        client_reply_free(&reply);
        client_render(address, &reply, "{s:s, s:s}", "url", origin_url(stage.origin, "/cookie"),
                      "isolation", isolations[i]);
        expect_reply(&reply, 200, "sent []");
        expect_reply(&reply, 200, "own []");
        client_reply_free(&reply);
        client_render(address, &reply, "{s:s, s:s}", "url", origin_url(stage.origin, "/storage"),
                      "isolation", isolations[i]);
        expect_reply(&reply, 200, "stored [null]");
        client_reply_free(&reply);
    }
    json_t *attributes = heartbeat_attributes(&stage);
    ck_assert_uint_eq(json_array_size(json_object_get(attributes, "warmedAffinities")), 0);
    json_decref(attributes);
    stage_close(&stage);
}
END_TEST

/* A client can name any key, and yet never the context of an origin. */
START_TEST(origin_contexts_have_no_name)
{
    struct stage stage = stage_open(knobs);
    char key[64];
    snprintf(key, sizeof(key), "%s", origin_url(stage.origin, "/"));
    key[strlen(key) - 1] = '\0'; /* "http://127.0.0.1:PORT" */
    render_in(&stage, NULL, "/static?n=1", "page 1");
    int64_t shared = render_in(&stage, NULL, "/static?n=2", "page 2");
    int64_t named = render_in(&stage, key, "/static?n=3", "page 3");
    ck_assert_int_ne(shared, named);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("affinity");
    suite_add(suite, warm_page_and_cookies, 120);
    suite_add(suite, cookies_outlive_eviction, 120);
    suite_add(suite, heartbeat, 120);
    suite_add(suite, vacancy_while_busy, 120);
    suite_add(suite, disposal, 120);
    suite_add(suite, disposal_of_encoded_key, 120);
    suite_add(suite, disposal_while_rendering, 120);
    suite_add(suite, isolation, 120);
    suite_add(suite, origin_contexts_have_no_name, 120);
    return suite_run(suite, SUITE_FORKS);
}
