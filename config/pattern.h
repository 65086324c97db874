/* pattern.h: the one grammar of patterns that callers and operators write: text in which
 * `*` stands for any characters, none included. Everything else is itself. */
#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* The whole of `text` is what the pattern says. Takes time in bytes x pattern at worst. */
bool pattern_matches(const char *pattern, const char *text, size_t bytes);

#endif
