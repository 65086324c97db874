/* load.h: the state of one config_load(), shared by the readers of the four sources.
 *
 * Private to config/. Sources are read strongest first: a value is always judged, but it
 * is stored only where no stronger source has spoken. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include "config/config.h"
#include "config/knobs.h"

/* Weakest first. */
enum source {
    SOURCE_DEFAULT,
    SOURCE_FILE,
    SOURCE_ALIAS, /* The environment under the ancestor's names. */
    SOURCE_ENVIRONMENT,
    SOURCE_COMMAND_LINE,
};

struct origin {
    enum source source;
    unsigned line;        /* SOURCE_FILE. */
    const char *variable; /* SOURCE_ALIAS: its name. */
};

struct loader {
    struct config config;
    struct origin origins[KNOBS_MAX]; /* By row. */
    const char *file;                 /* Borrowed; NULL: none is read. */
    bool is_file_required;            /* It was named by somebody. */
    const char *hostname;             /* HOSTNAME of the environment; NULL: none. */
    enum config_verb verb;
    char *error; /* CONFIG_ERROR_BYTES. */
    config_on_warning *on_warning;
    void *owner;
};

/* Writes the one sentence of the failure. Always -EINVAL. */
int loader_fail(struct loader *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void loader_warn(struct loader *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Judges a value and stores it. 0 or a negative errno with the sentence written. Blanks
 * around the value do not count. */
int loader_set(struct loader *, const struct knob *, const char *value, struct origin);
/* Fails because of a name that is no knob. */
int loader_unknown(struct loader *, const char *name, struct origin);
struct origin *loader_origin(struct loader *, const struct knob *);
/* "config.conf:3", "environment", ... */
void loader_source(const struct loader *, struct origin, char *buffer, size_t buffer_bytes);

int command_line_read(struct loader *, int argc, char *const *argv);
int environment_read(struct loader *, char *const *variables);
/* Cannot fail: what it does not understand it warns of. */
void aliases_read(struct loader *, char *const *variables);
int file_read(struct loader *);
/* Finds computed defaults, then holds knobs against each other. */
int defaults_compute(struct loader *);
int knobs_check(struct loader *);

#endif
