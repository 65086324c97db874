/* test_browser.c: a browser's life against a scripted browser: its start, its self-test,
 * its silence, and its end at any moment. */
#include <stdlib.h>
#include "tests/browser_rig.h"
#include "tests/suite.h"

static uint32_t ended_count, event_count;

static void on_event(void *owner, struct browser *from, uint64_t now_ms,
                     struct cdp_message *message)
{
    (void)now_ms;
    (void)message;
    ck_assert_ptr_eq(owner, &event_count);
    ck_assert_ptr_eq(from, browser);
    event_count++;
}

static void on_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    (void)now_ms;
    ck_assert_ptr_eq(owner, &ended_count);
    ck_assert_int_eq(reply->end, (enum call_end)tag);
    ended_count++;
}

static bool has_ended(void *argument)
{
    (void)argument;
    return ended_count > 0;
}

/* Sends a command that must end like this. */
static void call(enum call_end want)
{
    browser_call(browser, rig_now_ms(), "A.b", NULL, NULL, 5, 60000, on_done, &ended_count, want);
}

static void setup(void)
{
    ended_count = event_count = 0;
    open_browser_rig();
    config.browser.websocket_url = fake.url;
}

static void start(void)
{
    start_browser(on_event, &event_count);
}

static void start_up(void)
{
    start();
    expect_up();
    ck_assert_uint_eq(event_count, 0);
}

static void teardown(void)
{
    close_browser_rig();
}

START_TEST(comes_up_by_its_self_test)
{
    start();
    ck_assert_int_eq(browser_get_state(browser), BROWSER_STARTING);
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
    ck_assert_str_eq(browser_product(browser), "Fake/1.0");
    ck_assert_str_eq(browser_websocket_url(browser), fake.url);
    ck_assert_int_eq(browser_pid(browser), 0);
    ck_assert_str_eq(fake.method, "Target.disposeBrowserContext");
    ck_assert_uint_eq(fake.contexts_count, 2);
}
END_TEST

struct flaw {
    enum fake_flaw flaw;
    const char *want;
};

static const struct flaw flaws[] = {
    {FAKE_SHARES_CONTEXTS, "contexts are not isolated"},
    {FAKE_MISPLACES_PAGES, "another context"},
    {FAKE_GARBLES, "did not come back as it was"},
    {FAKE_REFUSES, "Target.createTarget: not today"},
    {FAKE_IS_MUTE, "Browser.getVersion: no answer in time"},
};

START_TEST(self_test_finds_flaws)
{
    config.browser.call_timeout_ms = 200;
    fake.flaw = flaws[_i].flaw;
    start();
    expect_error(flaws[_i].want);
    expect_error("the self-test failed at ");
}
END_TEST

START_TEST(lives_with_oddities)
{
    static const enum fake_flaw oddities[] = {FAKE_ANSWERS_TWICE, FAKE_FORGETS_SESSION};

    fake.flaw = oddities[_i];
    start_up();
    call(CALL_REPLIED);
    ck_assert(rig_until(&rig, has_ended, NULL, LIMIT_MS));
    ck_assert_uint_eq(ended_count, 1);
}
END_TEST

START_TEST(frames_in_pieces_are_no_matter)
{
    fake.drip_bytes = 7;
    start_up();
}
END_TEST

START_TEST(failed_handshakes_end_it)
{
    static const enum fake_handshake handshakes[] = {FAKE_HANGS_UP, FAKE_FORBIDS, FAKE_REDIRECTS,
                                                     FAKE_LIES};

    fake.handshake = handshakes[_i];
    start();
    expect_error("the browser refused the connection");
}
END_TEST

START_TEST(start_has_a_deadline)
{
    config.browser.start_timeout_ms = 150;
    fake.handshake = FAKE_SAYS_NOTHING;
    start();
    expect_error("not ready within 150 ms");
}
END_TEST

START_TEST(bad_urls_name_the_knob)
{
    static char *const urls[] = {"ftp://127.0.0.1:1/x", "http://127.0.0.1:1/x", "127.0.0.1:1",
                                 "wss://127.0.0.1:1", "ws://:1"};

    config.browser.websocket_url = urls[_i];
    start();
    expect_error("browser.websocket_url: ");
    expect_error(urls[_i]);
}
END_TEST

