/* forms.c: checks of texts by their form alone. */
#include "config/forms.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define ADDRESS_BYTES INET6_ADDRSTRLEN

const char *form_next_item(const char **list, size_t *ret_bytes)
{
    assert(list && *list);
    const char *item = *list + strspn(*list, " \t,");
    *ret_bytes = strcspn(item, " \t,");
    *list = item + *ret_bytes;
    return item;
}

/* Whether every item of a list passes, and there is one. */
static bool every_item(const char *list, bool (*is_valid)(const char *item, size_t bytes))
{
    size_t count = 0, bytes;
    for (const char *item = form_next_item(&list, &bytes); bytes > 0;
         item = form_next_item(&list, &bytes)) {
        if (!is_valid(item, bytes)) {
            return false;
        }
        count++;
    }
    return count > 0;
}

/* Copies a part of a text for the functions that want it terminated. */
static bool copy_part(const char *part, size_t bytes, char *buffer, size_t buffer_bytes)
{
    if (bytes >= buffer_bytes) {
        return false;
    }
    memcpy(buffer, part, bytes);
    buffer[bytes] = '\0';
    return true;
}

static bool is_number(const char *text, size_t bytes, unsigned max, unsigned *ret)
{
    unsigned number = 0;
    if (bytes == 0 || bytes > 5) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    if (number > max) {
        return false;
    }
    *ret = number;
    return true;
}

static bool is_address(int family, const char *text, size_t bytes)
{
    char copy[ADDRESS_BYTES];
    struct in6_addr address;
    return copy_part(text, bytes, copy, sizeof copy) && inet_pton(family, copy, &address) == 1;
}

/* "127.0.0.1:4221" or "[::1]:4221", split into its address and its port. */
static bool split_listener(const char *item, size_t bytes, const char **ret_host,
                           size_t *ret_host_bytes, unsigned *ret_port)
{
    const char *colon = memrchr(item, ':', bytes);
    if (!colon) {
        return false;
    }
    const char *host = item;
    size_t host_bytes = (size_t)(colon - item);
    int family = AF_INET;
    if (host_bytes >= 2 && host[0] == '[' && host[host_bytes - 1] == ']') {
        host++;
        host_bytes -= 2;
        family = AF_INET6;
    }
    size_t port_bytes = bytes - (size_t)(colon + 1 - item);
    if (!is_address(family, host, host_bytes) ||
        !is_number(colon + 1, port_bytes, 65535, ret_port)) {
        return false;
    }
    *ret_host = host;
    *ret_host_bytes = host_bytes;
    return true;
}

static bool is_unix_listener(const char *item, size_t bytes)
{
    const size_t path_max = sizeof((struct sockaddr_un *)0)->sun_path - 1;
    return bytes > 6 && strncmp(item, "unix:/", 6) == 0 && bytes - 5 <= path_max;
}

static bool is_listener(const char *item, size_t bytes)
{
    const char *host;
    size_t host_bytes;
    unsigned port;
    return is_unix_listener(item, bytes) || split_listener(item, bytes, &host, &host_bytes, &port);
}

bool form_is_listen(const char *text)
{
    return every_item(text, is_listener);
}

static bool is_loopback(const char *host, size_t bytes)
{
    struct in6_addr six;
    char copy[ADDRESS_BYTES];
    if (bytes == 9 && strncasecmp(host, "localhost", 9) == 0) {
        return true;
    }
    if (is_address(AF_INET, host, bytes)) {
        return strncmp(host, "127.", 4) == 0;
    }
    return copy_part(host, bytes, copy, sizeof copy) && inet_pton(AF_INET6, copy, &six) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&six);
}

bool form_is_local_listener(const char *item, size_t item_bytes)
{
    const char *host;
    size_t host_bytes;
    unsigned port;
    if (is_unix_listener(item, item_bytes)) {
        return true;
    }
    return split_listener(item, item_bytes, &host, &host_bytes, &port) &&
           is_loopback(host, host_bytes);
}

