/* match.h: whether an element of a tree is what a selector says. Pure. */
#ifndef DOCUMENT_MATCH_H
#define DOCUMENT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include "config/selector.h"

/* A tree of whatever parser; elements are opaque. */
struct match_tree {
    /* The nearest element of that kind; NULL: there is none. */
    const void *(*parent)(const void *element);
    const void *(*previous)(const void *element);
    /* The tag as it is written; borrowed. */
    const char *(*tag)(const void *element, size_t *ret_bytes);
    /* The value of an attribute, whose name counts in any case; NULL: it is not there. */
    const char *(*attribute)(const void *element, const char *name);
};

/* Takes time in the depth of the element times its siblings at worst. */
bool match_selector(const struct selector *, const struct match_tree *, const void *element);

#endif
