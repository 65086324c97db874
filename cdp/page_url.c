/* page_url.c: URLs that no page may show. A parser for this one question only: Chromium
 * does the rest, and has normalised the URL of every document that is shown. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "cdp/page.h"

/* The port of an http or https URL; 0: it is none, or has a port that is no number. The host
 * is a part of the URL. */
static uint32_t port_of(const char *url, size_t bytes, struct cdp_span *ret_host)
{
    bool is_tls = bytes >= 8 && strncasecmp(url, "https://", 8) == 0;
    size_t scheme_bytes = is_tls ? 8 : 7;
    uint32_t port = 0;

    if (!is_tls && (bytes < 7 || strncasecmp(url, "http://", 7) != 0))
        return 0;
    const char *at = url + scheme_bytes, *end = url + bytes, *host = at;
    for (; at < end && strchr("/?#\\", *at) == NULL; at++) {
        if (*at == '@')
            host = at + 1;
    }
    const char *colon = memrchr(host, ':', (size_t)(at - host));
    const char *bracket = memrchr(host, ']', (size_t)(at - host));
    if (colon != NULL && bracket != NULL && colon < bracket)
        colon = NULL;
    *ret_host =
        (struct cdp_span){(char *)(uintptr_t)host, (size_t)((colon != NULL ? colon : at) - host)};
    if (colon == NULL || colon + 1 == at)
        return is_tls ? 443 : 80;
    for (const char *digit = colon + 1; digit < at; digit++) {
        if (!isdigit((unsigned char)*digit) || port > UINT16_MAX)
            return 0;
        port = port * 10 + (uint32_t)(*digit - '0');
    }
    return port;
}

bool url_is_denied(const struct cdp *cdp, const char *url, size_t bytes)
{
    struct cdp_span host;
    uint32_t port = port_of(url, bytes, &host);

    if (port == 0)
        return true;
    if (ports_has(&cdp->ports, host.at, host.bytes, port))
        return true;
    /* A browser that is attached has a port that was not chosen here. */
    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        const struct life *life = &cdp->lives[i];
        const char *own = life->browser != NULL ? browser_websocket_url(life->browser) : "";
        /* "ws://HOST:PORT/PATH" differs from an http URL in the scheme alone. */
        const char *rest = strncmp(own, "ws://", 5) == 0 ? own + 5 : NULL;
        const char *colon = rest != NULL ? strrchr(rest, ':') : NULL;
        if (colon != NULL && (uint32_t)strtoul(colon + 1, NULL, 10) == port)
            return true;
    }
    return false;
}
