/* request.c: the machine of requests, from arrival to the one answer. */
#include "pool/parts.h"

#define TO(state) (1u << (state))

static const uint32_t arrows[REQUEST_STATES] = {
    [REQUEST_WAITING] = TO(REQUEST_PROBING) | TO(REQUEST_RUNNING) | TO(REQUEST_CANCELLED) |
                        TO(REQUEST_REFUSED) | TO(REQUEST_FAILED),
    [REQUEST_PROBING] = TO(REQUEST_RUNNING) | TO(REQUEST_WAITING) | TO(REQUEST_CANCELLED) |
                        TO(REQUEST_REFUSED) | TO(REQUEST_FAILED),
    [REQUEST_RUNNING] =
        TO(REQUEST_WAITING) | TO(REQUEST_DONE) | TO(REQUEST_CANCELLED) | TO(REQUEST_FAILED),
};

static void request_exit(struct pool *pool, struct request *request)
{
    struct affinity *affinity = request->affinity;
    pool->requests_in[request->state][request->lane]--;
    if (request->state == REQUEST_WAITING) {
        if (request->ticket != NULL)
            pool_ticket_revoke(pool, request);
        pool_wait_settle(pool, request);
        pool_line_remove(pool, request);
        TAILQ_REMOVE(&pool->waiting, request, waiting);
        affinity->waiting[request->lane]--;
        if (request->returned)
            pool->returned[request->lane]--;
        return;
    }
    affinity->running--;
    if (request->lane == POOL_MAIN)
        (void)line_RB_REMOVE(&affinity->main_renders, request);
}

static void request_enter(struct pool *pool, struct request *request)
{
    struct affinity *affinity = request->affinity;
    pool->requests_in[request->state][request->lane]++;
    if (request->state == REQUEST_WAITING) {
        TAILQ_INSERT_TAIL(&pool->waiting, request, waiting);
        affinity->waiting[request->lane]++;
        if (request->returned)
            pool->returned[request->lane]++;
        pool_line_add(request);
        pool_wait_begin(pool, request);
        return;
    }
    affinity->running++;
    if (request->lane == POOL_MAIN)
        (void)line_RB_INSERT(&affinity->main_renders, request);
}

static void request_set_state(struct pool *pool, struct request *request, enum request_state state)
{
    assert(request->state < REQUEST_STATES);
    assert((arrows[request->state] & TO(state)) != 0);
    pool_affinity_touch(pool, request->affinity);
    request_exit(pool, request);
    request->state = state;
    if (state < REQUEST_STATES)
        request_enter(pool, request);
}

/* When the wait ends without a grant. What ran already is held by its deadline alone. */
static uint64_t wait_end_ms(const struct request *request)
{
    if (request->attempt > 0 || request->deadline_ms < request->queue_deadline_ms)
        return request->deadline_ms;
    return request->queue_deadline_ms;
}

static struct rank rank_of(struct pool *pool, uint32_t priority)
{
    int64_t aging_ms = pool->config.priority_aging_ms;
    struct rank rank = {.seq = ++pool->last_arrival};
    rank.order = -(int64_t)priority;
    if (aging_ms != 0)
        rank.order = (int64_t)pool->now_ms - (int64_t)priority * aging_ms;
    return rank;
}

static struct request *request_new(struct pool *pool, const struct pool_request *asked)
{
    struct request *request = pool_arena_take(&pool->requests);
    request->node.id = asked->id;
    request->lane = asked->lane;
    request->tier =
        asked->priority >= pool->config.high_priority_threshold ? TIER_HIGH : TIER_NORMAL;
    request->front = FRONT_PARKED;
    request->repeatable = asked->repeatable;
    request->single_use = asked->single_use;
    request->clear_cache = asked->clear_cache;
    request->priority = asked->priority;
    request->rank = rank_of(pool, asked->priority);
    request->deadline_ms = asked->deadline_ms;
    request->queue_deadline_ms = asked->queue_deadline_ms;
    request->fingerprint = asked->fingerprint;
    request->site = asked->site;
    request->batch = asked->batch;
    request->affinity = pool_affinity_get(pool, asked);
    pool_id_insert(&pool->requests_by_id, &request->node);
    return request;
}

uint32_t pool_retry_after_ms(const struct pool *pool)
{
    const uint64_t min_ms = 1000, max_ms = 60000;
    uint64_t waiting = (uint64_t)pool->requests_in[REQUEST_WAITING][POOL_MAIN] +
                       pool->requests_in[REQUEST_WAITING][POOL_NESTED];
    uint64_t mean_ms = pool->render_mean_ms < max_ms ? pool->render_mean_ms : max_ms;
    uint64_t wait_ms = waiting * mean_ms / pool->cap;
    if (wait_ms < min_ms)
        return (uint32_t)min_ms;
    return (uint32_t)(wait_ms < max_ms ? wait_ms : max_ms);
}

