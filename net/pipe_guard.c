/* pipe_guard.c: see pipe_guard.h. */
#include "net/pipe_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The walk is in the order in which handles were made; the last poll is the newest. */
static void note_poll(uv_handle_t *handle, void *argument)
{
    struct pipe_guard *guard = argument;
    uv_os_fd_t fd = -1;

    if (handle->type == UV_POLL && uv_fileno(handle, &fd) == 0) {
        guard->event_fd = fd;
    }
}

void pipe_guard_find(struct pipe_guard *guard, uv_loop_t *loop)
{
    char path[32], target[32] = "";

    *guard = (struct pipe_guard){.event_fd = -1};
    uv_walk(loop, note_poll, guard);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", guard->event_fd);
    /* Should a version of libwebsockets do without, the newest poll is somebody else's. */
    ssize_t bytes = readlink(path, target, sizeof target - 1);
    if (bytes <= 0 || strncmp(target, "anon_inode:[eventfd]", sizeof target - 1) != 0) {
        guard->event_fd = -1;
    }
}

void pipe_guard_occupy(struct pipe_guard *guard)
{
    struct stat status;

    if (guard->event_fd < 0 || fcntl(guard->event_fd, F_GETFD) >= 0) {
        return;
    }
    /* A file of its own, so that it can be told from what may get the number later. */
    int any = memfd_create("occupied", MFD_CLOEXEC);
    if (any < 0) {
        return;
    }
    int fd = any;
    if (any != guard->event_fd) {
        fd = fcntl(any, F_DUPFD_CLOEXEC, guard->event_fd);
        (void)close(any);
    }
    if (fd != guard->event_fd) {
        /* Another thread was faster; then there is nothing that could be kept free. */
        if (fd >= 0) {
            (void)close(fd);
        }
    } else if (fstat(fd, &status) == 0) {
        guard->device = status.st_dev;
        guard->inode = status.st_ino;
    }
}

void pipe_guard_release(struct pipe_guard *guard)
{
    struct stat status;

    if (guard->inode != 0 && fstat(guard->event_fd, &status) == 0 &&
        status.st_dev == guard->device && status.st_ino == guard->inode) {
        (void)close(guard->event_fd);
    }
    guard->event_fd = -1;
    guard->inode = 0;
}
