/* network.h: addresses of callers, and the networks that a knob lists. Pure. */
#ifndef HTTP_NETWORK_H
#define HTTP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

/* An address of either family: IPv4 is mapped into IPv6 (RFC 4291, 2.5.5.2), so a client that
 * comes in over IPv4 to an IPv6 listener is the same. */
struct address {
    bool known;
    unsigned char bytes[16];
};

/* Not known for other families. */
struct address address_of(const struct sockaddr *);
/* Whether `list`, as form_is_networks() accepts it, has a network with the address. One that
 * is not known is in none. */
bool network_lists(const char *list, const struct address *);
/* The address as text, of at least 46 bytes, IPv4 as such. */
const char *address_text(const struct address *, char *ret, size_t ret_bytes);

#endif
