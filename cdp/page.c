/* page.c: opening, resting, probing and closing of a page; see page.h. */
#include "cdp/page.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/deadline.h"
#include "cdp/target.h"

/* How long an idle page keeps its last document, if its clock stands still; one that would go on
 * in real time goes at once. Callers that render one page after another come back within that,
 * and a page that has not gone to about:blank costs them one navigation instead of two. */
#define REST_MS 100

#define TO(state) (1u << (state))
#define ENDS (TO(PAGE_CRASHED) | TO(PAGE_CLOSING))

/* Which states may follow which. */
static const uint32_t transitions[PAGE_CLOSING + 1] = {
    [PAGE_OPENING] = TO(PAGE_UNDOING) | TO(PAGE_READY) | TO(PAGE_CLOSING),
    [PAGE_UNDOING] = TO(PAGE_CLOSING),
    [PAGE_READY] = TO(PAGE_STARTING) | ENDS,
    [PAGE_STARTING] = TO(PAGE_RENDERING) | TO(PAGE_READY) | TO(PAGE_SPENT) | ENDS,
    [PAGE_RENDERING] = TO(PAGE_CLEARING) | TO(PAGE_READY) | TO(PAGE_SPENT) | ENDS,
    [PAGE_CLEARING] = TO(PAGE_READY) | TO(PAGE_SPENT) | ENDS,
    [PAGE_SPENT] = ENDS,
    [PAGE_CRASHED] = TO(PAGE_CLOSING),
    [PAGE_CLOSING] = 0,
};

void page_set_state(struct page *page, enum page_state state)
{
    assert(state <= PAGE_CLOSING);
    assert((transitions[page->state] & TO(state)) != 0);
    page->state = state;
    page->rest_ms = 0;
}

static void emit(struct page *page, enum cdp_event_type type, bool ok, const char *text)
{
    struct cdp_event event = {
        .type = type,
        .life = page->life->id,
        .page = page->id,
        .context = page->context != NULL ? page->context->id : 0,
        .request = page->render.request,
        .ok = ok,
    };

    (void)snprintf(event.text, sizeof event.text, "%s", text);
    cdp_queue(page->life->cdp, &event);
}

struct page *page_find(struct cdp *cdp, uint64_t id)
{
    struct page *page = NULL;

    HASH_FIND(hh, cdp->pages, &id, sizeof id, page);
    return page;
}

void page_open(struct life *life, uint64_t now_ms, uint64_t id, uint64_t context_id,
               bool new_context, uint64_t deadline_ms)
{
    struct page *page = cdp_alloc(sizeof *page);
    struct context *context =
        new_context ? context_new(life, now_ms, context_id) : context_find(life->cdp, context_id);

    assert(context != NULL && context->page == NULL && context->life == life);
    page->id = id;
    page->state = PAGE_OPENING;
    page->life = life;
    page->context = context;
    page->open_deadline_ms = deadline_ms;
    context->page = page;
    HASH_ADD(hh, life->cdp->pages, id, sizeof page->id, page);
    page->target = target_new(page);
    if (context->state == CONTEXT_READY)
        target_create(page->target, now_ms);
}

void page_free(struct page *page)
{
    if (page == NULL)
        return;
    target_free(page->target);
    target_free(page->spare);
    target_free(page->old);
    render_result_free(page->render.result);
    page_network_free(page);
    if (page->context != NULL)
        page->context->page = NULL;
    HASH_DEL(page->life->cdp->pages, page);
    free(page);
}

/* The page is gone, and its context with it unless that is retained. */
static void page_gone(struct page *page, enum cdp_event_type type, bool is_context_gone)
{
    struct context *context = page->context;

    emit(page, type, true, page->error);
    page_free(page);
    if (is_context_gone)
        context_free(context);
}

/* A close that retains the context ends with the last target in it: one that lingered
 * would share the context with the next page. */
static void page_close_check(struct page *page)
{
    if (page->state == PAGE_CLOSING && page->retains_context && !page->is_killed &&
        page->target->state == TARGET_GONE && page->spare == NULL && page->old == NULL)
        page_gone(page, CDP_CLOSED, false);
}

bool page_expects_target(const struct page *page)
{
    return page->target->state == TARGET_CREATING ||
           (page->spare != NULL && page->spare->state == TARGET_CREATING);
}

/* Goes on with a close as far as what is known allows. Nothing can be closed before the
 * browser has named it; the reply that names it comes back to here. */
