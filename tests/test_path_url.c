/* test_path_url.c: request targets of middleware and the URLs they mean. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "http/path_url.h"
#include "tests/suite.h"

static const struct vector {
    const char *target, *int_type;
    const char *want; /* NULL: 400. */
} vectors[] = {
    {"/https://example.com/", NULL, "https://example.com/"},
    {"/https://example.com/a?b=1&c=%20d", "Node", "https://example.com/a?b=1&c=%20d"},
    {"/https://example.com/a%3Fb=1&c=%2520d", "Nginx", "https://example.com/a?b=1&c=%20d"},
    {"/https://example.com/a%3Fb", "Node", "https://example.com/a%3Fb"},
    {"/https://example.com/a%3Fb", NULL, "https://example.com/a?b"},
    {"/https://example.com/a%252Fb", "Nginx", "https://example.com/a%2Fb"},
    {"/https://example.com/a%2Fb", "Nginx", "https://example.com/a%2Fb"},
    {"/https://example.com/a?b=%20", "Nginx", "https://example.com/a?b=%20"},
    {"/https://example.com/a%2Fb?x=http%3A%2F%2Fy%2F%3Fq", NULL,
     "https://example.com/a%2Fb?x=http%3A%2F%2Fy%2F%3Fq"},
    {"/https://example.com/?_escaped_fragment_=/p/1", NULL, "https://example.com/#!/p/1"},
    {"/https://example.com/?&_escaped_fragment_=", NULL, "https://example.com/"},
    {"/https%3A%2F%2Fexample.com%2Fa%3Fb%3D1", NULL, "https://example.com/a?b=1"},
    {"/https:/example.com/a", NULL, "https://example.com/a"},
    {"/https://example.com/%E4%BD%A0", NULL, "https://example.com/%E4%BD%A0"},
    {"/https://example.com/%25E4%25BD%25A0", "Nginx", "https://example.com/%E4%BD%A0"},
    {"/https://example.com/100%25?x=1", NULL, "https://example.com/100%25?x=1"},
    /* Further ones of the same rules. */
    {"/https%3A%2F%2Fexample.com%2Fa%3Fb%3D1?wc-inject-shadydom=true", NULL,
     "https://example.com/a?b=1"},
    {"/HTTP%3a%2F%2Fexample.com%2F", NULL, "http://example.com/"},
    {"/https:///example.com/a", NULL, "https://example.com/a"},
    {"/https://example.com//a//../b", NULL, "https://example.com//a//../b"},
    {"/https://example.com/a%2fb%3Fc", "Nginx", "https://example.com/a%2fb%3Fc"},
    {"/https://example.com/a%3Fb", "nginx_php", "https://example.com/a?b"},
    {"/https://example.com/%2541", NULL, "https://example.com/%41"},
    {"/https://example.com/a%23b", NULL, "https://example.com/a%23b"},
    {"/https://example.com/a%23!b", NULL, "https://example.com/a#!b"},
    {"/https://example.com/a%20b%3Fc", "Nginx", "https://example.com/a%20b?c"},
    {"/https://example.com/{a}|b", NULL, "https://example.com/%7Ba%7D%7Cb"},
    {"/https://example.com/\xe4\xbd\xa0", NULL, "https://example.com/%E4%BD%A0"},
    {"/https://example.com/?a=1&_escaped_fragment_=%2Fp%3Fx&b=2", NULL,
     "https://example.com/?a=1&b=2#!/p?x"},
    {"/https://example.com/?a=1?_escaped_fragment_=x", NULL, "https://example.com/?a=1#!x"},
    {"/https://example.com/?a=1?b=2", NULL, "https://example.com/?a=1?b=2"},
    {"/https://example.com/?my_escaped_fragment_=x", NULL,
     "https://example.com/?my_escaped_fragment_=x"},
    {"/https://[::1]:8080/a", NULL, "https://[::1]:8080/a"},
    {"/https://", NULL, NULL},
    {"/https:/", NULL, NULL},
    {"/https://user:pass@example.com/", NULL, NULL},
    {"/https://a\\@example.com/", NULL, NULL},
    {"/https://example.com:99999/", NULL, NULL},
    {"/https://example.com/%0D%0Aa%3F", "Nginx", NULL},
    {"/https://example.com/%00%3F", "Nginx", NULL},
    {"/https%3A%2Fzz%zz", NULL, NULL},
    {"/https%3Aexample.com", NULL, NULL},
};

