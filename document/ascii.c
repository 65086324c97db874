/* ascii.c: see ascii.h. One pass over the text: what a browser has written has its values in
 * quotes and its "<" escaped, so that tags are found without a parser of HTML. */
#include "document/ascii.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "document/scan.h"

/* No escape has more bytes per byte of the character it stands for. */
#define GROWTH_MAX 4

enum place { PLACE_MARKUP, PLACE_JAVASCRIPT, PLACE_JSON, PLACE_STYLE, PLACE_PLAIN };

struct pass {
    const char *at, *end;
    char *out;
    /* Whether the innermost open <svg>, <math> or <foreignObject> has foreign content, in
     * which scripts and styles are markup like all else; those around it in higher bits. */
    uint64_t foreign;
};

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void put(struct pass *pass, const char *bytes, size_t count)
{
    memcpy(pass->out, bytes, count);
    pass->out += count;
}

/* In hexadecimal, with zeros before it up to `count` digits. */
static void put_hex(struct pass *pass, uint32_t value, unsigned count)
{
    static const char digits[] = "0123456789abcdef";
    while (value >> (4 * count) != 0)
        count++;
    while (count-- > 0)
        *pass->out++ = digits[value >> (4 * count) & 15];
}

/* The character at pass->at, which is passed. */
static uint32_t take_character(struct pass *pass)
{
    const unsigned char *at = (const unsigned char *)pass->at;
    size_t count = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    assert(at[0] >= 0xc2 && count <= (size_t)(pass->end - pass->at));
    uint32_t character = at[0] & (0x7fU >> count);
    for (size_t i = 1; i < count; i++)
        character = character << 6 | (at[i] & 0x3fU);
    pass->at += count;
    return character;
}

static void put_reference(struct pass *pass)
{
    put(pass, "&#x", 3);
    put_hex(pass, take_character(pass), 1);
    put(pass, ";", 1);
}

/* White space and ends of lines of JavaScript. */
static bool is_separator(uint32_t character)
{
    return character == 0xa0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200a) || character == 0x2028 ||
           character == 0x2029 || character == 0x202f || character == 0x205f ||
           character == 0x3000 || character == 0xfeff;
}

/* The backslash before it is one that escapes, and serves the escape that is written now. */
static bool is_escaped(const char *text, const char *at)
{
    const char *from = at;
    while (from > text && from[-1] == '\\')
        from--;
    return (at - from) % 2 != 0;
}

/* A pair of escapes for what does not fit into one. */
static void put_script_escape(struct pass *pass, const char *text, bool keeps_separators)
{
    const char *from = pass->at;
    bool escaped = is_escaped(text, from);
    uint32_t character = take_character(pass);
    if (keeps_separators && is_separator(character)) {
        put(pass, from, (size_t)(pass->at - from));
        return;
    }
    put(pass, escaped ? "u" : "\\u", escaped ? 1 : 2);
    if (character > 0xffff) {
        put_hex(pass, 0xd800 + ((character - 0x10000) >> 10), 4);
        put(pass, "\\u", 2);
        character = 0xdc00 + ((character - 0x10000) & 0x3ff);
    }
    put_hex(pass, character, 4);
}

static void put_style_escape(struct pass *pass, const char *text)
{
    bool escaped = is_escaped(text, pass->at);
    put(pass, "\\", escaped ? 0 : 1);
    put_hex(pass, take_character(pass), 1);
    put(pass, " ", 1);
}

/* All up to `end`, of one place. */
static void put_text(struct pass *pass, const char *end, enum place place)
{
    const char *text = pass->at;
    while (pass->at < end) {
        if (is_ascii(*pass->at) || place == PLACE_PLAIN)
            *pass->out++ = *pass->at++;
        else if (place == PLACE_MARKUP)
            put_reference(pass);
        else if (place == PLACE_STYLE)
            put_style_escape(pass, text);
        else
            put_script_escape(pass, text, place == PLACE_JAVASCRIPT);
    }
}

/* A tag from its name on: of what is in it, values are read with their references. */
static void put_tag(struct pass *pass, const char *end)
{
    char quote = '\0', before = '\0';
    bool is_value = false; /* One without quotes. */
    while (pass->at < end) {
        char c = *pass->at;
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if ((c == '"' || c == '\'') && before == '=')
            quote = c;
        else
            is_value = !is_space(c) && (before == '=' || is_value);
        if (is_ascii(c) || (quote == '\0' && !is_value))
            *pass->out++ = *pass->at++;
        else
            put_reference(pass);
        before = is_space(c) ? before : c;
    }
}

