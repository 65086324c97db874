/* page_events.c: the events of a page's session, as facts for the machine of its render.
 *
 * What they mean is in render.h; which of them belong to the network is page_watch.c's. */
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Dialogs beyond PAGE_DIALOGS_MAX are dismissed. No command ends a script that loops over dialogs,
 * so they are answered up to a bound, which takes less than a millisecond each; then the page waits
 * for the end of its time. */
#define DIALOGS_ANSWERED_MAX 1000

static enum render_kind kind_of(const char *type)
{
    if (strcmp(type, "text/html") == 0 || strcmp(type, "application/xhtml+xml") == 0)
        return RENDER_KIND_HTML;
    return strcmp(type, "text/plain") == 0 ? RENDER_KIND_TEXT : RENDER_KIND_OTHER;
}

/* The main frame has another document. */
static void on_committed(struct page *page, uint64_t now_ms, struct cdp_span body)
{
    struct render_fact fact = {.type = RENDER_FACT_COMMITTED};
    struct render_result *result = page->render.result;
    struct cdp_span frame, loader, url, unreachable;

    if (!message_member(body, "frame", &frame) || message_member(frame, "parentId", &url) ||
        !message_member(frame, "loaderId", &loader) || !message_member(frame, "url", &url))
        return;
    fact.loader = page->render.loader = page_loader_number(loader);
    page->render.leave_ms = 0;
    if (!span_text(frame, "mimeType", result->content_type, sizeof result->content_type))
        result->content_type[0] = '\0';
    page_output_clear(page);
    page_network_committed(page);
    if (!page->render.machine.is_blanking)
        page_storage_committed(page, now_ms);
    if (message_member(frame, "unreachableUrl", &unreachable))
        fact.kind = url_is_denied(page->life->cdp, unreachable.at, unreachable.bytes)
                        ? RENDER_KIND_DENIED
                        : RENDER_KIND_ERROR;
    else if (!page_html_is_shown(page, url) && url_is_denied(page->life->cdp, url.at, url.bytes))
        fact.kind = RENDER_KIND_DENIED;
    else
        fact.kind = kind_of(result->content_type);
    page_render_step(page, now_ms, &fact);
    page_watch_committed(page, now_ms);
}

/* DOMContentLoaded or the load event of the main frame, with the page's own clock. They name no
 * document, but events of a session come in order, and that of a process that is left ends before
 * the next document commits; so it is the one that committed last. */
static void on_milestone(struct page *page, uint64_t now_ms, struct cdp_span body, bool is_load)
{
    struct render_fact fact = {.type = is_load ? RENDER_FACT_LOADED : RENDER_FACT_PARSED,
                               .loader = page->render.loader};
    char seconds[32];

    if (fact.loader == 0)
        return; /* Of what the page showed before. */
    if (span_text(body, "timestamp", seconds, sizeof seconds))
        fact.virtual_ms = strtod(seconds, NULL) * 1000;
    if (!is_load && fact.virtual_ms > 0)
        page->render.result->clock_skew_ms =
            (int64_t)target_skew_ms(page->target, fact.virtual_ms, now_ms);
    page_render_step(page, now_ms, &fact);
}

static void on_started(struct page *page, uint64_t now_ms, struct cdp_span body)
{
    struct render_fact fact = {.type = RENDER_FACT_STARTED};
    struct cdp_span span;

    if (message_member(body, "navigationType", &span) && span_is(span, "sameDocument"))
        return;
    if (message_member(body, "loaderId", &span))
        fact.loader = page_loader_number(span);
    if (fact.loader != 0)
        page_render_step(page, now_ms, &fact);
}

/* Answered at once: until then the page does nothing at all. */
static void on_dialog(struct page *page, uint64_t now_ms)
{
    uint64_t timeout_ms = page->life->cdp->config->browser.call_timeout_ms;

    page->render.dialogs++;
    if (page->render.dialogs <= DIALOGS_ANSWERED_MAX)
        target_call(page->target, now_ms, "Page.handleJavaScriptDialog",
                    json_pack("{s:b}", "accept", page->render.dialogs <= PAGE_DIALOGS_MAX),
                    timeout_ms, NULL, 0);
}

/* An event of a frame: of the main frame, or of no interest. */
static void on_frame_event(struct page *page, uint64_t now_ms, struct cdp_message *message)
{
    const struct render_fact stopped = {.type = RENDER_FACT_STOPPED};
    const struct render_fact scheduled = {.type = RENDER_FACT_SCHEDULED};
    struct cdp_span frame;

    if (!message_member(message->body, "frameId", &frame) ||
        !span_is(frame, page->target->target_id))
        return;
    if (span_is(message->method, "Page.frameStartedNavigating"))
        on_started(page, now_ms, message->body);
    else if (span_is(message->method, "Page.frameStoppedLoading"))
        page_render_step(page, now_ms, &stopped);
    else if (span_is(message->method, "Page.frameScheduledNavigation"))
        page_render_step(page, now_ms, &scheduled);
}

static void on_expired(struct page *page, uint64_t now_ms)
{
    const struct render_fact expired = {.type = RENDER_FACT_EXPIRED};

    if (page->state == PAGE_STARTING && page->errand == ERRAND_CLOCK)
        page_render_go(page, now_ms);
    else
        page_render_step(page, now_ms, &expired);
}

void page_on_event(struct target *target, uint64_t now_ms, struct cdp_message *message)
{
    struct page *page = target->page;

    if (target->state == TARGET_READY &&
        (target != page->target || page->state != PAGE_RENDERING) &&
        span_is(message->method, "Page.frameNavigated"))
        shell_committed(target, now_ms, message->body);
    if (span_is(message->method, "Inspector.targetCrashed"))
        page_target_crashed(target, now_ms);
    else if (target != page->target || target->state != TARGET_READY)
        return;
    else if (span_is(message->method, "Page.javascriptDialogOpening"))
        on_dialog(page, now_ms);
    else if (span_is(message->method, "Emulation.virtualTimeBudgetExpired"))
        on_expired(page, now_ms);
    else if (page->state != PAGE_RENDERING)
        return;
    else if (span_is(message->method, "Fetch.requestPaused"))
        page_network_paused(page, now_ms, message->body);
    else if (span_is(message->method, "Page.frameNavigated"))
        on_committed(page, now_ms, message->body);
    else if (span_is(message->method, "Page.domContentEventFired"))
        on_milestone(page, now_ms, message->body, false);
    else if (span_is(message->method, "Page.loadEventFired"))
        on_milestone(page, now_ms, message->body, true);
    else if (memcmp(message->method.at, "Page.", 5) == 0)
        on_frame_event(page, now_ms, message);
    else
        page_watch_event(page, now_ms, message);
}
