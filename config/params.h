/* params.h: what a caller may ask for of one render.
 *
 * One row per parameter in one table (params.c): name, type, default, range and
 * meaning. The parser of JSON bodies and query strings (http/), the messages of
 * its errors, and the documentation come from that table; a render (cdp/) reads
 * the resulting struct. This is data: it knows neither HTTP nor the browser.
 *
 * Objects have no rows of their own: the dots of a name are its nesting, to any depth. A
 * row with a `shorthand` is the main member of its object, and may be given in its place:
 * {"wait": {"selector": "#a"}} is {"wait": {"selector": {"selector": "#a"}}}. */
#ifndef CONFIG_PARAMS_H
#define CONFIG_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/limits.h"

/* The table of rows is never longer. */
#define PARAM_ROWS_MAX 128

struct recipe; /* config/recipe.h */

/* What rows of more than one value hold; the items are owned, and so is each of them. */
struct param_strings {
    char **items;
    size_t count;
};

struct param_integers {
    uint32_t *items;
    size_t count;
};

/* Of an array of objects: `items` are structs of the row's record_bytes. Of a map: they are
 * struct param_pair. */
struct param_records {
    void *items;
    size_t count;
};

struct param_pair {
    char *name, *value;
};

enum wait_until {
    WAIT_AUTO, /* Settled in virtual time; see cdp/render.h. */
    WAIT_DOMCONTENTLOADED,
    WAIT_LOAD,
    WAIT_NETWORKIDLE, /* Loaded, and no more than idle_connections requests for idle_ms. */
    WAIT_NONE,        /* Committed; captured at once. */
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

/* Of the request for the main document. */
enum request_method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

/* Which requests get page.headers; none of another origin but for `all`. */
enum headers_scope {
    HEADERS_DOCUMENT, /* The main document. */
    HEADERS_ORIGIN,   /* All to the origin of the URL. */
    HEADERS_ALL,
};

/* Types of requests, as Chromium tells them apart; a set has the bit of each. */
enum resource_type {
    RESOURCE_IMAGE,
    RESOURCE_STYLESHEET,
    RESOURCE_FONT,
    RESOURCE_MEDIA,
    RESOURCE_SCRIPT,
    RESOURCE_XHR, /* fetch() as well. */
    RESOURCE_EVENTSOURCE,
    RESOURCE_FRAME, /* Documents of frames. */
    RESOURCE_PREFETCH,
    RESOURCE_PING,
    RESOURCE_OTHER, /* Workers, manifests, icons, text tracks. */
    RESOURCE_TYPES,
};

/* What wait.selector waits for. */
enum selector_state {
    SELECTOR_ATTACHED, /* At least min_count elements match. */
    SELECTOR_VISIBLE,  /* At least min_count of them are shown. */
    SELECTOR_HIDDEN,   /* None is shown. */
    SELECTOR_DETACHED, /* None matches. */
};

enum wait_clock {
    CLOCK_VIRTUAL, /* The page's clock is granted in slices; see cdp/render.h. */
    CLOCK_REAL,    /* It is that on the wall, and `auto` waits for a quiet network. */
};

/* Conditions of the capture beside wait.until; all that are given must hold. */
struct wait_params {
    char *ready_flag; /* NULL: prerenderReady; "": none. */
    uint32_t ready_flag_grace_ms;
    char *selector;
    enum selector_state selector_state;
    uint32_t selector_min_count;
    char *expression;
    char *event;
    uint32_t dom_stable_ms, delay_ms; /* 0: not asked for. */
    enum wait_clock clock;
    uint32_t idle_ms, idle_connections;
    uint32_t stuck_request_ms;   /* 0: render.stuck_request_ms. */
    struct param_strings ignore; /* Patterns of URLs that nobody waits for. */
};

/* What makes a render fail that would have succeeded. */
struct fail_params {
    struct param_integers statuses;          /* Of the document. */
    struct param_integers resource_statuses; /* Of anything else. */
    bool resource_failed, exception, empty_body;
};

/* What a page passes for; see cdp/agent.h. */
enum device_kind {
    DEVICE_DEFAULT, /* The browser, in the viewport of an idle page. */
    DEVICE_DESKTOP,
    DEVICE_MOBILE,
    DEVICE_GOOGLEBOT_MOBILE,
};

enum media_type { MEDIA_SCREEN, MEDIA_PRINT };
enum color_scheme { COLOR_SCHEME_LIGHT, COLOR_SCHEME_DARK };
enum reduced_motion { REDUCED_MOTION_NO_PREFERENCE, REDUCED_MOTION_REDUCE };

enum same_site { SAME_SITE_UNSET, SAME_SITE_STRICT, SAME_SITE_LAX, SAME_SITE_NONE };

struct param_cookie {
    char *name, *value;
    char *domain, *url; /* One of them, or none: the URL of the request. */
    char *path;         /* NULL: the whole site, or the folder of the URL. */
    bool secure, http_only;
    enum same_site same_site;
    uint32_t expires_s; /* Since 1970; 0: with its context. */
};

/* What may be made of one visit, in the order of its names. */
enum output {
    OUTPUT_HTML,
    OUTPUT_TEXT,
    OUTPUT_LINKS,
    OUTPUT_PNG,
    OUTPUT_JPEG,
    OUTPUT_WEBP,
    OUTPUT_PDF,
    OUTPUT_MHTML,
    OUTPUT_EXPRESSION,
    OUTPUTS,
};

#define OUTPUT_BIT(output) (UINT32_C(1) << (output))
#define OUTPUT_IMAGES (OUTPUT_BIT(OUTPUT_PNG) | OUTPUT_BIT(OUTPUT_JPEG) | OUTPUT_BIT(OUTPUT_WEBP))

/* What an image shows: the viewport, unless one of the first three is given. */
struct screenshot_params {
    bool full_page;
    char *selector;
    double clip_x, clip_y, clip_width, clip_height; /* CSS pixels; no width: no clip. */
    uint32_t quality;                               /* Of jpeg and webp. */
    bool omit_background;
};

/* As Page.printToPDF has them; lengths in inches. */
struct pdf_params {
    bool landscape, display_header_footer, print_background, prefer_css_page_size;
    bool generate_tagged, generate_outline;
    double scale, paper_width, paper_height;
    double margin_top, margin_bottom, margin_left, margin_right;
    char *page_ranges, *header_template, *footer_template;
};

/* A request whose URL matches `from` goes to `to` instead. */
struct param_rewrite {
    char *from, *to;
};

/* Whether workers of an earlier document may answer for the network. */
enum service_workers { SERVICE_WORKERS_BLOCK, SERVICE_WORKERS_ALLOW };

/* What the page may ask of the network. Patterns are those of cdp/glob.h. */
struct network_params {
    uint32_t block_types; /* A set of enum resource_type. */
    struct param_strings block_urls, allow_urls;
    struct param_records rewrites; /* Of struct param_rewrite. */
    bool follow_redirects;
    unsigned requests_max, bytes_max; /* That the page may use; 0: any number. */
    enum service_workers service_workers;
};

enum inject_when {
    INJECT_DOCUMENT_START, /* Before any script of the document, in every document. */
    INJECT_BEFORE_CAPTURE, /* Once, when all else is done. */
};

/* A script or a style that is put into the page: one of the two. */
struct inject_params {
    char *js, *css; /* Owned; NULL: the other. */
    enum inject_when when;
};

/* What becomes of shadow trees in the document that is answered. */
enum shadow_dom {
    SHADOW_DOM_DECLARATIVE, /* <template shadowrootmode>, from which a parser makes them again. */
    SHADOW_DOM_IGNORE,      /* They are left out; what is slotted into them stays. */
};

/* What the bytes of the answered document are. It says of itself that it is UTF-8. */
enum charset {
    CHARSET_UTF8,
    CHARSET_ASCII, /* Escapes for everything else; see document/ascii.h. */
};

/* What the page is shown of its surroundings. The defaults are those of an idle page, and
 * cost nothing; everything else is undone before the page serves again. */
struct page_params {
    enum device_kind device; /* Of what is not given below. */
    uint32_t width, height;
    double scale;
    bool mobile, touch;
    char *user_agent;            /* NULL: the device's. */
    char *locale;                /* NULL: the browser's. */
    char *timezone;              /* NULL: the browser's. */
    struct param_records inject; /* Of struct inject_params. */
    enum media_type media_type;
    enum color_scheme color_scheme;
    enum reduced_motion reduced_motion;
    bool javascript;
    struct param_records headers; /* Of struct param_pair. */
    enum headers_scope headers_scope;
    char *username, *password;          /* For the origin of the URL; NULL: none. */
    struct param_records cookies;       /* Of struct param_cookie. */
    struct param_records local_storage; /* Of struct param_pair. */
};

/* Strings are owned by the struct; NULL when absent. */
struct render_params {
    char *url;      /* http or https, navigated byte for byte. This or html. */
    char *html;     /* The document itself. */
    char *base_url; /* Where html seems to come from; NULL: from nowhere. */
    enum request_method method;
    char *body, *content_type; /* Of that request; NULL: none. */
    size_t body_bytes;
    char *affinity; /* Not NUL-terminated data: affinity_bytes counts. */
    size_t affinity_bytes;
    char *auth, *batch; /* Of the affinity; NULL: none. */
    bool clear_cache;
    enum isolation isolation;
    enum lane lane;
    uint32_t priority;         /* 0..1000000, higher first. */
    uint32_t timeout_ms;       /* One budget from arrival, queue included. */
    uint32_t queue_timeout_ms; /* Longest wait before the start; 0: timeout_ms. */
    enum on_timeout on_timeout;
    bool retry_on_crash;
    bool dedupe; /* May share the render of another request for the same. */
    enum wait_until until;
    struct wait_params wait;
    struct fail_params fail_on;
    struct page_params page;
    struct network_params network;
    uint32_t outputs; /* A set of OUTPUT_BIT(); never empty. */
    char *expression; /* Evaluated in the page; its value is OUTPUT_EXPRESSION. */
    char *javascript; /* prerender.io's: http/ makes an expression of it. */
    struct screenshot_params screenshot;
    struct pdf_params pdf;
    bool strip_scripts;
    char *base; /* Of the document that is answered, when it has none. */
    enum shadow_dom shadow_dom;
    enum charset charset;
    bool meta_status; /* The prerender metas are taken out, and told. */
    struct param_strings remove_selectors;
    /* Set by the prerender.io dialect, no parameter: the answer is that of the origin, so its
     * headers are wanted and its redirects are not followed. */
    bool path_mode;
    /* Set by http/, no parameter: the answer tells everything about the render. */
    bool wants_envelope;
    bool given[PARAM_ROWS_MAX]; /* By row: the caller said so, be it the default. */
    /* Set by the manager's dialect, no parameters. A render with a recipe navigates nowhere:
     * `url` is what it is about, and its scripts are called with `input`. */
    const struct recipe *recipe; /* Of the configuration; NULL: none. */
    char *input;                 /* Owned; a JSON object. */
};

enum param_type {
    PARAM_STRING,
    PARAM_INTEGER,
    PARAM_NUMBER, /* A double: lengths and factors. */
    PARAM_BOOLEAN,
    PARAM_ENUM,
    PARAM_SET,      /* Some of the choices: one name or an array; a query joins them by commas. */
    PARAM_STRINGS,  /* An array of strings. Like all below it has no form in a query string. */
    PARAM_INTEGERS, /* An array of integers. */
    PARAM_MAP,      /* An object of any names, each with a string. */
    PARAM_RECORDS,  /* An array of objects, whose members are rows of their own. */
};

/* What a string must be beside its length. */
enum param_format {
    FORMAT_TEXT,     /* Anything. */
    FORMAT_URL,      /* An http or https URL with a host. */
    FORMAT_HEADER,   /* The value of an HTTP header: printable ASCII. */
    FORMAT_TOKEN,    /* An RFC 9110 token, such as the name of a header. */
    FORMAT_SELECTOR, /* See selector.h. */
    FORMAT_LOCALE,   /* Letters, digits and hyphens, as in a language tag. */
};

/* One row. `name` is dotted for a nested object: "wait.until"; the members of a record are
 * named below its array: "page.inject[].when". */
struct param_row {
    const char *name;
    const char *shorthand; /* Name of the object whose main member this is, or NULL. */
    const char *alias;     /* What the /render of prerender.io calls it, or NULL. */
    enum param_type type;
    size_t offset;              /* Of the member in struct render_params, or in the record. */
    size_t bytes_offset;        /* PARAM_STRING: of a size_t for its length; 0: none. */
    const char *const *choices; /* PARAM_ENUM, PARAM_SET: names by value, NULL at the end. */
    uint64_t initial;           /* Default of an integer, boolean, enum or set (a bit mask). */
    uint64_t min, max;          /* PARAM_INTEGER(S): range; PARAM_STRING(S) and PARAM_MAP: bytes
                                   of each string. */
    double number_initial, number_min, number_max; /* PARAM_NUMBER. */
    enum param_format format;      /* PARAM_STRING, PARAM_STRINGS; of a map: of the values. */
    enum param_format name_format; /* PARAM_MAP. */
    bool is_timeout;  /* PARAM_INTEGER: the knob render.timeout_ms_max bounds it too. */
    bool is_required; /* In a record: each must have it. */
    size_t count_max; /* Of an array or a map: how many. */
    const struct param_row *fields; /* PARAM_RECORDS: the members of one. */
    size_t fields_count, record_bytes;
    const char *meaning;
};

extern const struct param_row param_rows[]; /* config/param_rows.c */
extern const size_t param_rows_count;

/* Fills in the defaults. Zero bytes are not a valid default set. */
void render_params_init(struct render_params *);
/* Copies with everything owned. False when memory is out; *ret then owns nothing. */
bool render_params_copy(const struct render_params *, struct render_params *ret);
/* Every value of the table as bytes, equal for requests of the same render, from malloc();
 * NULL when memory is out. Which rows were given does not count. (param_canon.c) */
char *render_params_canonical(const struct render_params *, size_t *ret_bytes);
/* Frees what is owned; the struct itself is the caller's. */
void render_params_free(struct render_params *);
/* What is rendered as a URL: url, or base_url, or "about:blank". Borrowed. */
const char *render_params_url(const struct render_params *);
/* The defaults of one record of the row. */
void param_record_init(const struct param_row *, void *record);
/* Frees what the member of the row at `base` owns, and leaves it empty. */
void param_free(const struct param_row *, void *base);
/* The row of that dotted name, shorthand or alias, or NULL. */
const struct param_row *param_find(const char *name);
/* The caller gave that row of the table a value. */
bool param_is_given(const struct render_params *, const char *name);
/* The name that messages and the last part of a path use: "when" of "page.inject[].when". */
const char *param_last_name(const struct param_row *);
/* The valid name closest to `name` by edit distance, for error messages. Never NULL. */
const char *param_nearest(const char *name);
/* The same among the members of the row's records. */
const char *param_nearest_field(const struct param_row *, const char *name);

#endif
