/* test_ports.c: the ports that pages are kept from, and how those of browsers are held. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cdp/ports.h"
#include "config/config.h"
#include "tests/suite.h"

static struct ports ports;

static void setup(void)
{
    ports = (struct ports){.denied_count = 0};
}

static void teardown(void)
{
    ports_done(&ports);
}

static bool has(uint32_t number)
{
    return ports_has(&ports, "example.com", 11, number);
}

/* 0, or why nobody can listen there. */
static int listen_at(uint16_t number, int may_reuse)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons(number)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &may_reuse, sizeof may_reuse), 0);
    bool listens =
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
    int code = listens ? 0 : errno;
    (void)close(fd);
    return code;
}

START_TEST(held_for_a_browser_alone)
{
    ck_assert_int_eq(ports_hold(&ports), 0);
    for (uint32_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        uint16_t number = ports.browsers[i].number;
        ck_assert_uint_ne(number, 0);
        ck_assert(has(number));
        for (uint32_t j = 0; j < i; j++)
            ck_assert_uint_ne(number, ports.browsers[j].number);
        /* Chromium allows its address to be used again, others do not. */
        ck_assert_int_eq(listen_at(number, 1), 0);
        ck_assert_int_eq(listen_at(number, 0), EADDRINUSE);
    }
}
END_TEST

START_TEST(released_and_held_again)
{
    ck_assert_int_eq(ports_hold(&ports), 0);
    const struct ports before = ports;

    ports_release(&ports, 1);
    ck_assert(!has(before.browsers[1].number));
    ck_assert_int_eq(listen_at(before.browsers[1].number, 0), 0);
    ck_assert_int_eq(ports_hold(&ports), 0);
    ck_assert_uint_ne(ports.browsers[1].number, 0);
    /* The others stay: browsers run that have been told of them. */
    ck_assert_uint_eq(ports.browsers[0].number, before.browsers[0].number);
    ck_assert_uint_eq(ports.browsers[2].number, before.browsers[2].number);
}
END_TEST

START_TEST(rules_name_them_all)
{
    char *rules = ports_rules(&ports);

    ck_assert_str_eq(rules, "");
    free(rules);
    ports_deny(&ports, 8080);
    rules = ports_rules(&ports);
    ck_assert_str_eq(rules, "MAP *:8080 ~NOTFOUND");
    free(rules);
    for (uint16_t i = 0; i < PORTS_DENIED_MAX; i++) /* The last one is ignored. */
        ports_deny(&ports, (uint16_t)(65500 + i));
    ck_assert(has(8080) && has(65500 + PORTS_DENIED_MAX - 2));
    ck_assert(!has(65500 + PORTS_DENIED_MAX - 1));
    ck_assert(!has(0));
    ck_assert_int_eq(ports_hold(&ports), 0);
    rules = ports_rules(&ports);
    size_t count = 0;
    for (const char *at = rules; *at != '\0'; at++)
        count += *at == '*';
    ck_assert_uint_eq(count, PORTS_DENIED_MAX + BROWSER_LIVES_MAX);
    free(rules);
}
END_TEST

static struct config config = {
    .http = {.allowed_hosts = "render.example,\tOther.example. 192.0.2.7"},
    .manager = {.advertise_url = "http://me.example:80"},
};

/* A port of websites is closed only where it is the daemon's own. */
START_TEST(websites_stay_open)
{
    static const char *const own[] = {
        "localhost",        "LOCALHOST.",      "a.localhost",   "127.0.0.1",
        "127.1.2.3",        "0.0.0.0",         "[::1]",         "[::]",
        "[::ffff:7f00:1]",  "[::ffff:0:0]",    "me.example",    "me.example.",
        "render.example",   "Render.example.", "other.example", "192.0.2.7",
        "[::ffff:c000:207]"};
    static const char *const others[] = {
        "example.com",        "localhost.example.com", "notlocalhost",      "[2001:db8::1]",
        "192.0.2.8",          "me.example.com",        "[::ffff:c000:208]", "not.me.example",
        "1127.0.0.1.example."};
    ports_deny(&ports, 80);
    ck_assert(ports_learn(&ports, &config));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        ck_assert_msg(ports_has(&ports, own[i], strlen(own[i]), 80), "%s is open", own[i]);
        ck_assert(!ports_has(&ports, own[i], strlen(own[i]), 443));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(!ports_has(&ports, others[i], strlen(others[i]), 80), "%s", others[i]);
    char *rules = ports_rules(&ports);
    ck_assert_ptr_null(strstr(rules, "MAP *:80 "));
    ck_assert_ptr_nonnull(strstr(rules, "MAP 127.*:80 ~NOTFOUND,"));
    ck_assert_ptr_nonnull(strstr(rules, "MAP [::1]:80 ~NOTFOUND,"));
    ck_assert_ptr_nonnull(strstr(rules, "MAP me.example:80 ~NOTFOUND,MAP me.example.:80 ~NOT"));
    ck_assert_ptr_null(strstr(rules, ",,"));
    free(rules);
}
END_TEST

/* Of this machine all addresses that a URL can have. */
START_TEST(interfaces_are_own)
{
    struct ifaddrs *list;
    char text[INET6_ADDRSTRLEN], host[INET6_ADDRSTRLEN + 2];
    size_t count = 0;

    ports_deny(&ports, 443);
    ck_assert(ports_learn(&ports, &config));
    ck_assert_int_eq(getifaddrs(&list), 0);
    for (const struct ifaddrs *item = list; item != NULL; item = item->ifa_next) {
        if (item->ifa_addr == NULL || item->ifa_addr->sa_family != AF_INET)
            continue;
        const struct sockaddr_in *address =
            (const struct sockaddr_in *)(const void *)item->ifa_addr;
        ck_assert_ptr_nonnull(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
        (void)snprintf(host, sizeof host, "%s", text);
        ck_assert_msg(ports_has(&ports, host, strlen(host), 443), "%s is open", host);
        count++;
    }
    freeifaddrs(list);
    ck_assert_uint_gt(count, 0);
}
END_TEST

/* What is learnt replaces what was. */
START_TEST(learns_anew)
{
    const struct config other = {.http = {.allowed_hosts = ""}};

    ports_deny(&ports, 80);
    ck_assert(!has(80)); /* Nothing is known yet, and no browser runs. */
    ck_assert(ports_learn(&ports, &config));
    ck_assert(ports_has(&ports, "me.example", 10, 80));
    ck_assert(ports_learn(&ports, &other));
    ck_assert(!ports_has(&ports, "me.example", 10, 80));
    ck_assert(ports_has(&ports, "localhost", 9, 80));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ports");
    TCase *tcase = tcase_create("ports");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, held_for_a_browser_alone);
    tcase_add_test(tcase, released_and_held_again);
    tcase_add_test(tcase, rules_name_them_all);
    tcase_add_test(tcase, websites_stay_open);
    tcase_add_test(tcase, interfaces_are_own);
    tcase_add_test(tcase, learns_anew);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
