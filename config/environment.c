/* environment.c: PRERENDERD_POOL_PAGES_MAX for pool.pages_max, and PRERENDERD_CONFIG. Other
 * names with the prefix are errors, but for what clusters add to it by themselves. */
#include "config/load.h"

#include <assert.h>
#include <string.h>

#define PREFIX "PRERENDERD_"

static int unknown_variable(struct loader *loader, const char *name, size_t name_bytes)
{
    char copy[128], wanted[128];
    /* What follows the prefix is compared with the knobs' names: '.' against '_' counts the
     * same for all of them. */
    size_t rest = name_bytes - (sizeof PREFIX - 1);
    snprintf(copy, sizeof copy, "%.*s", (int)(rest < 100 ? rest : 100), name + sizeof PREFIX - 1);
    knob_variable(knob_nearest(copy), wanted, sizeof wanted);
    return loader_fail(loader, "unknown knob " PREFIX "%s (environment), did you mean %s?", copy,
                       wanted);
}

static bool is_named(const char *name, size_t name_bytes, const char *wanted)
{
    return strlen(wanted) == name_bytes && memcmp(name, wanted, name_bytes) == 0;
}

static const struct knob *find_variable(const char *name, size_t name_bytes)
{
    if (is_named(name, name_bytes, PREFIX "LISTEN")) {
        return knob_find("listen");
    }
    for (size_t i = 0; i < knobs_count; i++) {
        if (knob_is_variable(&knobs[i], name, name_bytes)) {
            return &knobs[i];
        }
    }
    return NULL;
}

/* The command line names the file more strongly. */
static int read_file_name(struct loader *loader, const char *value)
{
    if (value[0] == '\0') {
        return loader_fail(loader, PREFIX "CONFIG is \"\" (environment), but must name a file");
    }
    if (!loader->file) {
        loader->file = value;
        loader->is_file_required = true;
    }
    return 0;
}

/* Kubernetes, and Docker's links, describe a service called "prerenderd" to all its
 * neighbours, the daemon among them: PRERENDERD_SERVICE_HOST=10.0.0.1,
 * PRERENDERD_SERVICE_PORT_HTTP=80, PRERENDERD_PORT=tcp://..., PRERENDERD_PORT_80_TCP_ADDR=...
 * Nobody has set these, so nobody can be told to correct them. */
static bool is_service_link(const char *variable)
{
    const char *rest = variable + sizeof PREFIX - 1;
    if (strncmp(rest, "SERVICE_HOST=", 13) == 0 || strncmp(rest, "SERVICE_PORT=", 13) == 0 ||
        strncmp(rest, "SERVICE_PORT_", 13) == 0) {
        return true;
    }
    if (strncmp(rest, "PORT=tcp://", 11) == 0 || strncmp(rest, "PORT=udp://", 11) == 0) {
        return true;
    }
    if (strncmp(rest, "PORT_", 5) != 0) {
        return false;
    }
    const char *protocol = rest + 5 + strspn(rest + 5, "0123456789");
    return protocol > rest + 5 &&
           (strncmp(protocol, "_TCP", 4) == 0 || strncmp(protocol, "_UDP", 4) == 0);
}

static int read_variable(struct loader *loader, const char *variable)
{
    const char *equals = strchr(variable, '=');
    if (!equals || strncmp(variable, PREFIX, sizeof PREFIX - 1) != 0) {
        return 0;
    }
    size_t name_bytes = (size_t)(equals - variable);
    if (is_named(variable, name_bytes, PREFIX "CONFIG")) {
        return read_file_name(loader, equals + 1);
    }
    const struct knob *knob = find_variable(variable, name_bytes);
    if (!knob && is_service_link(variable)) {
        return 0;
    }
    if (!knob) {
        return unknown_variable(loader, variable, name_bytes);
    }
    return loader_set(loader, knob, equals + 1, (struct origin){.source = SOURCE_ENVIRONMENT});
}

int environment_read(struct loader *loader, char *const *variables)
{
    assert(variables);
    for (; *variables; variables++) {
        int rc = read_variable(loader, *variables);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
