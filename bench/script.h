/* script.h: a stretch of a tape as a list of steps that can be played again.
 *
 * A step is one command of the daemon. It is sent as soon as the message that caused it has
 * come again: the reply to an earlier step, or the n-th event of a name. The tape does not
 * say which message that was; several scripts of the same render do, see script_refine().
 * What the messages name by ids of their own time (frames, contexts, objects) is found
 * again by where it stands in the recorded reply or event. */
#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/tape.h"

#define SCRIPT_NAME_BYTES 96
#define SCRIPT_EVENT_NAMES_MAX 64
#define SCRIPT_NONE SIZE_MAX

enum trigger { TRIGGER_START, TRIGGER_REPLY, TRIGGER_EVENT };

struct step {
    char method[SCRIPT_NAME_BYTES];
    json_t *params; /* Owned; NULL: none. */
    bool on_page;   /* Sent to the page's session; else to the browser's. */
    enum trigger trigger;
    size_t trigger_index; /* REPLY: of the step. EVENT: of .events. */
    uint64_t sent_ns, replied_ns;
    json_t *reply;    /* Owned; NULL: it never came, or is too large to hold ids. */
    bool is_answered; /* Its reply is on the tape. */
    bool is_awaited;  /* The document is there when its reply and those of all other
                         awaited steps are. */
};

/* An event of the page, in the order of the tape. */
struct script_event {
    size_t name;       /* Index into .names. */
    size_t occurrence; /* Of that name, counting from 1. */
    uint64_t at_ns;
    json_t *params; /* Owned; may be NULL. */
};

struct script {
    struct step *steps;
    size_t count;
    struct script_event *events;
    size_t events_count;
    char names[SCRIPT_EVENT_NAMES_MAX][SCRIPT_NAME_BYTES];
    size_t occurrences[SCRIPT_EVENT_NAMES_MAX]; /* In all; after script_refine(), at least. */
    size_t names_count;
};

/* The page that was sent to a URL. */
struct tape_page {
    char session[SCRIPT_NAME_BYTES], target[SCRIPT_NAME_BYTES], context[SCRIPT_NAME_BYTES];
    size_t attached; /* Index of the message that named the session. */
};
/* Finds it between two indices of the tape. */
void script_find_page(const struct tape *, const char *url, size_t begin, size_t end,
                      struct tape_page *ret);

/* The steps between two indices of the tape: those of the page, and with `browser_steps`
 * those of the browser's session too. `document` is text in the awaited document. */
void script_make(const struct tape *, const struct tape_page *, size_t begin, size_t end,
                 bool browser_steps, const char *document, struct script *ret);
/* Whether both have the same commands in the same order. */
bool script_agrees(const struct script *, const struct script *);
/* Takes for the trigger of each step what came before it in all of these scripts and was
 * followed by it soonest. They agree with each other; the first is refined. */
void script_refine(struct script *const *scripts, size_t count);
void script_free(struct script *);
/* Index of an event's name, or SCRIPT_NONE. */
size_t script_name(const struct script *, const char *name, size_t bytes);

#endif