static void page_close_next(struct page *page, uint64_t now_ms)
{
    assert(page->state == PAGE_CLOSING || page->state == PAGE_UNDOING);
    if (page->context->state == CONTEXT_CREATING)
        return;
    if (!page->retains_context || page->is_killed) {
        context_dispose(page->context, now_ms);
    } else if (page->target->target_id[0] != '\0') {
        target_close(page->target, now_ms);
        if (page->spare != NULL && page->spare->target_id[0] != '\0')
            target_close(page->spare, now_ms);
    }
}

void page_close(struct page *page, uint64_t now_ms, bool retain_context)
{
    if (page->state == PAGE_CLOSING)
        return;
    page_render_drop(page, now_ms);
    bool is_undoing = page->state == PAGE_UNDOING;
    page->error[0] = '\0';
    page->retains_context = retain_context && !is_undoing;
    page_set_state(page, PAGE_CLOSING);
    if (!is_undoing)
        page_close_next(page, now_ms);
}

void page_kill(struct page *page, uint64_t now_ms)
{
    page_close(page, now_ms, false);
    page->is_killed = true;
    target_crash(page->target, now_ms);
    page_close_next(page, now_ms);
}

/* The opening failed. Its context is disposed of, an old one too: what it is worth is not
 * known, and the answer promises that nothing is left. */
static void page_undo(struct page *page, uint64_t now_ms, const char *why)
{
    (void)snprintf(page->error, sizeof page->error, "%s", why);
    page_set_state(page, PAGE_UNDOING);
    page_close_next(page, now_ms);
}

void page_context_ready(struct context *context, uint64_t now_ms)
{
    struct page *page = context->page;

    if (context->is_asked || page == NULL)
        context_dispose(context, now_ms);
    else if (page->state == PAGE_OPENING)
        target_create(page->target, now_ms);
    else if (page->state == PAGE_CLOSING && page->retains_context && !page->is_killed)
        page_gone(page, CDP_CLOSED, false);
    else
        page_close_next(page, now_ms);
}

void page_context_gone(struct context *context, uint64_t now_ms)
{
    struct page *page = context->page;
    (void)now_ms;

    if (page != NULL && page->state == PAGE_OPENING) {
        (void)snprintf(page->error, sizeof page->error, "its context could not be made");
        page_gone(page, CDP_OPEN_FAILED, true);
    } else if (page != NULL) {
        page_gone(page, page->state == PAGE_UNDOING ? CDP_OPEN_FAILED : CDP_CLOSED, true);
    } else {
        struct cdp_event event = {
            .type = CDP_CONTEXT_GONE, .life = context->life->id, .context = context->id};
        cdp_queue(context->life->cdp, &event);
        context_free(context);
    }
}

void page_target_created(struct target *target, uint64_t now_ms)
{
    struct page *page = target->page;

    if (page->state == PAGE_CLOSING && page->retains_context && !page->is_killed)
        target_close(target, now_ms);
}

void page_target_ready(struct target *target, uint64_t now_ms)
{
    struct page *page = target->page;

    if (target == page->spare) {
        if (shell_prepare(target, now_ms) && shell_is_loading(target))
            return;
        if (page->state == PAGE_STARTING && page->errand == ERRAND_SPARE)
            page_render_go(page, now_ms);
        else if (page->state == PAGE_READY)
            page_clock_swap(page, now_ms);
    } else if (page->state == PAGE_OPENING) {
        page_set_state(page, PAGE_READY);
        emit(page, CDP_OPENED, true, "");
        (void)shell_prepare(target, now_ms);
    }
}

void page_target_failed(struct target *target, uint64_t now_ms, const char *why)
{
    struct page *page = target->page;

    if (target == page->spare) {
        /* What the browser has of it goes with the context. */
        page->spare = NULL;
        target_free(target);
        if (page->state == PAGE_STARTING &&
            (page->errand == ERRAND_SPARE || page->errand == ERRAND_SHELL))
            page_render_go(page, now_ms);
        page_close_check(page);
    } else if (page->state == PAGE_OPENING) {
        page_undo(page, now_ms, why);
    } else if (page->state == PAGE_CLOSING && page->retains_context && !page->is_killed &&
               target->target_id[0] == '\0') {
        target->state = TARGET_GONE;
        page_close_check(page);
    }
}

