/* page_watch.c: what is told of a render beside its document: its requests, what its page
 * says, and what failOn makes of them.
 *
 * Most renders watch nothing. The Network domain costs about a millisecond of time for each
 * subresource, so it is enabled only for what needs it. A render that was not watched and
 * runs out of time is surveyed once: that shows what the document's own elements wait for,
 * but no fetches, which are known only to who has seen them start. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/diagnostics.h"
#include "cdp/glob.h"
#include "cdp/page.h"
#include "cdp/target.h"

#define WATCH_NETWORK 1u
#define WATCH_RUNTIME 2u

/* Frames of a document that are surveyed. */
#define FRAMES_MAX 32
/* A survey larger than this tells of a document that is larger than its requests. */
#define SURVEY_BYTES_MAX (1024u * 1024)

/* Under the real clock `auto` has nothing but the network to go by. */
struct render_quiet page_watch_quiet(const struct page *page)
{
    const struct render_params *params = page->render.params;
    const struct wait_params *wait = &params->wait;
    bool is_idle_asked = params->until == WAIT_NETWORKIDLE ||
                         (params->until == WAIT_AUTO && wait->clock == CLOCK_REAL);
    bool is_choosy = params->until == WAIT_AUTO && wait->ignore.count > 0;
    uint32_t quiet_ms = wait->idle_ms;

    if (!param_is_given(params, "wait.idleMs"))
        quiet_ms = page->life->cdp->config->render.idle_ms;
    return (struct render_quiet){
        .is_awaited = is_idle_asked || is_choosy,
        .quiet_ms = is_idle_asked ? quiet_ms : 0,
        .connections = is_idle_asked ? wait->idle_connections : 0,
    };
}

static bool wants_traffic(const struct page *page)
{
    const struct render_params *params = page->render.params;

    return page->render.diagnose || page_watch_quiet(page).is_awaited ||
           params->network.requests_max > 0 || params->network.bytes_max > 0 ||
           params->fail_on.resource_failed || params->fail_on.resource_statuses.count > 0;
}

static bool wants_console(const struct page *page)
{
    return page->render.diagnose || page->render.params->fail_on.exception;
}

