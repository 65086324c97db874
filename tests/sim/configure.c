/* configure.c: one seed draws the configuration, the load and the faults.
 *
 * Extremes are drawn on purpose: cap 1, no orphans, one page per affinity, no standbys,
 * a tier for high priority, timeouts that are shorter than what they wait for. */
#include "tests/sim/sim.h"

#include <stdio.h>

static uint32_t draw(struct sim *sim, uint32_t low, uint32_t high)
{
    return (uint32_t)random_between(&sim->random, low, high);
}

static bool chance(struct sim *sim, uint32_t permille)
{
    return random_chance(&sim->random, permille);
}

static void configure_pool(struct sim *sim)
{
    struct pool_config *config = &sim->config;
    config->pages_min = draw(sim, 1, chance(sim, 500) ? 1 : 4);
    config->pages_max = config->pages_min + (chance(sim, 500) ? 0 : draw(sim, 1, 4));
    config->pages_high_priority_max = config->pages_max;
    config->high_priority_threshold = UINT32_MAX;
    if (chance(sim, 400)) {
        config->pages_high_priority_max += draw(sim, 0, 3);
        config->high_priority_threshold = 5;
    }
    config->standbys_min = chance(sim, 700) ? 1 : draw(sim, 0, 3);
    config->orphan_contexts_max = draw(sim, 0, chance(sim, 500) ? 2 : 8);
    config->affinity_pages_max = draw(sim, 1, 4);
    config->affinity_main_max = draw(sim, 1, 4);
    config->queue_max = chance(sim, 300) ? draw(sim, 1, 5) : draw(sim, 20, 200);
    config->warm_bypass_max = draw(sim, 0, 4);
    config->priority_aging_ms = chance(sim, 700) ? 0 : draw(sim, 1, 500);
    config->contraction_idle_ms = draw(sim, 200, 5000);
    config->affinity_idle_ms = draw(sim, 1000, 60000);
    config->batch_owner_ttl_ms = draw(sim, 500, 10000);
    config->open_timeout_ms = draw(sim, 200, 3000);
    config->probe_timeout_ms = chance(sim, 300) ? 0 : draw(sim, 20, 500);
    config->close_timeout_ms = draw(sim, 50, 1000);
    config->kill_timeout_ms = draw(sim, 50, 1000);
    config->evict_retains = chance(sim, 700);
    config->recycle_renders = chance(sim, 700) ? 0 : draw(sim, 20, 200);
    config->page_recycle_renders = chance(sim, 600) ? 0 : draw(sim, 2, 30);
    config->recycle_age_ms = chance(sim, 800) ? 0 : draw(sim, 3000, 30000);
    config->recycle_timeout_ms = draw(sim, 300, 5000);
    config->backoff_min_ms = draw(sim, 20, 250);
    config->backoff_max_ms = draw(sim, 300, 3000);
}

static void configure_load(struct sim *sim)
{
    struct load *load = &sim->load;
    load->keys = draw(sim, 1, chance(sim, 300) ? 2 : KEYS_MAX);
    load->render_ms = draw(sim, 5, 300);
    /* From a tenth of the capacity to three times as much. */
    load->interval_ms = 1 + load->render_ms * draw(sim, 3, 100) / 10 / sim->config.pages_max;
    load->timeout_ms = load->render_ms * draw(sim, 5, 60) + 200;
    load->bursts = chance(sim, 300) ? draw(sim, 10, 100) : 0;
    load->cancels = chance(sim, 600) ? draw(sim, 10, 200) : 0;
    load->nested = chance(sim, 300) ? draw(sim, 20, 200) : 0;
    load->children = chance(sim, 600) ? draw(sim, 50, 700) : 0;
    load->priorities = chance(sim, 600) ? draw(sim, 50, 500) : 0;
    load->auth = chance(sim, 400) ? draw(sim, 5, 100) : 0;
    load->batches = chance(sim, 400) ? draw(sim, 50, 500) : 0;
    load->single_use = chance(sim, 300) ? draw(sim, 20, 500) : 0;
    load->repeatable = draw(sim, 0, 1000);
    load->short_queue = chance(sim, 300) ? draw(sim, 50, 500) : 0;
    load->admin_interval_ms = chance(sim, 600) ? draw(sim, 100, 5000) : 0;
    if (chance(sim, 100))
        sim->drain_ms = draw(sim, 1000, 60000);
}

static void configure_faults(struct sim *sim)
{
    struct faults *faults = &sim->faults;
    sim->calm = chance(sim, 150);
    if (sim->calm)
        return;
    faults->open_fails = chance(sim, 400) ? draw(sim, 10, 300) : 0;
    faults->open_transient = draw(sim, 0, 500);
    faults->open_slow = chance(sim, 400) ? draw(sim, 10, 200) : 0;
    faults->open_never = chance(sim, 300) ? draw(sim, 5, 80) : 0;
    faults->close_slow = chance(sim, 500) ? draw(sim, 10, 400) : 0;
    faults->close_never = chance(sim, 400) ? draw(sim, 5, 200) : 0;
    faults->kill_never = chance(sim, 400) ? draw(sim, 50, 800) : 0;
    faults->probe_fails = chance(sim, 400) ? draw(sim, 10, 200) : 0;
    faults->probe_never = chance(sim, 400) ? draw(sim, 10, 200) : 0;
    faults->render_hangs = chance(sim, 500) ? draw(sim, 5, 150) : 0;
    faults->render_unusable = chance(sim, 400) ? draw(sim, 10, 200) : 0;
    faults->render_crashes = chance(sim, 400) ? draw(sim, 5, 150) : 0;
    faults->duplicates = chance(sim, 400) ? draw(sim, 10, 200) : 0;
    faults->stale_replies = chance(sim, 400) ? draw(sim, 10, 500) : 0;
    faults->launch_fails = chance(sim, 300) ? draw(sim, 50, 500) : 0;
    faults->accident_interval_ms = chance(sim, 600) ? draw(sim, 100, 10000) : 0;
    faults->accident_page = draw(sim, 0, 10);
    faults->accident_context = draw(sim, 0, 10);
    faults->accident_life = draw(sim, 0, 4);
    faults->stalls = chance(sim, 200) ? draw(sim, 1, 10) : 0;
}

void configure(struct sim *sim)
{
    configure_pool(sim);
    configure_load(sim);
    configure_faults(sim);
    for (uint64_t i = 0; i < KEYS_MAX; i++)
        (void)snprintf(sim->affinities[i].key, KEY_TEXT_MAX, "k%02u", (unsigned)i);
}
