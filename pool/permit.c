/* permit.c: the ledgers that say whether a request could run: render permits, main
 * permits and page limits of affinities, slots, and the cap they follow. */
#include "pool/parts.h"

uint32_t pool_running_in(const struct pool *pool, enum pool_lane lane)
{
    return pool->requests_in[REQUEST_PROBING][lane] + pool->requests_in[REQUEST_RUNNING][lane];
}

/* Every zombie holds a slot that a main render would need. */
uint32_t pool_main_bound(const struct pool *pool)
{
    if (CANARY(CANARY_PERMIT_DEADLOCK))
        return pool->cap + 1;
    uint32_t zombies = pool->serving != NULL ? pool->serving->pages[PAGE_ZOMBIE] : 0;
    return pool->cap > zombies ? pool->cap - zombies : 1;
}

static uint32_t running_all(const struct pool *pool)
{
    return pool_running_in(pool, POOL_MAIN) + pool_running_in(pool, POOL_NESTED);
}

bool pool_gate_is_open(const struct pool *pool, enum pool_lane lane)
{
    if (running_all(pool) >= pool->cap + 1)
        return false;
    return lane == POOL_NESTED || pool_running_in(pool, POOL_MAIN) < pool_main_bound(pool);
}

bool pool_affinity_gate_is_open(const struct pool *pool, const struct affinity *affinity,
                                enum pool_lane lane)
{
    return lane == POOL_NESTED || affinity->mains < pool->main_max;
}

/* A main request does not count the tickets of nested ones, or a main request whose page
 * became ready could be stopped by those that rank behind it. */
bool pool_below_page_limit(const struct pool *pool, const struct affinity *affinity,
                           enum pool_lane lane, enum ticket_kind kind)
{
    uint32_t limit = pool->config.affinity_pages_max;
    uint32_t charge = pool_affinity_charge(affinity);
    /* Its own ticket is in the count already. */
    if (kind == TICKET_CLOSING || kind == TICKET_OPENING)
        charge--;
    if (lane == POOL_MAIN && charge - affinity->tickets[POOL_NESTED] >= limit)
        return false;
    return charge < limit + 1;
}

bool pool_supply_is_on(const struct pool *pool)
{
    return pool->serving != NULL && !pool->rearm.armed && !pool->draining;
}

bool pool_can_grow(const struct pool *pool, enum tier tier)
{
    return pool_supply_is_on(pool) && pool->cap < pool->ceiling[tier];
}

uint32_t pool_slots_free(const struct pool *pool, const struct life *life)
{
    uint32_t slots = pool->cap + 1;
    if (CANARY(CANARY_SLOT_EARLY))
        slots += life->pages[PAGE_CLOSING];
    return life->charged < slots ? slots - life->charged : 0;
}

void pool_cap_set(struct pool *pool, uint32_t cap)
{
    assert(cap >= pool->config.pages_min && cap <= pool->ceiling[TIER_HIGH]);
    pool->cap = cap;
}
