/* admin.c: those who dispose of affinities, recycle the browser and end batches. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "pool/parts.h"

static struct sim_wait *wait_at(struct sim *sim, uint64_t id)
{
    if (id >= sim->waits_count) {
        size_t count = id < 64 ? 128 : id * 2;
        sim->waits = realloc(sim->waits, count * sizeof *sim->waits);
        assert(sim->waits != NULL);
        memset(sim->waits + sim->waits_count, 0, (count - sim->waits_count) * sizeof *sim->waits);
        sim->waits_count = count;
    }
    return &sim->waits[id];
}

static void dispose(struct sim *sim, uint64_t affinity)
{
    enum pool_strength strength = (enum pool_strength)random_below(&sim->random, 3);
    struct pool_event event = {.type = POOL_DISPOSE,
                               .key = sim->affinities[affinity].key,
                               .key_bytes = strlen(sim->affinities[affinity].key),
                               .strength = strength};
    if (strength == POOL_DISPOSE_WAIT) {
        event.dispose = ++sim->last_wait;
        *wait_at(sim, event.dispose) =
            (struct sim_wait){.id = event.dispose, .affinity = affinity, .step = sim->step + 1};
    }
    sim_step(sim, &event);
}

void admin(struct sim *sim, const struct future *future)
{
    if (sim->load_over || sim->load.admin_interval_ms == 0)
        return;
    sim_later(sim, random_around(&sim->random, sim->load.admin_interval_ms), *future);
    uint64_t affinity = random_below(&sim->random, sim->load.keys);
    uint64_t drawn = random_below(&sim->random, 10);
    struct pool_event recycle = {.type = POOL_RECYCLE};
    struct pool_event release = {.type = POOL_RELEASE_BATCH,
                                 .key = sim->affinities[affinity].key,
                                 .key_bytes = strlen(sim->affinities[affinity].key),
                                 .batch = random_between(&sim->random, 1, 2)};
    if (drawn == 0)
        sim_step(sim, &recycle);
    else if (drawn <= 2)
        sim_step(sim, &release);
    else
        dispose(sim, affinity);
}

/* The caller was promised that nothing of the earlier epochs is left but zombies. */
void admin_disposed(struct sim *sim, const struct pool_action *action)
{
    struct sim_wait *wait = wait_at(sim, action->dispose);
    SIM_CHECK(sim, wait->id == action->dispose && !wait->answered, "dispose %lu is answered twice",
              action->dispose);
    wait->answered = true;
    for (uint64_t i = 1; i < sim->contexts_count; i++) {
        const struct sim_context *context = &sim->contexts[i];
        if (!context->exists || !context->bound || context->affinity != wait->affinity ||
            context->private_request != 0 || context->bound_step >= wait->step)
            continue;
        const struct context *known = pool_id_find(&sim->pool->contexts_by_id, i);
        SIM_CHECK(sim, known == NULL || known->state == CONTEXT_ZOMBIE,
                  "dispose %lu is answered while context %lu is there", action->dispose, i);
    }
}
