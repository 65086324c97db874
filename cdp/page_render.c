/* page_render.c: one render on a page, around the machine: what comes before it (clock,
 * cache), and what comes after it (result, storage). */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "cdp/deadline.h"
#include "cdp/page.h"
#include "cdp/target.h"

static void queue(struct page *page, enum cdp_event_type type, bool ok,
                  struct render_result *result)
{
    struct cdp_event event = {
        .type = type,
        .life = page->life->id,
        .page = page->id,
        .context = page->context->id,
        .request = page->render.request,
        .ok = ok,
        .result = result,
    };

    cdp_queue(page->life->cdp, &event);
}

static void render_clear(struct page *page)
{
    assert(page->render.result == NULL);
    page_network_free(page);
    page_watch_clear(page);
    memset(&page->render, 0, sizeof page->render);
    page->errand = ERRAND_NONE;
}

void page_render_drop(struct page *page, uint64_t now_ms)
{
    (void)now_ms;
    if (page->target != NULL)
        target_forget_calls(page->target);
    render_result_free(page->render.result);
    page->render.result = NULL;
    render_clear(page);
}

void page_shorten(struct page *page, uint64_t now_ms, uint64_t deadline_ms)
{
    if (page->state != PAGE_STARTING && page->state != PAGE_RENDERING)
        return;
    if (deadline_ms < page->render.deadline_ms)
        page->render.deadline_ms = deadline_ms;
    if (page->state == PAGE_RENDERING)
        render_shorten(&page->render.machine, now_ms, deadline_ms);
}

