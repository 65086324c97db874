/* refill.c: keeps standbys ready, and gives capacity back when nobody wants it. */
#include "pool/parts.h"

/* Slots of pages that belong to an affinity. */
static uint32_t pages_bound(const struct life *life)
{
    return life->pages[PAGE_IDLE] + life->pages[PAGE_PROBING] + life->pages[PAGE_LEASED] +
           life->pages[PAGE_DOOMED];
}

/* Openings that a request or an affinity waits for will be bound, not standbys. */
static uint32_t standbys_wanted(const struct pool *pool)
{
    const struct life *life = pool->serving;
    uint32_t taken = pages_bound(life) + life->pages[PAGE_OPENING] - life->standby_openings;
    uint32_t spare = pool->cap > taken ? pool->cap - taken : 0;
    return spare > pool->config.standbys_min ? spare : pool->config.standbys_min;
}

static uint32_t standbys_coming(const struct life *life)
{
    return life->pages[PAGE_STANDBY] + life->standby_openings;
}

/* The orphan that somebody waits for longest: its page comes before a standby. */
static struct context *orphan_wanted(const struct pool *pool)
{
    const struct request *best = NULL;
    for (unsigned line = 0; line < LINES; line++) {
        const struct request *head = pool_front_head(pool, FRONT_ORPHAN, line);
        if (head != NULL && (best == NULL || pool_rank_before(&head->place, &best->place)))
            best = head;
    }
    return best == NULL ? NULL : best->affinity->orphan;
}

bool pool_refill(struct pool *pool)
{
    const struct life *life = pool->serving;
    if (!pool_supply_is_on(pool))
        return false;
    while (pool_slots_free(pool, life) > 0 && standbys_coming(life) < standbys_wanted(pool)) {
        (void)pool_page_open(pool, orphan_wanted(pool));
        pool_lines_settle(pool);
    }
    if (pages_bound(life) <= pool->cap || pool_slots_free(pool, life) > 0)
        return false;
    if (pool->granted_any && pool_can_grow(pool, pool->granted_tier)) {
        pool_cap_set(pool, pool->cap + 1);
        return true;
    }
    struct page *victim = pool_victim_choose(pool, /* without_waiters= */ true);
    if (victim == NULL)
        return false;
    pool->totals.evicted++;
    pool_page_close(pool, victim, pool->config.evict_retains);
    return true;
}

static bool pool_is_idle(const struct pool *pool)
{
    return TAILQ_EMPTY(&pool->waiting) && pool_running_in(pool, POOL_MAIN) == 0 &&
           pool_running_in(pool, POOL_NESTED) == 0;
}

void pool_contraction_watch(struct pool *pool)
{
    bool wanted =
        !CANARY(CANARY_CAP_STAYS) && pool_is_idle(pool) && pool->cap > pool->config.pages_min;
    if (!wanted)
        pool_timer_clear(pool, &pool->contraction);
    else if (!pool->contraction.armed)
        pool_timer_set(pool, &pool->contraction, TIMER_CONTRACTION,
                       pool_timer_after(pool, pool->config.contraction_idle_ms));
}

void pool_contraction_due(struct pool *pool)
{
    assert(pool_is_idle(pool));
    pool_cap_set(pool, pool->cap - 1);
    const struct life *life = pool->serving;
    if (life == NULL)
        return;
    struct page *oldest = RB_MIN(lru_tree, &pool->idle_pages);
    struct page *standby = TAILQ_FIRST(&life->standbys);
    bool surplus = standbys_coming(life) > standbys_wanted(pool) || life->charged > pool->cap + 1;
    if (pages_bound(life) > pool->cap && oldest != NULL)
        pool_page_close(pool, oldest, /* retain= */ true);
    else if (standby != NULL && surplus)
        pool_page_close(pool, standby, /* retain= */ false);
}
