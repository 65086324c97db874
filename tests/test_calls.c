/* test_calls.c: every call ends exactly once, whatever ends it and whatever its `done` does. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/calls.h"
#include "tests/suite.h"

#define CALLS_MAX 8

/* What happened, as text: "tag end@now" per call, in order. */
struct trace {
    struct calls *calls;
    char text[1024];
    call_done *then; /* Runs inside `done`. */
};

static struct trace trace;

static const char *end_name(enum call_end end)
{
    switch (end) {
    case CALL_REPLIED:
        return "replied";
    case CALL_REFUSED:
        return "refused";
    case CALL_LATE:
        return "late";
    case CALL_LOST:
        return "lost";
    }
    abort();
}

static void on_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    size_t used = strlen(trace.text);

    ck_assert_ptr_eq(owner, &trace);
    ck_assert_str_eq(reply->label, "A.b");
    bool has_message = reply->end == CALL_REPLIED || reply->end == CALL_REFUSED;
    ck_assert_int_eq(reply->message != NULL, has_message);
    (void)snprintf(trace.text + used, sizeof trace.text - used, "%s%llu %s@%llu",
                   used > 0 ? ", " : "", (unsigned long long)tag, end_name(reply->end),
                   (unsigned long long)now_ms);
    if (trace.then != NULL) {
        trace.then(owner, tag, now_ms, reply);
    }
}

static uint64_t add(uint64_t tag, uint64_t session, uint64_t deadline_ms)
{
    return calls_add(trace.calls, "A.b", session, deadline_ms, on_done, &trace, tag);
}

static bool reply(uint64_t now_ms, uint64_t id, bool is_error)
{
    char body[] = "{}";
    struct cdp_message message = {.id = id, .body = {body, 2}, .is_error = is_error};

    return calls_reply(trace.calls, now_ms, &message);
}

/* Compares what happened since the last time. */
static void expect(const char *want)
{
    ck_assert_str_eq(trace.text, want);
    trace.text[0] = '\0';
}

static void setup(void)
{
    memset(&trace, 0, sizeof trace);
    trace.calls = calls_new(CALLS_MAX);
    ck_assert_ptr_nonnull(trace.calls);
}

static void teardown(void)
{
    calls_free(trace.calls);
}

START_TEST(replies_are_matched_by_id)
{
    ck_assert_uint_eq(add(1, 0, 100), 1);
    ck_assert_uint_eq(add(2, 5, 100), 2);
    ck_assert_uint_eq(add(3, 0, 100), 3);
    ck_assert_uint_eq(calls_pending_count(trace.calls), 3);
    ck_assert(reply(10, 3, false));
    ck_assert(reply(11, 1, true));
    expect("3 replied@10, 1 refused@11");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 1);
}
END_TEST

START_TEST(second_and_unknown_replies_are_stale)
{
    uint64_t id = add(1, 0, 100);

    ck_assert(reply(10, id, false));
    ck_assert(!reply(11, id, false));
    ck_assert(!reply(12, 99, false));
    expect("1 replied@10");
}
END_TEST

START_TEST(late_calls_end_in_the_order_of_their_deadlines)
{
    uint64_t first = add(1, 0, 300);
    (void)add(2, 0, 100);
    (void)add(3, 0, 200);
    (void)add(4, 0, 100);

    ck_assert_uint_eq(calls_deadline_ms(trace.calls), 100);
    calls_tick(trace.calls, 99);
    expect("");
    calls_tick(trace.calls, 200);
    expect("2 late@200, 4 late@200, 3 late@200");
    ck_assert_uint_eq(calls_deadline_ms(trace.calls), 300);
    ck_assert(reply(250, first, false));
    ck_assert_uint_eq(calls_deadline_ms(trace.calls), UINT64_MAX);
    expect("1 replied@250");
}
END_TEST

/* The reply to a late call is stale, and must not end a later call. */
START_TEST(late_reply_is_stale)
{
    uint64_t id = add(1, 0, 100);

    calls_tick(trace.calls, 100);
    ck_assert_uint_ne(add(2, 0, 200), id);
    ck_assert(!reply(150, id, false));
    expect("1 late@100");
}
END_TEST

