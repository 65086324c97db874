/* aliases.c: the environment names of the ancestor, read with its forgiveness.
 *
 * Blank, 0 and what is no number count as not given, with one warning; a number out of
 * range is moved into it, with one warning. They are weaker than the daemon's own names. */
#include "config/load.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct alias {
    const char *variable;
    const char *knob; /* NULL: it has no counterpart. */
};

static const struct alias aliases[] = {
    {"PRERENDER_PAGE_POOL_MIN", "pool.pages_min"},
    {"PRERENDER_PAGE_POOL_MAX", "pool.pages_max"},
    /* The cap starts at its floor and grows by need: there is no third size to set. */
    {"PRERENDER_PAGE_POOL_INITIAL", NULL},
    {"PRERENDER_PAGE_POOL_HIGH_PRIORITY_MAX", "pool.pages_high_priority_max"},
    {"PRERENDER_HIGH_PRIORITY_THRESHOLD", "pool.high_priority_threshold"},
    {"PRERENDER_POOL_IDLE_CONTRACTION_MS", "pool.contraction_idle_ms"},
    {"PRERENDER_AFFINITY_TAB_MAX", "pool.affinity_pages_max"},
    {"PRERENDER_AFFINITY_FILE_CONCURRENCY", "pool.affinity_main_max"},
    {"PRERENDER_SHARED_CONTEXT_CAP", "pool.orphan_contexts_max"},
    {"PRERENDER_TAB_HEALTH_PROBE_MS", "pool.probe_timeout_ms"},
    {"PRERENDER_STANDBY_TIMEOUT_MS", "pool.open_timeout_ms"},
    {"PRERENDER_AFFINITY_IDLE_EVICT_MS", "pool.affinity_idle_ms"},
    {"WAIT_AFTER_LAST_REQUEST", "render.idle_ms"},
    {"RENDER_TIMEOUT_MS", "manager.render_timeout_ms"},
    {"PRERENDER_MANAGER_URL", "manager.url"},
    {"PRERENDER_HEARTBEAT_INTERVAL_MS", "manager.heartbeat_interval_ms"},
    {"PRERENDER_SHUTDOWN_GRACE_MS", "daemon.drain_grace_ms"},
    {"PRERENDER_QUEUE_SNAPSHOT_INTERVAL_MS", "log.queue_snapshot_interval_ms"},
};

/* A whole decimal number above 0, or 0 where that switches something off. */
static bool is_usable(const struct knob *knob, const char *value, uint64_t *ret)
{
    char *end;
    value += strspn(value, " \t");
    if (*value < '0' || *value > '9') {
        return false;
    }
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (end[strspn(end, " \t")] != '\0' || (number == 0 && !knob->zero_is_off)) {
        return false;
    }
    *ret = errno == ERANGE ? UINT64_MAX : number;
    return true;
}

static void read_number(struct loader *loader, const struct alias *alias, const struct knob *knob,
                        const char *value)
{
    const struct origin origin = {.source = SOURCE_ALIAS, .variable = alias->variable};
    uint64_t number;
    char text[32];
    if (!is_usable(knob, value, &number)) {
        loader_warn(loader, "%s is \"%.80s\", which is no number for %s, ignoring it",
                    alias->variable, value, knob->name);
        return;
    }
    uint64_t moved = number;
    if (number != 0 || !knob->zero_is_off) {
        moved = number < knob->min ? knob->min : number > knob->max ? knob->max : number;
    }
    if (moved != number) {
        loader_warn(loader, "%s is \"%.80s\", taking %" PRIu64 " for %s", alias->variable, value,
                    moved, knob->name);
    }
    snprintf(text, sizeof text, "%" PRIu64, moved);
    int rc = loader_set(loader, knob, text, origin);
    assert(rc == 0);
}

static void read_text(struct loader *loader, const struct alias *alias, const struct knob *knob,
                      const char *value)
{
    const struct origin origin = {.source = SOURCE_ALIAS, .variable = alias->variable};
    if (loader_set(loader, knob, value, origin) != 0) {
        loader->error[0] = '\0';
        loader_warn(loader, "%s is \"%.80s\", which is no value for %s, ignoring it",
                    alias->variable, value, knob->name);
    }
}

static void read_alias(struct loader *loader, const struct alias *alias, const char *value)
{
    const struct knob *knob = alias->knob ? knob_find(alias->knob) : NULL;
    if (!knob) {
        loader_warn(loader, "%s has no counterpart here, ignoring it; see pool.pages_min",
                    alias->variable);
    } else if (knob->type == KNOB_TEXT) {
        read_text(loader, alias, knob, value);
    } else {
        read_number(loader, alias, knob, value);
    }
}

void aliases_read(struct loader *loader, char *const *variables)
{
    assert(variables);
    for (; *variables; variables++) {
        const char *equals = strchr(*variables, '=');
        if (!equals) {
            continue;
        }
        size_t bytes = (size_t)(equals - *variables);
        if (bytes == 8 && strncmp(*variables, "HOSTNAME", 8) == 0) {
            loader->hostname = equals + 1;
        }
        for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
            if (strlen(aliases[i].variable) == bytes &&
                memcmp(aliases[i].variable, *variables, bytes) == 0) {
                read_alias(loader, &aliases[i], equals + 1);
            }
        }
    }
}
