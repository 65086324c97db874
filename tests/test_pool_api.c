/* test_pool_api.c: the edges of pool.h: keys of any bytes, large batches, memory that is
 * not touched, times that go back, and runs that repeat exactly. */
#include "pool/pool.h"
#include "tests/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static const struct pool_config base = {
    .pages_min = 1,
    .pages_max = 1,
    .pages_high_priority_max = 1,
    .high_priority_threshold = UINT32_MAX,
    .standbys_min = 1,
    .orphan_contexts_max = 4,
    .affinity_pages_max = 5,
    .affinity_main_max = 4,
    .queue_max = 2000,
    .warm_bypass_max = 4,
    .contraction_idle_ms = 60000,
    .affinity_idle_ms = 43200000,
    .batch_owner_ttl_ms = 600000,
    .open_timeout_ms = 30000,
    .close_timeout_ms = 2000,
    .kill_timeout_ms = 2000,
    .recycle_timeout_ms = 120000,
    .backoff_min_ms = 250,
    .backoff_max_ms = 8000,
};

struct world {
    void *memory;
    struct pool *pool;
};

static struct pool_actions step(struct world *world, uint64_t now_ms, struct pool_event event)
{
    struct pool_actions actions = pool_step(world->pool, now_ms, &event);
    pool_check(world->pool);
    return actions;
}

/* A pool with one standby. */
static struct world world_new(const struct pool_config *config)
{
    struct world world = {.memory = calloc(1, pool_bytes(config))};
    ck_assert_ptr_nonnull(world.memory);
    world.pool = pool_init(world.memory, config, 0);
    ck_assert_uint_eq(pool_deadline_ms(world.pool), 0);
    (void)step(&world, 0, (struct pool_event){.type = POOL_TICK});
    (void)step(&world, 0, (struct pool_event){.type = POOL_LIFE_UP, .life = 1});
    (void)step(&world, 0, (struct pool_event){.type = POOL_OPENED, .page = 1});
    return world;
}

static struct pool_event ask(uint64_t id, const char *key, size_t key_bytes, uint64_t deadline_ms)
{
    return (struct pool_event){.type = POOL_REQUEST,
                               .request = {.id = id,
                                           .key = key,
                                           .key_bytes = key_bytes,
                                           .deadline_ms = deadline_ms,
                                           .queue_deadline_ms = deadline_ms}};
}

static size_t count(const struct pool_actions *actions, enum pool_action_type type)
{
    size_t found = 0;
    for (size_t i = 0; i < actions->count; i++)
        found += actions->items[i].type == type ? 1 : 0;
    return found;
}

/* Any bytes make a key, up to the limit, and come back as they were. */
START_TEST(keys_are_bytes)
{
    struct world world = world_new(&base);
    char key[POOL_KEY_BYTES_MAX];
    memset(key, 0xff, sizeof key);
    key[0] = '\0';
    key[sizeof key - 1] = '\0';
    struct pool_actions actions = step(&world, 1, ask(1, key, sizeof key, 1000));
    ck_assert_uint_eq(count(&actions, POOL_STARTED), 1);
    const struct pool_action *started = &actions.items[actions.count - 1];
    ck_assert_int_eq(started->type, POOL_STARTED);
    ck_assert_uint_eq(started->key_bytes, sizeof key);
    ck_assert_mem_eq(started->key, key, sizeof key);
    /* A prefix is another key. */
    (void)step(&world, 2, ask(2, key, sizeof key - 1, 1000));
    (void)step(&world, 2, ask(3, key, 1, 1000));
    struct pool_affinity affinity;
    size_t cursor = 0, known = 0;
    while (pool_next_affinity(world.pool, &cursor, &affinity))
        known++;
    ck_assert_uint_eq(known, 3);
    ck_assert(pool_find_affinity(world.pool, key, sizeof key - 1, &affinity));
    ck_assert_uint_eq(affinity.key_bytes, sizeof key - 1);
    ck_assert_uint_eq(affinity.waiting, 1);
    ck_assert(!pool_find_affinity(world.pool, key, 2, &affinity));
    struct pool_stats stats;
    pool_get_stats(world.pool, &stats);
    ck_assert_uint_eq(stats.affinities, 3);
    free(world.memory);
}
END_TEST

/* An affinity that ends is told by its key, although its record is free by then. */
START_TEST(ended_key_is_readable)
{
    struct world world = world_new(&base);
    (void)step(&world, 1, ask(1, "acme", 4, 1000));
    struct pool_actions actions =
        step(&world, 2, (struct pool_event){.type = POOL_CONTEXT_GONE, .context = 1});
    ck_assert_uint_eq(count(&actions, POOL_FAIL), 1);
    const struct pool_action *ended = &actions.items[actions.count - 1];
    ck_assert_int_eq(ended->type, POOL_ENDED);
    ck_assert_mem_eq(ended->key, "acme", 4);
    free(world.memory);
}
END_TEST

/* After a stall a thousand requests are late at once. They are answered in batches, and
 * the next tick is due until all are. */
