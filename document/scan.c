/* scan.c: one pass over the text of a document; see scan.h. */
#include "document/scan.h"

#include <assert.h>
#include <string.h>

#define NAME_BYTES_MAX 16

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool scan_equal(const char *bytes, size_t bytes_count, const char *word)
{
    if (strlen(word) != bytes_count)
        return false;
    for (size_t i = 0; i < bytes_count; i++) {
        if (lower(bytes[i]) != lower(word[i]))
            return false;
    }
    return true;
}

static bool is_one_of(const char *name, size_t count, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (scan_equal(name, count, words[i]))
            return true;
    }
    return false;
}

size_t scan_name_length(const char *at, const char *end)
{
    size_t length = 0;
    while (at + length < end && !is_space(at[length]) && at[length] != '>' && at[length] != '/')
        length++;
    return length;
}

const char *scan_tag_end(const char *at, const char *end)
{
    char quote = '\0', before = '\0';
    for (; at < end; at++) {
        if (quote) {
            if (*at == quote)
                quote = '\0';
        } else if ((*at == '"' || *at == '\'') && before == '=') {
            quote = *at;
        } else if (*at == '>') {
            return at + 1;
        }
        if (!is_space(*at))
            before = *at;
    }
    return end;
}

const char *scan_text_end(const char *at, const char *end, const char *name, size_t count)
{
    while (at < end) {
        at = memchr(at, '<', (size_t)(end - at));
        if (!at)
            return end;
        const char *after = at + 2 + count;
        if (after < end && at[1] == '/' && (is_space(*after) || *after == '>' || *after == '/')) {
            char word[NAME_BYTES_MAX];
            assert(count < sizeof word);
            memcpy(word, name, count);
            word[count] = '\0';
            if (scan_equal(at + 2, count, word))
                return at;
        }
        at++;
    }
    return end;
}

const char *scan_comment_end(const char *at, const char *end)
{
    const char *found = memmem(at, (size_t)(end - at), "-->", 3);
    return found ? found + 3 : end;
}

static void blank(char *from, const char *to)
{
    assert(from <= to);
    memset(from, ' ', (size_t)(to - from));
}

bool scan_is_tag(const char *at, const char *end)
{
    assert(at < end && *at == '<');
    const char *name = at + (end - at >= 2 && at[1] == '/' ? 2 : 1);
    return name < end && is_letter(*name);
}

size_t scan_prepare(char *bytes, size_t bytes_count)
{
    static const char *const voids[] = {"area",  "base",   "br",    "col",  "embed",
                                        "hr",    "img",    "input", "link", "meta",
                                        "param", "source", "track", "wbr",  NULL};
    static const char *const texts[] = {"script", "style",   "textarea", "title",    "xmp",
                                        "iframe", "noembed", "noframes", "noscript", NULL};
    const char *at = bytes, *end = bytes + bytes_count;
    size_t depth = 0, depth_max = 0;
    while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
            at = scan_comment_end(at + 4, end);
            continue;
        }
        if (!scan_is_tag(at, end)) {
            at++;
            continue;
        }
        bool closes = at[1] == '/';
        const char *name = at + (closes ? 2 : 1);
        size_t count = scan_name_length(name, end);
        at = scan_tag_end(name + count, end);
        if (closes) {
            depth -= depth > 0 ? 1 : 0;
        } else if (is_one_of(name, count, texts)) {
            const char *text = at;
            at = scan_text_end(at, end, name, count);
            if (scan_equal(name, count, "noscript"))
                blank(bytes + (text - bytes), at);
            depth++; /* Its end tag is read next. */
        } else if (!is_one_of(name, count, voids)) {
            depth++;
        }
        depth_max = depth > depth_max ? depth : depth_max;
    }
    return depth_max;
}
