/* check.c: the invariants of pool.h, as assertions over lives, pages and contexts.
 *
 * It counts everything anew and compares: a book that the setters keep is right only
 * if it says what the states say. The numbers are those of the list in pool.h. */
#include "pool/parts.h"

/* What the state of a page promises about the rest of it. */
static void check_page_state(const struct pool *pool, const struct page *page)
{
    bool late_matters = false, leased = false, bound = page->affinity != NULL;
    enum context_state inside = page->context->state;
    switch (page->state) {
    case PAGE_OPENING:
        late_matters = true;
        assert(inside == (bound ? CONTEXT_OWNED : CONTEXT_OPENING) && !page->known);
        break;
    case PAGE_STANDBY:
        assert(!bound && inside == CONTEXT_UNOWNED && page->renders == 0);
        break;
    case PAGE_IDLE:
        assert(bound && inside == CONTEXT_OWNED && page->life == pool->serving);
        assert(!page->single_use);
        break;
    case PAGE_PROBING:
        late_matters = leased = true;
        assert(bound && inside == CONTEXT_OWNED && page->life == pool->serving);
        break;
    case PAGE_LEASED:
        leased = true;
        assert(bound && inside == CONTEXT_OWNED && page->life == pool->serving);
        break;
    case PAGE_DOOMED:
        leased = true;
        assert(bound && inside == CONTEXT_OWNED && page->epoch < page->affinity->epoch);
        break;
    case PAGE_CLOSING:
        late_matters = true;
        assert(inside == CONTEXT_CLOSING || (inside == CONTEXT_OWNED && !page->page_gone) ||
               (inside == CONTEXT_OPENING && !page->known));
        break;
    case PAGE_KILLING:
        late_matters = true;
        assert(inside == CONTEXT_KILLING);
        break;
    case PAGE_ZOMBIE:
        late_matters = true;
        assert(inside == CONTEXT_ZOMBIE);
        break;
    case PAGE_GONE:
        assert(false && "a record of a page that is gone");
    }
    assert(page->timer.armed == late_matters); /* 3 */
    assert((page->request != NULL) == leased); /* 7 */
}

static void check_page(const struct pool *pool, const struct page *page)
{
    assert(pool_id_find(&pool->pages_by_id, page->node.id) == page);
    assert(page->context != NULL && page->context->page == page); /* 5 */
    assert(page->context->life == page->life);
    assert(page->known || page->state == PAGE_OPENING || page->state >= PAGE_CLOSING);
    if (page->affinity != NULL)
        assert(page->context->affinity == page->affinity); /* 4 */
    if (page->request != NULL) {
        const struct request *request = page->request;
        assert(request->page == page && request->affinity == page->affinity);
        assert(request->lane == page->lane);
        assert(request->state == (page->state == PAGE_PROBING ? REQUEST_PROBING : REQUEST_RUNNING));
    }
    if (page->ticket != NULL) {
        assert(page->ticket->ticket == page && page->ticket->state == REQUEST_WAITING);
        assert(page->state == PAGE_OPENING || page->state == PAGE_CLOSING);
        assert(page->life == pool->serving);
    }
    bool routable =
        page->state == PAGE_IDLE || page->state == PAGE_PROBING || page->state == PAGE_LEASED;
    if (routable) {
        assert(page->epoch == page->affinity->epoch);
        assert(page->context->fingerprint == page->affinity->fingerprint); /* 4 */
        assert(page->affinity->orphan == NULL);                            /* 5 */
    }
    check_page_state(pool, page);
}

static void check_context(const struct pool *pool, const struct context *context)
{
    assert(pool_id_find(&pool->contexts_by_id, context->node.id) == context);
    bool owned = context->affinity != NULL;
    switch (context->state) {
    case CONTEXT_OPENING:
    case CONTEXT_UNOWNED:
        assert(!owned && context->page != NULL);
        break;
    case CONTEXT_OWNED:
        assert(owned && context->page != NULL);
        break;
    case CONTEXT_ORPHAN: /* 6 */
        assert(owned && context->page == NULL && context->affinity->orphan == context);
        assert(context->life == pool->serving && !context->leaving);
        break;
    case CONTEXT_CLOSING:
    case CONTEXT_KILLING:
        assert(!owned || context->leaving);
        break;
    case CONTEXT_ZOMBIE:
        assert(!context->leaving);
        break;
    case CONTEXT_GONE:
        assert(false && "a record of a context that is gone");
    }
    bool loose = context->page == NULL && context->state >= CONTEXT_CLOSING;
    assert(context->timer.armed == loose); /* 3 */
    if (context->page != NULL)
        assert(context->page->context == context);
}

