/* affinity.c: what is stored of an affinity, and the edges of its being live. */
#include "pool/parts.h"

#include <string.h>

/* FNV-1a. Only spreads the keys of the tree; see affinity_key_cmp(). */
static uint64_t key_hash(const char *key, size_t key_bytes)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < key_bytes; i++)
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(0x100000001B3);
    return hash;
}

struct affinity *pool_affinity_find(const struct pool *pool, const char *key, size_t key_bytes)
{
    assert(key != NULL && key_bytes >= 1 && key_bytes <= POOL_KEY_BYTES_MAX);
    struct affinity wanted;
    wanted.key = (char *)(uintptr_t)key; /* Only read. */
    wanted.key_bytes = key_bytes;
    wanted.key_hash = key_hash(key, key_bytes);
    struct key_tree by_key = pool->by_key; /* Of the root alone: looking up changes nothing. */
    return key_tree_RB_FIND(&by_key, &wanted);
}

/* Each record has its own bytes for a key, which stay when the record is given back: an
 * action may still point at them. */
static char *key_of(const struct pool *pool, const struct affinity *affinity)
{
    size_t offset = (size_t)((const unsigned char *)affinity - pool->affinities.base);
    return pool->keys + offset / pool->affinities.record_bytes * POOL_KEY_BYTES_MAX;
}

static struct affinity *affinity_new(struct pool *pool, const struct pool_request *request)
{
    struct affinity *affinity = pool_arena_take(&pool->affinities);
    affinity->key = key_of(pool, affinity);
    memcpy(affinity->key, request->key, request->key_bytes);
    affinity->key_bytes = request->key_bytes;
    affinity->known = true;
    affinity->single_use = request->single_use;
    affinity->epoch = ++pool->last_epoch;
    affinity->used_ms = pool->now_ms;
    affinity->victim_class = VICTIM_CLASSES;
    LIST_INIT(&affinity->pages);
    LIST_INIT(&affinity->waits);
    TAILQ_INIT(&affinity->idle);
    if (!affinity->single_use) {
        affinity->key_hash = key_hash(affinity->key, affinity->key_bytes);
        struct affinity *equal = key_tree_RB_INSERT(&pool->by_key, affinity);
        assert(equal == NULL);
        pool->affinities_known++;
    }
    return affinity;
}

struct affinity *pool_affinity_get(struct pool *pool, const struct pool_request *request)
{
    struct affinity *affinity = NULL;
    if (!request->single_use)
        affinity = pool_affinity_find(pool, request->key, request->key_bytes);
    if (affinity == NULL)
        affinity = affinity_new(pool, request);
    pool_affinity_touch(pool, affinity);
    return affinity;
}

void pool_affinity_touch(struct pool *pool, struct affinity *affinity)
{
    if (!affinity->touched) {
        affinity->touched = true;
        affinity->before_live = pool_affinity_routable(affinity) > 0;
        affinity->before_epoch = affinity->epoch;
        STAILQ_INSERT_TAIL(&pool->touched, affinity, next_touched);
    }
    if (!affinity->unsettled) {
        affinity->unsettled = true;
        STAILQ_INSERT_TAIL(&pool->unsettled, affinity, next_unsettled);
    }
}

uint32_t pool_affinity_routable(const struct affinity *affinity)
{
    return affinity->idle_count + affinity->probing + affinity->leased;
}

bool pool_affinity_in_use(const struct affinity *affinity)
{
    return affinity->running + affinity->waiting[POOL_MAIN] + affinity->waiting[POOL_NESTED] > 0;
}

uint32_t pool_affinity_tickets(const struct affinity *affinity)
{
    return affinity->tickets[POOL_MAIN] + affinity->tickets[POOL_NESTED];
}

uint32_t pool_affinity_charge(const struct affinity *affinity)
{
    return pool_affinity_routable(affinity) + (affinity->opening != NULL ? 1 : 0) +
           pool_affinity_tickets(affinity);
}

/* Keeps the idle list in LRU order: a page whose probe was given up returns to the
 * place it had. */
static void idle_insert(struct affinity *affinity, struct page *page)
{
    struct page *before = TAILQ_LAST(&affinity->idle, page_queue);
    while (before != NULL && before->used_seq > page->used_seq)
        before = TAILQ_PREV(before, page_queue, queue);
    if (before == NULL)
        TAILQ_INSERT_HEAD(&affinity->idle, page, queue);
    else
        TAILQ_INSERT_AFTER(&affinity->idle, before, page, queue);
}

static void count_idle(struct pool *pool, struct page *page, int sign)
{
    struct affinity *affinity = page->affinity;
    if (sign > 0) {
        affinity->idle_count++;
        idle_insert(affinity, page);
        struct page *equal = lru_tree_RB_INSERT(&pool->idle_pages, page);
        assert(equal == NULL);
    } else {
        assert(affinity->idle_count > 0);
        affinity->idle_count--;
        TAILQ_REMOVE(&affinity->idle, page, queue);
        (void)lru_tree_RB_REMOVE(&pool->idle_pages, page);
    }
}

