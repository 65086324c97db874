/* message.c: finds the parts of one CDP message in its text, and puts one together.
 *
 * The scan is iterative and looks at every byte once. It checks what it needs in order to
 * find the parts: strings that end, brackets that match, nothing after the object. What is
 * inside a nested value is checked by jansson when, and if, somebody asks for the tree. */
#include "cdp/message.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Chromium's own parser stops at 300 levels, so nothing it sends is deeper. */
#define DEPTH_MAX 512

struct cursor {
    char *at, *end;
};

struct member {
    struct cdp_span key, value; /* A string value is without its quotes. */
    bool is_string;
};

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t' ||
                                        *cursor->at == '\n' || *cursor->at == '\r')) {
        cursor->at++;
    }
}

/* Consumes `c`, after white space. */
static bool take_char(struct cursor *cursor, char c)
{
    skip_space(cursor);
    if (cursor->at == cursor->end || *cursor->at != c) {
        return false;
    }
    cursor->at++;
    return true;
}

/* True when an odd number of backslashes stands before `at`. The runs before different
 * quotes do not overlap, so that all calls together stay linear. */
static bool is_escaped(const char *start, const char *at)
{
    const char *p = at;

    while (p > start && p[-1] == '\\') {
        p--;
    }
    return (at - p) % 2 == 1;
}

/* Consumes a string whose opening quote has been consumed. */
static bool take_string(struct cursor *cursor, struct cdp_span *ret)
{
    char *start = cursor->at, *quote = cursor->at;

    for (;;) {
        quote = memchr(quote, '"', (size_t)(cursor->end - quote));
        if (quote == NULL) {
            return false;
        }
        if (!is_escaped(start, quote)) {
            break;
        }
        quote++;
    }
    *ret = (struct cdp_span){start, (size_t)(quote - start)};
    cursor->at = quote + 1;
    return true;
}

/* The brackets that are open, innermost last: one bit each, set for '{'. */
struct nesting {
    uint64_t bits[DEPTH_MAX / 64];
    size_t depth;
};

static bool nesting_open(struct nesting *nesting, bool is_object)
{
    if (nesting->depth == DEPTH_MAX) {
        return false;
    }
    uint64_t bit = UINT64_C(1) << (nesting->depth % 64);
    uint64_t *word = &nesting->bits[nesting->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    nesting->depth++;
    return true;
}

static bool nesting_close(struct nesting *nesting, bool is_object)
{
    assert(nesting->depth > 0);
    nesting->depth--;
    return ((nesting->bits[nesting->depth / 64] >> (nesting->depth % 64)) & 1) == is_object;
}

/* Consumes a whole object or array; the cursor is at its opening bracket. */
static bool take_container(struct cursor *cursor)
{
    struct nesting nesting = {.depth = 0};
    struct cdp_span ignored;

    do {
        if (cursor->at == cursor->end) {
            return false;
        }
        char c = *cursor->at++;
        bool fine = true;
        if (c == '"') {
            fine = take_string(cursor, &ignored);
        } else if (c == '{' || c == '[') {
            fine = nesting_open(&nesting, c == '{');
        } else if (c == '}' || c == ']') {
            fine = nesting_close(&nesting, c == '}');
        }
        if (!fine) {
            return false;
        }
    } while (nesting.depth > 0);
    return true;
}

static bool is_literal_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' ||
           c == '.';
}

/* Consumes a number, true, false or null. */
static bool take_literal(struct cursor *cursor)
{
    const char *start = cursor->at;

    while (cursor->at < cursor->end && is_literal_char(*cursor->at)) {
        cursor->at++;
    }
    return cursor->at > start;
}

static bool take_value(struct cursor *cursor, struct member *member)
{
    skip_space(cursor);
    if (cursor->at == cursor->end) {
        return false;
    }
    member->is_string = *cursor->at == '"';
    if (member->is_string) {
        cursor->at++;
        return take_string(cursor, &member->value);
    }
    char *start = cursor->at;
    bool is_container = *start == '{' || *start == '[';
    bool fine = is_container ? take_container(cursor) : take_literal(cursor);
    member->value = (struct cdp_span){start, (size_t)(cursor->at - start)};
    return fine;
}

enum step { STEP_MEMBER, STEP_END, STEP_MALFORMED };

/* Consumes the next member of an object whose '{' has been consumed, or its '}'. */
static enum step take_member(struct cursor *cursor, bool is_first, struct member *ret)
{
    if (take_char(cursor, '}')) {
        return STEP_END;
    }
    bool fine = (is_first || take_char(cursor, ',')) && take_char(cursor, '"') &&
                take_string(cursor, &ret->key) && take_char(cursor, ':') && take_value(cursor, ret);
    return fine ? STEP_MEMBER : STEP_MALFORMED;
}