static void check_counts(const struct pool *pool, const struct life *life)
{
    uint32_t pages[PAGE_STATES] = {0}, contexts[CONTEXT_STATES] = {0};
    uint32_t charged = 0, loose = 0;
    const struct page *page;
    const struct context *context;
    LIST_FOREACH(page, &life->all_pages, of_life)
    {
        assert(page->life == life);
        check_page(pool, page);
        pages[page->state]++;
        charged++;
    }
    LIST_FOREACH(context, &life->all_contexts, of_life)
    {
        assert(context->life == life);
        check_context(pool, context);
        contexts[context->state]++;
        loose += context->page == NULL && context->state >= CONTEXT_CLOSING ? 1 : 0;
    }
    for (int state = 0; state < PAGE_STATES; state++)
        assert(life->pages[state] == pages[state]); /* 18 */
    for (int state = 0; state < CONTEXT_STATES; state++)
        assert(life->contexts[state] == contexts[state]);
    assert(life->charged == charged && life->loose == loose);
    assert(charged <= pool->ceiling[TIER_HIGH] + 1);                              /* 1 */
    assert(contexts[CONTEXT_ORPHAN] + loose <= pool->config.orphan_contexts_max); /* 1 */
}

static uint32_t queue_length(const struct page_queue *queue, enum page_state state)
{
    const struct page *page;
    uint32_t length = 0;
    TAILQ_FOREACH(page, queue, queue)
    {
        assert(page->state == state && page->ticket == NULL);
        length++;
    }
    return length;
}

static void check_queues(const struct life *life)
{
    const struct page *page;
    const struct context *context;
    uint32_t openings = 0, closings = 0, orphans = 0;
    LIST_FOREACH(page, &life->all_pages, of_life)
    {
        bool free = page->ticket == NULL;
        openings += page->state == PAGE_OPENING && page->affinity == NULL && free ? 1 : 0;
        closings += page->state == PAGE_CLOSING && free ? 1 : 0;
    }
    TAILQ_FOREACH(context, &life->orphans, orphan)
    {
        assert(context->state == CONTEXT_ORPHAN);
        orphans++;
    }
    assert(queue_length(&life->openings, PAGE_OPENING) == openings);
    assert(queue_length(&life->closings, PAGE_CLOSING) == closings);
    assert(queue_length(&life->standbys, PAGE_STANDBY) == life->pages[PAGE_STANDBY]);
    assert(life->standby_openings == openings);
    assert(life->contexts[CONTEXT_ORPHAN] == orphans);
}

static void check_life(const struct pool *pool, const struct life *life)
{
    assert(life->state != LIFE_STARTING || (pool->starting == life && life->charged == 0));
    assert(life->state != LIFE_UP || pool->serving == life);
    assert(life->state != LIFE_RETIRING || pool->retiring == life);
    if (life->state == LIFE_DOWN)
        return;
    check_counts(pool, life);
    check_queues(life);
    if (life->state != LIFE_RETIRING)
        return;
    /* The hand-over leaves nothing to grant behind. */
    assert(life->pages[PAGE_OPENING] + life->pages[PAGE_STANDBY] + life->pages[PAGE_IDLE] == 0);
    assert(life->pages[PAGE_PROBING] + life->pages[PAGE_LEASED] == 0);
    assert(life->contexts[CONTEXT_ORPHAN] == 0 && life->timer.armed);
}

void pool_check(const struct pool *pool)
{
    assert(pool->cap >= pool->config.pages_min && pool->cap <= pool->ceiling[TIER_HIGH]); /* 13 */
    uint32_t mains = pool_running_in(pool, POOL_MAIN);
    assert(mains <= pool->cap && mains + pool_running_in(pool, POOL_NESTED) <= pool->cap + 1);
    for (int i = 0; i < BROWSER_LIVES_MAX; i++)
        check_life(pool, &pool->lives[i]);
    assert(pool->serving == NULL || pool->serving->state == LIFE_UP);
    assert(pool->starting == NULL || pool->starting->state == LIFE_STARTING);
    assert(pool->retiring == NULL || pool->retiring->state == LIFE_RETIRING);
    /* Somebody brings the next life, unless the pool is ending. */
    assert(pool->serving != NULL || pool->starting != NULL || pool->launch.armed || pool->draining);
    pool_check_queue(pool);
}
