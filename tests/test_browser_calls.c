/* test_browser_calls.c: calls and events on the connection of a scripted browser. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "tests/browser_rig.h"
#include "tests/suite.h"

#define CALLS_MAX 64

/* What became of the calls, by tag, and the events that came. */
static uint32_t ended_count[CALLS_MAX];
static enum call_end ended_as[CALLS_MAX];
static uint32_t ended_total, event_count;
static char event_method[64];
static size_t value_bytes;
static bool kills_on_event, kills_on_done, is_inside_call, was_cut;

static bool has_ended(void *argument)
{
    return ended_total >= *(uint32_t *)argument;
}

static bool has_come(void *argument)
{
    return fake.messages_count >= *(uint32_t *)argument;
}

static bool has_events(void *argument)
{
    return event_count >= *(uint32_t *)argument;
}

static void on_event(void *owner, struct browser *from, uint64_t now_ms,
                     struct cdp_message *message)
{
    ck_assert_ptr_eq(owner, &event_count);
    ck_assert_ptr_eq(from, browser);
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
    ck_assert_uint_eq(message->id, 0);
    (void)snprintf(event_method, sizeof event_method, "%.*s", (int)message->method.bytes,
                   message->method.at);
    event_count++;
    if (kills_on_event) {
        browser_kill(browser, now_ms);
    }
}

static void on_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct cdp_span value;

    ck_assert(!is_inside_call);
    ck_assert_ptr_eq(owner, &ended_total);
    ended_count[tag]++;
    ended_as[tag] = reply->end;
    ended_total++;
    was_cut = reply->end == CALL_REFUSED && reply->message->is_cut;
    if (reply->end == CALL_REPLIED && message_member(reply->message->body, "value", &value)) {
        value_bytes = message_unescape(value.at, value.bytes);
    }
    if (kills_on_done) {
        browser_kill(browser, now_ms);
    }
}

static void call(uint64_t tag, const char *method, uint64_t session, uint64_t timeout_ms)
{
    is_inside_call = true;
    browser_call(browser, rig_now_ms(), method, json_object(), NULL, session, timeout_ms, on_done,
                 &ended_total, tag);
    is_inside_call = false;
}

static void wait_for_ends(uint32_t count)
{
    ck_assert(rig_until(&rig, has_ended, &count, LIMIT_MS));
    ck_assert_uint_eq(ended_total, count);
}

static void setup(void)
{
    memset(ended_count, 0, sizeof ended_count);
    ended_total = event_count = 0;
    kills_on_event = kills_on_done = false;
    event_method[0] = '\0';
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
}

/* Every call has ended once at most, whatever the test did. */
static void teardown(void)
{
    close_browser_rig();
    for (size_t tag = 0; tag < CALLS_MAX; tag++) {
        ck_assert_uint_le(ended_count[tag], 1);
    }
}

START_TEST(all_calls_end_with_the_connection)
{
    start_up();
    fake.is_mute = true;
    for (uint64_t tag = 0; tag < 20; tag++) {
        call(tag, "A.b", tag, 60000);
    }
    uint32_t wanted = fake.messages_count + 20;
    ck_assert(rig_until(&rig, has_come, &wanted, LIMIT_MS));
    ck_assert_uint_eq(ended_total, 0);
    fake_hang_up(&fake);
    uint64_t start_ms = rig_now_ms();
    wait_for_ends(20);
    ck_assert_uint_le(rig_now_ms() - start_ms, 1000);
    ck_assert_int_eq(ended_as[19], CALL_LOST);
    expect_error("closed the connection");
}
END_TEST

static void answer_half(struct fake_browser *f, char *text, size_t bytes)
{
    (void)text;
    (void)bytes;
    fake_send_raw(f, "\x81\x7e\x01\x00{\"id\":", 10);
    fake_hang_up(f);
}

START_TEST(a_close_amid_a_message_is_a_loss)
{
    start_up();
    fake.on_message = answer_half;
    call(1, "A.b", 5, 60000);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_LOST);
}
END_TEST

