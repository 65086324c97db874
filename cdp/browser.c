/* browser.c: see browser.h. What the process, the wire and the self-test have to say is
 * looked at in browser_turn(), one handler per state; the handlers do not call each other. */
#include "cdp/browser.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/deadline.h"
#include "cdp/digest.h"
#include "cdp/disposal.h"
#include "cdp/launch.h"
#include "cdp/lookup.h"
#include "cdp/process.h"
#include "cdp/profile.h"
#include "cdp/selftest.h"
#include "cdp/wire.h"

/* Calls that may be pending at once: what a page has in flight at its busiest, and the
 * browser's own with those that open and close contexts. */
#define CALLS_PER_PAGE_MAX 64
#define CALLS_EXTRA_MAX 256
/* JSON escapes one byte of a document with up to six. Above the upper bound Chromium
 * itself drops a message without a word. */
#define ESCAPED_BYTES_FACTOR 6
#define MESSAGE_EXTRA_BYTES (1024u * 1024)
#define MESSAGE_BYTES_MAX ((size_t)256 * 1024 * 1024)
/* A browser that has exited says why on its standard error; that may arrive later. A
 * connection may be lost some 30 ms before the process is seen to have exited. */
#define LAST_WORDS_MS 200
/* A browser that missed so many probes in a row is silent. */
#define PROBE_MISSES_MAX 2

struct browser {
    uv_loop_t *loop;
    const struct config *config;
    browser_on_event *on_event;
    void *owner;

    enum browser_state state;
    char error[512];
    char websocket_url[OUTPUT_LINE_BYTES_MAX];
    bool is_attached;
    struct process *process; /* NULL: attached, or it was not even tried. */
    struct profile profile;
    struct calls *calls;
    struct digests *digests;
    struct lookup *lookup; /* NULL: a process is started. */
    struct wire *wire;     /* NULL until the endpoint is known. */
    struct selftest selftest;

    uint64_t start_deadline_ms;
    uint64_t probe_due_ms; /* UINT64_MAX: one is pending, or probes are off. */
    uint32_t probe_misses;
    /* When an exit or a loss is no longer waited for to be explained; UINT64_MAX: there is
     * none, or the processes have been killed. */
    uint64_t words_deadline_ms;
    bool is_lost; /* The connection went before the process. */
    struct disposal disposal;
};

static bool is_live(const struct browser *browser)
{
    return browser->state < BROWSER_STOPPING;
}