static void count(uint32_t *counter, int sign)
{
    assert(sign > 0 || *counter > 0);
    *counter = sign > 0 ? *counter + 1 : *counter - 1;
}

void pool_affinity_count(struct pool *pool, struct page *page, int sign)
{
    struct affinity *affinity = page->affinity;
    switch (page->state) {
    case PAGE_OPENING:
        assert((affinity->opening == NULL) == (sign > 0));
        affinity->opening = sign > 0 ? page : NULL;
        break;
    case PAGE_IDLE:
        count_idle(pool, page, sign);
        break;
    case PAGE_PROBING:
        count(&affinity->probing, sign);
        break;
    case PAGE_LEASED:
        count(&affinity->leased, sign);
        break;
    case PAGE_STANDBY: /* Bound in this very transition. */
    case PAGE_DOOMED:
    case PAGE_CLOSING:
    case PAGE_KILLING:
    case PAGE_ZOMBIE:
    case PAGE_GONE:
        return;
    }
    bool permitted = page->state == PAGE_PROBING || page->state == PAGE_LEASED;
    if (permitted && page->lane == POOL_MAIN)
        count(&affinity->mains, sign);
}

void pool_affinity_epoch_end(struct pool *pool, struct affinity *affinity)
{
    assert(affinity->touched);
    affinity->epoch = ++pool->last_epoch;
}

uint64_t pool_affinity_batch(const struct pool *pool, const struct affinity *affinity)
{
    if (affinity->batch == 0)
        return 0;
    bool over = pool->now_ms - affinity->batch_ms >= pool->config.batch_owner_ttl_ms;
    return over ? 0 : affinity->batch;
}

static void emit_edge(struct pool *pool, enum pool_action_type type,
                      const struct affinity *affinity, uint64_t epoch)
{
    struct pool_action *action = pool_emit(pool, type);
    action->key = affinity->key;
    action->key_bytes = affinity->key_bytes;
    action->epoch = epoch;
}

/* An affinity that ended and started within one step lost its warm state, and with it
 * the owner of that state; but it is live, so nobody is told that it was evicted. */
static void publish_edges(struct pool *pool, struct affinity *affinity)
{
    bool live = pool_affinity_routable(affinity) > 0;
    bool same = affinity->epoch == affinity->before_epoch;
    if (affinity->batch_epoch != affinity->epoch)
        affinity->batch = 0;
    if (affinity->single_use)
        return;
    if (affinity->before_live && (!live || (CANARY(CANARY_STALE_NOTICE) && !same)))
        emit_edge(pool, POOL_ENDED, affinity, affinity->before_epoch);
    if (live && (!affinity->before_live || !same))
        emit_edge(pool, POOL_STARTED, affinity, affinity->epoch);
}

static bool affinity_is_warm(const struct affinity *affinity)
{
    return pool_affinity_routable(affinity) > 0 || affinity->opening != NULL ||
           affinity->orphan != NULL;
}

/* The list of those that can expire; its order is that of becoming unused. */
static void keep_lru(struct pool *pool, struct affinity *affinity)
{
    bool unused = affinity_is_warm(affinity) && !pool_affinity_in_use(affinity);
    if (affinity->in_lru == unused)
        return;
    affinity->in_lru = unused;
    if (unused) {
        affinity->used_ms = pool->now_ms;
        TAILQ_INSERT_TAIL(&pool->lru, affinity, lru);
    } else {
        TAILQ_REMOVE(&pool->lru, affinity, lru);
    }
}

static void affinity_forget(struct pool *pool, struct affinity *affinity)
{
    assert(LIST_EMPTY(&affinity->pages) && LIST_EMPTY(&affinity->waits));
    assert(affinity->leaving == 0 && pool_affinity_tickets(affinity) == 0 && !affinity->in_lru);
    assert(affinity->victim_class == VICTIM_CLASSES);
    if (!affinity->single_use) {
        (void)key_tree_RB_REMOVE(&pool->by_key, affinity);
        pool->affinities_known--;
    }
    affinity->known = false;
    pool_arena_return(&pool->affinities, affinity);
}

void pool_affinities_publish(struct pool *pool)
{
    assert(STAILQ_EMPTY(&pool->unsettled));
    struct affinity *affinity;
    while ((affinity = STAILQ_FIRST(&pool->touched)) != NULL) {
        STAILQ_REMOVE_HEAD(&pool->touched, next_touched);
        affinity->touched = false;
        publish_edges(pool, affinity);
        keep_lru(pool, affinity);
        if (affinity->contexts == 0 && !pool_affinity_in_use(affinity))
            affinity_forget(pool, affinity);
    }
}
