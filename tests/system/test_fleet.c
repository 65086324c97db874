/* test_fleet.c: daemons behind a fleet manager, which may be slow, dead or new. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/manager.h"
#include "tests/system/stage.h"

#define DAEMONS 3
#define AFFINITIES 6

struct member {
    struct harness *harness;
    char url[512]; /* As it registers. */
};

struct fleet {
    struct manager manager;
    struct member members[DAEMONS];
    size_t count;
    struct origin *origin;
};

struct wanted {
    const struct manager *manager;
    const char *type, *url;
    size_t count;
};

static bool has_messages(void *context)
{
    const struct wanted *wanted = context;
    return manager_count(wanted->manager, wanted->type, wanted->url, NULL) >= wanted->count;
}

/* The last of at least `count` messages of that type; the caller decrefs it. */
static json_t *expect_message(const struct fleet *fleet, const char *type, const char *url,
                              size_t count)
{
    struct wanted wanted = {&fleet->manager, type, url, count};
    json_t *last = NULL;
    demand(until(has_messages, &wanted, SOON_MS), "no %zu messages %s of %s", count, type,
           url ? url : "anybody");
    (void)manager_count(&fleet->manager, type, url, &last);
    return last;
}

static void start_member(struct fleet *fleet, size_t index, int interval_ms)
{
    char manager[128], interval[64], pages[64];
    struct member *member = &fleet->members[index];
    (void)snprintf(manager, sizeof manager, "--manager.url=%s", fleet->manager.address);
    (void)snprintf(interval, sizeof interval, "--manager.heartbeat_interval_ms=%d", interval_ms);
    (void)snprintf(pages, sizeof pages, "--pool.pages_min=2");
    const char *const knobs[] = {
        manager, interval, pages, "--pool.pages_max=2", "--log.level=debug", NULL};
    member->harness = harness_new();
    harness_start(member->harness, knobs);
    json_t *beat = harness_get_json(member->harness, "/heartbeat");
    const json_t *attributes = json_object_get(json_object_get(beat, "data"), "attributes");
    (void)snprintf(member->url, sizeof member->url, "%s",
                   json_string_value(json_object_get(attributes, "url")));
    json_decref(beat);
    json_decref(expect_message(fleet, "heartbeat", member->url, 1));
}

static void open_fleet(struct fleet *fleet, size_t count, int interval_ms)
{
    *fleet = (struct fleet){.count = count};
    manager_start(&fleet->manager); /* A fork, so before there are threads. */
    fleet->origin = origin_new();
    for (size_t i = 0; i < count; i++) {
        start_member(fleet, i, interval_ms);
    }
}

static void close_fleet(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        harness_free(fleet->members[i].harness);
    }
    origin_free(fleet->origin);
    if (fleet->manager.pid != 0) {
        manager_kill(&fleet->manager);
    }
}

static void render_at(const struct fleet *fleet, const char *address, const char *affinity, int n,
                      struct client_reply *ret)
{
    char text[32];
    (void)snprintf(text, sizeof text, "page %d", n);
    client_render(address, ret, "{s:s, s:s}", "url", origin_url(fleet->origin, "/static?n=%d", n),
                  "affinity", affinity);
    expect_reply(ret, 200, text);
}

static bool lists(const json_t *message, const char *list, const char *key)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(message, list), index, item)
    {
        if (strcmp(json_string_value(item), key) == 0) {
            return true;
        }
    }
    return false;
}

static const char *text_of(const json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));
    return text != NULL ? text : "";
}

/* S-011 of the scenarios: it registers when it listens, with the live cap. At the end it
 * says that it drains, then that it is gone, and nothing after that. */
