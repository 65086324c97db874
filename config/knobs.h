/* knobs.h: the table of knobs and what can be done with one row of it.
 *
 * Private to config/. Everything about a knob follows from its row: reading it from
 * any source, its error sentence, --help, --print-config and prerenderd.conf. */
#ifndef CONFIG_KNOBS_H
#define CONFIG_KNOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"

#define KNOBS_MAX 128

/* Longest text of a knob: its line in the file stays below KNOB_LINE_BYTES_MAX. */
#define KNOB_TEXT_BYTES_MAX 4000
#define KNOB_LINE_BYTES_MAX 4090
/* Room for the range or the value of any knob as text. */
#define KNOB_RANGE_BYTES 256
#define KNOB_VALUE_BYTES (KNOB_TEXT_BYTES_MAX + 1)

enum knob_type {
    KNOB_U32,
    KNOB_U64,
    KNOB_SWITCH, /* bool: yes, no. */
    KNOB_CHOICE, /* An enum, by name. */
    KNOB_TEXT,
};

struct knob {
    const char *name; /* "pool.pages_max": section and key; "recipe.visit.standby_url"
                         is in the section "[recipe visit]". */
    enum knob_type type;
    size_t offset;              /* Of the member in struct config. */
    uint64_t initial, min, max; /* Numbers; `initial` also for switches and choices. */
    bool zero_is_off;           /* 0 is valid, although below `min`. */
    bool has_off;               /* The word "off" is valid and means UINT32_MAX. */
    const char *const *choices; /* Names by value, NULL at the end. */
    const char *text;           /* Default of a text; NULL: unset, "". */
    bool (*is_valid)(const char *text);
    const char *form;     /* What is_valid() wants, to complete "must be ...". */
    bool is_read_again;   /* A new value comes into effect at SIGHUP. */
    bool is_found;        /* Unset, it is found when the daemon starts, and kept here. */
    const char *computed; /* How the default is found when it is not fixed; else NULL. */
    const char *meaning;  /* Full sentences. */
};

extern const struct knob knobs[];
extern const size_t knobs_count;

/* The row of that name, or of its alias ("listen" for http.listen), or NULL. */
const struct knob *knob_find(const char *name);
/* The row whose name is closest, for messages. Never NULL. */
const struct knob *knob_nearest(const char *name);
/* Whether PRERENDERD_POOL_PAGES_MAX names that knob. */
bool knob_is_variable(const struct knob *, const char *name, size_t name_bytes);
/* Writes the environment name of a knob. */
void knob_variable(const struct knob *, char *buffer, size_t buffer_bytes);

/* Reads `value`, already trimmed, into the knob's member. 0, or -EINVAL when it is not
 * valid, -ENOMEM; the member is then untouched. */
int knob_parse(const struct knob *, const char *value, struct config *);
/* Sets the member of a text, which is copied. 0 or -ENOMEM. */
int knob_set_text(const struct knob *, const char *text, struct config *);
/* Sets the default of the row; computed defaults come later. 0 or -ENOMEM. */
int knob_set_initial(const struct knob *, struct config *);
uint64_t knob_number(const struct knob *, const struct config *);
const char *knob_text(const struct knob *, const struct config *);
/* The valid values, to complete "must be ...". */
void knob_range(const struct knob *, char *buffer, size_t buffer_bytes);
/* The value as knob_parse() would read it; "" for a text that is unset. */
void knob_value(const struct knob *, const struct config *, char *buffer, size_t buffer_bytes);
/* The default as text: a value, or in words when it is computed. */
void knob_default(const struct knob *, char *buffer, size_t buffer_bytes);

#endif
