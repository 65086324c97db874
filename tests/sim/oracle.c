/* oracle.c: compares the books of the world with those of the pool after every step. */
#include "tests/sim/sim.h"

#include "pool/parts.h"

/* What may be there: the bound, or what was there before the bound shrank. */
static uint32_t allow(uint32_t before, uint32_t bound, uint32_t used)
{
    if (before < bound || used < bound)
        return bound;
    return used < before ? used : before;
}

static void check_ledger(struct sim *sim, uint64_t id)
{
    struct sim_life *life = life_at(sim, id);
    uint32_t slots = sim->cap + 1, pages = life->pages + life->making;
    uint32_t contexts_max = slots + sim->config.orphan_contexts_max;
    uint32_t contexts = life->contexts + life->making;
    life->pages_allowed = allow(life->pages_allowed, slots, pages);
    life->contexts_allowed = allow(life->contexts_allowed, contexts_max, contexts);
    SIM_CHECK(sim, pages <= life->pages_allowed, "life %lu has %u pages, at most %u", id, pages,
              life->pages_allowed);
    SIM_CHECK(sim, life->contexts <= life->contexts_allowed, "life %lu has %u contexts, at most %u",
              id, life->contexts, life->contexts_allowed);
}

/* Every context that the browser has is one that the pool knows of. */
static void check_leaks(struct sim *sim)
{
    for (uint64_t i = 1; i < sim->contexts_count; i++) {
        if (sim->contexts[i].exists)
            SIM_CHECK(sim, pool_id_find(&sim->pool->contexts_by_id, i) != NULL,
                      "the pool has forgotten context %lu", i);
    }
}

/* Somebody waits, and nothing at all is going on that could help. */
static void check_stall(struct sim *sim, const struct pool_stats *stats)
{
    const struct pool *pool = sim->pool;
    uint32_t moving = stats->pages_opening + stats->pages_probing + stats->pages_leased +
                      stats->pages_doomed + stats->pages_closing + stats->pages_killing +
                      stats->pages_zombie;
    bool waiting = stats->waiting_main + stats->waiting_nested > 0;
    bool up = pool->serving != NULL && !pool->rearm.armed;
    SIM_CHECK(sim, !waiting || moving > 0 || !up || sim->draining,
              "requests wait and nothing runs");
}

static void check_stats(struct sim *sim, const struct pool_stats *stats)
{
    uint32_t waiting = stats->waiting_main + stats->waiting_nested;
    uint32_t running = stats->running_main + stats->running_nested;
    uint32_t unanswered = sim->waiting + sim->running;
    SIM_CHECK(sim, waiting + running == unanswered, "%u wait and %u run, but %u were asked for",
              waiting, running, unanswered);
    SIM_CHECK(sim, running - stats->pages_probing == sim->running, "%u run, not %u",
              running - stats->pages_probing, sim->running);
}

/* At equal rank rules nobody is overtaken within one affinity and lane. */
static void check_order(struct sim *sim, const struct pool_action *grant)
{
    const struct sim_request *granted = request_at(sim, grant->request);
    const struct pool_request *asked = &granted->asked;
    if (granted->returned || asked->fingerprint != 0 || asked->single_use ||
        sim->config.priority_aging_ms != 0)
        return;
    for (uint64_t i = 1; i < grant->request; i++) {
        const struct sim_request *other = &sim->requests[i];
        if (other->fate != ASK_WAITING || other->affinity != granted->affinity ||
            other->asked.lane != asked->lane || other->asked.priority < asked->priority)
            continue;
        if (other->asked.fingerprint != 0 || other->asked.single_use ||
            other->returned_step == sim->step)
            continue;
        sim_fail(sim, "request %lu overtakes request %lu", grant->request, i);
    }
}

/* A standby goes to the best ranked request that could use one. */
static void check_standby(struct sim *sim, const struct pool_action *grant)
{
    const struct request *granted = pool_id_find(&sim->pool->requests_by_id, grant->request);
    const struct request *other;
    if (granted == NULL || granted->lane == POOL_NESTED || grant->grant.attempt > 1)
        return;
    TAILQ_FOREACH(other, &sim->pool->waiting, waiting)
    {
        bool could = other->lane == granted->lane && other->front == FRONT_PLAIN &&
                     other->attempt == 0 && !other->returned;
        SIM_CHECK(sim, !could || pool_rank_before(&granted->rank, &other->rank),
                  "request %lu gets a standby before request %lu", grant->request, other->node.id);
    }
}