/* What an operator may write instead of the whole URL. */
START_TEST(finds_the_websocket)
{
    static const char *const forms[][2] = {
        {"http://127.0.0.1", ""},
        {"ws://127.0.0.1", "/"},
        {"http://localhost", "/"},
        {"ws://localhost", "/devtools/browser/fake"},
    };
    char url[128];
    int port = 0;

    ck_assert_int_eq(sscanf(fake.url, "ws://127.0.0.1:%d/", &port), 1);
    (void)snprintf(url, sizeof url, "%s:%d%s", forms[_i][0], port, forms[_i][1]);
    config.browser.websocket_url = url;
    fake.drip_bytes = 100;
    start_up();
    ck_assert_str_eq(browser_websocket_url(browser), fake.url);
}
END_TEST

START_TEST(reports_what_does_not_answer_like_a_browser)
{
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\n\r\n{\"webSocketDebuggerUrl\": \"about:blank\"}",
        "SSH-2.0-nonsense\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{\"webSocketDebuggerUrl\": ",
    };

    (void)snprintf(fake.version, sizeof fake.version, "%s", answers[_i]);
    memcpy(strstr(fake.url, "/devtools"), "\0", 1);
    config.browser.start_timeout_ms = 200;
    start();
    expect_error(_i == 1 || _i == 2 ? "names no websocket" : "not ready within 200 ms");
}
END_TEST

START_TEST(silence_ends_it)
{
    config.browser.probe_interval_ms = 60;
    fake.flaw = FAKE_IS_MUTE_LATER;
    start_up();
    uint64_t start_ms = rig_now_ms();
    call(CALL_LOST);
    expect_error("silent");
    ck_assert_uint_ge(rig_now_ms() - start_ms, 120);
    ck_assert_uint_le(rig_now_ms() - start_ms, 1000);
    ck_assert_uint_eq(ended_count, 1);
}
END_TEST

static void go_mute_once(struct fake_browser *f, char *text, size_t bytes)
{
    /* One probe is not answered; that is no silence yet. */
    if (++*(uint32_t *)f->owner != 2) {
        fake_answer(f, text, bytes);
    }
}

static bool has_probed(void *argument)
{
    return *(uint32_t *)argument >= 6;
}

START_TEST(one_missed_probe_is_forgiven)
{
    uint32_t probes = 0;

    config.browser.probe_interval_ms = 40;
    start_up();
    fake.owner = &probes;
    fake.on_message = go_mute_once;
    ck_assert(rig_until(&rig, has_probed, &probes, LIMIT_MS));
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}
END_TEST

START_TEST(probes_can_be_off)
{
    uint32_t probes = 0;

    config.browser.probe_interval_ms = 0;
    start_up();
    fake.owner = &probes;
    fake.on_message = go_mute_once;
    ck_assert(!rig_until(&rig, has_probed, &probes, 100));
    ck_assert_uint_eq(probes, 0);
}
END_TEST

/* Killed after any number of turns of its start, it is gone soon. */
START_TEST(may_be_killed_at_any_moment)
{
    start();
    for (int i = 0; i < _i; i++) {
        (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
    }
    browser_kill(browser, rig_now_ms());
    browser_kill(browser, rig_now_ms());
    expect_error("told to stop");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("browser");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, comes_up_by_its_self_test);
    tcase_add_loop_test(tests, self_test_finds_flaws, 0, (int)(sizeof flaws / sizeof flaws[0]));
    tcase_add_loop_test(tests, lives_with_oddities, 0, 2);
    tcase_add_test(tests, frames_in_pieces_are_no_matter);
    tcase_add_loop_test(tests, failed_handshakes_end_it, 0, 4);
    tcase_add_test(tests, start_has_a_deadline);
    tcase_add_loop_test(tests, bad_urls_name_the_knob, 0, 5);
    tcase_add_loop_test(tests, finds_the_websocket, 0, 4);
    tcase_add_loop_test(tests, reports_what_does_not_answer_like_a_browser, 0, 5);
    tcase_add_test(tests, silence_ends_it);
    tcase_add_test(tests, one_missed_probe_is_forgiven);
    tcase_add_test(tests, probes_can_be_off);
    tcase_add_loop_test(tests, may_be_killed_at_any_moment, 0, 40);
    Suite *suite = suite_create("browser");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
