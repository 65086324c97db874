/* selector.c: a parser of CSS selectors; see selector.h. */
#include "config/selector.h"

#include <assert.h>
#include <string.h>

/* `error` is set once, and everything after it does nothing. */
struct parser {
    const char *at, *end;
    struct selector *selector;
    const char *error;
};

static bool fail(struct parser *parser, const char *error)
{
    if (!parser->error) {
        parser->error = error;
    }
    return false;
}

static char peek(const struct parser *parser)
{
    return parser->at < parser->end ? *parser->at : '\0';
}

static bool take(struct parser *parser, char c)
{
    bool there = parser->at < parser->end && *parser->at == c;
    parser->at += there;
    return there;
}

static bool skip_blanks(struct parser *parser)
{
    const char *start = parser->at;
    while (parser->at < parser->end && memchr(" \t\r\n\f", *parser->at, 5)) {
        parser->at++;
    }
    return parser->at > start;
}

static void put(struct parser *parser, char c)
{
    struct selector *selector = parser->selector;
    assert(selector->text_bytes < sizeof selector->text);
    selector->text[selector->text_bytes++] = c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_name_byte(char c)
{
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* At most half as long again as its escape: \0 becomes U+FFFD. */
static void put_code_point(struct parser *parser, unsigned code)
{
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        code = 0xfffd;
    }
    if (code < 0x80) {
        put(parser, (char)code);
    } else if (code < 0x800) {
        put(parser, (char)(0xc0 | code >> 6));
        put(parser, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        put(parser, (char)(0xe0 | code >> 12));
        put(parser, (char)(0x80 | (code >> 6 & 0x3f)));
        put(parser, (char)(0x80 | (code & 0x3f)));
    } else {
        put(parser, (char)(0xf0 | code >> 18));
        put(parser, (char)(0x80 | (code >> 12 & 0x3f)));
        put(parser, (char)(0x80 | (code >> 6 & 0x3f)));
        put(parser, (char)(0x80 | (code & 0x3f)));
    }
}

/* Behind a backslash: a character, or up to six digits and a blank. */
static bool take_escape(struct parser *parser)
{
    unsigned code = 0;
    int digits = 0;
    if (parser->at == parser->end || *parser->at == '\n') {
        return fail(parser, "there is nothing behind the backslash");
    }
    for (int digit; digits < 6 && (digit = hex_value(peek(parser))) >= 0; digits++) {
        code = code * 16 + (unsigned)digit;
        parser->at++;
    }
    if (digits == 0) {
        put(parser, *parser->at++);
        return true;
    }
    put_code_point(parser, code);
    if (parser->at < parser->end && memchr(" \t\r\n\f", *parser->at, 5)) {
        parser->at++;
    }
    return true;
}

/* A name begins with neither a digit nor a dash and a digit, but for an id's after its #. */
static bool take_name(struct parser *parser, size_t *ret)
{
    const char *start = parser->at;
    *ret = parser->selector->text_bytes;
    const char *first = start + (start < parser->end && *start == '-');
    if (first < parser->end && is_digit(*first)) {
        return fail(parser, "a name cannot begin with a digit");
    }
    while (parser->at < parser->end && !parser->error) {
        if (is_name_byte(*parser->at)) {
            put(parser, *parser->at++);
        } else if (!take(parser, '\\') || !take_escape(parser)) {
            break;
        }
    }
    put(parser, '\0');
    return !parser->error && (parser->at > start || fail(parser, "a name is missing"));
}

static bool take_string(struct parser *parser, char quote, size_t *ret)
{
    *ret = parser->selector->text_bytes;
    while (parser->at < parser->end && *parser->at != quote && !parser->error) {
        if (!take(parser, '\\')) {
            put(parser, *parser->at++);
        } else if (!take(parser, '\n')) {
            (void)take_escape(parser);
        }
    }
    put(parser, '\0');
    return !parser->error && (take(parser, quote) || fail(parser, "the string does not end"));
}

static bool add_test(struct parser *parser, const struct selector_test *test)
{
    struct selector *selector = parser->selector;
    if (selector->tests_count == SELECTOR_TESTS_MAX) {
        return fail(parser, "the selector has too many parts");
    }
    selector->tests[selector->tests_count++] = *test;
    selector->compounds[selector->compounds_count - 1].tests_count++;
    return true;
}

static bool take_operator(struct parser *parser, enum selector_test_type *ret)
{
    static const char signs[] = "~|^$*";
    if (take(parser, '=')) {
        *ret = SELECTOR_EQUAL;
        return true;
    }
    const char *sign = parser->at < parser->end ? memchr(signs, *parser->at, 5) : NULL;
    if (!sign || parser->end - parser->at < 2 || parser->at[1] != '=') {
        return fail(parser, "an operator such as = or *= or a ] is missing");
    }
    parser->at += 2;
    *ret = (enum selector_test_type)(SELECTOR_WORD + (sign - signs));
    return true;
}

/* Behind the [. */
static bool take_attribute(struct parser *parser)
{
    struct selector_test test = {.type = SELECTOR_PRESENT};
    skip_blanks(parser);
    if (!take_name(parser, &test.name)) {
        return false;
    }
    skip_blanks(parser);
    if (!take(parser, ']')) {
        if (!take_operator(parser, &test.type)) {
            return false;
        }
        skip_blanks(parser);
        char quote = peek(parser);
        bool is_quoted = quote == '"' || quote == '\'';
        parser->at += is_quoted;
        if (!(is_quoted ? take_string(parser, quote, &test.value)
                        : take_name(parser, &test.value))) {
            return false;
        }
        skip_blanks(parser);
        test.any_case = take(parser, 'i') || take(parser, 'I');
        (void)(test.any_case || take(parser, 's') || take(parser, 'S'));
        skip_blanks(parser);
        if (!take(parser, ']')) {
            return fail(parser, "a ] is missing");
        }
    }
    return add_test(parser, &test);
}

/* One test that is not the tag. False at its end, or on an error. */
static bool take_test(struct parser *parser)
{
    struct selector_test test = {.type = SELECTOR_ID};
    if (take(parser, '[')) {
        return take_attribute(parser);
    }
    if (peek(parser) == ':') {
        return fail(parser, "pseudo-classes and pseudo-elements are not supported");
    }
    if (peek(parser) == '|') {
        return fail(parser, "namespaces are not supported");
    }
    if (take(parser, '.')) {
        test.type = SELECTOR_CLASS;
    } else if (!take(parser, '#')) {
        return false;
    }
    return take_name(parser, &test.name) && add_test(parser, &test);
}

static void take_compound(struct parser *parser, enum selector_combinator combinator)
{
    struct selector *selector = parser->selector;
    struct selector_test test = {.type = SELECTOR_TYPE};
    const char *start = parser->at;
    if (selector->compounds_count == SELECTOR_COMPOUNDS_MAX) {
        (void)fail(parser, "the selector has too many parts");
        return;
    }
    selector->compounds[selector->compounds_count++] =
        (struct selector_compound){.combinator = combinator, .tests = selector->tests_count};
    bool is_name = is_name_byte(peek(parser)) || peek(parser) == '\\';
    if (!take(parser, '*') && is_name && take_name(parser, &test.name)) {
        (void)add_test(parser, &test);
    }
    while (!parser->error && take_test(parser)) {
    }
    if (parser->at == start) {
        (void)fail(parser, "a tag, #id, .class or [attribute] is missing");
    }
}

static enum selector_combinator take_combinator(struct parser *parser, bool had_blanks)
{
    enum selector_combinator combinator = had_blanks ? SELECTOR_DESCENDANT : SELECTOR_FIRST;
    if (take(parser, '>')) {
        combinator = SELECTOR_CHILD;
    } else if (take(parser, '+')) {
        combinator = SELECTOR_ADJACENT;
    } else if (take(parser, '~')) {
        combinator = SELECTOR_SIBLING;
    }
    skip_blanks(parser);
    return combinator;
}

const char *selector_parse(const char *text, size_t bytes, struct selector *ret, size_t *ret_at)
{
    struct parser parser = {.at = text, .end = text + bytes, .selector = ret};
    *ret_at = 0;
    if (bytes > SELECTOR_BYTES_MAX || memchr(text, '\0', bytes)) {
        return "the selector is too long, or holds a NUL";
    }
    ret->tests_count = ret->compounds_count = ret->text_bytes = 0;
    skip_blanks(&parser);
    take_compound(&parser, SELECTOR_FIRST);
    while (!parser.error) {
        bool had_blanks = skip_blanks(&parser);
        if (parser.at == parser.end) {
            return NULL;
        }
        if (take(&parser, ',')) {
            skip_blanks(&parser);
            take_compound(&parser, SELECTOR_FIRST);
            continue;
        }
        enum selector_combinator combinator = take_combinator(&parser, had_blanks);
        if (combinator == SELECTOR_FIRST) {
            (void)fail(&parser, "this character has no place in a selector");
        } else {
            take_compound(&parser, combinator);
        }
    }
    *ret_at = (size_t)(parser.at - text);
    return parser.error;
}
