/* notify.c: the agreement with systemd: inherited sockets, readiness, watchdog.
 *
 * The watchdog is fed from the loop turn and from nowhere else, so that it stops when
 * the loop does. sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3). */
#include "daemon/daemon.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

size_t notify_listen_fds(int *fds, size_t fds_max)
{
    int count = sd_listen_fds(1);
    size_t taken = 0;
    for (int i = 0; i < count && taken < fds_max; i++)
        fds[taken++] = SD_LISTEN_FDS_START + i;
    return taken;
}

void notify_init(struct daemon *daemon)
{
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) > 0 && interval_us >= 2000) {
        daemon->watchdog_interval_ms = interval_us / 2000; /* Half, as the manual advises. */
        daemon->watchdog_ms = daemon->now_ms;
    }
}

void notify_turn(struct daemon *daemon)
{
    if (!daemon->ready_notified && daemon->state == DAEMON_SERVING) {
        struct pool_stats stats;
        pool_get_stats(daemon->pool, &stats);
        if (stats.life != 0) {
            daemon->ready_notified = true;
            (void)sd_notify(0, "READY=1");
            LOG(&daemon->log, LOG_INFO, "ready", LOG_U64("cap", stats.cap));
        }
    }
    if (daemon->watchdog_interval_ms != 0 && daemon->now_ms >= daemon->watchdog_ms) {
        (void)sd_notify(0, "WATCHDOG=1");
        daemon->watchdog_ms = daemon->now_ms + daemon->watchdog_interval_ms;
    }
}

uint64_t notify_deadline_ms(const struct daemon *daemon)
{
    return daemon->watchdog_interval_ms != 0 ? daemon->watchdog_ms : UINT64_MAX;
}

void notify_stopping(struct daemon *daemon)
{
    (void)daemon;
    (void)sd_notify(0, "STOPPING=1");
}
