/* params.c: the table of what a caller may ask for of one render. */
#include "config/params.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "config/nearest.h"

/* Enumerations are stored through their row as plain unsigned integers. */
static_assert(sizeof(enum isolation) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum wait_until) == sizeof(unsigned), "enums are written as unsigned");

/* The order is that of the enumerations; tests/test_params.c holds them together. */
static const char *const isolation_names[] = {"default", "affinity", "origin", "fresh", NULL};
static const char *const lane_names[] = {"main", "nested", NULL};
static const char *const on_timeout_names[] = {"partial", "error", NULL};
static const char *const until_names[] = {"auto", "domcontentloaded", "load", "none", NULL};

#define AT(member) .offset = offsetof(struct render_params, member)

const struct param_row param_rows[] = {
    {"url", PARAM_STRING, AT(url), .min = 1, .max = URL_BYTES_MAX,
     .meaning = "The http or https URL to render, navigated byte for byte."},
    {"affinity", PARAM_STRING, AT(affinity), .min = 1, .max = AFFINITY_KEY_BYTES_MAX,
     .meaning = "Key of the warm context: the same key has the same cookies, storage and cache, "
                "and never shares them with another."},
    {"isolation", PARAM_ENUM, AT(isolation), .choices = isolation_names,
     .initial = ISOLATION_DEFAULT,
     .meaning = "Which context serves: that of the affinity, that of the URL's origin, or one "
                "made for this render alone. By default affinity when a key is given, else "
                "origin."},
    {"lane", PARAM_ENUM, AT(lane), .choices = lane_names, .initial = LANE_MAIN,
     .meaning = "nested: made on behalf of a render of the same affinity that waits for it; "
                "needs affinity."},
    {"priority", PARAM_INTEGER, AT(priority), .initial = 0, .min = 0, .max = 1000000,
     .meaning = "Higher is served first."},
    {"timeoutMs", PARAM_INTEGER, AT(timeout_ms), .initial = 30000, .min = 1, .max = 120000,
     .meaning = "One budget from arrival to answer, the queue included."},
    {"queueTimeoutMs", PARAM_INTEGER, AT(queue_timeout_ms), .initial = 0, .min = 0, .max = 120000,
     .meaning = "Longest wait before the start; 0: as long as timeoutMs allows."},
    {"onTimeout", PARAM_ENUM, AT(on_timeout), .choices = on_timeout_names,
     .initial = ON_TIMEOUT_PARTIAL,
     .meaning = "At the deadline: partial answers what is there, marked partial; error "
                "answers 504."},
    {"retryOnCrash", PARAM_BOOLEAN, AT(retry_on_crash), .initial = 1,
     .meaning = "Render once more, with the same rank and deadline, when the page or the browser "
                "crashes."},
    {"wait.until", PARAM_ENUM, AT(until), .choices = until_names, .initial = WAIT_AUTO,
     .meaning = "When the page is captured: settled in virtual time (auto), at one of the "
                "browser's own milestones, or at once."},
    {"document.stripScripts", PARAM_BOOLEAN, AT(strip_scripts), .initial = 0,
     .meaning = "Leave scripts out of the document, JSON-LD excepted, and HTML imports."},
    {"document.base", PARAM_STRING, AT(base), .min = 1, .max = URL_BYTES_MAX,
     .meaning = "An http or https URL for a <base> in the head of the document, if it has none "
                "of its own."},
};

const size_t param_rows_count = sizeof param_rows / sizeof param_rows[0];

/* Writes the default of an integer, boolean or enum into its member. */
static void set_initial(struct render_params *params, const struct param_row *row)
{
    char *member = (char *)params + row->offset;
    unsigned number = (unsigned)row->initial;
    bool truth = row->initial != 0;
    switch (row->type) {
    case PARAM_STRING:
        break;
    case PARAM_BOOLEAN:
        memcpy(member, &truth, sizeof truth);
        break;
    case PARAM_INTEGER:
    case PARAM_ENUM:
        memcpy(member, &number, sizeof number);
        break;
    }
}

void render_params_init(struct render_params *params)
{
    assert(params);
    memset(params, 0, sizeof *params);
    for (size_t i = 0; i < param_rows_count; i++) {
        set_initial(params, &param_rows[i]);
    }
    assert(!params->url);
    assert(params->timeout_ms > 0);
}

void render_params_free(struct render_params *params)
{
    if (!params) {
        return;
    }
    free(params->url);
    free(params->affinity);
    free(params->base);
    params->url = NULL;
    params->affinity = NULL;
    params->base = NULL;
    params->affinity_bytes = 0;
}

const struct param_row *param_find(const char *name)
{
    assert(name);
    for (size_t i = 0; i < param_rows_count; i++) {
        if (strcmp(param_rows[i].name, name) == 0) {
            return &param_rows[i];
        }
    }
    return NULL;
}

const char *param_nearest(const char *name)
{
    assert(name);
    const char *best = param_rows[0].name;
    size_t best_distance = nearest_distance(name, best);
    for (size_t i = 1; i < param_rows_count; i++) {
        size_t candidate = nearest_distance(name, param_rows[i].name);
        if (candidate < best_distance) {
            best_distance = candidate;
            best = param_rows[i].name;
        }
    }
    return best;
}
