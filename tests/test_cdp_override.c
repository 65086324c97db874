/* test_cdp_override.c: what a request changes of a page's surroundings, the page sees; the
 * next request to the same page does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

#define DEFAULTS .width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT, .scale = 1, .javascript = true

#define PLAIN ">1280,800,0,0,0,0,Mozilla<"

static const struct {
    struct page_params page;
    const char *shows;
} table[] = {
    {{DEFAULTS}, PLAIN},
    {{.width = 640, .height = 800, .scale = 1, .javascript = true}, ">640,800,0,0,0,0,Mozilla<"},
    {{.width = 1280, .height = 333, .scale = 1, .javascript = true}, ">1280,333,0,0,0,0,Mozilla<"},
    /* A telephone lays out what has no viewport meta tag 980 pixels wide. */
    {{.width = 490, .height = 400, .scale = 1, .mobile = true, .javascript = true},
     ">980,800,0,0,0,0,Mozilla<"},
    {{DEFAULTS, .touch = true}, ">1280,800,1,0,0,0,Mozilla<"},
    {{DEFAULTS, .media_type = MEDIA_PRINT}, ">1280,800,0,1,0,0,Mozilla<"},
    {{DEFAULTS, .color_scheme = COLOR_SCHEME_DARK}, ">1280,800,0,0,1,0,Mozilla<"},
    {{DEFAULTS, .reduced_motion = REDUCED_MOTION_REDUCE}, ">1280,800,0,0,0,1,Mozilla<"},
    {{DEFAULTS, .user_agent = (char *)(uintptr_t) "Probe/7"}, ">1280,800,0,0,0,0,Probe<"},
    {{.width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT, .scale = 1}, "<p id=\"x\">0</p>"},
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

