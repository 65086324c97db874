/* edits.h: byte ranges to leave out and text to put in. Pure. */
#ifndef DOCUMENT_EDITS_H
#define DOCUMENT_EDITS_H

#include <stddef.h>

struct edit {
    size_t start, end; /* What is left out; start == end: nothing. */
    const char *text;  /* What is put there instead; NULL: nothing. */
    size_t text_bytes;
};

/* Bytes that edits_apply() can need. */
size_t edits_bytes_max(size_t bytes_count, const struct edit *, size_t count);
/* Writes `bytes` with the edits, which are sorted by start, into `ret`, and returns the
 * length. Ranges may overlap or contain each other. */
size_t edits_apply(const char *bytes, size_t bytes_count, const struct edit *, size_t count,
                   char *ret);

#endif
