/* life.c: the lives of the browser: launch, hand-over, end, and what is tried again
 * after a failure. */
#include "pool/parts.h"

/* Opening failures are retried after 500, 1000, 2000, 4000, 4000, ... ms. */
#define REARM_MIN_MS 500
#define REARM_DOUBLINGS_MAX 3

static const uint32_t arrows[] = {
    [LIFE_STARTING] = 1u << LIFE_UP | 1u << LIFE_DOWN,
    [LIFE_UP] = 1u << LIFE_RETIRING | 1u << LIFE_DOWN,
    [LIFE_RETIRING] = 1u << LIFE_DOWN,
    [LIFE_DOWN] = 1u << LIFE_STARTING,
};

static void life_set_state(struct pool *pool, struct life *life, enum life_state state)
{
    const struct pool_config *config = &pool->config;
    assert((arrows[life->state] & 1u << state) != 0);
    pool_timer_clear(pool, &life->timer);
    life->state = state;
    if (state == LIFE_UP && config->recycle_age_ms != 0)
        pool_timer_set(pool, &life->timer, TIMER_LIFE,
                       pool_timer_after(pool, config->recycle_age_ms));
    if (state == LIFE_RETIRING)
        pool_timer_set(pool, &life->timer, TIMER_LIFE,
                       pool_timer_after(pool, config->recycle_timeout_ms));
}

static void life_launch(struct pool *pool)
{
    struct life *life = pool->lives;
    while (life->state != LIFE_DOWN) {
        life++;
        assert(life < pool->lives + BROWSER_LIVES_MAX);
    }
    *life = (struct life){.id = ++pool->last_life, .state = LIFE_DOWN};
    LIST_INIT(&life->all_pages);
    LIST_INIT(&life->all_contexts);
    TAILQ_INIT(&life->openings);
    TAILQ_INIT(&life->standbys);
    TAILQ_INIT(&life->closings);
    TAILQ_INIT(&life->orphans);
    life_set_state(pool, life, LIFE_STARTING);
    pool->starting = life;
    pool_emit(pool, POOL_LAUNCH)->life = life->id;
}

static void page_of_ended_life(struct pool *pool, struct page *page)
{
    if (page->state == PAGE_PROBING)
        pool_request_return(pool, page->request);
    else if (page->request != NULL)
        pool_request_fault(pool, page->request, POOL_BROWSER_DEATH);
    pool_page_gone(pool, page);
}

/* All its slots come back at once; what ran on it ends or returns to its rank. */
static void life_end(struct pool *pool, struct life *life)
{
    struct page *page;
    struct context *context;
    if (pool->serving == life)
        pool->serving = NULL;
    if (pool->starting == life)
        pool->starting = NULL;
    if (pool->retiring == life)
        pool->retiring = NULL;
    while ((page = LIST_FIRST(&life->all_pages)) != NULL)
        page_of_ended_life(pool, page);
    while ((context = LIST_FIRST(&life->all_contexts)) != NULL)
        pool_context_gone(pool, context);
    if (CANARY(CANARY_COUNTER_RESET))
        pool->requests_in[REQUEST_RUNNING][POOL_MAIN] = 0;
    assert(life->charged == 0 && life->loose == 0);
    life_set_state(pool, life, LIFE_DOWN);
}

static uint32_t leases(const struct life *life)
{
    return life->pages[PAGE_LEASED] + life->pages[PAGE_DOOMED];
}

/* The hand-over waits no longer for what still runs. */
static void renders_give_up(struct pool *pool, struct life *life)
{
    struct page *page;
    LIST_FOREACH(page, &life->all_pages, of_life)
    {
        if (page->state != PAGE_DOOMED)
            continue;
        assert(page->request != NULL);
        pool->totals.aborted++;
        pool_emit_request(pool, POOL_ABORT, page->request, POOL_RECYCLE_TIMEOUT);
        pool_request_end(pool, page->request, REQUEST_FAILED);
    }
}

/* The order to kill comes before the news that everything in it is gone. */
static void life_kill(struct pool *pool, struct life *life)
{
    renders_give_up(pool, life);
    pool_emit(pool, POOL_KILL_LIFE)->life = life->id;
    life_end(pool, life);
}

static void page_of_retiring_life(struct pool *pool, struct page *page)
{
    switch (page->state) {
    case PAGE_OPENING:
    case PAGE_STANDBY:
    case PAGE_IDLE:
        pool_page_close(pool, page, /* retain= */ false);
        break;
    case PAGE_PROBING:
        pool_request_return(pool, page->request);
        pool_page_close(pool, page, /* retain= */ false);
        break;
    case PAGE_LEASED:
        pool_page_doom(pool, page);
        break;
    case PAGE_CLOSING: /* Its slot is of no use to the next life. */
        if (page->ticket != NULL)
            pool_ticket_revoke(pool, page->ticket);
        break;
    case PAGE_DOOMED:
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
    case PAGE_GONE:
        break;
    }
}