START_TEST(url_is_extracted)
{
    const struct vector *vector = &vectors[_i];
    struct fault fault;
    bool decoded = false;
    fault_init(&fault);
    ck_assert_msg(path_url_is_one(vector->target), "%s", vector->target);
    char *url =
        path_url_find(vector->target, vector->int_type, URL_DECODING_AUTO, 8192, &decoded, &fault);
    if (vector->want) {
        ck_assert_msg(url != NULL, "%s: %s", vector->target, fault.detail);
        ck_assert_str_eq(url, vector->want);
        ck_assert(!fault_is_set(&fault));
    } else {
        ck_assert_msg(url == NULL, "%s: %s", vector->target, url);
        ck_assert_int_eq(http_code_status(fault.code), 400);
    }
    free(url);
}
END_TEST

/* The knob decides against everything that the request gives away, and only once. */
START_TEST(decoding_is_forced)
{
    static const struct {
        const char *target, *int_type;
        enum url_decoding decoding;
        const char *want;
    } rows[] = {
        {"/https://a.test/a%3Fb=%2520", "Nginx", URL_DECODING_RAW, "https://a.test/a%3Fb=%2520"},
        {"/https://a.test/a%3Fb=%2520", "Node", URL_DECODING_ONCE, "https://a.test/a?b=%20"},
        {"/https://a.test/a%2Fb?c=%2541", "Node", URL_DECODING_ONCE, "https://a.test/a/b?c=%41"},
        {"/https%3A%2F%2Fa.test%2F%253F", "Node", URL_DECODING_RAW, "https://a.test/%3F"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault;
        bool decoded = false;
        fault_init(&fault);
        char *url = path_url_find(rows[i].target, rows[i].int_type, rows[i].decoding, 8192,
                                  &decoded, &fault);
        ck_assert_msg(url && strcmp(url, rows[i].want) == 0, "%s: %s", rows[i].target, url);
        free(url);
    }
}
END_TEST

START_TEST(other_paths_are_none)
{
    static const char *const targets[] = {"/ftp://example.com/",
                                          "/foo",
                                          "/file:///etc/passwd",
                                          "/",
                                          "",
                                          "*",
                                          "/http",
                                          "/https",
                                          "/httpx://a/",
                                          "/https:example.com",
                                          "/render",
                                          "//https://a/",
                                          "https://example.com/",
                                          "/http%2F%2Fa",
                                          "/%68ttp://a"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        ck_assert_msg(!path_url_is_one(targets[i]), "%s", targets[i]);
}
END_TEST

/* No prefix of a target may make it read or write where it must not. */
START_TEST(prefixes_are_harmless)
{
    const struct vector *vector = &vectors[_i];
    char target[256];
    for (size_t count = 7; count <= strlen(vector->target); count++) {
        struct fault fault;
        bool decoded;
        fault_init(&fault);
        memcpy(target, vector->target, count);
        target[count] = '\0';
        if (path_url_is_one(target))
            free(
                path_url_find(target, vector->int_type, URL_DECODING_AUTO, 8192, &decoded, &fault));
    }
}
END_TEST

START_TEST(length_is_bounded)
{
    struct fault fault;
    bool decoded;
    fault_init(&fault);
    ck_assert_ptr_null(
        path_url_find("/https://example.com/aaaa", NULL, URL_DECODING_AUTO, 20, &decoded, &fault));
    ck_assert_int_eq(fault.code, HTTP_URL_TOO_LONG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("path url");
    TCase *tests = tcase_create("url");
    int count = (int)(sizeof vectors / sizeof vectors[0]);
    tcase_add_loop_test(tests, url_is_extracted, 0, count);
    tcase_add_loop_test(tests, prefixes_are_harmless, 0, count);
    tcase_add_test(tests, decoding_is_forced);
    tcase_add_test(tests, other_paths_are_none);
    tcase_add_test(tests, length_is_bounded);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
