/* names.c: the words for logs and traces. */
#include "pool/pool.h"

const char *pool_event_name(enum pool_event_type type)
{
    switch (type) {
    case POOL_REQUEST:
        return "request";
    case POOL_CANCEL:
        return "cancel";
    case POOL_RENDER_DONE:
        return "render-done";
    case POOL_OPENED:
        return "opened";
    case POOL_OPEN_FAILED:
        return "open-failed";
    case POOL_PROBED:
        return "probed";
    case POOL_PROBE_FAILED:
        return "probe-failed";
    case POOL_CLOSED:
        return "closed";
    case POOL_CONTEXT_GONE:
        return "context-gone";
    case POOL_PAGE_CRASHED:
        return "page-crashed";
    case POOL_LIFE_UP:
        return "life-up";
    case POOL_LIFE_DOWN:
        return "life-down";
    case POOL_RECYCLE:
        return "recycle";
    case POOL_DISPOSE:
        return "dispose";
    case POOL_RELEASE_BATCH:
        return "release-batch";
    case POOL_DRAIN:
        return "drain";
    case POOL_TICK:
        return "tick";
    }
    return "unknown";
}

const char *pool_action_name(enum pool_action_type type)
{
    switch (type) {
    case POOL_LAUNCH:
        return "launch";
    case POOL_KILL_LIFE:
        return "kill-life";
    case POOL_OPEN:
        return "open";
    case POOL_PROBE:
        return "probe";
    case POOL_GRANT:
        return "grant";
    case POOL_ABORT:
        return "abort";
    case POOL_REST:
        return "rest";
    case POOL_CLOSE:
        return "close";
    case POOL_DISPOSE_CONTEXT:
        return "dispose";
    case POOL_KILL:
        return "kill";
    case POOL_REFUSE:
        return "refuse";
    case POOL_FAIL:
        return "fail";
    case POOL_STARTED:
        return "started";
    case POOL_ENDED:
        return "ended";
    case POOL_DISPOSED:
        return "disposed";
    case POOL_CAP:
        return "cap";
    }
    return "unknown";
}

const char *pool_reason_name(enum pool_reason reason)
{
    switch (reason) {
    case POOL_NO_REASON:
        return "none";
    case POOL_QUEUE_FULL:
        return "queue_full";
    case POOL_QUEUE_TIMEOUT:
        return "queue_timeout";
    case POOL_DRAINING:
        return "draining";
    case POOL_DEADLINE:
        return "deadline";
    case POOL_CANCELLED:
        return "cancelled";
    case POOL_PAGE_FAULT:
        return "page_fault";
    case POOL_BROWSER_DEATH:
        return "browser_death";
    case POOL_DRAIN_GRACE:
        return "drain_grace";
    case POOL_RECYCLE_TIMEOUT:
        return "recycle_timeout";
    }
    return "unknown";
}
