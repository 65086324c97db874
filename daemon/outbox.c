/* outbox.c: see outbox.h. */
#include "daemon/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void outbox_remove(struct outbox *outbox, const char *key, size_t key_bytes)
{
    struct notice *notice = NULL;
    HASH_FIND(hh, outbox->by_key, key, key_bytes, notice);
    if (notice != NULL) {
        HASH_DELETE(hh, outbox->by_key, notice);
        free(notice);
    }
}

struct notice *outbox_take(struct outbox *outbox)
{
    struct notice *notice = outbox->by_key;
    if (notice != NULL)
        HASH_DELETE(hh, outbox->by_key, notice);
    return notice;
}

/* Without memory the notice is lost; the next heartbeat makes up for it. */
void outbox_add(struct outbox *outbox, const char *key, size_t key_bytes, uint64_t seq)
{
    assert(key_bytes >= 1 && key_bytes <= AFFINITY_KEY_BYTES_MAX);
    outbox_remove(outbox, key, key_bytes);
    if (HASH_COUNT(outbox->by_key) >= OUTBOX_NOTICES_MAX) {
        free(outbox_take(outbox));
        outbox->dropped++;
    }
    struct notice *notice = malloc(sizeof *notice + key_bytes);
    if (notice == NULL) {
        outbox->dropped++;
        return;
    }
    notice->seq = seq;
    notice->key_bytes = key_bytes;
    memcpy(notice->key, key, key_bytes);
    HASH_ADD_KEYPTR(hh, outbox->by_key, notice->key, notice->key_bytes, notice);
}

void outbox_drop_told(struct outbox *outbox, uint64_t seq)
{
    /* The oldest come first: once one is too young, so are the others. */
    while (outbox->by_key != NULL && outbox->by_key->seq < seq)
        free(outbox_take(outbox));
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->by_key == NULL;
}

void outbox_clear(struct outbox *outbox)
{
    while (!outbox_is_empty(outbox))
        free(outbox_take(outbox));
}