START_TEST(late_requests_come_in_batches)
{
    struct world world = world_new(&base);
    for (uint64_t id = 1; id <= 1001; id++) {
        char key[16];
        int length = snprintf(key, sizeof key, "k%d", (int)id);
        (void)step(&world, 1, ask(id, key, (size_t)length, 1000));
    }
    size_t refused = 0, aborted = 0, ticks = 0;
    while (pool_deadline_ms(world.pool) <= 5000) {
        struct pool_actions actions = step(&world, 5000, (struct pool_event){.type = POOL_TICK});
        ck_assert_uint_le(actions.count, 600);
        refused += count(&actions, POOL_REFUSE);
        aborted += count(&actions, POOL_ABORT);
        ck_assert_uint_eq(count(&actions, POOL_GRANT), 0);
        ck_assert_uint_lt(++ticks, 10);
    }
    ck_assert_uint_eq(refused, 1000);
    ck_assert_uint_eq(aborted, 1);
    free(world.memory);
}
END_TEST

START_TEST(drain_refuses_in_batches)
{
    struct world world = world_new(&base);
    for (uint64_t id = 1; id <= 1001; id++)
        (void)step(&world, 1, ask(id, "acme", 4, 100000));
    struct pool_actions actions =
        step(&world, 2, (struct pool_event){.type = POOL_DRAIN, .deadline_ms = 500});
    size_t refused = count(&actions, POOL_REFUSE);
    ck_assert_uint_lt(refused, 1000);
    while (pool_deadline_ms(world.pool) <= 2) {
        actions = step(&world, 2, (struct pool_event){.type = POOL_TICK});
        ck_assert_uint_eq(count(&actions, POOL_GRANT), 0);
        refused += count(&actions, POOL_REFUSE);
    }
    ck_assert_uint_eq(refused, 1000);
    ck_assert_uint_eq(pool_deadline_ms(world.pool), 500);
    actions = step(&world, 500, (struct pool_event){.type = POOL_TICK});
    ck_assert_uint_eq(count(&actions, POOL_ABORT), 1);
    free(world.memory);
}
END_TEST

/* More callers than the pool can remember wait for a dispose: the last ones are answered
 * at once, the others when the close is acknowledged. */
START_TEST(dispose_waits_are_bounded)
{
    struct world world = world_new(&base);
    (void)step(&world, 1, ask(1, "acme", 4, 100000));
    size_t at_once = 0;
    for (uint64_t id = 1; id <= POOL_DISPOSE_WAITS_MAX + 3; id++) {
        struct pool_actions actions = step(&world, 2,
                                           (struct pool_event){.type = POOL_DISPOSE,
                                                               .key = "acme",
                                                               .key_bytes = 4,
                                                               .strength = POOL_DISPOSE_WAIT,
                                                               .dispose = id});
        at_once += count(&actions, POOL_DISPOSED);
    }
    ck_assert_uint_eq(at_once, 3);
    (void)step(&world, 3,
               (struct pool_event){.type = POOL_RENDER_DONE, .request.id = 1, .page = 1});
    struct pool_actions actions =
        step(&world, 4, (struct pool_event){.type = POOL_CLOSED, .page = 1});
    ck_assert_uint_eq(count(&actions, POOL_DISPOSED), POOL_DISPOSE_WAITS_MAX);
    free(world.memory);
}
END_TEST

/* The browser dies again and again under requests that better ones have overtaken: what
 * returns to its rank piles up only so far, and then the queue is full for others. */
START_TEST(returned_requests_are_bounded)
{
    struct pool_config config = base;
    config.queue_max = 1;
    struct world world = world_new(&config);
    uint64_t life = 1, page = 1, id = 0, now_ms = 1;
    size_t refused = 0;
    while (id < 200) {
        struct pool_event event = ask(++id, "acme", 4, 1000000000);
        event.request.priority = (uint32_t)id;
        event.request.repeatable = true;
        struct pool_actions actions = step(&world, now_ms, event);
        refused += count(&actions, POOL_REFUSE);
        (void)step(&world, now_ms, (struct pool_event){.type = POOL_LIFE_DOWN, .life = life++});
        now_ms = pool_deadline_ms(world.pool);
        (void)step(&world, now_ms, (struct pool_event){.type = POOL_TICK});
        actions = step(&world, now_ms, (struct pool_event){.type = POOL_LIFE_UP, .life = life});
        ck_assert_uint_ge(count(&actions, POOL_OPEN), 1);
        page = actions.items[0].page;
        (void)step(&world, now_ms, (struct pool_event){.type = POOL_OPENED, .page = page});
    }
    struct pool_stats stats;
    pool_get_stats(world.pool, &stats);
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_lt(stats.waiting_main, 20);
    free(world.memory);
}
END_TEST

