/* unescape.c: a JSON string's inside to UTF-8, see message.h.
 *
 * Large documents come through here, so plain stretches are moved as a whole: about one
 * nanosecond per byte. No escape is shorter than what it stands for, thus the output
 * never overtakes the input. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/message.h"

/* Bytes of the valid UTF-8 sequence at `at`, by the table of RFC 3629 section 4; 0 when
 * there is none. */
static size_t utf8_sequence(const unsigned char *at, size_t bytes)
{
    unsigned char lead = at[0];
    size_t want = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (want == 0 || lead > 0xf4 || want > bytes) {
        return 0;
    }
    for (size_t i = 1; i < want; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xf0 && at[1] < 0x90);
    bool is_surrogate = lead == 0xed && at[1] > 0x9f;
    bool is_beyond = lead == 0xf4 && at[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : want;
}

static bool utf8_is_valid(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;

    while (at < end) {
        uint64_t word = 0;
        if (end - at >= 8) {
            memcpy(&word, at, 8);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += 8;
                continue;
            }
        }
        size_t sequence = utf8_sequence(at, (size_t)(end - at));
        if (sequence == 0) {
            return false;
        }
        at += sequence;
    }
    return true;
}

/* Value of the four hexadecimal digits at `at`, or UINT32_MAX. */
static uint32_t read_hex4(const char *at, const char *end)
{
    uint32_t value = 0;

    if (end - at < 4) {
        return UINT32_MAX;
    }
    for (size_t i = 0; i < 4; i++) {
        char c = at[i];
        if (c >= '0' && c <= '9') {
            value = value * 16 + (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = value * 16 + (uint32_t)((c | 0x20) - 'a') + 10;
        } else {
            return UINT32_MAX;
        }
    }
    return value;
}

static char *write_utf8(char *out, uint32_t code)
{
    assert(code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | (code >> 6));
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | (code >> 12));
        } else {
            *out++ = (char)(0xf0 | (code >> 18));
            *out++ = (char)(0x80 | ((code >> 12) & 0x3f));
        }
        *out++ = (char)(0x80 | ((code >> 6) & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* Consumes the digits of a \u escape, and its second half if it is a pair. UINT32_MAX:
 * malformed. A half without its other half becomes U+FFFD, as TextEncoder has it. */
static uint32_t take_unit(const char **in, const char *end)
{
    uint32_t unit = read_hex4(*in, end);

    if (unit == UINT32_MAX) {
        return UINT32_MAX;
    }
    *in += 4;
    if (unit < 0xd800 || unit > 0xdfff) {
        return unit;
    }
    bool has_next = unit < 0xdc00 && end - *in >= 6 && (*in)[0] == '\\' && (*in)[1] == 'u';
    uint32_t low = has_next ? read_hex4(*in + 2, end) : 0;
    if (low < 0xdc00 || low > 0xdfff) {
        return 0xfffd;
    }
    *in += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* What a one-character escape stands for; 0 when it is none. */
static char simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Consumes the escape whose backslash has been consumed. NULL: malformed. */
static char *take_escape(const char **in, const char *end, char *out)
{
    if (*in == end) {
        return NULL;
    }
    char c = *(*in)++;
    if (c != 'u') {
        *out = simple_escape(c);
        return *out == 0 ? NULL : out + 1;
    }
    uint32_t code = take_unit(in, end);
    return code == UINT32_MAX ? NULL : write_utf8(out, code);
}

/* `out` has room for `bytes`; it is `text` itself, or apart from it. */
static size_t unescape(const char *text, size_t bytes, char *out)
{
    const char *in = text, *end = text + bytes, *start = out;

    while (in < end) {
        const char *escape = memchr(in, '\\', (size_t)(end - in));
        size_t plain = (size_t)((escape != NULL ? escape : end) - in);
        if (!utf8_is_valid(in, plain)) {
            return SIZE_MAX;
        }
        memmove(out, in, plain);
        out += plain;
        in += plain;
        if (escape == NULL) {
            break;
        }
        in++;
        out = take_escape(&in, end, out);
        if (out == NULL) {
            return SIZE_MAX;
        }
        assert(out - start <= in - text);
    }
    return (size_t)(out - start);
}

size_t message_unescape(char *text, size_t bytes)
{
    return unescape(text, bytes, text);
}

/* Documents cannot hold NUL in HTML; what a script has put there is left out. */
static size_t drop_nuls(char *text, size_t bytes)
{
    char *to = memchr(text, '\0', bytes);

    if (to == NULL) {
        return bytes;
    }
    for (const char *from = to; from < text + bytes; from++) {
        if (*from != '\0') {
            *to++ = *from;
        }
    }
    return (size_t)(to - text);
}

char *message_document(struct cdp_span string, size_t *ret_bytes)
{
    char *document = malloc(string.bytes + 1);
    size_t bytes = document != NULL ? unescape(string.at, string.bytes, document) : SIZE_MAX;

    if (bytes == SIZE_MAX) {
        free(document);
        return NULL;
    }
    bytes = drop_nuls(document, bytes);
    document[bytes] = '\0';
    *ret_bytes = bytes;
    return document;
}

/* Bytes of the character or escape at `at`; 0 when it is malformed or cut off. A pair of
 * surrogates counts as two: half of it becomes U+FFFD. */
static size_t element_bytes(const char *at, size_t bytes)
{
    if (*at != '\\')
        return utf8_sequence((const unsigned char *)at, bytes);
    size_t want = bytes > 1 && at[1] == 'u' ? 6 : 2;
    return want <= bytes ? want : 0;
}

bool message_text(struct cdp_span span, char *ret, size_t ret_bytes)
{
    char copy[2048];
    size_t used = 0;

    assert(ret_bytes > 0);
    ret[0] = '\0';
    if (span.at == NULL)
        return false;
    while (used < span.bytes && used < sizeof copy - 6) {
        size_t step = element_bytes(span.at + used, span.bytes - used);
        if (step == 0)
            return false;
        memcpy(copy + used, span.at + used, step);
        used += step;
    }
    used = message_unescape(copy, used);
    if (used == SIZE_MAX)
        return false;
    for (char *nul = copy; (nul = memchr(nul, '\0', (size_t)(copy + used - nul))) != NULL;)
        *nul = '?';
    if (used > ret_bytes - 1) {
        used = ret_bytes - 1;
        while (used > 0 && ((unsigned char)copy[used] & 0xc0) == 0x80)
            used--;
    }
    memcpy(ret, copy, used);
    ret[used] = '\0';
    return true;
}

void message_repair(struct cdp_span body)
{
    char *at = body.at, *end = body.at + body.bytes;

    while (at != NULL && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        const char *digits = at + 2;
        uint32_t unit = end - at >= 6 && at[1] == 'u' ? read_hex4(digits, end) : UINT32_MAX;
        if (unit == UINT32_MAX) {
            at += end - at >= 2 ? 2 : 1; /* Another escape: its second byte is no start. */
            continue;
        }
        uint32_t code = take_unit(&digits, end);
        if (unit == 0 || (code == 0xfffd && unit != 0xfffd))
            memcpy(at, "\\ufffd", 6);
        at += digits - at;
    }
}
