/* glob.h: the one grammar of patterns: `*` stands for anything, also for nothing; every other
 * character for itself. A pattern is matched against the whole text. Pure. */
#ifndef CDP_GLOB_H
#define CDP_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Stars of one pattern whose matches are told. */
#define GLOB_STARS_MAX 8

struct glob_match {
    struct {
        const char *at;
        size_t bytes;
    } stars[GLOB_STARS_MAX]; /* What each star stands for; later ones are not told. */
    size_t count;
};

bool glob_matches(const char *pattern, const char *text);
/* The same, and what the stars stand for: as little as possible, the last one the rest. */
bool glob_match(const char *pattern, const char *text, struct glob_match *ret);
/* `text` with each `*` replaced by what the star of the same place stands for; from malloc(),
 * NULL when memory is out. */
char *glob_fill(const char *text, const struct glob_match *);

#endif
