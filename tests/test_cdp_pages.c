/* test_cdp_pages.c: pages of a real browser are opened, probed, rested, crash and are
 * closed; contexts are apart, kept and cleared; clocks stay right. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/cdp_stage.h"
#include "tests/system/process.h"

static char *commands; /* What the trace has seen. */

static void on_trace(void *owner, uint64_t page, const char *method, const char *text)
{
    (void)owner;
    (void)page;
    char *grown = NULL;
    int bytes = asprintf(&grown, "%s%s %s\n", commands != NULL ? commands : "", method, text);

    ck_assert_int_gt(bytes, 0);
    free(commands);
    commands = grown;
}

START_TEST(contexts_are_apart)
{
    uint64_t first = open_page(), second = open_page();
    struct answer answer = RENDER(first, .path = "/cookie");

    ck_shows(answer, "cookies: none");
    done(&answer);
    answer = RENDER(first, .path = "/cookie");
    ck_shows(answer, "cookies: seen=1");
    done(&answer);
    answer = RENDER(second, .path = "/cookie");
    ck_shows(answer, "cookies: none");
    done(&answer);
    close_page(first);
    close_page(second);
}
END_TEST

/* A context outlives its page when told so, and its cookies with it. */
START_TEST(contexts_are_kept)
{
    uint64_t page = open_page(), context = 1000 + page;
    struct answer answer = RENDER(page, .path = "/cookie");
    struct cdp_event event;

    done(&answer);
    cdp_close(stage.cdp, stage_now_ms(), page, true);
    ck_assert(await(CDP_CLOSED, page, 5000, NULL));
    page = ++stage.page;
    cdp_open(stage.cdp, stage_now_ms(), 1, page, context, false, stage_now_ms() + 5000);
    ck_assert(await(CDP_OPENED, page, 5000, NULL));
    answer = RENDER(page, .path = "/cookie");
    ck_shows(answer, "cookies: seen=1");
    done(&answer);
    cdp_close(stage.cdp, stage_now_ms(), page, true);
    ck_assert(await(CDP_CLOSED, page, 5000, NULL));
    cdp_dispose_context(stage.cdp, stage_now_ms(), context);
    ck_assert(await(CDP_CONTEXT_GONE, 0, 5000, &event));
    ck_assert_uint_eq(event.context, context);
    page = ++stage.page;
    cdp_open(stage.cdp, stage_now_ms(), 1, page, context, false, stage_now_ms() + 5000);
    ck_assert(await(CDP_OPEN_FAILED, page, 5000, NULL));
}
END_TEST

START_TEST(storage_is_cleared)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/stores", .clear_storage = true);

    done(&answer);
    answer = RENDER(page, .path = "/stores", .clear_storage = true);
    ck_shows(answer, ">was undefined<");
    done(&answer);
    answer = RENDER(page, .path = "/cookie");
    ck_shows(answer, "cookies: none");
    done(&answer);
    answer = RENDER(page, .path = "/stores");
    done(&answer);
    answer = RENDER(page, .path = "/stores", .clear_cache = true);
    ck_shows(answer, ">was set<");
    done(&answer);
    close_page(page);
}
END_TEST

struct renderers {
    pid_t browser;
    size_t count_max;
};

static bool are_few(void *argument)
{
    const struct renderers *renderers = argument;
    static pid_t pids[PROCESSES_MAX];

    return process_list_renderers(renderers->browser, pids) <= renderers->count_max;
}

/* In whatever a page is busy with, and while it opens: it goes within moments, its renderer
 * with it, and there is one answer. */
START_TEST(closing)
{
    static const char *const table[] = {"/never", "/spin", "/image", "/chain"};
    static pid_t pids[PROCESSES_MAX];
    struct cdp_life_info info;

    ck_assert(cdp_get_life(stage.cdp, 1, &info));
    struct renderers before = {.browser = info.pid,
                               .count_max = process_list_renderers(info.pid, pids)};

    for (size_t i = 0; i < 4; i++) {
        uint64_t page = open_page();
        start_render(page, &(struct ask){.path = table[i]});
        pass(100);
        cdp_abort(stage.cdp, stage_now_ms(), page);
        uint64_t started_ms = stage_now_ms();
        cdp_close(stage.cdp, stage_now_ms(), page, i % 2 == 0);
        ck_assert(await(CDP_CLOSED, page, 3000, NULL));
        ck_assert_uint_lt(stage_now_ms() - started_ms, 2000);
    }
    /* While it opens, at once and a little later; and twice. */
    for (uint64_t ms = 0; ms < 60; ms += 10) {
        uint64_t page = ++stage.page;
        cdp_open(stage.cdp, stage_now_ms(), 1, page, 1000 + page, true, stage_now_ms() + 5000);
        pass(ms);
        cdp_close(stage.cdp, stage_now_ms(), page, ms % 20 == 0);
        ck_assert(await(CDP_CLOSED, page, 3000, NULL));
    }
    uint64_t page = open_page();
    cdp_close(stage.cdp, stage_now_ms(), page, true);
    cdp_kill(stage.cdp, stage_now_ms(), page);
    ck_assert(await(CDP_CLOSED, page, 3000, NULL));
    pass(100);
    ck_assert(!has_event(CDP_CLOSED));
    drop_events(); /* Some pages opened before they were closed. */
    ck_assert(rig_until(&stage.rig, are_few, &before, 5000));
    check_canary();
}
END_TEST

