/* remove.c: see remove.h.
 *
 * A browser that was taken over may swap a directory for a link while root walks through,
 * and may nest directories without end. So every step goes through a descriptor that was
 * opened without following links, and there is no descent: a directory inside a directory
 * is moved up to the top, and emptied when its turn comes. */
#include "cdp/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rounds over the top directory. Each empties all that is there at its start and moves one
 * level up, so this is about the depth of a tree; after it, somebody is still writing. */
#define ROUNDS_MAX 1024

struct removal {
    int top_fd;
    uint64_t moved_count; /* Names the directories that were moved up. */
};

/* Opens a directory to be emptied. Without root's rights it may have to be opened up
 * first: whoever made it may have closed it. */
static int open_directory(int parent_fd, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent_fd, name, flags);

    if (fd < 0 && errno == EACCES && fchmodat(parent_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0) {
        fd = openat(parent_fd, name, flags);
    }
    if (fd < 0) {
        return -errno;
    }
    (void)fchmod(fd, 0700);
    return fd;
}

static DIR *open_list(int parent_fd, const char *name)
{
    int fd = open_directory(parent_fd, name);

    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    DIR *list = fdopendir(fd);
    if (list == NULL) {
        (void)close(fd);
    }
    return list;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Moves a directory up to the top under a name of our own. */
static void move_up(struct removal *removal, int from_fd, const char *name)
{
    char moved[64];

    (void)snprintf(moved, sizeof moved, "removed-%llu", (unsigned long long)++removal->moved_count);
    /* A failure leaves it where it is, and the next round sees it again. */
    (void)renameat(from_fd, name, removal->top_fd, moved);
}

/* Removes the files of a directory below the top, moves its directories up, and removes
 * the directory itself if that has emptied it. */
static void empty_directory(struct removal *removal, const char *name)
{
    DIR *list = open_list(removal->top_fd, name);

    if (list == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (is_dots(entry->d_name) || unlinkat(dirfd(list), entry->d_name, 0) == 0) {
            continue;
        }
        if (errno == EISDIR || errno == EPERM) {
            move_up(removal, dirfd(list), entry->d_name);
        }
    }
    (void)closedir(list);
    (void)unlinkat(removal->top_fd, name, AT_REMOVEDIR);
}

/* One round over the top. Returns how many entries it found. */
static uint64_t empty_top(struct removal *removal)
{
    uint64_t found = 0;
    DIR *list = open_list(removal->top_fd, ".");

    if (list == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (is_dots(entry->d_name)) {
            continue;
        }
        found++;
        if (unlinkat(removal->top_fd, entry->d_name, 0) != 0 &&
            (errno == EISDIR || errno == EPERM)) {
            empty_directory(removal, entry->d_name);
        }
    }
    (void)closedir(list);
    return found;
}

int remove_tree(int parent_fd, const char *name)
{
    int fd = open_directory(parent_fd, name);

    if (fd < 0) {
        return fd;
    }
    struct removal removal = {.top_fd = fd};
    for (int round = 0; round < ROUNDS_MAX && empty_top(&removal) > 0; round++) {
    }
    (void)close(fd);
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}