START_TEST(registers_drains_and_unregisters)
{
    struct fleet fleet;
    open_fleet(&fleet, 1, 60000);
    const char *url = fleet.members[0].url;
    json_t *message = expect_message(&fleet, "heartbeat", url, 1);
    ck_assert_int_eq(json_integer_value(json_object_get(message, "capacity")), 2);
    ck_assert_str_eq(text_of(message, "status"), "active");
    ck_assert_uint_eq(strlen(text_of(message, "bootId")), 32);
    ck_assert(json_integer_value(json_object_get(message, "seq")) >= 1);
    json_decref(message);
    harness_stop(fleet.members[0].harness);
    message = expect_message(&fleet, "heartbeat", url, 2);
    ck_assert_str_eq(text_of(message, "status"), "draining");
    json_decref(message);
    json_t *state = manager_state(&fleet.manager);
    const json_t *messages = json_object_get(state, "messages");
    ck_assert_str_eq(text_of(json_array_get(messages, json_array_size(messages) - 1), "type"),
                     "unregister");
    ck_assert_uint_eq(json_object_size(json_object_get(state, "servers")), 0);
    ck_assert_uint_eq(manager_count(&fleet.manager, "unregister", url, NULL), 1);
    json_decref(state);
    close_fleet(&fleet);
}
END_TEST

static const char *const keys[] = {"realm:http://a.example/b/",
                                   "user:a%2Fb%",
                                   "realm:x?url=http://evil&seq=9#",
                                   "__proto__",
                                   "user:\"quo\\te\"; ' +",
                                   "user:gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
                                   "realm:../../prerender-servers?url=",
                                   "user:%252F%2f%00%zz+%",
                                   "user:/a//b/",
                                   "user:..",
                                   "..",
                                   "realm:\x01\x1f\t\r\n\x7f",
                                   "user:constructor; </script>&quot;",
                                   "user: ",
                                   "a"};

/* A change of the warm list is told long before the interval is over, and keys are the same
 * bytes in the request, which comes through the manager, the heartbeat, the deletion and the
 * notice. */
START_TEST(tells_changes_at_once_and_keys_byte_for_byte)
{
    struct fleet fleet;
    open_fleet(&fleet, 1, 60000);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct client_reply reply;
        size_t notices = manager_count(&fleet.manager, "notice", NULL, NULL);
        size_t beats = manager_count(&fleet.manager, "heartbeat", NULL, NULL);
        render_at(&fleet, fleet.manager.address, keys[i], (int)i, &reply);
        client_reply_free(&reply);
        json_t *message = expect_message(&fleet, "heartbeat", NULL, beats + 1);
        ck_assert_msg(lists(message, "warmedAffinities", keys[i]), "%s", keys[i]);
        ck_assert_ptr_nonnull(
            json_object_get(json_object_get(message, "affinityVacancy"), keys[i]));
        json_decref(message);
        char path[4096] = "/affinities/";
        for (const char *at = keys[i]; *at != '\0'; at++) {
            size_t used = strlen(path);
            (void)snprintf(path + used, sizeof path - used, "%%%02x", (unsigned char)*at);
        }
        ck_assert_int_eq(harness_status(fleet.members[0].harness, "DELETE", path), 204);
        message = expect_message(&fleet, "notice", fleet.members[0].url, notices + 1);
        ck_assert_str_eq(text_of(message, "key"), keys[i]);
        ck_assert(!json_is_true(json_object_get(message, "live")));
        json_decref(message);
        json_decref(expect_message(&fleet, "heartbeat", NULL, beats + 2));
    }
    close_fleet(&fleet);
}
END_TEST

/* What is no key: how it is written in JSON, `times` over, and what the answers must name. */
static const struct {
    const char *text;
    int times;
    const char *own, *dialect; /* Of POST /render and of POST /prerender-visit. */
} no_keys[] = {
    {"", 1, "512", "affinityValue"},
    {"x", 513, "512", "affinityValue"},
    {"x", 4096, "512", "affinityValue"},
    {"x", 100000, "512", "affinityValue"},
    {"\\u0000", 1, "u0000", "Invalid JSON body"},
    {"a\\u0000", 1, "u0000", "Invalid JSON body"},
    {"\\ud800", 1, "JSON", "Invalid JSON body"},
    {"\xff", 1, "0xff", "Invalid JSON body"},
    {"\xc0\xaf", 1, "0xc0", "Invalid JSON body"},
    {"\x01", 1, "control", "Invalid JSON body"},
};

