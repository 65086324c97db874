/* daemon.c: builds everything, runs the loop, takes everything down in reverse. */
#include "daemon/daemon.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/browser.h"

/* Sockets that a service manager may hand over. */
#define LISTEN_FDS_MAX 16

static void make_boot_id(struct daemon *daemon)
{
    unsigned char bytes[16];
    memset(bytes, 0, sizeof bytes);
    (void)uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(daemon->boot_id + 2 * i, 3, "%02x", bytes[i]);
}

static int build_pool(struct daemon *daemon)
{
    size_t bytes = pool_bytes(&daemon->config.pool);
    daemon->pool_memory = calloc(1, bytes);
    if (daemon->pool_memory == NULL) {
        LOG(&daemon->log, LOG_ERROR, "no memory for the pool; lower pool.queue_max",
            LOG_U64("bytes", bytes));
        return -ENOMEM;
    }
    daemon->pool = pool_init(daemon->pool_memory, &daemon->config.pool, daemon->now_ms);
    return 0;
}

static int build_http(struct daemon *daemon)
{
    int fds[LISTEN_FDS_MAX];
    char error[CONFIG_ERROR_BYTES];
    size_t fds_count = notify_listen_fds(fds, LISTEN_FDS_MAX);
    int status = http_new(&daemon->loop, &daemon->config, fds, fds_count, daemon_on_http, daemon,
                          &daemon->http, error);
    if (status != 0)
        LOG(&daemon->log, LOG_ERROR, "cannot listen", LOG_STR("reason", error));
    return status;
}

/* A page must not reach the daemon's own interface: it would be a client from loopback. */
static void deny_own_ports(struct daemon *daemon)
{
    const char *address;
    for (size_t i = 0; (address = http_address(daemon->http, i)) != NULL; i++) {
        const char *colon = strrchr(address, ':');
        unsigned long port = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
        if (port > 0 && port <= UINT16_MAX)
            cdp_deny_port(daemon->cdp, (uint16_t)port);
    }
}

static int build(struct daemon *daemon)
{
    int status = build_pool(daemon);
    if (status != 0)
        return status;
    status = build_http(daemon);
    if (status != 0)
        return status;
    daemon->cdp = cdp_new(&daemon->loop, &daemon->config, daemon_on_cdp, daemon);
    if (daemon->cdp == NULL)
        return -ENOMEM;
    deny_own_ports(daemon);
    return heartbeat_open(daemon) ? 0 : -EINVAL;
}

static void announce(struct daemon *daemon)
{
    char command[256];
    const char *address;
    for (size_t i = 0; (address = http_address(daemon->http, i)) != NULL; i++)
        LOG(&daemon->log, LOG_INFO, "listening", LOG_STR("address", address));
    for (size_t i = 0; daemon->log.level < LOG_INFO && http_address(daemon->http, i) != NULL; i++)
        (void)printf("%s\n", http_address(daemon->http, i)); /* With port 0 it must be told. */
    (void)fflush(stdout);
    address = http_address(daemon->http, 0);
    if (address == NULL || strncmp(address, "http", 4) != 0)
        return;
    (void)snprintf(command, sizeof command, "curl -d '{\"url\":\"https://example.com\"}' %s/render",
                   address);
    if (daemon->log.format == LOG_TEXT)
        (void)fprintf(stderr, "\nTry it:\n  %s\n\n", command);
    else
        LOG(&daemon->log, LOG_INFO, "try it", LOG_STR("command", command));
}

static void start(struct daemon *daemon)
{
    int removed = browser_sweep_profiles(&daemon->config);
    if (removed > 0)
        LOG(&daemon->log, LOG_INFO, "removed what an earlier daemon left behind",
            LOG_U64("profiles", (uint64_t)removed));
    announce(daemon);
    /* The first tick launches the browser. */
    struct pool_event tick = {.type = POOL_TICK};
    daemon_step(daemon, &tick);
}

/* The loop runs until every handle is closed. A loop that cannot be closed was stopped by
 * force (drain.c); the process ends then, and the system takes what is left. */
static void teardown(struct daemon *daemon)
{
    bool closed = uv_loop_close(&daemon->loop) == 0;
    while (daemon->requests.by_id != NULL) /* One may take others with it. */
        requests_remove(&daemon->requests, daemon->requests.by_id);
    inbox_free(&daemon->inbox);
    if (closed) {
        cdp_free(daemon->cdp);
        http_free(daemon->http);
        heartbeat_free(daemon);
    }
    free(daemon->pool_memory);
}

int daemon_run(struct daemon *daemon)
{
    int status = uv_loop_init(&daemon->loop);
    assert(status == 0);
    log_init(&daemon->log, &daemon->config.log);
    make_boot_id(daemon);
    turn_start(daemon);
    if (build(daemon) != 0 || drain_watch_signals(daemon) != 0)
        return 1; /* The system closes what was opened; nothing was started yet. */
    notify_init(daemon);
    start(daemon);
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    int exit_status = daemon->exit_status;
    LOG(&daemon->log, LOG_INFO, "stopped", LOG_U64("status", (uint64_t)exit_status));
    teardown(daemon);
    return exit_status;
}
