/* sockets.c: small sockets of the test program; see sockets.h. */
#include "tests/system/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/system/harness.h"

uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(fd >= 0 && bind(fd, (struct sockaddr *)&address, bytes) == 0 &&
               getsockname(fd, (struct sockaddr *)&address, &bytes) == 0,
           "no free port: %s", strerror(errno));
    close(fd);
    return ntohs(address.sin_port);
}

int notify_socket(const char *directory, char *ret_variable, size_t ret_bytes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", directory);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    demand(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "%s: %s",
           address.sun_path, strerror(errno));
    snprintf(ret_variable, ret_bytes, "NOTIFY_SOCKET=%s", address.sun_path);
    return fd;
}

bool notify_wait(int fd, const char *text, uint64_t timeout_ms)
{
    uint64_t end_ms = clock_ms() + timeout_ms;
    for (uint64_t now_ms = clock_ms(); now_ms < end_ms; now_ms = clock_ms()) {
        char message[4096];
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)(end_ms - now_ms)) <= 0) {
            return false;
        }
        ssize_t bytes = recv(fd, message, sizeof(message) - 1, 0);
        demand(bytes >= 0, "recv: %s", strerror(errno));
        message[bytes] = '\0';
        if (strstr(message, text) != NULL) {
            return true;
        }
    }
    return false;
}

void notify_discard(int fd)
{
    char message[4096];
    while (recv(fd, message, sizeof(message), MSG_DONTWAIT) >= 0) {
    }
}
