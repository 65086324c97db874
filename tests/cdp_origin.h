/* cdp_origin.h: the web server whose pages the tests of cdp/ render.
 *
 * It runs in a thread per connection, on a port of its own on 127.0.0.1. A page is a row of
 * the table that its test gives; a few paths have a behaviour instead of a page:
 *
 *   /slow?MS      answers "slow" after that many milliseconds
 *   /never        does not answer before the server ends
 *   /events       a stream of server-sent events that does not end
 *   /loop         redirects to itself
 *   /hints        shows the client hints and the Accept-Language that came
 *   /to?PATH      redirects to PATH
 *   /marks        shows the headers X-Prerender and User-Agent that came
 *   /heard        shows method, body and some headers of the request: Content-Type, X-Secret,
 *                 Authorization
 *   /asks?URL     a page that fetches URL and shows what came, or "refused"
 *   /again?PATH   redirects to PATH with 307
 *   /status?CODE  that status, without a body
 *   /download     an attachment
 *   /half         a page whose connection breaks
 *   /big?BYTES    a page with that much text
 *   /moves-at?MS  a page that goes to /static after that time of its own clock
 *   /moves-in?MS  the same after real time
 *   /cookie       sets the cookie "seen=1" and shows those that came */
#ifndef TESTS_CDP_ORIGIN_H
#define TESTS_CDP_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

struct cdp_origin_page {
    const char *path, *type, *body;
};

struct cdp_origin;

/* `pages` ends with a path of NULL and must outlive the origin. */
struct cdp_origin *cdp_origin_new(const struct cdp_origin_page *pages);
uint16_t cdp_origin_port(const struct cdp_origin *);
size_t cdp_origin_count(struct cdp_origin *); /* Requests so far. */
void cdp_origin_free(struct cdp_origin *);

#endif
