/* pattern.c: see pattern.h. */
#include "config/pattern.h"

#include <assert.h>

/* Only the last `*` can be worth another try: what came before it has matched as early as
 * it can, so a longer match there would leave less text for the rest. */
bool pattern_matches(const char *pattern, const char *text, size_t bytes)
{
    const char *star = NULL;
    size_t at = 0, star_at = 0;

    assert(pattern);
    while (at < bytes) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern != '\0' && *pattern == text[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
