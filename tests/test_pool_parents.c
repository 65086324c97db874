/* test_pool_parents.c: renders that wait for renders, on small pools and many affinities.
 *
 * Every main render asks for nested renders of its own affinity, one after the other, and
 * ends when they have ended. The browser answers a millisecond later. Nobody may come
 * near a deadline, however small the pool and however many wait for each other. */
#include "pool/pool.h"
#include "tests/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAINS_PER_AFFINITY 6
#define CHILDREN 3
#define AFFINITIES_MAX 10
#define REQUESTS_MAX (AFFINITIES_MAX * MAINS_PER_AFFINITY * (1 + CHILDREN) + 1)
#define EVENTS_MAX 4096
#define TIMEOUT_MS 60000

struct render {
    uint64_t parent, page;
    uint32_t children_left;
    int affinity;
    bool answered;
};

struct world {
    void *memory;
    struct pool *pool;
    uint64_t now_ms, requests;
    struct render renders[REQUESTS_MAX];
    struct pool_event events[EVENTS_MAX]; /* Due at the next millisecond. */
    size_t count;
    uint64_t done;
};

static void later(struct world *world, struct pool_event event)
{
    ck_assert_uint_lt(world->count, EVENTS_MAX);
    world->events[world->count++] = event;
}

static void want(struct world *world, int affinity, uint64_t parent)
{
    static char keys[AFFINITIES_MAX][8];
    (void)snprintf(keys[affinity], sizeof keys[affinity], "k%d", affinity);
    uint64_t id = ++world->requests;
    ck_assert_uint_lt(id, REQUESTS_MAX);
    world->renders[id] = (struct render){
        .parent = parent, .affinity = affinity, .children_left = parent == 0 ? CHILDREN : 0};
    later(world, (struct pool_event){.type = POOL_REQUEST,
                                     .request = {.id = id,
                                                 .key = keys[affinity],
                                                 .key_bytes = strlen(keys[affinity]),
                                                 .lane = parent == 0 ? POOL_MAIN : POOL_NESTED,
                                                 .deadline_ms = world->now_ms + TIMEOUT_MS,
                                                 .queue_deadline_ms = world->now_ms + TIMEOUT_MS}});
}

/* Wants the next child, or ends: then its parent does the same. */
static void go_on(struct world *world, uint64_t id)
{
    for (; id != 0; id = world->renders[id].parent) {
        struct render *render = &world->renders[id];
        if (render->children_left > 0) {
            render->children_left--;
            want(world, render->affinity, id);
            return;
        }
        ck_assert(!render->answered);
        render->answered = true;
        world->done++;
        later(world, (struct pool_event){
                         .type = POOL_RENDER_DONE, .request.id = id, .page = render->page});
    }
}

static void carry_out(struct world *world, const struct pool_action *action)
{
    struct pool_event answer = {
        .page = action->page, .context = action->context, .life = action->life};
    switch (action->type) {
    case POOL_LAUNCH:
        answer.type = POOL_LIFE_UP;
        later(world, answer);
        break;
    case POOL_OPEN:
        answer.type = POOL_OPENED;
        later(world, answer);
        break;
    case POOL_PROBE:
        answer.type = POOL_PROBED;
        later(world, answer);
        break;
    case POOL_CLOSE:
        answer.type = POOL_CLOSED;
        later(world, answer);
        break;
    case POOL_DISPOSE_CONTEXT:
        answer.type = POOL_CONTEXT_GONE;
        later(world, answer);
        break;
    case POOL_GRANT:
        world->renders[action->request].page = action->page;
        go_on(world, action->request);
        break;
    case POOL_KILL_LIFE:
    case POOL_ABORT:
    case POOL_KILL:
    case POOL_REFUSE:
    case POOL_FAIL:
        ck_abort_msg("%s of request %d", pool_action_name(action->type), (int)action->request);
        break;
    case POOL_REST:
    case POOL_STARTED:
    case POOL_ENDED:
    case POOL_DISPOSED:
    case POOL_CAP:
        break;
    }
}

static void step(struct world *world, const struct pool_event *event)
{
    struct pool_actions actions = pool_step(world->pool, world->now_ms, event);
    pool_check(world->pool);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(world, &actions.items[i]);
}

static void run(uint32_t pages, int affinities)
{
    const struct pool_config config = {
        .pages_min = pages,
        .pages_max = pages,
        .pages_high_priority_max = pages,
        .high_priority_threshold = UINT32_MAX,
        .standbys_min = 1,
        .orphan_contexts_max = 2 * pages,
        .affinity_pages_max = 5,
        .affinity_main_max = 4,
        .queue_max = 1000,
        .warm_bypass_max = 4,
        .contraction_idle_ms = 60000,
        .affinity_idle_ms = 43200000,
        .batch_owner_ttl_ms = 600000,
        .open_timeout_ms = 30000,
        .probe_timeout_ms = 3000,
        .close_timeout_ms = 2000,
        .kill_timeout_ms = 2000,
        .evict_retains = true,
        .recycle_timeout_ms = 120000,
        .backoff_min_ms = 250,
        .backoff_max_ms = 8000,
    };
    static struct world world;
    memset(&world, 0, sizeof world);
    world.memory = calloc(1, pool_bytes(&config));
    ck_assert_ptr_nonnull(world.memory);
    world.pool = pool_init(world.memory, &config, 0);
    const struct pool_event tick = {.type = POOL_TICK};
    step(&world, &tick);
    for (int i = 0; i < affinities * MAINS_PER_AFFINITY; i++)
        want(&world, i % affinities, 0);
    while (world.count > 0) {
        static struct pool_event due[EVENTS_MAX];
        size_t count = world.count;
        memcpy(due, world.events, count * sizeof *due);
        world.count = 0;
        world.now_ms++;
        for (size_t i = 0; i < count; i++)
            step(&world, &due[i]);
    }
    ck_assert_uint_eq(world.done, (uint64_t)affinities * MAINS_PER_AFFINITY * (1 + CHILDREN));
    ck_assert_uint_lt(world.now_ms, TIMEOUT_MS / 10);
    free(world.memory);
}

/* Pools of 1, 2 and 3 pages; 1, 2 and 10 affinities at once. */
START_TEST(all_end)
{
    static const int affinities[] = {1, 2, 10};
    run((uint32_t)(_i / 3 + 1), affinities[_i % 3]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool: parents");
    TCase *test_case = tcase_create("parents");
    tcase_add_loop_test(test_case, all_end, 0, 9);
    suite_add_tcase(suite, test_case);
    return suite_run(suite, SUITE_FORKS);
}
