/* test_cdp.c: what renders make of the pages of an origin server, in a real browser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

START_TEST(static_page)
{
    uint64_t page = open_page();

    for (int i = 0; i < 3; i++) {
        struct answer answer = RENDER(page, .path = "/static");
        check_complete(&answer);
        ck_assert_str_eq(answer.result->title, "Static");
        ck_assert_str_eq(answer.result->final_url, stage.requests[page % STAGE_PAGES_MAX].url);
        ck_assert_int_eq(answer.result->status, 200);
        ck_assert_str_eq(answer.result->content_type, "text/html");
        ck_assert_str_eq(answer.result->html,
                         "<!DOCTYPE html><html><head><title>Static</title></head>"
                         "<body><p>hello</p></body></html>");
        ck_assert_uint_eq(answer.result->html_bytes, strlen(answer.result->html));
        ck_assert_uint_gt(answer.result->loaded_ms, 0);
        ck_assert_uint_le(answer.result->dom_content_loaded_ms, answer.result->loaded_ms);
        done(&answer);
    }
    close_page(page);
}
END_TEST

/* What each wait shows of a page that a timer, a fetch and a timer build. */
START_TEST(waits)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/chain");

    check_complete(&answer);
    ck_shows(answer, ">slow done<");
    ck_assert_uint_lt(answer.elapsed_ms, 2000);
    done(&answer);
    static const enum wait_until early[] = {WAIT_LOAD, WAIT_DOMCONTENTLOADED, WAIT_NONE};
    for (size_t i = 0; i < 3; i++) {
        answer = RENDER(page, .path = "/chain", .until = early[i]);
        check_complete(&answer);
        ck_assert(!shows(&answer, "slow done"));
        done(&answer);
    }
    close_page(page);
}
END_TEST

/* Frames come in real time, and what waits for them must come too. */
START_TEST(frame_driven)
{
    static const char *const table[][2] = {
        {"/frames", ">5<"},
        {"/intersection", ">fetched<"},
        {"/idle", ">idle<"},
        {"/worker", ">worked<"},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct answer answer = RENDER(page, .path = table[i][0]);
        check_complete(&answer);
        ck_shows(answer, table[i][1]);
        ck_assert_uint_lt(answer.elapsed_ms, 3000);
        done(&answer);
    }
    struct answer answer = RENDER(page, .path = "/animation");
    check_complete(&answer);
    ck_assert_uint_lt(answer.elapsed_ms, 2000);
    done(&answer);
    close_page(page);
}
END_TEST

/* Requests that never end cost stuck_request_ms at most, streams less. */
START_TEST(stuck_requests)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/stream");

    check_complete(&answer);
    ck_shows(answer, ">tick<");
    ck_assert_str_eq(answer.result->title, "late");
    ck_assert_uint_lt(answer.elapsed_ms, 4000);
    done(&answer);
    answer = RENDER(page, .path = "/stuck");
    check_complete(&answer);
    ck_shows(answer, ">on<");
    ck_assert_uint_eq(answer.result->pending, 1);
    ck_assert_uint_lt(answer.elapsed_ms, 5000);
    done(&answer);
    answer = RENDER(page, .path = "/image");
    check_complete(&answer);
    ck_shows(answer, "<p>text</p>");
    ck_assert_uint_eq(answer.result->loaded_ms, 0);
    done(&answer);
    close_page(page);
}
END_TEST

/* What a busy machine may add to a deadline. */
#define LATE_MS 300

/* Without `auto` such a page is partial at its deadline, or an error if so asked. */
START_TEST(deadlines)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/image", .until = WAIT_LOAD, .timeout_ms = 1500);

    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    ck_assert_int_eq(answer.result->reason, RENDER_DEADLINE);
    ck_assert_int_eq(answer.result->code, RENDER_OK);
    ck_shows(answer, "<p>text</p>");
    ck_assert(!answer.ok);
    ck_assert_uint_lt(answer.elapsed_ms, 1500 + LATE_MS);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = "/image", .until = WAIT_LOAD, .timeout_ms = 1000,
                    .on_timeout = ON_TIMEOUT_ERROR);
    check_failed(&answer, RENDER_TIMEOUT);
    ck_assert_uint_lt(answer.elapsed_ms, 1000 + LATE_MS);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = "/never", .timeout_ms = 800);
    check_failed(&answer, RENDER_TIMEOUT);
    ck_assert(!answer.ok);
    done(&answer);
    close_page(page);
}
END_TEST