unsigned form_listen_port(const char *list)
{
    size_t bytes, host_bytes;
    const char *host;
    unsigned port = 0;
    for (const char *item = form_next_item(&list, &bytes); bytes > 0;
         item = form_next_item(&list, &bytes)) {
        if (split_listener(item, bytes, &host, &host_bytes, &port)) {
            return port;
        }
    }
    return 0;
}

static bool has_only(const char *text, size_t bytes, const char *others)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr(others, text[i])) {
            return false;
        }
    }
    return bytes > 0;
}

/* The host of "scheme://host:port/path", without brackets; NULL when it is none. */
static const char *url_host(const char *url, size_t *ret_bytes)
{
    const char *host = strstr(url, "://");
    if (!host) {
        return NULL;
    }
    host += 3;
    size_t bytes = strcspn(host, "/?#");
    if (memchr(host, '@', bytes)) {
        return NULL;
    }
    if (host[0] == '[') {
        host++;
        *ret_bytes = strcspn(host, "]");
        return *ret_bytes + 1 < bytes && is_address(AF_INET6, host, *ret_bytes) ? host : NULL;
    }
    *ret_bytes = strcspn(host, ":/?#");
    return has_only(host, *ret_bytes, "-._") ? host : NULL;
}

/* What follows the host: an empty text, or a port and a path. */
static bool is_tail_valid(const char *host, size_t host_bytes)
{
    const char *tail = host + host_bytes;
    unsigned port;
    tail += *tail == ']';
    if (*tail == ':') {
        size_t digits = strcspn(tail + 1, "/?#");
        return is_number(tail + 1, digits, 65535, &port) && port > 0;
    }
    return *tail == '\0' || strchr("/?#", *tail);
}

static bool is_url(const char *text, const char *scheme, const char *secure_scheme)
{
    size_t bytes;
    const char *host = url_host(text, &bytes);
    if (!host || strpbrk(text, " \t\"<>\\")) {
        return false;
    }
    bool known = strncasecmp(text, scheme, strlen(scheme)) == 0 ||
                 (secure_scheme && strncasecmp(text, secure_scheme, strlen(secure_scheme)) == 0);
    return known && is_tail_valid(host, bytes);
}

bool form_is_http_url(const char *text)
{
    return is_url(text, "http://", "https://");
}

bool form_is_websocket_url(const char *text)
{
    return is_url(text, "ws://", NULL);
}

bool form_is_local_url(const char *url)
{
    size_t bytes;
    const char *host = url_host(url, &bytes);
    return host && is_loopback(host, bytes);
}

static bool is_host(const char *item, size_t bytes)
{
    return has_only(item, bytes, "-._*");
}

bool form_is_hosts(const char *text)
{
    return every_item(text, is_host);
}

static bool is_origin(const char *item, size_t bytes)
{
    const char *slashes = memmem(item, bytes, "://", 3);
    if (!slashes || slashes == item) {
        return false;
    }
    size_t scheme_bytes = (size_t)(slashes - item);
    return has_only(item, scheme_bytes, "+-.") &&
           has_only(slashes + 3, bytes - scheme_bytes - 3, "-._:[]*");
}

bool form_is_origins(const char *text)
{
    return every_item(text, is_origin);
}

static bool is_network(const char *item, size_t bytes)
{
    const char *slash = memchr(item, '/', bytes);
    size_t address_bytes = slash ? (size_t)(slash - item) : bytes;
    bool four = is_address(AF_INET, item, address_bytes);
    unsigned bits;
    if (!four && !is_address(AF_INET6, item, address_bytes)) {
        return false;
    }
    return !slash || is_number(slash + 1, bytes - address_bytes - 1, four ? 32 : 128, &bits);
}

bool form_is_networks(const char *text)
{
    return every_item(text, is_network);
}

bool form_is_user(const char *text)
{
    return has_only(text, strlen(text), "-._") && text[0] != '-' && strlen(text) <= 32;
}
