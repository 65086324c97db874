/* test_message_text.c: what a page has said is cut and repaired before it is told on. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/message.h"
#include "tests/suite.h"

static struct cdp_span span_of(char *text)
{
    return (struct cdp_span){text, strlen(text)};
}

static const struct {
    const char *text;
    size_t room;
    const char *want; /* NULL: malformed. */
} texts[] = {
    {"plain", 16, "plain"},
    {"plain", 5, "plai"},
    {"a\\u00e9b", 3, "a"},
    {"a\\u00e9b", 4, "a\xc3\xa9"},
    {"\\ud83d\\ude00x", 8, "\xf0\x9f\x98\x80x"},
    {"\\ud800x", 8, "\xef\xbf\xbdx"},
    {"a\\u0000b", 8, "a?b"},
    {"\\\"\\\\", 8, "\"\\"},
    {"\\u00", 8, NULL},
    {"\\", 8, NULL},
};

START_TEST(starts_of_texts_are_cut_at_characters)
{
    char *copy = strdup(texts[_i].text), got[16];

    ck_assert_int_eq(message_text(span_of(copy), got, texts[_i].room), texts[_i].want != NULL);
    ck_assert_str_eq(got, texts[_i].want != NULL ? texts[_i].want : "");
    free(copy);
}
END_TEST

/* Longer than what is looked at: still whole characters. */
START_TEST(long_texts_are_cut)
{
    char text[6001] = "", got[3000];

    for (size_t i = 0; i < 6000; i += 6)
        memcpy(text + i, "\\u00e9", 7);
    ck_assert(message_text(span_of(text), got, 202));
    ck_assert_uint_eq(strlen(got), 200);
    ck_assert(message_text(span_of(text), got, sizeof got));
    ck_assert_uint_ge(strlen(got), 200);
    ck_assert(!message_text((struct cdp_span){NULL, 0}, got, sizeof got));
}
END_TEST

static const struct {
    const char *text, *want;
} repairs[] = {
    {"[\"a\\ud800\"]", "[\"a\\ufffd\"]"},
    {"[\"\\udc00\\ud800\"]", "[\"\\ufffd\\ufffd\"]"},
    {"[\"\\ud83d\\ude00\"]", "[\"\\ud83d\\ude00\"]"},
    {"[\"\\\\ud800\"]", "[\"\\\\ud800\"]"},
    {"[\"\\u0000\\n\"]", "[\"\\ufffd\\n\"]"},
    {"[\"\\ud800\\u0041\"]", "[\"\\ufffd\\u0041\"]"},
};

START_TEST(repaired_bodies_are_taken)
{
    char *copy = strdup(repairs[_i].text);

    message_repair(span_of(copy));
    ck_assert_str_eq(copy, repairs[_i].want);
    json_t *tree = message_tree(span_of(copy));
    ck_assert_ptr_nonnull(tree);
    json_decref(tree);
    free(copy);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("message text");

    tcase_add_loop_test(tests, starts_of_texts_are_cut_at_characters, 0,
                        (int)(sizeof texts / sizeof texts[0]));
    tcase_add_test(tests, long_texts_are_cut);
    tcase_add_loop_test(tests, repaired_bodies_are_taken, 0,
                        (int)(sizeof repairs / sizeof repairs[0]));
    Suite *suite = suite_create("message text");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
