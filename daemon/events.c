/* events.c: what http/ and cdp/ report, first queued, then turned into events of the
 * pool. The emit functions only put into the inbox; daemon_handle() works. */
#include "daemon/daemon.h"
#include "daemon/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "config/caller.h"

static uint32_t random_u32(void)
{
    uint32_t value = 0;
    (void)uv_random(NULL, NULL, &value, sizeof value, 0, NULL);
    return value;
}

void daemon_on_cdp(void *owner, const struct cdp_event *event)
{
    struct daemon *daemon = owner;
    struct inbox_event inbox_event = {.type = INBOX_CDP, .as.cdp = *event};
    inbox_push(&daemon->inbox, &inbox_event);
}

/* A render waits for the inbox; a question about the state is answered from where it
 * stands: it needs no room in the pool, and nothing it does can come back as an event. */
static void on_http_request(struct daemon *daemon, const struct http_event *event)
{
    if (!http_route_is_render(event->request->route)) {
        report_reply(daemon, event->exchange, event->request);
        return;
    }
    struct request *request = request_new(event->exchange, event->request);
    if (request == NULL) {
        const struct http_problem problem = {.code = HTTP_INTERNAL, .detail = "Out of memory."};
        (void)http_reply_problem(daemon->http, event->exchange, &problem, NULL, 0);
        return;
    }
    struct inbox_event inbox_event = {.type = INBOX_HTTP_REQUEST, .as.request = request};
    inbox_push(&daemon->inbox, &inbox_event);
}

void daemon_on_http(void *owner, const struct http_event *event)
{
    struct daemon *daemon = owner;
    struct inbox_event inbox_event;
    memset(&inbox_event, 0, sizeof inbox_event);
    switch (event->type) {
    case HTTP_REQUEST:
        on_http_request(daemon, event);
        return;
    case HTTP_GONE:
        inbox_event.type = INBOX_HTTP_GONE;
        inbox_event.as.exchange = event->exchange;
        break;
    case HTTP_FINISHED:
        inbox_event.type = INBOX_HTTP_FINISHED;
        inbox_event.as.finished = event->finished;
        break;
    }
    inbox_push(&daemon->inbox, &inbox_event);
}

static void handle_request(struct daemon *daemon, struct request *request)
{
    const struct render_params *params = &request->http.params;
    request->arrival_ms = daemon->now_ms;
    request->deadline_ms = daemon->now_ms + params->timeout_ms;
    if (daemon->batch == NULL && share_join(&daemon->requests, request)) {
        LOG(&daemon->log, LOG_DEBUG, "render shared", LOG_STR("id", request->http.request_id),
            LOG_STR("with", request->leader->http.request_id));
        return;
    }
    uint32_t queue_timeout_ms =
        params->queue_timeout_ms != 0 ? params->queue_timeout_ms : params->timeout_ms;
    struct pool_event event = {
        .type = POOL_REQUEST,
        .random = random_u32(),
        .request =
            {
                .id = request->id,
                .key = request->key,
                .key_bytes = request->key_bytes,
                .lane = params->lane == LANE_NESTED ? POOL_NESTED : POOL_MAIN,
                .priority = params->priority,
                .deadline_ms = request->deadline_ms,
                .queue_deadline_ms = daemon->now_ms + queue_timeout_ms,
                .fingerprint = request->http.dialect.fingerprint,
                .site = request->site,
                .batch = request->http.dialect.batch,
                .clear_cache = request->http.dialect.clear_cache,
                .repeatable = params->retry_on_crash && caller_binds(params) == NULL,
                .single_use = request->key[0] == KEY_FRESH,
            },
    };
    requests_add(&daemon->requests, request);
    daemon_step(daemon, &event);
}

static void step_request(struct daemon *daemon, enum pool_event_type type, uint64_t id)
{
    struct pool_event event = {.type = type, .request.id = id, .random = random_u32()};
    daemon_step(daemon, &event);
}

/* The client left before its answer. A request that runs is ended by an ABORT of the
 * pool; one that waits is simply forgotten. */
