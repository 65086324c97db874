/* text.c: bytes from outside; see text.h. */
#include "http/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "config/forms.h"

/* Smallest code point that needs a sequence of that length; less is an overlong form. */
static const uint32_t utf8_min[] = {0, 0, 0x80, 0x800, 0x10000};

size_t text_utf8_length(const char *bytes, size_t count)
{
    assert(bytes || count == 0);
    if (count == 0)
        return 0;
    unsigned char first = (unsigned char)bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > count)
        return 0;
    uint32_t point = first & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (point < utf8_min[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return length;
}

bool text_is_utf8(const char *bytes, size_t count)
{
    size_t at = 0;
    while (at < count) {
        size_t length = text_utf8_length(bytes + at, count - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

const char *text_quote(char ret[TEXT_QUOTE_BYTES], const char *bytes, size_t count)
{
    static const char cut[] = "...";
    size_t room = TEXT_QUOTE_BYTES - sizeof(cut);
    size_t used = 0, at = 0;
    while (at < count) {
        size_t length = text_utf8_length(bytes + at, count - at);
        bool shown = length > 0 && !is_control(bytes[at]);
        size_t step = length > 0 ? length : 1;
        if (used + (shown ? length : 1) > room)
            break;
        if (shown) {
            memcpy(ret + used, bytes + at, length);
            used += length;
        } else {
            ret[used++] = '?';
        }
        at += step;
    }
    size_t tail = at < count ? sizeof(cut) : 1;
    memcpy(ret + used, at < count ? cut : "", tail);
    assert(used + tail <= TEXT_QUOTE_BYTES);
    return ret;
}

void text_clean(char *text)
{
    assert(text);
    size_t count = strlen(text), at = 0;
    while (at < count) {
        size_t length = text_utf8_length(text + at, count - at);
        if (length == 0 || is_control(text[at]))
            text[at] = '?';
        at += length > 0 ? length : 1;
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool text_percent_decode(const char *bytes, size_t count, bool plus, char *ret, size_t *ret_count)
{
    assert(ret && ret_count);
    size_t used = 0;
    for (size_t at = 0; at < count; at++) {
        char byte = bytes[at];
        if (byte == '%') {
            int high = at + 1 < count ? hex_value(bytes[at + 1]) : -1;
            int low = at + 2 < count ? hex_value(bytes[at + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(unsigned char)(high * 16 + low);
            at += 2;
        } else if (byte == '+' && plus) {
            byte = ' ';
        }
        assert(used <= at);
        ret[used++] = byte;
    }
    *ret_count = used;
    return true;
}

static int base64_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found ? (int)(found - digits) : -1;
}

bool text_base64_decode(const char *text, size_t count, char *ret, size_t ret_size,
                        size_t *ret_count)
{
    assert(ret && ret_count);
    while (count > 0 && text[count - 1] == '=')
        count--;
    uint32_t bits = 0;
    unsigned bits_count = 0;
    size_t used = 0;
    for (size_t at = 0; at < count; at++) {
        int value = base64_value(text[at]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        bits_count += 6;
        if (bits_count < 8)
            continue;
        if (used == ret_size)
            return false;
        bits_count -= 8;
        ret[used++] = (char)(unsigned char)(bits >> bits_count & 0xff);
    }
    *ret_count = used;
    return count % 4 != 1;
}

bool text_list_next(const char **cursor, const char **ret, size_t *ret_count)
{
    size_t count;
    const char *item = form_next_item(cursor, &count);
    if (count == 0)
        return false;
    *ret = item;
    *ret_count = count;
    return true;
}

bool text_is_token(const char *text)
{
    static const char valid[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "!#$%&'*+-.^_`|~";
    return text[0] != '\0' && text[strspn(text, valid)] == '\0';
}

bool text_equal_nocase(const char *bytes, size_t count, const char *word)
{
    return strlen(word) == count && strncasecmp(bytes, word, count) == 0;
}
