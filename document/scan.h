/* scan.h: one pass over the text of a document before it is parsed, and what finds tags for
 * such a pass. Pure. */
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

/* The text from `at`, where a "<" is, up to `end` begins a tag, an end tag included. */
bool scan_is_tag(const char *at, const char *end);
size_t scan_name_length(const char *name, const char *end);
/* The byte after the '>' that ends the tag; a '>' in a quoted value does not. */
const char *scan_tag_end(const char *at, const char *end);
/* Where "</name" begins, else the end. */
const char *scan_text_end(const char *at, const char *end, const char *name, size_t count);
/* From within a comment: the byte after it. */
const char *scan_comment_end(const char *at, const char *end);

#endif
