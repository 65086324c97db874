/* tape.h: what a daemon and a browser said to each other, in order. */
#ifndef BENCH_TAPE_H
#define BENCH_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tape_message {
    bool sent; /* By the daemon; else by the browser. */
    uint64_t at_ns;
    char *text; /* Owned, NUL-terminated. */
    size_t bytes;
};

struct tape {
    struct tape_message *messages;
    size_t count, capacity;
};

/* Takes `text`. */
void tape_add(struct tape *, bool sent, char *text, size_t bytes);
void tape_free(struct tape *);

#endif
