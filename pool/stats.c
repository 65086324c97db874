/* stats.c: views of the states for heartbeats, reports and metrics. */
#include "pool/parts.h"

void pool_get_stats(const struct pool *pool, struct pool_stats *ret)
{
    *ret = pool->totals;
    ret->cap = pool->cap;
    ret->draining = pool->draining;
    for (int i = 0; i < BROWSER_LIVES_MAX; i++) {
        const struct life *life = &pool->lives[i];
        if (life->state == LIFE_DOWN)
            continue;
        ret->pages_opening += life->pages[PAGE_OPENING];
        ret->pages_standby += life->pages[PAGE_STANDBY];
        ret->pages_idle += life->pages[PAGE_IDLE];
        ret->pages_probing += life->pages[PAGE_PROBING];
        ret->pages_leased += life->pages[PAGE_LEASED];
        ret->pages_doomed += life->pages[PAGE_DOOMED];
        ret->pages_closing += life->pages[PAGE_CLOSING];
        ret->pages_killing += life->pages[PAGE_KILLING];
        ret->pages_zombie += life->pages[PAGE_ZOMBIE];
        ret->contexts_orphan += life->contexts[CONTEXT_ORPHAN];
        ret->contexts_orphan_closing += life->loose;
    }
    ret->waiting_main = pool->requests_in[REQUEST_WAITING][POOL_MAIN];
    ret->waiting_nested = pool->requests_in[REQUEST_WAITING][POOL_NESTED];
    ret->running_main = pool_running_in(pool, POOL_MAIN);
    ret->running_nested = pool_running_in(pool, POOL_NESTED);
    if (pool->serving != NULL) {
        ret->life = pool->serving->id;
        ret->renders = pool->serving->renders;
    }
    ret->affinities = pool->affinities_known;
}

/* As if a main request of priority 0 came now and ranked behind all others. */
static bool would_grant(const struct pool *pool, const struct affinity *affinity)
{
    if (pool->draining || !pool_affinity_gate_is_open(pool, affinity, POOL_MAIN))
        return false;
    if (!pool_gate_is_open(pool, POOL_MAIN) && !pool_can_grow(pool, TIER_NORMAL))
        return false;
    if (affinity->idle_count > 0)
        return true;
    /* It would change places with one that waits for the page of its context. */
    const struct page *opening = affinity->opening;
    if (opening != NULL && opening->ticket != NULL && opening->ticket->lane == POOL_MAIN)
        return false;
    bool standby = pool->serving != NULL && !TAILQ_EMPTY(&pool->serving->standbys);
    return standby && affinity->orphan == NULL &&
           pool_below_page_limit(pool, affinity, POOL_MAIN, TICKET_NONE);
}

static uint32_t priority_max(const struct affinity *affinity)
{
    uint32_t max = 0;
    for (unsigned used = affinity->lines_used; used != 0; used &= used - 1) {
        struct line tree = affinity->lines[__builtin_ctz(used)];
        struct request *request;
        RB_FOREACH(request, line, &tree)
        {
            if (request->priority > max)
                max = request->priority;
        }
    }
    return max;
}

static struct pool_affinity view_of(const struct pool *pool, const struct affinity *affinity)
{
    uint32_t waiting = affinity->waiting[POOL_MAIN] + affinity->waiting[POOL_NESTED];
    bool live = pool_affinity_routable(affinity) > 0;
    return (struct pool_affinity){
        .key = affinity->key,
        .key_bytes = affinity->key_bytes,
        .epoch = affinity->epoch,
        .pages = pool_affinity_routable(affinity),
        .pages_idle = affinity->idle_count,
        .contexts = affinity->contexts,
        .waiting = waiting,
        .running = affinity->running,
        .live = live,
        .warming = !live && (affinity->opening != NULL || pool_affinity_tickets(affinity) > 0),
        .idle = would_grant(pool, affinity),
        .has_waiting = waiting > 0,
        .priority_waiting_max = priority_max(affinity),
        .batch = pool_affinity_batch(pool, affinity),
        .used_ms = affinity->used_ms,
    };
}

bool pool_next_affinity(const struct pool *pool, size_t *cursor, struct pool_affinity *ret)
{
    const struct affinity *affinity = NULL;
    while (affinity == NULL && *cursor < pool->affinities.used) {
        const unsigned char *record =
            pool->affinities.base + pool->affinities.record_bytes * (*cursor)++;
        affinity = (const struct affinity *)(const void *)record;
        if (!affinity->known || affinity->single_use)
            affinity = NULL;
    }
    if (affinity == NULL)
        return false;
    *ret = view_of(pool, affinity);
    return true;
}

bool pool_find_affinity(const struct pool *pool, const char *key, size_t key_bytes,
                        struct pool_affinity *ret)
{
    const struct affinity *affinity = pool_affinity_find(pool, key, key_bytes);
    if (affinity == NULL)
        return false;
    *ret = view_of(pool, affinity);
    return true;
}
