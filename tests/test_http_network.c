/* test_http_network.c: which addresses a list of networks has. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "http/network.h"
#include "tests/suite.h"

static const struct {
    const char *list, *address;
    bool is_listed;
} cases[] = {
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "10.1.2.4", false},
    {"10.1.2.3/32", "10.1.2.4", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"192.168.1.128/25", "192.168.1.127", false},
    {"192.168.1.128/25", "192.168.1.200", true},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "2001:db8::1", false}, /* The other family is the other family. */
    {"::/0", "203.0.113.9", true},       /* But IPv4 is mapped into this one. */
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"10.0.0.0/8", "::ffff:10.1.1.1", true}, /* IPv4 at an IPv6 listener. */
    {"::1, 127.0.0.1", "127.0.0.1", true},
    {"::1 10.0.0.0/8", "10.0.0.9", true},
    {"", "10.0.0.9", false},
};

static struct address parse(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return address_of((const struct sockaddr *)&four);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return address_of((const struct sockaddr *)&six);
}

START_TEST(lists)
{
    struct address address = parse(cases[_i].address);
    ck_assert_msg(network_lists(cases[_i].list, &address) == cases[_i].is_listed, "%s in %s",
                  cases[_i].address, cases[_i].list);
}
END_TEST

START_TEST(unknown_is_nowhere)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct address address = address_of((const struct sockaddr *)&path);
    char text[64];
    ck_assert(!address.known);
    ck_assert(!network_lists("0.0.0.0/0 ::/0", &address));
    ck_assert_str_eq(address_text(&address, text, sizeof text), "an unknown address");
    address = address_of(NULL);
    ck_assert(!network_lists("::/0", &address));
}
END_TEST

START_TEST(is_shown_as_it_came)
{
    static const char *const texts[][2] = {
        {"10.1.2.3", "10.1.2.3"}, {"::ffff:10.1.2.3", "10.1.2.3"}, {"2001:db8::1", "2001:db8::1"}};
    char text[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct address address = parse(texts[i][0]);
        ck_assert_str_eq(address_text(&address, text, sizeof text), texts[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http network");
    TCase *tcase = tcase_create("network");
    tcase_add_loop_test(tcase, lists, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, unknown_is_nowhere);
    tcase_add_test(tcase, is_shown_as_it_came);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
