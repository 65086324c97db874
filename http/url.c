/* url.c: the check of a URL; see url.h.
 *
 * It reads the authority the way the browser does (a backslash ends it like a slash),
 * so that what is judged here is what is navigated there. */
#include "http/url.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include "http/text.h"

static size_t scheme_length(const char *url, size_t bytes)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i]);
        if (bytes >= length && strncasecmp(url, schemes[i], length) == 0)
            return length;
    }
    return 0;
}

static bool has_control(const char *url, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)url[i] < 0x20 || url[i] == 0x7f)
            return true;
    }
    return false;
}

static bool port_is_valid(const char *port, size_t bytes)
{
    unsigned value = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (port[i] < '0' || port[i] > '9')
            return false;
        value = value * 10 + (unsigned)(port[i] - '0');
        if (value > 65535)
            return false;
    }
    return true;
}

/* The part of an authority that is the host; what follows is a port or nothing. */
static bool host_length(const char *authority, size_t bytes, size_t *ret)
{
    if (authority[0] == '[') {
        const char *end = memchr(authority, ']', bytes);
        *ret = end ? (size_t)(end - authority) + 1 : 0;
        return end && *ret > 2;
    }
    const char *colon = memchr(authority, ':', bytes);
    *ret = colon ? (size_t)(colon - authority) : bytes;
    return *ret > 0;
}

static bool authority_check(const char *authority, size_t bytes, struct fault *fault)
{
    if (bytes == 0)
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" has no host; write http://HOST/PATH or https://HOST/PATH.");
    if (memchr(authority, '@', bytes))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" must not hold a user name or password (the part before \"@\").");
    size_t host;
    if (!host_length(authority, bytes, &host))
        return fault_set(
            fault, HTTP_INVALID_URL, "url",
            "\"url\" has an empty or broken host; write http://HOST/PATH or https://HOST/PATH.");
    if (host == bytes)
        return true;
    assert(host < bytes);
    if (authority[host] != ':' || !port_is_valid(authority + host + 1, bytes - host - 1))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" has an invalid port; a port is a number from 0 to 65535.");
    return true;
}

bool url_check(const char *url, size_t bytes, size_t bytes_max, struct fault *fault)
{
    assert(url && fault);
    char shown[TEXT_QUOTE_BYTES];
    if (bytes > bytes_max)
        return fault_set(
            fault, HTTP_URL_TOO_LONG, "url",
            "\"url\" is %zu bytes long; at most %zu are accepted (knob http.url_bytes_max).", bytes,
            bytes_max);
    if (has_control(url, bytes))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" holds a control character; percent-encode it.");
    if (!text_is_utf8(url, bytes))
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" is not valid UTF-8; percent-encode other bytes.");
    size_t scheme = scheme_length(url, bytes);
    if (scheme == 0)
        return fault_set(fault, HTTP_INVALID_URL, "url",
                         "\"url\" is \"%s\"; it must begin with http:// or https://.",
                         text_quote(shown, url, bytes));
    size_t authority = 0;
    while (scheme + authority < bytes && !strchr("/\\?#", url[scheme + authority]))
        authority++;
    return authority_check(url + scheme, authority, fault);
}
