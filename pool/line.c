/* line.c: the waiting queue, kept so that pool_match() sees only what may move.
 *
 * The requests of one affinity stand in lines: same lane, same growth ceiling, same kind
 * of ticket. In a line only the first can move, since whatever stops it stops the others.
 * The first of each line stands in a front: among the first of other lines that wait for
 * the same kind of thing. In a front, too, only the first can move. pool_match() compares the
 * few fronts, whatever the number of waiting requests. */
#include "pool/parts.h"

bool pool_rank_before(const struct rank *a, const struct rank *b)
{
    return a->order != b->order ? a->order < b->order : a->seq < b->seq;
}

static unsigned line_index(const struct request *request)
{
    unsigned line = (unsigned)request->lane * TIERS + (unsigned)request->tier;
    return line * TICKET_KINDS + (unsigned)pool_ticket_kind(request);
}

static uint16_t line_bit(unsigned line)
{
    return (uint16_t)(1u << line);
}

static uint64_t front_bit(enum front front, unsigned line)
{
    static_assert(FRONTS * LINES <= 64, "pool.fronts_used has a bit for each");
    return UINT64_C(1) << ((unsigned)front * LINES + line);
}

static void front_leave(struct pool *pool, struct request *request, unsigned line)
{
    assert(request->front != FRONT_PARKED && request->affinity->heads[line] == request);
    struct front_tree *tree = &pool->fronts[request->front][line];
    (void)front_tree_RB_REMOVE(tree, request);
    if (RB_EMPTY(tree))
        pool->fronts_used &= ~front_bit(request->front, line);
    request->front = FRONT_PARKED;
    request->affinity->heads[line] = NULL;
    request->affinity->heads_used &= (uint16_t)~line_bit(line);
}

static void front_join(struct pool *pool, struct request *request, enum front front, unsigned line,
                       struct rank place)
{
    assert(front != FRONT_PARKED && request->front == FRONT_PARKED);
    request->front = front;
    request->place = place;
    request->affinity->heads[line] = request;
    request->affinity->heads_used |= line_bit(line);
    struct request *equal = front_tree_RB_INSERT(&pool->fronts[front][line], request);
    assert(equal == NULL);
    pool->fronts_used |= front_bit(front, line);
}

struct request *pool_front_head(const struct pool *pool, enum front front, unsigned line)
{
    if ((pool->fronts_used & front_bit(front, line)) == 0)
        return NULL;
    struct front_tree tree = pool->fronts[front][line];
    return RB_MIN(front_tree, &tree);
}

void pool_line_add(struct request *request)
{
    struct affinity *affinity = request->affinity;
    unsigned line = line_index(request);
    assert(request->state == REQUEST_WAITING && request->front == FRONT_PARKED);
    assert(affinity->unsettled);
    struct request *equal = line_RB_INSERT(&affinity->lines[line], request);
    assert(equal == NULL);
    affinity->lines_used |= line_bit(line);
}

void pool_line_remove(struct pool *pool, struct request *request)
{
    struct affinity *affinity = request->affinity;
    unsigned line = line_index(request);
    assert(request->state == REQUEST_WAITING && affinity->unsettled);
    if (request->front != FRONT_PARKED)
        front_leave(pool, request, line);
    (void)line_RB_REMOVE(&affinity->lines[line], request);
    if (RB_EMPTY(&affinity->lines[line]))
        affinity->lines_used &= (uint16_t)~line_bit(line);
}

struct request *pool_line_first(const struct affinity *affinity, enum pool_lane lane)
{
    const unsigned lane_lines = TIERS * TICKET_KINDS;
    struct request *first = NULL;
    unsigned used = affinity->lines_used >> ((unsigned)lane * lane_lines);
    for (used &= (1u << lane_lines) - 1; used != 0; used &= used - 1) {
        unsigned i = (unsigned)lane * lane_lines + (unsigned)__builtin_ctz(used);
        struct line line = affinity->lines[i];
        struct request *head = RB_MIN(line, &line);
        if (first == NULL || pool_rank_before(&head->rank, &first->rank))
            first = head;
    }
    return first;
}

