/* wire.h: moves whole CDP messages over one websocket (RFC 6455), and knows nothing of
 * their meaning. libwebsockets on the caller's libuv loop. Callbacks collect messages;
 * the owner takes them with wire_take() in its turn. */
#ifndef CDP_WIRE_H
#define CDP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "cdp/assembly.h"

struct wire;

enum wire_state {
    WIRE_CONNECTING,
    WIRE_OPEN,
    WIRE_CLOSED, /* Never opened, lost, or closed by us; nothing more comes. */
};

/* Starts connecting to ws://HOST:PORT/PATH. NULL when that is no such URL or memory runs
 * out. HOST is an IP address or localhost: names are not looked up, and Chromium accepts
 * nothing else in a Host header. Of an inbound message over message_bytes_max only the start is
 * kept, and it is marked: what one page makes the browser say must not end the others. */
struct wire *wire_new(uv_loop_t *, const char *url, size_t message_bytes_max);
enum wire_state wire_get_state(const struct wire *);
/* Why it is closed, one clause; "" while it is not. */
const char *wire_error(const struct wire *);
/* Queues one message; `text` is taken. False when closed or when the queue is full. */
bool wire_send(struct wire *, char *text, size_t bytes);
/* Takes the oldest received message. False when there is none. */
bool wire_take(struct wire *, struct wire_message *ret);
/* Closes, also after a loss: every wire must be closed. What was received stays to be
 * taken. wire_is_gone() turns true some loop turns later, then wire_free(). */
void wire_close(struct wire *);
bool wire_is_gone(const struct wire *);
void wire_free(struct wire *);

#endif
