/* command_line.c: "--pool.pages_max=4", "--pool.pages_max 4", and the verbs. */
#include "config/load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum config_verb verb;
} verbs[] = {
    {"help", CONFIG_HELP},
    {"version", CONFIG_VERSION},
    {"check-config", CONFIG_CHECK},
    {"print-config", CONFIG_PRINT},
};

static bool find_verb(const char *name, enum config_verb *ret)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            *ret = verbs[i].verb;
            return true;
        }
    }
    return false;
}

/* One "--name=value" or "--name value", taken apart. */
struct option {
    char name[128];
    const char *value; /* NULL: there is none. */
    int used;          /* How many arguments it took. */
};

static bool split_option(const char *argument, const char *next, struct option *ret)
{
    if (strncmp(argument, "--", 2) != 0) {
        return false;
    }
    const char *name = argument + 2;
    size_t bytes = strcspn(name, "=");
    if (bytes == 0) {
        return false;
    }
    ret->used = 1;
    ret->value = name[bytes] == '=' ? name + bytes + 1 : NULL;
    /* A name too long for the buffer is too long for any knob; it is cut for the message. */
    snprintf(ret->name, sizeof ret->name, "%.*s", (int)(bytes < 120 ? bytes : 120), name);
    if (!ret->value && next && strncmp(next, "--", 2) != 0) {
        ret->value = next;
        ret->used = 2;
    }
    return true;
}

static int read_option(struct loader *loader, const struct option *option)
{
    const struct origin origin = {.source = SOURCE_COMMAND_LINE};
    bool is_config = strcmp(option->name, "config") == 0;
    const struct knob *knob = is_config ? NULL : knob_find(option->name);
    if (!is_config && !knob) {
        return loader_unknown(loader, option->name, origin);
    }
    if (!option->value) {
        return loader_fail(loader, "--%s (command line) needs a value: --%s=VALUE", option->name,
                           option->name);
    }
    if (knob) {
        return loader_set(loader, knob, option->value, origin);
    }
    if (option->value[0] == '\0') {
        return loader_fail(loader, "--config is \"\" (command line), but must name a file");
    }
    loader->file = option->value;
    loader->is_file_required = true;
    return 0;
}

/* Help is given whatever else is wrong with the command line. */
static bool asks_for_help(struct loader *loader, int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        bool is_help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        if (is_help || strcmp(argv[i], "--version") == 0) {
            loader->verb = is_help ? CONFIG_HELP : CONFIG_VERSION;
            return true;
        }
    }
    return false;
}

int command_line_read(struct loader *loader, int argc, char *const *argv)
{
    assert(argc >= 0);
    struct option option = {.used = 1};
    if (asks_for_help(loader, argc, argv)) {
        return 0;
    }
    for (int i = 1; i < argc; i += option.used) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strncmp(argv[i], "--", 2) == 0 && find_verb(argv[i] + 2, &loader->verb)) {
            option.used = 1;
            continue;
        }
        if (!split_option(argv[i], next, &option)) {
            return loader_fail(loader,
                               "unknown argument \"%.80s\" (command line), options have the form "
                               "--pool.pages_max=4, see --help",
                               argv[i]);
        }
        int rc = read_option(loader, &option);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