/* Far more than any output may have; the next call is answered as ever. */
static void answer_too_much(struct fake_browser *f, char *text, size_t bytes)
{
    static const char head[] = "{\"id\":%lu,\"result\":{\"data\":\"";
    size_t count = 140u * 1024 * 1024;
    char *reply = malloc(count);
    (void)bytes;
    ck_assert_ptr_nonnull(reply);
    memset(reply, 'x', count);
    int at = snprintf(reply, 128, head, strtoul(strstr(text, "\"id\":") + 5, NULL, 10));
    reply[at] = 'x';
    memcpy(reply + count - 3, "\"}}", 3);
    fake_send_frame(f, 0x81, reply, count);
    free(reply);
    f->on_message = NULL;
}

START_TEST(a_reply_over_the_limit_ends_its_call)
{
    start_up();
    fake.on_message = answer_too_much;
    call(1, "A.b", 5, 60000);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_REFUSED);
    ck_assert(was_cut);
    call(2, "Browser.getVersion", 0, 60000);
    wait_for_ends(2);
    ck_assert_int_eq(ended_as[2], CALL_REPLIED);
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}
END_TEST

START_TEST(calls_end_by_reply_error_and_deadline)
{
    start_up();
    call(1, "A.b", 5, 1000);
    wait_for_ends(1);
    fake.flaw = FAKE_REFUSES;
    call(2, "Target.createTarget", 5, 1000);
    wait_for_ends(2);
    fake.is_mute = true;
    call(3, "A.b", 5, 30);
    wait_for_ends(3);
    ck_assert_int_eq(ended_as[1], CALL_REPLIED);
    ck_assert_int_eq(ended_as[2], CALL_REFUSED);
    ck_assert_int_eq(ended_as[3], CALL_LATE);
}
END_TEST

START_TEST(sessions_are_forgotten)
{
    start_up();
    fake.is_mute = true;
    call(1, "A.b", 5, 60000);
    call(2, "A.b", 6, 60000);
    call(3, "A.b", 7, 60000);
    browser_forget_session(browser, 6);
    browser_kill(browser, rig_now_ms());
    wait_for_ends(2);
    ck_assert_int_eq(ended_as[1], CALL_LOST);
    ck_assert_uint_eq(ended_count[2], 0);
    ck_assert_int_eq(ended_as[3], CALL_LOST);
}
END_TEST

/* Before it is up and after it has ended, calls are lost: later, but at once. */
START_TEST(calls_without_a_connection_are_lost)
{
    start();
    call(1, "A.b", 5, 60000);
    ck_assert_uint_eq(ended_total, 0);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_LOST);
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
    browser_kill(browser, rig_now_ms());
    call(2, "A.b", 5, 60000);
    wait_for_ends(2);
    ck_assert_int_eq(ended_as[2], CALL_LOST);
}
END_TEST

static void answer_large(struct fake_browser *f, char *text, size_t bytes)
{
    const size_t large = 30u * 1024 * 1024;
    json_t *command = json_loadb(text, bytes, 0, NULL);
    char *reply = malloc(large + 128);
    int head = snprintf(reply, 128, "{\"id\":%lld,\"result\":{\"value\":\"",
                        (long long)json_integer_value(json_object_get(command, "id")));

    memset(reply + head, 'x', large);
    memcpy(reply + head + large, "\"}}", 3);
    fake_send_frame(f, 0x81, reply, (size_t)head + large + 3);
    free(reply);
    json_decref(command);
}

START_TEST(takes_a_large_reply)
{
    config.browser.probe_interval_ms = 0;
    start_up();
    fake.on_message = answer_large;
    call(1, "A.b", 5, 60000);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_REPLIED);
    ck_assert_uint_eq(value_bytes, 30u * 1024 * 1024);
}
END_TEST

START_TEST(events_come_when_it_is_up)
{
    uint32_t count = 1;

    start();
    ck_assert(!rig_until(&rig, has_events, &count, 0));
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
    ck_assert_uint_eq(event_count, 0);
    fake_send_text(&fake, "{\"method\":\"Target.x\",\"params\":{},\"sessionId\":\"S\"}");
    ck_assert(rig_until(&rig, has_events, &count, LIMIT_MS));
    ck_assert_str_eq(event_method, "Target.x");
}
END_TEST

