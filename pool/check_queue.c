/* check_queue.c: the invariants of pool.h, as assertions over requests and affinities. */
#include "pool/parts.h"

static unsigned line_of(const struct request *request)
{
    unsigned line = (unsigned)request->lane * TIERS + (unsigned)request->tier;
    return line * TICKET_KINDS + (unsigned)pool_ticket_kind(request);
}

/* 8: nothing that it could have at once is left lying. */
static void check_not_parked(const struct pool *pool, const struct request *request)
{
    const struct affinity *affinity = request->affinity;
    if (pool->draining || pool->ended_late >= STEP_BATCH_MAX ||
        !pool_gate_is_open(pool, request->lane) ||
        !pool_affinity_gate_is_open(pool, affinity, request->lane))
        return;
    assert(affinity->idle_count == 0);
    bool standby = pool->serving != NULL && pool->serving->pages[PAGE_STANDBY] > 0;
    if (standby && affinity->orphan == NULL && pool_ticket_kind(request) != TICKET_OWN)
        assert(!pool_below_page_limit(pool, affinity, request->lane, pool_ticket_kind(request)));
}

static void check_waiting(const struct pool *pool, const struct request *request)
{
    struct line line = request->affinity->lines[line_of(request)];
    struct request wanted;
    wanted.rank = request->rank;
    assert(line_RB_FIND(&line, &wanted) == request);
    assert(request->state == REQUEST_WAITING && request->page == NULL); /* 11 */
    assert(request->timer.armed || request->deadline_ms == UINT64_MAX); /* 16 */
    assert(request->bypassed <= pool->config.warm_bypass_max);
    if (request->ticket != NULL)
        assert(request->ticket->ticket == request);
    if (request->front != FRONT_PARKED)
        assert(request->affinity->heads[line_of(request)] == request);
    check_not_parked(pool, request);
}

/* The holders of tickets, in order; each subtree knows its size. */
static uint32_t check_turns(const struct pool *pool)
{
    struct turn_tree tree = pool->turns;
    struct request *request, *before = NULL;
    uint32_t count = 0, mains = 0;
    RB_FOREACH(request, turn_tree, &tree)
    {
        const struct request *left = RB_LEFT(request, turn), *right = RB_RIGHT(request, turn);
        struct rank place = pool_request_place(request);
        assert(request->ticket != NULL);
        assert(place.order == request->turn_place.order && place.seq == request->turn_place.seq);
        assert(before == NULL || !pool_rank_before(&place, &before->turn_place));
        assert(request->turn_all ==
               1 + (left != NULL ? left->turn_all : 0) + (right != NULL ? right->turn_all : 0));
        before = request;
        count++;
        mains += request->lane == POOL_MAIN ? 1 : 0;
    }
    const struct request *root = RB_ROOT(&tree);
    assert(root == NULL || (root->turn_all == count && root->turn_mains == mains));
    return count;
}

static void check_requests(const struct pool *pool)
{
    uint32_t waiting[LANES] = {0}, returned[LANES] = {0}, tickets = 0;
    const struct request *request;
    TAILQ_FOREACH(request, &pool->waiting, waiting)
    {
        check_waiting(pool, request);
        waiting[request->lane]++;
        returned[request->lane] += request->returned ? 1 : 0;
        tickets += request->ticket != NULL ? 1 : 0;
    }
    assert(tickets == pool->tickets && tickets == check_turns(pool));
    for (int lane = 0; lane < LANES; lane++) {
        assert(pool->requests_in[REQUEST_WAITING][lane] == waiting[lane]);
        assert(pool->returned[lane] == returned[lane]);
    }
    assert(waiting[POOL_MAIN] - returned[POOL_MAIN] <= pool->config.queue_max);
    assert(waiting[POOL_NESTED] - returned[POOL_NESTED] <= pool->nested_max);
}

/* What the records say about one affinity. */
struct tally {
    uint32_t idle, probing, leased, opening, mains, contexts, leaving, tickets, waiting, running;
};

static void tally_pages(const struct affinity *affinity, struct tally *ret)
{
    const struct page *page;
    LIST_FOREACH(page, &affinity->pages, of_affinity)
    {
        assert(page->affinity == affinity);
        bool permitted = page->state == PAGE_PROBING || page->state == PAGE_LEASED;
        ret->idle += page->state == PAGE_IDLE ? 1 : 0;
        ret->probing += page->state == PAGE_PROBING ? 1 : 0;
        ret->leased += page->state == PAGE_LEASED ? 1 : 0;
        ret->opening += page->state == PAGE_OPENING ? 1 : 0;
        ret->mains += permitted && page->lane == POOL_MAIN ? 1 : 0;
        ret->running += page->request != NULL ? 1 : 0;
    }
}

