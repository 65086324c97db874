/* profile.c: see profile.h. */
#include "cdp/profile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cdp/proc.h"
#include "cdp/remove.h"

/* A sweep that runs at the same time may take a new directory for an old one in the
 * moment before it is locked. That this happens often in a row cannot be chance. */
#define ATTEMPTS_MAX 8

static const char *environment_directory(const char *name)
{
    const char *value = getenv(name);

    /* systemd separates several runtime directories by colons; then none is the one. */
    bool is_usable = value != NULL && *value == '/' && strchr(value, ':') == NULL;
    return is_usable ? value : NULL;
}

const char *profile_root(const struct browser_config *config)
{
    if (*config->profile_root != '\0') {
        return config->profile_root;
    }
    const char *directory = environment_directory("RUNTIME_DIRECTORY");
    /* The session directory of root is closed to the user whom the browser runs as. */
    if (directory == NULL && geteuid() != 0) {
        directory = environment_directory("XDG_RUNTIME_DIR");
    }
    return directory != NULL ? directory : "/tmp";
}

static int fail(char *error, int code, const char *what, const char *path)
{
    (void)snprintf(error, PROGRAM_ERROR_BYTES, "browser.profile_root: cannot %s %.200s: %s", what,
                   path, strerror(-code));
    return code;
}

/* True when the directory can be entered by everybody, or by the browser's group. */
static bool is_enterable(const char *path, gid_t gid)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        return false;
    }
    return (status.st_mode & S_IXOTH) != 0 ||
           (status.st_gid == gid && (status.st_mode & S_IXGRP) != 0);
}

/* Chromium's own words about a directory that it cannot reach are hard to understand. */
static int check_reachable(const char *root, const struct program *program, char *error)
{
    char path[PATH_MAX];

    assert(root[0] == '/');
    (void)snprintf(path, sizeof path, "%s", root);
    while (is_enterable(path, program->gid)) {
        char *slash = strrchr(path, '/');
        if (slash == path) {
            return 0;
        }
        *slash = '\0';
    }
    (void)snprintf(error, PROGRAM_ERROR_BYTES,
                   "browser.profile_root: the user of browser.user cannot enter %.200s", path);
    return -EACCES;
}

/* Locks the directory, which must still be the one at that path. 0, -EAGAIN when a sweep
 * was faster, or another negative errno. */
static int lock_directory(struct profile *profile)
{
    struct stat ours, there;
    int fd = open(profile->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? -EAGAIN : -errno;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &ours) != 0 ||
        stat(profile->directory, &there) != 0 || ours.st_ino != there.st_ino) {
        (void)close(fd);
        return -EAGAIN;
    }
    profile->lock_fd = fd;
    return 0;
}

static int make_locked(const char *root, struct profile *profile)
{
    int code = -EAGAIN;

    for (int i = 0; i < ATTEMPTS_MAX && code == -EAGAIN; i++) {
        int length = snprintf(profile->directory, sizeof profile->directory,
                              "%s/" PROFILE_PREFIX "XXXXXX", root);
        /* "/profile" must fit as well. */
        if (length < 0 || (size_t)length + 16 > sizeof profile->directory) {
            return -ENAMETOOLONG;
        }
        if (mkdtemp(profile->directory) == NULL) {
            return -errno;
        }
        code = lock_directory(profile);
    }
    return code;
}

/* Gives the browser its part, and its group the way to it. */
static int hand_over(const struct program *program, const struct profile *profile)
{
    if (chown(profile->data, program->uid, program->gid) != 0 ||
        fchown(profile->lock_fd, (uid_t)-1, program->gid) != 0 ||
        fchmod(profile->lock_fd, 0710) != 0) {
        return -errno;
    }
    return 0;
}

/* Makes the part that belongs to the browser. */
static int make_data(const struct program *program, struct profile *profile, char *error)
{
    (void)snprintf(profile->data, sizeof profile->data, "%.*s/profile",
                   (int)sizeof profile->data - 16, profile->directory);
    if (mkdir(profile->data, 0700) != 0) {
        return fail(error, -errno, "make", profile->data);
    }
    int code = program->changes_user ? hand_over(program, profile) : 0;
    if (code != 0) {
        /* In a user namespace root has only the users that were mapped into it. */
        (void)snprintf(error, PROGRAM_ERROR_BYTES,
                       "browser.user: cannot hand %.200s to that user: %s; set browser.user, or "
                       "run the daemon as an unprivileged user",
                       profile->data, strerror(-code));
    }
    return code;
}

int profile_new(const struct browser_config *config, const struct program *program,
                struct profile *ret, char error[PROGRAM_ERROR_BYTES])
{
    struct profile profile = {.lock_fd = -1};
    char root[PATH_MAX];

    if (realpath(profile_root(config), root) == NULL) {
        return fail(error, -errno, "use", profile_root(config));
    }
    if (program->changes_user) {
        int code = check_reachable(root, program, error);
        if (code != 0) {
            return code;
        }
    }
    int code = make_locked(root, &profile);
    if (code != 0) {
        return fail(error, code, "make a directory in", root);
    }
    code = make_data(program, &profile, error);
    if (code != 0) {
        (void)profile_remove(profile.directory);
        profile_release(&profile);
        return code;
    }
    *ret = profile;
    return 0;
}

void profile_note_pid(const struct profile *profile, int pid)
{
    char text[64];
    uint64_t start = 0;

    assert(profile->lock_fd >= 0);
    if (!proc_start_time(pid, &start)) {
        return;
    }
    int fd = openat(profile->lock_fd, PROFILE_PROCESS_FILE,
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    int length = snprintf(text, sizeof text, "%d %llu\n", pid, (unsigned long long)start);
    /* Half a note would not match any process, which is as good as none. */
    ssize_t ignored = write(fd, text, (size_t)length);
    (void)ignored;
    (void)close(fd);
}

int profile_remove(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    int code = remove_tree(fd, "profile");
    if (code == 0 || code == -ENOENT) {
        (void)unlinkat(fd, PROFILE_PROCESS_FILE, 0);
        code = rmdir(directory) == 0 || errno == ENOENT ? 0 : -errno;
    }
    (void)close(fd);
    return code;
}

void profile_release(struct profile *profile)
{
    if (profile->lock_fd >= 0) {
        (void)close(profile->lock_fd);
        profile->lock_fd = -1;
    }
}