START_TEST(all_fail_at_once)
{
    for (uint64_t tag = 1; tag <= 4; tag++) {
        (void)add(tag, tag, 100);
    }
    calls_fail_all(trace.calls, 30);
    expect("1 lost@30, 2 lost@30, 3 lost@30, 4 lost@30");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

START_TEST(forgotten_calls_stay_silent)
{
    uint64_t id = add(1, 7, 100);
    (void)add(2, 8, 100);

    calls_forget_session(trace.calls, 7);
    ck_assert(!reply(10, id, false));
    calls_tick(trace.calls, 100);
    expect("2 late@100");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

START_TEST(a_full_table_refuses_and_recovers)
{
    for (uint64_t tag = 1; tag <= CALLS_MAX; tag++) {
        ck_assert_uint_ne(add(tag, 0, 1000 + tag), 0);
    }
    ck_assert_uint_eq(add(99, 0, 100), 0);
    ck_assert(reply(1, 3, false));
    ck_assert_uint_eq(add(100, 0, 2000), CALLS_MAX + 1);
    expect("3 replied@1");
}
END_TEST

/* What could not be sent ends as lost, never from inside the call that registers it, and
 * even when there is no room left. */
START_TEST(unsent_calls_are_lost_in_the_next_tick)
{
    for (uint64_t tag = 1; tag <= CALLS_MAX; tag++) {
        (void)add(tag, 0, 1000);
    }
    calls_add_lost(trace.calls, "A.b", 5, on_done, &trace, 50);
    calls_add_lost(trace.calls, "A.b", 5, on_done, &trace, 51);
    calls_lose(trace.calls, 4);
    expect("");
    ck_assert_uint_eq(calls_pending_count(trace.calls), CALLS_MAX + 2);
    ck_assert_uint_eq(calls_deadline_ms(trace.calls), 0);
    calls_tick(trace.calls, 10);
    expect("50 lost@10, 51 lost@10, 4 lost@10");
    ck_assert(!reply(11, 4, false));
    ck_assert_uint_eq(calls_pending_count(trace.calls), CALLS_MAX - 1);
}
END_TEST

START_TEST(unsent_calls_can_be_forgotten)
{
    calls_add_lost(trace.calls, "A.b", 5, on_done, &trace, 50);
    calls_add_lost(trace.calls, "A.b", 6, on_done, &trace, 51);
    calls_forget_session(trace.calls, 5);
    calls_tick(trace.calls, 10);
    expect("51 lost@10");
}
END_TEST

START_TEST(calls_without_done_are_counted_too)
{
    uint64_t id = calls_add(trace.calls, "A.b", 0, 100, NULL, NULL, 0);

    ck_assert_uint_eq(calls_pending_count(trace.calls), 1);
    ck_assert(reply(10, id, false));
    (void)calls_add(trace.calls, "A.b", 0, 100, NULL, NULL, 0);
    calls_tick(trace.calls, 100);
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

static void add_another(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *r)
{
    (void)owner;
    (void)r;
    if (tag < 10) {
        ck_assert_uint_ne(add(tag + 10, 1, now_ms), 0);
    }
}

/* A call that `done` adds is not part of what is being ended, even if it is late already
 * or everything fails; and there is room for it in a full table. */
START_TEST(done_may_add_calls)
{
    trace.then = add_another;
    for (uint64_t tag = 1; tag <= CALLS_MAX; tag++) {
        (void)add(tag, 1, tag <= 2 ? 50 : 1000);
    }
    calls_tick(trace.calls, 100);
    expect("1 late@100, 2 late@100");
    calls_tick(trace.calls, 100);
    expect("11 late@100, 12 late@100");
    calls_fail_all(trace.calls, 110);
    expect("3 lost@110, 4 lost@110, 5 lost@110, 6 lost@110, 7 lost@110, 8 lost@110");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 6);
    calls_fail_all(trace.calls, 120);
    expect("13 lost@120, 14 lost@120, 15 lost@120, 16 lost@120, 17 lost@120, 18 lost@120");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

static void fail_the_rest(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *r)
{
    (void)owner;
    (void)r;
    if (tag == 1) {
        calls_fail_all(trace.calls, now_ms);
    }
}

/* Ends that are caused inside a `done` come after it, once. */
START_TEST(done_may_fail_others)
{
    trace.then = fail_the_rest;
    uint64_t first = add(1, 1, 100);
    (void)add(2, 2, 100);
    (void)add(3, 3, 100);
    ck_assert(reply(10, first, false));
    expect("1 replied@10, 2 lost@10, 3 lost@10");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

static void forget_two(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *r)
{
    (void)owner;
    (void)now_ms;
    (void)r;
    if (tag == 1) {
        calls_forget_session(trace.calls, 2);
    }
}

/* A call that has been chosen to end, but whose `done` has not run, can still be
 * forgotten: its owner may be gone. */
START_TEST(done_may_forget_what_ends_beside_it)
{
    trace.then = forget_two;
    (void)add(1, 1, 100);
    (void)add(2, 2, 100);
    (void)add(3, 3, 100);
    calls_tick(trace.calls, 100);
    expect("1 late@100, 3 late@100");
    ck_assert_uint_eq(calls_pending_count(trace.calls), 0);
}
END_TEST

START_TEST(pending_calls_are_freed_silently)
{
    struct calls *calls = calls_new(1);

    (void)calls_add(calls, "A.b", 0, 100, on_done, &trace, 1);
    calls_add_lost(calls, "A.b", 0, on_done, &trace, 2);
    calls_free(calls);
    calls_free(NULL);
    expect("");
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#define MODEL_CALLS 20000

/* A model: how often the `done` of each tag has run, and how often it may. */
static unsigned char ran[MODEL_CALLS];

static void count_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *r)
{
    (void)owner;
    (void)now_ms;
    (void)r;
    ran[tag]++;
    ck_assert_uint_eq(ran[tag], 1);
}

/* Random operations: every call that is not forgotten ends exactly once. */
START_TEST(random_operations_end_every_call_once)
{
    static uint64_t ids[MODEL_CALLS], sessions[MODEL_CALLS];
    static bool is_forgotten[MODEL_CALLS];
    struct calls *calls = calls_new(64);
    uint64_t seed = 88172645463325252u + (uint64_t)_i, now_ms = 0;
    size_t added = 0;

    memset(ran, 0, sizeof ran);
    memset(is_forgotten, 0, sizeof is_forgotten);
    while (added < MODEL_CALLS) {
        uint64_t session = next_random(&seed) % 8, kind = next_random(&seed) % 100;
        if (kind < 60) {
            ids[added] = calls_add(calls, "A.b", session, now_ms + next_random(&seed) % 50,
                                   count_done, NULL, added);
            sessions[added] = session;
            if (ids[added] == 0) {
                calls_add_lost(calls, "A.b", session, count_done, NULL, added);
            } else if (kind == 0) {
                calls_lose(calls, ids[added]);
            }
            added++;
        } else if (kind < 90 && added > 0) {
            size_t back = next_random(&seed) % (added < 80 ? added : 80);
            char body[] = "{}";
            struct cdp_message message = {.id = ids[added - 1 - back], .body = {body, 2}};
            if (message.id != 0) {
                (void)calls_reply(calls, now_ms, &message);
            }
        } else if (kind < 98) {
            now_ms += next_random(&seed) % 20;
            calls_tick(calls, now_ms);
        } else if (kind == 98) {
            calls_forget_session(calls, session);
            for (size_t i = 0; i < added; i++) {
                is_forgotten[i] = is_forgotten[i] || (sessions[i] == session && ran[i] == 0);
            }
        }
    }
    calls_fail_all(calls, now_ms);
    ck_assert_uint_eq(calls_pending_count(calls), 0);
    for (size_t i = 0; i < added; i++) {
        ck_assert_uint_eq(ran[i], is_forgotten[i] ? 0 : 1);
    }
    calls_free(calls);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("calls");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, replies_are_matched_by_id);
    tcase_add_test(tests, second_and_unknown_replies_are_stale);
    tcase_add_test(tests, late_calls_end_in_the_order_of_their_deadlines);
    tcase_add_test(tests, late_reply_is_stale);
    tcase_add_test(tests, all_fail_at_once);
    tcase_add_test(tests, forgotten_calls_stay_silent);
    tcase_add_test(tests, a_full_table_refuses_and_recovers);
    tcase_add_test(tests, unsent_calls_are_lost_in_the_next_tick);
    tcase_add_test(tests, unsent_calls_can_be_forgotten);
    tcase_add_test(tests, calls_without_done_are_counted_too);
    tcase_add_test(tests, done_may_add_calls);
    tcase_add_test(tests, done_may_fail_others);
    tcase_add_test(tests, done_may_forget_what_ends_beside_it);
    tcase_add_test(tests, pending_calls_are_freed_silently);
    tcase_add_loop_test(tests, random_operations_end_every_call_once, 0, 4);
    Suite *suite = suite_create("calls");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
