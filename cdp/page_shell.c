/* page_shell.c: the standby document of a recipe, kept on a page for its renders.
 *
 *   NONE --shell_load--> LOADING --committed, selector matches--> SHOWN
 *   LOADING --no answer, a status of an error, late--> FAILED --retry_ms--> LOADING
 *   every state --the page shows something else--> NONE
 *
 * It is loaded in real time, on a target whose clock is still its own: on a page that has
 * just opened, ahead of need, or on a spare target beneath a page that shows something
 * else, in whose place it is then shown. A page with a shell never rests on about:blank. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/deadline.h"
#include "cdp/page.h"
#include "cdp/target.h"

/* A standby document that cannot be loaded is tried again this much later. */
#define SHELL_RETRY_MS 1000

/* Called in an isolated world with the selector, "" for none. */
static const char await_script[] =
    "(q=>new Promise((shown,failed)=>{"
    "const s=performance.getEntriesByType('navigation')[0]?.responseStatus;"
    "if(s>=400){failed(new Error('it is answered with the status '+s));return}"
    "const "
    "look=()=>{if(document.readyState==='complete'&&(!q||document.querySelector(q)))shown(1)};"
    "look();addEventListener('load',look);"
    "new MutationObserver(look).observe(document,{subtree:true,childList:true,attributes:true})}))";

static bool is_same_document(const struct recipe *a, const struct recipe *b)
{
    return a == b || (strcmp(a->standby_url, b->standby_url) == 0 &&
                      strcmp(a->standby_selector, b->standby_selector) == 0);
}

bool shell_is_for(const struct target *target, const struct recipe *recipe)
{
    return target->shell.state != SHELL_NONE && is_same_document(target->shell.recipe, recipe);
}

bool shell_is_shown(const struct target *target, const struct recipe *recipe)
{
    return target->shell.state == SHELL_SHOWN && shell_is_for(target, recipe);
}

void shell_forget(struct target *target)
{
    memset(&target->shell, 0, sizeof target->shell);
}

static void shell_failed(struct target *target, uint64_t now_ms, const char *why)
{
    struct cdp_event event = {.type = CDP_STANDBY_FAILED, .life = target->page->life->id};

    target->shell.state = SHELL_FAILED;
    target->shell.retry_ms = now_ms + SHELL_RETRY_MS;
    event.page = target->page->id;
    (void)snprintf(event.text, sizeof event.text, "%s", why);
    cdp_queue(target->page->life->cdp, &event);
}

static void shell_shown(struct target *target, uint64_t now_ms)
{
    struct page *page = target->page;

    target->shell.state = SHELL_SHOWN;
    if (page->state == PAGE_STARTING &&
        (page->errand == ERRAND_SHELL || page->errand == ERRAND_SPARE))
        page_render_go(page, now_ms);
    else if (page->state == PAGE_READY)
        page_clock_swap(page, now_ms);
}

/* Whether a reply belongs to what is being loaded now. */
static bool is_current(const struct target *target, uint64_t attempt)
{
    return target->shell.state == SHELL_LOADING && target->shell.attempt == attempt;
}

static void on_awaited(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct target *target = owner;
    struct cdp_span result, details, exception, span;
    char why[256] = "its selector does not match in time, or it went away";

    if (!is_current(target, tag))
        return;
    bool is_shown = reply->end == CALL_REPLIED &&
                    message_member(reply->message->body, "result", &result) &&
                    message_member(result, "value", &span) && span_is(span, "1");
    if (is_shown) {
        shell_shown(target, now_ms);
        return;
    }
    if (reply->end == CALL_REPLIED &&
        message_member(reply->message->body, "exceptionDetails", &details) &&
        message_member(details, "exception", &exception))
        (void)span_text(exception, "description", why, sizeof why);
    shell_failed(target, now_ms, why);
}

static void on_world(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct target *target = owner;
    char number[24];
    char *selector;

    if (!is_current(target, tag))
        return;
    if (reply->end != CALL_REPLIED ||
        !span_text(reply->message->body, "executionContextId", number, sizeof number)) {
        shell_failed(target, now_ms, "it went away");
        return;
    }
    target->shell.world = strtoll(number, NULL, 10);
    selector = page_quoted(target->shell.recipe->standby_selector);
    target_call(target, now_ms, "Runtime.evaluate",
                json_pack("{s:s+++, s:I, s:b, s:b}", "expression", await_script, "(",
                          selector != NULL ? selector : "''", ")", "contextId",
                          (json_int_t)target->shell.world, "awaitPromise", 1, "returnByValue", 1),
                target->page->life->cdp->config->pool.open_timeout_ms, on_awaited, tag);
    free(selector);
}

