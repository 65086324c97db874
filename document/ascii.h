/* ascii.h: a document without bytes outside ASCII. Pure.
 *
 * A character outside ASCII is written in the way that is read back where it stands:
 *
 *   text, titles, values of attributes, comments    &#x20ac;
 *   scripts of JavaScript and JSON                  \u20ac
 *   style sheets                                    \20ac and a blank, which belongs to it
 *
 * What cannot be written so without a change of its meaning stays as it is, so the document is
 * still one of UTF-8: names of tags and attributes, <xmp>, and in JavaScript the white space
 * outside ASCII, which may separate words there. A script of another type is taken for a
 * template of markup. Only String.raw, of all that JavaScript has, can tell the difference. */
#ifndef DOCUMENT_ASCII_H
#define DOCUMENT_ASCII_H

#include <stddef.h>

/* Bytes that ascii_write() can need; `bytes_count` when all is ASCII. */
size_t ascii_bytes_max(const char *bytes, size_t bytes_count);
/* Writes the document, which is valid UTF-8, into `ret`, and returns the length. */
size_t ascii_write(const char *bytes, size_t bytes_count, char *ret);

#endif
