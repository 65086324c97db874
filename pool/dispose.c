/* dispose.c: the deliberate end of an affinity's warm state: dispose, expiry, and the
 * release of its batch. */
#include "pool/parts.h"

static void dispose_page(struct pool *pool, struct page *page, bool retain)
{
    switch (page->state) {
    case PAGE_OPENING:
    case PAGE_IDLE:
        pool_page_close(pool, page, retain);
        break;
    case PAGE_PROBING:
        pool_request_return(pool, page->request);
        pool_page_close(pool, page, retain);
        break;
    case PAGE_LEASED:
        pool_page_doom(pool, page);
        break;
    case PAGE_STANDBY:
        assert(false && "a standby has no affinity");
        break;
    case PAGE_DOOMED: /* disposed_epoch says what may become of their contexts. */
    case PAGE_CLOSING:
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
    case PAGE_GONE:
        break;
    }
}

void pool_affinity_dispose(struct pool *pool, struct affinity *affinity,
                           enum pool_strength strength)
{
    bool retain = strength == POOL_DISPOSE_RETAIN;
    uint64_t epoch = affinity->epoch;
    pool_affinity_touch(pool, affinity);
    if (!retain) {
        affinity->disposed_epoch = epoch;
        affinity->bound = false;
        if (affinity->orphan != NULL)
            pool_context_dispose_orphan(pool, affinity->orphan);
    }
    struct page *page, *next;
    for (page = LIST_FIRST(&affinity->pages); page != NULL; page = next) {
        next = LIST_NEXT(page, of_affinity);
        dispose_page(pool, page, retain);
    }
    if (affinity->epoch == epoch)
        pool_affinity_epoch_end(pool, affinity);
    assert(pool_affinity_routable(affinity) == 0 && affinity->opening == NULL);
}

static void emit_disposed(struct pool *pool, uint64_t dispose)
{
    struct pool_action *action = pool_emit(pool, POOL_DISPOSED);
    action->dispose = dispose;
}

void pool_dispose_requested(struct pool *pool, const struct pool_event *event)
{
    bool answered = event->strength == POOL_DISPOSE_WAIT;
    struct affinity *affinity = pool_affinity_find(pool, event->key, event->key_bytes);
    if (affinity != NULL)
        pool_affinity_dispose(pool, affinity, event->strength);
    if (!answered)
        return;
    bool full = pool->waits.used == pool->waits.limit && pool->waits.spare == NULL;
    if (affinity == NULL || affinity->leaving == 0 || full) {
        emit_disposed(pool, event->dispose);
        return;
    }
    struct dispose_wait *wait = pool_arena_take(&pool->waits);
    wait->dispose = event->dispose;
    wait->leave_seq = pool->last_leave;
    wait->remaining = affinity->leaving;
    LIST_INSERT_HEAD(&affinity->waits, wait, next);
}

void pool_dispose_left(struct pool *pool, struct affinity *affinity, const struct context *context)
{
    struct dispose_wait *wait, *next;
    for (wait = LIST_FIRST(&affinity->waits); wait != NULL; wait = next) {
        next = LIST_NEXT(wait, next);
        if (context->leave_seq > wait->leave_seq)
            continue;
        assert(wait->remaining > 0);
        if (--wait->remaining > 0)
            continue;
        emit_disposed(pool, wait->dispose);
        LIST_REMOVE(wait, next);
        pool_arena_return(&pool->waits, wait);
    }
}

void pool_batch_released(struct pool *pool, const struct pool_event *event)
{
    struct affinity *affinity = pool_affinity_find(pool, event->key, event->key_bytes);
    if (affinity != NULL && event->batch != 0 && affinity->batch == event->batch)
        affinity->batch = 0;
}

uint64_t pool_affinities_expire_ms(const struct pool *pool)
{
    const struct affinity *oldest = TAILQ_FIRST(&pool->lru);
    return oldest == NULL ? UINT64_MAX : oldest->used_ms + pool->config.affinity_idle_ms;
}

void pool_affinities_expire(struct pool *pool)
{
    struct affinity *affinity = TAILQ_FIRST(&pool->lru);
    for (int i = 0; i < STEP_BATCH_MAX && affinity != NULL; i++) {
        if (affinity->used_ms + pool->config.affinity_idle_ms > pool->now_ms)
            break;
        assert(!pool_affinity_in_use(affinity));
        pool->totals.expired++;
        pool_affinity_dispose(pool, affinity, POOL_DISPOSE_NOW);
        affinity = TAILQ_NEXT(affinity, lru);
    }
}
