/* resolve.c: defaults that depend on the machine or on other knobs, and the rules between
 * knobs. */
#include "config/load.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "config/forms.h"

static const struct knob *row(const char *name)
{
    const struct knob *knob = knob_find(name);
    assert(knob);
    return knob;
}

static bool is_default(struct loader *loader, const char *name)
{
    return loader_origin(loader, row(name))->source == SOURCE_DEFAULT;
}

static uint32_t min_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* CPUs this process may use: a container's share rather than the machine's. */
static uint32_t cpus_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return (uint32_t)CPU_COUNT(&set);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

static void compute_pool(struct loader *loader)
{
    struct pool_config *pool = &loader->config.pool;
    if (is_default(loader, "pool.pages_max")) {
        pool->pages_max = min_of(2 * cpus_count(), POOL_PAGES_LIMIT);
    }
    if (is_default(loader, "pool.pages_min")) {
        pool->pages_min = min_of(pool->pages_min, pool->pages_max);
    }
    if (is_default(loader, "pool.pages_high_priority_max")) {
        pool->pages_high_priority_max = pool->pages_max;
    }
    if (is_default(loader, "pool.orphan_contexts_max")) {
        pool->orphan_contexts_max = min_of(2 * pool->pages_max, POOL_ORPHANS_LIMIT);
    }
    if (is_default(loader, "pool.affinity_main_max")) {
        pool->affinity_main_max = min_of(pool->affinity_main_max, pool->affinity_pages_max);
    }
}

static void compute_recipes(struct loader *loader)
{
    static const char *const names[RECIPES] = {
        "recipe.visit.timeout_ms", "recipe.module.timeout_ms", "recipe.command.timeout_ms",
        "recipe.screenshot.timeout_ms"};
    for (int i = 0; i < RECIPES; i++) {
        if (is_default(loader, names[i])) {
            loader->config.recipes[i].timeout_ms = loader->config.manager.render_timeout_ms;
        }
    }
}

/* The rest of "http://HOSTNAME:port", the port of a listener that is not fixed, is known
 * only once it is bound: the text then stays unset. */
static int compute_advertise_url(struct loader *loader)
{
    char url[300];
    unsigned port = form_listen_port(loader->config.http.listen);
    if (!loader->hostname || loader->hostname[0] == '\0' || port == 0) {
        return 0;
    }
    snprintf(url, sizeof url, "http://%.255s:%u", loader->hostname, port);
    if (!form_is_http_url(url)) {
        loader_warn(loader, "HOSTNAME is \"%.80s\", which is no host name, ignoring it",
                    loader->hostname);
        return 0;
    }
    return knob_set_text(row("manager.advertise_url"), url, &loader->config);
}

int defaults_compute(struct loader *loader)
{
    struct config *config = &loader->config;
    int rc = 0;
    compute_pool(loader);
    if (is_default(loader, "render.timeout_ms")) {
        config->render.timeout_ms =
            min_of(config->render.timeout_ms, config->render.timeout_ms_max);
    }
    compute_recipes(loader);
    if (is_default(loader, "browser.user") && geteuid() == 0) {
        rc = knob_set_text(row("browser.user"), "nobody", config);
    }
    if (rc == 0 && is_default(loader, "manager.advertise_url")) {
        rc = compute_advertise_url(loader);
    }
    if (rc != 0) {
        loader_fail(loader, "out of memory while computing defaults");
    }
    return rc;
}

/* Fails because `low` is above `high`. */
static int fail_order(struct loader *loader, const struct knob *low, const struct knob *high)
{
    char low_source[200], high_source[200];
    loader_source(loader, *loader_origin(loader, low), low_source, sizeof low_source);
    loader_source(loader, *loader_origin(loader, high), high_source, sizeof high_source);
    return loader_fail(loader,
                       "%s is %" PRIu64 " (%s), but must be at most %s, which is %" PRIu64 " (%s)",
                       low->name, knob_number(low, &loader->config), low_source, high->name,
                       knob_number(high, &loader->config), high_source);
}