void page_abort(struct page *page, uint64_t now_ms)
{
    if (page->state != PAGE_STARTING && page->state != PAGE_RENDERING &&
        page->state != PAGE_CLEARING)
        return;
    page_render_drop(page, now_ms);
    page_set_state(page, PAGE_SPENT);
    target_call(page->target, now_ms, "Runtime.terminateExecution", NULL,
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

/* The render is over, and the page is clean again. */
static void render_done(struct page *page, uint64_t now_ms, bool ok)
{
    queue(page, CDP_RENDER_DONE, ok, NULL);
    render_clear(page);
    page_set_state(page, ok ? PAGE_READY : PAGE_SPENT);
    if (ok) {
        page_clock_swap(page, now_ms);
        page_clock_plan(page, now_ms);
    }
}

static void on_cleared(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    (void)tag;

    if (page->state == PAGE_CLEARING)
        render_done(page, now_ms, reply->end == CALL_REPLIED);
}

/* Called when the page shows about:blank: nothing can store any more. */
static void on_blank(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    uint64_t timeout_ms = page->life->cdp->config->browser.call_timeout_ms;
    (void)tag;

    if (page->state != PAGE_CLEARING)
        return;
    if (reply->end != CALL_REPLIED) {
        render_done(page, now_ms, false);
        return;
    }
    page->context->has_workers = false;
    /* "*" reaches every origin of the context, those of frames included. */
    life_call(page->life, now_ms, "Storage.clearCookies",
              json_pack("{s:s}", "browserContextId", page->context->browser_context_id), timeout_ms,
              NULL, 0);
    target_call(page->target, now_ms, "Storage.clearDataForOrigin",
                json_pack("{s:s, s:s}", "origin", "*", "storageTypes", "all"), timeout_ms,
                on_cleared, 0);
}

/* Gives the result away and brings the page to rest. */
static void render_finish(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;
    bool ok = render_is_page_good(&render->machine) && render->dialogs <= PAGE_DIALOGS_MAX &&
              page_scripts_undo(page, now_ms) && page_storage_stop(page, now_ms);
    struct render_result *result = render->result;

    render_verdict(&render->machine, result);
    if (result->origin_status != 0)
        result->status = result->origin_status; /* A redirect was replaced by a document. */
    page_watch_finish(page, now_ms);
    render->result = NULL;
    target_forget_calls(page->target);
    page_network_stop(page, now_ms);
    page_pdf_undo(page, now_ms);
    page_image_undo(page, now_ms);
    queue(page, CDP_RESULT, true, result);
    if (!ok) {
        render_done(page, now_ms, false);
        return;
    }
    if (render->loader != page->target->shell.loader)
        shell_forget(page->target);
    page_override_undo(page, now_ms);
    page_watch_stop(page, now_ms);
    if (!render_is_look_fresh(&render->machine))
        page_look_later(page->target, now_ms);
    if (render->clear_storage) {
        page_set_state(page, PAGE_CLEARING);
        page_blank(page, now_ms, on_blank);
    } else {
        render_done(page, now_ms, true);
    }
}

static void carry_out(struct page *page, uint64_t now_ms, const struct render_commands *commands)
{
    for (uint32_t i = 0; i < commands->count; i++)
        page_do(page, now_ms, &commands->items[i]);
    if (page->render.machine.state == RENDER_DONE)
        render_finish(page, now_ms);
}

void page_render_step(struct page *page, uint64_t now_ms, const struct render_fact *fact)
{
    struct render_commands commands;

    if (page->state != PAGE_RENDERING)
        return;
    render_step(&page->render.machine, now_ms, fact, &commands);
    carry_out(page, now_ms, &commands);
}

/* What the page shows may keep its renderer busy when it is left, in `pagehide`, and then the
 * document that is about to come cannot. It has as long for that as a probe; then the renderer
 * is as good as crashed. */
void page_render_leave(struct page *page, uint64_t now_ms)
{
    uint64_t limit_ms = page->life->cdp->config->pool.probe_timeout_ms;

    page->render.leave_ms = limit_ms > 0 ? now_ms + limit_ms : 0;
}

uint64_t page_render_deadline_ms(const struct page *page)
{
    const struct page_render *render = &page->render;
    uint64_t deadline_ms =
        earlier_ms(render_deadline_ms(&render->machine), page_watch_deadline_ms(page));

    return earlier_if_set_ms(deadline_ms, render->leave_ms);
}

void page_render_tick(struct page *page, uint64_t now_ms)
{
    const struct render_fact tick = {.type = RENDER_FACT_TICK};

    if (page->state == PAGE_STARTING && now_ms >= page->render.deadline_ms) {
        struct render_result *result = page->render.result;
        result->outcome = RENDER_FAILED;
        result->reason = RENDER_DEADLINE;
        result->code = RENDER_TIMEOUT;
        page->render.result = NULL;
        target_forget_calls(page->target);
        queue(page, CDP_RESULT, true, result);
        render_done(page, now_ms, false);
        return;
    }
    page_watch_tick(page, now_ms);
    if (page->state == PAGE_RENDERING && page->render.leave_ms != 0 &&
        now_ms >= page->render.leave_ms) {
        page->render.leave_ms = 0;
        target_crash(page->target, now_ms);
    }
    if (page->state == PAGE_RENDERING && now_ms >= render_deadline_ms(&page->render.machine))
        page_render_step(page, now_ms, &tick);
}

/* Starts the machine: all errands are done. */
static void render_go(struct page *page, uint64_t now_ms)
{
    struct cdp *cdp = page->life->cdp;
    const struct render_config *config = &cdp->config->render;
    struct page_render *render = &page->render;
    struct render_commands commands;
    const struct render_plan plan = {
        .until = render->params->until,
        .shown_loader = render->params->recipe != NULL ? page->target->shell.loader : 0,
        .wait = page_wait_plan(page),
        .has_injects = page_inject_waits(render->params),
        .on_timeout = render->params->on_timeout,
        .outputs = render->params->outputs,
        .deadline_ms = render->deadline_ms,
        .settle_virtual_ms = config->settle_virtual_ms,
        .stuck_request_ms = page_wait_stuck_ms(page),
        .stream_grace_ms = page_streams_grace_ms(page),
        .stream_silence_ms = page_streams_silence_ms(page),
        .capture_reserve_ms = config->capture_reserve_ms,
        .output_bytes_max = config->output_bytes_max,
        .look = page->target->look,
        .clock_base_ms = page->target->clock_base_ms,
    };

    page_set_state(page, PAGE_RENDERING);
    page->errand = ERRAND_NONE;
    page->target->is_blank = false;
    if (render->params->recipe != NULL) {
        render->loader = page->target->shell.loader;
        render->world = page->target->shell.world;
    } else {
        shell_forget(page->target);
    }
    if (!plan.wait.is_real)
        page_clock_take(page, now_ms);
    page_watch_start(page, now_ms);
    page_override_apply(page, now_ms);
    page_wait_listen(page, now_ms);
    page_storage_start(page, now_ms);
    page_inject_start(page, now_ms);
    page_network_start(page, now_ms);
    render_start(&render->machine, now_ms, &plan, &commands);
    carry_out(page, now_ms, &commands);
}

static void on_cache_cleared(void *owner, uint64_t tag, uint64_t now_ms,
                             const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    (void)tag;
    (void)reply;

    if (page->state == PAGE_STARTING && page->errand == ERRAND_CACHE)
        page_render_go(page, now_ms);
}

/* Does the next errand, or starts. Called again when an errand is done. */
void page_render_go(struct page *page, uint64_t now_ms)
{
    assert(page->state == PAGE_STARTING);
    page_clock_swap(page, now_ms);
    page->errand = shell_errand(page, now_ms);
    if (page->errand == ERRAND_NONE)
        page->errand = page_clock_errand(page, now_ms);
    if (page->errand != ERRAND_NONE)
        return;
    if (page->render.clear_cache) {
        page->render.clear_cache = false;
        page->errand = ERRAND_CACHE;
        target_call(page->target, now_ms, "Network.clearBrowserCache", NULL,
                    page->life->cdp->config->browser.call_timeout_ms, on_cache_cleared, 0);
    } else if (page_storage_cookies(page, now_ms)) {
        page->errand = ERRAND_COOKIES;
    } else if (page_locale_start(page, now_ms)) {
        page->errand = ERRAND_LOCALE;
    } else {
        render_go(page, now_ms);
    }
}

void page_render_refuse(struct page *page, uint64_t now_ms, const char *param, const char *value)
{
    struct render_result *result = page->render.result;

    assert(page->state == PAGE_STARTING && page->errand != ERRAND_NONE);
    result->outcome = RENDER_FAILED;
    result->code = RENDER_PARAM_REFUSED;
    result->param = param;
    (void)snprintf(result->param_value, sizeof result->param_value, "%s", value);
    page->render.result = NULL;
    page_locale_undo(page, now_ms);
    queue(page, CDP_RESULT, true, result);
    render_done(page, now_ms, true);
}

void page_render_located(struct page *page, uint64_t now_ms, const char *param, const char *value)
{
    assert(page->state == PAGE_STARTING && page->errand == ERRAND_LOCALE);
    /* Not by way of another errand: what is set belongs to this target. */
    if (param == NULL)
        render_go(page, now_ms);
    else
        page_render_refuse(page, now_ms, param, value);
}

void page_render(struct page *page, uint64_t now_ms, const struct cdp_render *ask)
{
    struct page_render *render = &page->render;
    const char *url = render_params_url(ask->params);

    assert(page->state == PAGE_READY);
    render->request = ask->request;
    render->params = ask->params;
    render->deadline_ms = ask->deadline_ms;
    render->clear_cache = ask->clear_cache;
    render->clear_storage = ask->clear_storage;
    render->diagnose = ask->diagnose;
    render->result = cdp_alloc(sizeof *render->result);
    page_set_state(page, PAGE_STARTING);
    bool is_fetched = ask->params->recipe == NULL && !page_html_is_bare(ask->params);
    if (is_fetched && url_is_denied(page->life->cdp, url, strlen(url))) {
        struct render_result *result = render->result;
        result->outcome = RENDER_FAILED;
        result->code = RENDER_URL_DENIED;
        render->result = NULL;
        queue(page, CDP_RESULT, true, result);
        render_done(page, now_ms, true);
        return;
    }
    page_render_go(page, now_ms);
}
