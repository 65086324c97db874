/* test_wire_life.c: handshakes that fail, bounds, teardowns at any moment, and nothing left. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include "tests/wire_rig.h"
#include "tests/suite.h"

struct refusal {
    enum fake_handshake handshake;
    const char *want;
};

static const struct refusal refusals[] = {
    {FAKE_HANGS_UP, "refused the connection"},
    {FAKE_FORBIDS, "refused the connection"},
    {FAKE_REDIRECTS, "refused the connection"},
    {FAKE_LIES, "refused the connection"},
};

START_TEST(reports_refused_handshakes)
{
    fake.handshake = refusals[_i].handshake;
    connect_wire();
    ck_assert_int_eq(wire_get_state(wire), WIRE_CONNECTING);
    expect_loss(refusals[_i].want);
    ck_assert_uint_eq(fake.connections_count, 1);
}
END_TEST

START_TEST(reports_a_closed_port)
{
    char url[64];
    int port = 0;

    /* A port that was bound a moment ago and is free again. */
    struct fake_browser other;
    fake_open(&other, &rig.loop);
    ck_assert_int_eq(sscanf(other.url, "ws://127.0.0.1:%d/", &port), 1);
    fake_close(&other);
    ck_assert(rig_until(&rig, fake_is_closed, &other, LIMIT_MS));
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%d/x", port);
    wire = wire_new(&rig.loop, url, 100);
    ck_assert_ptr_nonnull(wire);
    expect_loss("refused the connection");
}
END_TEST

/* A stopped browser: the kernel accepts, nobody answers. */
START_TEST(gives_up_on_a_silent_handshake)
{
    fake.handshake = FAKE_SAYS_NOTHING;
    connect_wire();
    uint64_t start_ms = rig_now_ms();
    ck_assert(rig_until(&rig, is_lost, NULL, 2 * LIMIT_MS));
    ck_assert_uint_le(rig_now_ms() - start_ms, 6000);
    ck_assert_str_eq(wire_error(wire), "the browser did not answer the websocket handshake");
}
END_TEST

/* A browser that reads nothing must not make us buffer without end. */
START_TEST(bounds_what_waits_to_be_sent)
{
    const size_t bytes = 20u * 1024 * 1024;
    uint32_t sent = 0;

    open_wire();
    fake_stop_reading(&fake);
    ck_assert(!wire_send(wire, calloc(1, 100u * 1024 * 1024), 100u * 1024 * 1024));
    while (sent < 20 && wire_send(wire, calloc(1, bytes), bytes)) {
        sent++;
    }
    ck_assert_uint_eq(sent, 6);
    fake_start_reading(&fake);
    ck_assert(rig_until(&rig, has_come, &sent, 3 * LIMIT_MS));
    send_text("more");
    sent++;
    ck_assert(rig_until(&rig, has_come, &sent, LIMIT_MS));
}
END_TEST

static uint32_t count_descriptors(void)
{
    uint32_t count = 0;
    DIR *list = opendir("/proc/self/fd");

    while (readdir(list) != NULL) {
        count++;
    }
    (void)closedir(list);
    return count;
}

/* Turns the loop a random number of times, which may be none. */
static void turn_some(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    for (uint64_t n = *seed % 12; n > 0; n--) {
        (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
    }
}

/* Wires are taken down at any moment of their lives, and leave nothing behind. */
START_TEST(closes_at_any_moment)
{
    static const enum fake_handshake handshakes[] = {FAKE_ACCEPTS, FAKE_SAYS_NOTHING, FAKE_HANGS_UP,
                                                     FAKE_FORBIDS};
    uint64_t seed = 1234567 + (uint64_t)_i;
    uint32_t before = 0;

    for (int i = 0; i < 12; i++) {
        fake.handshake = handshakes[i % 4];
        fake.on_message = echo;
        connect_wire();
        send_text("{}");
        turn_some(&seed);
        if (i % 3 == 0 && wire_get_state(wire) == WIRE_OPEN) {
            fake_send_frame(&fake, 0x01, "half", 4);
            turn_some(&seed);
        }
        wire_close(wire);
        wire_close(wire);
        ck_assert_int_eq(wire_get_state(wire), WIRE_CLOSED);
        ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
        wire_free(wire);
        wire = NULL;
        fake_hang_up(&fake);
        fake_close(&fake);
        ck_assert(rig_until(&rig, fake_is_closed, &fake, LIMIT_MS));
        /* The first wire opens what libraries keep. */
        before = i == 0 ? count_descriptors() : before;
        ck_assert_uint_eq(count_descriptors(), before);
        fake_open(&fake, &rig.loop);
    }
}
END_TEST

/* libwebsockets closes a descriptor twice, see pipe_guard.h. What others open during a
 * teardown must survive it. */
START_TEST(leaves_the_descriptors_of_others_open)
{
    int fds[8];

    open_wire();
    wire_close(wire);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fds[i], 0);
    }
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    for (size_t i = 0; i < 8; i++) {
        ck_assert_msg(close(fds[i]) == 0, "descriptor %d was closed", fds[i]);
    }
}
END_TEST

/* The context's tables are small; descriptors of a busy daemon are not. */
START_TEST(works_with_high_descriptors)
{
    int fds[200];

    for (size_t i = 0; i < 200; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fds[i], 0);
    }
    fake.on_message = echo;
    open_wire();
    send_text("{\"id\":1}");
    expect_message("{\"id\":1}", 8);
    for (size_t i = 0; i < 200; i++) {
        (void)close(fds[i]);
    }
}
END_TEST

/* Nothing that a wire opens may reach a process that is started meanwhile. */
START_TEST(descriptors_close_on_exec)
{
    open_wire();
    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        /* What the test runner has opened is not ours. */
        if (flags >= 0 && (flags & FD_CLOEXEC) == 0) {
            char path[32], target[64] = "";
            (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            ssize_t bytes = readlink(path, target, sizeof target - 1);
            ck_assert_msg(bytes > 0 && strncmp(target, "socket:", 7) != 0 &&
                              strncmp(target, "anon_inode:", 11) != 0,
                          "%d is %s", fd, target);
        }
    }
}
END_TEST

START_TEST(two_wires_share_a_loop)
{
    struct fake_browser other;
    struct wire_message message;

    fake.on_message = echo;
    open_wire();
    fake_open(&other, &rig.loop);
    other.on_message = echo;
    struct wire *first = wire;
    wire = wire_new(&rig.loop, other.url, 1000);
    send_text("second");
    expect_message("second", 6);
    wire_close(wire);
    ck_assert(wire_send(first, strdup("first"), 5));
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    wire_free(wire);
    wire = first;
    ck_assert(rig_until(&rig, has_message, &message, LIMIT_MS));
    ck_assert_str_eq(message.text, "first");
    free(message.text);
    fake_close(&other);
    ck_assert(rig_until(&rig, fake_is_closed, &other, LIMIT_MS));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("wire_life");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, reports_refused_handshakes, 0,
                        (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_test(tests, reports_a_closed_port);
    tcase_add_test(tests, gives_up_on_a_silent_handshake);
    tcase_add_test(tests, bounds_what_waits_to_be_sent);
    tcase_add_loop_test(tests, closes_at_any_moment, 0, 4);
    tcase_add_test(tests, leaves_the_descriptors_of_others_open);
    tcase_add_test(tests, works_with_high_descriptors);
    tcase_add_test(tests, descriptors_close_on_exec);
    tcase_add_test(tests, two_wires_share_a_loop);
    Suite *suite = suite_create("wire_life");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
