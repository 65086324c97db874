/* test_heartbeat.c: which notices are still to be sent, what is sent next, and when a new
 * application shell wants a new browser. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/courier.h"
#include "daemon/host_shell.h"
#include "daemon/outbox.h"
#include "tests/suite.h"

static struct outbox outbox;

static void setup(void)
{
    memset(&outbox, 0, sizeof outbox);
}

static void teardown(void)
{
    outbox_clear(&outbox);
    ck_assert(outbox_is_empty(&outbox));
}

static void add(const char *key, uint64_t seq)
{
    outbox_add(&outbox, key, strlen(key), seq);
}

static void expect(const char *key)
{
    struct notice *notice = outbox_take(&outbox);
    ck_assert_ptr_nonnull(notice);
    ck_assert_uint_eq(notice->key_bytes, strlen(key));
    ck_assert_msg(memcmp(notice->key, key, strlen(key)) == 0, "%s", key);
    free(notice);
}

START_TEST(keeps_the_order_of_ends)
{
    add("a", 1);
    add("b", 1);
    add("c", 2);
    add("a", 3); /* Coalesced, and the younger end counts. */
    expect("b");
    expect("c");
    expect("a");
    ck_assert_ptr_null(outbox_take(&outbox));
}
END_TEST

START_TEST(live_again)
{
    add("a", 1);
    add("b", 1);
    outbox_remove(&outbox, "a", 1);
    outbox_remove(&outbox, "never", 5);
    expect("b");
    ck_assert_ptr_null(outbox_take(&outbox));
}
END_TEST

/* A heartbeat that was made after an end has told it; one made before has not. */
START_TEST(told_by_a_heartbeat)
{
    add("a", 4);
    add("b", 5);
    add("c", 6);
    outbox_drop_told(&outbox, 6);
    expect("c");
    ck_assert_ptr_null(outbox_take(&outbox));
}
END_TEST

START_TEST(is_bounded)
{
    char key[32];
    for (int i = 0; i < OUTBOX_NOTICES_MAX + 10; i++) {
        (void)snprintf(key, sizeof key, "key %d", i);
        add(key, (uint64_t)i);
    }
    ck_assert_uint_eq(outbox.dropped, 10);
    ck_assert_uint_eq(HASH_COUNT(outbox.by_key), OUTBOX_NOTICES_MAX);
    expect("key 10");
}
END_TEST

START_TEST(keys_are_any_bytes)
{
    outbox_add(&outbox, "a\0b", 3, 1);
    outbox_add(&outbox, "a\0c", 3, 1);
    outbox_remove(&outbox, "a", 1);
    ck_assert_uint_eq(HASH_COUNT(outbox.by_key), 2);
    outbox_remove(&outbox, "a\0b", 3);
    ck_assert_uint_eq(HASH_COUNT(outbox.by_key), 1);
}
END_TEST

/* */
static const struct decision {
    const char *name, *known, *token;
    uint64_t life;
    bool may_recycle, recycle;
    const char *known_after;
} decisions[] = {
    {"R-001 none, none", "", "", 1, true, false, ""},
    {"R-001 none, aaa", "aaa", "", 1, true, false, "aaa"},
    {"R-002 first", "", "aaa", 1, true, false, "aaa"},
    {"R-003 same", "aaa", "aaa", 1, true, false, "aaa"},
    {"R-004 another", "aaa", "bbb", 1, true, true, "aaa"},
    {"R-004 draining", "aaa", "bbb", 1, false, false, "aaa"},
    {"R-004 no browser", "aaa", "bbb", 0, true, false, "aaa"},
};

START_TEST(decides)
{
    const struct decision *decision = &decisions[_i];
    struct host_shell shell = {.life = 0};
    (void)snprintf(shell.known, sizeof shell.known, "%s", decision->known);
    bool recycle =
        host_shell_report(&shell, decision->token, decision->life, decision->may_recycle);
    ck_assert_msg(recycle == decision->recycle, "%s", decision->name);
    ck_assert_msg(strcmp(shell.known, decision->known_after) == 0, "%s", decision->name);
}
END_TEST

