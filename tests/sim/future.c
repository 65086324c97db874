/* future.c: a binary heap of what is going to happen, by (time, sequence). */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>

static bool sooner(const struct future *a, const struct future *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->seq < b->seq;
}

static void swap(struct future *a, struct future *b)
{
    struct future copy = *a;
    *a = *b;
    *b = copy;
}

void futures_push(struct futures *futures, struct future future)
{
    if (futures->count == futures->capacity) {
        futures->capacity = futures->capacity == 0 ? 64 : futures->capacity * 2;
        futures->items = realloc(futures->items, futures->capacity * sizeof *futures->items);
        assert(futures->items != NULL);
    }
    future.seq = ++futures->last_seq;
    size_t at = futures->count++;
    futures->items[at] = future;
    while (at > 0 && sooner(&futures->items[at], &futures->items[(at - 1) / 2])) {
        swap(&futures->items[at], &futures->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

struct future futures_pop(struct futures *futures)
{
    assert(futures->count > 0);
    struct future first = futures->items[0];
    futures->items[0] = futures->items[--futures->count];
    size_t at = 0;
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < futures->count && sooner(&futures->items[left], &futures->items[least]))
            least = left;
        if (right < futures->count && sooner(&futures->items[right], &futures->items[least]))
            least = right;
        if (least == at)
            break;
        swap(&futures->items[at], &futures->items[least]);
        at = least;
    }
    return first;
}
