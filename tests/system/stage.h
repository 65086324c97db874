/* stage.h: a daemon with an origin to render, and what a test expects of its answers.
 *
 * Every expect_ function ends the test program with a sentence when it does not hold. */
#ifndef TESTS_SYSTEM_STAGE_H
#define TESTS_SYSTEM_STAGE_H

#include <stdint.h>
#include "tests/system/client.h"
#include "tests/system/harness.h"
#include "tests/system/origin.h"

struct stage {
    struct harness *harness;
    struct origin *origin;
};

/* Starts both and waits until the daemon is ready. */
struct stage stage_open(const char *const *knobs);
/* Stops the daemon, which must end in order and leave nothing behind, and the origin. */
void stage_close(struct stage *);

/* The reply has that status, and its body contains `text`. */
void expect_reply(const struct client_reply *, long status, const char *text);
/* It is an RFC 9457 problem with that status and code, whose detail contains `text`. */
void expect_problem(const struct client_reply *, long status, const char *code, const char *text);
void expect_header(const struct client_reply *, const char *name, const char *value);
/* `text` is not in the body. */
void expect_absent(const struct client_reply *, const char *text);
/* From the request to the whole answer. */
uint64_t reply_ms(const struct client_reply *);

#endif
