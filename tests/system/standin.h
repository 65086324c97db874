/* standin.h: a program that speaks as much CDP as the daemon needs, without a browser.
 *
 * Every URL is a small document that shows the URL, loaded at once; one that contains
 * "/stuck" never comes. What it is told to leave out it neither does nor answers, as a
 * browser whose process hangs. It keeps a ledger of its contexts, which is the truth about
 * what the daemon has open. A connection is a browser of its own: its contexts go with it. */
#ifndef TESTS_SYSTEM_STANDIN_H
#define TESTS_SYSTEM_STANDIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left out, once the daemon has taken the browser into service. */
struct standin_script {
    uint32_t disposals;  /* So many contexts are not disposed of until their page crashed. */
    uint32_t closes;     /* So many pages are not closed on their own. */
    uint32_t latency_ms; /* Of everything, in browsers that are connected to later; 0: none. */
    bool is_deaf;        /* Nor is any context after the crash; only in the first browser. */
};

struct standin_ledger {
    uint32_t contexts_max; /* At once in one browser. */
    uint32_t occupied_max; /* Of them, with a page. */
    uint32_t left_out;     /* Contexts and pages. */
    uint32_t crashes;      /* Of pages, on demand. */
    uint32_t connections;
};

struct standin;

/* Writes the value of browser.websocket_url. */
struct standin *standin_start(char *ret_url, size_t ret_bytes);
void standin_set_script(struct standin *, const struct standin_script *);
void standin_get_ledger(struct standin *, struct standin_ledger *ret);
/* The daemon must be gone. */
void standin_stop(struct standin *);

#endif
