/* match.c: brings waiting requests and pages together, best rank first.
 *
 * Each round asks the first request of every front what it could do now, lets the best
 * ranked of those that could do something do it, and starts over. A request that asks
 * for a slot gets a ticket and waits; nobody waits for it to be served. */
#include "pool/parts.h"

enum move {
    MOVE_NONE,
    MOVE_DISPOSE,        /* Its fingerprint ends the epoch. */
    MOVE_GROW,           /* One more permit and slot. */
    MOVE_GRANT,          /* An idle page of its affinity. */
    MOVE_OPEN_ORPHAN,    /* A free slot for the orphan of its affinity. */
    MOVE_CLOSE_STANDBY,  /* The slot of a standby for that orphan. */
    MOVE_BIND,           /* A standby. */
    MOVE_TICKET_OWN,     /* Wait for what opens for its affinity anyway. */
    MOVE_TICKET_OPENING, /* Wait for what opens for nobody yet. */
    MOVE_OPEN,           /* A free slot. */
    MOVE_TICKET_CLOSING, /* Wait for a slot that comes back anyway. */
    MOVE_EVICT,          /* Make a slot free. */
};

/* Step f: the idle page that is missed least. */
struct page *pool_victim_choose(const struct pool *pool, bool without_waiters)
{
    int classes = without_waiters ? VICTIM_CLASSES / 2 : VICTIM_CLASSES;
    for (int class = 0; class < classes; class ++) {
        struct victim_tree tree = pool->victims[class];
        struct affinity *affinity = RB_MIN(victim_tree, &tree);
        if (affinity != NULL)
            return TAILQ_FIRST(&affinity->idle);
    }
    if (CANARY(CANARY_PARENT_EVICTED) && !without_waiters) {
        struct page *page;
        LIST_FOREACH(page, &pool->serving->all_pages, of_life)
        {
            if (page->state == PAGE_LEASED)
                return page;
        }
    }
    return NULL;
}

static enum move move_by_force(const struct pool *pool, const struct request *request)
{
    if (pool_can_grow(pool, request->tier))
        return MOVE_GROW;
    return pool_victim_choose(pool, /* without_waiters= */ false) != NULL ? MOVE_EVICT : MOVE_NONE;
}

/* Step 3a. The context it left is worth more to it than a standby. */
static enum move move_for_orphan(const struct pool *pool, const struct request *request)
{
    const struct life *life = pool->serving;
    enum ticket_kind kind = pool_ticket_kind(request);
    if (!pool_supply_is_on(pool))
        return MOVE_NONE;
    if (pool_slots_free(pool, life) > 0)
        return MOVE_OPEN_ORPHAN;
    if (kind != TICKET_NONE)
        return MOVE_NONE;
    if (!TAILQ_EMPTY(&life->standbys))
        return MOVE_CLOSE_STANDBY;
    return pool_has_turn(pool, request) ? move_by_force(pool, request) : MOVE_NONE;
}

/* Steps 3b to 3f. */
static enum move move_for_page(const struct pool *pool, const struct request *request)
{
    const struct life *life = pool->serving;
    enum ticket_kind kind = pool_ticket_kind(request);
    if (life != NULL && !TAILQ_EMPTY(&life->standbys))
        return MOVE_BIND;
    if (!pool_supply_is_on(pool) || kind == TICKET_OPENING)
        return MOVE_NONE;
    if (!pool_has_turn(pool, request))
        return MOVE_NONE;
    const struct page *own = request->affinity->opening;
    if (kind == TICKET_NONE && own != NULL && own->ticket == NULL)
        return MOVE_TICKET_OWN;
    if (kind == TICKET_NONE && !TAILQ_EMPTY(&life->openings))
        return MOVE_TICKET_OPENING;
    if (pool_slots_free(pool, life) > 0)
        return MOVE_OPEN;
    if (kind != TICKET_NONE)
        return MOVE_NONE;
    if (!TAILQ_EMPTY(&life->closings))
        return MOVE_TICKET_CLOSING;
    return move_by_force(pool, request);
}

