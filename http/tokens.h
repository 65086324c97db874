/* tokens.h: the tokens file. One token per line after its scope; '#' begins a comment.
 *
 *     render  5f1c...
 *     admin   a90b...
 */
#ifndef HTTP_TOKENS_H
#define HTTP_TOKENS_H

#include <stddef.h>
#include "config/config.h"

struct tokens;

/* In rising order: a token is good for its scope and every lower one. */
enum token_scope {
    TOKEN_NONE,   /* Anybody. */
    TOKEN_RENDER, /* Renders. */
    TOKEN_ADMIN,  /* Lists and disposals as well. */
};

/* 0, or a negative errno with one sentence that names the knob. */
int tokens_load(const char *path, struct tokens **ret, char error[CONFIG_ERROR_BYTES]);
void tokens_free(struct tokens *);
/* The scope of a token; TOKEN_NONE when it is unknown. The time it takes tells nothing
 * about the tokens there are, except how many. */
enum token_scope tokens_scope(const struct tokens *, const char *token, size_t bytes);

#endif
