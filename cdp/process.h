/* process.h: the operating system's side of a browser: a process group with its standard
 * error and its lifeline.
 *
 *   RUNNING --leader exits--> ENDING --group and handles gone--> GONE
 *
 * Callbacks only collect; process_turn() moves on. */
#ifndef CDP_PROCESS_H
#define CDP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "cdp/output.h"
#include "cdp/program.h"

enum process_state {
    PROCESS_RUNNING,
    PROCESS_ENDING, /* The leader has exited, or could not be killed; others may live. */
    PROCESS_GONE,   /* process_free() may be called. */
};

struct process;

/* Starts `argv` in `directory`, in a process group of its own. *ret_error is 0, or the
 * reason why it could not be started, as a negative errno: then the process is in ENDING.
 * NULL: out of memory. */
struct process *process_new(uv_loop_t *, const struct program *, char **argv, char **environment,
                            const char *directory, int *ret_error);
enum process_state process_get_state(const struct process *);
int process_pid(const struct process *); /* 0 when it did not start. */
const struct output *process_output(const struct process *);
/* True when the leader has exited and all it wrote has been read. */
bool process_has_spoken(const struct process *);
/* Writes "exited with status 1" or "was killed by signal 9". */
void process_describe_exit(const struct process *, char *ret, size_t ret_bytes);
/* Sends SIGKILL to the group, and goes on doing so until nobody lives. Idempotent. */
void process_kill(struct process *, uint64_t now_ms);
void process_turn(struct process *, uint64_t now_ms);
uint64_t process_deadline_ms(const struct process *);
void process_free(struct process *);

#endif
