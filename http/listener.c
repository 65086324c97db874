/* listener.c: one MHD daemon on one listening socket, driven by the caller's loop.
 *
 * MHD_get_timeout() does not see connections that were resumed since the last run, and in
 * this mode nothing else wakes MHD for them: whoever resumes sets wants_run. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* How long connections wait in the kernel when no descriptor is left for them. */
#define LISTENER_PAUSE_MS 100

/* The bound is over all listeners; MHD's own is per daemon, and then it waits to accept. */
static enum MHD_Result accept_policy(void *context, const struct sockaddr *address,
                                     socklen_t length)
{
    const struct listener *listener = context;
    const struct http *http = listener->http;
    (void)address;
    (void)length;
    bool fits = http->connections_count < http->config->http.connections_max;
    return fits ? MHD_YES : MHD_NO;
}

int listener_new(struct http *http, const struct endpoint *endpoint, struct listener **ret)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->http = http;
    listener->endpoint = *endpoint;
    errno = 0;
    listener->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, accept_policy, listener, handler_request,
        listener, MHD_OPTION_LISTEN_SOCKET, endpoint->fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)http->config->http.connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_NOTIFY_COMPLETED,
        handler_completed, listener, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, listener,
        MHD_OPTION_URI_LOG_CALLBACK, handler_target, listener, MHD_OPTION_END);
    if (!listener->mhd) {
        free(listener);
        return errno > 0 ? -errno : -ENOMEM;
    }
    listener->wants_run = true;
    *ret = listener;
    return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)status; /* MHD finds out itself, by the same epoll descriptor. */
    (void)events;
    listener->wants_run = true;
}

int listener_start(struct listener *listener)
{
    assert(!listener->poll_is_open);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    assert(info && info->epoll_fd >= 0);
    int result = uv_poll_init(listener->http->loop, &listener->poll, info->epoll_fd);
    if (result != 0)
        return result;
    listener->poll.data = listener;
    listener->poll_is_open = true;
    listener->http->handles_count++;
    return uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* With no descriptor to be had and no connection whose end would free one, MHD tries to
 * accept what waits for ever and at once. */
static bool is_starved(const struct listener *listener)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    if (listener->endpoint.fd < 0 || !info || info->num_connections > 0)
        return false;
    int fd = fcntl(listener->endpoint.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE;
    (void)close(fd);
    return false;
}

static void pause_poll(struct listener *listener)
{
    if (!listener->poll_is_open)
        return;
    (void)uv_poll_stop(&listener->poll);
    listener->wants_run = false;
    listener->resume_ms = listener->http->now_ms + LISTENER_PAUSE_MS;
}

static void resume_poll(struct listener *listener)
{
    if (listener->resume_ms == 0 || listener->http->now_ms < listener->resume_ms)
        return;
    listener->resume_ms = 0;
    listener->wants_run = true;
    (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

bool listener_run(struct listener *listener)
{
    struct http *http = listener->http;
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    assert(http->in_turn);
    assert(!http->in_run);
    resume_poll(listener);
    if (!listener->wants_run || !listener->mhd)
        return false;
    listener->wants_run = false;
    http->in_run = true;
    (void)MHD_run(listener->mhd);
    bool must_pause = is_starved(listener); /* This, too, may tell of ended connections. */
    http->in_run = false;
    /* No timeout of MHD's own is set: a timeout it reports means that work is left over. */
    if (MHD_get_timeout(listener->mhd, &timeout_ms) == MHD_YES)
        listener->wants_run = true;
    if (must_pause)
        pause_poll(listener);
    return true;
}

void listener_quiesce(struct listener *listener)
{
    if (listener->endpoint.fd < 0)
        return;
    MHD_socket fd = MHD_quiesce_daemon(listener->mhd);
    assert(fd == listener->endpoint.fd);
    endpoint_close(&listener->endpoint);
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct http *http = listener->http;
    free(listener);
    http_handle_closed(http);
}

void listener_close(struct listener *listener)
{
    struct http *http = listener->http;
    listener_quiesce(listener);
    if (listener->poll_is_open)
        (void)uv_poll_stop(&listener->poll); /* Before MHD closes the descriptor. */
    http->in_run = true;
    MHD_stop_daemon(listener->mhd);
    http->in_run = false;
    listener->mhd = NULL;
    if (listener->poll_is_open)
        uv_close((uv_handle_t *)&listener->poll, on_closed);
    else
        free(listener);
}
