/* listen.h: the sockets that connections are accepted on. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "config/config.h"

#define ENDPOINT_URL_BYTES 128

struct endpoint {
    int fd;         /* -1: closed. */
    bool tcp;       /* Else a Unix socket. */
    bool loopback;  /* Only this machine can reach it. */
    bool inherited; /* Of the service manager, which keeps it when we close our copy. */
    dev_t device;   /* A Unix socket of ours: what to look for before its file is removed. */
    ino_t inode;
    char url[ENDPOINT_URL_BYTES]; /* "http://127.0.0.1:4221", "unix:/run/x". */
};

/* Binds "127.0.0.1:4221", "[::1]:0" or "unix:/path". A socket file that nobody listens on is
 * replaced; who may connect follows from the umask. 0, or a negative errno with one sentence that
 * names the knob. */
int endpoint_bind(const char *text, size_t bytes, struct endpoint *ret,
                  char error[CONFIG_ERROR_BYTES]);
/* Takes a listening socket that the process was started with. */
int endpoint_inherit(int fd, struct endpoint *ret, char error[CONFIG_ERROR_BYTES]);
/* Closes it, and removes the socket file if it is still ours. */
void endpoint_close(struct endpoint *);

#endif
