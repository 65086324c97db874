/* test_wire.c: whole messages both ways, whatever the other side does, and nothing left. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cdp/wire.h"
#include "tests/fake_browser.c"
#include "tests/rig.h"

#define LIMIT_MS 10000
#define MESSAGE_BYTES_MAX (32u * 1024 * 1024)

static struct rig rig;
static struct fake_browser fake;
static struct wire *wire;

static bool is_open(void *argument)
{
    (void)argument;
    return wire_get_state(wire) == WIRE_OPEN && fake.connection.is_upgraded;
}

static bool is_lost(void *argument)
{
    (void)argument;
    return wire_get_state(wire) == WIRE_CLOSED;
}

static bool is_gone(void *argument)
{
    (void)argument;
    return wire_is_gone(wire);
}

static bool has_message(void *argument)
{
    return wire_take(wire, argument);
}

static bool has_come(void *argument)
{
    return fake.messages_count >= *(uint32_t *)argument;
}

static void ignore_message(struct fake_browser *f, char *text, size_t bytes)
{
    (void)f;
    (void)text;
    (void)bytes;
}

static void setup(void)
{
    rig_open(&rig);
    fake_open(&fake, &rig.loop);
    fake.on_message = ignore_message;
    wire = NULL;
}

static void teardown(void)
{
    if (wire != NULL) {
        wire_close(wire);
        ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
        wire_free(wire);
    }
    fake_close(&fake);
    ck_assert(rig_until(&rig, fake_is_closed, &fake, LIMIT_MS));
    rig_close(&rig);
}

static void connect_wire(void)
{
    wire = wire_new(&rig.loop, fake.url, MESSAGE_BYTES_MAX);
    ck_assert_ptr_nonnull(wire);
}

static void open_wire(void)
{
    connect_wire();
    ck_assert(rig_until(&rig, is_open, NULL, LIMIT_MS));
    ck_assert_str_eq(wire_error(wire), "");
}

/* Waits for a message and compares it. */
static void expect_message(const char *want, size_t bytes)
{
    struct wire_message message;

    ck_assert(rig_until(&rig, has_message, &message, LIMIT_MS));
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.text, want, bytes);
    ck_assert_int_eq(message.text[bytes], '\0');
    free(message.text);
}

static void expect_loss(const char *want)
{
    ck_assert(rig_until(&rig, is_lost, NULL, LIMIT_MS));
    ck_assert_msg(strstr(wire_error(wire), want) != NULL, "\"%s\" lacks \"%s\"", wire_error(wire),
                  want);
    ck_assert(!wire_send(wire, strdup("x"), 1));
}

static char *filled(size_t bytes)
{
    char *text = malloc(bytes);

    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)('a' + (i / 7 + i / 65536) % 26);
    }
    return text;
}

static void send_text(const char *text)
{
    ck_assert(wire_send(wire, strdup(text), strlen(text)));
}

START_TEST(refuses_what_is_no_address)
{
    static const char *const bad[] = {
        "",
        "ws://",
        "ws:///x",
        "http://127.0.0.1:1/x",
        "wss://127.0.0.1:1/x",
        "ws://127.0.0.1:0/x",
        "ws://127.0.0.1:65536/x",
        "ws://127.0.0.1:1x/x",
        "ws://127.0.0.1:-1/x",
        "ws://127.0.0.1:/x",
        "ws://browser.example:1/x",
        "ws://127.0.0.1.1:1/x",
        "ws://[::1:1/x",
        "ws://[127.0.0.1]:1/x",
        "ws://::1/x",
        "ws://127.0.0.1:1/a b",
        "ws://127.0.0.1:1/a\r\nX: y",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(wire_new(&rig.loop, bad[i], 100) == NULL, "%s", bad[i]);
    }
}
END_TEST

START_TEST(opens_with_a_request_that_chromium_accepts)
{
    char want[160];

    open_wire();
    ck_assert(strstr(fake.head, "GET /devtools/browser/fake HTTP/1.1\r\n") == fake.head);
    (void)snprintf(want, sizeof want, "\r\nHost: %.*s\r\n", (int)strcspn(fake.url + 5, "/"),
                   fake.url + 5);
    ck_assert_msg(strcasestr(fake.head, want) != NULL, "%s", fake.head);
    ck_assert_ptr_null(strcasestr(fake.head, "Origin:"));
    ck_assert_ptr_null(strcasestr(fake.head, "Sec-WebSocket-Extensions:"));
    ck_assert_ptr_null(strcasestr(fake.head, "Sec-WebSocket-Protocol:"));
}
END_TEST

static void echo(struct fake_browser *f, char *text, size_t bytes)
{
    fake_send_frame(f, 0x81, text, bytes);
}

START_TEST(keeps_order_both_ways)
{
    fake.on_message = echo;
    connect_wire();
    /* Sent before it is open: kept until then. */
    for (int i = 0; i < 200; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "{\"id\":%d}", i);
        send_text(text);
    }
    for (int i = 0; i < 200; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "{\"id\":%d}", i);
        expect_message(text, strlen(text));
    }
}
END_TEST

/* Large messages go out in pieces, so that the loop is not stalled, and come in as one
 * frame or as many. */
START_TEST(echoes_large_messages)
{
    static const size_t sizes[] = {
        1, 125, 126, 65535, 65536, 65537, 70000, 1000000, 30u * 1024 * 1024};
    size_t bytes = sizes[_i];
    char *text = filled(bytes);

    fake.on_message = echo;
    open_wire();
    char *copy = malloc(bytes);
    memcpy(copy, text, bytes);
    ck_assert(wire_send(wire, copy, bytes));
    expect_message(text, bytes);
    ck_assert_uint_le(fake.frame_bytes_max, 65536);
    ck_assert_uint_eq(fake.fragments_count, (bytes + 65535) / 65536);
    free(text);
}
END_TEST

