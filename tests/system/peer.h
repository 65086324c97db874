/* peer.h: the server's side of one websocket, over a blocking socket. */
#ifndef TESTS_SYSTEM_PEER_H
#define TESTS_SYSTEM_PEER_H

#include <stdbool.h>

/* Reads the request of a client and accepts it. False when it went away. */
bool peer_accept(int fd);
/* The next message as text, which the caller frees. NULL at the end of the connection. */
char *peer_read(int fd);
/* Sends a text message. Nothing happens when the client is gone. */
void peer_send(int fd, const char *text);

#endif
