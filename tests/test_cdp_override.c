/* test_cdp_override.c: what a request changes of a page's surroundings, the page sees; the
 * next request to the same page does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

#include "tests/cdp_origin.c" /* Each test program is one file and the library. */
#include "tests/cdp_stage.c"

#define DEFAULTS .width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT, .javascript = true

#define PLAIN ">1280,800,0,0,0,0,Mozilla<"

static const struct {
    struct page_params page;
    const char *shows;
} table[] = {
    {{DEFAULTS}, PLAIN},
    {{.width = 640, .height = 800, .javascript = true}, ">640,800,0,0,0,0,Mozilla<"},
    {{.width = 1280, .height = 333, .javascript = true}, ">1280,333,0,0,0,0,Mozilla<"},
    /* A telephone lays out what has no viewport meta tag 980 pixels wide. */
    {{.width = 490, .height = 400, .mobile = true, .javascript = true},
     ">980,800,0,0,0,0,Mozilla<"},
    {{DEFAULTS, .touch = true}, ">1280,800,1,0,0,0,Mozilla<"},
    {{DEFAULTS, .media_type = MEDIA_PRINT}, ">1280,800,0,1,0,0,Mozilla<"},
    {{DEFAULTS, .color_scheme = COLOR_SCHEME_DARK}, ">1280,800,0,0,1,0,Mozilla<"},
    {{DEFAULTS, .reduced_motion = REDUCED_MOTION_REDUCE}, ">1280,800,0,0,0,1,Mozilla<"},
    {{DEFAULTS, .user_agent = (char *)(uintptr_t) "Probe/7"}, ">1280,800,0,0,0,0,Probe<"},
    {{.width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT}, "<p id=\"x\">0</p>"},
};

START_TEST(seen_and_undone)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/sees", .page = &table[_i].page);

    check_complete(&answer);
    ck_shows(answer, table[_i].shows);
    done(&answer);
    answer = RENDER(page, .path = "/sees");
    check_complete(&answer);
    ck_shows(answer, PLAIN);
    done(&answer);
    close_page(page);
}
END_TEST

/* Also where nothing could be rendered. */
START_TEST(undone_after_failure)
{
    const struct page_params everything = {.width = 300,
                                           .height = 200,
                                           .mobile = true,
                                           .touch = true,
                                           .media_type = MEDIA_PRINT,
                                           .color_scheme = COLOR_SCHEME_DARK,
                                           .reduced_motion = REDUCED_MOTION_REDUCE,
                                           .user_agent = (char *)(uintptr_t) "Probe/7"};
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/status?204", .page = &everything);

    ck_assert_int_eq(answer.result->code, RENDER_NOT_A_DOCUMENT);
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/sees", .clear_storage = true);
    ck_shows(answer, PLAIN);
    done(&answer);
    close_page(page);
}
END_TEST

/* A blocked request fails; other requests, the document and the next render do not. */
START_TEST(blocked_urls)
{
    static const struct {
        const char *pattern, *shows;
    } blocks[] = {
        {"*/api*", ">refused<"}, {"*127.0.0.1*/api?n", ">refused<"}, {"*/other", ">fetched<"}};

    for (size_t i = 0; i < 3; i++) {
        uint64_t page = open_page();
        struct answer answer = RENDER(page, .path = "/asks", .block_url = blocks[i].pattern);
        check_complete(&answer);
        ck_shows(answer, blocks[i].shows);
        done(&answer);
        answer = RENDER(page, .path = "/asks");
        check_complete(&answer);
        ck_shows(answer, ">fetched<");
        done(&answer);
        close_page(page);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp override");
    TCase *tcase = stage_tcase("override");

    tcase_add_loop_test(tcase, seen_and_undone, 0, (int)(sizeof table / sizeof table[0]));
    tcase_add_test(tcase, undone_after_failure);
    tcase_add_test(tcase, blocked_urls);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
