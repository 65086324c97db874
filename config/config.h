/* config.h: the knobs of the daemon, from one table.
 *
 * Every knob is one row (config.c): name, type, default, range, meaning. Sources,
 * weakest first: defaults, the file (prerenderd.conf, ini sections "[pool]"), the
 * environment (PRERENDERD_POOL_PAGES_MAX for pool.pages_max), the command line
 * (--pool.pages_max=4). Strict: an unknown, blank or out-of-range knob is an error
 * of one sentence that names the knob, the value and the valid range. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "config/limits.h"
#include "config/recipe.h"

/* Strings are owned by struct config; "" when unset, never NULL. Lists are split at
 * spaces and commas by their reader. Times are in milliseconds. */
struct pool_config {
    uint32_t pages_min, pages_max, pages_high_priority_max;
    uint32_t high_priority_threshold; /* UINT32_MAX: off. */
    uint32_t standbys_min, orphan_contexts_max;
    uint32_t affinity_pages_max, affinity_main_max;
    uint32_t queue_max, warm_bypass_max, priority_aging_ms;
    uint32_t contraction_idle_ms, affinity_idle_ms, batch_owner_ttl_ms;
    uint32_t open_timeout_ms, probe_timeout_ms, close_timeout_ms, kill_timeout_ms;
    bool evict_retains;
    /* Of section [browser], but decided by the pool: lives and pages by age. */
    uint32_t recycle_renders, page_recycle_renders; /* 0: off. */
    uint32_t recycle_age_ms, recycle_timeout_ms;    /* age 0: off. */
    uint32_t backoff_min_ms, backoff_max_ms;        /* Between launches. */
};

enum sandbox { SANDBOX_OFF, SANDBOX_ON };

struct browser_config {
    char *path;          /* "": discovered. */
    char *websocket_url; /* "": a browser is started. */
    char *args;          /* Further switches, split at spaces. */
    char *user;          /* Whom the browser runs as when the daemon is root. */
    char *profile_root;  /* Where profile directories are made; "": the runtime directory. */
    enum sandbox sandbox;
    bool batch; /* It runs under SCHED_BATCH. */
    uint32_t start_timeout_ms, call_timeout_ms;
    uint32_t probe_interval_ms; /* Browser.getVersion; two misses are a silent browser. */
};

struct render_config {
    uint32_t timeout_ms, timeout_ms_max;
    uint32_t settle_virtual_ms, stuck_request_ms, idle_ms, capture_reserve_ms;
    uint32_t clock_skew_max_ms;
    uint64_t output_bytes_max;
};

struct http_config {
    char *listen;          /* "127.0.0.1:4221", "[::1]:0", "unix:/path"; several. */
    char *allowed_hosts;   /* Host names besides IP literals and localhost. */
    char *allowed_origins; /* Origins that may call from a web page. */
    char *tokens_file;     /* "": no tokens. Lines "SCOPE TOKEN". */
    bool allow_unauthenticated;
    uint32_t url_bytes_max, connections_max;
    uint64_t body_bytes_max, output_memory_bytes_max;
    uint32_t head_timeout_ms, body_timeout_ms, write_timeout_ms, keep_alive_ms;
};

/* Whether the URL in a path is decoded before it is one. */
enum url_decoding {
    URL_DECODING_AUTO, /* By what the text and the middleware give away. */
    URL_DECODING_RAW,
    URL_DECODING_ONCE,
};

/* Of path mode. */
struct prerender_io_config {
    enum url_decoding url_decoding;
    uint32_t partial_status; /* Of partial answers; 0: the origin's. */
};

struct manager_config {
    char *url, *advertise_url, *allow_from;
    uint32_t heartbeat_interval_ms, render_timeout_ms, request_timeout_ms;
};

struct daemon_config {
    uint32_t drain_grace_ms;
};

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_LOGFMT };

struct log_config {
    enum log_level level;
    enum log_format format;
    bool full_urls;
    uint32_t queue_snapshot_interval_ms;
};

struct config {
    struct pool_config pool;
    struct browser_config browser;
    struct render_config render;
    struct http_config http;
    struct prerender_io_config prerender_io;
    struct manager_config manager;
    struct recipe recipes[RECIPES];
    struct daemon_config daemon;
    struct log_config log;
};

/* What the command line asks for besides knobs. */
enum config_verb {
    CONFIG_SERVE,
    CONFIG_HELP,    /* --help */
    CONFIG_VERSION, /* --version */
    CONFIG_CHECK,   /* --check-config: load, report, exit. */
    CONFIG_PRINT,   /* --print-config: the effective knobs as a file. */
};

#define CONFIG_ERROR_BYTES 512

/* Reads all four sources into *ret. `environ_` is NULL-terminated "NAME=value".
 * The file is --config=PATH, else PRERENDERD_CONFIG, else /etc/prerenderd/prerenderd.conf
 * if that exists. 0, or a negative errno (-EINVAL as a rule) with one sentence in `error`
 * and *ret untouched. --help and --version answer the defaults and read nothing else. */
int config_load(int argc, char *const *argv, char *const *environ_, struct config *ret,
                enum config_verb *ret_verb, char error[CONFIG_ERROR_BYTES]);
/* Receives one sentence about something that was forgiven; borrowed for the call. */
typedef void config_on_warning(void *owner, const char *sentence);
/* As config_load(), and hands every warning to `on_warning`, also before a failure. Own
 * knobs are strict; warnings come from the aliases in the environment (config/aliases.c)
 * and from limits that follow others. */
int config_load_with_warnings(int argc, char *const *argv, char *const *environ_,
                              config_on_warning *on_warning, void *owner, struct config *ret,
                              enum config_verb *ret_verb, char error[CONFIG_ERROR_BYTES]);
/* True when there is a knob of that name ("pool.pages_max"). */
bool config_has_knob(const char *name);
/* What takes a restart: the name of the first knob that differs between the configuration in
 * effect and one that was just read, but for those that SIGHUP reads again. A script counts by
 * what is in its file. NULL: none. */
const char *config_restart_knob(const struct config *in_effect, const struct config *just_read);
/* Frees the strings. */
void config_free(struct config *);
/* Writes the effective knobs in the form of prerenderd.conf, one comment each. */
void config_print(const struct config *, FILE *);
/* Writes config/prerenderd.conf: every knob at its default, commented out, explained. */
void config_print_defaults(FILE *);
/* Writes the text of --help: usage and one line per knob. */
void config_help(FILE *);

#endif
