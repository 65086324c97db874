/* memory.c: the one block of the pool, cut into arenas and id tables at start. */
#include "pool/parts.h"

#include <stdalign.h>
#include <string.h>

/* Lives that can have pages at once: the one that serves and the one that retires. A
 * recycle waits until the retiring one is gone. */
#define LIVES_WITH_PAGES 2

/* How many records of each kind the configuration can ever need. */
struct sizes {
    uint32_t slots_max; /* Per life. */
    uint32_t nested_max;
    uint32_t pages, contexts, requests, affinities;
    size_t actions;
};

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void sizes_init(struct sizes *sizes, const struct pool_config *config)
{
    uint32_t cap_max = max_u32(config->pages_max, config->pages_high_priority_max);
    cap_max = max_u32(max_u32(cap_max, config->pages_min), 1);
    assert(cap_max <= POOL_PAGES_LIMIT);
    assert(config->orphan_contexts_max <= POOL_ORPHANS_LIMIT);
    assert(config->queue_max <= POOL_QUEUE_LIMIT);
    sizes->slots_max = cap_max + 1;
    sizes->nested_max = POOL_NESTED_PER_PAGE_MAX * sizes->slots_max;
    sizes->pages = LIVES_WITH_PAGES * sizes->slots_max;
    sizes->contexts = sizes->pages + LIVES_WITH_PAGES * config->orphan_contexts_max;
    /* In each lane: those that the queue takes, and those that run or came back. */
    sizes->requests = config->queue_max + sizes->nested_max + LANES * sizes->pages;
    /* An affinity is known while it has a context or a request, or was touched by the
     * event of this step. */
    sizes->affinities = sizes->contexts + sizes->requests + 1;
    /* In one step a page can be taken from a request (1), closed (1), its successor
     * opened (1), and its affinity end and start (2); a request is refused or probed
     * or granted (2 per page, plus the batch); a context disposed of. */
    sizes->actions = 8 * (size_t)sizes->pages + 2 * (size_t)sizes->contexts +
                     2 * (size_t)STEP_BATCH_MAX + POOL_DISPOSE_WAITS_MAX + 64;
}

/* Hands out the block piece by piece; without a base it only adds up. */
struct cutter {
    unsigned char *base;
    size_t used;
};

static void *cut(struct cutter *cutter, size_t bytes)
{
    const size_t unit = alignof(max_align_t);
    size_t start = cutter->used;
    assert(bytes <= SIZE_MAX - start - unit);
    cutter->used = start + (bytes + unit - 1) / unit * unit;
    return cutter->base == NULL ? NULL : cutter->base + start;
}

static void cut_arena(struct cutter *cutter, struct arena *arena, size_t bytes, uint32_t limit)
{
    const size_t unit = alignof(max_align_t);
    size_t record_bytes = (bytes + unit - 1) / unit * unit;
    *arena = (struct arena){
        .base = cut(cutter, record_bytes * limit), .record_bytes = record_bytes, .limit = limit};
}

static void cut_table(struct cutter *cutter, struct id_table *table, uint32_t limit)
{
    uint32_t bits = 4;
    while (((uint64_t)1 << bits) < limit)
        bits++;
    table->bits = bits;
    table->buckets = cut(cutter, sizeof *table->buckets << bits);
}

/* Sums up the block, and lays out `pool` in it when there is one. */
static size_t lay_out(struct pool *pool, const struct pool_config *config)
{
    struct pool layout;
    memset(&layout, 0, sizeof layout);
    struct cutter cutter = {.base = (unsigned char *)pool};
    struct sizes sizes;
    sizes_init(&sizes, config);
    (void)cut(&cutter, sizeof layout);
    cut_arena(&cutter, &layout.pages, sizeof(struct page), sizes.pages);
    cut_arena(&cutter, &layout.contexts, sizeof(struct context), sizes.contexts);
    cut_arena(&cutter, &layout.requests, sizeof(struct request), sizes.requests);
    cut_arena(&cutter, &layout.affinities, sizeof(struct affinity), sizes.affinities);
    layout.keys = cut(&cutter, (size_t)sizes.affinities * POOL_KEY_BYTES_MAX);
    cut_arena(&cutter, &layout.waits, sizeof(struct dispose_wait), POOL_DISPOSE_WAITS_MAX);
    cut_table(&cutter, &layout.pages_by_id, sizes.pages);
    cut_table(&cutter, &layout.contexts_by_id, sizes.contexts);
    cut_table(&cutter, &layout.requests_by_id, sizes.requests);
    layout.actions_max = sizes.actions;
    layout.actions = cut(&cutter, sizes.actions * sizeof *layout.actions);
    layout.nested_max = sizes.nested_max;
    layout.returned_max = sizes.pages;
    if (pool != NULL)
        *pool = layout;
    return cutter.used;
}

