/* save.c: writes files whole; see save.h. */
#include "daemon/save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
    return 0;
}

/* Writes and closes; the first error counts. */
static int fill(int fd, const char *bytes, size_t count)
{
    int code = write_all(fd, bytes, count);
    if (close(fd) != 0 && code == 0)
        code = -errno;
    return code;
}

static int save_in_place(const char *path, const char *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 ? fill(fd, bytes, count) : -errno;
}

/* `mode` 0: what the umask leaves. */
static int replace(const char *target, mode_t mode, const char *bytes, size_t count)
{
    char part[PATH_MAX + 32];
    (void)snprintf(part, sizeof part, "%s.%ld.part", target, (long)getpid());
    (void)unlink(part); /* Of a process of the same id that was killed. */
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    if (mode != 0)
        (void)fchmod(fd, mode); /* Not ours: it gets the mode of a new file. */
    int code = fill(fd, bytes, count);
    if (code == 0 && rename(part, target) != 0)
        code = -errno;
    if (code != 0)
        (void)unlink(part);
    return code;
}

int save_file(const char *path, const char *bytes, size_t count)
{
    struct stat status;
    char target[PATH_MAX];
    if (stat(path, &status) != 0)
        return errno == ENOENT ? replace(path, 0, bytes, count) : -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return save_in_place(path, bytes, count);
    if (realpath(path, target) == NULL) /* A link stays one. */
        return -errno;
    return replace(target, status.st_mode & 07777, bytes, count);
}

int save_stdout(const char *bytes, size_t count, bool newline)
{
    int code = 0;
    errno = 0;
    flockfile(stdout);
    if (fwrite(bytes, 1, count, stdout) != count || (newline && putc('\n', stdout) == EOF) ||
        fflush(stdout) != 0)
        code = errno != 0 ? -errno : -EIO;
    funlockfile(stdout);
    return code;
}
