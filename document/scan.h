/* scan.h: one pass over the text of a document before it is parsed. Pure. */
#ifndef DOCUMENT_SCAN_H
#define DOCUMENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites with blanks what is inside <noscript>, of the same length: for a browser with
 * scripts it is text, but the parser has scripts off, and an image in there would end the
 * head. Returns how deep elements nest. Knows comments, attributes in quotes and elements
 * whose content is text; the rest is the parser's business. */
size_t scan_prepare(char *bytes, size_t bytes_count);
/* Compares ASCII letters without case. */
bool scan_equal(const char *bytes, size_t bytes_count, const char *word);

#endif
