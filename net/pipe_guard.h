/* pipe_guard.h: keeps libwebsockets from closing descriptors that are not its own.
 *
 * libwebsockets 4.1 has one event descriptor per context. On a foreign libuv loop the first
 * lws_context_destroy() closes it, and the close callback of its handle, some turns later,
 * closes the same number once more. If another part of the program has opened something
 * meanwhile, that gets the number and is closed: a client's connection is cut, or libuv
 * aborts. So the number is occupied until the second close has come. */
#ifndef NET_PIPE_GUARD_H
#define NET_PIPE_GUARD_H

#include <sys/types.h>
#include <uv.h>

struct pipe_guard {
    int event_fd; /* -1: not found, or dealt with. */
    dev_t device; /* Of the file that occupies the number; */
    ino_t inode;  /* 0: nothing does. */
};

/* Finds the event descriptor of the context that has just been created on the loop. */
void pipe_guard_find(struct pipe_guard *, uv_loop_t *);
/* To be called directly after the first lws_context_destroy(). */
void pipe_guard_occupy(struct pipe_guard *);
/* To be called when no handle of the context is left. Gives the number back if
 * libwebsockets, in another version, did not close it twice. */
void pipe_guard_release(struct pipe_guard *);

#endif
