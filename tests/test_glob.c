/* test_glob.c: patterns with `*`, what their stars stand for; and base64. */
#include "cdp/glob.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/base64.h"
#include "tests/suite.h"

static const struct {
    const char *pattern, *text;
    bool matches;
    const char *filled; /* "<*|*>" filled with the stars. */
} globs[] = {
    {"", "", true, "<|>"},
    {"", "a", false, ""},
    {"a", "a", true, "<|>"},
    {"a", "", false, ""},
    {"a", "ab", false, ""},
    {"*", "", true, "<|>"},
    {"*", "abc", true, "<abc|>"},
    {"a*", "abc", true, "<bc|>"},
    {"*c", "abc", true, "<ab|>"},
    {"*c", "acb", false, ""},
    {"*c", "cc", true, "<c|>"},
    {"*a*", "bab", true, "<b|b>"},
    {"*ab*ab", "abab", true, "<|>"},
    {"*ab*ab", "aababxab", true, "<a|abx>"},
    {"**", "ab", true, "<|ab>"},
    {"a*b*c", "a-b-b-c", true, "<-|-b->"},
    {"*?x", "a?x", true, "<a|>"},
    {"*?x", "abx", false, ""},
    {"[a]*", "a", false, ""},
    {"*.png", "http://h/a.png", true, "<http://h/a|>"},
    {"*.png", "http://h/a.png?v", false, ""},
    {"http://*/a/*", "http://h:1/a/b/a/c", true, "<h:1|b/a/c>"},
};

START_TEST(patterns_match_and_tell)
{
    struct glob_match match;

    ck_assert(glob_matches(globs[_i].pattern, globs[_i].text) == globs[_i].matches);
    if (!globs[_i].matches)
        return;
    ck_assert(glob_match(globs[_i].pattern, globs[_i].text, &match));
    char *filled = glob_fill("<*|*>", &match);
    ck_assert_str_eq(filled, globs[_i].filled);
    free(filled);
}
END_TEST

/* More stars than are told still match, and what is not told is nothing. */
START_TEST(stars_have_a_bound)
{
    struct glob_match match;

    ck_assert(glob_match("*1*2*3*4*5*6*7*8*9*", "a1b2c3d4e5f6g7h8i9j", &match));
    ck_assert_uint_eq(match.count, GLOB_STARS_MAX);
    char *filled = glob_fill("*,*,*,*,*,*,*,*,*.", &match);
    ck_assert_str_eq(filled, "a,b,c,d,e,f,g,h,.");
    free(filled);
}
END_TEST

START_TEST(base64_is_written)
{
    /* RFC 4648, section 10. */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
        ck_assert_str_eq(text, pairs[i][1]);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glob");
    TCase *tcase = tcase_create("glob");

    tcase_add_loop_test(tcase, patterns_match_and_tell, 0, (int)(sizeof globs / sizeof globs[0]));
    tcase_add_test(tcase, stars_have_a_bound);
    tcase_add_test(tcase, base64_is_written);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
