/* step.c: one event in, actions out. */
#include "pool/parts.h"

/* Clocks run between steps; a clock that went backwards stands still. */
static void step_begin(struct pool *pool, uint64_t now_ms, const struct pool_event *event)
{
    uint64_t elapsed_ms = now_ms > pool->now_ms ? now_ms - pool->now_ms : 0;
    pool->now_ms += elapsed_ms;
    for (int lane = 0; lane < LANES; lane++)
        pool->open_ms[lane] += pool->gate_open[lane] ? elapsed_ms : 0;
    pool->random = event->random;
    pool->actions_count = 0;
    pool->granted_any = false;
    pool->ended_late = 0;
    pool->rested = NULL;
    pool->cap_before = pool->cap;
}

/* An id that is forgotten is not an error: the answer crossed the end on its way. */
static struct page *known_page(struct pool *pool, const struct pool_event *event)
{
    struct page *page = pool_id_find(&pool->pages_by_id, event->page);
    if (page == NULL)
        pool->totals.stale++;
    return page;
}

static void handle_page(struct pool *pool, const struct pool_event *event)
{
    struct page *page = known_page(pool, event);
    if (page == NULL)
        return;
    if (event->type == POOL_OPENED)
        pool_page_opened(pool, page);
    else if (event->type == POOL_OPEN_FAILED)
        pool_page_open_failed(pool, page, event->transient);
    else if (event->type == POOL_CLOSED)
        pool_page_closed(pool, page);
    else
        pool_page_crashed(pool, page);
}

static void handle_probe(struct pool *pool, const struct pool_event *event)
{
    struct page *page = known_page(pool, event);
    if (page == NULL)
        return;
    if (page->state != PAGE_PROBING) {
        pool->totals.stale++;
        return;
    }
    struct request *request = page->request;
    if (event->type == POOL_PROBED && request->timer.due_ms <= pool->now_ms) {
        pool_request_late(pool, request);
        return;
    }
    if (event->type == POOL_PROBED) {
        pool_request_grant(pool, request, page);
        return;
    }
    pool_request_return(pool, request);
    pool_page_close(pool, page, /* retain= */ true);
}

static void handle_cancel(struct pool *pool, const struct pool_event *event)
{
    struct request *request = pool_id_find(&pool->requests_by_id, event->request.id);
    if (request == NULL)
        pool->totals.stale++;
    else
        pool_request_cancelled(pool, request);
}

static void handle_context_gone(struct pool *pool, const struct pool_event *event)
{
    struct context *context = pool_id_find(&pool->contexts_by_id, event->context);
    if (context == NULL)
        pool->totals.stale++;
    else
        pool_context_reported_gone(pool, context);
}

static void handle(struct pool *pool, const struct pool_event *event)
{
    switch (event->type) {
    case POOL_REQUEST:
        pool_request_arrived(pool, &event->request);
        break;
    case POOL_CANCEL:
        handle_cancel(pool, event);
        break;
    case POOL_RENDER_DONE:
        pool_render_done(pool, event);
        break;
    case POOL_OPENED:
    case POOL_OPEN_FAILED:
    case POOL_CLOSED:
    case POOL_PAGE_CRASHED:
        handle_page(pool, event);
        break;
    case POOL_PROBED:
    case POOL_PROBE_FAILED:
        handle_probe(pool, event);
        break;
    case POOL_CONTEXT_GONE:
        handle_context_gone(pool, event);
        break;
    case POOL_LIFE_UP:
        pool_life_up(pool, event->life);
        break;
    case POOL_LIFE_DOWN:
        pool_life_down(pool, event->life);
        break;
    case POOL_RECYCLE:
        pool_life_recycle(pool);
        break;
    case POOL_DISPOSE:
        pool_dispose_requested(pool, event);
        break;
    case POOL_RELEASE_BATCH:
        pool_batch_released(pool, event);
        break;
    case POOL_DRAIN:
        pool_drain_begin(pool, event->deadline_ms);
        break;
    case POOL_TICK:
        pool_deadlines_run(pool);
        break;
    }
}

static void step_end(struct pool *pool)
{
    pool_contraction_watch(pool);
    for (int lane = 0; lane < LANES; lane++)
        pool->gate_open[lane] = pool_gate_is_open(pool, (enum pool_lane)lane);
    if (pool->rested != NULL && pool->rested->state == PAGE_IDLE) {
        struct pool_action *action = pool_emit(pool, POOL_REST);
        action->life = pool->rested->life->id;
        action->page = pool->rested->node.id;
    }
    if (pool->cap != pool->cap_before)
        pool_emit(pool, POOL_CAP)->cap = pool->cap;
    pool_affinities_publish(pool);
}

struct pool_actions pool_step(struct pool *pool, uint64_t now_ms, const struct pool_event *event)
{
    step_begin(pool, now_ms, event);
    handle(pool, event);
    do {
        pool_match(pool);
    } while (pool_refill(pool));
    pool_lives_keep(pool);
    pool_lines_settle(pool);
    step_end(pool);
    return (struct pool_actions){.count = pool->actions_count, .items = pool->actions};
}
