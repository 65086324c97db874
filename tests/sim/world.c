/* world.c: plays one seed: load and faults, then peace, then the floor. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/pool_text.h"

/* Steps that the pool may take to come to rest when the faults have stopped. */
#define REST_STEPS_MAX 40000
#define TEXT_BYTES 65536

void sim_fail(const struct sim *sim, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "seed %" PRIu64 " step %" PRIu64 " at %" PRIu64 " ms: ", sim->seed,
                  sim->step, sim->now_ms);
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    exit(EXIT_FAILURE);
}

void sim_later(struct sim *sim, uint64_t delay_ms, struct future future)
{
    future.time_ms = sim->now_ms + delay_ms;
    futures_push(&sim->futures, future);
}

static void carry_out(struct sim *sim, const struct pool_action *action)
{
    switch (action->type) {
    case POOL_GRANT:
        chromium_granted(sim, action);
        clients_granted(sim, action);
        break;
    case POOL_PROBE:
        clients_probed(sim, action);
        break;
    case POOL_ABORT:
        clients_aborted(sim, action);
        break;
    case POOL_REFUSE:
        clients_refused(sim, action);
        break;
    case POOL_FAIL:
        clients_failed(sim, action);
        break;
    case POOL_STARTED:
        manager_started(sim, action);
        break;
    case POOL_ENDED:
        manager_ended(sim, action);
        break;
    case POOL_DISPOSED:
        admin_disposed(sim, action);
        break;
    case POOL_CAP:
        sim->cap = action->cap;
        break;
    case POOL_LAUNCH:
    case POOL_KILL_LIFE:
    case POOL_OPEN:
    case POOL_REST:
    case POOL_CLOSE:
    case POOL_DISPOSE_CONTEXT:
    case POOL_KILL:
        break;
    }
    chromium_act(sim, action);
}

/* What runs in a browser that dies is back in the queue before the pool says otherwise. */
static void renders_of_life_return(struct sim *sim, uint64_t life)
{
    for (uint64_t i = 1; i <= sim->last_request; i++) {
        const struct sim_request *request = &sim->requests[i];
        if (request->fate == ASK_RUNNING && page_at(sim, request->page)->life == life)
            clients_back_to_rank(sim, i);
    }
}

/* One line per step. After step and time: the cap; pages that are opening, standby, idle,
 * probing, leased, doomed, closing, killing, zombie; orphans and those that close; waiting
 * and running requests, main + nested. Then the event and what came of it. */
static void print_step(const struct sim *sim, const struct pool_event *event,
                       const struct pool_actions *actions)
{
    char *text = malloc(TEXT_BYTES);
    assert(text != NULL);
    struct pool_stats stats;
    pool_get_stats(sim->pool, &stats);
    pool_event_text(event, text, TEXT_BYTES);
    printf("%6" PRIu64 " %8" PRIu64 " %2u | %u %u %u %u %u %u %u %u %u | %u %u | %3u+%u %u+%u | %s",
           sim->step, sim->now_ms, stats.cap, stats.pages_opening, stats.pages_standby,
           stats.pages_idle, stats.pages_probing, stats.pages_leased, stats.pages_doomed,
           stats.pages_closing, stats.pages_killing, stats.pages_zombie, stats.contexts_orphan,
           stats.contexts_orphan_closing, stats.waiting_main, stats.waiting_nested,
           stats.running_main, stats.running_nested, text);
    pool_actions_text(actions, text, TEXT_BYTES);
    printf(" -> %s\n", text);
    free(text);
}

void sim_step(struct sim *sim, const struct pool_event *event)
{
    struct pool_event drawn = *event;
    drawn.random = (uint32_t)random_next(&sim->random);
    sim->step++;
    chromium_heard(sim, &drawn);
    if (drawn.type == POOL_LIFE_DOWN)
        renders_of_life_return(sim, drawn.life);
    oracle_before_step(sim, &drawn);
    coverage_before(sim->coverage, sim->pool);
    struct pool_actions actions = pool_step(sim->pool, sim->now_ms, &drawn);
    coverage_after(sim->coverage, sim->pool, drawn.type);
    if (sim->trace)
        print_step(sim, &drawn, &actions);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(sim, &actions.items[i]);
    oracle_after_step(sim, &drawn, &actions);
}

static void tick(struct sim *sim)
{
    struct pool_event event = {.type = POOL_TICK};
    sim_step(sim, &event);
    oracle_after_tick(sim);
}