struct failure {
    const char *path;
    enum render_code code;
    const char *net_error;
};

/* None of these shows a page of Chromium's own, and each leaves the page usable. */
START_TEST(failures)
{
    static const struct failure table[] = {
        {"http://127.0.0.1:9/", RENDER_NAVIGATION_FAILED, "net::ERR_UNSAFE_PORT"},
        {"http://name.invalid/", RENDER_NAVIGATION_FAILED, "net::ERR_NAME_NOT_RESOLVED"},
        {"/loop", RENDER_TOO_MANY_REDIRECTS, ""},
        {"/to?file:///etc/passwd", RENDER_NAVIGATION_FAILED, "net::ERR_UNSAFE_REDIRECT"},
        {"/status?204", RENDER_NOT_A_DOCUMENT, ""},
        {"/status?205", RENDER_NOT_A_DOCUMENT, ""},
        {"/download", RENDER_NOT_A_DOCUMENT, ""},
        {"/json", RENDER_NOT_A_DOCUMENT, ""},
        {"/video", RENDER_NOT_A_DOCUMENT, ""},
        {"/api", RENDER_NOT_A_DOCUMENT, ""},
        {"/half", RENDER_TRUNCATED, ""},
        {"file:///etc/passwd", RENDER_URL_DENIED, ""},
        {"/moves-ever", RENDER_REDIRECT_STORM, ""},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct answer answer = RENDER(page, .path = table[i].path);
        ck_assert_msg(answer.result->code == table[i].code, "%s: code %d", table[i].path,
                      answer.result->code);
        check_failed(&answer, table[i].code);
        ck_assert_str_eq(answer.result->net_error, table[i].net_error);
        ck_assert(answer.ok == (table[i].code != RENDER_REDIRECT_STORM));
        ck_assert_uint_lt(answer.elapsed_ms, 3000);
        done(&answer);
        if (!answer.ok) {
            close_page(page);
            page = open_page();
        }
        answer = RENDER(page, .path = "/static");
        check_complete(&answer);
        ck_shows(answer, "hello");
        done(&answer);
    }
    close_page(page);
}
END_TEST

START_TEST(error_statuses)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/nowhere");

    check_complete(&answer);
    ck_assert_int_eq(answer.result->status, 404);
    ck_shows(answer, "not here");
    done(&answer);
    answer = RENDER(page, .path = "/status?500");
    check_complete(&answer);
    ck_assert_int_eq(answer.result->status, 500);
    done(&answer);
    close_page(page);
}
END_TEST

/* Document, URL and status belong to the document that is shown. */
START_TEST(redirects)
{
    static const char *const table[] = {"/to?/static", "/moves", "/moves-now", "/refresh"};
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct answer answer = RENDER(page, .path = table[i]);
        check_complete(&answer);
        ck_shows(answer, "<p>hello</p>");
        ck_assert_ptr_nonnull(strstr(answer.result->final_url, "/static"));
        ck_assert_int_eq(answer.result->status, 200);
        done(&answer);
    }
    struct answer answer = RENDER(page, .path = "/moves-away");
    check_complete(&answer);
    ck_shows(answer, "<p id=\"x\">");
    done(&answer);
    answer = RENDER(page, .path = "/stops");
    check_complete(&answer);
    ck_shows(answer, "<p>before");
    done(&answer);
    close_page(page);
}
END_TEST

static void check_moves(uint64_t page, const char *path, int ms)
{
    char target[64];

    (void)snprintf(target, sizeof target, "%s?%d", path, ms);
    struct answer answer = RENDER(page, .path = target);
    check_complete(&answer);
    bool is_first = shows(&answer, ">first<"), is_second = shows(&answer, "<p>hello</p>");
    ck_assert_msg(is_first != is_second, "%s: %s", target, answer.result->html);
    ck_assert(is_second == (strstr(answer.result->final_url, "/static") != NULL));
    ck_assert_int_eq(answer.result->status, 200);
    done(&answer);
}