static void call(struct page *page, uint64_t now_ms, const char *method)
{
    target_call(page->target, now_ms, method, NULL,
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

static struct diagnostics *diagnostics_of(struct page *page)
{
    struct render_result *result = page->render.result;

    if (result->diagnostics == NULL)
        result->diagnostics = diagnostics_new();
    return result->diagnostics;
}

void page_watch_start(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;
    const struct render_params *params = render->params;
    const struct traffic_rules rules = {
        .bad_statuses = &params->fail_on.resource_statuses,
        .is_failure_bad = params->fail_on.resource_failed,
        .stuck_ms = page_wait_stuck_ms(page),
        .requests_max = params->network.requests_max,
        .bytes_max = params->network.bytes_max,
    };

    assert(render->watches == 0 && render->traffic == NULL);
    if (wants_traffic(page))
        diagnostics_of(page)->has_traffic = true;
    if (wants_traffic(page) || page_streams_are_likely(page)) {
        render->traffic = cdp_alloc(sizeof *render->traffic);
        traffic_begin(render->traffic, &rules);
        render->watches |= WATCH_NETWORK;
        call(page, now_ms, "Network.enable");
    }
    if (wants_console(page)) {
        render->watches |= WATCH_RUNTIME;
        diagnostics_of(page)->has_console = true;
        call(page, now_ms, "Runtime.enable");
    }
}

void page_watch_stop(struct page *page, uint64_t now_ms)
{
    if (page->render.watches & WATCH_NETWORK)
        call(page, now_ms, "Network.disable");
    if (page->render.watches & WATCH_RUNTIME)
        call(page, now_ms, "Runtime.disable");
    page->render.watches = 0;
}

void page_watch_clear(struct page *page)
{
    free(page->render.traffic);
    page->render.traffic = NULL;
}

/* Tells the machine when the numbers have changed, if it waits for them; else whether all
 * that is pending is what nobody waits for. */
static void tell(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;
    struct render_fact fact = {.type = RENDER_FACT_TRAFFIC};

    if (page->state != PAGE_RENDERING || render->traffic == NULL)
        return;
    fact.active = traffic_active_count(render->traffic, now_ms);
    fact.pending = render->traffic->pending_count;
    if (!render->machine.plan.wait.quiet.is_awaited) {
        page_streams_tell(page, now_ms, fact.active == 0 && fact.pending > 0);
        return;
    }
    if (render->is_told && render->active == fact.active && render->pending == fact.pending)
        return;
    render->is_told = true;
    render->active = fact.active;
    render->pending = fact.pending;
    page_render_step(page, now_ms, &fact);
}

/* Tells the machine when the page wants more than it may have; once is enough for it. */
static void judge(struct page *page, uint64_t now_ms)
{
    const struct render_fact fact = {.type = RENDER_FACT_SPENT};

    if (page->state == PAGE_RENDERING && page->render.traffic != NULL &&
        traffic_overspent(page->render.traffic) != NULL)
        page_render_step(page, now_ms, &fact);
}

void page_watch_committed(struct page *page, uint64_t now_ms)
{
    if (page->state != PAGE_RENDERING)
        return;
    page_streams_committed(page);
    if (page->render.traffic == NULL)
        return;
    traffic_committed(page->render.traffic, page->render.loader);
    page->render.is_told = false;
    tell(page, now_ms);
}

void page_watch_tick(struct page *page, uint64_t now_ms)
{
    if (page->state == PAGE_RENDERING && now_ms >= page_watch_deadline_ms(page))
        tell(page, now_ms);
}

uint64_t page_watch_deadline_ms(const struct page *page)
{
    const struct page_render *render = &page->render;

    if (render->traffic == NULL || !render->machine.plan.wait.quiet.is_awaited)
        return UINT64_MAX;
    return traffic_deadline_ms(render->traffic);
}

static uint64_t request_number(struct cdp_span id)
{
    return text_number(id.at, id.bytes);
}

static bool is_same(struct cdp_span a, struct cdp_span b)
{
    return a.bytes == b.bytes && a.at != NULL && memcmp(a.at, b.at, a.bytes) == 0;
}

/* The request is for the document that the main frame shows, or will. */
static bool is_main(const struct page *page, struct cdp_span body, struct cdp_span id)
{
    struct cdp_span loader, frame;

    return message_member(body, "loaderId", &loader) && is_same(loader, id) &&
           message_member(body, "frameId", &frame) && span_is(frame, page->target->target_id);
}

static uint64_t member_number(struct cdp_span body, const char *key)
{
    char digits[32];

    /* Chromium writes sizes as integers, and -1 where it knows none. */
    if (!span_text(body, key, digits, sizeof digits) || digits[0] == '-')
        return 0;
    return strtoull(digits, NULL, 10);
}

static enum traffic_type member_type(struct cdp_span body)
{
    struct cdp_span type;

    return message_member(body, "type", &type) ? traffic_type_of(type.at, type.bytes)
                                               : TRAFFIC_OTHER;
}

static void note_redirect(struct page *page, struct cdp_span response)
{
    struct diagnostics_redirect *redirect = diagnostics_add_redirect(diagnostics_of(page));
    struct cdp_span url;

    if (redirect == NULL || !message_member(response, "url", &url))
        return;
    redirect->status = (int)member_number(response, "status");
    (void)message_text(url, redirect->url, sizeof redirect->url);
}

static void start(struct page *page, uint64_t now_ms, struct traffic_start *started)
{
    const struct param_strings *ignore = &page->render.params->wait.ignore;

    for (size_t i = 0; i < ignore->count && !started->is_ignored; i++)
        started->is_ignored = glob_matches(ignore->items[i], started->url);
    traffic_started(page->render.traffic, now_ms, started);
}

static void on_started(struct page *page, uint64_t now_ms, struct cdp_span body, struct cdp_span id)
{
    struct cdp_span loader, request, text, redirect;
    char url[2048];

    /* Until the first commit what the document before asks for is heard too. */
    if (!message_member(body, "loaderId", &loader) || !message_member(body, "request", &request) ||
        !message_member(request, "url", &text) ||
        (page->render.loader == 0 && !is_main(page, body, id)))
        return;
    if (is_main(page, body, id) && message_member(body, "redirectResponse", &redirect))
        note_redirect(page, redirect);
    (void)message_text(text, url, sizeof url);
    start(page, now_ms,
          &(struct traffic_start){.id = request_number(id),
                                  .loader = page_loader_number(loader),
                                  .type = member_type(body),
                                  .url = url});
}

static void on_socket(struct page *page, uint64_t now_ms, struct cdp_span body, struct cdp_span id)
{
    struct cdp_span text;
    char url[2048];

    if (page->render.loader == 0 || !message_member(body, "url", &text))
        return;
    (void)message_text(text, url, sizeof url);
    start(page, now_ms,
          &(struct traffic_start){.id = request_number(id),
                                  .loader = page->render.loader,
                                  .type = TRAFFIC_WEB_SOCKET,
                                  .url = url});
}

static void on_answered(struct page *page, uint64_t now_ms, struct cdp_span body,
                        struct cdp_span id)
{
    struct cdp_span response;

    if (!message_member(body, "response", &response))
        return;
    int status = (int)member_number(response, "status");
    bool is_document = is_main(page, body, id);
    traffic_answered(page->render.traffic, now_ms, request_number(id), status, is_document);
    if (is_document && page->render.diagnose)
        page_network_answered(page, response, page_loader_number(id), status);
}

static void on_failed(struct page *page, struct cdp_span body, struct cdp_span id)
{
    struct cdp_span span;
    enum traffic_end end = TRAFFIC_BROKEN;

    if (message_member(body, "blockedReason", &span))
        end = TRAFFIC_BLOCKED;
    else if ((message_member(body, "canceled", &span) && span_is(span, "true")) ||
             (message_member(body, "errorText", &span) && span_is(span, "net::ERR_ABORTED")))
        end = TRAFFIC_ABORTED;
    traffic_ended(page->render.traffic, request_number(id), end, 0);
}

static void network_event(struct page *page, uint64_t now_ms, const struct cdp_message *message)
{
    struct traffic *traffic = page->render.traffic;
    struct cdp_span id, method = message->method, body = message->body;

    if (traffic == NULL || !message_member(body, "requestId", &id))
        return;
    if (span_is(method, "Network.requestWillBeSent"))
        on_started(page, now_ms, body, id);
    else if (span_is(method, "Network.responseReceived"))
        on_answered(page, now_ms, body, id);
    else if (span_is(method, "Network.dataReceived"))
        traffic_received(traffic, now_ms, request_number(id),
                         member_number(body, "encodedDataLength"));
    else if (span_is(method, "Network.loadingFinished"))
        traffic_ended(traffic, request_number(id), TRAFFIC_FINISHED,
                      member_number(body, "encodedDataLength"));
    else if (span_is(method, "Network.loadingFailed"))
        on_failed(page, body, id);
    else if (span_is(method, "Network.eventSourceMessageReceived"))
        page_streams_heard(page, now_ms);
    else if (span_is(method, "Network.webSocketCreated"))
        on_socket(page, now_ms, body, id);
    else if (span_is(method, "Network.webSocketClosed"))
        traffic_ended(traffic, request_number(id), TRAFFIC_FINISHED, 0);
    else
        return;
    tell(page, now_ms);
    judge(page, now_ms);
}

void page_watch_event(struct page *page, uint64_t now_ms, struct cdp_message *message)
{
    if (message->method.bytes > 8 && memcmp(message->method.at, "Network.", 8) == 0)
        network_event(page, now_ms, message);
    else if (message->method.bytes > 8 && memcmp(message->method.at, "Runtime.", 8) == 0)
        page_console_event(page, message);
}

/* A resource that has come has a type, a size, or a failure. */
static bool is_pending(const json_t *resource)
{
    const char *type = json_string_value(json_object_get(resource, "mimeType"));

    return type != NULL && type[0] == '\0' &&
           json_number_value(json_object_get(resource, "contentSize")) <= 0 &&
           !json_is_true(json_object_get(resource, "failed")) &&
           !json_is_true(json_object_get(resource, "canceled"));
}

static void survey_frame(struct diagnostics *diagnostics, const json_t *tree)
{
    size_t index;
    const json_t *resource;

    json_array_foreach(json_object_get(tree, "resources"), index, resource)
    {
        const char *url = json_string_value(json_object_get(resource, "url"));
        const char *type = json_string_value(json_object_get(resource, "type"));
        struct diagnostics_request *request;
        if (url == NULL || type == NULL || !is_pending(resource) ||
            (request = diagnostics_add_pending(diagnostics)) == NULL)
            continue;
        (void)snprintf(request->url, sizeof request->url, "%s", url);
        request->type = traffic_type_of(type, strlen(type));
    }
}

/* Frames within frames, each once, the outer ones first. */
static void survey_frames(struct diagnostics *diagnostics, const json_t *tree)
{
    const json_t *frames[FRAMES_MAX] = {tree};
    size_t count = 1, index;
    const json_t *child;

    for (size_t i = 0; i < count; i++) {
        survey_frame(diagnostics, frames[i]);
        json_array_foreach(json_object_get(frames[i], "childFrames"), index, child)
        {
            if (count < FRAMES_MAX)
                frames[count++] = child;
        }
    }
}

static void on_surveyed(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct cdp_span frames;

    if (reply->end == CALL_REPLIED && tag == page->render.loader &&
        reply->message->body.bytes <= SURVEY_BYTES_MAX &&
        message_member(reply->message->body, "frameTree", &frames)) {
        message_repair(frames);
        json_t *tree = message_tree(frames);
        diagnostics_of(page)->pending_count = 0;
        survey_frames(diagnostics_of(page), tree);
        json_decref(tree);
    }
    const struct render_fact fact = {.type = RENDER_FACT_SURVEYED,
                                     .ok = reply->end == CALL_REPLIED};
    page_render_step(page, now_ms, &fact);
}

void page_watch_survey(struct page *page, uint64_t now_ms)
{
    uint64_t loader = page->render.loader;

    if (page->render.traffic == NULL && loader != 0)
        page_call(page, now_ms, "Page.getResourceTree", NULL, on_surveyed, loader);
    else
        page_call(page, now_ms, "Runtime.evaluate", json_pack("{s:s}", "expression", "0"),
                  on_surveyed, loader);
}

/* The document itself has not come. */
static void list_document(struct page *page)
{
    struct diagnostics *diagnostics = diagnostics_of(page);
    struct diagnostics_request *request = diagnostics_add_pending(diagnostics);

    if (request == NULL)
        return;
    request->type = TRAFFIC_DOCUMENT;
    request->has_age = true;
    request->age_ms = page->render.result->late.phase_age_ms;
    (void)snprintf(request->url, sizeof request->url, "%s", page->render.params->url);
}

static void list_traffic(struct page *page, uint64_t now_ms)
{
    struct diagnostics *diagnostics = diagnostics_of(page);
    const struct traffic *traffic = page->render.traffic;

    diagnostics->resources = traffic->totals;
    for (uint32_t i = 0; i < traffic->pending_count; i++) {
        struct diagnostics_request *request = diagnostics_add_pending(diagnostics);
        if (request == NULL)
            return;
        request->type = traffic->pending[i].type;
        request->has_age = true;
        request->age_ms = now_ms - traffic->pending[i].started_ms;
        memcpy(request->url, traffic->pending[i].url, sizeof request->url);
    }
}

/* The rule that the result breaks, or NULL; what breaks it goes to `url`. */
static const char *broken_rule(const struct page *page, char *url, size_t url_bytes)
{
    const struct fail_params *rules = &page->render.params->fail_on;
    const struct render_result *result = page->render.result;
    const struct traffic *traffic = page->render.traffic;
    const struct diagnostics_exception *exception = NULL;

    (void)snprintf(url, url_bytes, "%.*s", TRAFFIC_URL_BYTES,
                   result->final_url != NULL ? result->final_url : page->render.params->url);
    for (size_t i = 0; i < rules->statuses.count; i++) {
        if (rules->statuses.items[i] == (uint32_t)result->status)
            return "failOn.status";
    }
    if (traffic != NULL && traffic->fault != TRAFFIC_NO_FAULT) {
        (void)snprintf(url, url_bytes, "%s", traffic->fault_url);
        return traffic->fault == TRAFFIC_FAILED ? "failOn.resourceFailed" : "failOn.resourceStatus";
    }
    if (rules->exception && result->diagnostics != NULL)
        exception = diagnostics_uncaught(result->diagnostics);
    if (exception != NULL) {
        if (exception->frames_count > 0 && exception->frames[0].url[0] != '\0')
            (void)snprintf(url, url_bytes, "%s", exception->frames[0].url);
        return "failOn.exception";
    }
    return rules->empty_body && result->has_empty_body ? "failOn.emptyBody" : NULL;
}

void page_watch_finish(struct page *page, uint64_t now_ms)
{
    struct render_result *result = page->render.result;
    const struct traffic *traffic = page->render.traffic;

    page_streams_finish(page);
    if (traffic != NULL)
        list_traffic(page, now_ms);
    else if (result->late.phase != NULL && page->render.loader == 0)
        list_document(page);
    if (traffic != NULL)
        result->pending = traffic->pending_count;
    else if (result->diagnostics != NULL && result->diagnostics->pending_count > result->pending)
        result->pending = (uint32_t)result->diagnostics->pending_count;
    if (result->code == RENDER_BUDGET_EXCEEDED)
        result->param = traffic_overspent(traffic);
    if (result->code != RENDER_OK)
        return;
    result->fail_rule = broken_rule(page, result->fail_url, sizeof result->fail_url);
    if (result->fail_rule == NULL)
        return;
    result->code = RENDER_FAIL_ON;
    result->outcome = RENDER_FAILED;
    free(result->html);
    result->html = NULL;
    result->html_bytes = 0;
}
