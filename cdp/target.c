/* target.c: see target.h. */
#include "cdp/target.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"

static struct target *target_find(struct cdp *cdp, uint64_t number)
{
    struct target *target = NULL;

    HASH_FIND(by_number, cdp->targets_by_number, &number, sizeof number, target);
    return target;
}

static struct target *target_find_id(struct cdp *cdp, struct cdp_span target_id)
{
    struct target *target = NULL;

    if (target_id.at != NULL)
        HASH_FIND(by_target, cdp->targets_by_target, target_id.at, target_id.bytes, target);
    return target;
}

struct target *target_find_session(struct cdp *cdp, struct cdp_span session)
{
    struct target *target = NULL;

    if (session.at != NULL)
        HASH_FIND(by_session, cdp->targets_by_session, session.at, session.bytes, target);
    return target;
}

struct context *context_find(struct cdp *cdp, uint64_t id)
{
    struct context *context = NULL;

    HASH_FIND(hh, cdp->contexts, &id, sizeof id, context);
    return context;
}

/* Undoes the creation of something that nobody waits for any more. */
static void undo(struct life *life, uint64_t now_ms, const char *method, const char *key,
                 const char *id)
{
    life_call(life, now_ms, method, json_pack("{s:s}", key, id), CDP_CLOSE_CALL_TIMEOUT_MS, NULL,
              0);
}

static void deny_downloads(struct context *context, uint64_t now_ms)
{
    life_call(context->life, now_ms, "Browser.setDownloadBehavior",
              json_pack("{s:s, s:s}", "behavior", "deny", "browserContextId",
                        context->browser_context_id),
              CDP_CLOSE_CALL_TIMEOUT_MS, NULL, 0);
}

static void on_context_created(void *owner, uint64_t tag, uint64_t now_ms,
                               const struct call_reply *reply)
{
    struct life *life = owner;
    struct context *context = context_find(life->cdp, tag);
    char id[CDP_ID_BYTES];
    bool is_made = reply->end == CALL_REPLIED &&
                   span_text(reply->message->body, "browserContextId", id, sizeof id);

    if (context == NULL) {
        if (is_made)
            undo(life, now_ms, "Target.disposeBrowserContext", "browserContextId", id);
        return;
    }
    assert(context->state == CONTEXT_CREATING);
    if (!is_made) {
        page_context_gone(context, now_ms);
        return;
    }
    memcpy(context->browser_context_id, id, sizeof id);
    context->state = CONTEXT_READY;
    deny_downloads(context, now_ms);
    page_context_ready(context, now_ms);
}

struct context *context_new(struct life *life, uint64_t now_ms, uint64_t id)
{
    struct context *context = cdp_alloc(sizeof *context);

    assert(id != 0 && context_find(life->cdp, id) == NULL);
    context->id = id;
    context->life = life;
    HASH_ADD(hh, life->cdp->contexts, id, sizeof context->id, context);
    life_call(life, now_ms, "Target.createBrowserContext", json_pack("{s:b}", "disposeOnDetach", 1),
              CDP_CLOSE_CALL_TIMEOUT_MS, on_context_created, id);
    return context;
}

static void on_context_disposed(void *owner, uint64_t tag, uint64_t now_ms,
                                const struct call_reply *reply)
{
    struct life *life = owner;
    struct context *context = context_find(life->cdp, tag);

    /* Refused: the browser knows no such context, so it is gone. */
    if (context != NULL && (reply->end == CALL_REPLIED || reply->end == CALL_REFUSED))
        page_context_gone(context, now_ms);
}

void context_dispose(struct context *context, uint64_t now_ms)
{
    if (context->state == CONTEXT_CREATING)
        return; /* Nothing can be named yet; page_context_ready() comes back to it. */
    context->state = CONTEXT_DISPOSING;
    life_call(context->life, now_ms, "Target.disposeBrowserContext",
              json_pack("{s:s}", "browserContextId", context->browser_context_id),
              CDP_CLOSE_CALL_TIMEOUT_MS, on_context_disposed, context->id);
}

