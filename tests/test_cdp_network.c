/* test_cdp_network.c: path mode in a real browser: the answer of the origin is reported, its
 * redirects are not followed, and the page serves other renders afterwards as before. */
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"
#include "tests/system/process.h"

#include "tests/cdp_origin.c" /* Each test program is one file and the library. */
#include "tests/cdp_stage.c"
#include "tests/system/process.c"

static const char *header_of(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->result->headers_count; i++) {
        if (strcasecmp(answer->result->headers[i].name, name) == 0)
            return answer->result->headers[i].value;
    }
    return NULL;
}

START_TEST(marks_and_headers)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/marks", .path_mode = true);

    check_complete(&answer);
    ck_shows(answer, "mark: 1");
    ck_shows(answer, "Prerender");
    ck_assert_int_eq(answer.result->origin_status, 404);
    ck_assert_str_eq(header_of(&answer, "X-Origin"), "a, b");
    done(&answer);
    answer = RENDER(page, .path = "/marks");
    check_complete(&answer);
    ck_shows(answer, "mark: none");
    ck_assert(!shows(&answer, "Prerender"));
    ck_assert_int_eq(answer.result->origin_status, 0);
    ck_assert_uint_eq(answer.result->headers_count, 0);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(redirects_are_reported)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/to?/static", .path_mode = true);

    check_complete(&answer);
    ck_assert_int_eq(answer.result->origin_status, 302);
    ck_assert_str_eq(header_of(&answer, "Location"), "/static");
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/loop", .path_mode = true);
    ck_assert_int_eq(answer.result->origin_status, 302);
    done(&answer);
    answer = RENDER(page, .path = "/to?/static");
    check_complete(&answer);
    ck_assert_int_eq(answer.result->status, 200);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(viewport_is_set_and_reset)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/viewport", .path_mode = true);

    ck_shows(answer, "1440x718");
    done(&answer);
    answer = RENDER(page, .path = "/viewport");
    ck_assert(!shows(&answer, "1440x718"));
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(statuses_without_a_document)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/status?204", .path_mode = true);

    ck_assert_int_eq(answer.result->origin_status, 204);
    ck_assert_int_eq(answer.result->code, RENDER_OK);
    done(&answer);
    answer = RENDER(page, .path = "/download", .path_mode = true);
    ck_assert_int_eq(answer.result->code, RENDER_NOT_A_DOCUMENT);
    done(&answer);
    check_canary();
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp_network");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, marks_and_headers);
    tcase_add_test(tcase, redirects_are_reported);
    tcase_add_test(tcase, viewport_is_set_and_reset);
    tcase_add_test(tcase, statuses_without_a_document);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
