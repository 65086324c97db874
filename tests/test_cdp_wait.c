/* test_cdp_wait.c: the conditions of `wait` hold pages of a real browser, and end them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

/* What a wait makes of a page: `shows` is there in the end. Times are the page's. */
struct wait_case {
    const char *path;
    struct wait_params wait;
    enum wait_until until;
    enum render_reason reason;
    const char *shows;
};

static const struct wait_case held[] = {
    /* The flag is false for nine seconds, and the grace follows. */
    {"/flag", {.ready_flag_grace_ms = 0}, WAIT_AUTO, RENDER_READY_FLAG, ">flagged<"},
    {"/flag", {.ready_flag_grace_ms = 3000}, WAIT_AUTO, RENDER_READY_FLAG, ">graced<"},
    {"/flag", {.ready_flag = TEXT("")}, WAIT_AUTO, RENDER_SETTLED, "<p id=\"x\">"},
    {"/flag", {.ready_flag = TEXT("other")}, WAIT_AUTO, RENDER_SETTLED, "<p id=\"x\">"},
    {"/flag", {.ready_flag_grace_ms = 0}, WAIT_LOAD, RENDER_SETTLED, "<p id=\"x\">"},
    {"/flag-text", {.ready_flag_grace_ms = 0}, WAIT_AUTO, RENDER_SETTLED, "<p id=\"x\">"},
    /* Selectors in every state, and their count. */
    {"/rows", {.selector = TEXT("i")}, WAIT_AUTO, RENDER_CONDITION, "<i></i>"},
    {"/rows",
     {.selector = TEXT("i"), .selector_min_count = 4},
     WAIT_AUTO,
     RENDER_CONDITION,
     "<i></i><i></i><i></i><i></i>"},
    {"/rows",
     {.selector = TEXT("i"), .selector_min_count = 2},
     WAIT_LOAD,
     RENDER_CONDITION,
     "<i></i><i></i>"},
    {"/rows",
     {.selector = TEXT("i"), .selector_min_count = 1},
     WAIT_NONE,
     RENDER_CONDITION,
     "<i></i>"},
    {"/shows",
     {.selector = TEXT("#x"), .selector_state = SELECTOR_VISIBLE},
     WAIT_AUTO,
     RENDER_CONDITION,
     ">shown<"},
    {"/shows",
     {.selector = TEXT("#x"), .selector_state = SELECTOR_HIDDEN},
     WAIT_LOAD,
     RENDER_CONDITION,
     "hidden"},
    {"/shows",
     {.selector = TEXT("#x"), .selector_state = SELECTOR_DETACHED},
     WAIT_AUTO,
     RENDER_CONDITION,
     "</script></body>"},
    /* Expressions by what JavaScript takes for true. */
    {"/rows", {.expression = TEXT("n>=3")}, WAIT_AUTO, RENDER_CONDITION, "<i></i><i></i><i></i>"},
    {"/rows", {.expression = TEXT("n>=2&&{}")}, WAIT_AUTO, RENDER_CONDITION, "<i></i><i></i>"},
    {"/rows",
     {.expression = TEXT("n>2?'false':''")},
     WAIT_LOAD,
     RENDER_CONDITION,
     "<i></i><i></i><i></i>"},
    {"/tells", {.event = TEXT("told")}, WAIT_AUTO, RENDER_CONDITION, ">told<"},
    /* These only delay. */
    {"/busy", {.dom_stable_ms = 1000}, WAIT_LOAD, RENDER_SETTLED, ">91<"},
    {"/tells", {.delay_ms = 9000}, WAIT_AUTO, RENDER_SETTLED, ">told<"},
    {"/tells", {.delay_ms = 9000}, WAIT_DOMCONTENTLOADED, RENDER_SETTLED, ">told<"},
};

START_TEST(conditions_hold)
{
    const struct wait_case *item = &held[_i];
    uint64_t page = open_page();
    struct wait_params wait = item->wait;

    if (wait.selector_min_count == 0)
        wait.selector_min_count = 1;
    struct answer answer = RENDER(page, .path = item->path, .wait = wait, .until = item->until);
    ck_shows(answer, item->shows);
    ck_assert_int_eq(answer.result->outcome, RENDER_COMPLETE);
    ck_assert_int_eq(answer.result->reason, item->reason);
    ck_assert(answer.ok);
    ck_assert_uint_lt(answer.elapsed_ms, 6000); /* Real time; the page's was more. */
    done(&answer);
    close_page(page);
}
END_TEST

static const struct wait_case unmet[] = {
    {"/flag-never", {.ready_flag_grace_ms = 0}, WAIT_AUTO, RENDER_CONDITION, ""},
    {"/static",
     {.selector = TEXT("#absent"), .selector_min_count = 1},
     WAIT_AUTO,
     RENDER_CONDITION,
     ""},
    {"/static", {.selector = TEXT("p[")}, WAIT_LOAD, RENDER_CONDITION, ""},
    {"/flag-never",
     {.ready_flag = TEXT(""), .expression = TEXT("done")},
     WAIT_LOAD,
     RENDER_CONDITION,
     ""},
    {"/static", {.expression = TEXT("nobody.knows")}, WAIT_LOAD, RENDER_CONDITION, ""},
    {"/static", {.event = TEXT("told")}, WAIT_AUTO, RENDER_CONDITION, ""},
};

/* Partial for this reason, or an error that says so. */
START_TEST(conditions_fail)
{
    const struct wait_case *item = &unmet[_i];
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = item->path, .wait = item->wait,
                                  .until = item->until, .timeout_ms = 2000);

    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    ck_assert_int_eq(answer.result->reason, RENDER_CONDITION);
    ck_assert_uint_lt(answer.elapsed_ms, 2000);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = item->path, .wait = item->wait, .until = item->until,
                    .timeout_ms = 1500, .on_timeout = ON_TIMEOUT_ERROR);
    check_failed(&answer, RENDER_WAIT_UNMET);
    ck_assert_uint_lt(answer.elapsed_ms, 1500);
    done(&answer);
    close_page(page);
}
END_TEST

/* An event that was heard, or a stability that was seen, says nothing about the next
 * document, and what listened is gone. */
START_TEST(nothing_is_left)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/tells", .wait = {.event = TEXT("told")});

    ck_shows(answer, ">told<");
    done(&answer);
    answer = RENDER(page, .path = "/static", .wait = {.event = TEXT("other")}, .timeout_ms = 1500);
    ck_assert_int_eq(answer.result->reason, RENDER_CONDITION);
    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = "/tells", .wait = {.event = TEXT("told")});
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/static");
    check_complete(&answer);
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp wait");
    TCase *tcase = stage_tcase("wait");

    tcase_add_loop_test(tcase, conditions_hold, 0, (int)(sizeof held / sizeof held[0]));
    tcase_add_loop_test(tcase, conditions_fail, 0, (int)(sizeof unmet / sizeof unmet[0]));
    tcase_add_test(tcase, nothing_is_left);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