static void emit_refusal(struct pool *pool, uint64_t id, enum pool_reason reason)
{
    struct pool_action *action = pool_emit(pool, POOL_REFUSE);
    action->request = id;
    action->reason = reason;
    action->retry_after_ms = pool_retry_after_ms(pool);
    pool->totals.refused++;
}

/* Those that return to their rank do not count: they cannot be refused any more. Only if
 * they pile up, over several deaths of the browser, does nobody else get in. */
static bool queue_is_full(const struct pool *pool, enum pool_lane lane)
{
    uint32_t max = lane == POOL_MAIN ? pool->config.queue_max : pool->nested_max;
    uint32_t waiting = pool->requests_in[REQUEST_WAITING][lane];
    uint32_t known = waiting + pool_running_in(pool, lane);
    return waiting - pool->returned[lane] >= max || known >= max + pool->returned_max;
}

void pool_request_arrived(struct pool *pool, const struct pool_request *asked)
{
    assert(asked->id != 0 && pool_id_find(&pool->requests_by_id, asked->id) == NULL);
    assert(asked->key_bytes >= 1 && asked->key_bytes <= POOL_KEY_BYTES_MAX);
    if (pool->draining) {
        emit_refusal(pool, asked->id, POOL_DRAINING);
    } else if (queue_is_full(pool, asked->lane)) {
        emit_refusal(pool, asked->id, POOL_QUEUE_FULL);
    } else if (asked->deadline_ms <= pool->now_ms || asked->queue_deadline_ms <= pool->now_ms) {
        emit_refusal(pool, asked->id, POOL_QUEUE_TIMEOUT);
    } else {
        struct request *request = request_new(pool, asked);
        request->state = REQUEST_WAITING;
        request_enter(pool, request);
        pool_timer_set(pool, &request->timer, TIMER_REQUEST, wait_end_ms(request));
    }
}

static void unlink_page(struct request *request)
{
    if (request->page == NULL)
        return;
    assert(request->page->request == request);
    request->page->request = NULL;
    request->page = NULL;
}

void pool_request_end(struct pool *pool, struct request *request, enum request_state state)
{
    assert(state >= REQUEST_STATES);
    request_set_state(pool, request, state);
    unlink_page(request);
    pool_timer_clear(pool, &request->timer);
    pool_id_remove(&pool->requests_by_id, &request->node);
    pool_arena_return(&pool->requests, request);
}

static void request_fail(struct pool *pool, struct request *request, enum pool_reason reason)
{
    pool_emit_request(pool, POOL_FAIL, request, reason);
    pool->totals.failed++;
    pool_request_end(pool, request, REQUEST_FAILED);
}

/* A request that ran once has perhaps done something: it fails, it is not refused. */
void pool_request_refuse(struct pool *pool, struct request *request, enum pool_reason reason)
{
    assert(request->state != REQUEST_RUNNING);
    if (request->attempt > 0) {
        request_fail(pool, request, request->fault);
        return;
    }
    emit_refusal(pool, request->node.id, reason);
    pool_request_end(pool, request, REQUEST_REFUSED);
}

void pool_request_probe(struct pool *pool, struct request *request, struct page *page)
{
    request_set_state(pool, request, REQUEST_PROBING);
    request->page = page;
    request->mark_ms = pool->now_ms;
    page->request = request;
    page->lane = request->lane;
    pool_page_set_state(pool, page, PAGE_PROBING);
    pool_emit_request(pool, POOL_PROBE, request, POOL_NO_REASON);
}

static void probe_settle(struct pool *pool, struct request *request)
{
    assert(request->state == REQUEST_PROBING);
    if (!CANARY(CANARY_PROBE_TIME_LOST))
        request->waits.probe_ms += pool->now_ms - request->mark_ms;
    request->mark_ms = pool->now_ms;
}

/* Who may empty the cache of an affinity that a batch has filled. */
static void grant_cache(struct pool *pool, const struct request *request, struct pool_grant *grant)
{
    struct affinity *affinity = request->affinity;
    uint64_t owner = pool_affinity_batch(pool, affinity);
    bool takes = request->batch != 0 && (request->clear_cache || request->batch == owner);
    if (takes) {
        affinity->batch = request->batch;
        affinity->batch_ms = pool->now_ms;
        affinity->batch_epoch = affinity->epoch;
    }
    grant->clear_cache = request->clear_cache && (request->batch != 0 || owner == 0);
    grant->clear_stripped = request->clear_cache && !grant->clear_cache;
}

static void note_grant(struct pool *pool, const struct request *request)
{
    if (pool->granted_any && !pool_rank_before(&request->rank, &pool->granted_rank))
        return;
    pool->granted_any = true;
    pool->granted_rank = request->rank;
    pool->granted_tier = request->tier;
}

