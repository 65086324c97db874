/* process.c: see process.h.
 *
 * The lifeline is a socket pair whose far end is the browser's --remote-debugging-pipe,
 * descriptors 3 and 4. Nothing is ever written to it. When our end closes, which kill -9
 * does as well, the browser ends by itself within some 60 ms. */
#include "cdp/process.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cdp/deadline.h"
#include "cdp/proc.h"

/* How long a killed leader may take to exit, and its group to follow. Only a process
 * that hangs inside the kernel needs this long, and there is nothing to be done then. */
#define EXIT_TIMEOUT_MS 10000
/* First pause between two looks at the group; each further one is twice as long. */
#define LOOK_PAUSE_MIN_MS 2
#define LOOK_PAUSE_MAX_MS 100

struct process {
    uv_process_t handle;
    uv_pipe_t error_pipe;
    enum process_state state;
    int pid;
    int lifeline; /* Our end; -1: closed. */
    bool has_exited, has_ended_output;
    bool is_group_gone;
    int64_t exit_status;
    int exit_signal;
    uint32_t open_count; /* Handles that are not closed. */
    bool is_closing;     /* uv_close() has been called for them. */
    bool is_killed;
    uint64_t look_due_ms, look_pause_ms, give_up_ms;
    struct output output;
    char buffer[4096];
};

static void on_exited(uv_process_t *handle, int64_t status, int signal)
{
    struct process *process = handle->data;

    process->has_exited = true;
    process->exit_status = status;
    process->exit_signal = signal;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct process *process = handle->data;

    *ret = uv_buf_init(process->buffer, sizeof process->buffer);
}

static void on_output(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    struct process *process = stream->data;

    if (bytes >= 0) {
        output_feed(&process->output, buffer->base, (size_t)bytes);
        return;
    }
    (void)uv_read_stop(stream);
    output_end(&process->output);
    process->has_ended_output = true;
}

static void close_lifeline(struct process *process)
{
    if (process->lifeline >= 0) {
        (void)close(process->lifeline);
        process->lifeline = -1;
    }
}

/* A browser is some dozens of threads that send each other messages. A normal thread that is
 * woken by one takes the CPU from its sender in the middle of its work: some 80 times in a
 * small render when all CPUs are busy. A thread of SCHED_BATCH (sched(7)) waits for its turn.
 * The daemon stays a normal process, so it takes the CPU from its browser when there is
 * something to do; what this thread starts inherits the policy that it has then. A policy
 * that somebody has chosen is kept, and one that is refused leaves all as it is. */
static bool change_policy(int from, int to)
{
    const struct sched_param param = {.sched_priority = 0};

    return sched_getscheduler(0) == from && sched_setscheduler(0, to, &param) == 0;
}

static int spawn(struct process *process, uv_loop_t *loop, const struct program *program,
                 char **argv, char **environment, const char *directory, int far_end)
{
    uv_stdio_container_t stdio[5] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&process->error_pipe},
        {.flags = UV_INHERIT_FD, .data.fd = far_end},
        {.flags = UV_INHERIT_FD, .data.fd = far_end},
    };
    uv_process_options_t options = {
        .exit_cb = on_exited,
        .file = argv[0],
        .args = argv,
        .env = environment,
        .cwd = directory,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 5,
        .stdio = stdio,
        .uid = program->uid,
        .gid = program->gid,
    };
    if (program->changes_user) {
        options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
    }
    bool is_batch = program->is_batch && change_policy(SCHED_OTHER, SCHED_BATCH);
    int code = uv_spawn(loop, &process->handle, &options);
    if (is_batch) {
        (void)change_policy(SCHED_BATCH, SCHED_OTHER);
    }
    return code;
}

static int start(struct process *process, uv_loop_t *loop, const struct program *program,
                 char **argv, char **environment, const char *directory)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return -errno;
    }
    process->lifeline = ends[0];
    int code = spawn(process, loop, program, argv, environment, directory, ends[1]);
    (void)close(ends[1]);
    if (code != 0) {
        return code;
    }
    process->pid = process->handle.pid;
    return uv_read_start((uv_stream_t *)&process->error_pipe, on_alloc, on_output);
}

