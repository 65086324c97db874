/* limits.h: every compile-time bound, with its reason. A bound that an operator
 * may want to move is a knob (config.h) and not here. */
#ifndef CONFIG_LIMITS_H
#define CONFIG_LIMITS_H

/* A client's affinity key is at most this long: it must fit, percent-encoded
 * threefold, into one request line with room to spare. */
#define AFFINITY_KEY_BYTES_MAX 512

/* Keys inside the pool carry one prefix byte for their key space (client, origin,
 * fresh), so that no client can name a context that was not made for clients. */
#define POOL_KEY_BYTES_MAX (AFFINITY_KEY_BYTES_MAX + 1)

/* Upper ends of the ranges of the knobs that size memory; see config.h. */
#define POOL_PAGES_LIMIT 1024
#define POOL_ORPHANS_LIMIT 4096
#define POOL_QUEUE_LIMIT 1000000

/* Nested requests are exempt from queue_max, since a render may be waiting for
 * them. They get a bound of their own: a main render causes a handful at once. */
#define POOL_NESTED_PER_PAGE_MAX 16

/* Disposals with `wait` that may be outstanding at once. */
#define POOL_DISPOSE_WAITS_MAX 1024

/* Browser lives that can exist at once: the one that serves, the next one that
 * starts beside it, and a superseded one that is being killed. */
#define BROWSER_LIVES_MAX 3

/* Longest URL accepted and reported; RFC 9110 section 4.1 recommends 8000. */
#define URL_BYTES_MAX 8192

/* Body of the request for a main document. */
#define REQUEST_BODY_BYTES_MAX (1024 * 1024)
/* A document that comes with its request and has no base URL travels in a data: URL, three
 * bytes in four characters; Chromium takes two million of those. */
#define HTML_BYTES_MAX 1500000

/* Request ids: [0-9A-Za-z._-]{1,64}, see the HTTP interface. */
#define REQUEST_ID_BYTES_MAX 64

/* The head of an HTTP request: request line and headers. */
#define HTTP_HEAD_BYTES_MAX 32768

/* The viewport of a page whose request names none. */
#define VIEWPORT_WIDTH 1280
#define VIEWPORT_HEIGHT 800

#endif
