/* guard.c: the process that cleans up; see guard.h. */
#include "tests/system/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/system/harness.h"
#include "tests/system/process.h"

#define LOG_TAIL_BYTES 6000

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    remove(path);
    return 0;
}

static void remove_directory(const char *directory)
{
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void print_tail(const char *log)
{
    FILE *file = fopen(log, "re");
    if (file == NULL) {
        return;
    }
    char text[LOG_TAIL_BYTES + 1];
    if (fseek(file, -LOG_TAIL_BYTES, SEEK_END) != 0) {
        rewind(file);
    }
    size_t bytes = fread(text, 1, LOG_TAIL_BYTES, file);
    fclose(file);
    fprintf(stderr, "the daemon's last lines:\n%.*s\n", (int)bytes, text);
}

struct leftover {
    const char *directory;
    pid_t sessions[PROCESSES_MAX];
    size_t sessions_count;
};

/* Browsers lead sessions of their own; remembered, since their children do not name the
 * directory and may outlive them by some milliseconds. */
static void remember_session(struct leftover *leftover, pid_t pid)
{
    struct process process;
    if (process_get(pid, &process) && process.session == pid &&
        leftover->sessions_count < PROCESSES_MAX) {
        leftover->sessions[leftover->sessions_count++] = pid;
    }
}

static bool is_clean(void *leftover_)
{
    struct leftover *leftover = leftover_;
    pid_t pids[PROCESSES_MAX];
    size_t found = process_list_command(leftover->directory, pids);
    for (size_t i = 0; i < found; i++) {
        remember_session(leftover, pids[i]);
        kill(pids[i], SIGKILL);
    }
    for (size_t s = 0; s < leftover->sessions_count; s++) {
        size_t count = process_list_session(leftover->sessions[s], pids);
        for (size_t i = 0; i < count; i++) {
            kill(pids[i], SIGKILL);
        }
        found += count;
    }
    remove_directory(leftover->directory);
    return found == 0 && access(leftover->directory, F_OK) != 0;
}

static void guard_main(int pipe, const char *directory, const char *log)
{
    setsid();
    char word;
    ssize_t n;
    do {
        n = read(pipe, &word, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        print_tail(log);
    }
    struct leftover leftover = {.directory = directory};
    bool clean = until(is_clean, &leftover, 10000);
    _exit(clean ? 0 : 1);
}

void guard_start(struct guard *guard, const char *directory, const char *log)
{
    int ends[2];
    demand(pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    demand(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        close(ends[1]);
        guard_main(ends[0], directory, log);
    }
    close(ends[0]);
    *guard = (struct guard){.pid = pid, .pipe = ends[1]};
}

void guard_stop(struct guard *guard)
{
    int status = 0;
    demand(write(guard->pipe, "x", 1) == 1, "the guard is gone: %s", strerror(errno));
    close(guard->pipe);
    demand(waitpid(guard->pid, &status, 0) == guard->pid, "waitpid: %s", strerror(errno));
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the guard could not clean up");
}
