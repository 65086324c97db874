/* page.c: the machine of pages, and the slots they hold.
 *
 * A page record is a charged slot: it is taken when an opening starts and given back
 * when the record goes, which happens only on proof that page and context are gone, or
 * that the page is gone and its context stays as an orphan. */
#include "pool/parts.h"

#define TO(state) (1u << (state))

/* The arrows of pool.h, by state left. */
static const uint32_t arrows[PAGE_STATES] = {
    [PAGE_OPENING] = TO(PAGE_STANDBY) | TO(PAGE_IDLE) | TO(PAGE_CLOSING) | TO(PAGE_GONE),
    [PAGE_STANDBY] = TO(PAGE_LEASED) | TO(PAGE_CLOSING) | TO(PAGE_GONE),
    [PAGE_IDLE] = TO(PAGE_PROBING) | TO(PAGE_LEASED) | TO(PAGE_CLOSING) | TO(PAGE_GONE),
    [PAGE_PROBING] = TO(PAGE_LEASED) | TO(PAGE_IDLE) | TO(PAGE_CLOSING) | TO(PAGE_GONE),
    [PAGE_LEASED] = TO(PAGE_IDLE) | TO(PAGE_DOOMED) | TO(PAGE_CLOSING) | TO(PAGE_GONE),
    [PAGE_DOOMED] =
        TO(PAGE_CLOSING) | TO(PAGE_GONE) | (CANARY(CANARY_DOOMED_GRANTED) ? TO(PAGE_IDLE) : 0),
    [PAGE_CLOSING] = TO(PAGE_KILLING) | TO(PAGE_GONE),
    [PAGE_KILLING] = TO(PAGE_ZOMBIE) | TO(PAGE_GONE),
    [PAGE_ZOMBIE] = TO(PAGE_GONE),
};

/* Takes the page out of the lists and counters of its state. */
static void page_leave(struct pool *pool, struct page *page)
{
    struct life *life = page->life;
    pool_timer_clear(pool, &page->timer);
    life->pages[page->state]--;
    if (page->affinity != NULL)
        pool_affinity_count(pool, page, -1);
    switch (page->state) {
    case PAGE_OPENING:
        if (page->affinity == NULL) {
            TAILQ_REMOVE(&life->openings, page, queue);
            life->standby_openings--;
        }
        break;
    case PAGE_STANDBY:
        TAILQ_REMOVE(&life->standbys, page, queue);
        break;
    case PAGE_CLOSING:
        TAILQ_REMOVE(&life->closings, page, queue);
        break;
    case PAGE_IDLE:
    case PAGE_PROBING:
    case PAGE_LEASED:
    case PAGE_DOOMED:
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
    case PAGE_GONE:
        break;
    }
}

/* Puts it into those of its new state, and sets the deadline of that state. */
static void page_enter(struct pool *pool, struct page *page)
{
    const struct pool_config *config = &pool->config;
    struct life *life = page->life;
    uint32_t late_ms = 0;
    life->pages[page->state]++;
    if (page->affinity != NULL)
        pool_affinity_count(pool, page, +1);
    switch (page->state) {
    case PAGE_OPENING:
        late_ms = config->open_timeout_ms;
        if (page->affinity == NULL) {
            TAILQ_INSERT_TAIL(&life->openings, page, queue);
            life->standby_openings++;
        }
        break;
    case PAGE_STANDBY:
        TAILQ_INSERT_TAIL(&life->standbys, page, queue);
        break;
    case PAGE_PROBING:
        late_ms = config->probe_timeout_ms;
        break;
    case PAGE_CLOSING:
        late_ms = config->close_timeout_ms;
        TAILQ_INSERT_TAIL(&life->closings, page, queue);
        break;
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
        late_ms = config->kill_timeout_ms;
        break;
    case PAGE_IDLE:
    case PAGE_LEASED:
    case PAGE_DOOMED:
    case PAGE_GONE:
        break;
    }
    if (late_ms != 0)
        pool_timer_set(pool, &page->timer, TIMER_PAGE, pool_timer_after(pool, late_ms));
}

