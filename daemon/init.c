/* init.c: a minimal init. libuv waits only for the children it knows, and waiting for all
 * of them in the daemon would take the browser's exit status away from libuv; so the two
 * jobs are two processes. */
#include "daemon/init.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for everything that has ended. True when `child` was among it. */
static bool reap(pid_t child, int *ret_status)
{
    int status;
    pid_t pid;
    bool ended = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == child) {
            *ret_status = status;
            ended = true;
        }
    }
    return ended;
}

static void serve_as_init(pid_t child, const sigset_t *signals)
{
    int status = 0;
    for (;;) {
        int number = sigwaitinfo(signals, NULL);
        if (number < 0 && errno != EINTR)
            _exit(1);
        if (number == SIGCHLD) {
            if (reap(child, &status))
                _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        } else if (number > 0) {
            (void)kill(child, number);
        }
    }
}

void init_become_if_first(void)
{
    if (getpid() != 1)
        return;
    static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT, SIGCHLD};
    sigset_t signals, previous;
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++)
        (void)sigaddset(&signals, forwarded[i]);
    /* Blocked before the fork, so that no signal is lost between fork and wait. */
    (void)sigprocmask(SIG_BLOCK, &signals, &previous);
    pid_t child = fork();
    if (child > 0)
        serve_as_init(child, &signals);
    if (child < 0)
        _exit(1);
    (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}
