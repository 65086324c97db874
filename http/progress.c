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

uint64_t progress_acked_bytes(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof(info);
    const socklen_t needed = offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(uint64_t);
    memset(&info, 0, sizeof(info));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || length < needed)
        return 0;
    return info.tcpi_bytes_acked;
}
