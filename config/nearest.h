/* nearest.h: edit distance between names, for "did you mean" in error messages. */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include <stddef.h>

/* Names longer than this are compared by their first bytes only. */
#define NEAREST_BYTES_MAX 64

/* How far `given` is from the valid name `name`: insertions, deletions and replacements,
 * letters compared without case. A dotted name may also be met by its last part alone,
 * since leaving out the section is the commonest mistake. */
size_t nearest_distance(const char *given, const char *name);

#endif