/* Ends the life for that reason, at once: all pending calls fail. */
__attribute__((format(printf, 3, 4))) static void
browser_fail(struct browser *browser, uint64_t now_ms, const char *format, ...)
{
    va_list arguments;

    if (!is_live(browser)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(browser->error, sizeof browser->error, format, arguments);
    va_end(arguments);
    browser->state = BROWSER_STOPPING;
    browser->words_deadline_ms = browser->is_lost ? now_ms + LAST_WORDS_MS : now_ms;
    if (browser->lookup != NULL) {
        lookup_close(browser->lookup);
    }
    if (browser->wire != NULL) {
        wire_close(browser->wire);
    }
    calls_fail_all(browser->calls, now_ms);
}

static void start_process(struct browser *browser, const struct browser_ports *ports,
                          uint64_t now_ms)
{
    char error[LAUNCH_ERROR_BYTES];

    browser->process =
        launch(browser->loop, &browser->config->browser, ports, &browser->profile, error);
    if (error[0] != '\0') {
        browser_fail(browser, now_ms, "%s", error);
    }
}

static void start_lookup(struct browser *browser, uint64_t now_ms)
{
    const char *url = browser->config->browser.websocket_url;

    browser->lookup = lookup_new(browser->loop, url);
    if (browser->lookup == NULL) {
        browser_fail(browser, now_ms,
                     "browser.websocket_url: %.200s is not of the form ws://HOST:PORT/PATH, "
                     "ws://HOST:PORT or http://HOST:PORT",
                     url);
    }
}

struct browser *browser_new(uv_loop_t *loop, const struct config *config,
                            const struct browser_ports *ports, uint64_t now_ms,
                            browser_on_event *on_event, void *owner)
{
    struct browser *browser = calloc(1, sizeof *browser);

    if (browser == NULL) {
        return NULL;
    }
    browser->calls = calls_new(config->pool.pages_max * CALLS_PER_PAGE_MAX + CALLS_EXTRA_MAX);
    browser->digests = digests_new(loop);
    if (browser->calls == NULL || browser->digests == NULL) {
        calls_free(browser->calls);
        digests_free(browser->digests);
        free(browser);
        return NULL;
    }
    browser->loop = loop;
    browser->config = config;
    browser->on_event = on_event;
    browser->owner = owner;
    browser->profile.lock_fd = -1;
    browser->start_deadline_ms = now_ms + config->browser.start_timeout_ms;
    browser->probe_due_ms = UINT64_MAX;
    browser->words_deadline_ms = UINT64_MAX;
    browser->is_attached = config->browser.websocket_url[0] != '\0';
    if (browser->is_attached) {
        start_lookup(browser, now_ms);
    } else {
        start_process(browser, ports, now_ms);
    }
    return browser;
}

enum browser_state browser_get_state(const struct browser *browser)
{
    return browser->state;
}

const char *browser_error(const struct browser *browser)
{
    return browser->error;
}

int browser_pid(const struct browser *browser)
{
    return browser->process != NULL ? process_pid(browser->process) : 0;
}

const char *browser_product(const struct browser *browser)
{
    return browser->selftest.product;
}

const char *browser_websocket_url(const struct browser *browser)
{
    return browser->websocket_url;
}

/* Formats and queues one command. */
static bool send_call(struct browser *browser, uint64_t id, const char *method,
                      const json_t *params, const char *session)
{
    size_t bytes = 0;
    char *text = message_format(id, method, params, session, &bytes);

    return text != NULL && wire_send(browser->wire, text, bytes);
}

void browser_call(struct browser *browser, uint64_t now_ms, const char *method, json_t *params,
                  const char *session, uint64_t session_number, uint64_t timeout_ms,
                  call_done *done, void *owner, uint64_t tag)
{
    uint64_t id = 0;

    if (browser->state == BROWSER_TESTING || browser->state == BROWSER_UP) {
        id = calls_add(browser->calls, method, session_number, now_ms + timeout_ms, done, owner,
                       tag);
    }
    if (id == 0) {
        calls_add_lost(browser->calls, method, session_number, done, owner, tag);
    } else if (!send_call(browser, id, method, params, session)) {
        calls_lose(browser->calls, id);
    }
    json_decref(params);
}

void browser_forget_session(struct browser *browser, uint64_t session_number)
{
    calls_forget_session(browser->calls, session_number);
}

static void on_probe(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    (void)tag;
    struct browser *browser = owner;

    if (reply->end == CALL_LATE) {
        browser->probe_misses++;
        browser->probe_due_ms = now_ms;
    } else {
        browser->probe_misses = 0;
        browser->probe_due_ms = now_ms + browser->config->browser.probe_interval_ms;
    }
}

/* Writes the endpoint if it is known by now. */
static void find_endpoint(struct browser *browser, uint64_t now_ms)
{
    const char *url = "";

    if (browser->process != NULL) {
        url = process_output(browser->process)->endpoint;
    } else if (lookup_get_state(browser->lookup) == LOOKUP_FOUND) {
        url = lookup_url(browser->lookup);
        lookup_close(browser->lookup);
    } else if (lookup_get_state(browser->lookup) == LOOKUP_FAILED) {
        browser_fail(browser, now_ms, "browser.websocket_url: %.200s: %s",
                     browser->config->browser.websocket_url, lookup_error(browser->lookup));
    }
    (void)snprintf(browser->websocket_url, sizeof browser->websocket_url, "%s", url);
}

static void turn_starting(struct browser *browser, uint64_t now_ms)
{
    find_endpoint(browser, now_ms);
    if (browser->websocket_url[0] == '\0') {
        return;
    }
    uint64_t wanted =
        browser->config->render.output_bytes_max * ESCAPED_BYTES_FACTOR + MESSAGE_EXTRA_BYTES;
    browser->wire = wire_new(browser->loop, browser->websocket_url,
                             wanted < MESSAGE_BYTES_MAX ? (size_t)wanted : MESSAGE_BYTES_MAX);
    if (browser->wire == NULL) {
        browser_fail(browser, now_ms, "%.200s is not of the form ws://IP:PORT/PATH",
                     browser->websocket_url);
        return;
    }
    browser->state = BROWSER_CONNECTING;
}

static void turn_connecting(struct browser *browser, uint64_t now_ms)
{
    const struct browser_config *config = &browser->config->browser;

    if (wire_get_state(browser->wire) == WIRE_OPEN) {
        browser->state = BROWSER_TESTING;
        selftest_start(&browser->selftest, browser, now_ms, config->call_timeout_ms,
                       !browser->is_attached && config->sandbox == SANDBOX_ON);
    }
}

static void turn_testing(struct browser *browser, uint64_t now_ms)
{
    if (browser->selftest.state == SELFTEST_FAILED) {
        browser_fail(browser, now_ms, "%s", browser->selftest.error);
    } else if (browser->selftest.state == SELFTEST_PASSED) {
        browser->state = BROWSER_UP;
        if (browser->config->browser.probe_interval_ms > 0) {
            browser->probe_due_ms = now_ms + browser->config->browser.probe_interval_ms;
        }
    }
}

static void turn_up(struct browser *browser, uint64_t now_ms)
{
    uint32_t interval_ms = browser->config->browser.probe_interval_ms;

    if (browser->probe_misses >= PROBE_MISSES_MAX) {
        browser_fail(browser, now_ms, "the browser has been silent for %u ms",
                     (unsigned)(interval_ms * PROBE_MISSES_MAX));
    } else if (now_ms >= browser->probe_due_ms) {
        browser->probe_due_ms = UINT64_MAX;
        browser_call(browser, now_ms, "Browser.getVersion", NULL, NULL, BROWSER_OWN_SESSION,
                     interval_ms, on_probe, browser, 0);
    }
}

/* What ends a life in every state. */
static void check_alive(struct browser *browser, uint64_t now_ms)
{
    char text[sizeof browser->error];

    if (browser->process != NULL && process_get_state(browser->process) != PROCESS_RUNNING) {
        if (browser->words_deadline_ms == UINT64_MAX) {
            browser->words_deadline_ms = now_ms + LAST_WORDS_MS;
        }
        if (process_has_spoken(browser->process) || now_ms >= browser->words_deadline_ms) {
            launch_describe_end(browser->process, text, sizeof text);
            browser_fail(browser, now_ms, "%s", text);
            return;
        }
    }
    if (browser->wire != NULL && wire_get_state(browser->wire) == WIRE_CLOSED) {
        browser->is_lost = true;
        browser_fail(browser, now_ms, "%s", wire_error(browser->wire));
    } else if (browser->state != BROWSER_UP && now_ms >= browser->start_deadline_ms) {
        browser_fail(browser, now_ms, "the browser was not ready within %u ms",
                     (unsigned)browser->config->browser.start_timeout_ms);
    }
}

/* A connection that was lost is often the first sign of a process that died, whose own
 * story is the better one. */
static void explain_loss(struct browser *browser, uint64_t now_ms)
{
    if (browser->is_lost && browser->process != NULL && process_has_spoken(browser->process)) {
        launch_describe_end(browser->process, browser->error, sizeof browser->error);
        browser->words_deadline_ms = now_ms;
        browser->is_lost = false;
    }
}

static void end_process(struct browser *browser, uint64_t now_ms)
{
    explain_loss(browser, now_ms);
    if (now_ms >= browser->words_deadline_ms) {
        browser->words_deadline_ms = UINT64_MAX;
        browser->is_lost = false;
        if (browser->process != NULL) {
            process_kill(browser->process, now_ms);
            process_turn(browser->process, now_ms);
        }
    }
}

static void turn_stopping(struct browser *browser, uint64_t now_ms)
{
    end_process(browser, now_ms);
    if (browser->process != NULL && process_get_state(browser->process) != PROCESS_GONE) {
        return;
    }
    bool has_profile = browser->profile.lock_fd >= 0;
    if (has_profile) {
        disposal_turn(&browser->disposal, browser->loop, now_ms, browser->profile.directory);
    }
    bool is_lookup_gone = browser->lookup == NULL || lookup_is_gone(browser->lookup);
    bool is_wire_gone = browser->wire == NULL || wire_is_gone(browser->wire);
    bool is_profile_gone = !has_profile || browser->disposal.state == DISPOSAL_DONE;
    if (is_lookup_gone && is_wire_gone && is_profile_gone && digests_is_idle(browser->digests) &&
        calls_pending_count(browser->calls) == 0) {
        profile_release(&browser->profile);
        browser->state = BROWSER_GONE;
    }
}

static void route(struct browser *browser, uint64_t now_ms, struct cdp_message *message)
{
    if (message->id != 0) {
        (void)calls_reply(browser->calls, now_ms, message);
    } else if (browser->state == BROWSER_UP) {
        browser->on_event(browser->owner, browser, now_ms, message);
    }
}

static void take_messages(struct browser *browser, uint64_t now_ms)
{
    struct wire_message text;
    struct cdp_message message, *digested;
    char cut[MESSAGE_CUT_BYTES];

    while ((digested = digests_next(browser->digests)) != NULL) {
        if (is_live(browser)) {
            route(browser, now_ms, digested);
        }
        digests_drop(browser->digests);
    }
    while (browser->wire != NULL && is_live(browser) && wire_take(browser->wire, &text)) {
        if (text.is_cut) {
            /* Ends the command; an event of that size is none that is waited for without a
             * deadline. */
            if (message_refuse_cut(text.text, cut, &message)) {
                route(browser, now_ms, &message);
            }
            free(text.text);
            continue;
        }
        if (digests_offer(browser->digests, &text)) {
            continue;
        }
        /* What is no message answers nobody; the deadline of the call it may have been
         * meant for speaks up instead. */
        if (message_scan(text.text, text.bytes, &message) == 0) {
            route(browser, now_ms, &message);
        }
        free(text.text);
    }
}

static void turn_state(struct browser *browser, uint64_t now_ms)
{
    switch (browser->state) {
    case BROWSER_STARTING:
        turn_starting(browser, now_ms);
        break;
    case BROWSER_CONNECTING:
        turn_connecting(browser, now_ms);
        break;
    case BROWSER_TESTING:
        turn_testing(browser, now_ms);
        break;
    case BROWSER_UP:
        turn_up(browser, now_ms);
        break;
    case BROWSER_STOPPING:
        turn_stopping(browser, now_ms);
        break;
    case BROWSER_GONE:
        break;
    }
}

void browser_turn(struct browser *browser, uint64_t now_ms)
{
    if (browser->process != NULL && process_get_state(browser->process) != PROCESS_GONE) {
        process_turn(browser->process, now_ms);
    }
    take_messages(browser, now_ms);
    calls_tick(browser->calls, now_ms);
    if (is_live(browser)) {
        check_alive(browser, now_ms);
    }
    turn_state(browser, now_ms);
}

/* What a browser that is going waits for, beside the ends of handles and threads. */
static uint64_t stopping_deadline_ms(const struct browser *browser)
{
    uint64_t deadline_ms = browser->words_deadline_ms;

    if (browser->process != NULL) {
        deadline_ms = earlier_ms(deadline_ms, process_deadline_ms(browser->process));
    }
    return earlier_ms(deadline_ms, disposal_deadline_ms(&browser->disposal));
}

uint64_t browser_deadline_ms(const struct browser *browser)
{
    uint64_t deadline_ms = calls_deadline_ms(browser->calls);

    switch (browser->state) {
    case BROWSER_STARTING:
    case BROWSER_CONNECTING:
    case BROWSER_TESTING:
        deadline_ms = earlier_ms(deadline_ms, browser->start_deadline_ms);
        return earlier_ms(deadline_ms, browser->words_deadline_ms);
    case BROWSER_UP:
        deadline_ms = earlier_ms(deadline_ms, browser->probe_due_ms);
        return earlier_ms(deadline_ms, browser->words_deadline_ms);
    case BROWSER_STOPPING:
        return earlier_ms(deadline_ms, stopping_deadline_ms(browser));
    case BROWSER_GONE:
        break;
    }
    return UINT64_MAX;
}

void browser_kill(struct browser *browser, uint64_t now_ms)
{
    browser_fail(browser, now_ms, "it was told to stop");
}

void browser_free(struct browser *browser)
{
    if (browser == NULL) {
        return;
    }
    assert(browser->state == BROWSER_GONE);
    if (browser->wire != NULL) {
        wire_free(browser->wire);
    }
    process_free(browser->process);
    lookup_free(browser->lookup);
    digests_free(browser->digests);
    calls_free(browser->calls);
    free(browser);
}