static void handle_gone(struct daemon *daemon, uint64_t exchange)
{
    struct request *request = requests_find(&daemon->requests, exchange);
    if (request == NULL || request->state == REQUEST_ANSWERED)
        return;
    request = share_leave(&daemon->requests, request);
    if (request == NULL)
        return;
    uint64_t id = request->id;
    LOG(&daemon->log, LOG_INFO, "render cancelled", LOG_STR("id", request->http.request_id),
        LOG_STR("state", request->state == REQUEST_WAITING ? "queued" : "rendering"),
        LOG_STR("reason", "client gone"), LOG_U64("ms", daemon->now_ms - request->arrival_ms));
    metrics_count_outcome(&daemon->metrics, METRIC_CANCELLED);
    step_request(daemon, POOL_CANCEL, id);
    request = requests_find(&daemon->requests, id);
    if (request != NULL)
        requests_remove(&daemon->requests, request);
}

/* One line per request at level info: a render that ran has its own, with its phases, so
 * only what was refused is told here. */
static void handle_finished(struct daemon *daemon, const struct http_finished *finished)
{
    metrics_count_finished(&daemon->metrics, finished);
    bool refused = (finished->status >= 400 && finished->status < 500) || finished->status == 503;
    enum log_level level = refused ? LOG_INFO : LOG_DEBUG;
    LOG(&daemon->log, level, "request", LOG_STR("id", finished->request_id),
        LOG_U64("status", (uint64_t)finished->status),
        LOG_STR("code",
                finished->code != NULL && finished->code[0] != '\0' ? finished->code : NULL),
        LOG_U64("ms", finished->elapsed_ms), LOG_U64("bytes", finished->body_bytes));
}

/* A render whose client has its answer must not run again: the pool learns that nobody
 * waits for it. */
static void cancel_answered(struct daemon *daemon, uint64_t page, uint64_t life)
{
    struct request *request, *next;
    HASH_ITER(hh, daemon->requests.by_id, request, next)
    {
        bool concerned = request->state == REQUEST_ANSWERED &&
                         (page != 0 ? request->page == page : request->life == life);
        if (concerned)
            step_request(daemon, POOL_CANCEL, request->id);
    }
}

/* The request that the event is about, if it still has that very page: between an event
 * and its turn in the inbox the pool may have taken the page away. */
static struct request *find_leaseholder(const struct daemon *daemon, const struct cdp_event *event)
{
    struct request *request = requests_find(&daemon->requests, event->request);
    bool holds =
        request != NULL && request->state != REQUEST_WAITING && request->page == event->page;
    return holds ? request : NULL;
}

static void handle_result(struct daemon *daemon, const struct cdp_event *event)
{
    struct request *request = find_leaseholder(daemon, event);
    if (request == NULL || request->state == REQUEST_ANSWERED) {
        render_result_free(event->result);
        return;
    }
    request->state = REQUEST_ANSWERED;
    /* The dialect says of a timeout that the page was evicted. */
    request->retires = dialect_retires(request, event->result);
    reply_result(daemon, request, event->result);
    share_end(&daemon->requests, request);
}

static void handle_render_done(struct daemon *daemon, const struct cdp_event *event)
{
    struct request *request = find_leaseholder(daemon, event);
    if (request == NULL)
        return;
    if (!event->ok)
        LOG(&daemon->log, LOG_DEBUG, "page retired", LOG_U64("page", event->page),
            LOG_STR("id", request->http.request_id));
    struct pool_event done = {
        .type = POOL_RENDER_DONE,
        .page = event->page,
        .request.id = event->request,
        .outcome = event->ok && !request->retires ? POOL_RENDER_GOOD : POOL_RENDER_UNUSABLE,
        .random = random_u32(),
    };
    requests_remove(&daemon->requests, request);
    daemon_step(daemon, &done);
}

/* The pool puts the repeatable renders of that life back to their rank; they are granted
 * again when another life is up. Those with an answer leave only then: a cancel before
 * would free their permits for grants on the very life that has ended. */
static void handle_life_down(struct daemon *daemon, const struct cdp_event *event)
{
    (void)snprintf(daemon->life_error, sizeof daemon->life_error, "%s", event->text);
    enum log_level level = daemon->state == DAEMON_CLOSING ? LOG_DEBUG : LOG_WARNING;
    LOG(&daemon->log, level, "browser down", LOG_U64("life", event->life),
        LOG_STR("reason", event->text));
    host_shell_life_down(&daemon->heartbeat.shell, event->life);
    struct request *request, *next;
    HASH_ITER(hh, daemon->requests.by_id, request, next)
    {
        if (request->state == REQUEST_RUNNING && request->life == event->life)
            request->state = REQUEST_WAITING;
    }
    struct pool_event down = {.type = POOL_LIFE_DOWN, .life = event->life, .random = random_u32()};
    daemon_step(daemon, &down);
    cancel_answered(daemon, 0, event->life);
}

