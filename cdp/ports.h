/* ports.h: the TCP ports that no page may reach: those of the daemon and of its browsers.
 *
 * Whatever the host is called: a name may stand for loopback as well. But where the daemon
 * itself listens on a port of websites, 80 or 443, other hosts are just that; there the port
 * is closed at the hosts that lead to the daemon (own_hosts.h).
 *
 * Chromium is told of them when it starts and at no other time, so the port that a browser
 * will be commanded through is chosen before any browser starts, one for each that there
 * may be at once. Until then a socket of ours holds it that is bound and does not listen:
 * the kernel gives such a port to nobody, and lets a browser listen on it nevertheless,
 * since both allow their address to be used again. */
#ifndef CDP_PORTS_H
#define CDP_PORTS_H

#include <stdbool.h>
#include <stdint.h>
#include "cdp/own_hosts.h"
#include "config/limits.h"

/* Listeners of the daemon; more are ignored. */
#define PORTS_DENIED_MAX 16

struct port {
    int fd;
    uint16_t number; /* 0: not held. */
};

/* Zeroed when new. */
struct ports {
    uint16_t denied[PORTS_DENIED_MAX];
    uint32_t denied_count;
    struct port browsers[BROWSER_LIVES_MAX];
    struct own_hosts own; /* Empty while no port of websites is denied. */
};

/* Of one browser. */
struct browser_ports {
    uint16_t own;               /* To be commanded through; 0: of its own choice. */
    const struct ports *denied; /* Its pages reach none of these; NULL: they reach all. */
};

void ports_deny(struct ports *, uint16_t number);
/* What leads to this machine may have changed: to be called before every start of a browser.
 * False: memory is out. */
bool ports_learn(struct ports *, const struct config *);
/* No page may reach that port of that host. */
bool ports_has(const struct ports *, const char *host, size_t host_bytes, uint32_t number);
/* Chooses those of the browsers that are not held yet. A negative errno: not all are. */
int ports_hold(struct ports *);
/* Another will be chosen in its place. */
void ports_release(struct ports *, uint32_t browser);
void ports_done(struct ports *);
/* The value of --host-resolver-rules that keeps pages from all of them; free() it. NULL:
 * out of memory. */
char *ports_rules(const struct ports *);

#endif
