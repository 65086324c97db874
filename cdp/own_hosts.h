/* own_hosts.h: what this machine is called in a URL: hosts that lead to the daemon itself.
 *
 * They are patterns (glob.h) of hosts as Chromium writes them: names in lower case, addresses
 * in their one canonical form. Of names only those are known that the daemon answers to: any
 * other that leads here gets 403 host_denied from it (http/guard.c). Who is reached by an
 * address that no interface has, behind a router, names it in http.allowed_hosts. */
#ifndef CDP_OWN_HOSTS_H
#define CDP_OWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

struct config; /* config/config.h */

/* Further ones are ignored: they are read from the system, and go into a command line. */
#define OWN_HOSTS_MAX 512
/* Of one: the longest name there is, its final dot, and the end. */
#define OWN_HOST_BYTES 256

/* Zeroed when new. */
struct own_hosts {
    char **patterns;
    size_t count;
};

/* Learns all of them anew: loopback, the interfaces as they are now, the host name, and the
 * names of http.allowed_hosts and manager.advertise_url. False: memory is out. */
bool own_hosts_learn(struct own_hosts *, const struct config *);
/* The host of a URL is one of them: a name, an IPv4 address, or an IPv6 one in brackets. */
bool own_hosts_have(const struct own_hosts *, const char *host, size_t bytes);
void own_hosts_free(struct own_hosts *);

#endif