/* A nested render stands where the best main render that may be waiting for it stands. */
struct rank pool_request_place(const struct request *request)
{
    if (request->lane != POOL_NESTED)
        return request->rank;
    struct request *main_render = RB_MIN(line, &request->affinity->main_renders);
    if (main_render != NULL && pool_rank_before(&main_render->rank, &request->rank))
        return main_render->rank;
    return request->rank;
}

static bool auth_differs(const struct request *request)
{
    const struct affinity *affinity = request->affinity;
    if (CANARY(CANARY_AUTH_KEPT))
        return false;
    return request->fingerprint != 0 && affinity->bound &&
           request->fingerprint != affinity->fingerprint;
}

static enum front front_of(const struct pool *pool, const struct request *request)
{
    const struct affinity *affinity = request->affinity;
    if (!pool_affinity_gate_is_open(pool, affinity, request->lane))
        return FRONT_PARKED;
    if (auth_differs(request))
        return FRONT_AUTH;
    if (affinity->idle_count > 0)
        return FRONT_READY;
    enum ticket_kind kind = pool_ticket_kind(request);
    if (kind == TICKET_OWN) /* It waits for its own context, not for a fresh one. */
        return FRONT_PARKED;
    if (!pool_below_page_limit(pool, affinity, request->lane, kind))
        return FRONT_PARKED;
    return affinity->orphan != NULL ? FRONT_ORPHAN : FRONT_PLAIN;
}

static void line_settle(struct pool *pool, struct affinity *affinity, unsigned line)
{
    struct request *head = RB_MIN(line, &affinity->lines[line]);
    struct request *standing = affinity->heads[line];
    enum front front = FRONT_PARKED;
    struct rank place = {0, 0};
    if (head != NULL) {
        front = front_of(pool, head);
        place = pool_request_place(head);
    }
    if (standing != NULL) {
        bool same_place = standing->place.order == place.order && standing->place.seq == place.seq;
        if (standing == head && standing->front == front && same_place)
            return;
        front_leave(pool, standing, line);
    }
    if (front != FRONT_PARKED)
        front_join(pool, head, front, line, place);
}

/* The order of step f: without waiters first, then those with several idle pages. */
static void victim_settle(struct pool *pool, struct affinity *affinity)
{
    uint8_t class = VICTIM_CLASSES;
    uint64_t seq = 0;
    if (affinity->idle_count > 0) {
        bool waiters = affinity->waiting[POOL_MAIN] + affinity->waiting[POOL_NESTED] > 0;
        class = (uint8_t)((waiters ? 2 : 0) + (affinity->idle_count > 1 ? 0 : 1));
        seq = TAILQ_FIRST(&affinity->idle)->used_seq;
    }
    if (affinity->victim_class == class && affinity->victim_seq == seq)
        return;
    if (affinity->victim_class != VICTIM_CLASSES)
        (void)victim_tree_RB_REMOVE(&pool->victims[affinity->victim_class], affinity);
    affinity->victim_class = class;
    affinity->victim_seq = seq;
    if (class != VICTIM_CLASSES)
        (void)victim_tree_RB_INSERT(&pool->victims[class], affinity);
}

/* Starts or stops the admission clock; see wait.c. */
static void admission_settle(struct pool *pool, struct affinity *affinity)
{
    bool closed = !pool_affinity_gate_is_open(pool, affinity, POOL_MAIN);
    if (closed == affinity->main_closed)
        return;
    affinity->admission_ms = pool_admission_clock_ms(pool, affinity);
    affinity->admission_mark_ms = pool->open_ms[POOL_MAIN];
    affinity->main_closed = closed;
}

void pool_lines_settle(struct pool *pool)
{
    struct affinity *affinity;
    while ((affinity = STAILQ_FIRST(&pool->unsettled)) != NULL) {
        STAILQ_REMOVE_HEAD(&pool->unsettled, next_unsettled);
        affinity->unsettled = false;
        admission_settle(pool, affinity);
        pool_turns_settle(pool, affinity);
        unsigned used = affinity->lines_used | affinity->heads_used;
        for (; used != 0; used &= used - 1)
            line_settle(pool, affinity, (unsigned)__builtin_ctz(used));
        victim_settle(pool, affinity);
    }
}