void pool_page_set_state(struct pool *pool, struct page *page, enum page_state state)
{
    assert(page->state < PAGE_STATES && state < PAGE_STATES);
    assert((arrows[page->state] & TO(state)) != 0);
    struct affinity *affinity = page->affinity;
    if (page->ticket != NULL)
        pool_ticket_revoke(pool, page->ticket);
    if (affinity != NULL)
        pool_affinity_touch(pool, affinity);
    uint32_t routable = affinity != NULL ? pool_affinity_routable(affinity) : 0;
    page_leave(pool, page);
    page->state = state;
    page_enter(pool, page);
    if (routable > 0 && pool_affinity_routable(affinity) == 0)
        pool_affinity_epoch_end(pool, affinity);
}

static void page_join(struct pool *pool, struct page *page, struct affinity *affinity)
{
    assert(page->affinity == NULL);
    pool_affinity_touch(pool, affinity);
    page->affinity = affinity;
    page->epoch = affinity->epoch;
    LIST_INSERT_HEAD(&affinity->pages, page, of_affinity);
}

struct page *pool_page_open(struct pool *pool, struct context *orphan)
{
    struct life *life = pool->serving;
    assert(life != NULL && pool_slots_free(pool, life) > 0);
    struct page *page = pool_arena_take(&pool->pages);
    page->node.id = ++pool->last_page;
    page->life = life;
    page->claimed = orphan != NULL;
    page->context = orphan != NULL ? orphan : pool_context_new(pool, life);
    if (orphan != NULL) {
        assert(orphan->state == CONTEXT_ORPHAN && orphan->life == life);
        page_join(pool, page, orphan->affinity);
        pool_context_set_state(pool, orphan, CONTEXT_OWNED);
    }
    page->context->page = page;
    pool_id_insert(&pool->pages_by_id, &page->node);
    LIST_INSERT_HEAD(&life->all_pages, page, of_life);
    life->charged++;
    page->state = PAGE_OPENING;
    page_enter(pool, page);
    struct pool_action *action = pool_emit(pool, POOL_OPEN);
    action->life = life->id;
    action->page = page->node.id;
    action->context = page->context->node.id;
    action->new_context = orphan == NULL;
    if (orphan != NULL) {
        action->key = orphan->affinity->key;
        action->key_bytes = orphan->affinity->key_bytes;
    }
    return page;
}

void pool_page_bind(struct pool *pool, struct page *page, struct affinity *affinity,
                    uint64_t fingerprint)
{
    assert(page->state == PAGE_STANDBY && page->context->state == CONTEXT_UNOWNED);
    assert(affinity->orphan == NULL);
    if (pool_affinity_routable(affinity) == 0 && affinity->opening == NULL) {
        affinity->fingerprint = fingerprint;
        affinity->bound = true;
    }
    page_join(pool, page, affinity);
    page->context->affinity = affinity;
    page->context->fingerprint = affinity->fingerprint;
    affinity->contexts++;
    pool_context_set_state(pool, page->context, CONTEXT_OWNED);
}

static void page_send_close(struct pool *pool, struct page *page)
{
    assert(page->known && !page->page_gone);
    page->keep_asked = pool_context_may_stay(pool, page);
    if (!page->keep_asked)
        pool_context_set_state(pool, page->context, CONTEXT_CLOSING);
    pool_timer_set(pool, &page->timer, TIMER_PAGE,
                   pool_timer_after(pool, pool->config.close_timeout_ms));
    struct pool_action *action = pool_emit(pool, POOL_CLOSE);
    action->life = page->life->id;
    action->page = page->node.id;
    action->context = page->context->node.id;
    action->retain = page->keep_asked;
    if (CANARY(CANARY_DOUBLE_CLOSE))
        *pool_emit(pool, POOL_CLOSE) = *action;
}

