/* context.c: the machine of browser contexts, and the ledger of orphans. */
#include "pool/parts.h"

#define TO(state) (1u << (state))

static const uint32_t arrows[CONTEXT_STATES] = {
    [CONTEXT_OPENING] =
        TO(CONTEXT_UNOWNED) | TO(CONTEXT_CLOSING) | TO(CONTEXT_KILLING) | TO(CONTEXT_GONE),
    [CONTEXT_UNOWNED] = TO(CONTEXT_OWNED) | TO(CONTEXT_CLOSING) | TO(CONTEXT_GONE),
    [CONTEXT_OWNED] =
        TO(CONTEXT_ORPHAN) | TO(CONTEXT_CLOSING) | TO(CONTEXT_KILLING) | TO(CONTEXT_GONE),
    [CONTEXT_ORPHAN] = TO(CONTEXT_OWNED) | TO(CONTEXT_CLOSING) | TO(CONTEXT_GONE),
    [CONTEXT_CLOSING] = TO(CONTEXT_KILLING) | TO(CONTEXT_GONE),
    [CONTEXT_KILLING] = TO(CONTEXT_ZOMBIE) | TO(CONTEXT_GONE),
    [CONTEXT_ZOMBIE] = TO(CONTEXT_GONE),
};

/* It closes without a page, on no slot: charged to the ledger of orphans. */
static bool context_is_loose(const struct context *context)
{
    return context->page == NULL && context->state >= CONTEXT_CLOSING;
}

static void context_exit(struct pool *pool, struct context *context)
{
    struct life *life = context->life;
    pool_timer_clear(pool, &context->timer);
    life->contexts[context->state]--;
    if (context_is_loose(context))
        life->loose--;
    if (context->state == CONTEXT_ORPHAN) {
        pool_affinity_touch(pool, context->affinity);
        TAILQ_REMOVE(&life->orphans, context, orphan);
        context->affinity->orphan = NULL;
    }
}

static void context_unleave(struct pool *pool, struct context *context)
{
    if (!context->leaving)
        return;
    context->leaving = false;
    context->affinity->leaving--;
    pool_dispose_left(pool, context->affinity, context);
}

static void context_enter(struct pool *pool, struct context *context)
{
    struct life *life = context->life;
    life->contexts[context->state]++;
    if (context_is_loose(context)) {
        uint32_t late_ms = context->state == CONTEXT_CLOSING ? pool->config.close_timeout_ms
                                                             : pool->config.kill_timeout_ms;
        life->loose++;
        pool_timer_set(pool, &context->timer, TIMER_CONTEXT, pool_timer_after(pool, late_ms));
    }
    if (context->state == CONTEXT_ORPHAN) {
        assert(context->page == NULL && context->affinity->orphan == NULL);
        pool_affinity_touch(pool, context->affinity);
        TAILQ_INSERT_TAIL(&life->orphans, context, orphan);
        context->affinity->orphan = context;
        context_unleave(pool, context);
    }
    if (context->state == CONTEXT_ZOMBIE)
        context_unleave(pool, context);
}

void pool_context_set_state(struct pool *pool, struct context *context, enum context_state state)
{
    assert(context->state < CONTEXT_STATES && state < CONTEXT_STATES);
    assert((arrows[context->state] & TO(state)) != 0);
    context_exit(pool, context);
    context->state = state;
    context_enter(pool, context);
}

struct context *pool_context_new(struct pool *pool, struct life *life)
{
    struct context *context = pool_arena_take(&pool->contexts);
    context->node.id = ++pool->last_context;
    context->life = life;
    pool_id_insert(&pool->contexts_by_id, &context->node);
    LIST_INSERT_HEAD(&life->all_contexts, context, of_life);
    context->state = CONTEXT_OPENING;
    life->contexts[CONTEXT_OPENING]++;
    return context;
}

void pool_context_leave(struct pool *pool, struct context *context)
{
    if (context->leaving || context->affinity == NULL)
        return;
    context->leaving = true;
    context->leave_seq = ++pool->last_leave;
    context->affinity->leaving++;
}

bool pool_context_may_stay(const struct pool *pool, const struct page *page)
{
    const struct affinity *affinity = page->affinity;
    if (!page->retain || affinity == NULL || page->life != pool->serving)
        return false;
    if (pool->config.orphan_contexts_max == 0)
        return false;
    return page->epoch > affinity->disposed_epoch &&
           page->context->fingerprint == affinity->fingerprint &&
           (CANARY(CANARY_ORPHAN_BESIDE) || pool_affinity_routable(affinity) == 0) &&
           affinity->opening == NULL && affinity->orphan == NULL;
}