/* What is no message is passed over, and what is behind it is not. */
START_TEST(nonsense_is_passed_over)
{
    static const char *const nonsense[] = {
        "",
        "{",
        "[]",
        "{\"id\":\"x\"}",
        "{\"id\":123456,\"result\":{}}",
        "{\"id\":-1,\"error\":{}}",
        "{\"method\":1}",
        "\xff\xfe",
        "{\"error\":{\"code\":-32700,\"message\":\"JSON: bad\"}}",
    };
    uint32_t count = 1;

    start_up();
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        fake_send_frame(&fake, 0x81, nonsense[i], strlen(nonsense[i]));
    }
    fake_send_text(&fake, "{\"method\":\"A.b\",\"params\":{}}");
    ck_assert(rig_until(&rig, has_events, &count, LIMIT_MS));
    ck_assert_uint_eq(event_count, 1);
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}
END_TEST

START_TEST(may_be_killed_from_an_event)
{
    uint32_t count = 1;

    start_up();
    kills_on_event = true;
    fake_send_text(&fake, "{\"method\":\"A.b\"}");
    fake_send_text(&fake, "{\"method\":\"A.c\"}");
    fake_send_text(&fake, "{\"method\":\"A.d\"}");
    ck_assert(rig_until(&rig, has_events, &count, LIMIT_MS));
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    ck_assert_uint_eq(event_count, 1);
    ck_assert_str_eq(event_method, "A.b");
}
END_TEST

START_TEST(may_be_killed_from_a_done)
{
    start_up();
    kills_on_done = true;
    for (uint64_t tag = 0; tag < 5; tag++) {
        call(tag, "A.b", 5, 60000);
    }
    wait_for_ends(5);
    ck_assert_int_eq(ended_as[0], CALL_REPLIED);
    ck_assert_int_eq(ended_as[4], CALL_LOST);
}
END_TEST

/* More calls than it has room for end as lost, and each once. */
START_TEST(too_many_calls_are_lost)
{
    const uint32_t room = 2 * 64 + 256;

    start_up();
    fake.is_mute = true;
    for (uint32_t i = 0; i < room; i++) {
        browser_call(browser, rig_now_ms(), "A.b", NULL, NULL, 5, 60000, NULL, NULL, 0);
    }
    call(1, "A.b", 5, 60000);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_LOST);
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}
END_TEST

START_TEST(unsendable_calls_are_lost)
{
    start_up();
    size_t bytes = 100u * 1024 * 1024;
    char *text = malloc(bytes + 1);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    json_t *params = json_pack("{s:o}", "text", json_stringn_nocheck(text, bytes));
    free(text);
    browser_call(browser, rig_now_ms(), "A.b", params, NULL, 5, 60000, on_done, &ended_total, 1);
    wait_for_ends(1);
    ck_assert_int_eq(ended_as[1], CALL_LOST);
    ck_assert_int_eq(browser_get_state(browser), BROWSER_UP);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("browser_calls");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, all_calls_end_with_the_connection);
    tcase_add_test(tests, a_close_amid_a_message_is_a_loss);
    tcase_add_test(tests, a_reply_over_the_limit_ends_its_call);
    tcase_add_test(tests, calls_end_by_reply_error_and_deadline);
    tcase_add_test(tests, sessions_are_forgotten);
    tcase_add_test(tests, calls_without_a_connection_are_lost);
    tcase_add_test(tests, takes_a_large_reply);
    tcase_add_test(tests, events_come_when_it_is_up);
    tcase_add_test(tests, nonsense_is_passed_over);
    tcase_add_test(tests, may_be_killed_from_an_event);
    tcase_add_test(tests, may_be_killed_from_a_done);
    tcase_add_test(tests, too_many_calls_are_lost);
    tcase_add_test(tests, unsendable_calls_are_lost);
    Suite *suite = suite_create("browser_calls");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