/* The next life has taken over. Only leases keep the old one. */
static void life_retire(struct pool *pool, struct life *life)
{
    struct page *page;
    struct context *orphan;
    assert(pool->retiring == NULL);
    pool->retiring = life;
    life_set_state(pool, life, LIFE_RETIRING);
    LIST_FOREACH(page, &life->all_pages, of_life)
    page_of_retiring_life(pool, page);
    while ((orphan = TAILQ_FIRST(&life->orphans)) != NULL)
        pool_context_dispose_orphan(pool, orphan);
}

void pool_lives_keep(struct pool *pool)
{
    if (pool->retiring != NULL && leases(pool->retiring) == 0)
        life_kill(pool, pool->retiring);
    if (pool->starting != NULL || pool->launch.armed || pool->draining)
        return;
    bool handover =
        pool->serving != NULL && pool->serving->recycle_wanted && pool->retiring == NULL;
    if (pool->serving == NULL || handover)
        life_launch(pool);
}

void pool_life_up(struct pool *pool, uint64_t id)
{
    struct life *life = pool->starting;
    if (life == NULL || life->id != id) {
        bool known = (pool->serving != NULL && pool->serving->id == id) ||
                     (pool->retiring != NULL && pool->retiring->id == id);
        pool->totals.stale++;
        if (!known) /* Superseded: nobody will ever use it. */
            pool_emit(pool, POOL_KILL_LIFE)->life = id;
        return;
    }
    struct life *before = pool->serving;
    life_set_state(pool, life, LIFE_UP);
    life->up_ms = pool->now_ms;
    pool->starting = NULL;
    pool->serving = life;
    pool->totals.lives++;
    pool->open_failures = 0;
    pool_timer_clear(pool, &pool->rearm);
    if (before != NULL && leases(before) == 0)
        life_kill(pool, before);
    else if (before != NULL)
        life_retire(pool, before);
}

/* Half of the spread on either side: +-25 %. */
static uint64_t backoff_ms(struct pool *pool)
{
    uint64_t delay_ms = pool->config.backoff_min_ms;
    for (uint32_t i = 0; i < pool->launch_failures && delay_ms < pool->config.backoff_max_ms; i++)
        delay_ms *= 2;
    if (delay_ms > pool->config.backoff_max_ms)
        delay_ms = pool->config.backoff_max_ms;
    return delay_ms - delay_ms / 4 + (delay_ms / 2 * pool->random >> 32);
}

static void backoff_begin(struct pool *pool)
{
    pool_timer_set(pool, &pool->launch, TIMER_LAUNCH, pool->now_ms + backoff_ms(pool));
    pool->launch_failures++;
}

void pool_life_down(struct pool *pool, uint64_t id)
{
    struct life *life = NULL;
    for (int i = 0; i < BROWSER_LIVES_MAX; i++) {
        if (pool->lives[i].id == id && pool->lives[i].state != LIFE_DOWN)
            life = &pool->lives[i];
    }
    if (life == NULL) {
        pool->totals.stale++;
        return;
    }
    bool lasted =
        life->state != LIFE_STARTING && pool->now_ms - life->up_ms >= pool->config.backoff_max_ms;
    bool retiring = life == pool->retiring;
    if (lasted)
        pool->launch_failures = 0;
    if (life == pool->serving)
        pool_timer_clear(pool, &pool->rearm);
    life_end(pool, life);
    if (!retiring && pool->starting == NULL)
        backoff_begin(pool);
}

void pool_life_recycle(struct pool *pool)
{
    if (pool->serving != NULL)
        pool->serving->recycle_wanted = true;
}

void pool_life_late(struct pool *pool, struct life *life)
{
    assert(life->state == LIFE_UP || life->state == LIFE_RETIRING);
    if (life->state == LIFE_UP)
        life->recycle_wanted = true;
    else
        life_kill(pool, life);
}

void pool_rearm_after_failure(struct pool *pool, struct life *life, bool transient)
{
    if (life != pool->serving || pool->rearm.armed || CANARY(CANARY_REARM_FORGOTTEN))
        return;
    if (transient && !life->transient_used) {
        life->transient_used = true;
        return;
    }
    uint32_t doublings = pool->open_failures;
    if (doublings > REARM_DOUBLINGS_MAX)
        doublings = REARM_DOUBLINGS_MAX;
    uint64_t delay_ms = (uint64_t)REARM_MIN_MS << doublings;
    delay_ms += delay_ms / 4 * pool->random >> 32;
    pool->open_failures++;
    pool_timer_set(pool, &pool->rearm, TIMER_REARM, pool->now_ms + delay_ms);
}
