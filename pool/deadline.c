/* deadline.c: when the pool wants to be woken, and what it does then.
 *
 * A TICK handles what is due; other events do not, so that after a stall of the loop
 * the answers that came in meanwhile are heard before anything is declared late. */
#include "pool/parts.h"

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((unsigned char *)(pointer)-offsetof(type, member)))

void pool_timer_set(struct pool *pool, struct timer *timer, enum timer_kind kind, uint64_t due_ms)
{
    pool_timer_clear(pool, timer);
    timer->kind = kind;
    timer->due_ms = due_ms;
    if (due_ms == UINT64_MAX)
        return;
    timer->seq = ++pool->last_timer;
    timer->armed = true;
    struct timer *equal = timer_tree_RB_INSERT(&pool->timers, timer);
    assert(equal == NULL);
}

void pool_timer_clear(struct pool *pool, struct timer *timer)
{
    if (!timer->armed)
        return;
    struct timer *removed = timer_tree_RB_REMOVE(&pool->timers, timer);
    assert(removed == timer);
    timer->armed = false;
}

uint64_t pool_timer_after(const struct pool *pool, uint32_t delay_ms)
{
    assert(pool->now_ms < UINT64_MAX - delay_ms);
    return pool->now_ms + delay_ms;
}

static void timer_fired(struct pool *pool, struct timer *timer)
{
    switch (timer->kind) {
    case TIMER_PAGE:
        pool_page_late(pool, CONTAINER_OF(timer, struct page, timer));
        break;
    case TIMER_CONTEXT:
        pool_context_late(pool, CONTAINER_OF(timer, struct context, timer));
        break;
    case TIMER_REQUEST:
        pool_request_late(pool, CONTAINER_OF(timer, struct request, timer));
        break;
    case TIMER_LIFE:
        pool_life_late(pool, CONTAINER_OF(timer, struct life, timer));
        break;
    case TIMER_CONTRACTION:
        pool_contraction_due(pool);
        break;
    case TIMER_DRAIN:
        pool_drain_grace_over(pool);
        break;
    case TIMER_REFUSALS:
        pool_drain_refuse(pool);
        break;
    case TIMER_LAUNCH:
    case TIMER_REARM:
        break; /* That they no longer run is all that matters. */
    }
}

void pool_deadlines_run(struct pool *pool)
{
    for (int fired = 0; fired < STEP_BATCH_MAX; fired++) {
        struct timer *timer = RB_MIN(timer_tree, &pool->timers);
        if (timer == NULL || timer->due_ms > pool->now_ms)
            break;
        pool_timer_clear(pool, timer);
        timer_fired(pool, timer);
    }
    pool_affinities_expire(pool);
}

uint64_t pool_deadline_ms(const struct pool *pool)
{
    struct timer_tree timers = pool->timers;
    const struct timer *first = RB_MIN(timer_tree, &timers);
    uint64_t due_ms = pool_affinities_expire_ms(pool);
    return first != NULL && first->due_ms < due_ms ? first->due_ms : due_ms;
}
