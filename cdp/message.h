/* message.h: one CDP message, in and out, without copying documents.
 *
 * Chromium's CDP JSON is pure ASCII with \uXXXX escapes, one object per message. The
 * envelope (id, method, sessionId, error, and the span of params or result) is found by
 * a scan that does not build a tree: jansson costs 12 ms per MB and rejects lone
 * surrogates. Small params and results go to jansson; a large string is unescaped in
 * place. Pure: no I/O. */
#ifndef CDP_MESSAGE_H
#define CDP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* A span of the message's own bytes; NULL when absent. */
struct cdp_span {
    char *at;
    size_t bytes;
};

struct cdp_message {
    uint64_t id;             /* 0: an event. */
    struct cdp_span method;  /* Without quotes. */
    struct cdp_span session; /* Without quotes. */
    struct cdp_span body;    /* The value of "params", "result" or "error". */
    bool is_error;
    bool is_cut; /* An error in place of a reply that was over the limit of messages. */
    /* The "outerHTML" of a reply that digest.c has read, as from message_document(); body
     * is absent then. Owned: who takes it sets it to NULL. */
    char *document;
    size_t document_bytes;
};

/* 0, or -EBADMSG when `text` is not one CDP message. */
int message_scan(char *text, size_t bytes, struct cdp_message *ret);
#define MESSAGE_CUT_BYTES 64
/* Of a message only the start is there. True when it is a reply: *ret is an error in its
 * place, whose body is `error`. Chromium writes the id first. */
bool message_refuse_cut(const char *start, char error[MESSAGE_CUT_BYTES], struct cdp_message *ret);
/* Finds the value of a top-level key of the object in `body`; a string without quotes,
 * still escaped. False when absent. */
bool message_member(struct cdp_span body, const char *key, struct cdp_span *ret);
/* Unescapes a JSON string's inside in place to valid UTF-8: surrogate pairs joined, lone
 * surrogates become U+FFFD, NUL stays a byte of value 0. Returns the new length, or
 * SIZE_MAX for a malformed escape. */
size_t message_unescape(char *text, size_t bytes);
/* The same into memory of its own, without what HTML cannot hold (NUL) and with a NUL at
 * its end. NULL: malformed, or memory has run out. The caller frees it. */
char *message_document(struct cdp_span string, size_t *ret_bytes);
/* Copies the start of a JSON string's inside, unescaped, cut at a character so that it
 * fits. False, and "", when it is absent or malformed. */
bool message_text(struct cdp_span, char *ret, size_t ret_bytes);
/* Writes U+FFFD over the escapes of NUL and of lone surrogates, in place, so that
 * message_tree() takes what a page has said. */
void message_repair(struct cdp_span body);
/* The body as a tree; NULL when it is malformed or holds a lone surrogate. Caller decrefs. */
json_t *message_tree(struct cdp_span body);

/* Serialises {id, method, params, sessionId}; params may be NULL, session may be NULL.
 * Returns malloc()ed text, or NULL when memory runs out. Does not take params. */
char *message_format(uint64_t id, const char *method, const json_t *params, const char *session,
                     size_t *ret_bytes);

#endif