START_TEST(advances_with_the_new_browser_only)
{
    struct host_shell shell = {.known = "aaa"};
    ck_assert(host_shell_report(&shell, "bbb", 7, true));
    ck_assert(!host_shell_report(&shell, "bbb", 7, true)); /* While that one is under way. */
    ck_assert(!host_shell_report(&shell, "ccc", 7, true));
    host_shell_life_down(&shell, 8); /* It did not start. */
    ck_assert_str_eq(shell.known, "aaa");
    ck_assert(host_shell_report(&shell, "ccc", 7, true));
    host_shell_life_up(&shell, 7); /* Stale. */
    ck_assert_str_eq(shell.known, "aaa");
    host_shell_life_up(&shell, 9);
    host_shell_life_down(&shell, 7); /* The old one has gone, as it should. */
    ck_assert_str_eq(shell.known, "ccc");
    ck_assert(!host_shell_report(&shell, "ccc", 9, true));
    host_shell_life_up(&shell, 10); /* Of another recycle. */
    ck_assert_str_eq(shell.known, "ccc");
    ck_assert(host_shell_report(&shell, "aaa", 10, true));
}
END_TEST

/* One message at a time; what is due at the interval, notices, what has changed, the end. */
START_TEST(courier_keeps_its_order)
{
    struct courier courier;
    courier_init(&courier, 1000, 5000);
    ck_assert_int_eq(courier_next(&courier, 1000), MESSAGE_HEARTBEAT);
    courier_begin(&courier, 1000, MESSAGE_HEARTBEAT, 1);
    courier_note_ended(&courier, "a", 1, 1);
    ck_assert_int_eq(courier_next(&courier, 9000), MESSAGE_NONE);
    courier_end(&courier, true);
    ck_assert_int_eq(courier_next(&courier, 1001), MESSAGE_NOTICE);
    ck_assert_uint_eq(courier_deadline_ms(&courier), 0);
    ck_assert_int_eq(courier_next(&courier, 6000), MESSAGE_HEARTBEAT);
    courier_note_started(&courier, "a", 1);
    ck_assert_int_eq(courier_next(&courier, 1001), MESSAGE_NONE);
    ck_assert_uint_eq(courier_deadline_ms(&courier), 1500);
    ck_assert_int_eq(courier_next(&courier, 1500), MESSAGE_HEARTBEAT);
    courier_begin(&courier, 1500, MESSAGE_HEARTBEAT, 2);
    courier_end(&courier, true);
    ck_assert_uint_eq(courier_deadline_ms(&courier), 6500);
    courier_note_ended(&courier, "b", 1, 2);
    courier_unregister(&courier);
    ck_assert_int_eq(courier_next(&courier, 1501), MESSAGE_UNREGISTER);
    courier_begin(&courier, 1501, MESSAGE_UNREGISTER, 2);
    courier_end(&courier, false);
    ck_assert_int_eq(courier_next(&courier, 99999), MESSAGE_NONE);
    ck_assert_uint_eq(courier_deadline_ms(&courier), UINT64_MAX);
    courier_clear(&courier);
}
END_TEST

/* A heartbeat that was answered says what older notices would; one that failed does not. */
START_TEST(courier_tells_until_it_is_heard)
{
    struct courier courier;
    courier_init(&courier, 0, 5000);
    courier_note_ended(&courier, "a", 1, 0);
    courier_begin(&courier, 0, MESSAGE_HEARTBEAT, 1);
    courier_end(&courier, false);
    ck_assert_int_eq(courier_next(&courier, 1), MESSAGE_NOTICE);
    courier_begin(&courier, 5000, MESSAGE_HEARTBEAT, 2);
    courier_note_ended(&courier, "b", 1, 2);
    courier_end(&courier, true);
    struct notice *notice = outbox_take(&courier.outbox);
    ck_assert_ptr_nonnull(notice);
    ck_assert_int_eq(notice->key[0], 'b');
    free(notice);
    ck_assert(outbox_is_empty(&courier.outbox));
    courier_drain(&courier, 5001);
    ck_assert_int_eq(courier_next(&courier, 5001), MESSAGE_HEARTBEAT);
    courier_clear(&courier);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heartbeat");
    TCase *tcase = tcase_create("heartbeat");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, keeps_the_order_of_ends);
    tcase_add_test(tcase, live_again);
    tcase_add_test(tcase, told_by_a_heartbeat);
    tcase_add_test(tcase, is_bounded);
    tcase_add_test(tcase, keys_are_any_bytes);
    tcase_add_test(tcase, courier_keeps_its_order);
    tcase_add_test(tcase, courier_tells_until_it_is_heard);
    tcase_add_loop_test(tcase, decides, 0, (int)(sizeof decisions / sizeof decisions[0]));
    tcase_add_test(tcase, advances_with_the_new_browser_only);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
