/* pool_steps.c: what one step of the pool costs, and how that grows.
 *
 * A pool of eight pages under a load that never lets the queue get empty: N requests
 * wait, each of an affinity of its own out of 2 N, so that every render evicts a page,
 * opens one and grants it. The browser answers at once. Printed are steps per second of
 * processor time at 10, 1,000 and 10,000 waiting requests, the best of three rounds each,
 * and the growth of the time per step; the exit status is 1 when a step at 10,000 takes
 * over four times that at 10. */
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "pool/pool.h"

#define PAGES 8
#define STEPS 500000
#define ROUNDS 3
#define GROWTH_MAX 4.0

/* Answers that are due, oldest first. */
#define ANSWERS_MAX 4096

struct bench {
    struct pool *pool;
    void *memory;
    uint64_t now_ms, random, last_request, steps;
    uint32_t waiting_wanted;
    struct pool_event answers[ANSWERS_MAX];
    size_t first, count;
    uint64_t granted;
};

static uint64_t draw(struct bench *bench, uint64_t bound)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return bench->random % bound;
}

static void answer(struct bench *bench, struct pool_event event)
{
    assert(bench->count < ANSWERS_MAX);
    bench->answers[(bench->first + bench->count++) % ANSWERS_MAX] = event;
}

static void step(struct bench *bench, const struct pool_event *event)
{
    struct pool_actions actions = pool_step(bench->pool, bench->now_ms, event);
    bench->steps++;
    for (size_t i = 0; i < actions.count; i++) {
        const struct pool_action *action = &actions.items[i];
        struct pool_event back = {.page = action->page,
                                  .context = action->context,
                                  .life = action->life,
                                  .request.id = action->request};
        if (action->type == POOL_LAUNCH)
            back.type = POOL_LIFE_UP;
        else if (action->type == POOL_OPEN)
            back.type = POOL_OPENED;
        else if (action->type == POOL_CLOSE)
            back.type = POOL_CLOSED;
        else if (action->type == POOL_DISPOSE_CONTEXT)
            back.type = POOL_CONTEXT_GONE;
        else if (action->type == POOL_GRANT)
            back.type = POOL_RENDER_DONE;
        else
            continue;
        bench->granted += action->type == POOL_GRANT ? 1 : 0;
        answer(bench, back);
    }
}

static void arrive(struct bench *bench)
{
    char key[24];
    int length = snprintf(key, sizeof key, "https://%" PRIu64 ".example",
                          draw(bench, 2 * (uint64_t)bench->waiting_wanted));
    struct pool_event event = {.type = POOL_REQUEST,
                               .request = {.id = ++bench->last_request,
                                           .key = key,
                                           .key_bytes = (size_t)length,
                                           .priority = (uint32_t)draw(bench, 4),
                                           .deadline_ms = bench->now_ms + 1000000000,
                                           .queue_deadline_ms = bench->now_ms + 1000000000}};
    step(bench, &event);
}

static void turn(struct bench *bench)
{
    struct pool_stats stats;
    struct pool_event tick = {.type = POOL_TICK};
    pool_get_stats(bench->pool, &stats);
    if (stats.waiting_main < bench->waiting_wanted) {
        arrive(bench);
    } else if (bench->count > 0) {
        struct pool_event event = bench->answers[bench->first];
        bench->first = (bench->first + 1) % ANSWERS_MAX;
        bench->count--;
        step(bench, &event);
    } else {
        bench->now_ms = pool_deadline_ms(bench->pool);
        step(bench, &tick);
    }
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds per step. */
static double measure(uint32_t waiting)
{
    const struct pool_config config = {
        .pages_min = PAGES,
        .pages_max = PAGES,
        .high_priority_threshold = UINT32_MAX,
        .standbys_min = 1,
        .orphan_contexts_max = 4096,
        .affinity_pages_max = 5,
        .affinity_main_max = 4,
        .queue_max = 20000,
        .warm_bypass_max = 4,
        .contraction_idle_ms = 60000,
        .affinity_idle_ms = 43200000,
        .batch_owner_ttl_ms = 600000,
        .open_timeout_ms = 30000,
        .close_timeout_ms = 2000,
        .kill_timeout_ms = 2000,
        .evict_retains = true,
        .recycle_timeout_ms = 120000,
        .backoff_min_ms = 250,
        .backoff_max_ms = 8000,
    };
    static struct bench bench;
    bench = (struct bench){.random = 88172645463325252u, .waiting_wanted = waiting};
    bench.memory = calloc(1, pool_bytes(&config));
    assert(bench.memory != NULL);
    bench.pool = pool_init(bench.memory, &config, 0);
    for (uint32_t i = 0; i < waiting * 4 + 10000; i++)
        turn(&bench);
    double best = 0;
    uint64_t granted = bench.granted;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t end = bench.steps + STEPS;
        double started = seconds();
        while (bench.steps < end)
            turn(&bench);
        double took = (seconds() - started) / STEPS;
        best = round == 0 || took < best ? took : best;
    }
    struct pool_stats stats;
    pool_get_stats(bench.pool, &stats);
    printf("%6" PRIu32 " waiting, %6" PRIu32 " affinities: %9.0f steps/s, %5.0f ns per step, "
           "%4.2f steps per render\n",
           stats.waiting_main, stats.affinities, 1 / best, best * 1e9,
           (double)STEPS * ROUNDS / (double)(bench.granted - granted));
    free(bench.memory);
    return best;
}

int main(void)
{
    double few = measure(10);
    (void)measure(1000);
    double many = measure(10000);
    printf("a step at 10,000 takes %.2f times as long as at 10 (at most %.0f)\n", many / few,
           GROWTH_MAX);
    return many / few <= GROWTH_MAX ? EXIT_SUCCESS : EXIT_FAILURE;
}