void context_free(struct context *context)
{
    if (context == NULL)
        return;
    assert(context->page == NULL);
    HASH_DEL(context->life->cdp->contexts, context);
    free(context);
}

struct target *target_new(struct page *page)
{
    struct cdp *cdp = page->life->cdp;
    struct target *target = cdp_alloc(sizeof *target);

    target->page = page;
    target->number = ++cdp->numbers;
    target->is_blank = true; /* It is created so. */
    HASH_ADD(by_number, cdp->targets_by_number, number, sizeof target->number, target);
    return target;
}

void target_call(struct target *target, uint64_t now_ms, const char *method, json_t *params,
                 uint64_t timeout_ms, call_done *done, uint64_t tag)
{
    struct cdp *cdp = target->page->life->cdp;

    assert(target->session_id[0] != '\0');
    assert(params != NULL || strchr(method, '.') != NULL);
    if (cdp->trace != NULL) {
        char *text = params != NULL ? json_dumps(params, JSON_COMPACT) : NULL;
        cdp->trace(cdp->trace_owner, target->page->id, method, text != NULL ? text : "{}");
        free(text);
    }
    browser_call(target->page->life->browser, now_ms, method, params, target->session_id,
                 target->number, timeout_ms, done, target, tag);
}

void target_forget_calls(struct target *target)
{
    browser_forget_session(target->page->life->browser, target->number);
}

static void target_ask_metrics(struct target *, uint64_t now_ms, uint64_t timeout_ms);

static void on_prepared(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct target *target = owner;
    (void)tag;

    assert(target->state == TARGET_PREPARING);
    if (!target_read_look(reply, &target->look)) {
        page_target_failed(target, now_ms, "its session could not be set up");
        return;
    }
    if (target->look.virtual_ms <= 0) {
        /* Its first document has just been replaced by another, and the domain with it. */
        target_ask_metrics(target, now_ms, target->page->life->cdp->config->pool.open_timeout_ms);
        return;
    }
    /* Nothing has touched its clock yet. */
    target->clock_base_ms = target->look.virtual_ms - (double)now_ms;
    target->state = TARGET_READY;
    page_target_ready(target, now_ms);
}

static void target_ask_metrics(struct target *target, uint64_t now_ms, uint64_t timeout_ms)
{
    target_call(target, now_ms, "Performance.enable", NULL, timeout_ms, NULL, 0);
    target_call(target, now_ms, "Performance.getMetrics", NULL, timeout_ms, on_prepared, 0);
}

/* Sets up the session in one go. Only what every render needs: the Page domain, the sizes, and
 * the counters of the Performance domain. Lifecycle events would be nine more for each render. */
static void target_prepare(struct target *target, uint64_t now_ms, uint64_t timeout_ms)
{
    target->state = TARGET_PREPARING;
    target_call(target, now_ms, "Page.enable", NULL, timeout_ms, NULL, 0);
    page_override_prepare(target, now_ms);
    target_ask_metrics(target, now_ms, timeout_ms);
}

static void on_attached(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct life *life = owner;
    struct target *target = target_find(life->cdp, tag);

    if (target == NULL || target->state != TARGET_ATTACHING)
        return; /* Closed meanwhile: its session goes with it. */
    if (reply->end != CALL_REPLIED || !span_text(reply->message->body, "sessionId",
                                                 target->session_id, sizeof target->session_id)) {
        page_target_failed(target, now_ms, "it could not be attached to");
        return;
    }
    HASH_ADD_KEYPTR(by_session, life->cdp->targets_by_session, target->session_id,
                    strlen(target->session_id), target);
    if (!target->is_placed) {
        page_target_failed(target, now_ms, "it is not in its context");
        return;
    }
    target_prepare(target, now_ms, life->cdp->config->pool.open_timeout_ms);
}

static void target_attach(struct target *target, uint64_t now_ms)
{
    struct life *life = target->page->life;

    target->state = TARGET_ATTACHING;
    life_call(life, now_ms, "Target.attachToTarget",
              json_pack("{s:s, s:b}", "targetId", target->target_id, "flatten", 1),
              life->cdp->config->pool.open_timeout_ms, on_attached, target->number);
}