static void expect_refusal(const struct fleet *fleet, const char *path, const char *body,
                           const char *names)
{
    struct client_reply reply;
    client_perform(fleet->manager.address, &(struct client_request){.path = path, .body = body},
                   &reply);
    demand(reply.status == 400 && strstr(reply.body, names) != NULL,
           "%s of %.100s: %ld %s, which does not name %s", path, body, reply.status, reply.body,
           names);
    client_reply_free(&reply);
}

/* Refused through the manager with what is wrong, and the pool has heard of none. */
START_TEST(refuses_what_is_no_key)
{
    struct fleet fleet;
    struct pool_view view;
    open_fleet(&fleet, 1, 60000);
    for (size_t i = 0; i < sizeof no_keys / sizeof no_keys[0]; i++) {
        char *key = NULL, *body = NULL;
        size_t bytes;
        FILE *stream = open_memstream(&key, &bytes);
        for (int n = 0; n < no_keys[i].times; n++) {
            (void)fputs(no_keys[i].text, stream);
        }
        (void)fclose(stream);
        ck_assert_int_gt(asprintf(&body, "{\"url\":\"http://a/\",\"affinity\":\"%s\"}", key), 0);
        expect_refusal(&fleet, "/render", body, no_keys[i].own);
        free(body);
        ck_assert_int_gt(
            asprintf(&body,
                     "{\"data\":{\"attributes\":{\"url\":\"http://a/\",\"realm\":\"r\","
                     "\"auth\":\"t\",\"affinityType\":\"realm\","
                     "\"affinityValue\":\"%s\"}}}",
                     key),
            0);
        expect_refusal(&fleet, "/prerender-visit", body, no_keys[i].dialect);
        free(body);
        free(key);
    }
    harness_view(fleet.members[0].harness, &view);
    ck_assert_int_eq(view.affinities, 0);
    close_fleet(&fleet);
}
END_TEST

static bool browser_changed(void *context)
{
    const struct member *member = context;
    struct pool_view view;
    harness_view(member->harness, &view);
    return view.browser != 0 && view.browser != (pid_t)strtol(member->url, NULL, 10);
}

/* R-001 to R-004: the first token is remembered, the same one changes nothing, another one
 * recycles the browser once, without a lost request. */
START_TEST(recycles_for_a_new_host_shell)
{
    struct fleet fleet;
    struct pool_view before, after;
    struct client_reply reply;
    open_fleet(&fleet, 1, 1000);
    struct harness *harness = fleet.members[0].harness;
    harness_view(harness, &before);
    ck_assert_int_eq(manager_post(&fleet.manager, "/host-shell", "{\"hash\":\"aaa111\"}"), 204);
    size_t beats = manager_count(&fleet.manager, "heartbeat", NULL, NULL);
    json_decref(expect_message(&fleet, "heartbeat", NULL, beats + 3));
    harness_view(harness, &after);
    ck_assert_int_eq(before.browser, after.browser);
    ck_assert_int_eq(manager_post(&fleet.manager, "/host-shell", "{\"hash\":\"bbb222\"}"), 204);
    struct member old = fleet.members[0];
    (void)snprintf(old.url, sizeof old.url, "%d", before.browser);
    uint64_t end_ms = clock_ms() + START_TIMEOUT_MS;
    int renders = 0;
    while (!browser_changed(&old) && clock_ms() < end_ms) {
        render_at(&fleet, harness->address, "a", ++renders, &reply);
        client_reply_free(&reply);
    }
    demand(browser_changed(&old), "the browser was not recycled");
    harness_view(harness, &after);
    beats = manager_count(&fleet.manager, "heartbeat", NULL, NULL);
    json_decref(expect_message(&fleet, "heartbeat", NULL, beats + 3));
    harness_view(harness, &before);
    ck_assert_int_eq(before.browser, after.browser);
    close_fleet(&fleet);
}
END_TEST