static enum move move_of(const struct pool *pool, const struct request *request)
{
    if (!pool_gate_is_open(pool, request->lane))
        return pool_can_grow(pool, request->tier) ? MOVE_GROW : MOVE_NONE;
    switch (request->front) {
    case FRONT_AUTH:
        return MOVE_DISPOSE;
    case FRONT_READY:
        return MOVE_GRANT;
    case FRONT_ORPHAN:
        return move_for_orphan(pool, request);
    case FRONT_PLAIN:
        return move_for_page(pool, request);
    case FRONT_PARKED:
        break;
    }
    assert(false && "a parked request stands in no front");
    return MOVE_NONE;
}

static bool place_is_before(const struct request *a, const struct request *b)
{
    if (a->place.order != b->place.order || a->place.seq != b->place.seq)
        return pool_rank_before(&a->place, &b->place);
    return pool_rank_before(&a->rank, &b->rank);
}

/* Least recently used; of several that were left in the same millisecond, the one that
 * knows the site already. */
static struct page *idle_choose(struct pool *pool, const struct request *request)
{
    if (CANARY(CANARY_OWNER_CHANGES))
        return RB_MIN(lru_tree, &pool->idle_pages);
    struct page *first = TAILQ_FIRST(&request->affinity->idle);
    struct page *page;
    TAILQ_FOREACH(page, &request->affinity->idle, queue)
    {
        if (page->used_ms != first->used_ms)
            break;
        if (page->site == request->site)
            return page;
    }
    return first;
}

/* Its time was up before its turn came; the tick that says so is still on its way. */
static bool ended_late(struct pool *pool, struct request *request)
{
    if (request->timer.due_ms > pool->now_ms)
        return false;
    pool_timer_clear(pool, &request->timer);
    pool_request_late(pool, request);
    pool->ended_late++;
    return true;
}

static void take_idle(struct pool *pool, struct request *request)
{
    struct page *page = idle_choose(pool, request);
    if (page->renders > 0 && pool->config.probe_timeout_ms > 0)
        pool_request_probe(pool, request, page);
    else
        pool_request_grant(pool, request, page);
}

/* The best waiting request that could have the victim itself, if it may pass: it waits
 * for the same affinity, at equal priority, and has not made `request` wait too often. */
static struct request *passer(const struct pool *pool, const struct request *request,
                              const struct affinity *affinity)
{
    struct request *best = NULL;
    for (unsigned used = affinity->heads_used; used != 0; used &= used - 1) {
        struct request *head = affinity->heads[__builtin_ctz(used)];
        if (head->front != FRONT_READY || !pool_gate_is_open(pool, head->lane))
            continue;
        if (best == NULL || place_is_before(head, best))
            best = head;
    }
    if (best == NULL || best->priority != request->priority)
        return NULL;
    bool may_pass = request->bypassed < pool->config.warm_bypass_max;
    return may_pass || CANARY(CANARY_BYPASS_UNBOUNDED) ? best : NULL;
}

static void evict_for(struct pool *pool, struct request *request)
{
    struct page *victim = pool_victim_choose(pool, /* without_waiters= */ false);
    struct request *passing = passer(pool, request, victim->affinity);
    if (passing != NULL) {
        if (ended_late(pool, passing))
            return;
        request->bypassed++;
        take_idle(pool, passing);
        return;
    }
    pool->totals.evicted++;
    pool_page_close(pool, victim, pool->config.evict_retains);
    pool_ticket_give(pool, request, victim);
}

static void close_standby_for(struct pool *pool, struct request *request)
{
    struct page *standby = TAILQ_FIRST(&pool->serving->standbys);
    pool_page_close(pool, standby, /* retain= */ false);
    pool_ticket_give(pool, request, standby);
}

static void open_for(struct pool *pool, struct request *request, struct context *orphan)
{
    if (request->ticket != NULL)
        pool_ticket_revoke(pool, request);
    pool_ticket_give(pool, request, pool_page_open(pool, orphan));
}

