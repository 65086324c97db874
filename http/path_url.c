/* path_url.c: from a request target to the URL it means; see path_url.h. */
#include "http/path_url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "http/text.h"
#include "http/url.h"

#define FRAGMENT_NAME "_escaped_fragment_"

/* Length of "http" or "https", 0 for anything else. */
static size_t scheme_length(const char *text)
{
    if (strncasecmp(text, "http", 4) != 0)
        return 0;
    return text[4] == 's' || text[4] == 'S' ? 5 : 4;
}

static bool is_encoded(const char *text)
{
    size_t scheme = scheme_length(text);
    return scheme > 0 && strncasecmp(text + scheme, "%3A", 3) == 0;
}

bool path_url_is_one(const char *target)
{
    if (target[0] != '/')
        return false;
    size_t scheme = scheme_length(target + 1);
    return scheme > 0 && (strncmp(target + 1 + scheme, ":/", 2) == 0 || is_encoded(target + 1));
}

/* The value of an upper-case hexadecimal digit; -1: none. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* True when nginx, re-encoding a rewritten path, writes this byte as an escape. */
static bool nginx_escapes(int byte)
{
    return byte < 0x20 || byte >= 0x7f || strchr("%?# \"<>\\^`{|}", byte) != NULL;
}

/* There is an escape that nginx would not have written: nobody has encoded this again. */
static bool has_foreign_escape(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
        int high = digit(at[1]), low = high >= 0 ? digit(at[2]) : -1;
        if (low < 0 || !nginx_escapes(high * 16 + low))
            return true;
    }
    return false;
}

static bool is_hex(char c)
{
    return digit(c) >= 0 || (c >= 'a' && c <= 'f');
}

/* "%3F", "%23", or an escaped escape. */
static bool looks_encoded_twice(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
        if (strncasecmp(at, "%3F", 3) == 0 || strncmp(at, "%23", 3) == 0)
            return true;
        if (strncmp(at, "%25", 3) == 0 && is_hex(at[3]) && is_hex(at[4]))
            return true;
    }
    return false;
}

/* The first rule that matches decides. */
static bool is_to_be_decoded(const char *text, const char *int_type, enum url_decoding decoding)
{
    if (is_encoded(text))
        return true;
    if (decoding != URL_DECODING_AUTO)
        return decoding == URL_DECODING_ONCE;
    if (strchr(text, '?') || has_foreign_escape(text))
        return false;
    if (int_type && int_type[0])
        return strncasecmp(int_type, "Nginx", 5) == 0;
    return looks_encoded_twice(text);
}

/* A growing position in a buffer that is known to be large enough. */
struct writer {
    char *at, *end;
};

static void put(struct writer *writer, const char *bytes, size_t count)
{
    assert(count <= (size_t)(writer->end - writer->at));
    memcpy(writer->at, bytes, count);
    writer->at += count;
}

/* Encodes what a URL cannot hold. Control bytes stay, and are refused later. */
static void put_clean(struct writer *writer, const char *bytes, size_t count)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool is_control = c < 0x20 || c == 0x7f;
        bool is_bare_hash = c == '#' && !(i + 1 < count && bytes[i + 1] == '!');
        if (is_control || !(c >= 0x7f || is_bare_hash || strchr(" \"<>`{}\\^|", c))) {
            put(writer, &bytes[i], 1);
        } else {
            const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
            put(writer, escape, sizeof(escape));
        }
    }
}

/* The parameter "_escaped_fragment_" at the start of a pair, or NULL. */
static const char *find_fragment(const char *query)
{
    size_t length = strlen(FRAGMENT_NAME);
    for (const char *at = strstr(query, FRAGMENT_NAME); at; at = strstr(at + 1, FRAGMENT_NAME)) {
        bool begins = at == query || at[-1] == '&' || at[-1] == '?';
        if (begins && (at[length] == '=' || at[length] == '&' || at[length] == '\0'))
            return at;
    }
    return NULL;
}

/* Writes the query without the parameter at `fragment` and without empty pairs, then the
 * fragment. A second '?' before it came from middleware that did not see the first. */
static bool put_query(struct writer *writer, char *query, char *fragment, struct fault *fault)
{
    size_t length = strlen(FRAGMENT_NAME), count = 0;
    char *value = fragment + length + (fragment[length] == '=' ? 1 : 0);
    size_t value_bytes = strcspn(value, "&");
    const char *rest = value + value_bytes;
    bool is_first = true;
    if (fragment > query && fragment[-1] == '?')
        fragment[-1] = '&';
    const char *parts[] = {query, rest}, *ends[] = {fragment, rest + strlen(rest)};
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = parts[i]; at < ends[i];) {
            const char *end = memchr(at, '&', (size_t)(ends[i] - at));
            end = end ? end : ends[i];
            if (end > at) {
                put(writer, is_first ? "?" : "&", 1);
                put_clean(writer, at, (size_t)(end - at));
                is_first = false;
            }
            at = end + 1;
        }
    }
    if (value_bytes == 0)
        return true;
    if (!text_percent_decode(value, value_bytes, false, value, &count))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"_escaped_fragment_\" has a broken percent-escape.");
    put(writer, "#!", 2);
    put_clean(writer, value, count);
    return true;
}

/* From the decoded text, NUL-terminated, to the URL. */
static bool compose(char *text, struct writer *writer, struct fault *fault)
{
    size_t scheme = scheme_length(text);
    const char *rest = text + scheme + 1;
    if (scheme == 0 || text[scheme] != ':' || rest[0] != '/')
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "The path is no URL; it must be http://HOST/PATH or https://HOST/PATH.");
    put(writer, "https", scheme);
    put(writer, "://", 3);
    rest += strspn(rest, "/"); /* Proxies merge slashes. */
    char *mark = strchr(rest, '?');
    char *fragment = NULL;
    if (mark) {
        const char *found = find_fragment(mark + 1);
        fragment = found ? mark + 1 + (found - (mark + 1)) : NULL;
    }
    if (!fragment) {
        put_clean(writer, rest, strlen(rest));
        return true;
    }
    put_clean(writer, rest, (size_t)(mark - rest));
    return put_query(writer, mark + 1, fragment, fault);
}

static bool extract(char *text, const char *int_type, enum url_decoding decoding,
                    struct writer *writer, bool *ret_decoded, struct fault *fault)
{
    size_t count = strlen(text);
    *ret_decoded = is_to_be_decoded(text, int_type, decoding);
    if (is_encoded(text)) /* What follows a literal '?' is an option of the service. */
        count = strcspn(text, "?");
    if (*ret_decoded && !text_percent_decode(text, count, false, text, &count))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "The URL in the path has a broken percent-escape.");
    if (memchr(text, '\0', count))
        return fault_set(fault, HTTP_INVALID_URL, "url", "The URL in the path holds a NUL.");
    text[count] = '\0';
    return compose(text, writer, fault);
}

char *path_url_find(const char *target, const char *int_type, enum url_decoding decoding,
                    size_t url_bytes_max, bool *ret_decoded, struct fault *fault)
{
    assert(path_url_is_one(target));
    size_t size = 3 * strlen(target) + 16;
    char *text = strdup(target + 1), *url = malloc(size);
    struct writer writer = {url, url ? url + size : NULL};
    bool valid = text && url;
    if (!valid)
        (void)fault_set(fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
    valid = valid && extract(text, int_type, decoding, &writer, ret_decoded, fault);
    if (valid) {
        *writer.at = '\0';
        valid = url_check(url, (size_t)(writer.at - url), url_bytes_max, fault);
    }
    free(text);
    if (!valid) {
        free(url);
        return NULL;
    }
    return url;
}
