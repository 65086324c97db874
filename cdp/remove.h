/* remove.h: removes a directory tree whose content is not trusted. */
#ifndef CDP_REMOVE_H
#define CDP_REMOVE_H

/* Removes the directory `name` below the directory `parent_fd` and all that is in it,
 * never following a link. 0, or a negative errno when something is left; -ENOENT when
 * there is none. */
int remove_tree(int parent_fd, const char *name);

#endif