static void handle_life_up(struct daemon *daemon, const struct cdp_event *event)
{
    struct cdp_life_info info;
    if (cdp_get_life(daemon->cdp, event->life, &info))
        LOG(&daemon->log, LOG_INFO, "browser up", LOG_U64("life", event->life),
            LOG_U64("pid", (uint64_t)info.pid), LOG_STR("product", info.product));
    daemon->life_error[0] = '\0';
    host_shell_life_up(&daemon->heartbeat.shell, event->life);
    struct pool_event up = {.type = POOL_LIFE_UP, .life = event->life, .random = random_u32()};
    daemon_step(daemon, &up);
}

static void handle_page_event(struct daemon *daemon, enum pool_event_type type,
                              const struct cdp_event *event)
{
    struct pool_event page_event = {
        .type = type,
        .page = event->page,
        .context = event->context,
        .life = event->life,
        .transient = event->transient,
        .random = random_u32(),
    };
    daemon_step(daemon, &page_event);
}

static void handle_crashed(struct daemon *daemon, const struct cdp_event *event)
{
    LOG(&daemon->log, LOG_WARNING, "page crashed", LOG_U64("page", event->page),
        LOG_STR("reason", event->text));
    cancel_answered(daemon, event->page, 0);
    handle_page_event(daemon, POOL_PAGE_CRASHED, event);
}

static void handle_open_failed(struct daemon *daemon, const struct cdp_event *event)
{
    LOG(&daemon->log, LOG_WARNING, "page did not open", LOG_U64("page", event->page),
        LOG_STR("reason", event->text));
    handle_page_event(daemon, POOL_OPEN_FAILED, event);
}

static void handle_cdp(struct daemon *daemon, const struct cdp_event *event)
{
    switch (event->type) {
    case CDP_LIFE_UP:
        handle_life_up(daemon, event);
        break;
    case CDP_LIFE_DOWN:
        handle_life_down(daemon, event);
        break;
    case CDP_OPENED:
        handle_page_event(daemon, POOL_OPENED, event);
        break;
    case CDP_OPEN_FAILED:
        handle_open_failed(daemon, event);
        break;
    case CDP_PROBED:
        handle_page_event(daemon, event->ok ? POOL_PROBED : POOL_PROBE_FAILED, event);
        break;
    case CDP_RESULT:
        handle_result(daemon, event);
        break;
    case CDP_RENDER_DONE:
        handle_render_done(daemon, event);
        break;
    case CDP_CLOSED:
        handle_page_event(daemon, POOL_CLOSED, event);
        break;
    case CDP_CONTEXT_GONE:
        handle_page_event(daemon, POOL_CONTEXT_GONE, event);
        break;
    case CDP_CRASHED:
        handle_crashed(daemon, event);
        break;
    case CDP_STANDBY_FAILED:
        LOG(&daemon->log, LOG_WARNING, "standby document did not load, trying again",
            LOG_U64("page", event->page), LOG_STR("reason", event->text));
        break;
    case CDP_STRAY:
        LOG(&daemon->log, LOG_DEBUG, "stray target closed", LOG_STR("type", event->text));
        break;
    }
}

void daemon_handle(struct daemon *daemon, const struct inbox_event *event)
{
    switch (event->type) {
    case INBOX_CDP:
        handle_cdp(daemon, &event->as.cdp);
        break;
    case INBOX_HTTP_REQUEST:
        handle_request(daemon, event->as.request);
        break;
    case INBOX_HTTP_GONE:
        handle_gone(daemon, event->as.exchange);
        break;
    case INBOX_FINISHED:
        reply_finished(daemon, event->as.finish);
        break;
    case INBOX_SAVED:
        batch_saved(daemon, event->as.save);
        break;
    case INBOX_HTTP_FINISHED:
        handle_finished(daemon, &event->as.finished);
        break;
    }
}