/* A page that goes elsewhere at any moment is one document or the other, never a mix. */
START_TEST(moves_during_capture)
{
    uint64_t page = open_page();

    for (int ms = 4900; ms < 5800; ms += 50)
        check_moves(page, "/moves-at", ms);
    for (int ms = 0; ms < 300; ms += 15)
        check_moves(page, "/moves-in", ms);
    close_page(page);
}
END_TEST

/* A page that does not let go of its thread is answered in time, and its renderer dies. */
START_TEST(spinning)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/spin", .timeout_ms = 1500);

    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    ck_shows(answer, "<p id=\"x\">0</p>");
    ck_assert(!answer.ok);
    ck_assert_uint_lt(answer.elapsed_ms, 1500 + LATE_MS);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = "/spin-timer", .timeout_ms = 1500);
    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    ck_assert(!answer.ok);
    done(&answer);
    close_page(page);
    page = open_page();
    answer = RENDER(page, .path = "/spin", .timeout_ms = 700, .on_timeout = ON_TIMEOUT_ERROR);
    check_failed(&answer, RENDER_TIMEOUT);
    ck_assert_uint_lt(answer.elapsed_ms, 700 + LATE_MS);
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

START_TEST(dialogs)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/alerts");

    check_complete(&answer);
    ck_shows(answer, ">asked<");
    done(&answer);
    answer = RENDER(page, .path = "/alert-storm");
    ck_assert_int_eq(answer.result->code, RENDER_OK);
    ck_assert(!answer.ok);
    ck_assert_uint_lt(answer.elapsed_ms, 5000); /* Half its time: the limit of dialogs ended it. */
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

START_TEST(text_is_utf8)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/surrogate");

    check_complete(&answer);
    ck_shows(answer, ">a\xef\xbf\xbd"
                     "bc\xf0\x9f\x98\x80\xc3\xa9<");
    ck_assert_str_eq(answer.result->title, "t\xef\xbf\xbd");
    ck_assert_ptr_null(memchr(answer.result->html, 0, answer.result->html_bytes));
    done(&answer);
    answer = RENDER(page, .path = "/shadow");
    ck_shows(answer, "<template shadowrootmode=\"closed\"><b>shade</b></template>");
    done(&answer);
    answer = RENDER(page, .path = "/poison");
    check_complete(&answer);
    ck_shows(answer, "<p id=\"x\">0</p>");
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(large_documents)
{
    uint64_t page = open_page();
    struct answer answer =
        RENDER(page, .path = "/big?20000000", .until = WAIT_LOAD, .timeout_ms = 20000);

    check_complete(&answer);
    ck_assert_uint_gt(answer.result->html_bytes, 20000000);
    done(&answer);
    answer = RENDER(page, .path = "/big?26000000", .until = WAIT_LOAD, .timeout_ms = 20000);
    check_failed(&answer, RENDER_OUTPUT_TOO_LARGE);
    ck_assert(answer.ok);
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

/* Another fragment alone would not load the document again. */
START_TEST(fragments)
{
    static const char *const table[] = {"/counts#a", "/counts#b", "/counts#b", "/counts"};
    uint64_t page = open_page();

    for (size_t i = 0; i < 4; i++) {
        struct answer answer = RENDER(page, .path = table[i]);
        check_complete(&answer);
        ck_shows(answer, ">load 1 ");
        done(&answer);
    }
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, static_page);
    tcase_add_test(tcase, waits);
    tcase_add_test(tcase, frame_driven);
    tcase_add_test(tcase, stuck_requests);
    tcase_add_test(tcase, deadlines);
    tcase_add_test(tcase, failures);
    tcase_add_test(tcase, error_statuses);
    tcase_add_test(tcase, redirects);
    tcase_add_test(tcase, moves_during_capture);
    tcase_add_test(tcase, spinning);
    tcase_add_test(tcase, dialogs);
    tcase_add_test(tcase, text_is_utf8);
    tcase_add_test(tcase, large_documents);
    tcase_add_test(tcase, fragments);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
