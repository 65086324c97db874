/* accept.c: a parser of Accept values; see accept.h. */
#include "http/accept.h"

#include <assert.h>
#include <string.h>
#include "http/text.h"

/* How well one media type is accepted. */
struct match {
    int quality;   /* Thousandths, 0..1000. */
    int exactness; /* 0: not named, 1: by a full wildcard, 2: by its type, 3: by name. */
};

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

/* A weight in thousandths; a malformed one counts as 1, as if it were not there. */
static int quality_parse(const char *text)
{
    if (text[0] == '1')
        return 1000;
    if (text[0] != '0')
        return 1000;
    int quality = 0, scale = 100;
    if (text[1] != '.')
        return 0;
    for (const char *at = text + 2; *at >= '0' && *at <= '9' && scale > 0; at++) {
        quality += (*at - '0') * scale;
        scale /= 10;
    }
    return quality;
}

/* Reads the parameters after a media range up to the end of the item. */
static const char *parameters_read(const char *at, int *ret_quality)
{
    *ret_quality = 1000;
    while (*at && *at != ',') {
        if (*at != ';') {
            at++;
            continue;
        }
        at = skip_spaces(at + 1);
        if ((at[0] == 'q' || at[0] == 'Q') && at[1] == '=')
            *ret_quality = quality_parse(at + 2);
    }
    return at;
}

static int exactness_of(const char *range, size_t count, const char *type, const char *subtype)
{
    const char *slash = memchr(range, '/', count);
    if (!slash)
        return count == 1 && range[0] == '*' ? 1 : 0;
    size_t type_bytes = (size_t)(slash - range);
    size_t subtype_bytes = count - type_bytes - 1;
    bool any_subtype = subtype_bytes == 1 && slash[1] == '*';
    if (type_bytes == 1 && range[0] == '*')
        return any_subtype ? 1 : 0;
    if (!text_equal_nocase(range, type_bytes, type))
        return 0;
    if (any_subtype)
        return 2;
    return text_equal_nocase(slash + 1, subtype_bytes, subtype) ? 3 : 0;
}

/* The most exact range decides, whatever its quality: that is how one type is excluded. */
static struct match match_of(const char *accept, const char *type, const char *subtype)
{
    struct match best = {0, 0};
    const char *at = accept;
    while (*at) {
        at = skip_spaces(at);
        size_t count = strcspn(at, " \t;,");
        const char *range = at;
        struct match match = {0, 0};
        at = parameters_read(at + count, &match.quality);
        match.exactness = count > 0 ? exactness_of(range, count, type, subtype) : 0;
        bool better = match.exactness > best.exactness ||
                      (match.exactness == best.exactness && match.quality > best.quality);
        if (match.exactness > 0 && better)
            best = match;
        if (*at == ',')
            at++;
    }
    assert(best.quality >= 0 && best.quality <= 1000);
    return best;
}

/* Preferred to another type: by quality, and at the same quality by being named. */
static bool is_better(struct match match, struct match other)
{
    if (match.quality != other.quality)
        return match.quality > other.quality;
    return match.exactness > other.exactness;
}

static bool is_blank(const char *accept)
{
    return *skip_spaces(accept) == '\0';
}

bool accept_allows(const char *accept, const char *type, const char *subtype)
{
    return is_blank(accept) || match_of(accept, type, subtype).quality > 0;
}

bool accept_choose(const char *accept, const char *type, const char *subtype, enum http_accept *ret)
{
    *ret = HTTP_ACCEPT_DOCUMENT;
    if (is_blank(accept))
        return true;
    struct match itself = match_of(accept, type, subtype);
    struct match json = match_of(accept, "application", "json");
    if (itself.quality == 0 && json.quality == 0)
        return false;
    /* An output that is JSON itself needs no envelope around it, unless that is asked for by
     * name. */
    bool is_json = strcmp(type, "application") == 0 && strcmp(subtype, "json") == 0;
    if (is_json ? json.exactness == 3 : is_better(json, itself))
        *ret = HTTP_ACCEPT_ENVELOPE;
    return true;
}

bool accept_prefers_plain(const char *accept)
{
    struct match plain = match_of(accept, "text", "plain");
    struct match problem = match_of(accept, "application", "problem+json");
    struct match json = match_of(accept, "application", "json");
    return is_better(plain, problem) && is_better(plain, json);
}

bool accept_prefers_html(const char *accept)
{
    struct match html = match_of(accept, "text", "html");
    struct match json = match_of(accept, "application", "json");
    return html.quality > 0 && html.exactness == 3 && !is_better(json, html);
}

bool accept_lists_gzip(const char *accept_encoding)
{
    bool any = false;
    const char *at = accept_encoding;
    while (*at) {
        at = skip_spaces(at);
        size_t count = strcspn(at, " \t;,");
        const char *coding = at;
        int quality;
        at = parameters_read(at + count, &quality);
        if (text_equal_nocase(coding, count, "gzip") || text_equal_nocase(coding, count, "x-gzip"))
            return quality > 0;
        if (count == 1 && coding[0] == '*')
            any = quality > 0;
        if (*at == ',')
            at++;
    }
    return any;
}
