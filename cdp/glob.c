/* glob.c: see glob.h. */
#include "cdp/glob.h"

#include <stdlib.h>
#include <string.h>

static void note_star(struct glob_match *match, size_t index, const char *at, const char *end)
{
    if (index >= GLOB_STARS_MAX)
        return;
    match->stars[index].at = at;
    match->stars[index].bytes = (size_t)(end - at);
    match->count = index + 1;
}

/* Only the last star met may have to take more: what comes before it has matched as early
 * as it can, and a later start of it would leave less text for the rest. */
bool glob_match(const char *pattern, const char *text, struct glob_match *ret)
{
    const char *after = NULL, *taken = NULL, *from = NULL;
    size_t stars = 0;

    ret->count = 0;
    while (*text != '\0' || *pattern == '*') {
        if (*pattern == '*') {
            if (after != NULL)
                note_star(ret, stars - 1, from, taken);
            stars++;
            after = ++pattern;
            from = taken = text;
        } else if (*pattern == *text && *text != '\0') {
            pattern++;
            text++;
        } else if (after != NULL) {
            pattern = after;
            text = ++taken;
        } else {
            return false;
        }
    }
    if (after != NULL)
        note_star(ret, stars - 1, from, taken);
    return *pattern == '\0';
}

bool glob_matches(const char *pattern, const char *text)
{
    struct glob_match match;

    return glob_match(pattern, text, &match);
}

char *glob_fill(const char *text, const struct glob_match *match)
{
    size_t bytes = strlen(text) + 1, star = 0;

    for (size_t i = 0; i < match->count; i++)
        bytes += match->stars[i].bytes;
    char *filled = malloc(bytes), *to = filled;
    if (filled == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        if (*text != '*') {
            *to++ = *text;
        } else if (star < match->count) {
            memcpy(to, match->stars[star].at, match->stars[star].bytes);
            to += match->stars[star++].bytes;
        }
    }
    *to = '\0';
    return filled;
}
