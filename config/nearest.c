/* nearest.c: the edit distance of Levenshtein, over two rows of bounded length. */
#include "config/nearest.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t bounded_length(const char *text)
{
    return strnlen(text, NEAREST_BYTES_MAX);
}

static size_t distance(const char *a, const char *b)
{
    size_t a_bytes = bounded_length(a), b_bytes = bounded_length(b);
    size_t row[NEAREST_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t replaced = diagonal + (same ? 0 : 1);
            diagonal = row[j];
            row[j] = min_of(replaced, 1 + min_of(row[j], row[j - 1]));
        }
    }
    assert(row[b_bytes] <= NEAREST_BYTES_MAX);
    return row[b_bytes];
}

size_t nearest_distance(const char *given, const char *name)
{
    assert(given);
    assert(name);
    size_t whole = distance(given, name);
    const char *dot = strrchr(name, '.');
    /* One more than the part's own distance, so that an exact name always wins. */
    return dot ? min_of(whole, 1 + distance(given, dot + 1)) : whole;
}