void pool_page_close(struct pool *pool, struct page *page, bool retain)
{
    uint64_t opened_ms = pool->now_ms;
    if (!page->known && page->timer.armed && page->timer.due_ms > opened_ms)
        opened_ms = page->timer.due_ms;
    page->retain = retain && !page->single_use && page->affinity != NULL;
    pool_page_set_state(pool, page, PAGE_CLOSING);
    pool_context_leave(pool, page->context);
    if (page->known)
        page_send_close(pool, page);
    else /* The browser does not know it yet: its answer comes first. */
        pool_timer_set(pool, &page->timer, TIMER_PAGE, opened_ms + pool->config.close_timeout_ms);
}

void pool_page_doom(struct pool *pool, struct page *page)
{
    pool_page_set_state(pool, page, PAGE_DOOMED);
    pool_context_leave(pool, page->context);
}

void pool_page_gone(struct pool *pool, struct page *page)
{
    assert(page->request == NULL);
    assert((arrows[page->state] & TO(PAGE_GONE)) != 0);
    struct affinity *affinity = page->affinity;
    if (page->ticket != NULL)
        pool_ticket_revoke(pool, page->ticket);
    uint32_t routable = 0;
    if (affinity != NULL) {
        pool_affinity_touch(pool, affinity);
        routable = pool_affinity_routable(affinity);
    }
    page_leave(pool, page);
    if (affinity != NULL) {
        LIST_REMOVE(page, of_affinity);
        if (routable > 0 && pool_affinity_routable(affinity) == 0)
            pool_affinity_epoch_end(pool, affinity);
    }
    if (page->context != NULL)
        pool_context_gone(pool, page->context);
    if (pool->rested == page)
        pool->rested = NULL;
    LIST_REMOVE(page, of_life);
    pool_id_remove(&pool->pages_by_id, &page->node);
    assert(page->life->charged > 0);
    page->life->charged--;
    pool_arena_return(&pool->pages, page);
}

void pool_page_released(struct pool *pool, struct page *page)
{
    uint32_t renders_max = pool->config.page_recycle_renders;
    bool worn = renders_max != 0 && page->renders >= renders_max;
    bool doomed = page->state == PAGE_DOOMED && !CANARY(CANARY_DOOMED_GRANTED);
    if (doomed || worn || page->single_use) {
        pool_page_close(pool, page, /* retain= */ true);
        return;
    }
    page->used_ms = pool->now_ms;
    page->used_seq = ++pool->last_used;
    pool_page_set_state(pool, page, PAGE_IDLE);
    pool->rested = page;
}

/* Its opening has ended well. */
static void page_ready(struct pool *pool, struct page *page)
{
    struct life *life = page->life;
    page->known = true;
    pool->open_failures = 0;
    pool->totals.opened++;
    if (life->charged > pool->cap + 1 && page->ticket == NULL) {
        pool_page_close(pool, page, /* retain= */ true);
        return;
    }
    if (page->affinity == NULL) {
        pool_context_set_state(pool, page->context, CONTEXT_UNOWNED);
        pool_page_set_state(pool, page, PAGE_STANDBY);
        return;
    }
    page->epoch = page->affinity->epoch;
    page->used_ms = pool->now_ms;
    page->used_seq = ++pool->last_used;
    pool_page_set_state(pool, page, PAGE_IDLE);
}

static void page_send_kill(struct pool *pool, struct page *page)
{
    /* Without a page nothing harsher exists than to ask again. */
    bool context_only = page->page_gone;
    struct pool_action *action = pool_emit(pool, context_only ? POOL_DISPOSE_CONTEXT : POOL_KILL);
    action->life = page->life->id;
    action->page = context_only ? 0 : page->node.id;
    action->context = page->context->node.id;
}