START_TEST(probes)
{
    uint64_t page = open_page();
    struct cdp_event event;
    struct answer answer = RENDER(page, .path = "/static");

    done(&answer);
    cdp_rest(stage.cdp, stage_now_ms(), page);
    cdp_probe(stage.cdp, stage_now_ms(), page, stage_now_ms() + 3000);
    ck_assert(await(CDP_PROBED, page, 3500, &event));
    ck_assert(event.ok);
    answer = RENDER(page, .path = "/static");
    check_complete(&answer);
    done(&answer);
    close_page(page);
    cdp_probe(stage.cdp, stage_now_ms(), page, stage_now_ms() + 3000);
    ck_assert(await(CDP_PROBED, page, 1000, &event));
    ck_assert(!event.ok);
}
END_TEST

/* A page whose clock ran ahead gets a spare target, which may be ready while a probe is out:
 * that is answered all the same. Here every render makes the clock run too far. */
START_TEST(probes_during_swap)
{
    const uint32_t skew_max_ms = stage.config.render.clock_skew_max_ms;
    uint64_t page = open_page();
    struct cdp_event event;

    stage.config.render.clock_skew_max_ms = 1000;
    for (int i = 0; i < 8; i++) {
        struct answer answer = RENDER(page, .path = "/clock");
        check_complete(&answer);
        done(&answer);
        for (int j = 0; j < 200; j++) {
            cdp_probe(stage.cdp, stage_now_ms(), page, stage_now_ms() + 3000);
            ck_assert(await(CDP_PROBED, page, 3500, &event));
            ck_assert(event.ok);
        }
    }
    stage.config.render.clock_skew_max_ms = skew_max_ms;
    close_page(page);
}
END_TEST

START_TEST(popups)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/popup");
    struct cdp_event event;

    check_complete(&answer);
    done(&answer);
    ck_assert(await(CDP_STRAY, 0, 3000, &event));
    ck_assert_str_eq(event.text, "popup");
    close_page(page);
}
END_TEST