size_t pool_bytes(const struct pool_config *config)
{
    return lay_out(NULL, config);
}

/* Ranges are checked by config/; what remains is how the bounds relate. */
static void settle_config(struct pool *pool, const struct pool_config *config)
{
    struct pool_config *own = &pool->config;
    *own = *config;
    own->pages_min = max_u32(own->pages_min, 1);
    own->pages_max = max_u32(own->pages_max, own->pages_min);
    own->pages_high_priority_max = max_u32(own->pages_high_priority_max, own->pages_max);
    own->affinity_pages_max = max_u32(own->affinity_pages_max, 1);
    own->affinity_main_max = max_u32(own->affinity_main_max, 1);
    pool->ceiling[TIER_NORMAL] = own->pages_max;
    pool->ceiling[TIER_HIGH] = own->pages_high_priority_max;
    pool->main_max = own->affinity_main_max < own->affinity_pages_max ? own->affinity_main_max
                                                                      : own->affinity_pages_max;
    pool->cap = own->pages_min;
    pool->cap_before = pool->cap;
}

struct pool *pool_init(void *memory, const struct pool_config *config, uint64_t now_ms)
{
    assert(memory != NULL && (uintptr_t)memory % alignof(max_align_t) == 0);
    struct pool *pool = memory;
    (void)lay_out(pool, config);
    settle_config(pool, config);
    pool->now_ms = now_ms;
    TAILQ_INIT(&pool->waiting);
    TAILQ_INIT(&pool->lru);
    STAILQ_INIT(&pool->touched);
    STAILQ_INIT(&pool->unsettled);
    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++)
        pool->lives[i].state = LIFE_DOWN;
    pool->gate_open[POOL_MAIN] = pool->gate_open[POOL_NESTED] = true;
    pool_timer_set(pool, &pool->launch, TIMER_LAUNCH, now_ms);
    return pool;
}

void *pool_arena_take(struct arena *arena)
{
    void *record = arena->spare;
    if (record != NULL) {
        memcpy(&arena->spare, record, sizeof arena->spare);
    } else {
        assert(arena->used < arena->limit);
        record = arena->base + arena->record_bytes * arena->used++;
    }
    memset(record, 0, arena->record_bytes);
    return record;
}

void pool_arena_return(struct arena *arena, void *record)
{
    assert((unsigned char *)record >= arena->base);
    assert((unsigned char *)record < arena->base + arena->record_bytes * arena->used);
    memcpy(record, &arena->spare, sizeof arena->spare);
    arena->spare = record;
}

/* Ids are handed out in sequence; Fibonacci hashing spreads them evenly. */
static struct id_node **id_bucket(const struct id_table *table, uint64_t id)
{
    uint64_t hash = id * UINT64_C(0x9E3779B97F4A7C15);
    return &table->buckets[hash >> (64 - table->bits)];
}

void *pool_id_find(const struct id_table *table, uint64_t id)
{
    struct id_node *node = *id_bucket(table, id);
    while (node != NULL && node->id != id)
        node = node->next;
    return node;
}

void pool_id_insert(struct id_table *table, struct id_node *node)
{
    assert(node->id != 0);
    assert(pool_id_find(table, node->id) == NULL);
    struct id_node **bucket = id_bucket(table, node->id);
    node->next = *bucket;
    *bucket = node;
}

void pool_id_remove(struct id_table *table, struct id_node *node)
{
    struct id_node **link = id_bucket(table, node->id);
    while (*link != node) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
}
