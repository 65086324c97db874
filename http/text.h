/* text.h: small pure helpers over bytes that came from outside: decoding, checking,
 * and making them fit to be shown in a message. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that a quoted value can need, with the cut mark and the NUL. */
#define TEXT_QUOTE_BYTES 72

/* Length of the valid UTF-8 sequence at `bytes`, 1..4; 0 when there is none. */
size_t text_utf8_length(const char *bytes, size_t count);
bool text_is_utf8(const char *bytes, size_t count);
/* Writes a value for a message: control bytes and broken UTF-8 become '?', and what
 * exceeds TEXT_QUOTE_BYTES is cut and ends in "...". Returns `ret`. */
const char *text_quote(char ret[TEXT_QUOTE_BYTES], const char *bytes, size_t count);
/* Replaces control bytes and broken UTF-8 in place, so that any encoder accepts it. */
void text_clean(char *text);
/* Decodes %XX, and '+' as a space when `plus`; `ret` may be `bytes` itself and holds at
 * least `count` bytes. False on a broken escape. */
bool text_percent_decode(const char *bytes, size_t count, bool plus, char *ret, size_t *ret_count);
/* Decodes base64 with or without padding. `ret` holds `ret_size` bytes. False when it is
 * none or does not fit. */
bool text_base64_decode(const char *text, size_t count, char *ret, size_t ret_size,
                        size_t *ret_count);
/* The next item of a list split at spaces and commas; false at its end. */
bool text_list_next(const char **cursor, const char **ret, size_t *ret_count);
/* True for what RFC 9110 calls a token: a valid header name or method. */
bool text_is_token(const char *text);
/* Compares ASCII letters without case. */
bool text_equal_nocase(const char *bytes, size_t count, const char *word);

#endif