static void send_dispose(struct pool *pool, const struct context *context)
{
    struct pool_action *action = pool_emit(pool, POOL_DISPOSE_CONTEXT);
    action->life = context->life->id;
    action->context = context->node.id;
}

void pool_context_dispose_in_slot(struct pool *pool, struct page *page)
{
    assert(page->state == PAGE_CLOSING && page->context->page == page);
    page->page_gone = true;
    pool_context_set_state(pool, page->context, CONTEXT_CLOSING);
    pool_timer_set(pool, &page->timer, TIMER_PAGE,
                   pool_timer_after(pool, pool->config.close_timeout_ms));
    send_dispose(pool, page->context);
}

/* The ledger of orphans is full: the oldest one goes, on the slot of the page. */
static void context_replace(struct pool *pool, struct page *page, struct context *oldest)
{
    struct context *kept = page->context;
    pool_affinity_touch(pool, page->affinity);
    LIST_REMOVE(page, of_affinity);
    page->affinity = NULL;
    page->context = NULL;
    kept->page = NULL;
    oldest->page = page; /* Before it closes: it is not loose. */
    pool_context_leave(pool, oldest);
    page->context = oldest;
    pool_context_dispose_in_slot(pool, page);
    pool_context_set_state(pool, kept, CONTEXT_ORPHAN);
}

void pool_context_keep(struct pool *pool, struct page *page)
{
    struct life *life = page->life;
    struct context *context = page->context;
    assert(page->state == PAGE_CLOSING && context->state == CONTEXT_OWNED);
    if (life->contexts[CONTEXT_ORPHAN] + life->loose < pool->config.orphan_contexts_max) {
        page->context = NULL;
        context->page = NULL;
        pool_context_set_state(pool, context, CONTEXT_ORPHAN);
        pool_page_gone(pool, page);
        return;
    }
    struct context *oldest = TAILQ_FIRST(&life->orphans);
    if (oldest != NULL)
        context_replace(pool, page, oldest);
    else
        pool_context_dispose_in_slot(pool, page);
}

void pool_context_dispose_orphan(struct pool *pool, struct context *context)
{
    assert(context->state == CONTEXT_ORPHAN);
    pool_context_set_state(pool, context, CONTEXT_CLOSING);
    pool_context_leave(pool, context);
    send_dispose(pool, context);
}

void pool_context_gone(struct pool *pool, struct context *context)
{
    struct affinity *affinity = context->affinity;
    assert((arrows[context->state] & TO(CONTEXT_GONE)) != 0);
    if (affinity != NULL) {
        pool_affinity_touch(pool, affinity);
        context_unleave(pool, context);
        assert(affinity->contexts > 0);
        affinity->contexts--;
    }
    context_exit(pool, context);
    LIST_REMOVE(context, of_life);
    pool_id_remove(&pool->contexts_by_id, &context->node);
    pool_arena_return(&pool->contexts, context);
}

void pool_context_reported_gone(struct pool *pool, struct context *context)
{
    struct page *page = context->page;
    if (page == NULL) {
        pool_context_gone(pool, context);
        return;
    }
    if (page->state == PAGE_OPENING)
        pool_rearm_after_failure(pool, page->life, false);
    else if (page->state == PAGE_PROBING)
        pool_request_return(pool, page->request);
    else if (page->state == PAGE_LEASED || page->state == PAGE_DOOMED)
        pool_request_fault(pool, page->request, POOL_PAGE_FAULT);
    pool_page_gone(pool, page);
}

void pool_context_late(struct pool *pool, struct context *context)
{
    assert(context_is_loose(context));
    if (context->state == CONTEXT_CLOSING) {
        pool_context_set_state(pool, context, CONTEXT_KILLING);
    } else if (context->state == CONTEXT_KILLING) {
        pool_context_set_state(pool, context, CONTEXT_ZOMBIE);
        pool->totals.zombies++;
        context->life->recycle_wanted = true;
    } else {
        pool_timer_set(pool, &context->timer, TIMER_CONTEXT,
                       pool_timer_after(pool, pool->config.kill_timeout_ms));
    }
    send_dispose(pool, context);
}
