/* progress.c: asks the kernel; see progress.h.
 *
 * A file of its own because the structure of the C library lacks the counter and that of
 * the kernel cannot be included beside it. */
#include "http/progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* True when the kernel knows the counters up to `needed` bytes into the structure. */
static bool ask(int fd, size_t needed, struct tcp_info *ret)
{
    socklen_t length = sizeof(*ret);
    memset(ret, 0, sizeof(*ret));
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &length) == 0 && length >= needed;
}

uint64_t progress_acked_bytes(int fd)
{
    struct tcp_info info;
    size_t needed = offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked);
    return ask(fd, needed, &info) ? info.tcpi_bytes_acked : 0;
}

bool progress_is_silent(int fd)
{
    struct tcp_info info;
    size_t needed =
        offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received);
    return ask(fd, needed, &info) && info.tcpi_bytes_received == 0;
}
