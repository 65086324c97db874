/* aliases.c: the environment names of the ancestor and of prerender.io's server, read with
 * forgiveness.
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
    const char *hint; /* Then: what does, or what is done, instead. */
};

static const struct alias aliases[] = {
    {"PRERENDER_PAGE_POOL_MIN", .knob = "pool.pages_min"},
    {"PRERENDER_PAGE_POOL_MAX", .knob = "pool.pages_max"},
    /* The cap starts at its floor and grows by need: there is no third size to set. */
    {"PRERENDER_PAGE_POOL_INITIAL", .hint = "see pool.pages_min"},
    {"PRERENDER_PAGE_POOL_HIGH_PRIORITY_MAX", .knob = "pool.pages_high_priority_max"},
    {"PRERENDER_HIGH_PRIORITY_THRESHOLD", .knob = "pool.high_priority_threshold"},
    {"PRERENDER_POOL_IDLE_CONTRACTION_MS", .knob = "pool.contraction_idle_ms"},
    {"PRERENDER_AFFINITY_TAB_MAX", .knob = "pool.affinity_pages_max"},
    {"PRERENDER_AFFINITY_FILE_CONCURRENCY", .knob = "pool.affinity_main_max"},
    {"PRERENDER_SHARED_CONTEXT_CAP", .knob = "pool.orphan_contexts_max"},
    {"PRERENDER_TAB_HEALTH_PROBE_MS", .knob = "pool.probe_timeout_ms"},
    {"PRERENDER_STANDBY_TIMEOUT_MS", .knob = "pool.open_timeout_ms"},
    {"PRERENDER_AFFINITY_IDLE_EVICT_MS", .knob = "pool.affinity_idle_ms"},
    {"WAIT_AFTER_LAST_REQUEST", .knob = "render.idle_ms"},
    {"RENDER_TIMEOUT_MS", .knob = "manager.render_timeout_ms"},
    {"PRERENDER_MANAGER_URL", .knob = "manager.url"},
    {"PRERENDER_HEARTBEAT_INTERVAL_MS", .knob = "manager.heartbeat_interval_ms"},
    {"PRERENDER_SHUTDOWN_GRACE_MS", .knob = "daemon.drain_grace_ms"},
    {"PRERENDER_QUEUE_SNAPSHOT_INTERVAL_MS", .knob = "log.queue_snapshot_interval_ms"},
    /* Of prerender.io's server, whose PORT is too common a name to be read. */
    {"PAGE_LOAD_TIMEOUT", .knob = "render.timeout_ms"},
    {"BROWSER_TRY_RESTART_PERIOD", .knob = "browser.recycle_age_ms"},
    {"TIMEOUT_STATUS_CODE", .knob = "prerender_io.partial_status"},
    {"BROWSER_FORCE_RESTART_PERIOD", .hint = "see browser.recycle_age_ms"},
    {"BROWSER_DEBUGGING_PORT", .hint = "the browser chooses a free port"},
    {"PAGE_DONE_CHECK_INTERVAL", .hint = "a page is not polled"},
    {"FOLLOW_REDIRECTS", .hint = "the redirects of a path that is a URL are handed on"},
    {"LOG_REQUESTS", .hint = "requests are logged; see log.level"},
    {"PRERENDER_LOG_REQUESTS", .hint = "requests are logged; see log.level"},
    {"PRERENDER_DEBUG_LOG", .hint = "see log.level"},
    {"CAPTURE_CONSOLE_LOG", .hint = "the JSON answer of /render has the console"},
    {"ENABLE_SERVICE_WORKER", .hint = "see the parameter network.serviceWorkers"},
    {"RENDERING_ERROR_STATUS_CODE", .hint = "what cannot be rendered is answered with 504"},
    {"PARSE_SHADOW_DOM", .hint = "see the parameter document.shadowDom"},
    {"ALLOWED_DOMAINS", .hint = "any host is rendered; see http.tokens_file for who may ask"},
    {"BLACKLISTED_DOMAINS", .hint = "any host is rendered; see http.tokens_file for who may ask"},
    {"BASIC_AUTH_USERNAME", .hint = "see http.tokens_file"},
    {"BASIC_AUTH_PASSWORD", .hint = "see http.tokens_file"},
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
        assert(alias->hint);
        loader_warn(loader, "%s has no counterpart here, ignoring it; %s", alias->variable,
                    alias->hint);
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
