/* act.c: carries out what the pool decides, in order. An action never returns anything
 * into the pool: what comes of it is an event of a later round. */
#include "daemon/daemon.h"

#include <assert.h>
#include <string.h>

static void act_launch(struct daemon *daemon, const struct pool_action *action)
{
    LOG(&daemon->log, LOG_DEBUG, "browser starting", LOG_U64("life", action->life));
    cdp_launch(daemon->cdp, daemon->now_ms, action->life);
}

static void act_open(struct daemon *daemon, const struct pool_action *action)
{
    uint64_t deadline_ms = daemon->now_ms + daemon->config.pool.open_timeout_ms;
    cdp_open(daemon->cdp, daemon->now_ms, action->life, action->page, action->context,
             action->new_context, deadline_ms);
}

static void act_probe(struct daemon *daemon, const struct pool_action *action)
{
    uint64_t deadline_ms = daemon->now_ms + daemon->config.pool.probe_timeout_ms;
    cdp_probe(daemon->cdp, daemon->now_ms, action->page, deadline_ms);
}

static void act_grant(struct daemon *daemon, const struct pool_action *action)
{
    struct request *request = requests_find(&daemon->requests, action->request);
    assert(request != NULL && request->state != REQUEST_RUNNING);
    if (request->state == REQUEST_ANSWERED)
        return; /* Its browser died after the answer; events.c is about to cancel it. */
    request->state = REQUEST_RUNNING;
    request->granted_ms = daemon->now_ms;
    request->page = action->page;
    request->life = action->life;
    assert(request->life != 0);
    request->grant = action->grant;
    uint64_t deadline_ms = request->deadline_ms;
    if (dialect_asked(request)) {
        uint64_t render_end_ms = daemon->now_ms + dialect_budget_ms(daemon, request);
        deadline_ms = render_end_ms < deadline_ms ? render_end_ms : deadline_ms;
        dialect_start(request);
    }
    const struct cdp_render render = {
        .request = request->id,
        .page = action->page,
        .params = &request->http.params,
        .deadline_ms = deadline_ms,
        .clear_cache = action->grant.clear_cache,
        .clear_storage = request->clear_storage,
        .diagnose = request->http.accept == HTTP_ACCEPT_ENVELOPE && !dialect_asked(request),
    };
    cdp_render(daemon->cdp, daemon->now_ms, &render);
}

static void refuse(struct daemon *daemon, const struct request *request, enum http_code code,
                   const char *detail, uint64_t retry_after_ms)
{
    const struct http_problem problem = {
        .code = code, .detail = detail, .retry_after_ms = retry_after_ms};
    reply_problem(daemon, request, &problem, NULL, 0);
}

/* Of a request that ran. */
static void reply_ran(struct daemon *daemon, const struct request *request, enum http_code code,
                      const char *detail)
{
    const struct http_problem problem = {.code = code, .detail = detail};
    if (dialect_asked(request))
        dialect_reply_failed(daemon, request, NULL, &problem, true);
    else
        reply_problem(daemon, request, &problem, NULL, 0);
}

static void log_failed(struct daemon *daemon, const struct request *request,
                       const struct pool_action *action)
{
    LOG(&daemon->log, LOG_INFO, "render failed", LOG_STR("id", request->http.request_id),
        LOG_STR("reason", pool_reason_name(action->reason)), LOG_U64("page", action->page),
        LOG_U64("attempt", request->grant.attempt),
        LOG_U64("total_ms", daemon->now_ms - request->arrival_ms));
}

static void act_refuse(struct daemon *daemon, const struct pool_action *action)
{
    struct request *request = requests_find(&daemon->requests, action->request);
    assert(request != NULL && request->state == REQUEST_WAITING);
    enum http_code code = HTTP_QUEUE_TIMEOUT;
    const char *detail = "The request waited until its deadline without getting a page; allow "
                         "more with timeoutMs or queueTimeoutMs, or raise pool.pages_max.";
    if (action->reason == POOL_QUEUE_FULL) {
        code = HTTP_QUEUE_FULL;
        detail = "As many requests wait as pool.queue_max allows; try again later.";
    } else if (action->reason == POOL_DRAINING) {
        code = HTTP_DRAINING;
        detail = "The daemon is stopping and takes no new work; this request was not started.";
    } else if (daemon->life_error[0] != '\0') {
        detail = "No browser was running when the deadline came; see the log and /readyz.";
    }
    metrics_count_outcome(&daemon->metrics, METRIC_REFUSED);
    refuse(daemon, request, code, detail, action->retry_after_ms);
    requests_remove(&daemon->requests, request);
}

/* The pool ends a render: at its deadline, for a client that left, after a crash of its
 * page, or at the end of a grace. */