START_TEST(joins_fragments)
{
    open_wire();
    fake_send_frame(&fake, 0x01, "ab", 2);
    fake_send_frame(&fake, 0x89, "ping", 4);
    fake_send_frame(&fake, 0x00, "", 0);
    fake_send_frame(&fake, 0x00, "cd", 2);
    fake_send_frame(&fake, 0x8a, "", 0);
    fake_send_frame(&fake, 0x80, "ef", 2);
    fake_send_frame(&fake, 0x81, "gh", 2);
    expect_message("abcdef", 6);
    expect_message("gh", 2);
    fake_send_frame(&fake, 0x81, "", 0);
    expect_message("", 0);
}
END_TEST

/* A message split at every possible place of the stream, its frame heads included. */
START_TEST(reads_byte_by_byte)
{
    char *text = filled(300);

    open_wire();
    fake.drip_bytes = (size_t)_i;
    fake_send_frame(&fake, 0x01, text, 130);
    fake_send_frame(&fake, 0x80, text + 130, 170);
    fake_send_frame(&fake, 0x81, "end", 3);
    expect_message(text, 300);
    expect_message("end", 3);
    free(text);
}
END_TEST

START_TEST(many_small_fragments_are_not_slow)
{
    char *text = filled(200000);

    open_wire();
    for (size_t i = 0; i < 200000; i += 10) {
        fake_send_frame(&fake, (unsigned char)((i == 0 ? 1 : 0) | (i == 199990 ? 0x80 : 0)),
                        text + i, 10);
    }
    expect_message(text, 200000);
    free(text);
}
END_TEST

START_TEST(closes_on_a_message_over_the_limit)
{
    char *text = filled(MESSAGE_BYTES_MAX / 2 + 1);

    open_wire();
    fake_send_frame(&fake, 0x01, text, MESSAGE_BYTES_MAX / 2 + 1);
    fake_send_frame(&fake, 0x80, text, MESSAGE_BYTES_MAX / 2 + 1);
    expect_loss("over the limit");
    free(text);
}
END_TEST

START_TEST(takes_a_message_at_the_limit)
{
    char *text = filled(MESSAGE_BYTES_MAX);

    open_wire();
    fake_send_frame(&fake, 0x81, text, MESSAGE_BYTES_MAX);
    expect_message(text, MESSAGE_BYTES_MAX);
    free(text);
}
END_TEST

/* The length of a frame is a claim, for which no memory is spent. */
START_TEST(does_not_believe_lengths)
{
    static const unsigned char huge[] = {0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    open_wire();
    fake_send_raw(&fake, huge, sizeof huge);
    /* The library hands over the first part when its buffer is full. */
    char *text = filled(300000);
    fake_send_raw(&fake, text, 300000);
    free(text);
    expect_loss("");
    ck_assert_str_ne(wire_error(wire), "");
}
END_TEST

struct malice {
    const char *bytes;
    size_t count;
};

#define MALICE(text)                                                                               \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static const struct malice malices[] = {
    MALICE("\xc1\x01x"),         /* A reserved bit. */
    MALICE("\x83\x01x"),         /* A reserved opcode. */
    MALICE("\x8b\x01x"),         /* A reserved control opcode. */
    MALICE("\x81\x81\1\2\3\4x"), /* A server that masks. */
    MALICE("\x80\x01x"),         /* A continuation of nothing. */
    MALICE("\x88\x02\x03\xe8"),  /* A close frame. */
};

/* Protocol errors end the connection or are read past; they never hang or crash it. */
START_TEST(survives_malice)
{
    struct wire_message message;

    open_wire();
    fake_send_raw(&fake, malices[_i].bytes, malices[_i].count);
    fake_send_frame(&fake, 0x88, "", 0);
    fake_hang_up(&fake);
    expect_loss("");
    while (wire_take(wire, &message)) {
        ck_assert_uint_le(message.bytes, 6);
        free(message.text);
    }
}
END_TEST

START_TEST(notices_a_close_amid_a_message)
{
    struct wire_message message;

    open_wire();
    fake_send_frame(&fake, 0x81, "whole", 5);
    fake_send_raw(&fake, "\x81\x7ehalf", 6);
    fake_hang_up(&fake);
    expect_loss("closed the connection");
    /* What had come before can still be taken. */
    expect_message("whole", 5);
    ck_assert(!wire_take(wire, &message));
}
END_TEST

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
    TCase *tests = tcase_create("wire");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, refuses_what_is_no_address);
    tcase_add_test(tests, opens_with_a_request_that_chromium_accepts);
    tcase_add_test(tests, keeps_order_both_ways);
    tcase_add_loop_test(tests, echoes_large_messages, 0, 9);
    tcase_add_test(tests, joins_fragments);
    tcase_add_loop_test(tests, reads_byte_by_byte, 1, 8);
    tcase_add_test(tests, many_small_fragments_are_not_slow);
    tcase_add_test(tests, closes_on_a_message_over_the_limit);
    tcase_add_test(tests, takes_a_message_at_the_limit);
    tcase_add_test(tests, does_not_believe_lengths);
    tcase_add_loop_test(tests, survives_malice, 0, (int)(sizeof malices / sizeof malices[0]));
    tcase_add_test(tests, notices_a_close_amid_a_message);
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
    Suite *suite = suite_create("wire");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
