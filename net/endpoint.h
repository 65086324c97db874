/* endpoint.h: where a websocket listens: ws://HOST[:PORT][/PATH] taken apart. Pure. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

/* Longest host: a name of the DNS. Longest path: Chromium's is 55. */
#define ENDPOINT_HOST_BYTES_MAX 256
#define ENDPOINT_PATH_BYTES_MAX 256

struct endpoint {
    char host[ENDPOINT_HOST_BYTES_MAX]; /* As written, IPv6 in brackets. */
    char path[ENDPOINT_PATH_BYTES_MAX]; /* "/" when there is none. */
    int port;                           /* 80 when there is none. */
};

/* `scheme` is "ws://" or "http://". False when `url` is no such URL; *ret is untouched. */
bool endpoint_parse(const char *url, const char *scheme, struct endpoint *ret);
/* Writes the IP address of the host, without brackets. False when the host is a name.
 * localhost is 127.0.0.1, by RFC 6761 and without a lookup. */
bool endpoint_address(const struct endpoint *, char *ret, size_t ret_bytes);

#endif
