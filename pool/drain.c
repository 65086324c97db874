/* drain.c: the end of service: nothing new starts, what runs may finish. */
#include "pool/parts.h"

void pool_drain_begin(struct pool *pool, uint64_t deadline_ms)
{
    pool->draining = true;
    pool_timer_clear(pool, &pool->launch);
    pool_timer_clear(pool, &pool->rearm);
    pool_timer_set(pool, &pool->drain, TIMER_DRAIN, deadline_ms);
    pool_drain_refuse(pool);
}

static void give_up_probes(struct pool *pool, struct life *life)
{
    struct page *page;
    LIST_FOREACH(page, &life->all_pages, of_life)
    {
        if (page->state != PAGE_PROBING)
            continue;
        struct request *request = page->request;
        pool_page_set_state(pool, page, PAGE_IDLE);
        pool_request_refuse(pool, request, POOL_DRAINING);
    }
}

void pool_drain_refuse(struct pool *pool)
{
    assert(pool->draining);
    if (pool->serving != NULL)
        give_up_probes(pool, pool->serving);
    for (int i = 0; i < STEP_BATCH_MAX && !TAILQ_EMPTY(&pool->waiting); i++)
        pool_request_refuse(pool, TAILQ_FIRST(&pool->waiting), POOL_DRAINING);
    if (!TAILQ_EMPTY(&pool->waiting))
        pool_timer_set(pool, &pool->refusals, TIMER_REFUSALS, pool->now_ms);
}

static void end_renders(struct pool *pool, struct life *life)
{
    struct page *page;
    if (life == NULL)
        return;
    LIST_FOREACH(page, &life->all_pages, of_life)
    {
        if (page->state == PAGE_LEASED || page->state == PAGE_DOOMED)
            pool_render_end(pool, page->request, POOL_DRAIN_GRACE);
    }
}

void pool_drain_grace_over(struct pool *pool)
{
    end_renders(pool, pool->serving);
    end_renders(pool, pool->retiring);
}