/* A failure closes the way to new pages for a while, unless it is closed already. */
void oracle_before_step(struct sim *sim, const struct pool_event *event)
{
    const struct life *serving = sim->pool->serving;
    if (event->type != POOL_OPEN_FAILED || event->transient || serving == NULL)
        return;
    const struct page *page = pool_id_find(&sim->pool->pages_by_id, event->page);
    if (page == NULL || page->state != PAGE_OPENING || page->life != serving)
        return;
    if (sim->pool->rearm.armed)
        return;
    sim->no_open_life = serving->id;
    sim->no_open_before_ms = sim->now_ms + 500;
}

static void check_rearm(struct sim *sim, const struct pool_action *open)
{
    SIM_CHECK(sim, open->life != sim->no_open_life || sim->now_ms >= sim->no_open_before_ms,
              "page %lu opens too soon after a failure", open->page);
}

void oracle_after_step(struct sim *sim, const struct pool_event *event,
                       const struct pool_actions *actions)
{
    (void)event;
    struct pool_stats stats;
    pool_check(sim->pool);
    pool_get_stats(sim->pool, &stats);
    for (uint64_t i = 1; i < sim->lives_count; i++) {
        if (sim->lives[i].fate == LIFE_ALIVE)
            check_ledger(sim, i);
    }
    check_leaks(sim);
    check_stats(sim, &stats);
    check_stall(sim, &stats);
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].type == POOL_GRANT)
            check_order(sim, &actions->items[i]);
        if (actions->items[i].type == POOL_GRANT && actions->items[i].grant.warmth == POOL_FRESH)
            check_standby(sim, &actions->items[i]);
        if (actions->items[i].type == POOL_OPEN)
            check_rearm(sim, &actions->items[i]);
    }
    manager_audit(sim);
}

void oracle_after_tick(struct sim *sim)
{
    if (pool_deadline_ms(sim->pool) <= sim->now_ms)
        return; /* The rest of a large batch comes with the next tick. */
    for (uint64_t i = 1; i <= sim->last_request; i++) {
        const struct sim_request *request = &sim->requests[i];
        if (request->fate != ASK_NOWHERE && request->fate != ASK_ANSWERED)
            SIM_CHECK(sim, request->asked.deadline_ms > sim->now_ms,
                      "request %lu is not answered at its deadline", i);
    }
}

/* What still keeps the pool from being at its floor; NULL: nothing. */
static const char *left_over(struct sim *sim)
{
    struct pool_stats stats;
    const struct pool *pool = sim->pool;
    pool_get_stats(pool, &stats);
    const uint32_t standbys = sim->config.pages_min > sim->config.standbys_min
                                  ? sim->config.pages_min
                                  : sim->config.standbys_min;
    const uint32_t slots = sim->config.pages_min + 1;
    if (sim->waiting + sim->running > 0)
        return "requests";
    if (stats.cap != sim->config.pages_min)
        return "capacity";
    if (pool->starting != NULL || pool->retiring != NULL)
        return "a browser";
    if (stats.pages_idle + stats.pages_probing + stats.pages_leased + stats.pages_doomed > 0)
        return "bound pages";
    if (stats.pages_closing + stats.pages_killing + stats.pages_zombie + stats.pages_opening > 0)
        return "pages that open or close";
    if (stats.contexts_orphan + stats.contexts_orphan_closing > 0)
        return "orphans";
    if (stats.affinities > 0)
        return "affinities";
    if (sim->draining)
        return NULL;
    if (pool->serving == NULL)
        return "no browser";
    if (stats.pages_standby != (standbys < slots ? standbys : slots))
        return "a wrong number of standbys";
    if (life_at(sim, stats.life)->contexts != stats.pages_standby)
        return "contexts in the browser";
    return NULL;
}

void oracle_at_end(struct sim *sim)
{
    const char *what = left_over(sim);
    SIM_CHECK(sim, what == NULL, "left over at the end: %s", what);
    for (uint64_t i = 1; i <= sim->last_wait; i++)
        SIM_CHECK(sim, sim->waits[i].answered, "dispose %lu was never answered", i);
}

bool oracle_is_settled(struct sim *sim)
{
    return left_over(sim) == NULL;
}