static void tally_waiting(const struct affinity *affinity, struct tally *ret)
{
    for (unsigned i = 0; i < LINES; i++) {
        struct line tree = affinity->lines[i];
        struct request *request;
        RB_FOREACH(request, line, &tree)
        {
            enum ticket_kind kind = pool_ticket_kind(request);
            assert(request->affinity == affinity && line_of(request) == i);
            ret->waiting++;
            ret->tickets += kind == TICKET_CLOSING || kind == TICKET_OPENING ? 1 : 0;
        }
        struct request *head = RB_MIN(line, &tree);
        assert((head != NULL) == ((affinity->lines_used >> i & 1) != 0));
        assert((affinity->heads[i] != NULL) == ((affinity->heads_used >> i & 1) != 0));
        assert(affinity->heads[i] == NULL || affinity->heads[i] == head);
    }
}

static void check_victim(const struct affinity *affinity)
{
    const struct page *first = TAILQ_FIRST(&affinity->idle), *page;
    assert((first == NULL) == (affinity->victim_class == VICTIM_CLASSES));
    if (first != NULL)
        assert(affinity->victim_seq == first->used_seq);
    uint64_t before = 0;
    TAILQ_FOREACH(page, &affinity->idle, queue)
    {
        assert(page->state == PAGE_IDLE && page->used_seq > before);
        before = page->used_seq;
    }
}

static void check_affinity(const struct pool *pool, const struct affinity *affinity)
{
    struct tally tally = {0};
    tally_pages(affinity, &tally);
    tally_waiting(affinity, &tally);
    assert(!affinity->touched && !affinity->unsettled);
    assert(affinity->idle_count == tally.idle && affinity->probing == tally.probing);
    assert(affinity->leased == tally.leased && affinity->mains == tally.mains);
    assert(tally.opening == (affinity->opening != NULL ? 1 : 0));
    assert(pool_affinity_tickets(affinity) == tally.tickets && affinity->running == tally.running);
    assert(affinity->waiting[POOL_MAIN] + affinity->waiting[POOL_NESTED] == tally.waiting);
    assert(affinity->contexts > 0 || pool_affinity_in_use(affinity)); /* Else it is forgotten. */
    assert(affinity->mains <= pool->main_max);
    assert(pool_affinity_charge(affinity) <= pool->config.affinity_pages_max + 1);
    if (affinity->orphan != NULL)
        assert(pool_affinity_routable(affinity) == 0 && affinity->opening == NULL); /* 5 */
    assert(affinity->in_lru == (!pool_affinity_in_use(affinity) &&
                                (pool_affinity_routable(affinity) > 0 ||
                                 affinity->opening != NULL || affinity->orphan != NULL)));
    assert(affinity->batch == 0 || pool_affinity_routable(affinity) > 0);
    check_victim(affinity);
}

/* Each affinity counts its own contexts; together they are all that have an owner. */
static void check_ownership(const struct pool *pool)
{
    uint32_t owned = 0, leaving = 0, counted = 0, counted_leaving = 0;
    for (int i = 0; i < BROWSER_LIVES_MAX; i++) {
        const struct context *context;
        if (pool->lives[i].state == LIFE_DOWN)
            continue;
        LIST_FOREACH(context, &pool->lives[i].all_contexts, of_life)
        {
            owned += context->affinity != NULL ? 1 : 0;
            leaving += context->leaving ? 1 : 0;
        }
    }
    for (uint32_t i = 0; i < pool->affinities.used; i++) {
        const void *record = pool->affinities.base + pool->affinities.record_bytes * i;
        const struct affinity *affinity = record;
        if (!affinity->known)
            continue;
        check_affinity(pool, affinity);
        counted += affinity->contexts;
        counted_leaving += affinity->leaving;
    }
    assert(owned == counted && leaving == counted_leaving);
}

void pool_check_queue(const struct pool *pool)
{
    assert(STAILQ_EMPTY(&pool->touched) && STAILQ_EMPTY(&pool->unsettled));
    check_requests(pool);
    check_ownership(pool);
}
