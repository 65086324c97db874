/* test_base64.c: both ways of base64: what is sent to the browser, and what comes from it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/base64.h"
#include "daemon/base64.h"
#include "tests/suite.h"

/* RFC 4648, section 10. */
static const struct {
    const char *text, *digits;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

START_TEST(vectors_of_the_rfc)
{
    char *digits = base64_encode(vectors[_i].text, strlen(vectors[_i].text));
    size_t bytes;

    ck_assert_str_eq(digits, vectors[_i].digits);
    ck_assert(base64_decode(digits, strlen(digits), &bytes));
    ck_assert_uint_eq(bytes, strlen(vectors[_i].text));
    ck_assert_mem_eq(digits, vectors[_i].text, bytes);
    free(digits);
}
END_TEST

/* Every value of a byte at every place of a group, NUL and the sign bit too. */
START_TEST(every_length_and_byte)
{
    char bytes[512];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)(i * 7);
    for (size_t count = 0; count <= sizeof bytes; count++) {
        char *digits = base64_encode(bytes, count);
        size_t length = strlen(digits), decoded;
        ck_assert_uint_eq(length, (count + 2) / 3 * 4);
        ck_assert_uint_eq(strspn(digits, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789+/="),
                          length);
        ck_assert(base64_decode(digits, length, &decoded));
        ck_assert_uint_eq(decoded, count);
        ck_assert(memcmp(digits, bytes, count) == 0);
        free(digits);
    }
}
END_TEST

START_TEST(malformed)
{
    static const char *const texts[] = {
        "Z", "Zg", "Zg=", "Zm9v=", "Z===", "Zm 9", "Zm9-", "Zg==Zm9v"};
    char text[16];
    size_t bytes = 77;

    (void)snprintf(text, sizeof text, "%s", texts[_i]);
    ck_assert_msg(!base64_decode(text, strlen(text), &bytes), "%s", texts[_i]);
    ck_assert_uint_eq(bytes, 77);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base64");
    TCase *tcase = tcase_create("digits");

    tcase_add_loop_test(tcase, vectors_of_the_rfc, 0, (int)(sizeof vectors / sizeof vectors[0]));
    tcase_add_test(tcase, every_length_and_byte);
    tcase_add_loop_test(tcase, malformed, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