/* The page's clock, seen by the page, stays within the bound over many renders. */
START_TEST(clock_is_right)
{
    uint64_t page = open_page();
    int64_t worst_ms = 0;

    for (int i = 0; i < 30; i++) {
        struct answer answer = RENDER(page, .path = "/clock");
        check_complete(&answer);
        const char *now = strstr(answer.result->html, ">now ");
        ck_assert_ptr_nonnull(now);
        struct timespec time;
        (void)clock_gettime(CLOCK_REALTIME, &time);
        int64_t error_ms =
            strtoll(now + 5, NULL, 10) - ((int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000);
        /* A slice and the render itself lie between the two moments. */
        ck_assert_int_lt(llabs(error_ms - answer.result->clock_skew_ms),
                         500 + (int64_t)answer.elapsed_ms);
        if (llabs(error_ms) > worst_ms)
            worst_ms = llabs(error_ms);
        done(&answer);
    }
    ck_assert_int_le(worst_ms, stage.config.render.clock_skew_max_ms);
    close_page(page);
}
END_TEST

/* A page that stood still for an hour is told the right time again. The hour is made up:
 * the loop's clock is moved. */
START_TEST(idle_hour)
{
    const uint64_t hour_ms = 3600 * 1000;
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/clock");
    struct timespec time;

    done(&answer);
    cdp_rest(stage.cdp, stage_now_ms(), page);
    pass(200);
    stage.shift_ms += hour_ms;
    answer = RENDER(page, .path = "/clock");
    check_complete(&answer);
    (void)clock_gettime(CLOCK_REALTIME, &time);
    int64_t error_ms = strtoll(strstr(answer.result->html, ">now ") + 5, NULL, 10) -
                       ((int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000);
    /* Should Chromium take another process for the document, that one has the machine's
     * own time, which is right but knows nothing of our hour. */
    int64_t wanted_ms = error_ms > (int64_t)hour_ms / 2 ? (int64_t)hour_ms : 0;
    ck_assert_int_lt(llabs(error_ms - wanted_ms), stage.config.render.clock_skew_max_ms);
    if (wanted_ms != 0)
        ck_assert_int_lt(llabs(answer.result->clock_skew_ms),
                         stage.config.render.clock_skew_max_ms);
    done(&answer);
    close_page(page);
}
END_TEST

/* Six pages at once, in contexts of their own: each is built by frames and fetches. */
START_TEST(many_at_once)
{
    static const char *const table[] = {"/frames", "/chain", "/idle"};
    static const char *const wanted[] = {">5<", ">slow done<", ">idle<"};
    uint64_t pages[6];

    for (size_t i = 0; i < 6; i++)
        pages[i] = open_page();
    for (size_t i = 0; i < 6; i++)
        start_render(pages[i], &(struct ask){.path = table[i % 3]});
    for (size_t i = 0; i < 6; i++) {
        struct answer answer = await_render(pages[i]);
        check_complete(&answer);
        ck_shows(answer, wanted[i % 3]);
        done(&answer);
    }
    for (size_t i = 0; i < 6; i++)
        close_page(pages[i]);
}
END_TEST

START_TEST(ports_are_denied)
{
    uint64_t page = open_page();
    struct cdp_life_info info;
    char denied[512], path[512];

    ck_assert(cdp_get_life(stage.cdp, 1, &info));
    (void)snprintf(denied, sizeof denied, "http%.200s", info.websocket_url + 2);
    char *end_of_host = strstr(denied, "/devtools");
    ck_assert_ptr_nonnull(end_of_host);
    (void)snprintf(end_of_host, 16, "/json/version");
    struct answer answer = RENDER(page, .path = denied);
    check_failed(&answer, RENDER_URL_DENIED);
    done(&answer);
    (void)snprintf(path, sizeof path, "/to?%.400s", denied);
    answer = RENDER(page, .path = path);
    check_failed(&answer, RENDER_URL_DENIED);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(commands_are_traced)
{
    uint64_t page = open_page();

    cdp_set_trace(stage.cdp, on_trace, NULL);
    struct answer answer = RENDER(page, .path = "/static");
    cdp_set_trace(stage.cdp, NULL, NULL);
    check_complete(&answer);
    done(&answer);
    ck_assert_ptr_nonnull(strstr(commands, "Page.navigate {\"url\":\"http://127"));
    ck_assert_ptr_nonnull(strstr(commands, "DOM.getOuterHTML {"));
    ck_assert_ptr_null(strstr(commands, "Network."));
    ck_assert_ptr_null(strstr(commands, "Fetch."));
    free(commands);
    commands = NULL;
    close_page(page);
}
END_TEST

/* A renderer of that browser that is not among `known`; -1: there is none. */
static pid_t find_renderer(pid_t browser, const pid_t *known, size_t known_count)
{
    static pid_t now[PROCESSES_MAX];
    size_t count = process_list_renderers(browser, now);

    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < known_count && known[k] != now[i])
            k++;
        if (k == known_count)
            return now[i];
    }
    return -1;
}

/* A crash is told at once, whatever the page was doing, and nothing follows but the
 * answer to the close. */
START_TEST(crashes)
{
    static const char *const table[] = {"/image", "/never", "/spin", "/animation"};
    static pid_t known[PROCESSES_MAX];
    struct cdp_life_info info;
    struct cdp_event event;

    ck_assert(cdp_get_life(stage.cdp, 1, &info));
    for (size_t i = 0; i < 4; i++) {
        size_t known_count = process_list_renderers(info.pid, known);
        uint64_t page = open_page();
        start_render(page, &(struct ask){.path = table[i]});
        pass(200);
        pid_t renderer = find_renderer(info.pid, known, known_count);
        ck_assert_int_gt(renderer, 0);
        ck_assert_int_eq(kill(renderer, SIGKILL), 0);
        ck_assert(await(CDP_CRASHED, page, 2000, &event));
        ck_assert_uint_eq(event.request, stage.request);
        close_page(page);
        pass(50);
        ck_assert(!has_event(CDP_RESULT) && !has_event(CDP_CLOSED));
    }
    check_canary();
}
END_TEST

/* A browser that dies takes everything of its life with it, with one event. */
START_TEST(browser_dies)
{
    uint64_t page = open_page();
    struct cdp_life_info info;
    struct cdp_event event;

    ck_assert(cdp_get_life(stage.cdp, 1, &info));
    start_render(page, &(struct ask){.path = "/image"});
    pass(200);
    ck_assert_int_eq(kill(info.pid, SIGKILL), 0);
    ck_assert(await(CDP_LIFE_DOWN, 0, 3000, &event));
    ck_assert_uint_eq(event.life, 1);
    ck_assert(!cdp_get_life(stage.cdp, 1, &info));
    pass(200);
    ck_assert_uint_eq(stage.events_count, 0);
    cdp_launch(stage.cdp, stage_now_ms(), 2);
    ck_assert(await(CDP_LIFE_UP, 0, 20000, NULL));
    cdp_kill_life(stage.cdp, stage_now_ms(), 2);
    ck_assert(await(CDP_LIFE_DOWN, 0, 5000, &event));
    ck_assert_uint_eq(event.life, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp_pages");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, contexts_are_apart);
    tcase_add_test(tcase, contexts_are_kept);
    tcase_add_test(tcase, storage_is_cleared);
    tcase_add_test(tcase, closing);
    tcase_add_test(tcase, probes);
    tcase_add_test(tcase, probes_during_swap);
    tcase_add_test(tcase, popups);
    tcase_add_test(tcase, clock_is_right);
    tcase_add_test(tcase, many_at_once);
    tcase_add_test(tcase, idle_hour);
    tcase_add_test(tcase, ports_are_denied);
    tcase_add_test(tcase, commands_are_traced);
    tcase_add_test(tcase, crashes);
    tcase_add_test(tcase, browser_dies);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
