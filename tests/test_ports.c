/* test_ports.c: the ports that pages are kept from, and how those of browsers are held. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cdp/ports.h"

static struct ports ports;

static void setup(void)
{
    ports = (struct ports){.denied_count = 0};
}

static void teardown(void)
{
    ports_done(&ports);
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
        ck_assert(ports_has(&ports, number));
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
    ck_assert(!ports_has(&ports, before.browsers[1].number));
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
    ports_deny(&ports, 80);
    rules = ports_rules(&ports);
    ck_assert_str_eq(rules, "MAP *:80 ~NOTFOUND");
    free(rules);
    for (uint16_t i = 0; i < PORTS_DENIED_MAX; i++) /* The last one is ignored. */
        ports_deny(&ports, (uint16_t)(65500 + i));
    ck_assert(ports_has(&ports, 80) && ports_has(&ports, 65500 + PORTS_DENIED_MAX - 2));
    ck_assert(!ports_has(&ports, 65500 + PORTS_DENIED_MAX - 1));
    ck_assert(!ports_has(&ports, 0));
    ck_assert_int_eq(ports_hold(&ports), 0);
    rules = ports_rules(&ports);
    size_t count = 0;
    for (const char *at = rules; *at != '\0'; at++)
        count += *at == '*';
    ck_assert_uint_eq(count, PORTS_DENIED_MAX + BROWSER_LIVES_MAX);
    free(rules);
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
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
