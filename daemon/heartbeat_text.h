/* heartbeat_text.h: the heartbeat document. It is made for every heartbeat and lists all that
 * is warm, so it is written as text rather than built as a tree first. Reads only the pool. */
#ifndef DAEMON_HEARTBEAT_TEXT_H
#define DAEMON_HEARTBEAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* What the pool does not know. Strings are valid UTF-8. */
struct heartbeat_facts {
    const char *url, *boot_id;
    uint64_t seq;
    bool is_draining;
};

/* JSON without a NUL in it, for the caller to free; NULL: out of memory. */
char *heartbeat_text(const struct pool *, const struct heartbeat_facts *, size_t *ret_bytes);

#endif
