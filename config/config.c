/* config.c: loads the knobs: every source in turn, then what follows from them. */
#include "config/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "config/load.h"

int loader_fail(struct loader *loader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(loader->error, CONFIG_ERROR_BYTES, format, arguments);
    va_end(arguments);
    /* Names and values come from outside: the sentence must stay one line. */
    for (char *c = loader->error; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            *c = '?';
        }
    }
    return -EINVAL;
}

void loader_warn(struct loader *loader, const char *format, ...)
{
    char sentence[CONFIG_ERROR_BYTES];
    va_list arguments;
    if (!loader->on_warning) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    for (char *c = sentence; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            *c = '?';
        }
    }
    loader->on_warning(loader->owner, sentence);
}

struct origin *loader_origin(struct loader *loader, const struct knob *knob)
{
    size_t index = (size_t)(knob - knobs);
    assert(index < knobs_count);
    return &loader->origins[index];
}

void loader_source(const struct loader *loader, struct origin origin, char *buffer,
                   size_t buffer_bytes)
{
    switch (origin.source) {
    case SOURCE_DEFAULT:
        snprintf(buffer, buffer_bytes, "default");
        break;
    case SOURCE_FILE:
        snprintf(buffer, buffer_bytes, "%.150s:%u", loader->file, origin.line);
        break;
    case SOURCE_ALIAS:
        snprintf(buffer, buffer_bytes, "environment as %s", origin.variable);
        break;
    case SOURCE_ENVIRONMENT:
        snprintf(buffer, buffer_bytes, "environment");
        break;
    case SOURCE_COMMAND_LINE:
        snprintf(buffer, buffer_bytes, "command line");
        break;
    }
}

/* A copy without the blanks around it; NULL when memory is short. */
static char *trimmed(const char *value)
{
    static const char blanks[] = " \t\r\n";
    value += strspn(value, blanks);
    size_t bytes = strlen(value);
    while (bytes > 0 && strchr(blanks, value[bytes - 1])) {
        bytes--;
    }
    return strndup(value, bytes);
}

/* Stores a valid value where no stronger source has spoken, else only judges it. */
static int store(struct loader *loader, const struct knob *knob, const char *value,
                 struct origin origin)
{
    struct origin *known = loader_origin(loader, knob);
    if (origin.source >= known->source) {
        int rc = knob_parse(knob, value, &loader->config);
        if (rc == 0) {
            *known = origin;
        }
        return rc;
    }
    struct config scratch = {0};
    int rc = knob_parse(knob, value, &scratch);
    config_free(&scratch);
    return rc;
}

int loader_set(struct loader *loader, const struct knob *knob, const char *value,
               struct origin origin)
{
    char source[200], range[KNOB_RANGE_BYTES];
    char *copy = trimmed(value);
    if (!copy) {
        loader_fail(loader, "out of memory while reading %s", knob->name);
        return -ENOMEM;
    }
    int rc = store(loader, knob, copy, origin);
    if (rc != 0) {
        loader_source(loader, origin, source, sizeof source);
        knob_range(knob, range, sizeof range);
        loader_fail(loader, "%s is \"%.80s\" (%s), but must be %s", knob->name, copy, source,
                    range);
    }
    free(copy);
    return rc;
}

int loader_unknown(struct loader *loader, const char *name, struct origin origin)
{
    char source[200];
    loader_source(loader, origin, source, sizeof source);
    return loader_fail(loader, "unknown knob %.80s (%s), did you mean %s?", name, source,
                       knob_nearest(name)->name);
}

static int set_initials(struct loader *loader)
{
    for (size_t i = 0; i < knobs_count; i++) {
        int rc = knob_set_initial(&knobs[i], &loader->config);
        if (rc != 0) {
            loader_fail(loader, "out of memory while reading %s", knobs[i].name);
            return rc;
        }
    }
    return 0;
}

/* All sources but the command line, strongest first. */
static int read_sources(struct loader *loader, char *const *variables)
{
    int rc = environment_read(loader, variables);
    if (rc == 0) {
        aliases_read(loader, variables);
        rc = file_read(loader);
    }
    return rc;
}

static int load(struct loader *loader, int argc, char *const *argv, char *const *variables)
{
    int rc = set_initials(loader);
    if (rc == 0) {
        rc = command_line_read(loader, argc, argv);
    }
    bool is_asked_only = loader->verb == CONFIG_HELP || loader->verb == CONFIG_VERSION;
    if (rc == 0 && !is_asked_only) {
        rc = read_sources(loader, variables);
    }
    if (rc == 0) {
        rc = defaults_compute(loader);
    }
    if (rc == 0 && !is_asked_only) {
        rc = knobs_check(loader);
    }
    if (rc == 0 && !is_asked_only) {
        rc = recipes_read(loader);
    }
    return rc;
}

int config_load_with_warnings(int argc, char *const *argv, char *const *environ_,
                              config_on_warning *on_warning, void *owner, struct config *ret,
                              enum config_verb *ret_verb, char error[CONFIG_ERROR_BYTES])
{
    assert(argv && environ_);
    assert(ret && ret_verb);
    assert(error);
    struct loader loader = {
        .verb = CONFIG_SERVE, .error = error, .on_warning = on_warning, .owner = owner};
    error[0] = '\0';
    int rc = load(&loader, argc, argv, environ_);
    if (rc != 0) {
        assert(error[0] != '\0');
        config_free(&loader.config);
        return rc;
    }
    *ret = loader.config;
    *ret_verb = loader.verb;
    return 0;
}

int config_load(int argc, char *const *argv, char *const *environ_, struct config *ret,
                enum config_verb *ret_verb, char error[CONFIG_ERROR_BYTES])
{
    return config_load_with_warnings(argc, argv, environ_, NULL, NULL, ret, ret_verb, error);
}

bool config_has_knob(const char *name)
{
    return knob_find(name) != NULL;
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    recipes_free(config);
    for (size_t i = 0; i < knobs_count; i++) {
        if (knobs[i].type == KNOB_TEXT) {
            char *text, *none = NULL;
            memcpy(&text, (char *)config + knobs[i].offset, sizeof text);
            free(text);
            memcpy((char *)config + knobs[i].offset, &none, sizeof none);
        }
    }
}