void page_target_lost(struct target *target, uint64_t now_ms, const char *why)
{
    struct page *page = target->page;

    if (target->state == TARGET_CRASHED || target->state == TARGET_CLOSING)
        return;
    target->state = TARGET_CRASHED;
    target_forget_calls(target);
    if (target == page->spare) {
        page_target_failed(target, now_ms, why);
        return;
    }
    if (page->state == PAGE_OPENING) {
        page_undo(page, now_ms, why);
    } else if (page->state != PAGE_CLOSING && page->state != PAGE_UNDOING &&
               page->state != PAGE_CRASHED) {
        emit(page, CDP_CRASHED, false, why);
        page_render_drop(page, now_ms);
        page_set_state(page, PAGE_CRASHED);
    }
}

void page_target_crashed(struct target *target, uint64_t now_ms)
{
    page_target_lost(target, now_ms, "its renderer crashed");
}

void page_target_detached(struct target *target, uint64_t now_ms)
{
    /* When a target is closed its session goes first; the end of the target is reported
     * by itself. Otherwise nothing can be done with it any more. */
    if (target->state != TARGET_CLOSING && target->page->state != PAGE_CLOSING &&
        target->page->state != PAGE_UNDOING)
        page_target_crashed(target, now_ms);
}

void page_target_gone(struct target *target, uint64_t now_ms)
{
    struct page *page = target->page;

    if (target == page->old) {
        page->old = NULL;
        target_free(target);
        page_close_check(page);
    } else if (target == page->spare) {
        page_target_failed(target, now_ms, "its target is gone");
    } else if (page->state == PAGE_CLOSING) {
        target->state = TARGET_GONE;
        page_close_check(page);
    } else {
        page_target_crashed(target, now_ms);
    }
}

static void on_probed(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    (void)tag;

    page->is_probing = false;
    emit(page, CDP_PROBED, reply->end == CALL_REPLIED, "");
    if (page->state == PAGE_STARTING && page->errand == ERRAND_SPARE)
        page_render_go(page, now_ms); /* The target could not be replaced until now. */
}

void page_probe(struct page *page, uint64_t now_ms, uint64_t deadline_ms)
{
    if (page->state != PAGE_READY) {
        emit(page, CDP_PROBED, false, "");
        return;
    }
    page_clock_swap(page, now_ms);
    page->is_probing = true;
    target_call(page->target, now_ms, "Runtime.evaluate",
                json_pack("{s:s, s:b}", "expression", "1", "returnByValue", 1),
                deadline_ms > now_ms ? deadline_ms - now_ms : 1, on_probed, 0);
}

void page_blank(struct page *page, uint64_t now_ms, call_done *done)
{
    page->target->is_blank = true;
    target_call(page->target, now_ms, "Page.navigate", json_pack("{s:s}", "url", "about:blank"),
                page->life->cdp->config->browser.call_timeout_ms, done, 0);
}

void page_rest(struct page *page, uint64_t now_ms)
{
    if (page->state != PAGE_READY)
        return;
    page_clock_swap(page, now_ms);
    if (page->rest_ms == 0)
        page->rest_ms = now_ms + (page->target->is_virtual ? REST_MS : 0);
    page_clock_plan(page, now_ms);
}

static uint64_t rest_deadline_ms(const struct page *page)
{
    return page->rest_ms != 0 && !page->is_probing ? page->rest_ms : UINT64_MAX;
}

static void rest_tick(struct page *page, uint64_t now_ms)
{
    if (now_ms < rest_deadline_ms(page))
        return;
    page->rest_ms = 0;
    if (!page->target->is_blank && page->target->shell.state == SHELL_NONE)
        page_blank(page, now_ms, NULL);
}

void page_tick(struct page *page, uint64_t now_ms)
{
    if (page->state == PAGE_OPENING && now_ms >= page->open_deadline_ms)
        page_undo(page, now_ms, "it did not open in time");
    if (page->state == PAGE_READY)
        rest_tick(page, now_ms);
    if (page->state == PAGE_READY || page->state == PAGE_STARTING)
        shell_tick(page, now_ms);
    if (page->state == PAGE_STARTING || page->state == PAGE_RENDERING)
        page_render_tick(page, now_ms);
}

uint64_t page_deadline_ms(const struct page *page)
{
    switch (page->state) {
    case PAGE_OPENING:
        return page->open_deadline_ms;
    case PAGE_READY:
        return earlier_ms(rest_deadline_ms(page), shell_deadline_ms(page));
    case PAGE_STARTING:
        return earlier_ms(shell_deadline_ms(page), page->render.deadline_ms);
    case PAGE_RENDERING:
        return page_render_deadline_ms(page);
    case PAGE_UNDOING:
    case PAGE_CLEARING:
    case PAGE_SPENT:
    case PAGE_CRASHED:
    case PAGE_CLOSING:
        break;
    }
    return UINT64_MAX;
}
