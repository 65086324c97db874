/* params.h: what a caller may ask for of one render.
 *
 * One row per parameter in one table (params.c): name, type, default, range and
 * meaning. The parser of JSON bodies and query strings (http/), the messages of
 * its errors, and the documentation come from that table; a render (cdp/) reads
 * the resulting struct. This is data: it knows neither HTTP nor the browser. */
#ifndef CONFIG_PARAMS_H
#define CONFIG_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/limits.h"

enum wait_until {
    WAIT_AUTO, /* Settled in virtual time; see cdp/render.h. */
    WAIT_DOMCONTENTLOADED,
    WAIT_LOAD,
    WAIT_NONE, /* Committed; captured at once. */
};

enum on_timeout {
    ON_TIMEOUT_PARTIAL, /* Capture what is there, marked partial. */
    ON_TIMEOUT_ERROR,   /* Answer 504. */
};

enum isolation {
    ISOLATION_DEFAULT,  /* affinity when a key is given, else origin. */
    ISOLATION_AFFINITY, /* The warm context of `affinity`; needs a key. */
    ISOLATION_ORIGIN,   /* The context of the URL's origin, cleared between renders. */
    ISOLATION_FRESH,    /* A context of its own, disposed afterwards. */
};

enum lane { LANE_MAIN, LANE_NESTED };

/* Strings are owned by the struct; NULL when absent. */
struct render_params {
    char *url;      /* http or https, navigated byte for byte. Required. */
    char *affinity; /* Not NUL-terminated data: affinity_bytes counts. */
    size_t affinity_bytes;
    enum isolation isolation;
    enum lane lane;
    uint32_t priority;         /* 0..1000000, higher first. */
    uint32_t timeout_ms;       /* One budget from arrival, queue included. */
    uint32_t queue_timeout_ms; /* Longest wait before the start; 0: timeout_ms. */
    enum on_timeout on_timeout;
    bool retry_on_crash;
    enum wait_until until;
    bool strip_scripts;
    char *base; /* Of the document that is answered, when it has none. */
    /* Set by the prerender.io dialect, no parameter: the answer is that of the origin, so its
     * headers are wanted and its redirects are not followed. */
    bool path_mode;
};

enum param_type {
    PARAM_STRING,
    PARAM_INTEGER,
    PARAM_BOOLEAN,
    PARAM_ENUM,
};

/* One row. `name` is dotted for a nested object: "wait.until". */
struct param_row {
    const char *name;
    enum param_type type;
    size_t offset;              /* Of the member in struct render_params. */
    const char *const *choices; /* PARAM_ENUM: names by value, NULL at the end. */
    uint64_t initial;           /* Default of an integer, boolean or enum. */
    uint64_t min, max;          /* PARAM_INTEGER: range; PARAM_STRING: bytes. */
    const char *meaning;
};

extern const struct param_row param_rows[];
extern const size_t param_rows_count;

/* Fills in the defaults. Zero bytes are not a valid default set. */
void render_params_init(struct render_params *);
/* Frees the strings; the struct itself is the caller's. */
void render_params_free(struct render_params *);
/* The row of that dotted name, or NULL. */
const struct param_row *param_find(const char *name);
/* The valid name closest to `name` by edit distance, for error messages. Never NULL. */
const char *param_nearest(const char *name);

#endif
