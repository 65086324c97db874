/* result.h: what came out of one render. */
#ifndef CDP_RESULT_H
#define CDP_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/limits.h"
#include "config/params.h"

enum render_outcome {
    RENDER_COMPLETE, /* All conditions held. */
    RENDER_PARTIAL,  /* Captured at the deadline. */
    RENDER_FAILED,   /* No document; .code says why. */
};

enum render_reason {
    RENDER_SETTLED,    /* Settled, or the asked-for milestone was reached. */
    RENDER_READY_FLAG, /* The page's own flag said so. */
    RENDER_CONDITION,  /* The `wait` conditions held; if partial, they did not in time. */
    RENDER_DEADLINE,
    RENDER_BUDGET, /* The page wanted more of the network than it may have. */
};

/* One value per code of the HTTP interface that a render can end with. */
enum render_code {
    RENDER_OK,
    RENDER_NAVIGATION_FAILED, /* .net_error holds the net:: code. */
    RENDER_URL_DENIED,        /* A port of the daemon or of its browser, at any hop. */
    RENDER_TOO_MANY_REDIRECTS,
    RENDER_REDIRECT_STORM,
    RENDER_TRUNCATED,      /* Its connection broke before its end. */
    RENDER_NOT_A_DOCUMENT, /* 204, download, or a type that is no document. */
    RENDER_OUTPUT_TOO_LARGE,
    RENDER_OUTPUT_FAILED,   /* 422: .error says what of this page cannot be made. */
    RENDER_FAIL_ON,         /* 422: .fail_rule was hit, by .fail_url. */
    RENDER_BUDGET_EXCEEDED, /* 502: of .param, and onTimeout was error. */
    RENDER_WAIT_UNMET,      /* 422: a `wait` condition did not hold, and onTimeout was error. */
    RENDER_TIMEOUT,         /* 504: nothing could be captured, or onTimeout was error. */
    RENDER_UNRESPONSIVE,    /* 504: the main thread did not answer. */
    RENDER_PARAM_REFUSED,   /* The browser does not know the value of .param. */
    RENDER_SCRIPT_FAILED,   /* A script of the recipe threw; .error holds what. */
    RENDER_INTERNAL,        /* The protocol answered in a way we do not know. */
};

/* Durations in ms; disjoint, they follow the waits of the pool. */
struct render_phases {
    uint64_t navigate_ms, load_ms, settle_ms, capture_ms, process_ms;
};

/* What was known when the time was up. */
struct render_late_result {
    const char *phase; /* The render was in, by the words of the timings; NULL: in time. */
    uint64_t phase_age_ms;
    bool is_main_thread_answering; /* Not asked during the navigation: nothing is. */
    bool has_times;                /* Spent since the start, by the renderer's own counters: */
    double script_ms, layout_ms, task_ms;
};

struct diagnostics; /* cdp/diagnostics.h */

/* A header that the origin sent with the main document. */
struct render_header {
    char *name, *value; /* Owned. */
};

/* One output other than the document. Text and MHTML are what they are; links and the value
 * of the expression are JSON; images and PDF are base64, as they came. */
struct render_output {
    char *bytes; /* Owned; NULL: was not made. */
    size_t bytes_count;
};

struct render_result {
    enum render_outcome outcome;
    enum render_reason reason;
    enum render_code code;
    int status; /* HTTP status of the main document; 0: unknown. */
    char net_error[64];
    const char *param;     /* RENDER_PARAM_REFUSED, RENDER_OUTPUT_FAILED and
                              RENDER_BUDGET_EXCEEDED: its name; static. */
    char param_value[72];  /* Of the first two: what it was. */
    char content_type[64]; /* Of the document, as Chromium sees it; "": unknown. */
    char *final_url;       /* Owned. */
    char *title;           /* Owned; valid UTF-8. */
    bool has_empty_body;   /* Of failOn.emptyBody, and of what is partial in path mode: there is
                              nothing to be seen. False: there is, or nobody asked. */
    char *html;            /* Owned; valid UTF-8, not NUL-terminated. */
    size_t html_bytes;
    struct render_output outputs[OUTPUTS]; /* By enum output; the document is above. */
    uint32_t outputs_made;                 /* A set of OUTPUT_BIT(). */
    char *metas;      /* Owned; of an envelope: the document's metas, a JSON object. */
    char *value;      /* Owned; the object of a recipe as JSON, an object. NULL: no recipe. */
    char error[512];  /* Of a script, or of an output that cannot be made; valid UTF-8. */
    uint32_t pending; /* Requests that were still pending. */
    struct render_late_result late;
    const char *fail_rule;           /* RENDER_FAIL_ON: its parameter; static. NULL: none. */
    char fail_url[256];              /* What hit it. */
    struct diagnostics *diagnostics; /* Owned; NULL: none were asked for, and none are due. */
    struct render_phases phases;
    uint64_t dom_content_loaded_ms, loaded_ms; /* Since the navigation; 0: did not happen. */
    /* In path mode, with diagnostics, and where redirects are not followed: what the origin
     * answered to the document that is shown, which is empty for a redirect. 0: not known. */
    int origin_status;
    struct render_header *headers; /* Owned. */
    size_t headers_count;
    int64_t clock_skew_ms; /* Page clock minus real clock when the document was parsed. */
};

/* Frees the outputs, the document included: they are of another document than the rest. */
void render_outputs_clear(struct render_result *);
/* Frees the result and what it owns; NULL is fine. */
void render_result_free(struct render_result *);
void render_headers_free(struct render_header *, size_t count);

#endif
