/* page_clock.c: keeps the error of the page's clock within render.clock_skew_max_ms.
 *
 * A render's settling moves the page's clock ahead, up to settle_virtual_ms each; while
 * the page idles its clock stands still and falls behind. Virtual time belongs to the
 * renderer process and cannot be switched off again. A clock that is behind is moved
 * before the next document comes, which is cheap. One that is far ahead cannot be moved
 * back: a spare target in the same context, whose clock is right, is prepared while the
 * page goes on, and takes its place between two renders. Since it costs about as much
 * as a small render, it is not made before it is due.
 *
 * A render under the real clock needs a target whose clock nobody has moved. One that has
 * been moved is replaced by a spare before the render, which then takes 50 ms longer.
 *
 * The clock is kept a little ahead on purpose: the renderer's own scheduler runs by it,
 * and while it is behind the real one, which the frames come by, frames are late by as
 * much. */
#include <assert.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* A spare is prepared while this many renders may still start on the target that it will
 * replace: it takes about as long as one of them. */
#define SPARE_AHEAD_RENDERS 1

/* A render starts with its clock at least this far ahead, or this far after a move. */
#define LEAD_MIN_MS 100.0
#define LEAD_MS 500.0

/* Larger moves are awaited. A small one takes about a millisecond, and the next document
 * longer to come; what might be left of it is replaced by that document's first grant. */
#define MOVE_UNAWAITED_MAX_MS 2000.0

/* The largest single move; a browser that was suspended for months may want more. */
#define MOVE_MAX_MS (366.0 * 24 * 60 * 60 * 1000)

static double skew_now_ms(const struct page *page, uint64_t now_ms)
{
    const struct target *target = page->target;

    /* A clock that is not ours yet is right. */
    return target->is_virtual ? target_skew_ms(target, target->look.virtual_ms, now_ms) : 0;
}

static double skew_max_ms(const struct page *page)
{
    return page->life->cdp->config->render.clock_skew_max_ms;
}

/* How far the clock must be moved; 0: not. */
static double move_ms(const struct page *page, uint64_t now_ms)
{
    double skew_ms = skew_now_ms(page, now_ms);

    if (skew_ms >= LEAD_MIN_MS)
        return 0;
    return LEAD_MS - skew_ms < MOVE_MAX_MS ? LEAD_MS - skew_ms : MOVE_MAX_MS;
}

void page_clock_take(struct page *page, uint64_t now_ms)
{
    struct target *target = page->target;
    double by_ms = move_ms(page, now_ms);

    if (by_ms <= 0)
        return;
    /* Not held back by fetches of what was shown last. */
    target_call(target, now_ms, "Emulation.setVirtualTimePolicy",
                json_pack("{s:s, s:I}", "policy", "advance", "budget", (json_int_t)by_ms),
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
    target->look.virtual_ms =
        target->clock_base_ms + (double)now_ms + skew_now_ms(page, now_ms) + by_ms;
    target->is_virtual = true;
}

/* Whether the clock would be too far ahead for a document, after `renders` more of them.
 * As much as the lead may pass before the document asks for the time. */
static bool is_due(const struct page *page, uint64_t now_ms, uint32_t renders)
{
    double render_ms = page->life->cdp->config->render.settle_virtual_ms;

    return skew_now_ms(page, now_ms) + LEAD_MS + renders * render_ms > skew_max_ms(page);
}

/* Whether the render that is about to start needs what a fresh target has: a clock that
 * nobody has moved, or the standby document of its recipe. */
static bool is_start_waiting(const struct page *page)
{
    const struct render_params *params = page->render.params;

    if (page->state != PAGE_STARTING)
        return false;
    return (params->wait.clock == CLOCK_REAL && page->target->is_virtual) ||
           (params->recipe != NULL && !shell_is_shown(page->target, params->recipe));
}

static bool is_spare_ready(const struct page *page)
{
    return page->spare->state == TARGET_READY && !shell_is_loading(page->spare);
}

static void prepare_spare(struct page *page, uint64_t now_ms)
{
    if (page->spare != NULL)
        return;
    page->spare = target_new(page);
    target_create(page->spare, now_ms);
}

enum page_errand page_clock_errand(struct page *page, uint64_t now_ms)
{
    if (page->render.params->wait.clock == CLOCK_REAL) {
        if (!page->target->is_virtual)
            return ERRAND_NONE;
        prepare_spare(page, now_ms);
        return ERRAND_SPARE;
    }
    if (page->spare != NULL && !is_spare_ready(page) && is_due(page, now_ms, 0))
        return ERRAND_SPARE;
    if (move_ms(page, now_ms) > MOVE_UNAWAITED_MAX_MS) {
        page_clock_take(page, now_ms);
        return ERRAND_CLOCK;
    }
    return ERRAND_NONE;
}

void page_clock_plan(struct page *page, uint64_t now_ms)
{
    if (is_due(page, now_ms, SPARE_AHEAD_RENDERS))
        prepare_spare(page, now_ms);
}

void page_clock_swap(struct page *page, uint64_t now_ms)
{
    if (page->is_probing || page->spare == NULL || !is_spare_ready(page))
        return;
    if (!is_due(page, now_ms, 0) && !is_start_waiting(page))
        return;
    assert(page->state == PAGE_READY || page->state == PAGE_STARTING);
    target_free(page->old); /* Told to close long ago. */
    page->old = page->target;
    page->target = page->spare;
    page->spare = NULL;
    target_close(page->old, now_ms);
}