static bool span_is(struct cdp_span span, const char *text)
{
    return span.bytes == strlen(text) && memcmp(span.at, text, span.bytes) == 0;
}

/* Reads an id: digits only, greater than 0, and small enough for 64 bits. */
static bool read_id(struct cdp_span span, uint64_t *ret)
{
    uint64_t id = 0;

    if (span.bytes == 0 || span.bytes > 18) {
        return false;
    }
    for (size_t i = 0; i < span.bytes; i++) {
        if (span.at[i] < '0' || span.at[i] > '9') {
            return false;
        }
        id = id * 10 + (uint64_t)(span.at[i] - '0');
    }
    *ret = id;
    return id > 0;
}

/* Puts one member of the envelope where it belongs. False when it has the wrong type or
 * stands there twice. Members we do not know are of no interest. */
static bool note_member(struct cdp_message *message, const struct member *member)
{
    bool is_error = span_is(member->key, "error");

    if (is_error || span_is(member->key, "params") || span_is(member->key, "result")) {
        if (message->body.at != NULL || member->is_string || *member->value.at != '{') {
            return false;
        }
        message->body = member->value;
        message->is_error = is_error;
        return true;
    }
    if (span_is(member->key, "id")) {
        return message->id == 0 && !member->is_string && read_id(member->value, &message->id);
    }
    if (span_is(member->key, "method")) {
        bool fine = message->method.at == NULL && member->is_string && member->value.bytes > 0;
        message->method = member->value;
        return fine;
    }
    if (span_is(member->key, "sessionId")) {
        bool fine = message->session.at == NULL && member->is_string;
        message->session = member->value;
        return fine;
    }
    return true;
}

/* A reply has an id and a body, an event has a method; nothing is both. */
static bool is_complete(const struct cdp_message *message)
{
    if (message->id != 0) {
        return message->method.at == NULL && message->body.at != NULL;
    }
    return message->method.at != NULL && !message->is_error;
}

int message_scan(char *text, size_t bytes, struct cdp_message *ret)
{
    struct cursor cursor = {text, text + bytes};
    struct cdp_message message = {.id = 0};
    struct member member;
    enum step step = STEP_MALFORMED;

    assert(text != NULL);
    if (!take_char(&cursor, '{')) {
        return -EBADMSG;
    }
    for (bool is_first = true;; is_first = false) {
        step = take_member(&cursor, is_first, &member);
        if (step != STEP_MEMBER) {
            break;
        }
        if (!note_member(&message, &member)) {
            return -EBADMSG;
        }
    }
    skip_space(&cursor);
    if (step != STEP_END || cursor.at != cursor.end || !is_complete(&message)) {
        return -EBADMSG;
    }
    *ret = message;
    return 0;
}

bool message_refuse_cut(const char *start, char error[MESSAGE_CUT_BYTES], struct cdp_message *ret)
{
    static const char head[] = "{\"id\":";
    static const char why[] = "{\"code\":-32000,\"message\":\"the reply is too large\"}";

    if (strncmp(start, head, sizeof head - 1) != 0)
        return false;
    memcpy(error, why, sizeof why);
    *ret = (struct cdp_message){
        .id = strtoull(start + sizeof head - 1, NULL, 10),
        .body = {error, sizeof why - 1},
        .is_error = true,
        .is_cut = true,
    };
    return ret->id != 0;
}

bool message_member(struct cdp_span body, const char *key, struct cdp_span *ret)
{
    if (body.at == NULL) {
        return false;
    }
    struct cursor cursor = {body.at, body.at + body.bytes};
    struct member member;
    if (!take_char(&cursor, '{')) {
        return false;
    }
    for (bool is_first = true; take_member(&cursor, is_first, &member) == STEP_MEMBER;
         is_first = false) {
        if (span_is(member.key, key)) {
            *ret = member.value;
            return true;
        }
    }
    return false;
}

json_t *message_tree(struct cdp_span body)
{
    if (body.at == NULL) {
        return NULL;
    }
    return json_loadb(body.at, body.bytes, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

char *message_format(uint64_t id, const char *method, const json_t *params, const char *session,
                     size_t *ret_bytes)
{
    assert(id > 0 && id <= INT32_MAX);
    assert(method != NULL && *method != '\0');
    json_t *root = json_pack("{s:I, s:s}", "id", (json_int_t)id, "method", method);
    if (root == NULL) {
        return NULL;
    }
    /* jansson counts references in the tree, which it therefore wants unconst; the
     * reference taken here is given back by the decref below. */
    bool fine = params == NULL || json_object_set(root, "params", (json_t *)(uintptr_t)params) == 0;
    if (fine && session != NULL && *session != '\0') {
        fine = json_object_set_new(root, "sessionId", json_string(session)) == 0;
    }
    char *text = fine ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (text != NULL) {
        *ret_bytes = strlen(text);
    }
    return text;
}
