/* test_website_port.c: a daemon on port 80 renders websites, and still not itself.
 *
 * No site of this machine may be on that port, so the browser is started by a script that
 * adds two names to what it resolves: one is the origin, the other a name that somebody else
 * has pointed at the daemon. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/system/stage.h"

#define SITE "http://site.test"
#define REBOUND "http://rebound.test"

static const char *browser_path(void)
{
    static const char *const paths[] = {"/usr/lib/chromium/chromium-headless-shell",
                                        "/usr/lib/chromium/chromium"};
    return paths[access(paths[0], X_OK) == 0 ? 0 : 1];
}

/* The last --host-resolver-rules counts, so the names join those of the daemon. */
static void write_script(const char *path, unsigned origin_port)
{
    FILE *script = fopen(path, "we");
    demand(script != NULL, "%s: %s", path, strerror(errno));
    (void)fprintf(script,
                  "#!/bin/sh\n"
                  "for item; do\n"
                  "    shift\n"
                  "    case $item in --host-resolver-rules=*)\n"
                  "        item=\"$item,MAP site.test:80 127.0.0.1:%u,"
                  "MAP rebound.test:80 127.0.0.1:80\" ;;\n"
                  "    esac\n"
                  "    set -- \"$@\" \"$item\"\n"
                  "done\n"
                  "exec %s \"$@\"\n",
                  origin_port, browser_path());
    (void)fclose(script);
    demand(chmod(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

/* Not without the right to, nor where somebody else listens there. */
static bool can_listen(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(80)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "no socket");
    int error = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    (void)close(fd);
    demand(error == 0 || error == EACCES || error == EADDRINUSE, "bind: %s", strerror(error));
    if (error != 0)
        (void)fprintf(stderr, "port 80 is not tested: %s\n", strerror(error));
    return error == 0;
}

static struct stage open_on_80(void)
{
    struct stage stage = {.harness = harness_new()};
    char script[200], path[240];
    stage.origin = origin_new();
    (void)snprintf(script, sizeof script, "%s/%s", stage.harness->directory,
                   strrchr(browser_path(), '/') + 1);
    write_script(script,
                 (unsigned)strtoul(strrchr(origin_url(stage.origin, "/"), ':') + 1, NULL, 10));
    (void)snprintf(path, sizeof path, "--browser.path=%s", script);
    const char *const knobs[] = {path, "--http.listen=127.0.0.1:80", "--pool.pages_max=2", NULL};
    harness_launch(stage.harness, &(struct launch){.knobs = knobs, .no_listen = true});
    harness_wait_ready(stage.harness);
    return stage;
}

static void ask(const struct stage *stage, const char *url, struct client_reply *reply)
{
    client_render(stage->harness->address, reply, "{s:s}", "url", url);
}

START_TEST(websites_are_rendered)
{
    if (!can_listen())
        return;
    struct stage stage = open_on_80();
    struct client_reply reply;
    ask(&stage, SITE "/static?n=eighty", &reply);
    expect_reply(&reply, 200, "page eighty</p>");
    expect_header(&reply, "X-Prerenderd-Final-URL", SITE "/static?n=eighty");
    client_reply_free(&reply);
    ask(&stage, SITE "/reaches?" SITE "/static?n=part", &reply);
    expect_reply(&reply, 200, "reached yes");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* By no address and by no name of its own, neither as a page nor as a part of one. */
START_TEST(the_daemon_is_not)
{
    static const char *const hosts[] = {"127.0.0.1",  "localhost", "0.0.0.0", "[::ffff:127.0.0.1]",
                                        "2130706433", "127.1",     "[::]",    "x.localhost"};
    if (!can_listen())
        return;
    struct stage stage = open_on_80();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct client_reply reply;
        char url[200];
        (void)snprintf(url, sizeof url, "http://%s/healthz", hosts[i]);
        ask(&stage, url, &reply);
        expect_problem(&reply, 403, "url_denied", "port of the daemon");
        client_reply_free(&reply);
        (void)snprintf(url, sizeof url, SITE "/reaches?http://%s/healthz", hosts[i]);
        ask(&stage, url, &reply);
        expect_reply(&reply, 200, "reached no");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* A name that it does not answer to gets no further than its door: no loop, and no secrets. */
START_TEST(other_names_end_at_the_door)
{
    static const char *const paths[] = {"/affinities", "/" SITE "/static?n=loop",
                                        "/render?url=" SITE "/static?n=loop"};
    if (!can_listen())
        return;
    struct stage stage = open_on_80();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct client_reply reply;
        char url[200];
        (void)snprintf(url, sizeof url, REBOUND "%s", paths[i]);
        ask(&stage, url, &reply);
        expect_problem(&reply, 502, "not_a_document", "");
        client_reply_free(&reply);
    }
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=loop"), 0);
    demand(harness_output_contains(stage.harness, "code=host_denied"), "nobody came to the door");
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("website port");
    suite_add(suite, websites_are_rendered, 120);
    suite_add(suite, the_daemon_is_not, 120);
    suite_add(suite, other_names_end_at_the_door, 120);
    return suite_run(suite, SUITE_FORKS);
}