static int check_order(struct loader *loader, const char *low_name, const char *high_name)
{
    const struct knob *low = row(low_name), *high = row(high_name);
    bool holds = knob_number(low, &loader->config) <= knob_number(high, &loader->config);
    return holds ? 0 : fail_order(loader, low, high);
}

/* As check_order(), but moves *target to `wanted` when an alias has a part in it: the
 * ancestor clamped what contradicts itself. */
static int check_pages(struct loader *loader, const char *low_name, const char *high_name,
                       uint32_t *target, uint32_t wanted)
{
    const struct knob *low = row(low_name), *high = row(high_name);
    if (knob_number(low, &loader->config) <= knob_number(high, &loader->config)) {
        return 0;
    }
    if (loader_origin(loader, low)->source != SOURCE_ALIAS &&
        loader_origin(loader, high)->source != SOURCE_ALIAS) {
        return fail_order(loader, low, high);
    }
    loader_warn(loader, "%s is %" PRIu64 " and %s is %" PRIu64 ", taking %" PRIu32 " for both",
                low_name, knob_number(low, &loader->config), high_name,
                knob_number(high, &loader->config), wanted);
    *target = wanted;
    return 0;
}

static void clamp_affinity_main(struct loader *loader)
{
    struct pool_config *pool = &loader->config.pool;
    if (pool->affinity_main_max > pool->affinity_pages_max) {
        loader_warn(loader,
                    "pool.affinity_main_max is %" PRIu32 ", taking %" PRIu32
                    " as pool.affinity_pages_max allows no more",
                    pool->affinity_main_max, pool->affinity_pages_max);
        pool->affinity_main_max = pool->affinity_pages_max;
    }
}

/* The first listener that other machines can reach; NULL: there is none. */
static const char *open_listener(const char *list, size_t *ret_bytes)
{
    for (const char *item = form_next_item(&list, ret_bytes); *ret_bytes > 0;
         item = form_next_item(&list, ret_bytes)) {
        if (!form_is_local_listener(item, *ret_bytes)) {
            return item;
        }
    }
    return NULL;
}

static int check_exposure(struct loader *loader)
{
    const struct config *config = &loader->config;
    size_t bytes;
    const char *open = open_listener(config->http.listen, &bytes);
    bool is_guarded = config->http.tokens_file[0] != '\0' || config->http.allow_unauthenticated;
    if (open && !is_guarded) {
        return loader_fail(loader,
                           "http.listen has %.*s, which other machines can reach, but neither "
                           "http.tokens_file is set nor http.allow_unauthenticated is yes",
                           (int)bytes, open);
    }
    bool is_remote = config->manager.url[0] != '\0' && !form_is_local_url(config->manager.url);
    if (is_remote && !open) {
        return loader_fail(loader,
                           "manager.url is \"%.80s\", which is not this machine, but http.listen "
                           "is \"%.80s\", which only this machine can reach",
                           config->manager.url, config->http.listen);
    }
    return 0;
}

int knobs_check(struct loader *loader)
{
    struct pool_config *pool = &loader->config.pool;
    int rc =
        check_pages(loader, "pool.pages_min", "pool.pages_max", &pool->pages_min, pool->pages_max);
    if (rc == 0) {
        rc = check_pages(loader, "pool.pages_max", "pool.pages_high_priority_max",
                         &pool->pages_high_priority_max, pool->pages_max);
    }
    clamp_affinity_main(loader);
    if (rc == 0) {
        rc = check_order(loader, "browser.backoff_min_ms", "browser.backoff_max_ms");
    }
    if (rc == 0) {
        rc = check_order(loader, "render.timeout_ms", "render.timeout_ms_max");
    }
    if (rc == 0) {
        rc = check_order(loader, "render.output_bytes_max", "http.output_memory_bytes_max");
    }
    return rc == 0 ? check_exposure(loader) : rc;
}
