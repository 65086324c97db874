/* output.h: reads what a browser writes to its standard error: where it listens, and its
 * last words. Pure: bytes in, facts out. */
#ifndef CDP_OUTPUT_H
#define CDP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_LINE_BYTES_MAX 512

struct output {
    char line[OUTPUT_LINE_BYTES_MAX]; /* The line that is not complete; longer ones are cut. */
    size_t line_bytes;
    char endpoint[OUTPUT_LINE_BYTES_MAX]; /* ws://...; "" until it is said. */
    char words[OUTPUT_LINE_BYTES_MAX];    /* The line that tells most; "". */
    bool is_fatal;                        /* `words` are a FATAL line: later ones tell less. */
    bool is_about_sandbox;                /* Some line blames the sandbox. */
};

/* Zero bytes are a valid start. */
void output_feed(struct output *, const char *bytes, size_t count);
/* Treats what stands there without a newline as a line. */
void output_end(struct output *);

#endif
