/* test_wire.c: whole messages both ways, whatever the other side does. */
#include "tests/wire_rig.h"
#include "tests/suite.h"

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

/* In frames of which each is within it, in one, and in one whose start is short. */
START_TEST(cuts_a_message_over_the_limit)
{
    static const size_t firsts[] = {MESSAGE_BYTES_MAX / 2 + 1, MESSAGE_BYTES_MAX + 1, 10, 256, 257};
    char *text = filled(MESSAGE_BYTES_MAX + 1);

    open_wire();
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        fake_send_frame(&fake, 0x01, text, firsts[i]);
        fake_send_frame(&fake, 0x80, text + firsts[i], MESSAGE_BYTES_MAX + 1 - firsts[i]);
        fake_send_frame(&fake, 0x81, "next", 4);
        expect_cut(text);
        expect_message("next", 4);
    }
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
    tcase_add_test(tests, cuts_a_message_over_the_limit);
    tcase_add_test(tests, takes_a_message_at_the_limit);
    tcase_add_test(tests, does_not_believe_lengths);
    tcase_add_loop_test(tests, survives_malice, 0, (int)(sizeof malices / sizeof malices[0]));
    tcase_add_test(tests, notices_a_close_amid_a_message);
    Suite *suite = suite_create("wire");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
