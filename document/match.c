/* match.c: matches selectors from right to left; see match.h.
 *
 * An ancestor or an earlier sibling may be tried again further away when what is left of it
 * does not fit. Trying every one would take time beyond measure, and is not needed: when no
 * ancestor fits, none that is further away has more ancestors; when a parent does not, other
 * siblings have the same one. So each failure says how far back to go, as in the engines of
 * browsers. */
#include "document/match.h"

#include <assert.h>
#include <string.h>
#include "document/scan.h"

static bool equal(const char *a, size_t a_bytes, const char *b, bool any_case)
{
    if (any_case)
        return scan_equal(a, a_bytes, b);
    return strlen(b) == a_bytes && memcmp(a, b, a_bytes) == 0;
}

static bool has_word(const char *list, const char *word, bool any_case)
{
    while (*list) {
        list += strspn(list, " \t\r\n\f");
        size_t bytes = strcspn(list, " \t\r\n\f");
        if (bytes > 0 && equal(list, bytes, word, any_case))
            return true;
        list += bytes;
    }
    return false;
}

static bool contains(const char *text, const char *part, bool any_case)
{
    size_t bytes = strlen(part), left = strlen(text);
    for (; left >= bytes; text++, left--) {
        if (equal(text, bytes, part, any_case))
            return true;
    }
    return false;
}

/* An empty value is at no end and in no middle of any text. */
static bool value_matches(enum selector_test_type type, const char *text, const char *value,
                          bool any_case)
{
    size_t bytes = strlen(text), wanted = strlen(value);
    switch (type) {
    case SELECTOR_PRESENT:
        return true;
    case SELECTOR_EQUAL:
        return equal(text, bytes, value, any_case);
    case SELECTOR_WORD:
        return has_word(text, value, any_case);
    case SELECTOR_DASH:
        return bytes >= wanted && equal(text, wanted, value, any_case) &&
               (text[wanted] == '\0' || text[wanted] == '-');
    case SELECTOR_START:
        return wanted > 0 && bytes >= wanted && equal(text, wanted, value, any_case);
    case SELECTOR_END:
        return wanted > 0 && bytes >= wanted &&
               equal(text + bytes - wanted, wanted, value, any_case);
    case SELECTOR_CONTAINS:
        return wanted > 0 && contains(text, value, any_case);
    case SELECTOR_TYPE:
    case SELECTOR_ID:
    case SELECTOR_CLASS:
        break;
    }
    return false;
}

static bool test_matches(const struct selector *selector, const struct selector_test *test,
                         const struct match_tree *tree, const void *element)
{
    const char *name = selector->text + test->name;
    const char *text;
    size_t bytes;
    switch (test->type) {
    case SELECTOR_TYPE:
        text = tree->tag(element, &bytes);
        return equal(text, bytes, name, true);
    case SELECTOR_ID:
        text = tree->attribute(element, "id");
        return text && strcmp(text, name) == 0;
    case SELECTOR_CLASS:
        text = tree->attribute(element, "class");
        return text && has_word(text, name, false);
    case SELECTOR_PRESENT:
    case SELECTOR_EQUAL:
    case SELECTOR_WORD:
    case SELECTOR_DASH:
    case SELECTOR_START:
    case SELECTOR_END:
    case SELECTOR_CONTAINS:
        break;
    }
    text = tree->attribute(element, name);
    return text && value_matches(test->type, text, selector->text + test->value, test->any_case);
}

static bool compound_matches(const struct selector *selector,
                             const struct selector_compound *compound,
                             const struct match_tree *tree, const void *element)
{
    for (size_t i = 0; i < compound->tests_count; i++) {
        if (!test_matches(selector, &selector->tests[compound->tests + i], tree, element))
            return false;
    }
    return true;
}

static const void *step(const struct match_tree *tree, enum selector_combinator combinator,
                        const void *element)
{
    bool up = combinator == SELECTOR_DESCENDANT || combinator == SELECTOR_CHILD;
    return up ? tree->parent(element) : tree->previous(element);
}

static bool is_loose(enum selector_combinator combinator)
{
    return combinator == SELECTOR_DESCENDANT || combinator == SELECTOR_SIBLING;
}

/* The alternative whose compounds are first..last, last being the element's own. The
 * combinator of a compound leads to the one on its left, which is looked for. */
static bool match_alternative(const struct selector *selector, size_t first, size_t last,
                              const struct match_tree *tree, const void *element)
{
    const struct selector_compound *compounds = selector->compounds;
    const void *found[SELECTOR_COMPOUNDS_MAX];
    if (!compound_matches(selector, &compounds[last], tree, element))
        return false;
    found[last] = element;
    size_t at = last;
    const void *candidate = at > first ? step(tree, compounds[at].combinator, element) : NULL;
    while (at > first) {
        enum selector_combinator how = compounds[at].combinator;
        while (candidate && !compound_matches(selector, &compounds[at - 1], tree, candidate))
            candidate = is_loose(how) ? step(tree, how, candidate) : NULL;
        if (candidate) {
            found[--at] = candidate;
            if (at > first)
                candidate = step(tree, compounds[at].combinator, candidate);
            continue;
        }
        if (how == SELECTOR_DESCENDANT)
            return false;
        bool any = how == SELECTOR_ADJACENT;
        do {
            if (at++ == last)
                return false;
        } while (compounds[at].combinator != SELECTOR_DESCENDANT &&
                 !(any && compounds[at].combinator == SELECTOR_SIBLING));
        candidate = step(tree, compounds[at].combinator, found[at - 1]);
    }
    return true;
}

bool match_selector(const struct selector *selector, const struct match_tree *tree,
                    const void *element)
{
    assert(selector->compounds_count > 0);
    for (size_t last = 0, first = 0; last < selector->compounds_count; last++) {
        bool ends = last + 1 == selector->compounds_count ||
                    selector->compounds[last + 1].combinator == SELECTOR_FIRST;
        if (ends && match_alternative(selector, first, last, tree, element))
            return true;
        if (ends)
            first = last + 1;
    }
    return false;
}
