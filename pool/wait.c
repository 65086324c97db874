/* wait.c: where the time of a waiting request goes.
 *
 * Ten thousand requests may wait while a gate opens and closes, so nobody walks over
 * them: each gate keeps a clock of the time it was open, each affinity one of the open
 * time during which its main permits were used, and a request only remembers what the
 * clocks showed when it was last settled. States change at steps, so between two steps
 * every clock runs or stands. */
#include "pool/parts.h"

uint64_t pool_admission_clock_ms(const struct pool *pool, const struct affinity *affinity)
{
    uint64_t running_ms = 0;
    if (affinity->main_closed)
        running_ms = pool->open_ms[POOL_MAIN] - affinity->admission_mark_ms;
    return affinity->admission_ms + running_ms;
}

void pool_wait_begin(struct pool *pool, struct request *request)
{
    request->mark_ms = pool->now_ms;
    request->mark_open_ms = pool->open_ms[request->lane];
    request->mark_admission_ms = pool_admission_clock_ms(pool, request->affinity);
}

void pool_wait_settle(struct pool *pool, struct request *request)
{
    assert(request->state == REQUEST_WAITING);
    struct pool_waits *waits = &request->waits;
    uint64_t elapsed_ms = pool->now_ms - request->mark_ms;
    uint64_t open_ms = pool->open_ms[request->lane] - request->mark_open_ms;
    uint64_t admission_ms = 0;
    if (request->lane == POOL_MAIN)
        admission_ms =
            pool_admission_clock_ms(pool, request->affinity) - request->mark_admission_ms;
    assert(open_ms <= elapsed_ms && admission_ms <= open_ms);
    waits->permit_ms += elapsed_ms - open_ms;
    waits->admission_ms += admission_ms;
    *(request->ticket != NULL ? &waits->open_ms : &waits->slot_ms) += open_ms - admission_ms;
    pool_wait_begin(pool, request);
}
