/* outbox.h: affinities that have ended and of which the manager is still to be told, in the
 * order of their end. Pure but for memory. */
#ifndef DAEMON_OUTBOX_H
#define DAEMON_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>
#include "config/limits.h"

/* Notices that wait while the manager is slow. What exceeds this is dropped, oldest first:
 * the next heartbeat lists what is warm, which says the same. */
#define OUTBOX_NOTICES_MAX 4096

struct notice {
    uint64_t seq; /* Of the latest message when the affinity ended. */
    size_t key_bytes;
    UT_hash_handle hh;
    char key[];
};

struct outbox {
    struct notice *by_key; /* uthash walks in the order of insertion. */
    uint64_t dropped;
};

/* The affinity has ended; a notice that waits for the same key already is replaced. */
void outbox_add(struct outbox *, const char *key, size_t key_bytes, uint64_t seq);
/* The affinity is live again: nothing is to be told. */
void outbox_remove(struct outbox *, const char *key, size_t key_bytes);
/* A heartbeat with this number has arrived: it said what the older notices would say. */
void outbox_drop_told(struct outbox *, uint64_t seq);
/* The oldest notice, which the caller frees, or NULL. */
struct notice *outbox_take(struct outbox *);
bool outbox_is_empty(const struct outbox *);
void outbox_clear(struct outbox *);

#endif
