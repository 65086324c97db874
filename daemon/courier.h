/* courier.h: which message the fleet manager is told next, and when. Pure but for memory,
 * so that a simulated fleet (tests/fleet/) can run what the daemon runs.
 *
 * One message is in flight at a time, and the order is: the heartbeat of the interval, so
 * that many notices to a slow manager do not make this daemon look dead; notices of
 * affinities that ended; the heartbeat that a change of the warm list causes; and in the
 * end the unregistering. So what is sent is sent in the order in which it was true. */
#ifndef DAEMON_COURIER_H
#define DAEMON_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "daemon/outbox.h"

/* How long the manager may take to answer. */
#define COURIER_TIMEOUT_MS 2000

enum courier_message {
    MESSAGE_NONE,
    MESSAGE_HEARTBEAT,
    MESSAGE_NOTICE,
    MESSAGE_UNREGISTER,
};

struct courier {
    enum courier_message message; /* In flight. */
    uint64_t message_seq;         /* Its number. */
    uint64_t interval_ms;
    uint64_t due_ms;     /* The next heartbeat, unless something changes. */
    uint64_t changed_ms; /* Not before this one because of a change. */
    bool changed;        /* The warm list is not the one of the last heartbeat. */
    bool unregisters;    /* Nothing but that is sent any more. */
    bool unregistered;
    struct outbox outbox;
};

/* The first heartbeat is due at once. */
void courier_init(struct courier *, uint64_t now_ms, uint64_t interval_ms);
/* What is to be sent now; MESSAGE_NONE while a message is in flight. A notice is
 * outbox_take()n by the caller. */
enum courier_message courier_next(const struct courier *, uint64_t now_ms);
/* When there will be something, if nothing is in flight and nothing happens. */
uint64_t courier_deadline_ms(const struct courier *);
/* That message is being sent, as number seq of this daemon. */
void courier_begin(struct courier *, uint64_t now_ms, enum courier_message, uint64_t seq);
/* It was answered well, or has failed: then it is forgotten, for the next heartbeat carries
 * the full state. */
void courier_end(struct courier *, bool good);
/* An affinity became live, or ended when the latest message had that number. */
void courier_note_started(struct courier *, const char *key, size_t key_bytes);
void courier_note_ended(struct courier *, const char *key, size_t key_bytes, uint64_t seq);
/* The daemon drains: tell at once. */
void courier_drain(struct courier *, uint64_t now_ms);
/* What is in flight is finished, then only the unregistering is sent. */
void courier_unregister(struct courier *);
void courier_clear(struct courier *);

#endif
