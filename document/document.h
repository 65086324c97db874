/* document.h: from the captured bytes of an HTML document to the bytes that are sent.
 *
 * Works on the text, never on a live page: an HTML parser finds where things are, and what
 * is not removed stays byte for byte as it was. No I/O and no shared state, so it may run
 * in any thread.
 *
 *   scan.c    one pass over the text: bounds its depth, hides what the parser would misread
 *   parser.c  the only user of the HTML parser: finds what is to be removed or read
 *   match.c   whether an element is what a selector says
 *   metas.c   the grammar of prerender-status-code and prerender-header
 *   ascii.c   characters outside ASCII, written in the way of the place they are in
 *   edits.c   byte ranges and insertions, applied */
#ifndef DOCUMENT_DOCUMENT_H
#define DOCUMENT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

/* More prerender-header metas than this are ignored (and removed all the same). */
#define DOCUMENT_HEADERS_MAX 16

/* Elements within elements deeper than this are not edited: the parser's time would grow
 * with the square of it. Chromium's own parser stops at 512. */
#define DOCUMENT_DEPTH_MAX 2048

struct selector; /* config/selector.h */

struct document_options {
    bool strip_scripts;             /* <script> except JSON-LD, and <link rel=import>. */
    bool metas;                     /* Read and remove the prerender metas of the head. */
    const struct selector *removed; /* Elements to remove with their content. */
    size_t removed_count;
    const char *base; /* <base href> to insert when the head has none; NULL: none. */
};

struct document_header {
    char *name, *value; /* A token; text without control characters. */
};

struct document_result {
    char *bytes; /* From malloc(). */
    size_t bytes_count;
    int status; /* 200..599, of prerender-status-code; 0: none. */
    struct document_header headers[DOCUMENT_HEADERS_MAX];
    size_t headers_count;
};

/* 0; -ENOMEM; -E2BIG: nested too deep, nothing was looked at. *ret is set on success only
 * and is to be freed with document_result_free(). */
int document_edit(const char *bytes, size_t bytes_count, const struct document_options *,
                  struct document_result *ret);
void document_result_free(struct document_result *);

#endif
