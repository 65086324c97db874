/* sweep.c: removes what earlier daemons left behind, see profile.h and browser.h.
 *
 * The root may be /tmp, where anybody can make directories with our names: only those that
 * belong to us are touched, or to the browser's user, since a process of a browser that
 * outlived it for a moment may have made its directory again. A process is killed only if its start
 * time is the one that was written down, so that no other process that got its id later is hit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cdp/browser.h"
#include "cdp/proc.h"
#include "cdp/profile.h"
#include "cdp/program.h"

/* After a kill: how long to wait for the processes of the group, in steps of 10 ms. */
#define WAIT_STEPS_MAX 100
#define WAIT_STEP_MS 10

/* The process that is written down and still lives, or 0. */
static int noted_process(int directory_fd)
{
    char text[64];
    int pid = 0;
    unsigned long long noted_start = 0;
    uint64_t start = 0;
    int fd = openat(directory_fd, PROFILE_PROCESS_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    ssize_t bytes = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    bool is_noted = sscanf(text, "%d %llu\n", &pid, &noted_start) == 2 && pid > 1;
    return is_noted && proc_start_time(pid, &start) && start == noted_start ? pid : 0;
}

/* Ends a browser that outlived its daemon: stopped, for example, it cannot notice. */
static void kill_leftover(int directory_fd)
{
    int pid = noted_process(directory_fd);

    if (pid == 0 || kill(-pid, SIGKILL) != 0) {
        return;
    }
    for (int i = 0; i < WAIT_STEPS_MAX && proc_group_is_alive(pid); i++) {
        (void)poll(NULL, 0, WAIT_STEP_MS);
    }
}

/* Removes one directory if it is ours and nobody holds its lock. */
static bool sweep_one(int root_fd, const char *root, const char *name, uid_t browser_uid)
{
    char path[PATH_MAX];
    struct stat status;
    bool is_removed = false;
    int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    int length = snprintf(path, sizeof path, "%s/%s", root, name);
    if (length > 0 && (size_t)length < sizeof path && fstat(fd, &status) == 0 &&
        (status.st_uid == geteuid() || status.st_uid == browser_uid) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0) {
        /* What the browser could have written names no process that we would kill. */
        if (status.st_uid == geteuid()) {
            kill_leftover(fd);
        }
        is_removed = profile_remove(path) == 0;
    }
    (void)close(fd);
    return is_removed;
}

int browser_sweep_profiles(const struct config *config)
{
    const char *root = profile_root(&config->browser);
    struct program program = {.changes_user = false};
    char error[PROGRAM_ERROR_BYTES];
    DIR *list = opendir(root);
    int count = 0;

    if (list == NULL) {
        return 0;
    }
    /* Without such a user there are no directories of his, either. */
    uid_t uid = program_find_user(&config->browser, &program, error) == 0 ? program.uid : geteuid();
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        const char *name = entry->d_name;
        if (strncmp(name, PROFILE_PREFIX, strlen(PROFILE_PREFIX)) == 0 &&
            strlen(name) == strlen(PROFILE_PREFIX) + 6 && sweep_one(dirfd(list), root, name, uid)) {
            count++;
        }
    }
    (void)closedir(list);
    return count;
}
