/* manager.c: the fleet manager's side: what it is told, and whether that is true. */
#include "tests/sim/sim.h"

#include <string.h>

uint64_t affinity_index(const struct sim *sim, const char *key, size_t key_bytes)
{
    for (uint64_t i = 0; i < KEYS_MAX; i++) {
        const char *known = sim->affinities[i].key;
        if (strlen(known) == key_bytes && memcmp(known, key, key_bytes) == 0)
            return i;
    }
    sim_fail(sim, "a key that nobody has used");
}

static bool is_live(const struct sim *sim, uint64_t index)
{
    struct pool_affinity affinity;
    size_t cursor = 0;
    while (pool_next_affinity(sim->pool, &cursor, &affinity)) {
        if (affinity_index(sim, affinity.key, affinity.key_bytes) == index)
            return affinity.live;
    }
    return false;
}

void manager_started(struct sim *sim, const struct pool_action *action)
{
    uint64_t index = affinity_index(sim, action->key, action->key_bytes);
    struct sim_affinity *affinity = &sim->affinities[index];
    SIM_CHECK(sim, !affinity->live || action->epoch != affinity->epoch, "%s started twice",
              affinity->key);
    SIM_CHECK(sim, action->epoch > affinity->epoch, "the epoch of %s went back", affinity->key);
    affinity->live = true;
    affinity->epoch = action->epoch;
    if (sim->owner != NULL)
        sim->owner->edge(sim, action);
}

void manager_ended(struct sim *sim, const struct pool_action *action)
{
    uint64_t index = affinity_index(sim, action->key, action->key_bytes);
    struct sim_affinity *affinity = &sim->affinities[index];
    SIM_CHECK(sim, affinity->live && affinity->epoch == action->epoch,
              "%s ended, but did not live in epoch %lu", affinity->key, action->epoch);
    SIM_CHECK(sim, !is_live(sim, index), "%s ended and is live", affinity->key);
    affinity->live = false;
    if (sim->owner != NULL) {
        sim->owner->edge(sim, action);
        return;
    }
    affinity->notice = true;
    sim_later(sim, random_around(&sim->random, 100),
              (struct future){.kind = FUTURE_NOTICE, .id = index});
}

/* The notice leaves the outbox now, unless the affinity is live again. */
void manager_notice(struct sim *sim, const struct future *future)
{
    struct sim_affinity *affinity = &sim->affinities[future->id];
    if (!affinity->notice || affinity->live)
        return;
    affinity->notice = false;
    sim->notices++;
    SIM_CHECK(sim, !is_live(sim, future->id), "notice for %s, which is live", affinity->key);
}

void manager_audit(struct sim *sim)
{
    bool live[KEYS_MAX] = {false};
    struct pool_affinity affinity;
    size_t cursor = 0;
    while (pool_next_affinity(sim->pool, &cursor, &affinity)) {
        uint64_t index = affinity_index(sim, affinity.key, affinity.key_bytes);
        SIM_CHECK(sim, affinity.live == (affinity.pages > 0), "live without a page");
        SIM_CHECK(sim, affinity.pages_idle <= affinity.pages, "more idle than all");
        live[index] = affinity.live;
        if (affinity.live)
            SIM_CHECK(sim, sim->affinities[index].epoch == affinity.epoch,
                      "the manager has missed an epoch of %s", sim->affinities[index].key);
    }
    for (uint64_t i = 0; i < KEYS_MAX; i++)
        SIM_CHECK(sim, live[i] == sim->affinities[i].live, "the warm list is wrong about %s",
                  sim->affinities[i].key);
}
