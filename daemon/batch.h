/* batch.h: the renders of one command line, in the place of a server's clients.
 *
 *   cli --request--> inbox --> pool, page, finish.c --document--> (thread) saved --> counted
 *                                          \--problem--> told on stderr, counted
 *
 * At most `jobs` are between request and counted, so that a reader of standard output that
 * stops reading stops the renders as well. Once all are counted the daemon closes. */
#ifndef DAEMON_BATCH_H
#define DAEMON_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "daemon/cli.h"
#include "daemon/progress.h"

struct daemon;
struct finish;
struct request;
struct save;

struct batch {
    const struct cli *cli;
    size_t jobs;
    size_t next;    /* The first URL that was not begun. */
    size_t running; /* Begun, and not counted yet. */
    struct progress progress;
    int signal; /* That interrupted it; 0: none. */
    bool is_terminal, is_shown;
    uint64_t shown_ms; /* When the line was drawn last. */
};

/* The daemon has none (daemon->batch is NULL) when it serves; then these do nothing. */
void batch_open(struct daemon *, struct batch *, const struct cli *);
/* Begins what there is room for, and draws. */
void batch_turn(struct daemon *);
uint64_t batch_deadline_ms(const struct daemon *);
bool batch_is_over(const struct daemon *);
/* Ends it: what runs is forgotten. */
void batch_interrupt(struct daemon *, int signal);

/* The answers of its requests. The process is taken. */
void batch_save(struct daemon *, struct finish *);
void batch_problem(struct daemon *, const struct request *, enum http_code, const char *detail);
/* A document is in its place, or could not be written. Takes the save. */
void batch_saved(struct daemon *, struct save *);
void batch_save_free(struct save *);

#endif