/* That next to nothing is painted shows nowhere in the page, from its first script on. */
START_TEST(unseen_paint)
{
    const struct page_params narrow = {.width = 640, .height = 333, .scale = 2, .javascript = true};
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/window");

    check_complete(&answer);
    ck_shows(answer, ">1280,800,1280,800,1280 1280,800,1280,800,1280 1280 800 1 true<");
    done(&answer);
    answer = RENDER(page, .path = "/window", .page = &narrow);
    check_complete(&answer);
    ck_shows(answer, ">640,333,1280,800,640 640,333,1280,800,640 640 333 1 true<");
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

#define TEXT(text) (char *)(uintptr_t)(text)
#define IPHONE                                                                                     \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "    \
    "Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
#define OWN ">1280|1|false|Linux x86_64|Linux|false|Not:A-Brand+Chromium+HeadlessChrome|"

/* What the page is told of device and user agent, here and there, agrees; what is given by
 * itself counts more than the device. */
static const struct {
    struct page_params page;
    const char *given[4];
    const char *shows, *hints; /* In the page, and as the origin sees them. */
    const char *more;          /* What only comes when it is asked for; NULL: nothing to say. */
} agents[] = {
    {{DEFAULTS}, {NULL}, OWN, "[?0][\"Linux\"][\"Not:A-Brand\";v=\"8\", ", "//4"},
    {{DEFAULTS, .device = DEVICE_DESKTOP},
     {NULL},
     ">1920|1|false|Linux x86_64|Linux|false|Not:A-Brand+Chromium+Google Chrome|Mozilla/5.0 (X11",
     "[?0][\"Linux\"][\"Not:A-Brand\";v=\"8\", ",
     "//4"},
    {{DEFAULTS, .device = DEVICE_MOBILE},
     {NULL},
     ">981|2.625|true|Linux armv81|Android|true|Not:A-Brand+Chromium+Google Chrome|Mozilla/5.0 (Li",
     "[?1][\"Android\"][\"Not:A-Brand\";v=\"8\", ",
     "/10/4"},
    {{.device = DEVICE_GOOGLEBOT_MOBILE, .scale = 3, .javascript = true},
     {"page.viewport.deviceScaleFactor", "page.viewport.mobile", NULL},
     ">412|3|true|Linux armv81|Android|true|Not:A-Brand+Chromium+Google Chrome|Mozilla/5.0 (Linux; "
     "Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
     "[?1][\"Android\"][\"Not:A-Brand\";v=\"8\", ",
     "Nexus 5X/6.0.1/4"},
    {{.device = DEVICE_MOBILE, .width = 500, .javascript = true, .user_agent = TEXT(IPHONE)},
     {"page.viewport.width", "page.viewport.touch", "page.userAgent", NULL},
     ">980|2.625|false|iPhone||false||Mozilla/5.0 (iPhone",
     "[none][none][none]",
     NULL},
    {{.width = VIEWPORT_WIDTH,
      .height = VIEWPORT_HEIGHT,
      .scale = 2,
      .javascript = true,
      .user_agent = TEXT("Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
                         "AppleWebKit/537.36 (KHTML, like Gecko) "
                         "Chrome/99.0.0.0 Safari/537.36 Edg/99.0.1")},
     {NULL},
     ">1280|2|false|Win32|Windows|false|Not:A-Brand+Chromium+Microsoft Edge|Mozilla/5.0 (Windows",
     "[?0][\"Windows\"][\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"99\", \"Microsoft "
     "Edge\";v=\"99\"]",
     "/10.0/4"},
};

START_TEST(devices_and_agents)
{
    uint64_t page = open_page();
    struct ask ask = {.path = "/agent", .page = &agents[_i].page};

    memcpy(ask.given, agents[_i].given, sizeof ask.given);
    struct answer answer = render(page, &ask);
    check_complete(&answer);
    ck_shows(answer, agents[_i].shows);
    if (agents[_i].more != NULL) {
        ck_assert_str_eq(answer.result->title, "agree");
        ck_shows(answer, agents[_i].more);
    }
    done(&answer);
    ask.path = "/hints";
    answer = render(page, &ask);
    check_complete(&answer);
    ck_shows(answer, agents[_i].hints);
    done(&answer);
    answer = RENDER(page, .path = "/agent");
    check_complete(&answer);
    ck_shows(answer, OWN);
    done(&answer);
    close_page(page);
}
END_TEST

#define HOME ">en-US UTC 0 1.5<"

static const struct {
    const char *locale, *timezone, *shows, *languages;
} places[] = {
    {"de-AT", NULL, ">de-AT,de UTC 0 1,5<", "[de-AT,de;q=0.9]"},
    {"fr", "Asia/Tokyo", ">fr Asia/Tokyo 9 1,5<", "[fr]"},
    {NULL, "Asia/Calcutta", ">en-US Asia/Calcutta 5 1.5<", "[none]"},
};

/* Also where the page has been made anew for its clock, and without the user agent. */
START_TEST(locale_and_timezone)
{
    const struct page_params params = {DEFAULTS, .locale = TEXT(places[_i].locale),
                                       .timezone = TEXT(places[_i].timezone)};
    uint64_t page = open_page();

    for (int i = 0; i < 4; i++) {
        struct answer answer = RENDER(page, .path = "/place", .page = &params);
        check_complete(&answer);
        ck_shows(answer, places[_i].shows);
        done(&answer);
        answer = RENDER(page, .path = "/hints", .page = &params);
        ck_shows(answer, places[_i].languages);
        done(&answer);
        answer = RENDER(page, .path = "/place");
        ck_shows(answer, HOME);
        done(&answer);
    }
    close_page(page);
}
END_TEST

/* What the browser does not know fails by its name, before anything is asked for; the page
 * is as it was. */
START_TEST(unknown_places)
{
    static const struct {
        struct page_params page;
        const char *param;
    } rows[] = {
        {{DEFAULTS, .timezone = TEXT("Mars/Base")}, "page.timezone"},
        {{DEFAULTS, .timezone = TEXT("asia/tokyo")}, "page.timezone"},
        {{DEFAULTS, .locale = TEXT("klingon"), .timezone = TEXT("Asia/Tokyo")}, "page.locale"},
        {{DEFAULTS, .locale = TEXT("de"), .timezone = TEXT("Nowhere")}, "page.timezone"},
    };
    uint64_t page = open_page();
    size_t count = cdp_origin_count(stage.origin);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = RENDER(page, .path = "/place", .page = &rows[i].page);
        check_failed(&answer, RENDER_PARAM_REFUSED);
        ck_assert_str_eq(answer.result->param, rows[i].param);
        ck_assert(answer.ok);
        done(&answer);
    }
    ck_assert_uint_eq(cdp_origin_count(stage.origin), count);
    struct answer answer = RENDER(page, .path = "/place");
    check_complete(&answer);
    ck_shows(answer, HOME);
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp override");
    TCase *tcase = stage_tcase("override");

    tcase_add_loop_test(tcase, seen_and_undone, 0, (int)(sizeof table / sizeof table[0]));
    tcase_add_test(tcase, unseen_paint);
    tcase_add_test(tcase, undone_after_failure);
    tcase_add_test(tcase, blocked_urls);
    tcase_add_loop_test(tcase, devices_and_agents, 0, (int)(sizeof agents / sizeof agents[0]));
    tcase_add_loop_test(tcase, locale_and_timezone, 0, (int)(sizeof places / sizeof places[0]));
    tcase_add_test(tcase, unknown_places);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
