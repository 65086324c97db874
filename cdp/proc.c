/* proc.c: see proc.h. */
#include "cdp/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to and with the start time, a line of stat is shorter than this. */
#define STAT_BYTES_MAX 512

struct stat_line {
    char state;
    int group;
    uint64_t start_time;
};

/* Reads fields 3, 5 and 22 of /proc/NAME/stat (proc(5)). The second field is the name of
 * the program in parentheses, and may itself hold some: the last one counts. */
static bool read_stat(const char *name, struct stat_line *ret)
{
    char path[64], text[STAT_BYTES_MAX];
    unsigned long long start_time = 0;

    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t bytes = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    const char *rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest,
                               ") %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                               "%*d %*d %*d %llu",
                               &ret->state, &ret->group, &start_time) != 3) {
        return false;
    }
    ret->start_time = start_time;
    return true;
}

bool proc_start_time(int pid, uint64_t *ret)
{
    struct stat_line line;
    char name[16];

    (void)snprintf(name, sizeof name, "%d", pid);
    if (!read_stat(name, &line)) {
        return false;
    }
    *ret = line.start_time;
    return true;
}

/* Looks for a member of the group that is no zombie. */
static bool has_live_member(int group)
{
    DIR *list = opendir("/proc");
    bool is_found = false;

    if (list == NULL) {
        return true;
    }
    for (struct dirent *entry = readdir(list); entry != NULL && !is_found; entry = readdir(list)) {
        struct stat_line line;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') {
            continue;
        }
        is_found = read_stat(entry->d_name, &line) && line.group == group && line.state != 'Z' &&
                   line.state != 'X';
    }
    (void)closedir(list);
    return is_found;
}

bool proc_group_is_alive(int group)
{
    if (kill(-group, 0) != 0 && errno == ESRCH) {
        return false;
    }
    /* Signals reach zombies, too, and those stay when the init of a container does not
     * wait for its children. */
    return has_live_member(group);
}

bool proc_has_seccomp(int pid)
{
    char path[64], text[4096];

    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return true;
    }
    ssize_t bytes = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    /* 2 is filter mode, see proc(5). */
    return strstr(text, "\nSeccomp:\t2\n") != NULL;
}
