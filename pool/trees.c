/* trees.c: the orders of the pool's trees, and the trees themselves. No order depends on
 * an address, so runs repeat exactly. */
#include "pool/parts.h"

#include <string.h>

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Sooner first; equal times in the order of setting. */
static int timer_cmp(const struct timer *a, const struct timer *b)
{
    int order = compare_u64(a->due_ms, b->due_ms);
    return order != 0 ? order : compare_u64(a->seq, b->seq);
}

/* The hash only spares comparisons of bytes: keys that collide on purpose cost no more
 * than their comparison. */
static int affinity_key_cmp(const struct affinity *a, const struct affinity *b)
{
    int order = compare_u64(a->key_hash, b->key_hash);
    if (order == 0)
        order = compare_u64(a->key_bytes, b->key_bytes);
    return order != 0 ? order : memcmp(a->key, b->key, a->key_bytes);
}

static int affinity_victim_cmp(const struct affinity *a, const struct affinity *b)
{
    return compare_u64(a->victim_seq, b->victim_seq);
}

static int page_lru_cmp(const struct page *a, const struct page *b)
{
    return compare_u64(a->used_seq, b->used_seq);
}

static int rank_cmp(const struct rank *a, const struct rank *b)
{
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return compare_u64(a->seq, b->seq);
}

static int request_rank_cmp(const struct request *a, const struct request *b)
{
    return rank_cmp(&a->rank, &b->rank);
}

/* Nested requests of one affinity may have inherited the same place. */
static int request_place_cmp(const struct request *a, const struct request *b)
{
    int order = rank_cmp(&a->place, &b->place);
    return order != 0 ? order : rank_cmp(&a->rank, &b->rank);
}

RB_GENERATE(timer_tree, timer, node, timer_cmp)
RB_GENERATE(key_tree, affinity, by_key, affinity_key_cmp)
RB_GENERATE(victim_tree, affinity, victim, affinity_victim_cmp)
RB_GENERATE(lru_tree, page, lru, page_lru_cmp)
RB_GENERATE(line, request, line, request_rank_cmp)
RB_GENERATE(front_tree, request, ahead, request_place_cmp)
