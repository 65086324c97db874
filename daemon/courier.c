/* courier.c: see courier.h. */
#include "daemon/courier.h"

#include <assert.h>

/* Changes of the warm list are told at most this often. */
#define CHANGE_INTERVAL_MS 500

void courier_init(struct courier *courier, uint64_t now_ms, uint64_t interval_ms)
{
    *courier = (struct courier){.due_ms = now_ms, .interval_ms = interval_ms};
}

enum courier_message courier_next(const struct courier *courier, uint64_t now_ms)
{
    if (courier->message != MESSAGE_NONE || courier->unregistered)
        return MESSAGE_NONE;
    if (now_ms >= courier->due_ms)
        return MESSAGE_HEARTBEAT;
    if (courier->unregisters)
        return MESSAGE_UNREGISTER;
    if (!outbox_is_empty(&courier->outbox))
        return MESSAGE_NOTICE;
    if (courier->changed && now_ms >= courier->changed_ms)
        return MESSAGE_HEARTBEAT;
    return MESSAGE_NONE;
}

uint64_t courier_deadline_ms(const struct courier *courier)
{
    if (courier->unregistered)
        return UINT64_MAX;
    if (courier->unregisters || !outbox_is_empty(&courier->outbox))
        return 0;
    if (courier->changed && courier->changed_ms < courier->due_ms)
        return courier->changed_ms;
    return courier->due_ms;
}

void courier_begin(struct courier *courier, uint64_t now_ms, enum courier_message message,
                   uint64_t seq)
{
    assert(courier->message == MESSAGE_NONE && message != MESSAGE_NONE);
    courier->message = message;
    courier->message_seq = seq;
    if (message == MESSAGE_UNREGISTER)
        courier->unregistered = true;
    if (message != MESSAGE_HEARTBEAT)
        return;
    courier->due_ms = now_ms + courier->interval_ms;
    courier->changed_ms = now_ms + CHANGE_INTERVAL_MS;
    courier->changed = false;
}

void courier_end(struct courier *courier, bool good)
{
    assert(courier->message != MESSAGE_NONE);
    if (courier->message == MESSAGE_HEARTBEAT && good)
        outbox_drop_told(&courier->outbox, courier->message_seq);
    courier->message = MESSAGE_NONE;
}

void courier_note_started(struct courier *courier, const char *key, size_t key_bytes)
{
    courier->changed = true;
    outbox_remove(&courier->outbox, key, key_bytes);
}

void courier_note_ended(struct courier *courier, const char *key, size_t key_bytes, uint64_t seq)
{
    courier->changed = true;
    outbox_add(&courier->outbox, key, key_bytes, seq);
}

void courier_drain(struct courier *courier, uint64_t now_ms)
{
    courier->due_ms = now_ms;
}

void courier_unregister(struct courier *courier)
{
    courier->unregisters = true;
    courier->changed = false;
    outbox_clear(&courier->outbox);
}

void courier_clear(struct courier *courier)
{
    outbox_clear(&courier->outbox);
}
