/* origin.h: the web server whose pages the system tests render.
 *
 * It runs in threads of the test program, one per connection, so that a page can be as
 * slow as a test wants. One path per behaviour:
 *
 *   /static?n=X        a small page that says "page X"
 *   /app               a page that React and Vue build with fetch and timers
 *   /timers            the same without a framework, 1.1 s of timers in all
 *   /cookie[?set=N=V]  sets a cookie; shows those the request sent and document.cookie
 *   /storage[?set=V]   sets an entry of localStorage; shows the one that is there
 *   /gate?name=X       answers once the test opens gate X, then like /static?n=X
 *   /gate-inside?name=X   a page whose fetch passes gate X before it is complete
 *   /slow?ms=N         answers after N ms, then like /static
 *   /never             does not answer
 *   /hang              a page with an image that does not answer: no load event
 *   /spin              a page whose script does not end;  /spin-later: only after load
 *   /pinned?gate=X&n=N until the test opens gate X a page that never lets go of its thread,
 *                      by one endless script (N even) or by tasks without end (N odd);
 *                      afterwards like /static
 *   /parent?affinity=A&n=X   asks the renderer for /static?n=X of affinity A in lane nested,
 *                      waits for it, then a page that says "parent X" if that was right
 *   /status?code=N     that status with a small page;  /204: no content
 *   /redirect?n=N      N redirects, then /static?n=redirected;  /redirect-loop
 *   /script-redirect   a page that goes to /static?n=scripted
 *   /script-loop       a page that goes to itself without end
 *   /download[?type=T], /close   an attachment; a connection closed without an answer
 *   /saves             a page that starts a download
 *   /big?bytes=N       a page with that much text;  /surrogate: text that is no UTF-8
 *   /odd-bytes         bytes that are no UTF-8, and a NUL
 *   /streams, /polls   pages with an EventSource, /events, and with a long poll
 *   /reaches?URL       a page that asks URL for a fetch, an image, a script and a
 *                      WebSocket, and says whether the fetch was answered
 *   /uses-cache        a page with a script, /cacheable, that may be cached
 *   /prints            three sheets of 700 px with a box of 120 x 50, a link, and a text that
 *                      is another one at every visit
 *   /dialog, /popup    a page with alert(); one that opens a window
 *   /asks, /asks-on    a page with each kind of dialog; one with 24
 *   /deep              elements so deep in each other that their renderer crashes
 *   /recipe/app.html   the application of config/recipe-example, and its other files
 *   /api/..., /npm/..., /pages/...   what these pages load */
#ifndef TESTS_SYSTEM_ORIGIN_H
#define TESTS_SYSTEM_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin;

/* Listens on a port of its own on 127.0.0.1. */
struct origin *origin_new(void);
/* Where /parent asks: the address of a daemon, borrowed. Set before any such request. */
void origin_set_renderer(struct origin *, const char *address);
/* Lets every blocked connection go and ends the threads. */
void origin_free(struct origin *);
/* The URL of a path. Valid for the life of the origin. */
const char *origin_url(struct origin *, const char *path_format, ...)
    __attribute__((format(printf, 2, 3)));
/* How many requests came for exactly this path and query. */
size_t origin_count(struct origin *, const char *target);
/* When the latest of them came, on the clock of clock_ns(); 0: none. */
uint64_t origin_seen_ns(struct origin *, const char *target);
void origin_open_gate(struct origin *, const char *name);
/* Waits until that many connections wait at the gate. */
bool origin_wait_gate(struct origin *, const char *name, size_t count, uint64_t timeout_ms);

#endif
