/* gzip.h: compression of answers. No shared state: may run in any thread. */
#ifndef DAEMON_GZIP_H
#define DAEMON_GZIP_H

#include <stddef.h>

/* Below this the frame of gzip and the client's work outweigh what is saved. */
#define GZIP_BYTES_MIN 512

/* The bytes as one gzip member, from malloc(); NULL when memory is out. */
char *gzip_bytes(const char *bytes, size_t count, size_t *ret_count);

#endif
