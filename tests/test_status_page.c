/* test_status_page.c: the status page shows what it is told, as text. */
#include "daemon/status_page.h"
#include "tests/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(shows_facts)
{
    const struct status_facts facts = {"ready", "1.2.3", "HeadlessChrome/9"};
    size_t bytes;
    char *text = status_page(&facts, &bytes);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), bytes);
    ck_assert_ptr_nonnull(strstr(text, "<dt>state</dt><dd>ready</dd>"));
    ck_assert_ptr_nonnull(strstr(text, "<dt>version</dt><dd>1.2.3</dd>"));
    ck_assert_ptr_nonnull(strstr(text, "<dt>browser</dt><dd>HeadlessChrome/9</dd>"));
    free(text);
}
END_TEST

/* Why a browser went is in the words of others. */
START_TEST(shows_text_as_text)
{
    const struct status_facts facts = {"it said <b>&amp;</b>", "1", NULL};
    size_t bytes;
    char *text = status_page(&facts, &bytes);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "<dd>it said &lt;b>&amp;amp;&lt;/b></dd>"));
    ck_assert_ptr_nonnull(strstr(text, "<dt>browser</dt><dd>none is up</dd>"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("status page");
    TCase *tcase = tcase_create("page");
    tcase_add_test(tcase, shows_facts);
    tcase_add_test(tcase, shows_text_as_text);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
