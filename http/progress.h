/* progress.h: how much of what was sent a client has taken. */
#ifndef HTTP_PROGRESS_H
#define HTTP_PROGRESS_H

#include <stdint.h>

/* Bytes that the peer of a TCP socket has acknowledged since it was opened; 0 for other
 * sockets, and where the kernel does not count them. */
uint64_t progress_acked_bytes(int fd);

#endif
