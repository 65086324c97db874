/* sockets.h: the other ends of a service manager: a free port, a notification socket. */
#ifndef TESTS_SYSTEM_SOCKETS_H
#define TESTS_SYSTEM_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A TCP port of 127.0.0.1 that nobody listens on just now. */
uint16_t free_port(void);
/* Binds DIRECTORY/notify and writes "NOTIFY_SOCKET=..." for the daemon's environment. */
int notify_socket(const char *directory, char *ret_variable, size_t ret_bytes);
/* Reads messages until one has the line `text`. False when the time was up. */
bool notify_wait(int fd, const char *text, uint64_t timeout_ms);
/* Forgets what has arrived. */
void notify_discard(int fd);

#endif