void pool_page_opened(struct pool *pool, struct page *page)
{
    if (page->known) {
        pool->totals.stale++;
        return;
    }
    switch (page->state) {
    case PAGE_OPENING:
        page_ready(pool, page);
        break;
    case PAGE_CLOSING:
        page->known = true;
        page_send_close(pool, page);
        break;
    case PAGE_KILLING:
    case PAGE_ZOMBIE: /* The kill may have missed what only now exists. */
        page->known = true;
        page_send_kill(pool, page);
        break;
    case PAGE_STANDBY:
    case PAGE_IDLE:
    case PAGE_PROBING:
    case PAGE_LEASED:
    case PAGE_DOOMED:
    case PAGE_GONE:
        assert(false && "a page in use is known");
    }
}

void pool_page_open_failed(struct pool *pool, struct page *page, bool transient)
{
    if (page->known) {
        pool->totals.stale++;
        return;
    }
    if (page->state == PAGE_OPENING)
        pool_rearm_after_failure(pool, page->life, transient);
    if (page->affinity == NULL) {
        pool_page_gone(pool, page);
        return;
    }
    /* Nothing of the page is left, but its context is older than the page. */
    page->known = true;
    if (page->state == PAGE_OPENING) {
        pool_page_set_state(pool, page, PAGE_CLOSING);
        pool_context_leave(pool, page->context);
    }
    if (page->state == PAGE_CLOSING)
        pool_context_dispose_in_slot(pool, page);
}

void pool_page_closed(struct pool *pool, struct page *page)
{
    if (page->page_gone)
        pool->totals.stale++; /* Its context is still to go. */
    else if (page->state < PAGE_CLOSING)
        pool_context_reported_gone(pool, page->context); /* Nobody asked: it is lost. */
    else if (page->state != PAGE_CLOSING || !page->keep_asked)
        pool_page_gone(pool, page);
    else if (pool_context_may_stay(pool, page))
        pool_context_keep(pool, page);
    else
        pool_context_dispose_in_slot(pool, page);
}

void pool_page_crashed(struct pool *pool, struct page *page)
{
    switch (page->state) {
    case PAGE_OPENING:
        pool_rearm_after_failure(pool, page->life, false);
        break;
    case PAGE_PROBING:
        pool_request_return(pool, page->request);
        break;
    case PAGE_LEASED:
    case PAGE_DOOMED:
        pool_request_fault(pool, page->request, POOL_PAGE_FAULT);
        break;
    case PAGE_STANDBY:
    case PAGE_IDLE:
        break;
    case PAGE_CLOSING:
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
    case PAGE_GONE:
        return; /* A crash is no proof that the context is gone. */
    }
    pool->totals.crashed++;
    pool_page_close(pool, page, /* retain= */ false);
}

void pool_page_late(struct pool *pool, struct page *page)
{
    switch (page->state) {
    case PAGE_OPENING:
        pool_rearm_after_failure(pool, page->life, false);
        if (CANARY(CANARY_LATE_OPEN_STALE))
            pool_page_gone(pool, page);
        else
            pool_page_close(pool, page, /* retain= */ false);
        break;
    case PAGE_PROBING:
        pool_request_return(pool, page->request);
        pool_page_close(pool, page, /* retain= */ true);
        break;
    case PAGE_CLOSING:
        pool_page_set_state(pool, page, PAGE_KILLING);
        pool_context_set_state(pool, page->context, CONTEXT_KILLING);
        page_send_kill(pool, page);
        break;
    case PAGE_KILLING:
        if (CANARY(CANARY_ZOMBIE_FREED)) {
            pool_page_gone(pool, page);
            break;
        }
        pool_page_set_state(pool, page, PAGE_ZOMBIE);
        pool_context_set_state(pool, page->context, CONTEXT_ZOMBIE);
        pool->totals.zombies++;
        page->life->recycle_wanted = true;
        page_send_kill(pool, page);
        break;
    case PAGE_ZOMBIE:
        pool_timer_set(pool, &page->timer, TIMER_PAGE,
                       pool_timer_after(pool, pool->config.kill_timeout_ms));
        page_send_kill(pool, page);
        break;
    case PAGE_STANDBY:
    case PAGE_IDLE:
    case PAGE_LEASED:
    case PAGE_DOOMED:
    case PAGE_GONE:
        assert(false && "a state without a deadline");
    }
}
