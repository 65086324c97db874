/* endpoint.c: see endpoint.h. */
#include "net/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies without control characters or spaces, which have no place in a request line. */
static bool copy_part(char *to, size_t to_bytes, const char *from, size_t from_bytes)
{
    if (from_bytes == 0 || from_bytes >= to_bytes) {
        return false;
    }
    for (size_t i = 0; i < from_bytes; i++) {
        if (from[i] <= ' ' || from[i] > '~') {
            return false;
        }
    }
    memcpy(to, from, from_bytes);
    to[from_bytes] = '\0';
    return true;
}

/* Reads ":PORT" or nothing, up to `end`. */
static bool parse_port(const char *text, const char *end, int *ret)
{
    char *rest = NULL;

    if (text == end) {
        *ret = 80;
        return true;
    }
    if (*text != ':' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    unsigned long port = strtoul(text + 1, &rest, 10);
    if (rest != end || port == 0 || port > 65535) {
        return false;
    }
    *ret = (int)port;
    return true;
}

bool endpoint_parse(const char *url, const char *scheme, struct endpoint *ret)
{
    struct endpoint endpoint;

    if (strncmp(url, scheme, strlen(scheme)) != 0) {
        return false;
    }
    const char *host = url + strlen(scheme);
    const char *host_end = host + strcspn(host, *host == '[' ? "]/" : ":/");
    if (*host_end == ']') {
        host_end++;
    }
    const char *path = host_end + strcspn(host_end, "/");
    const char *path_text = *path != '\0' ? path : "/";
    if (!parse_port(host_end, path, &endpoint.port) ||
        !copy_part(endpoint.host, sizeof endpoint.host, host, (size_t)(host_end - host)) ||
        !copy_part(endpoint.path, sizeof endpoint.path, path_text, strlen(path_text))) {
        return false;
    }
    *ret = endpoint;
    return true;
}

bool endpoint_address(const struct endpoint *endpoint, char *ret, size_t ret_bytes)
{
    unsigned char ignored[sizeof(struct in6_addr)];
    const char *host = endpoint->host;
    size_t bytes = strlen(host);
    bool is_bracketed = bytes > 2 && host[0] == '[' && host[bytes - 1] == ']';
    char address[ENDPOINT_HOST_BYTES_MAX];

    (void)snprintf(address, sizeof address, "%.*s", (int)(is_bracketed ? bytes - 2 : bytes),
                   host + (is_bracketed ? 1 : 0));
    if (strcmp(address, "localhost") == 0) {
        (void)snprintf(address, sizeof address, "127.0.0.1");
    }
    if (inet_pton(is_bracketed ? AF_INET6 : AF_INET, address, ignored) != 1) {
        return false;
    }
    assert(strlen(address) < INET6_ADDRSTRLEN);
    return snprintf(ret, ret_bytes, "%s", address) < (int)ret_bytes;
}