static void happen(struct sim *sim, const struct future *future)
{
    switch (future->kind) {
    case FUTURE_EVENT:
        sim_step(sim, &future->event);
        break;
    case FUTURE_ARRIVAL:
        clients_arrival(sim, future);
        break;
    case FUTURE_CANCEL:
        clients_cancel(sim, future);
        break;
    case FUTURE_RENDER_END:
        clients_render_end(sim, future);
        break;
    case FUTURE_EFFECT:
        chromium_effect(sim, future);
        break;
    case FUTURE_ACCIDENT:
        chromium_accident(sim, future);
        break;
    case FUTURE_ADMIN:
        admin(sim, future);
        break;
    case FUTURE_NOTICE:
        manager_notice(sim, future);
        break;
    }
}

/* Asks the pool what a heartbeat would say of a random affinity, and makes sure. */
static void check_vacancy(struct sim *sim)
{
    struct pool_affinity affinity, chosen = {0};
    size_t cursor = 0;
    uint64_t seen = 0;
    while (pool_next_affinity(sim->pool, &cursor, &affinity)) {
        if (random_below(&sim->random, ++seen) == 0)
            chosen = affinity;
    }
    if (seen == 0 || sim->draining || sim->waiting_fresh >= sim->config.queue_max)
        return;
    uint64_t index = affinity_index(sim, chosen.key, chosen.key_bytes);
    uint64_t id = clients_ask(sim, index, POOL_MAIN, 0);
    bool started =
        request_at(sim, id)->fate == ASK_RUNNING || request_at(sim, id)->fate == ASK_PROBING;
    SIM_CHECK(sim, started == chosen.idle, "%s is reported %s, but a request %s",
              sim->affinities[index].key, chosen.idle ? "idle" : "busy",
              started ? "starts" : "waits");
}

static uint64_t future_ms(const struct sim *sim)
{
    return sim->futures.count > 0 ? sim->futures.items[0].time_ms : UINT64_MAX;
}

uint64_t world_next_ms(const struct sim *sim)
{
    uint64_t due_ms = pool_deadline_ms(sim->pool), next_ms = future_ms(sim);
    uint64_t first_ms = next_ms < due_ms ? next_ms : due_ms;
    return first_ms > sim->now_ms ? first_ms : sim->now_ms;
}

/* The next thing: events of this moment first, then the tick, then time goes on. */
void world_turn(struct sim *sim)
{
    uint64_t due_ms = pool_deadline_ms(sim->pool), next_ms = future_ms(sim);
    if (next_ms > sim->now_ms && due_ms > sim->now_ms) {
        uint64_t first_ms = next_ms < due_ms ? next_ms : due_ms;
        assert(first_ms != UINT64_MAX);
        sim->now_ms = first_ms;
    }
    if (random_chance(&sim->random, sim->faults.stalls))
        sim->now_ms += random_between(&sim->random, 10, 3000);
    if (random_chance(&sim->random, sim->faults.stalls) && random_chance(&sim->random, 20))
        sim->now_ms += 3600000; /* The machine was asleep. */
    if (next_ms <= sim->now_ms) {
        struct future future = futures_pop(&sim->futures);
        happen(sim, &future);
    } else {
        tick(sim);
    }
}

void world_drain(struct sim *sim, uint64_t grace_ms)
{
    struct pool_event event = {.type = POOL_DRAIN, .deadline_ms = sim->now_ms + grace_ms};
    sim->draining = true;
    sim_step(sim, &event);
}

static void play(struct sim *sim)
{
    while (sim->step < sim->steps_max) {
        world_turn(sim);
        if (random_chance(&sim->random, 10))
            check_vacancy(sim);
        if (sim->drain_ms != 0 && sim->now_ms >= sim->drain_ms && !sim->draining)
            world_drain(sim, 500);
    }
    memset(&sim->faults, 0, sizeof sim->faults);
    sim->load_over = true;
    uint64_t end = sim->step + REST_STEPS_MAX;
    while (!oracle_is_settled(sim) && sim->step < end &&
           (sim->futures.count > 0 || pool_deadline_ms(sim->pool) != UINT64_MAX))
        world_turn(sim);
    oracle_at_end(sim);
}

void world_open(struct sim *sim)
{
    sim->cap = sim->config.pages_min;
    sim->memory = calloc(1, pool_bytes(&sim->config));
    assert(sim->memory != NULL);
    sim->pool = pool_init(sim->memory, &sim->config, sim->now_ms);
}

void world_close(struct sim *sim)
{
    free(sim->memory);
    free(sim->pages);
    free(sim->contexts);
    free(sim->lives);
    free(sim->requests);
    free(sim->waits);
    free(sim->futures.items);
}

void world_run(uint64_t seed, uint64_t steps_max, bool trace, struct coverage *coverage,
               uint64_t *steps)
{
    struct sim sim = {.seed = seed,
                      .steps_max = steps_max,
                      .trace = trace,
                      .coverage = coverage,
                      .random.state = seed};
    configure(&sim);
    world_open(&sim);
    clients_start(&sim);
    play(&sim);
    *steps += sim.step;
    world_close(&sim);
}