/* How long its page took to answer before it was used again: on a busy machine a browser may
 * let that time run out, with a manager or without. */
static uint64_t probe_ms(const struct client_reply *reply)
{
    const char *timing = client_header(reply, "Server-Timing");
    const char *probe = timing != NULL ? strstr(timing, "probe;dur=") : NULL;
    demand(probe != NULL, "no probe in Server-Timing");
    return strtoull(probe + strlen("probe;dur="), NULL, 10);
}

/* Renders are as fast with a manager that does not answer, lies, or is not there; and a new
 * one hears of everything within an interval. */
START_TEST(manager_is_slow_lies_dies_and_returns)
{
    static const char *const moods[] = {"{\"delayMs\":30000,\"status\":204}",
                                        "{\"delayMs\":0,\"status\":500}", NULL};
    struct fleet fleet;
    struct client_reply reply;
    open_fleet(&fleet, 1, 1000);
    const char *address = fleet.members[0].harness->address;
    render_at(&fleet, address, "a", 0, &reply);
    client_reply_free(&reply);
    for (int mood = 0; mood < 3; mood++) {
        if (moods[mood] != NULL) {
            ck_assert_int_eq(manager_post(&fleet.manager, "/behave", moods[mood]), 204);
        } else {
            manager_kill(&fleet.manager);
        }
        uint64_t end_ms = clock_ms() + 2500; /* More than a heartbeat and its timeout. */
        for (int n = 1; clock_ms() < end_ms; n++) {
            render_at(&fleet, address, "a", n, &reply);
            uint64_t ms = reply_ms(&reply) - probe_ms(&reply);
            demand(ms < 1500, "a render of %llu ms", (unsigned long long)ms);
            client_reply_free(&reply);
        }
        demand(harness_wait_output(fleet.members[0].harness, "the manager was not told", SOON_MS),
               "no failure was noted");
    }
    manager_restart(&fleet.manager);
    json_t *message = expect_message(&fleet, "heartbeat", fleet.members[0].url, 1);
    ck_assert(lists(message, "warmedAffinities", "a"));
    json_decref(message);
    close_fleet(&fleet);
}
END_TEST

/* A manager that hangs does not keep the daemon from its exit for long. */
START_TEST(exits_without_its_manager)
{
    struct fleet fleet;
    open_fleet(&fleet, 1, 60000);
    ck_assert_int_eq(manager_post(&fleet.manager, "/behave", "{\"delayMs\":60000,\"status\":204}"),
                     204);
    uint64_t start_ms = clock_ms();
    harness_stop(fleet.members[0].harness);
    ck_assert_uint_lt(clock_ms() - start_ms, 15000);
    close_fleet(&fleet);
}
END_TEST

struct placed {
    const struct fleet *fleet;
    const char *url, *key;
};

static bool is_placed(void *context)
{
    const struct placed *placed = context;
    json_t *state = manager_state(&placed->fleet->manager);
    const json_t *record = json_object_get(json_object_get(state, "servers"), placed->url);
    bool is_listed = lists(record, "warmedAffinities", placed->key);
    json_decref(state);
    return is_listed;
}

/* Every affinity its first render, one after another. A heartbeat that was on its way when a
 * request was assigned takes the assignment back: all at once, a daemon could be given one
 * affinity more than it has pages. */
static void place(const struct fleet *fleet, char served[AFFINITIES][512])
{
    for (int i = 0; i < AFFINITIES; i++) {
        struct client_reply reply;
        char key[32];
        (void)snprintf(key, sizeof key, "realm:%d", i);
        render_at(fleet, fleet->manager.address, key, i, &reply);
        (void)snprintf(served[i], 512, "%s", client_header(&reply, "X-Served-By"));
        client_reply_free(&reply);
        demand(until(is_placed, &(struct placed){fleet, served[i], key}, SOON_MS),
               "%s is not listed by %s", key, served[i]);
    }
}

