/* test_forms.c: which texts have the form of addresses, URLs, origins and networks. */
#include "config/forms.h"
#include "tests/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

static const struct {
    bool (*form)(const char *);
    const char *text;
    bool is_valid;
} forms[] = {
    {form_is_listen, "127.0.0.1:4221", true},
    {form_is_listen, "[::1]:0", true},
    {form_is_listen, "unix:/run/prerenderd.sock", true},
    {form_is_listen, " 127.0.0.1:1,[::]:2\tunix:/x ", true},
    {form_is_listen, "0.0.0.0:65535", true},
    {form_is_listen, "0.0.0.0:65536", false},
    {form_is_listen, "0.0.0.0:", false},
    {form_is_listen, "0.0.0.0", false},
    {form_is_listen, ":4221", false},
    {form_is_listen, "4221", false},
    {form_is_listen, "256.0.0.1:1", false},
    {form_is_listen, "localhost:1", false},
    {form_is_listen, "::1:4221", false},
    {form_is_listen, "[127.0.0.1]:1", false},
    {form_is_listen, "[::1:1", false},
    {form_is_listen, "unix:", false},
    {form_is_listen, "unix:relative", false},
    {form_is_listen, "127.0.0.1:1 nonsense", false},
    {form_is_listen, ", ,", false},
    {form_is_http_url, "http://a", true},
    {form_is_http_url, "https://a.b:443/c?d=e#f", true},
    {form_is_http_url, "http://[::1]:80/x", true},
    {form_is_http_url, "HTTP://a/", true},
    {form_is_http_url, "http://", false},
    {form_is_http_url, "http:/a", false},
    {form_is_http_url, "//a", false},
    {form_is_http_url, "a:80", false},
    {form_is_http_url, "ftp://a", false},
    {form_is_http_url, "http://user@a", false},
    {form_is_http_url, "http://a:0", false},
    {form_is_http_url, "http://a:70000", false},
    {form_is_http_url, "http://a:8x", false},
    {form_is_http_url, "http://a b", false},
    {form_is_http_url, "http://[::1", false},
    {form_is_http_url, "http://[::1]x", false},
    {form_is_http_url, "http://[x]", false},
    {form_is_websocket_url, "ws://127.0.0.1:9222/devtools/browser/ab-cd", true},
    {form_is_websocket_url, "wss://a", false},
    {form_is_websocket_url, "http://a", false},
    {form_is_hosts, "a b.c, *.d", true},
    {form_is_hosts, "a/b", false},
    {form_is_hosts, "a:80", false},
    {form_is_origins, "https://a, http://b:8080", true},
    {form_is_origins, "chrome-extension://abc", true},
    {form_is_origins, "a", false},
    {form_is_origins, "://a", false},
    {form_is_origins, "https://", false},
    {form_is_origins, "https://a/", false},
    {form_is_networks, "10.0.0.0/8 ::1 fe80::/10 1.2.3.4", true},
    {form_is_networks, "10.0.0.0/33", false},
    {form_is_networks, "::/129", false},
    {form_is_networks, "10.0.0/8", false},
    {form_is_networks, "10.0.0.0/", false},
    {form_is_networks, "host", false},
    {form_is_user, "nobody", true},
    {form_is_user, "www-data", true},
    {form_is_user, "-x", false},
    {form_is_user, "a b", false},
    {form_is_user, "an-unreasonably-long-name-of-a-user", false},
};

START_TEST(texts_have_their_form)
{
    ck_assert_msg(forms[_i].form(forms[_i].text) == forms[_i].is_valid, "\"%s\" should be %s",
                  forms[_i].text, forms[_i].is_valid ? "valid" : "invalid");
}
END_TEST

static const struct {
    const char *item;
    bool is_local;
} listeners[] = {
    {"127.0.0.1:1", true}, {"127.8.9.10:0", true}, {"[::1]:1", true}, {"unix:/x", true},
    {"0.0.0.0:1", false},  {"10.0.0.1:1", false},  {"[::]:1", false}, {"nonsense", false},
};

START_TEST(local_listeners_are_known)
{
    ck_assert_int_eq(form_is_local_listener(listeners[_i].item, strlen(listeners[_i].item)),
                     listeners[_i].is_local);
}
END_TEST

static const struct {
    const char *url;
    bool is_local;
} urls[] = {
    {"http://localhost:1/", true}, {"http://LOCALHOST", true},        {"http://127.0.0.2:1", true},
    {"http://[::1]/", true},       {"http://127.0.0.1.evil/", false}, {"http://manager:1", false},
    {"http://[::2]/", false},      {"http://localhost.evil", false},
};

START_TEST(local_urls_are_known)
{
    ck_assert_int_eq(form_is_local_url(urls[_i].url), urls[_i].is_local);
}
END_TEST

START_TEST(port_is_that_of_the_first_tcp_listener)
{
    ck_assert_uint_eq(form_listen_port("127.0.0.1:4221"), 4221);
    ck_assert_uint_eq(form_listen_port("unix:/a [::1]:7 127.0.0.1:8"), 7);
    ck_assert_uint_eq(form_listen_port("127.0.0.1:0 127.0.0.1:8"), 0);
    ck_assert_uint_eq(form_listen_port("unix:/a"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forms");
    TCase *tests = tcase_create("forms");
    tcase_add_loop_test(tests, texts_have_their_form, 0, COUNT(forms));
    tcase_add_loop_test(tests, local_listeners_are_known, 0, COUNT(listeners));
    tcase_add_loop_test(tests, local_urls_are_known, 0, COUNT(urls));
    tcase_add_test(tests, port_is_that_of_the_first_tcp_listener);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
