/* metas.h: the grammar of the metas by which a page sets its answer. Pure. */
#ifndef DOCUMENT_METAS_H
#define DOCUMENT_METAS_H

#include <stdbool.h>
#include <stddef.h>

/* Longest name and value of a header that a page may set. */
#define META_NAME_BYTES_MAX 128
#define META_VALUE_BYTES_MAX 8192

/* Three digits, 200..599, blanks around them allowed; 0 for anything else. */
int meta_status(const char *content);

/* Parts of a "Name: value", borrowed from it. */
struct meta_header {
    const char *name, *value;
    size_t name_bytes, value_bytes;
};
/* A token, a colon, and a value without control characters; blanks around both allowed. */
bool meta_header_parse(const char *content, struct meta_header *ret);

#endif