static void on_created(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct life *life = owner;
    struct target *target = target_find(life->cdp, tag);
    char id[CDP_ID_BYTES];
    bool is_made =
        reply->end == CALL_REPLIED && span_text(reply->message->body, "targetId", id, sizeof id);

    if (target == NULL) {
        if (is_made)
            undo(life, now_ms, "Target.closeTarget", "targetId", id);
        return;
    }
    assert(target->state == TARGET_CREATING);
    if (!is_made) {
        page_target_failed(target, now_ms, "it could not be created");
        return;
    }
    memcpy(target->target_id, id, sizeof id);
    HASH_ADD_KEYPTR(by_target, life->cdp->targets_by_target, target->target_id,
                    strlen(target->target_id), target);
    page_target_created(target, now_ms);
    if (target_find(life->cdp, tag) == target && target->state == TARGET_CREATING)
        target_attach(target, now_ms);
}

void target_create(struct target *target, uint64_t now_ms)
{
    struct context *context = target->page->context;

    assert(target->state == TARGET_NEW && context->state == CONTEXT_READY);
    target->state = TARGET_CREATING;
    life_call(target->page->life, now_ms, "Target.createTarget",
              json_pack("{s:s, s:i, s:i, s:s}", "url", "about:blank", "width", VIEWPORT_WIDTH,
                        "height", VIEWPORT_HEIGHT, "browserContextId", context->browser_context_id),
              CDP_CLOSE_CALL_TIMEOUT_MS, on_created, target->number);
}

void target_close(struct target *target, uint64_t now_ms)
{
    assert(target->target_id[0] != '\0');
    target->state = TARGET_CLOSING;
    target_forget_calls(target);
    undo(target->page->life, now_ms, "Target.closeTarget", "targetId", target->target_id);
}

void target_crash(struct target *target, uint64_t now_ms)
{
    if (target->session_id[0] != '\0' && target->state != TARGET_CRASHED)
        target_call(target, now_ms, "Page.crash", NULL, CDP_CLOSE_CALL_TIMEOUT_MS, NULL, 0);
}

void target_free(struct target *target)
{
    struct cdp *cdp;

    if (target == NULL)
        return;
    cdp = target->page->life->cdp;
    target_forget_calls(target);
    HASH_DELETE(by_number, cdp->targets_by_number, target);
    if (target->target_id[0] != '\0')
        HASH_DELETE(by_target, cdp->targets_by_target, target);
    if (target->session_id[0] != '\0')
        HASH_DELETE(by_session, cdp->targets_by_session, target);
    free(target);
}

static double metric(const json_t *metrics, const char *name)
{
    size_t index;
    const json_t *item;

    json_array_foreach(metrics, index, item)
    {
        const char *key = json_string_value(json_object_get(item, "name"));
        if (key != NULL && strcmp(key, name) == 0)
            return json_number_value(json_object_get(item, "value"));
    }
    return 0;
}

bool target_read_look(const struct call_reply *reply, struct render_look *ret)
{
    json_t *tree = reply->end == CALL_REPLIED ? message_tree(reply->message->body) : NULL;
    const json_t *metrics = json_object_get(tree, "metrics");
    bool is_look = json_is_array(metrics);

    if (is_look) {
        ret->virtual_ms = metric(metrics, "Timestamp") * 1000;
        ret->script_us = metric(metrics, "ScriptDuration") * 1000000;
        ret->layout_us =
            (metric(metrics, "LayoutDuration") + metric(metrics, "RecalcStyleDuration")) * 1000000;
        ret->task_us = metric(metrics, "TaskDuration") * 1000000;
        ret->nodes = (uint64_t)metric(metrics, "Nodes");
        ret->listeners = (uint64_t)metric(metrics, "JSEventListeners");
        ret->documents = (uint64_t)metric(metrics, "Documents");
        ret->requests = (uint64_t)metric(metrics, "Resources");
        ret->workers = (uint64_t)metric(metrics, "WorkerGlobalScopes");
    }
    json_decref(tree);
    return is_look;
}

