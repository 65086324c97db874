/* wire_rig.h: what the tests of a wire share: a loop, a scripted browser, one wire. */
#ifndef TESTS_WIRE_RIG_H
#define TESTS_WIRE_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/wire.h"
#include "tests/fake_browser.h"
#include "tests/rig.h"

#define LIMIT_MS 10000
#define MESSAGE_BYTES_MAX (32u * 1024 * 1024)

static struct rig rig;
static struct fake_browser fake;
static struct wire *wire;

static inline bool is_open(void *argument)
{
    (void)argument;
    return wire_get_state(wire) == WIRE_OPEN && fake.connection.is_upgraded;
}

static inline bool is_lost(void *argument)
{
    (void)argument;
    return wire_get_state(wire) == WIRE_CLOSED;
}

static inline bool is_gone(void *argument)
{
    (void)argument;
    return wire_is_gone(wire);
}

static inline bool has_message(void *argument)
{
    return wire_take(wire, argument);
}

static inline bool has_come(void *argument)
{
    return fake.messages_count >= *(uint32_t *)argument;
}

static inline void ignore_message(struct fake_browser *f, char *text, size_t bytes)
{
    (void)f;
    (void)text;
    (void)bytes;
}

static inline void setup(void)
{
    rig_open(&rig);
    fake_open(&fake, &rig.loop);
    fake.on_message = ignore_message;
    wire = NULL;
}

static inline void teardown(void)
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

static inline void connect_wire(void)
{
    wire = wire_new(&rig.loop, fake.url, MESSAGE_BYTES_MAX);
    ck_assert_ptr_nonnull(wire);
}

static inline void open_wire(void)
{
    connect_wire();
    ck_assert(rig_until(&rig, is_open, NULL, LIMIT_MS));
    ck_assert_str_eq(wire_error(wire), "");
}

/* Waits for a message and compares it. */
static inline void expect_message(const char *want, size_t bytes)
{
    struct wire_message message;

    ck_assert(rig_until(&rig, has_message, &message, LIMIT_MS));
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.text, want, bytes);
    ck_assert_int_eq(message.text[bytes], '\0');
    ck_assert(!message.is_cut);
    free(message.text);
}

/* The same for one that was over the limit. */
static inline void expect_cut(const char *want)
{
    struct wire_message message;

    ck_assert(rig_until(&rig, has_message, &message, LIMIT_MS));
    ck_assert(message.is_cut);
    ck_assert_uint_eq(message.bytes, WIRE_CUT_BYTES);
    ck_assert_mem_eq(message.text, want, WIRE_CUT_BYTES);
    ck_assert_int_eq(message.text[WIRE_CUT_BYTES], '\0');
    free(message.text);
}

static inline void expect_loss(const char *want)
{
    ck_assert(rig_until(&rig, is_lost, NULL, LIMIT_MS));
    ck_assert_msg(strstr(wire_error(wire), want) != NULL, "\"%s\" lacks \"%s\"", wire_error(wire),
                  want);
    ck_assert(!wire_send(wire, strdup("x"), 1));
}

static inline char *filled(size_t bytes)
{
    char *text = malloc(bytes);

    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)('a' + (i / 7 + i / 65536) % 26);
    }
    return text;
}

static inline void send_text(const char *text)
{
    ck_assert(wire_send(wire, strdup(text), strlen(text)));
}

static inline void echo(struct fake_browser *f, char *text, size_t bytes)
{
    fake_send_frame(f, 0x81, text, bytes);
}

#endif
