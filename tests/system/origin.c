/* origin.c: the scripted web server; see origin.h. */
#include "tests/system/origin.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include "tests/system/harness.h"
#include "tests/system/origin_routes.h"

/* A request that came, with its path and query. */
struct visit {
    STAILQ_ENTRY(visit) link;
    uint64_t at_ns;
    char target[];
};

struct gate {
    STAILQ_ENTRY(gate) link;
    bool open;
    size_t waiting;
    char name[];
};

/* A URL handed to the test. */
struct url {
    STAILQ_ENTRY(url) link;
    char text[];
};

struct origin {
    struct MHD_Daemon *daemon;
    uint16_t port;
    const char *renderer;  /* Where /parent asks. */
    pthread_mutex_t mutex; /* Guards what follows. */
    pthread_cond_t changed;
    bool stopping;
    STAILQ_HEAD(, visit) visits;
    STAILQ_HEAD(, gate) gates;
    STAILQ_HEAD(, url) urls;
};

/* Blocks this connection's thread for that long, or until the origin stops. */
void origin_hold(struct origin *origin, uint64_t ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(ms / 1000);
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&origin->mutex);
    int result = 0;
    while (!origin->stopping && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&origin->changed, &origin->mutex, &end);
    }
    pthread_mutex_unlock(&origin->mutex);
}

/* With the mutex held. */
static struct gate *find_gate(struct origin *origin, const char *name)
{
    struct gate *gate;
    STAILQ_FOREACH(gate, &origin->gates, link)
    {
        if (strcmp(gate->name, name) == 0) {
            return gate;
        }
    }
    gate = calloc(1, sizeof(*gate) + strlen(name) + 1);
    demand(gate != NULL, "no memory for a gate");
    memcpy(gate->name, name, strlen(name) + 1);
    STAILQ_INSERT_TAIL(&origin->gates, gate, link);
    return gate;
}

void origin_pass_gate(struct origin *origin, const char *name)
{
    pthread_mutex_lock(&origin->mutex);
    struct gate *gate = find_gate(origin, name);
    gate->waiting++;
    pthread_cond_broadcast(&origin->changed);
    while (!origin->stopping && !gate->open) {
        pthread_cond_wait(&origin->changed, &origin->mutex);
    }
    gate->waiting--;
    pthread_mutex_unlock(&origin->mutex);
}

bool origin_is_gate_open(struct origin *origin, const char *name)
{
    pthread_mutex_lock(&origin->mutex);
    bool open = find_gate(origin, name)->open;
    pthread_mutex_unlock(&origin->mutex);
    return open;
}

void origin_set_renderer(struct origin *origin, const char *address)
{
    origin->renderer = address;
}

const char *origin_renderer(struct origin *origin)
{
    demand(origin->renderer != NULL, "nobody told the origin of a renderer");
    return origin->renderer;
}

static void *on_target(void *origin_, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct origin *origin = origin_;
    struct visit *visit = malloc(sizeof(*visit) + strlen(target) + 1);
    demand(visit != NULL, "no memory for a visit");
    visit->at_ns = clock_ns();
    memcpy(visit->target, target, strlen(target) + 1);
    pthread_mutex_lock(&origin->mutex);
    STAILQ_INSERT_TAIL(&origin->visits, visit, link);
    pthread_mutex_unlock(&origin->mutex);
    return visit;
}

struct origin *origin_new(void)
{
    struct origin *origin = calloc(1, sizeof(*origin));
    demand(origin != NULL, "no memory for an origin");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&origin->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&origin->mutex, NULL);
    STAILQ_INIT(&origin->visits);
    STAILQ_INIT(&origin->gates);
    STAILQ_INIT(&origin->urls);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    origin->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, origin_answer, origin, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, origin, MHD_OPTION_END);
    demand(origin->daemon != NULL, "the origin cannot listen");
    origin->port = MHD_get_daemon_info(origin->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return origin;
}

void origin_free(struct origin *origin)
{
    if (origin == NULL) {
        return;
    }
    pthread_mutex_lock(&origin->mutex);
    origin->stopping = true;
    pthread_cond_broadcast(&origin->changed);
    pthread_mutex_unlock(&origin->mutex);
    MHD_stop_daemon(origin->daemon);
    for (struct visit *visit; (visit = STAILQ_FIRST(&origin->visits)) != NULL;) {
        STAILQ_REMOVE_HEAD(&origin->visits, link);
        free(visit);
    }
    for (struct gate *gate; (gate = STAILQ_FIRST(&origin->gates)) != NULL;) {
        STAILQ_REMOVE_HEAD(&origin->gates, link);
        free(gate);
    }
    for (struct url *url; (url = STAILQ_FIRST(&origin->urls)) != NULL;) {
        STAILQ_REMOVE_HEAD(&origin->urls, link);
        free(url);
    }
    pthread_cond_destroy(&origin->changed);
    pthread_mutex_destroy(&origin->mutex);
    free(origin);
}

void origin_write_url(struct origin *origin, char *ret, size_t ret_bytes, const char *path)
{
    int bytes = snprintf(ret, ret_bytes, "http://127.0.0.1:%u%s", (unsigned)origin->port, path);
    demand(bytes > 0 && (size_t)bytes < ret_bytes, "a path is too long: %s", path);
}

const char *origin_url(struct origin *origin, const char *path_format, ...)
{
    char path[2048];
    va_list arguments;
    va_start(arguments, path_format);
    vsnprintf(path, sizeof(path), path_format, arguments);
    va_end(arguments);
    size_t bytes = strlen(path) + 32;
    struct url *url = malloc(sizeof(*url) + bytes);
    demand(url != NULL, "no memory for a URL");
    origin_write_url(origin, url->text, bytes, path);
    STAILQ_INSERT_TAIL(&origin->urls, url, link);
    return url->text;
}

size_t origin_count(struct origin *origin, const char *target)
{
    size_t count = 0;
    pthread_mutex_lock(&origin->mutex);
    const struct visit *visit;
    STAILQ_FOREACH(visit, &origin->visits, link)
    {
        count += strcmp(visit->target, target) == 0;
    }
    pthread_mutex_unlock(&origin->mutex);
    return count;
}

uint64_t origin_seen_ns(struct origin *origin, const char *target)
{
    uint64_t at_ns = 0;
    pthread_mutex_lock(&origin->mutex);
    const struct visit *visit;
    STAILQ_FOREACH(visit, &origin->visits, link)
    {
        if (strcmp(visit->target, target) == 0) {
            at_ns = visit->at_ns;
        }
    }
    pthread_mutex_unlock(&origin->mutex);
    return at_ns;
}

void origin_open_gate(struct origin *origin, const char *name)
{
    pthread_mutex_lock(&origin->mutex);
    find_gate(origin, name)->open = true;
    pthread_cond_broadcast(&origin->changed);
    pthread_mutex_unlock(&origin->mutex);
}

struct wanted_gate {
    struct origin *origin;
    const char *name;
    size_t count;
};

static bool has_waiting(void *wanted_)
{
    struct wanted_gate *wanted = wanted_;
    pthread_mutex_lock(&wanted->origin->mutex);
    bool holds = find_gate(wanted->origin, wanted->name)->waiting >= wanted->count;
    pthread_mutex_unlock(&wanted->origin->mutex);
    return holds;
}

bool origin_wait_gate(struct origin *origin, const char *name, size_t count, uint64_t timeout_ms)
{
    return until(has_waiting, &(struct wanted_gate){origin, name, count}, timeout_ms);
}
