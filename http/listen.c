/* listen.c: binding; see listen.h. */
#include "http/listen.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"
#define LISTEN_BACKLOG 511 /* Cut by the kernel to net.core.somaxconn. */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage room;
};

static bool port_parse(const char *text, size_t bytes, uint16_t *ret)
{
    unsigned port = 0;
    if (bytes < 1 || bytes > 5)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool copy_text(const char *text, size_t bytes, char *ret, size_t ret_size)
{
    if (bytes == 0 || bytes >= ret_size)
        return false;
    memcpy(ret, text, bytes);
    ret[bytes] = '\0';
    return true;
}

static bool tcp_parse(const char *text, size_t bytes, union address *ret, socklen_t *ret_length)
{
    char host[INET6_ADDRSTRLEN];
    uint16_t port;
    const char *colon = memrchr(text, ':', bytes);
    if (!colon || !port_parse(colon + 1, bytes - (size_t)(colon + 1 - text), &port))
        return false;
    size_t host_bytes = (size_t)(colon - text);
    if (host_bytes > 2 && text[0] == '[' && colon[-1] == ']') {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(port);
        *ret_length = sizeof(ret->v6);
        return copy_text(text + 1, host_bytes - 2, host, sizeof(host)) &&
               inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons(port);
    *ret_length = sizeof(ret->v4);
    return copy_text(text, host_bytes, host, sizeof(host)) &&
           inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static bool unix_parse(const char *text, size_t bytes, union address *ret, socklen_t *ret_length)
{
    size_t prefix = strlen(UNIX_PREFIX);
    if (bytes <= prefix || memcmp(text, UNIX_PREFIX "/", prefix + 1) != 0)
        return false;
    ret->local.sun_family = AF_UNIX;
    *ret_length = sizeof(ret->local);
    return copy_text(text + prefix, bytes - prefix, ret->local.sun_path,
                     sizeof(ret->local.sun_path));
}

/* True when a socket file is there that nobody listens on; it is then removed. */
static bool remove_stale(const union address *address, socklen_t length)
{
    struct stat status;
    const char *path = address->local.sun_path;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool is_stale = connect(fd, &address->any, length) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return is_stale && unlink(path) == 0;
}

static int socket_bind(const union address *address, socklen_t length, int *ret_fd)
{
    int family = address->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0)
        return -errno;
    if (family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    int result = bind(fd, &address->any, length) == 0 ? 0 : -errno;
    if (result == -EADDRINUSE && family == AF_UNIX && remove_stale(address, length))
        result = bind(fd, &address->any, length) == 0 ? 0 : -errno;
    if (result == 0 && listen(fd, LISTEN_BACKLOG) != 0)
        result = -errno;
    if (result != 0)
        (void)close(fd);
    else
        *ret_fd = fd;
    return result;
}

static bool v6_is_loopback(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

/* Fills in what the bound address tells; false for other kinds of sockets. */
static bool describe(const union address *address, socklen_t length, struct endpoint *ret)
{
    char host[INET6_ADDRSTRLEN];
    int family = address->any.sa_family;
    ret->tcp = family != AF_UNIX;
    if (family == AF_INET) {
        ret->loopback = ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
        snprintf(ret->url, sizeof(ret->url), "http://%s:%u", host, ntohs(address->v4.sin_port));
    } else if (family == AF_INET6) {
        ret->loopback = v6_is_loopback(&address->v6.sin6_addr);
        inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
        snprintf(ret->url, sizeof(ret->url), "http://[%s]:%u", host, ntohs(address->v6.sin6_port));
    } else if (family == AF_UNIX) {
        size_t room = length - offsetof(struct sockaddr_un, sun_path);
        ret->loopback = true;
        snprintf(ret->url, sizeof(ret->url), UNIX_PREFIX "%.*s",
                 (int)strnlen(address->local.sun_path, room), address->local.sun_path);
    }
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

static bool describe_fd(int fd, struct endpoint *ret)
{
    union address address;
    socklen_t length = sizeof(address);
    memset(&address, 0, sizeof(address));
    return getsockname(fd, &address.any, &length) == 0 && describe(&address, length, ret);
}

int endpoint_bind(const char *text, size_t bytes, struct endpoint *ret,
                  char error[CONFIG_ERROR_BYTES])
{
    union address address;
    socklen_t length = 0;
    struct endpoint endpoint = {.fd = -1};
    memset(&address, 0, sizeof(address));
    bool is_unix = unix_parse(text, bytes, &address, &length);
    if (!is_unix && !tcp_parse(text, bytes, &address, &length)) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "http.listen: \"%.*s\" is not an address; write 127.0.0.1:4221, [::1]:4221 or "
                 "unix:/path.",
                 (int)bytes, text);
        return -EINVAL;
    }
    int result = socket_bind(&address, length, &endpoint.fd);
    if (result != 0) {
        const char *hint = result == -EADDRINUSE ? "; something else listens there" : "";
        snprintf(error, CONFIG_ERROR_BYTES, "http.listen: cannot listen on %.*s: %s%s.", (int)bytes,
                 text, strerror(-result), hint);
        return result;
    }
    bool described = describe_fd(endpoint.fd, &endpoint);
    assert(described);
    struct stat status;
    if (is_unix && lstat(address.local.sun_path, &status) == 0) {
        endpoint.device = status.st_dev;
        endpoint.inode = status.st_ino;
    }
    *ret = endpoint;
    return 0;
}

int endpoint_inherit(int fd, struct endpoint *ret, char error[CONFIG_ERROR_BYTES])
{
    struct endpoint endpoint = {.fd = fd, .inherited = true};
    int listens = 0;
    socklen_t length = sizeof(listens);
    bool asked = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0;
    if (!asked || !listens || !describe_fd(fd, &endpoint)) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "The inherited descriptor %d is not a listening TCP or Unix stream socket; check "
                 "the .socket unit (ListenStream=, Accept=no).",
                 fd);
        return -EINVAL;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        int code = errno;
        snprintf(error, CONFIG_ERROR_BYTES, "The inherited descriptor %d cannot be used: %s.", fd,
                 strerror(code));
        return -code;
    }
    *ret = endpoint;
    return 0;
}

void endpoint_close(struct endpoint *endpoint)
{
    if (endpoint->fd < 0)
        return;
    struct stat status;
    const char *path = endpoint->url + strlen(UNIX_PREFIX);
    bool is_ours = !endpoint->tcp && !endpoint->inherited && lstat(path, &status) == 0 &&
                   status.st_dev == endpoint->device && status.st_ino == endpoint->inode;
    if (is_ours)
        (void)unlink(path);
    (void)close(endpoint->fd);
    endpoint->fd = -1;
}