static void act_abort(struct daemon *daemon, const struct pool_action *action)
{
    cdp_abort(daemon->cdp, daemon->now_ms, action->page);
    struct request *request = requests_find(&daemon->requests, action->request);
    if (request == NULL)
        return;
    if (request->state != REQUEST_ANSWERED) {
        log_failed(daemon, request, action);
        switch (action->reason) {
        case POOL_PAGE_FAULT:
            request->state = REQUEST_WAITING;
            return;
        case POOL_DEADLINE:
        case POOL_DRAIN_GRACE:
            metrics_count_outcome(&daemon->metrics, METRIC_FAILED);
            reply_ran(daemon, request, HTTP_RENDER_TIMEOUT,
                      "The render did not end before its deadline, and nothing could be "
                      "captured; allow more with timeoutMs.");
            break;
        case POOL_RECYCLE_TIMEOUT:
        case POOL_BROWSER_DEATH:
            metrics_count_outcome(&daemon->metrics, METRIC_FAILED);
            reply_ran(daemon, request, HTTP_BROWSER_CRASHED,
                      "The browser was replaced before the render ended.");
            break;
        case POOL_CANCELLED:
        case POOL_NO_REASON:
        case POOL_QUEUE_FULL:
        case POOL_QUEUE_TIMEOUT:
        case POOL_DRAINING:
            break;
        }
    }
    requests_remove(&daemon->requests, request);
}

static void act_fail(struct daemon *daemon, const struct pool_action *action)
{
    struct request *request = requests_find(&daemon->requests, action->request);
    if (request == NULL)
        return;
    bool page = action->reason == POOL_PAGE_FAULT;
    if (request->state != REQUEST_ANSWERED) {
        log_failed(daemon, request, action);
        metrics_count_outcome(&daemon->metrics, METRIC_FAILED);
        reply_ran(daemon, request, page ? HTTP_PAGE_CRASHED : HTTP_BROWSER_CRASHED,
                  page ? "The page crashed while it rendered this URL."
                       : "The browser crashed while it rendered this URL.");
    }
    requests_remove(&daemon->requests, request);
}

static void act_disposed(struct daemon *daemon, const struct pool_action *action)
{
    const struct http_reply reply = {.status = 204};
    (void)http_reply(daemon->http, action->dispose, &reply);
}

/* The key without the byte of its key space. */
static void act_edge(struct daemon *daemon, const struct pool_action *action, const char *message)
{
    assert(action->key_bytes >= 1);
    if (action->key[0] != KEY_CLIENT)
        return;
    heartbeat_note_edge(daemon, action);
    LOG(&daemon->log, LOG_DEBUG, message,
        LOG_KEY("affinity", action->key + 1, action->key_bytes - 1),
        LOG_U64("epoch", action->epoch));
}

static void act(struct daemon *daemon, const struct pool_action *action)
{
    switch (action->type) {
    case POOL_LAUNCH:
        act_launch(daemon, action);
        break;
    case POOL_KILL_LIFE:
        cdp_kill_life(daemon->cdp, daemon->now_ms, action->life);
        break;
    case POOL_OPEN:
        act_open(daemon, action);
        break;
    case POOL_PROBE:
        act_probe(daemon, action);
        break;
    case POOL_GRANT:
        act_grant(daemon, action);
        break;
    case POOL_ABORT:
        act_abort(daemon, action);
        break;
    case POOL_REST:
        cdp_rest(daemon->cdp, daemon->now_ms, action->page);
        break;
    case POOL_CLOSE:
        cdp_close(daemon->cdp, daemon->now_ms, action->page, action->retain);
        break;
    case POOL_DISPOSE_CONTEXT:
        cdp_dispose_context(daemon->cdp, daemon->now_ms, action->context);
        break;
    case POOL_KILL:
        LOG(&daemon->log, LOG_WARNING, "close is late, killing", LOG_U64("page", action->page),
            LOG_U64("context", action->context));
        cdp_kill(daemon->cdp, daemon->now_ms, action->page);
        break;
    case POOL_REFUSE:
        act_refuse(daemon, action);
        break;
    case POOL_FAIL:
        act_fail(daemon, action);
        break;
    case POOL_STARTED:
        act_edge(daemon, action, "affinity started");
        break;
    case POOL_ENDED:
        act_edge(daemon, action, "affinity ended");
        break;
    case POOL_DISPOSED:
        act_disposed(daemon, action);
        break;
    case POOL_CAP:
        LOG(&daemon->log, LOG_INFO, "pool resized", LOG_U64("cap", action->cap));
        break;
    }
}

void daemon_step(struct daemon *daemon, const struct pool_event *event)
{
    struct pool_actions actions = pool_step(daemon->pool, daemon->now_ms, event);
    for (size_t i = 0; i < actions.count; i++)
        act(daemon, &actions.items[i]);
}