void pool_request_grant(struct pool *pool, struct request *request, struct page *page)
{
    assert(page->request == NULL || page->request == request);
    if (request->state == REQUEST_PROBING)
        probe_settle(pool, request);
    enum pool_warmth warmth = page->renders > 0 ? POOL_WARM
                              : page->claimed   ? POOL_COLD
                                                : POOL_FRESH;
    request_set_state(pool, request, REQUEST_RUNNING);
    request->page = page;
    request->attempt++;
    request->granted_ms = pool->now_ms;
    uint64_t end_ms = CANARY(CANARY_NO_DEADLINE) ? UINT64_MAX : request->deadline_ms;
    pool_timer_set(pool, &request->timer, TIMER_REQUEST, end_ms);
    page->request = request;
    page->lane = request->lane;
    page->site = request->site;
    page->single_use = request->single_use;
    page->renders++;
    pool_page_set_state(pool, page, PAGE_LEASED);
    note_grant(pool, request);
    pool->totals.granted++;
    struct life *life = page->life;
    life->renders++;
    if (pool->config.recycle_renders != 0 && life->renders >= pool->config.recycle_renders)
        life->recycle_wanted = true;
    pool_emit_request(pool, POOL_GRANT, request, POOL_NO_REASON);
    struct pool_grant *grant = &pool->actions[pool->actions_count - 1].grant;
    grant->warmth = warmth;
    grant->waits = request->waits;
    grant->attempt = request->attempt;
    grant_cache(pool, request, grant);
}

static void back_to_rank(struct pool *pool, struct request *request)
{
    request->returned = true;
    request_set_state(pool, request, REQUEST_WAITING);
    unlink_page(request);
    pool_timer_set(pool, &request->timer, TIMER_REQUEST, wait_end_ms(request));
}

void pool_request_return(struct pool *pool, struct request *request)
{
    probe_settle(pool, request);
    back_to_rank(pool, request);
}

void pool_request_fault(struct pool *pool, struct request *request, enum pool_reason reason)
{
    assert(request->state == REQUEST_RUNNING);
    assert(reason == POOL_PAGE_FAULT || reason == POOL_BROWSER_DEATH);
    bool *used = reason == POOL_PAGE_FAULT ? &request->page_fault_used : &request->death_used;
    request->fault = reason;
    if (!request->repeatable || *used || pool->draining || request->deadline_ms <= pool->now_ms) {
        request_fail(pool, request, reason);
        return;
    }
    *used = !CANARY(CANARY_POISON);
    pool->totals.requeued++;
    if (reason == POOL_PAGE_FAULT)
        pool_emit_request(pool, POOL_ABORT, request, reason);
    back_to_rank(pool, request);
}

/* Nothing was concluded about the page. */
static void probe_give_up(struct pool *pool, struct request *request)
{
    pool_page_set_state(pool, request->page, PAGE_IDLE);
}

void pool_render_end(struct pool *pool, struct request *request, enum pool_reason reason)
{
    struct page *page = request->page;
    bool cancelled = reason == POOL_CANCELLED;
    pool_emit_request(pool, POOL_ABORT, request, reason);
    pool->totals.aborted += cancelled ? 0 : 1;
    pool_request_end(pool, request, cancelled ? REQUEST_CANCELLED : REQUEST_FAILED);
    pool_page_close(pool, page, /* retain= */ true);
}

void pool_request_cancelled(struct pool *pool, struct request *request)
{
    pool->totals.cancelled++;
    if (request->state == REQUEST_RUNNING) {
        pool_render_end(pool, request, POOL_CANCELLED);
        return;
    }
    if (request->state == REQUEST_PROBING)
        probe_give_up(pool, request);
    pool_request_end(pool, request, REQUEST_CANCELLED);
}

void pool_request_late(struct pool *pool, struct request *request)
{
    if (request->state == REQUEST_RUNNING) {
        pool_render_end(pool, request, POOL_DEADLINE);
        return;
    }
    if (request->state == REQUEST_PROBING)
        probe_give_up(pool, request);
    pool_request_refuse(pool, request, pool->draining ? POOL_DRAINING : POOL_QUEUE_TIMEOUT);
}

static void learn_mean(struct pool *pool, const struct request *request)
{
    const uint64_t weight = 8;
    uint64_t took_ms = pool->now_ms - request->granted_ms;
    pool->render_mean_ms = (pool->render_mean_ms * (weight - 1) + took_ms) / weight;
}

void pool_render_done(struct pool *pool, const struct pool_event *event)
{
    struct request *request = pool_id_find(&pool->requests_by_id, event->request.id);
    if (request == NULL || request->state != REQUEST_RUNNING ||
        request->page->node.id != event->page) {
        pool->totals.stale++;
        return;
    }
    struct page *page = request->page;
    learn_mean(pool, request);
    switch (event->outcome) {
    case POOL_RENDER_GOOD:
        pool_request_end(pool, request, REQUEST_DONE);
        pool_page_released(pool, page);
        break;
    case POOL_RENDER_UNUSABLE:
        pool_request_end(pool, request, REQUEST_DONE);
        pool_page_close(pool, page, /* retain= */ true);
        break;
    case POOL_RENDER_CRASHED:
        pool_page_crashed(pool, page);
        break;
    }
}