double target_skew_ms(const struct target *target, double virtual_ms, uint64_t now_ms)
{
    return virtual_ms - (double)now_ms - target->clock_base_ms;
}

/* Isolation rests on this: Chromium ignores parameters that it does not know. The event
 * comes before the answer to Target.attachToTarget. */
static void note_place(struct life *life, struct cdp_span body)
{
    struct cdp_span info, id, context_id;
    struct target *target;

    if (!message_member(body, "targetInfo", &info) || !message_member(info, "targetId", &id))
        return;
    target = target_find_id(life->cdp, id);
    if (target == NULL || target->state != TARGET_ATTACHING)
        return;
    target->is_placed = message_member(info, "browserContextId", &context_id) &&
                        span_is(context_id, target->page->context->browser_context_id);
}

/* The context of ours that a new target is in, or NULL. */
static struct context *context_of(struct life *life, struct cdp_span info)
{
    struct context *context, *next;
    char id[CDP_ID_BYTES];

    if (!span_text(info, "browserContextId", id, sizeof id))
        return NULL;
    HASH_ITER(hh, life->cdp->contexts, context, next)
    {
        if (context->life == life && strcmp(context->browser_context_id, id) == 0)
            return context;
    }
    return NULL;
}

static void note_worker(struct life *life, uint64_t now_ms, struct cdp_span body)
{
    struct cdp_span info, type;
    struct context *context = NULL;

    if (message_member(body, "targetInfo", &info) && message_member(info, "type", &type) &&
        span_is(type, "service_worker"))
        context = context_of(life, info);
    if (context == NULL)
        return;
    context->has_workers = true;
    if (context->page != NULL)
        page_network_worker(context->page, now_ms);
}

/* A page of one of our contexts that we did not ask for: a popup. */
static void check_stray(struct life *life, uint64_t now_ms, struct cdp_span body)
{
    struct cdp_span info, type, opener;
    char id[CDP_ID_BYTES];

    if (!message_member(body, "targetInfo", &info) || !message_member(info, "type", &type) ||
        !span_is(type, "page") || !span_text(info, "targetId", id, sizeof id))
        return;
    const struct context *context = context_of(life, info);
    if (context == NULL)
        return;
    /* Without an opener it may be the answer to our own Target.createTarget. */
    bool is_opened = message_member(info, "openerId", &opener);
    if (is_opened || context->page == NULL || !page_expects_target(context->page)) {
        struct cdp_event event = {.type = CDP_STRAY, .life = life->id, .context = context->id};
        event.page = context->page != NULL ? context->page->id : 0;
        (void)snprintf(event.text, sizeof event.text, "%s", is_opened ? "popup" : "page");
        undo(life, now_ms, "Target.closeTarget", "targetId", id);
        cdp_queue(life->cdp, &event);
    }
}

void target_on_event(struct life *life, uint64_t now_ms, struct cdp_message *message)
{
    struct cdp_span id;
    struct target *target = NULL;

    if (message_member(message->body, "targetId", &id))
        target = target_find_id(life->cdp, id);
    if (span_is(message->method, "Target.targetCreated")) {
        note_worker(life, now_ms, message->body);
        check_stray(life, now_ms, message->body);
    } else if (span_is(message->method, "Target.attachedToTarget")) {
        note_place(life, message->body);
    } else if (span_is(message->method, "Target.targetDestroyed") && target != NULL) {
        page_target_gone(target, now_ms);
    } else if (span_is(message->method, "Target.targetCrashed") && target != NULL) {
        page_target_crashed(target, now_ms);
    } else if (span_is(message->method, "Target.detachedFromTarget")) {
        if (message_member(message->body, "sessionId", &id) &&
            (target = target_find_session(life->cdp, id)) != NULL)
            page_target_detached(target, now_ms);
    }
}

void target_discover(struct life *life, uint64_t now_ms, call_done *done, uint64_t tag)
{
    life_call(life, now_ms, "Target.setDiscoverTargets", json_pack("{s:b}", "discover", 1),
              life->cdp->config->browser.call_timeout_ms, done, tag);
}