/* Finds `word`, in lower case, in the bytes up to `end`. */
static bool contains(const char *at, const char *end, const char *word)
{
    size_t count = strlen(word);
    for (; (size_t)(end - at) >= count; at++) {
        if (scan_equal(at, count, word))
            return true;
    }
    return false;
}

/* The value of `type` in a tag that ends at `end`; NULL: there is none. */
static const char *type_value(const char *tag, const char *end, size_t *ret_bytes)
{
    for (const char *at = tag; end - at > 6; at++) {
        if (!is_space(at[0]) || !scan_equal(at + 1, 5, "type="))
            continue;
        const char *value = at + 6, *stop = value;
        if (*value == '"' || *value == '\'') {
            value++;
            stop = memchr(value, value[-1], (size_t)(end - value));
        } else {
            while (stop < end && !is_space(*stop) && *stop != '>')
                stop++;
        }
        *ret_bytes = (size_t)((stop != NULL ? stop : end) - value);
        return value;
    }
    return NULL;
}

static enum place place_of_script(const char *tag, const char *end)
{
    size_t bytes = 0;
    const char *type = type_value(tag, end, &bytes);
    if (type == NULL || bytes == 0 || scan_equal(type, bytes, "module") ||
        contains(type, type + bytes, "javascript") || contains(type, type + bytes, "ecmascript"))
        return PLACE_JAVASCRIPT;
    bool is_json = contains(type, type + bytes, "json") || scan_equal(type, bytes, "importmap") ||
                   scan_equal(type, bytes, "speculationrules");
    return is_json ? PLACE_JSON : PLACE_MARKUP;
}

/* What the content of the element is, whose tag runs from its name to `end`. */
static enum place place_in(const char *name, size_t count, const char *end)
{
    if (scan_equal(name, count, "script"))
        return place_of_script(name + count, end);
    if (scan_equal(name, count, "style"))
        return PLACE_STYLE;
    return scan_equal(name, count, "xmp") ? PLACE_PLAIN : PLACE_MARKUP;
}

/* Content of the parents nested deeper than the bits is taken for HTML's. */
static void note_foreign(struct pass *pass, const char *name, size_t count, bool closes)
{
    bool is_root = scan_equal(name, count, "svg") || scan_equal(name, count, "math");
    /* An element of HTML would be in lower case. */
    if (!is_root && !(count == 13 && memcmp(name, "foreignObject", 13) == 0))
        return;
    pass->foreign = closes ? pass->foreign >> 1 : pass->foreign << 1 | (is_root ? 1 : 0);
}

/* The tag at pass->at, and its content if that is no markup. */
static void put_element(struct pass *pass)
{
    bool closes = pass->at[1] == '/';
    const char *name = pass->at + (closes ? 2 : 1);
    size_t count = scan_name_length(name, pass->end);
    const char *tag_end = scan_tag_end(name + count, pass->end);
    put_tag(pass, tag_end);
    note_foreign(pass, name, count, closes);
    if (closes || (pass->foreign & 1) != 0)
        return;
    enum place place = place_in(name, count, tag_end);
    if (place != PLACE_MARKUP)
        put_text(pass, scan_text_end(pass->at, pass->end, name, count), place);
}

static void put_document(struct pass *pass)
{
    while (pass->at < pass->end) {
        const char *next = memchr(pass->at, '<', (size_t)(pass->end - pass->at));
        put_text(pass, next != NULL ? next : pass->end, PLACE_MARKUP);
        if (next == NULL)
            return;
        if (pass->end - next >= 4 && memcmp(next, "<!--", 4) == 0)
            put_text(pass, scan_comment_end(next + 4, pass->end), PLACE_MARKUP);
        else if (scan_is_tag(next, pass->end))
            put_element(pass);
        else
            put_text(pass, next + 1, PLACE_MARKUP);
    }
}

size_t ascii_bytes_max(const char *bytes, size_t bytes_count)
{
    size_t others = 0;
    for (size_t i = 0; i < bytes_count; i++)
        others += !is_ascii(bytes[i]);
    return bytes_count + others * (GROWTH_MAX - 1);
}

size_t ascii_write(const char *bytes, size_t bytes_count, char *ret)
{
    struct pass pass = {.at = bytes, .end = bytes + bytes_count, .out = ret};
    put_document(&pass);
    return (size_t)(pass.out - ret);
}
