/* browser_rig.h: what the tests of a browser's life share: a loop, a scripted browser, a
 * configuration, and questions about the state. */
#ifndef TESTS_BROWSER_RIG_H
#define TESTS_BROWSER_RIG_H

#include <check.h>
#include <string.h>
#include "cdp/browser.h"
#include "tests/fake_browser.h"
#include "tests/rig.h"

#define LIMIT_MS 20000

static struct rig rig;
static struct fake_browser fake;
static struct browser *browser;
static struct config config;
static struct browser_ports browser_ports; /* Any, and none denied. */
static char empty[] = "";

static inline void rig_turn_browser(void *subject, uint64_t now_ms)
{
    browser_turn(subject, now_ms);
}

static inline uint64_t rig_browser_deadline_ms(void *subject)
{
    return browser_deadline_ms(subject);
}

static inline bool is_settled(void *argument)
{
    (void)argument;
    return browser_get_state(browser) >= BROWSER_UP;
}

static inline bool is_stopping(void *argument)
{
    (void)argument;
    return browser_get_state(browser) >= BROWSER_STOPPING;
}

static inline bool is_gone(void *argument)
{
    (void)argument;
    return browser_get_state(browser) == BROWSER_GONE;
}

/* Opens the loop and the scripted browser; a browser would be started, not attached to. */
static inline void open_browser_rig(void)
{
    memset(&config, 0, sizeof config);
    memset(&browser_ports, 0, sizeof browser_ports);
    config.browser.path = config.browser.args = config.browser.user = empty;
    config.browser.profile_root = config.browser.websocket_url = empty;
    config.browser.sandbox = SANDBOX_ON;
    config.browser.batch = true;
    config.browser.start_timeout_ms = 15000;
    config.browser.call_timeout_ms = 10000;
    config.browser.probe_interval_ms = 2000;
    config.pool.pages_max = 2;
    config.render.output_bytes_max = 20u * 1024 * 1024;
    browser = NULL;
    rig_open(&rig);
    fake_open(&fake, &rig.loop);
}

static inline void start_browser(browser_on_event *on_event, void *owner)
{
    browser = browser_new(&rig.loop, &config, &browser_ports, rig_now_ms(), on_event, owner);
    ck_assert_ptr_nonnull(browser);
    rig.subject = browser;
    rig.turn = rig_turn_browser;
    rig.deadline_ms = rig_browser_deadline_ms;
}

static inline void expect_up(void)
{
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
    ck_assert_str_eq(browser_error(browser), "");
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}

static inline void expect_error(const char *want)
{
    ck_assert(rig_until(&rig, is_stopping, NULL, LIMIT_MS));
    ck_assert_msg(strstr(browser_error(browser), want) != NULL, "\"%s\" lacks \"%s\"",
                  browser_error(browser), want);
}

static inline void close_browser_rig(void)
{
    if (!is_stopping(NULL)) {
        browser_kill(browser, rig_now_ms());
    }
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    ck_assert_str_ne(browser_error(browser), "");
    rig.turn = NULL;
    browser_free(browser);
    browser = NULL;
    fake_close(&fake);
    ck_assert(rig_until(&rig, fake_is_closed, &fake, LIMIT_MS));
    rig_close(&rig);
}

#endif