struct process *process_new(uv_loop_t *loop, const struct program *program, char **argv,
                            char **environment, const char *directory, int *ret_error)
{
    struct process *process = calloc(1, sizeof *process);

    if (process == NULL) {
        return NULL;
    }
    process->lifeline = -1;
    process->handle.data = process;
    (void)uv_pipe_init(loop, &process->error_pipe, 0);
    process->error_pipe.data = process;
    process->open_count = 2;
    *ret_error = start(process, loop, program, argv, environment, directory);
    if (*ret_error != 0 && process->pid == 0) {
        process->has_exited = true;
        process->has_ended_output = true;
        process->is_group_gone = true;
        process->state = PROCESS_ENDING;
    }
    return process;
}

enum process_state process_get_state(const struct process *process)
{
    return process->state;
}

int process_pid(const struct process *process)
{
    return process->pid;
}

const struct output *process_output(const struct process *process)
{
    return &process->output;
}

bool process_has_spoken(const struct process *process)
{
    return process->has_exited && process->has_ended_output;
}

void process_describe_exit(const struct process *process, char *ret, size_t ret_bytes)
{
    if (process->exit_signal != 0) {
        (void)snprintf(ret, ret_bytes, "was killed by signal %d", process->exit_signal);
    } else {
        (void)snprintf(ret, ret_bytes, "exited with status %d", (int)process->exit_status);
    }
}

void process_kill(struct process *process, uint64_t now_ms)
{
    if (process->is_killed) {
        return;
    }
    process->is_killed = true;
    process->give_up_ms = now_ms + EXIT_TIMEOUT_MS;
    process->look_pause_ms = LOOK_PAUSE_MIN_MS;
    process->look_due_ms = now_ms;
    if (!process->is_group_gone) {
        (void)kill(-process->pid, SIGKILL);
    }
    close_lifeline(process);
}

/* Looks whether the group is gone, at growing intervals: looking costs a walk over /proc. */
static void look_at_group(struct process *process, uint64_t now_ms)
{
    if (process->is_group_gone || now_ms < process->look_due_ms) {
        return;
    }
    if (process->has_exited && !proc_group_is_alive(process->pid)) {
        process->is_group_gone = true;
        return;
    }
    /* A member that was about to fork is told again. */
    (void)kill(-process->pid, SIGKILL);
    process->look_due_ms = now_ms + process->look_pause_ms;
    process->look_pause_ms = process->look_pause_ms < LOOK_PAUSE_MAX_MS / 2
                                 ? process->look_pause_ms * 2
                                 : LOOK_PAUSE_MAX_MS;
}

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;

    assert(process->open_count > 0);
    process->open_count--;
}

static void close_handles(struct process *process)
{
    process->is_closing = true;
    uv_close((uv_handle_t *)&process->error_pipe, on_closed);
    if (process->handle.type == UV_PROCESS) {
        uv_close((uv_handle_t *)&process->handle, on_closed);
    } else {
        process->open_count--;
    }
}

void process_turn(struct process *process, uint64_t now_ms)
{
    if (process->state == PROCESS_RUNNING && process->has_exited) {
        process->state = PROCESS_ENDING;
    }
    if (process->is_killed) {
        look_at_group(process, now_ms);
        bool gives_up = now_ms >= process->give_up_ms;
        if ((process->is_group_gone || gives_up) && !process->is_closing) {
            process->state = PROCESS_ENDING;
            close_handles(process);
        }
    }
    if (process->is_closing && process->open_count == 0) {
        process->state = PROCESS_GONE;
    }
}

uint64_t process_deadline_ms(const struct process *process)
{
    if (!process->is_killed || process->is_closing) {
        return UINT64_MAX;
    }
    return earlier_ms(process->look_due_ms, process->give_up_ms);
}

void process_free(struct process *process)
{
    if (process == NULL) {
        return;
    }
    assert(process->state == PROCESS_GONE);
    free(process);
}
