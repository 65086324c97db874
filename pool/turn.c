/* turn.c: how many holders of tickets rank before a request.
 *
 * Nobody asks for a slot whose turn to run would not come: while running renders and the
 * tickets of requests before it use up the permits, it waits without a ticket. The
 * tickets stand in a tree by place in which each node knows the size of its subtree, so
 * that the question costs one walk down. The tree of libbsd calls RB_AUGMENT at every
 * rotation; what lies above the changed node is put right after each change. */
#include <stddef.h>

struct request;
static void turn_augment(struct request *);
#define RB_AUGMENT(request) turn_augment(request)

#include "pool/parts.h"

static int turn_cmp(const struct request *a, const struct request *b)
{
    if (a->turn_place.order != b->turn_place.order || a->turn_place.seq != b->turn_place.seq)
        return pool_rank_before(&a->turn_place, &b->turn_place) ? -1 : 1;
    if (a == b)
        return 0;
    return pool_rank_before(&a->rank, &b->rank) ? -1 : 1;
}

RB_GENERATE(turn_tree, request, turn, turn_cmp)

static void turn_augment(struct request *request)
{
    const struct request *left = RB_LEFT(request, turn), *right = RB_RIGHT(request, turn);
    request->turn_all = 1;
    request->turn_mains = request->lane == POOL_MAIN ? 1 : 0;
    if (left != NULL) {
        request->turn_all += left->turn_all;
        request->turn_mains += left->turn_mains;
    }
    if (right != NULL) {
        request->turn_all += right->turn_all;
        request->turn_mains += right->turn_mains;
    }
}

static void augment_upwards(struct request *request)
{
    for (; request != NULL; request = RB_PARENT(request, turn))
        turn_augment(request);
}

void pool_turn_add(struct pool *pool, struct request *request)
{
    assert(request->ticket != NULL);
    request->turn_place = pool_request_place(request);
    struct request *equal = turn_tree_RB_INSERT(&pool->turns, request);
    assert(equal == NULL);
    augment_upwards(request);
}

void pool_turn_remove(struct pool *pool, struct request *request)
{
    /* The lowest node whose subtree changes: the parent of the node that leaves its place,
     * which is the successor when there are two children. */
    struct request *lowest = RB_PARENT(request, turn);
    if (RB_LEFT(request, turn) != NULL && RB_RIGHT(request, turn) != NULL) {
        struct request *successor = turn_tree_RB_NEXT(request);
        lowest = RB_PARENT(successor, turn);
        if (lowest == request)
            lowest = successor;
    }
    (void)turn_tree_RB_REMOVE(&pool->turns, request);
    augment_upwards(lowest);
}

/* Nested requests inherit the place of a main render, which may have come or gone. */
void pool_turns_settle(struct pool *pool, struct affinity *affinity)
{
    if (affinity->tickets[POOL_NESTED] == 0 && affinity->opening == NULL)
        return;
    for (unsigned line = POOL_NESTED * TIERS * TICKET_KINDS; line < LINES; line++) {
        struct request *request;
        if (line % TICKET_KINDS == TICKET_NONE)
            continue;
        RB_FOREACH(request, line, &affinity->lines[line])
        {
            struct rank place = pool_request_place(request);
            if (place.order == request->turn_place.order && place.seq == request->turn_place.seq)
                continue;
            pool_turn_remove(pool, request);
            pool_turn_add(pool, request);
        }
    }
}

static void add_up(const struct request *left, uint32_t *all, uint32_t *mains)
{
    if (left == NULL)
        return;
    *all += left->turn_all;
    *mains += left->turn_mains;
}

/* Adds up the holders of tickets that stand before `request`, itself left out. */
static void count_before(const struct pool *pool, const struct request *request, uint32_t *all,
                         uint32_t *mains)
{
    struct request wanted;
    wanted.rank = request->rank;
    wanted.turn_place = pool_request_place(request);
    const struct request *node = RB_ROOT(&pool->turns);
    while (node != NULL && node != request) {
        if (turn_cmp(node, &wanted) > 0) {
            node = RB_LEFT(node, turn);
            continue;
        }
        *all += 1;
        *mains += node->lane == POOL_MAIN ? 1 : 0;
        add_up(RB_LEFT(node, turn), all, mains);
        node = RB_RIGHT(node, turn);
    }
    if (node != NULL)
        add_up(RB_LEFT(node, turn), all, mains);
}

bool pool_has_turn(const struct pool *pool, const struct request *request)
{
    uint32_t all_max = pool->cap + 1, main_max = pool_main_bound(pool);
    uint32_t mains = pool_running_in(pool, POOL_MAIN);
    uint32_t all = mains + pool_running_in(pool, POOL_NESTED);
    count_before(pool, request, &all, &mains);
    return all < all_max && (request->lane == POOL_NESTED || mains < main_max);
}
