/* progress.h: how much a client has taken of what was sent, and whether it sent anything. */
#ifndef HTTP_PROGRESS_H
#define HTTP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that the peer of a TCP socket has acknowledged since it was opened; 0 for other
 * sockets, and where the kernel does not count them. */
uint64_t progress_acked_bytes(int fd);
/* True when a TCP socket has never received a byte; false where that is not known. */
bool progress_is_silent(int fd);

#endif
