/* assembly.h: puts the fragments of a message together, of any that is too large only the
 * start. Pure. */
#ifndef CDP_ASSEMBLY_H
#define CDP_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

/* Of a message that is over the limit: enough to tell which command a reply answers. */
#define WIRE_CUT_BYTES 256

struct wire_message {
    char *text; /* malloc()ed, NUL-terminated for convenience; the taker frees it. */
    size_t bytes;
    bool is_cut; /* It was over the limit: these are its first WIRE_CUT_BYTES. */
};

/* Zeroed but for bytes_max, at least WIRE_CUT_BYTES, when new; the owner frees .text. */
struct assembly {
    size_t bytes_max; /* A message of more is cut. */
    char *text;
    size_t bytes, capacity;
    bool is_cut; /* What still comes is dropped. */
};

/* Adds what has arrived; `expected` bytes of the same frame are still to come. False: memory
 * has run out. */
bool assembly_add(struct assembly *, const void *in, size_t bytes, size_t expected);
/* The message is whole: hands it over and begins anew. Something was added before. */
struct wire_message assembly_take(struct assembly *);

#endif
