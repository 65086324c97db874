/* status_page.h: what a person sees who opens the daemon's address in a browser. Anyone may,
 * so it tells no more than /healthz, /readyz and /version do: no key, no URL, no count. */
#ifndef DAEMON_STATUS_PAGE_H
#define DAEMON_STATUS_PAGE_H

#include <stddef.h>

struct status_facts {
    const char *state;   /* "ready", or why not; shown as it is. */
    const char *version; /* Of the daemon. */
    const char *product; /* Of the browser; NULL: none is up. */
};

/* An HTML document for the caller to free; NULL: out of memory. */
char *status_page(const struct status_facts *, size_t *ret_bytes);

#endif