/* The answer and the commit come in either order. */
static void shell_next(struct target *target, uint64_t now_ms)
{
    struct shell *shell = &target->shell;

    if (shell->loader == 0 || shell->committed != shell->loader)
        return;
    target_call(target, now_ms, "Page.createIsolatedWorld",
                json_pack("{s:s, s:s}", "frameId", target->target_id, "worldName", "prerenderd"),
                target->page->life->cdp->config->pool.open_timeout_ms, on_world, shell->attempt);
}

static void on_navigated(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct target *target = owner;
    struct cdp_span loader;
    char error[64] = "it is not answered in time";

    if (!is_current(target, tag))
        return;
    if (reply->end != CALL_REPLIED ||
        span_text(reply->message->body, "errorText", error, sizeof error) ||
        !message_member(reply->message->body, "loaderId", &loader)) {
        shell_failed(target, now_ms, error);
        return;
    }
    target->shell.loader = page_loader_number(loader);
    shell_next(target, now_ms);
}

static void shell_load(struct target *target, uint64_t now_ms, const struct recipe *recipe)
{
    struct cdp *cdp = target->page->life->cdp;

    assert(target->state == TARGET_READY && !target->is_virtual);
    shell_forget(target);
    target->shell.state = SHELL_LOADING;
    target->shell.recipe = recipe;
    target->shell.attempt = ++cdp->numbers;
    target->is_blank = false;
    target_call(target, now_ms, "Page.navigate", json_pack("{s:s}", "url", recipe->standby_url),
                cdp->config->pool.open_timeout_ms, on_navigated, target->shell.attempt);
}

void shell_committed(struct target *target, uint64_t now_ms, struct cdp_span body)
{
    struct cdp_span frame, loader, parent;

    if (target->shell.state == SHELL_NONE || !message_member(body, "frame", &frame) ||
        message_member(frame, "parentId", &parent) || !message_member(frame, "loaderId", &loader))
        return;
    if (target->shell.state == SHELL_LOADING) {
        target->shell.committed = page_loader_number(loader);
        shell_next(target, now_ms);
    } else if (page_loader_number(loader) != target->shell.loader) {
        shell_forget(target);
    }
}

/* The recipe whose standby document a page shows that nobody has asked anything yet. */
static const struct recipe *first_recipe(const struct config *config)
{
    for (int i = 0; i < RECIPES; i++) {
        if (recipe_is_set(&config->recipes[i]))
            return &config->recipes[i];
    }
    return NULL;
}

/* A spare is for the render that waits for it, else it is as what it will replace. */
static const struct recipe *wanted(const struct target *target)
{
    const struct page *page = target->page;

    if (page->state == PAGE_STARTING)
        return page->render.params->recipe;
    if (target == page->spare)
        return page->target->shell.recipe;
    return first_recipe(page->life->cdp->config);
}

bool shell_prepare(struct target *target, uint64_t now_ms)
{
    const struct recipe *recipe = wanted(target);

    if (recipe != NULL)
        shell_load(target, now_ms, recipe);
    return recipe != NULL;
}

bool shell_is_loading(const struct target *target)
{
    const struct page *page = target->page;

    /* A navigation does not mind what is there. */
    if (page->state == PAGE_STARTING && page->render.params->recipe == NULL)
        return false;
    return target->shell.state == SHELL_LOADING || target->shell.state == SHELL_FAILED;
}

enum page_errand shell_errand(struct page *page, uint64_t now_ms)
{
    const struct recipe *recipe = page->render.params->recipe;
    struct target *target = page->target->is_virtual ? page->spare : page->target;

    if (recipe == NULL || shell_is_shown(page->target, recipe))
        return ERRAND_NONE;
    if (target == NULL) {
        page->spare = target_new(page);
        target_create(page->spare, now_ms);
    } else if (target->state == TARGET_READY && !shell_is_for(target, recipe)) {
        shell_load(target, now_ms, recipe);
    }
    return ERRAND_SHELL;
}

static void retry(struct target *target, uint64_t now_ms)
{
    if (target != NULL && target->state == TARGET_READY && target->shell.state == SHELL_FAILED &&
        now_ms >= target->shell.retry_ms && !target->is_virtual)
        shell_load(target, now_ms, target->shell.recipe);
}

void shell_tick(struct page *page, uint64_t now_ms)
{
    retry(page->target, now_ms);
    retry(page->spare, now_ms);
}

static uint64_t retry_ms(const struct target *target)
{
    bool is_due = target != NULL && target->state == TARGET_READY &&
                  target->shell.state == SHELL_FAILED && !target->is_virtual;

    return is_due ? target->shell.retry_ms : UINT64_MAX;
}

uint64_t shell_deadline_ms(const struct page *page)
{
    return earlier_ms(retry_ms(page->target), retry_ms(page->spare));
}