/* One round of all affinities at once through the manager. */
static void round_of(const struct fleet *fleet, char served[AFFINITIES][512])
{
    struct flight *flight = flight_new(fleet->manager.address);
    for (int i = 0; i < AFFINITIES; i++) {
        char key[32], body[512];
        (void)snprintf(key, sizeof key, "realm:%d", i);
        (void)snprintf(body, sizeof body, "{\"url\":\"%s\",\"affinity\":\"%s\"}",
                       origin_url(fleet->origin, "/static?n=%d", i), key);
        (void)flight_start(flight, &(struct client_request){.path = "/render", .body = body});
    }
    demand(flight_wait_all(flight, 60000), "not all were answered");
    for (int i = 0; i < AFFINITIES; i++) {
        char text[32];
        const struct client_reply *reply = flight_reply(flight, (size_t)i);
        (void)snprintf(text, sizeof text, "page %d", i);
        expect_reply(reply, 200, text);
        (void)snprintf(served[i], 512, "%s", client_header(reply, "X-Served-By"));
    }
    flight_free(flight);
}

static void check_no_live_notice(const struct fleet *fleet)
{
    size_t index;
    json_t *message, *state = manager_state(&fleet->manager);
    json_array_foreach(json_object_get(state, "messages"), index, message)
    {
        demand(!json_is_true(json_object_get(message, "live")), "a notice for a live affinity: %s",
               text_of(message, "key"));
    }
    json_decref(state);
}

static size_t servers_count(const struct fleet *fleet)
{
    json_t *state = manager_state(&fleet->manager);
    size_t count = json_object_size(json_object_get(state, "servers"));
    json_decref(state);
    return count;
}

static bool all_registered(void *context)
{
    return servers_count(context) == DAEMONS;
}

/* Affinities stay where they are warm, over a restart of the manager as well; a daemon that
 * is killed or drains costs no request. */
START_TEST(three_daemons)
{
    struct fleet fleet;
    char served[AFFINITIES][512], again[AFFINITIES][512];
    open_fleet(&fleet, DAEMONS, 1000);
    place(&fleet, served);
    for (int round = 0; round < 5; round++) {
        round_of(&fleet, again);
        for (int i = 0; i < AFFINITIES; i++) {
            ck_assert_str_eq(served[i], again[i]);
        }
    }
    manager_restart(&fleet.manager);
    demand(until(all_registered, &fleet, SOON_MS), "not all registered again");
    round_of(&fleet, again);
    for (int i = 0; i < AFFINITIES; i++) {
        ck_assert_str_eq(served[i], again[i]);
    }
    check_no_live_notice(&fleet);
    harness_kill(fleet.members[0].harness);
    round_of(&fleet, again);
    for (int i = 0; i < AFFINITIES; i++) {
        ck_assert_str_ne(again[i], fleet.members[0].url);
    }
    ck_assert_int_eq(kill(fleet.members[1].harness->pid, SIGTERM), 0);
    round_of(&fleet, again);
    int status = harness_wait_exit(fleet.members[1].harness, STOP_TIMEOUT_MS);
    ck_assert_int_eq(status, 0);
    round_of(&fleet, again);
    for (int i = 0; i < AFFINITIES; i++) {
        ck_assert_str_eq(again[i], fleet.members[2].url);
    }
    check_no_live_notice(&fleet);
    close_fleet(&fleet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fleet");
    suite_add(suite, registers_drains_and_unregisters, 120);
    suite_add(suite, tells_changes_at_once_and_keys_byte_for_byte, 120);
    suite_add(suite, refuses_what_is_no_key, 120);
    suite_add(suite, recycles_for_a_new_host_shell, 180);
    suite_add(suite, manager_is_slow_lies_dies_and_returns, 120);
    suite_add(suite, exits_without_its_manager, 120);
    suite_add(suite, three_daemons, 300);
    return suite_run(suite, SUITE_FORKS);
}
