/* standin_state.h: what the parts of the stand-in browser share; private to them. */
#ifndef TESTS_SYSTEM_STANDIN_STATE_H
#define TESTS_SYSTEM_STANDIN_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tests/system/standin.h"

#define ID_BYTES 33
#define CONTEXTS_MAX 512
#define PAGES_MAX 512

struct context_of {
    char id[ID_BYTES];
    bool exists, has_cookie, has_crashed;
    bool is_left_out; /* Its disposal is. */
};

struct page_of {
    char target[ID_BYTES], session[ID_BYTES], context[ID_BYTES], url[2048];
    char content[256]; /* Set by command; "": none. */
    bool exists, is_left_out;
};

/* One connection. Only its thread touches it. */
struct browser_of {
    struct standin *standin;
    int fd;
    unsigned index, numbers;
    bool is_discovering; /* The self-test is over. */
    struct context_of contexts[CONTEXTS_MAX];
    struct page_of pages[PAGES_MAX];
};

struct command {
    struct browser_of *browser;
    const json_t *params;
    json_t *id;
    const char *method, *session; /* session NULL: to the browser itself. */
};

/* standin.c */
void standin_handle(struct browser_of *, const char *text);
void standin_say(struct browser_of *, const char *session, const char *method, json_t *params);
void standin_answer(const struct command *, json_t *result);
const char *standin_text(const struct command *, const char *name);
struct page_of *standin_page(const struct command *);

/* standin_server.c: the script and the ledger, shared by all connections. */
struct context_of *standin_context(struct browser_of *, const char *id);
void standin_count(struct browser_of *);
bool standin_leaves_out_close(struct browser_of *);
bool standin_leaves_out_disposal(struct browser_of *, struct context_of *);
void standin_note_crash(struct browser_of *, struct context_of *);

/* standin_delay.c */
struct delay;
struct delay *delay_new(struct browser_of *, uint32_t latency_ms);
void delay_put(struct delay *, char *text); /* Takes it. */
/* What is on its way is delivered first. */
void delay_free(struct delay *);

/* standin_page.c */
void standin_navigate(const struct command *);
void standin_set_content(const struct command *);
void standin_world(const struct command *);
void standin_evaluate(const struct command *);
void standin_call(const struct command *);
void standin_document(const struct command *);
void standin_outer_html(const struct command *);
void standin_metrics(const struct command *);

#endif
