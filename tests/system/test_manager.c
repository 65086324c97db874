/* test_manager.c: the manager of the tests does what scenarios ask of a manager. Its servers
 * are origins, which count what they are sent. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "tests/system/manager.h"
#include "tests/system/stage.h"

#define BATCH                                                                                      \
    "{\"batchId\":\"job-42-abcd\",\"affinityType\":\"realm\",\"affinityValue\":\"http://r/\"}"

/* Whatever is none of the manager's own paths is proxied; this one an origin answers. */
#define VISIT "/static?n=1"

/* The heartbeat of a server; the caller frees the reply. */
static void beat(const struct manager *manager, const char *url, const char *warm,
                 struct client_reply *ret)
{
    char body[1024];
    (void)snprintf(body, sizeof body,
                   "{\"data\":{\"type\":\"prerender-server\",\"attributes\":{\"url\":\"%s\","
                   "\"capacity\":2,\"status\":\"active\",\"warmedAffinities\":[%s],"
                   "\"affinityVacancy\":{}}}}",
                   url, warm);
    client_perform(manager->address,
                   &(struct client_request){.path = "/prerender-servers", .body = body}, ret);
    ck_assert_int_eq(ret->status, 204);
}

static void register_server(const struct manager *manager, struct origin *origin, const char *warm)
{
    struct client_reply reply;
    beat(manager, origin_url(origin, "%s", ""), warm, &reply);
    client_reply_free(&reply);
}

static void expect_shell(const struct manager *manager, const char *token)
{
    struct client_reply reply;
    beat(manager, "http://127.0.0.1:1", "", &reply);
    const char *told = client_header(&reply, "X-Boxel-Prerender-Host-Shell-Hash");
    ck_assert_str_eq(told != NULL ? told : "", token);
    client_reply_free(&reply);
}

/* the token of the latest order is told with every heartbeat, none before the first;
 * an order without one is refused and changes nothing. */
START_TEST(tells_the_host_shell)
{
    struct manager manager;
    manager_start(&manager);
    expect_shell(&manager, "");
    ck_assert_int_eq(manager_post(&manager, "/host-shell", "{\"hash\":\"aaa111\"}"), 204);
    expect_shell(&manager, "aaa111");
    ck_assert_int_eq(manager_post(&manager, "/host-shell", "{\"hash\":\"bbb222\"}"), 204);
    expect_shell(&manager, "bbb222");
    ck_assert_int_eq(manager_post(&manager, "/host-shell", "{}"), 400);
    expect_shell(&manager, "bbb222");
    manager_kill(&manager);
}
END_TEST

/* B-012: both servers that hold the affinity hear of the release once. */
START_TEST(releases_at_every_holder)
{
    struct manager manager;
    manager_start(&manager);
    struct origin *a = origin_new(), *b = origin_new(), *other = origin_new();
    register_server(&manager, a, "\"realm:http://r/\"");
    register_server(&manager, b, "\"realm:http://r/\",\"user:x\"");
    register_server(&manager, other, "\"user:x\"");
    ck_assert_int_eq(manager_post(&manager, "/release-batch", BATCH), 204);
    ck_assert_uint_eq(origin_count(a, "/release-batch"), 1);
    ck_assert_uint_eq(origin_count(b, "/release-batch"), 1);
    ck_assert_uint_eq(origin_count(other, "/release-batch"), 0);
    ck_assert_int_eq(manager_post(&manager, "/release-batch", "{\"affinityType\":\"realm\"}"), 400);
    ck_assert_uint_eq(origin_count(a, "/release-batch"), 1);
    manager_kill(&manager);
    origin_free(a);
    origin_free(b);
    origin_free(other);
}
END_TEST

static void visit(const struct manager *manager)
{
    (void)manager_post(manager, VISIT,
                       "{\"data\":{\"attributes\":{\"affinityType\":\"realm\","
                       "\"affinityValue\":\"http://r/\"}}}");
}

/* B-013: after one visit the server that was assigned hears of the release, and no other; also
 * when it has lost the affinity since, for its ownership may have survived. */
START_TEST(releases_where_it_was_assigned)
{
    struct manager manager;
    manager_start(&manager);
    struct origin *a = origin_new(), *b = origin_new();
    register_server(&manager, a, "");
    register_server(&manager, b, "");
    visit(&manager);
    struct origin *assigned = origin_count(a, VISIT) == 1 ? a : b;
    struct origin *other = assigned == a ? b : a;
    ck_assert_uint_eq(origin_count(assigned, VISIT), 1);
    ck_assert_uint_eq(origin_count(other, VISIT), 0);
    ck_assert_int_eq(manager_post(&manager, "/release-batch", BATCH), 204);
    ck_assert_uint_eq(origin_count(assigned, "/release-batch"), 1);
    ck_assert_uint_eq(origin_count(other, "/release-batch"), 0);
    visit(&manager);
    ck_assert_uint_eq(origin_count(assigned, VISIT), 2);
    register_server(&manager, assigned, ""); /* As if it had restarted. */
    ck_assert_int_eq(manager_post(&manager, "/release-batch", BATCH), 204);
    ck_assert_uint_eq(origin_count(assigned, "/release-batch"), 2);
    ck_assert_uint_eq(origin_count(other, "/release-batch"), 0);
    manager_kill(&manager);
    origin_free(a);
    origin_free(b);
}
END_TEST

/* A server whose connections are accepted and closed without an answer. */
static void register_closer(const struct manager *manager, struct origin *origin)
{
    struct client_reply reply;
    beat(manager, origin_url(origin, "/close?for="), "", &reply);
    client_reply_free(&reply);
}

static long order(const struct manager *manager, const char *path)
{
    return manager_post(manager, path,
                        "{\"data\":{\"attributes\":{\"affinityType\":\"user\","
                        "\"affinityValue\":\"u\"}}}");
}

/* As the simulated manager: what may have been carried out is not sent to another server when
 * it is a command; a visit is, and so is a command that reached nobody. */
START_TEST(sends_no_command_twice)
{
    struct manager manager;
    manager_start(&manager);
    struct origin *a = origin_new(), *b = origin_new();
    register_closer(&manager, a);
    register_closer(&manager, b);
    ck_assert_int_eq(order(&manager, "/run-command"), 502);
    ck_assert_uint_eq(
        origin_count(a, "/close?for=/run-command") + origin_count(b, "/close?for=/run-command"), 1);
    register_closer(&manager, a); /* It has lost its record. */
    register_closer(&manager, b);
    ck_assert_int_eq(order(&manager, "/prerender-visit"), 503);
    ck_assert_uint_eq(origin_count(a, "/close?for=/prerender-visit"), 1);
    ck_assert_uint_eq(origin_count(b, "/close?for=/prerender-visit"), 1);
    struct client_reply reply;
    beat(&manager, "http://127.0.0.1:1", "", &reply); /* Nobody listens there. */
    client_reply_free(&reply);
    ck_assert_int_eq(order(&manager, "/run-command"), 503);
    manager_kill(&manager);
    origin_free(a);
    origin_free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manager");
    suite_add(suite, tells_the_host_shell, 60);
    suite_add(suite, releases_at_every_holder, 60);
    suite_add(suite, releases_where_it_was_assigned, 60);
    suite_add(suite, sends_no_command_twice, 60);
    return suite_run(suite, SUITE_FORKS);
}
