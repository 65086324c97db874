/* selector.h: the grammar of CSS selectors that a document can be searched with after it was
 * captured. Pure.
 *
 *   list      a, b                     compound  tag * #id .class [attribute]
 *   combined  a b   a > b   a + b   a ~ b
 *   attribute [a] [a=v] [a~=v] [a|=v] [a^=v] [a$=v] [a*=v], v a name or quoted, i for any case
 *
 * Names and strings may hold escapes. Pseudo-classes, pseudo-elements and namespaces are
 * refused: most of them ask about a live page. */
#ifndef CONFIG_SELECTOR_H
#define CONFIG_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

/* Longest text; also bounds the texts that are kept, since none grows by being read. */
#define SELECTOR_BYTES_MAX 1024
#define SELECTOR_TESTS_MAX 64
#define SELECTOR_COMPOUNDS_MAX 32

enum selector_test_type {
    SELECTOR_TYPE,     /* .name is the tag, in any case. */
    SELECTOR_ID,       /* .name is the value of id. */
    SELECTOR_CLASS,    /* .name is one of the words of class. */
    SELECTOR_PRESENT,  /* The attribute .name is there; below, its value is looked at: */
    SELECTOR_EQUAL,    /* = */
    SELECTOR_WORD,     /* ~= one of its words */
    SELECTOR_DASH,     /* |= it, or it and a dash at the start */
    SELECTOR_START,    /* ^= */
    SELECTOR_END,      /* $= */
    SELECTOR_CONTAINS, /* *= */
};

/* Offsets of NUL-terminated texts in struct selector. */
struct selector_test {
    enum selector_test_type type;
    bool any_case;
    size_t name, value;
};

/* How to get from a compound to the one on its left. */
enum selector_combinator {
    SELECTOR_FIRST, /* There is none: the leftmost of its alternative. */
    SELECTOR_DESCENDANT,
    SELECTOR_CHILD,
    SELECTOR_ADJACENT,
    SELECTOR_SIBLING,
};

/* All its tests must hold; none: any element. */
struct selector_compound {
    enum selector_combinator combinator;
    size_t tests, tests_count;
};

/* The compounds of its alternatives one after the other, each from left to right. */
struct selector {
    struct selector_test tests[SELECTOR_TESTS_MAX];
    struct selector_compound compounds[SELECTOR_COMPOUNDS_MAX];
    size_t tests_count, compounds_count;
    char text[2 * SELECTOR_BYTES_MAX]; /* Every name gets a NUL. */
    size_t text_bytes;
};

/* NULL when `text` is a selector; else what is wrong with it, to follow "at byte N"; static.
 * *ret_at is that byte. */
const char *selector_parse(const char *text, size_t bytes, struct selector *ret, size_t *ret_at);

#endif