/* The largest pool that can be configured costs address space, not memory. */
START_TEST(untouched_memory_costs_nothing)
{
    struct pool_config config = base;
    config.pages_min = config.pages_max = config.pages_high_priority_max = POOL_PAGES_LIMIT;
    config.orphan_contexts_max = POOL_ORPHANS_LIMIT;
    config.queue_max = POOL_QUEUE_LIMIT;
    size_t bytes = pool_bytes(&config);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    struct world world = {.memory = memory, .pool = pool_init(memory, &config, 0)};
    (void)step(&world, 0, (struct pool_event){.type = POOL_TICK});
    struct pool_actions actions =
        step(&world, 0, (struct pool_event){.type = POOL_LIFE_UP, .life = 1});
    ck_assert_uint_eq(count(&actions, POOL_OPEN), POOL_PAGES_LIMIT);
    size_t page_bytes = 4096, resident = 0;
    unsigned char *map = malloc(bytes / page_bytes + 1);
    ck_assert_ptr_nonnull(map);
    ck_assert_int_eq(mincore(memory, bytes, map), 0);
    for (size_t i = 0; i < bytes / page_bytes; i++)
        resident += map[i] & 1 ? page_bytes : 0;
    ck_assert_uint_lt(resident, 2 * 1024 * 1024);
    free(map);
    ck_assert_int_eq(munmap(memory, bytes), 0);
}
END_TEST

/* A clock that goes back stands still: nothing is early, and no wait is negative. */
START_TEST(time_never_goes_back)
{
    struct world world = world_new(&base);
    (void)step(&world, 100, ask(1, "acme", 4, 1000));
    (void)step(&world, 100, ask(2, "acme", 4, 1000));
    struct pool_actions actions =
        step(&world, 50, (struct pool_event){.type = POOL_RENDER_DONE, .request.id = 1, .page = 1});
    ck_assert_uint_eq(count(&actions, POOL_GRANT), 1);
    ck_assert_uint_eq(actions.items[0].grant.waits.permit_ms, 0);
    free(world.memory);
}
END_TEST

/* The same events at the same times give the same actions, wherever the pool lies. */
START_TEST(runs_repeat_exactly)
{
    struct world a = world_new(&base), b = world_new(&base);
    uint64_t random = 7;
    for (uint64_t id = 1; id < 3000; id++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        char key[8];
        int length = snprintf(key, sizeof key, "k%d", (int)(random >> 60));
        struct pool_event event = ask(id, key, (size_t)length, id * 10 + 500);
        if ((random >> 40 & 7) > 3)
            event = (struct pool_event){.type = (enum pool_event_type)(random >> 50 & 15),
                                        .page = random >> 30 & 31,
                                        .context = random >> 20 & 31,
                                        .life = random >> 10 & 7,
                                        .request = {.id = id,
                                                    .key = key,
                                                    .key_bytes = (size_t)length,
                                                    .deadline_ms = id * 10 + 50,
                                                    .queue_deadline_ms = id * 10 + 50},
                                        .key = key,
                                        .key_bytes = (size_t)length,
                                        .dispose = id,
                                        .deadline_ms = id * 10 + 100000};
        if (event.type == POOL_DRAIN)
            event.type = POOL_TICK;
        struct pool_actions left = step(&a, id * 10, event);
        struct pool_actions right = step(&b, id * 10, event);
        ck_assert_uint_eq(left.count, right.count);
        for (size_t i = 0; i < left.count; i++) {
            struct pool_action x = left.items[i], y = right.items[i];
            ck_assert_uint_eq(x.key_bytes, y.key_bytes);
            if (x.key_bytes > 0)
                ck_assert_mem_eq(x.key, y.key, x.key_bytes);
            x.key = y.key = NULL;
            ck_assert_mem_eq(&x, &y, sizeof x);
        }
    }
    free(a.memory);
    free(b.memory);
}
END_TEST

START_TEST(every_value_has_its_word)
{
    for (int type = POOL_REQUEST; type <= POOL_TICK; type++)
        ck_assert_str_ne(pool_event_name((enum pool_event_type)type), "unknown");
    for (int type = POOL_LAUNCH; type <= POOL_CAP; type++)
        ck_assert_str_ne(pool_action_name((enum pool_action_type)type), "unknown");
    for (int reason = POOL_NO_REASON; reason <= POOL_RECYCLE_TIMEOUT; reason++)
        ck_assert_str_ne(pool_reason_name((enum pool_reason)reason), "unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool: edges");
    TCase *test_case = tcase_create("edges");
    tcase_set_timeout(test_case, 60);
    tcase_add_test(test_case, keys_are_bytes);
    tcase_add_test(test_case, ended_key_is_readable);
    tcase_add_test(test_case, late_requests_come_in_batches);
    tcase_add_test(test_case, drain_refuses_in_batches);
    tcase_add_test(test_case, dispose_waits_are_bounded);
    tcase_add_test(test_case, returned_requests_are_bounded);
    tcase_add_test(test_case, untouched_memory_costs_nothing);
    tcase_add_test(test_case, time_never_goes_back);
    tcase_add_test(test_case, runs_repeat_exactly);
    tcase_add_test(test_case, every_value_has_its_word);
    suite_add_tcase(suite, test_case);
    return suite_run(suite, SUITE_FORKS);
}
