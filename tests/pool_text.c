/* pool_text.c: events and actions of the pool as text. */
#include "tests/pool_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    assert(written >= 0 && (size_t)written < text->left);
    text->at += written;
    text->left -= (size_t)written;
}

static void put_grant(struct text *text, const struct pool_action *action)
{
    static const char *const warmth[] = {
        [POOL_WARM] = "warm", [POOL_COLD] = "cold", [POOL_FRESH] = "fresh"};
    const struct pool_grant *grant = &action->grant;
    put(text, "grant r%" PRIu64 " p%" PRIu64 " %s", action->request, action->page,
        warmth[grant->warmth]);
    const struct {
        const char *name;
        uint64_t ms;
    } waits[] = {
        {"permit", grant->waits.permit_ms}, {"admission", grant->waits.admission_ms},
        {"slot", grant->waits.slot_ms},     {"open", grant->waits.open_ms},
        {"probe", grant->waits.probe_ms},
    };
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        if (waits[i].ms != 0)
            put(text, " %s %" PRIu64, waits[i].name, waits[i].ms);
    }
    if (grant->attempt != 1)
        put(text, " attempt %" PRIu32, grant->attempt);
    if (grant->clear_cache)
        put(text, " clear");
    if (grant->clear_stripped)
        put(text, " stripped");
}

static void put_action(struct text *text, const struct pool_action *action)
{
    const char *name = pool_action_name(action->type);
    switch (action->type) {
    case POOL_LAUNCH:
    case POOL_KILL_LIFE:
        put(text, "%s l%" PRIu64, name, action->life);
        break;
    case POOL_OPEN:
        put(text, "open p%" PRIu64 " %sc%" PRIu64, action->page, action->new_context ? "" : "in ",
            action->context);
        break;
    case POOL_PROBE:
        put(text, "probe r%" PRIu64 " p%" PRIu64, action->request, action->page);
        break;
    case POOL_GRANT:
        put_grant(text, action);
        break;
    case POOL_ABORT:
        put(text, "abort r%" PRIu64 " p%" PRIu64 " %s", action->request, action->page,
            pool_reason_name(action->reason));
        break;
    case POOL_REST:
        put(text, "rest p%" PRIu64, action->page);
        break;
    case POOL_CLOSE:
        put(text, "close p%" PRIu64 "%s", action->page, action->retain ? " keep" : "");
        break;
    case POOL_KILL:
        put(text, "kill p%" PRIu64, action->page);
        break;
    case POOL_DISPOSE_CONTEXT:
        put(text, "dispose c%" PRIu64, action->context);
        break;
    case POOL_REFUSE:
        put(text, "refuse r%" PRIu64 " %s %" PRIu32, action->request,
            pool_reason_name(action->reason), action->retry_after_ms);
        break;
    case POOL_FAIL:
        put(text, "fail r%" PRIu64 " %s", action->request, pool_reason_name(action->reason));
        break;
    case POOL_STARTED:
    case POOL_ENDED:
        put(text, "%s %.*s", name, (int)action->key_bytes, action->key);
        break;
    case POOL_DISPOSED:
        put(text, "disposed d%" PRIu64, action->dispose);
        break;
    case POOL_CAP:
        put(text, "cap %" PRIu32, action->cap);
        break;
    }
}

void pool_actions_text(const struct pool_actions *actions, char *text, size_t bytes)
{
    struct text out = {text, bytes};
    put(&out, "%s", "");
    for (size_t i = 0; i < actions->count; i++) {
        if (i > 0)
            put(&out, ", ");
        put_action(&out, &actions->items[i]);
    }
}

static void put_request(struct text *text, const struct pool_request *request)
{
    put(text, " r%" PRIu64 " %.*s", request->id, (int)request->key_bytes, request->key);
    if (request->lane == POOL_NESTED)
        put(text, " nested");
    if (request->priority != 0)
        put(text, " priority %" PRIu32, request->priority);
    if (request->fingerprint != 0)
        put(text, " auth %" PRIu64, request->fingerprint);
    if (request->single_use)
        put(text, " single-use");
    put(text, " until %" PRIu64, request->queue_deadline_ms);
    if (request->deadline_ms != request->queue_deadline_ms)
        put(text, "/%" PRIu64, request->deadline_ms);
}

void pool_event_text(const struct pool_event *event, char *text, size_t bytes)
{
    static const char *const outcomes[] = {[POOL_RENDER_GOOD] = "good",
                                           [POOL_RENDER_UNUSABLE] = "unusable",
                                           [POOL_RENDER_CRASHED] = "crashed"};
    static const char *const strengths[] = {
        [POOL_DISPOSE_NOW] = "now", [POOL_DISPOSE_RETAIN] = "retain", [POOL_DISPOSE_WAIT] = "wait"};
    struct text out = {text, bytes};
    put(&out, "%s", pool_event_name(event->type));
    switch (event->type) {
    case POOL_REQUEST:
        put_request(&out, &event->request);
        break;
    case POOL_CANCEL:
        put(&out, " r%" PRIu64, event->request.id);
        break;
    case POOL_RENDER_DONE:
        put(&out, " r%" PRIu64 " p%" PRIu64 " %s", event->request.id, event->page,
            outcomes[event->outcome]);
        break;
    case POOL_OPENED:
    case POOL_OPEN_FAILED:
    case POOL_PROBED:
    case POOL_PROBE_FAILED:
    case POOL_CLOSED:
    case POOL_PAGE_CRASHED:
        put(&out, " p%" PRIu64, event->page);
        break;
    case POOL_CONTEXT_GONE:
        put(&out, " c%" PRIu64, event->context);
        break;
    case POOL_LIFE_UP:
    case POOL_LIFE_DOWN:
        put(&out, " l%" PRIu64, event->life);
        break;
    case POOL_DISPOSE:
        put(&out, " %.*s %s", (int)event->key_bytes, event->key, strengths[event->strength]);
        break;
    case POOL_RELEASE_BATCH:
        put(&out, " %.*s", (int)event->key_bytes, event->key);
        break;
    case POOL_RECYCLE:
    case POOL_DRAIN:
    case POOL_TICK:
        break;
    }
}
