/* page_clock.c: keeps the error of the page's clock within render.clock_skew_max_ms.
 *
 * A render's settling moves the page's clock ahead, up to settle_virtual_ms each; while
 * the page idles its clock stands still and falls behind. Virtual time belongs to the
 * renderer process and cannot be switched off again. A clock that is behind is moved
 * before the next render, which is cheap. One that is ahead cannot be moved back: a spare
 * target in the same context, whose clock is right, is prepared while the page goes on,
 * and takes its place between two renders. */
#include <assert.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* A clock this far behind is moved. */
#define BEHIND_MAX_MS 1000.0

/* The largest single move; a browser that was suspended for months may want more. */
#define MOVE_MAX_MS (366.0 * 24 * 60 * 60 * 1000)

static double skew_now_ms(const struct page *page, uint64_t now_ms)
{
    return target_skew_ms(page->target, page->target->look.virtual_ms, now_ms);
}

static double skew_max_ms(const struct page *page)
{
    return page->life->cdp->config->render.clock_skew_max_ms;
}

void page_clock_catch_up(struct page *page, uint64_t now_ms)
{
    struct target *target = page->target;
    double behind_ms = -skew_now_ms(page, now_ms);

    if (!target->is_virtual || behind_ms < BEHIND_MAX_MS)
        return;
    if (behind_ms > MOVE_MAX_MS)
        behind_ms = MOVE_MAX_MS;
    /* Fetches of whatever document is left must not hold it back. */
    target_call(target, now_ms, "Emulation.setVirtualTimePolicy",
                json_pack("{s:s, s:I}", "policy", "advance", "budget", (json_int_t)behind_ms),
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
    target->look.virtual_ms += behind_ms;
    target->is_catching_up = true;
}

enum page_errand page_clock_errand(const struct page *page, uint64_t now_ms)
{
    /* What is left of the move would be spent on the next document. */
    if (page->target->is_catching_up)
        return ERRAND_CLOCK;
    if (page->target->is_virtual && page->spare != NULL && page->spare->state != TARGET_READY &&
        skew_now_ms(page, now_ms) + page->life->cdp->config->render.settle_virtual_ms >
            skew_max_ms(page))
        return ERRAND_SPARE;
    return ERRAND_NONE;
}

void page_clock_plan(struct page *page, uint64_t now_ms)
{
    if (page->spare != NULL || !page->target->is_virtual ||
        skew_now_ms(page, now_ms) < skew_max_ms(page) / 2)
        return;
    page->spare = target_new(page);
    target_create(page->spare, now_ms, page->life->cdp->config->pool.open_timeout_ms);
}

void page_clock_swap(struct page *page, uint64_t now_ms)
{
    if (page->spare == NULL || page->spare->state != TARGET_READY || page->old != NULL ||
        page->is_probing)
        return;
    assert(page->state == PAGE_READY || page->state == PAGE_STARTING);
    page->old = page->target;
    page->target = page->spare;
    page->spare = NULL;
    target_close(page->old, now_ms);
}