/* Nobody is passed by a younger request of its own affinity and lane. Who waits for the
 * context of its affinity could be, since it leaves standbys alone; and who has lost its
 * ticket, since the tickets of the others use up the page limit. They change places. */
static bool changes_places(struct pool *pool, struct request *request)
{
    struct request *first = pool_line_first(request->affinity, request->lane);
    struct page *ticket = request->ticket;
    if (first == request)
        return false;
    if (pool_ticket_kind(first) == TICKET_OWN) {
        ticket = first->ticket;
        pool_ticket_revoke(pool, first);
        if (request->ticket != NULL)
            pool_ticket_revoke(pool, request);
        pool_ticket_give(pool, request, ticket);
        return true;
    }
    if (first->ticket != NULL || ticket == NULL)
        return false;
    pool_ticket_revoke(pool, request);
    pool_ticket_give(pool, first, ticket);
    return true;
}

static void bind_standby(struct pool *pool, struct request *request)
{
    if (changes_places(pool, request))
        return;
    struct page *standby = TAILQ_FIRST(&pool->serving->standbys);
    pool_page_bind(pool, standby, request->affinity, request->fingerprint);
    pool_request_grant(pool, request, standby);
}

static void move_make(struct pool *pool, struct request *request, enum move move)
{
    struct affinity *affinity = request->affinity;
    pool_affinity_touch(pool, affinity);
    switch (move) {
    case MOVE_DISPOSE:
        pool_affinity_dispose(pool, affinity, POOL_DISPOSE_NOW);
        break;
    case MOVE_GROW:
        pool_cap_set(pool, pool->cap + 1);
        break;
    case MOVE_GRANT:
        take_idle(pool, request);
        break;
    case MOVE_OPEN_ORPHAN:
        open_for(pool, request, affinity->orphan);
        break;
    case MOVE_CLOSE_STANDBY:
        close_standby_for(pool, request);
        break;
    case MOVE_BIND:
        bind_standby(pool, request);
        break;
    case MOVE_TICKET_OWN:
        pool_ticket_give(pool, request, affinity->opening);
        break;
    case MOVE_TICKET_OPENING:
        pool_ticket_give(pool, request, TAILQ_FIRST(&pool->serving->openings));
        break;
    case MOVE_OPEN:
        open_for(pool, request, NULL);
        break;
    case MOVE_TICKET_CLOSING:
        pool_ticket_give(pool, request, TAILQ_FIRST(&pool->serving->closings));
        break;
    case MOVE_EVICT:
        evict_for(pool, request);
        break;
    case MOVE_NONE:
        assert(false && "nothing to do");
    }
}

/* The best ranked request that can move; NULL when none can. */
static struct request *next_mover(const struct pool *pool, enum move *ret_move)
{
    struct request *best = NULL;
    for (uint64_t used = pool->fronts_used; used != 0; used &= used - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(used);
        struct request *head = pool_front_head(pool, (enum front)(bit / LINES), bit % LINES);
        if (best != NULL && place_is_before(head, best) == CANARY(CANARY_RANK_IGNORED))
            continue;
        enum move move = move_of(pool, head);
        if (move == MOVE_NONE)
            continue;
        best = head;
        *ret_move = move;
    }
    return best;
}

void pool_match(struct pool *pool)
{
    /* Every move uses up a slot, a permit, a page, a ticket or a fingerprint. */
    uint64_t moves_max = 64 + 16 * ((uint64_t)pool->pages.limit + pool->requests.used);
    if (pool->draining) {
        pool_lines_settle(pool);
        return;
    }
    for (uint64_t moves = 0;; moves++) {
        assert(moves < moves_max);
        pool_lines_settle(pool);
        enum move move = MOVE_NONE;
        struct request *request = next_mover(pool, &move);
        if (request == NULL || pool->ended_late >= STEP_BATCH_MAX)
            break;
        if (CANARY(CANARY_EVICTION_BLOCKS) && pool->serving != NULL &&
            pool->serving->pages[PAGE_CLOSING] > 0)
            break;
        if (!ended_late(pool, request))
            move_make(pool, request, move);
    }
}
