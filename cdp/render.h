/* render.h: one render as a pure machine: protocol facts and ticks in, commands out.
 *
 * It does no I/O, formats no JSON, reads no clock and allocates nothing: page.c turns
 * commands into CDP calls, and replies and events into facts.
 *
 *   IDLE --render_start--> NAVIGATING --committed--> LOADING --milestone--> CAPTURING
 *   LOADING --loaded, stopped or stuck (auto)--> SETTLING --nothing new--> CAPTURING
 *   SETTLING, CAPTURING --another document committed--> LOADING
 *   LOADING, SETTLING --soft deadline (partial)--> CAPTURING
 *   CAPTURING --captured--> DONE          every state --failed, hard deadline--> DONE
 *
 * Readiness `auto` settles in virtual time (Emulation.setVirtualTimePolicy). The page's
 * clock is paused before the navigation and granted in slices, which stand still while
 * fetches are pending. Slices before the load event are free; after it settle_virtual_ms
 * are counted, with the page's own clock (looks) and not by counting slices: a grant over
 * a grant makes both expire. The first slice is 500 ms, the second all that is left.
 * Frames come in real time; one is awaited, after the first slice, when
 * a script has run since the last, so a page without scripts waits for none. When the clock
 * has stood still for stuck_request_ms without progress, the rest is granted without
 * regard to fetches. Frames are late while the page's clock is behind the real one, so
 * that is made up for first; time that passed while loading has passed for the page too.
 *
 * The waits `load` and `domcontentloaded` run on the same clock, up to their milestone.
 *
 * What is made of a visit is asked for one by one while CAPTURING, see render_capture.c. A
 * fact that belongs to another document than the one shown is dropped, and another document
 * begins all of it again, so outputs never mix.
 *
 * A transition (render_transit.c) has its document already: it begins in SETTLING, where a
 * script brings the document to what is asked for, and ends with the value of another.
 *
 *   IDLE --render_start, a document is shown--> SETTLING
 * A page that has used up its budget (render_budget.c) is captured as it is, or fails.
 * A network that must be quiet (render_quiet.c) is told of by who watches it. Under the
 * real clock (render_real.c) nothing is granted: the page runs, and is waited for.
 *
 * Further conditions (render_wait.c) are checked together with every look while SETTLING,
 * which then follows every milestone: while one does not hold the clock goes on. */
#ifndef CDP_RENDER_H
#define CDP_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include "cdp/result.h"
#include "config/config.h"
#include "config/params.h"

enum render_state {
    RENDER_IDLE,       /* Not started. */
    RENDER_NAVIGATING, /* Page.navigate sent; its document has not committed. */
    RENDER_LOADING,    /* Committed; the awaited milestone has not come. */
    RENDER_SETTLING,   /* Loaded; virtual time runs in slices. */
    RENDER_CAPTURING,  /* The document is measured, then each output asked for. */
    RENDER_DONE,       /* The verdict is final; every further fact is stale. */
};

/* What a committed document is. */
enum render_kind {
    RENDER_KIND_HTML,
    RENDER_KIND_TEXT,   /* text/plain: a document only as the empty body of an error status. */
    RENDER_KIND_OTHER,  /* An image, JSON, XML, a video: nothing to render. */
    RENDER_KIND_ERROR,  /* Chromium's own error page. */
    RENDER_KIND_DENIED, /* A URL that must not be shown. */
};

/* What a page has done so far, by Chromium's own counters, which no page can reach. The
 * script time and the counters belong to the renderer process and outlive documents. */
struct render_look {
    double virtual_ms;         /* The page's clock, monotonic. */
    double script_us;          /* Spent in scripts, inspection excepted. */
    double layout_us, task_us; /* Spent in style and layout; in all tasks. */
    uint64_t nodes, listeners, documents, requests, workers;
};

/* What the page's ready flag is; only a boolean is one. */
enum render_flag { RENDER_FLAG_NONE, RENDER_FLAG_FALSE, RENDER_FLAG_TRUE };

/* What the document says of itself, from an isolated world. */
struct render_measure {
    int status;         /* Of the HTTP answer; 0: unknown. */
    uint64_t bytes;     /* Of the document as UTF-8, shadow trees not counted. */
    bool is_incomplete; /* The parser has not reached the end. */
};

enum render_fact_type {
    RENDER_FACT_NAVIGATED, /* Answers RENDER_DO_NAVIGATE and RENDER_DO_BLANK: .loader (0: within
                              the same document), or .net_error, or .is_download. */
    RENDER_FACT_STARTED,   /* A navigation of the main frame is under way: .loader. */
    RENDER_FACT_SCHEDULED, /* The page wants to navigate later (a refresh). */
    RENDER_FACT_COMMITTED, /* The main frame has the document of .loader, a .kind. */
    RENDER_FACT_PARSED,    /* DOMContentLoaded of .loader. */
    RENDER_FACT_LOADED,    /* The load event of .loader, at .virtual_ms. */
    RENDER_FACT_STOPPED,   /* The main frame stopped loading. */
    RENDER_FACT_EXPIRED,   /* The granted virtual time is used up. */
    RENDER_FACT_LOOKED,    /* Answers RENDER_DO_LOOK: .ok, .look. */
    RENDER_FACT_FRAMED,    /* Answers RENDER_DO_FRAME, also when it failed. */
    RENDER_FACT_MEASURED,  /* Answers RENDER_DO_MEASURE: .ok, .measure. */
    RENDER_FACT_CAPTURED,  /* Answers RENDER_DO_CAPTURE: .output, .ok and its .bytes; or why it
                              cannot be made: .code, where RENDER_OK means its document went. */
    RENDER_FACT_STREAMS,   /* .ok: a stream is open, and nothing else that counts is pending. */
    RENDER_FACT_HEARD,     /* A stream has brought what streams had brought before, or more. */
    RENDER_FACT_CHECKED,   /* Answers RENDER_DO_CHECK: .flag, and .ok if all conditions hold. */
    RENDER_FACT_TRANSITED, /* Answers RENDER_DO_TRANSIT: .ok, or .code. */
    RENDER_FACT_SURVEYED,  /* Answers RENDER_DO_SURVEY: .ok if the main thread did. */
    RENDER_FACT_TRAFFIC,   /* Requests are now .active and .pending; see cdp/traffic.h. */
    RENDER_FACT_SPENT,     /* The page wants more of the network than it may have. */
    RENDER_FACT_TICK,      /* render_deadline_ms() has been reached. */
};

struct render_fact {
    enum render_fact_type type;
    uint64_t loader; /* A number for the loader id. */
    enum render_kind kind;
    bool ok, is_download;
    enum output output;
    enum render_code code;
    uint32_t active, pending;
    uint64_t bytes;
    enum render_flag flag;
    const char *net_error; /* NAVIGATED: "net::ERR_..."; NULL: none. Borrowed for the call. */
    double virtual_ms;     /* PARSED, LOADED: the page's clock, as in a look; 0: unknown. */
    struct render_look look;
    struct render_measure measure;
};

enum render_command_type {
    RENDER_DO_NAVIGATE, /* Navigate to the URL of the request. */
    RENDER_DO_BLANK,    /* Navigate to about:blank. */
    RENDER_DO_PREPARE,  /* Make the isolated world of the document just committed. */
    RENDER_DO_GRANT,    /* .virtual_ms, standing still while fetches are pending. */
    RENDER_DO_ADVANCE,  /* .virtual_ms, whatever is pending; 0: what is granted already. */
    RENDER_DO_PAUSE,    /* Take back what is granted. */
    RENDER_DO_LOOK,
    RENDER_DO_CHECK,  /* The flag and the conditions. */
    RENDER_DO_FRAME,  /* Await one animation frame. */
    RENDER_DO_INJECT, /* The scripts that run before the capture; what follows comes after. */
    RENDER_DO_MEASURE,
    RENDER_DO_CAPTURE,   /* Make .output. */
    RENDER_DO_INSPECT,   /* See whether the page holds a stream open. */
    RENDER_DO_TRANSIT,   /* Bring the document that is shown to what is asked for. */
    RENDER_DO_SURVEY,    /* Note what is pending, and see whether the main thread answers. */
    RENDER_DO_TERMINATE, /* End the script that runs. */
    RENDER_DO_ABANDON,   /* The page paints no more: it is as good as crashed. */
};

#define RENDER_COMMANDS_MAX 8

struct render_commands {
    uint32_t count;
    struct render_command {
        enum render_command_type type;
        uint32_t virtual_ms;
        enum output output;
    } items[RENDER_COMMANDS_MAX];
};

/* How quiet the network must be. */
struct render_quiet {
    bool is_awaited;      /* RENDER_FACT_TRAFFIC tells. */
    uint32_t quiet_ms;    /* On the page's clock. */
    uint32_t connections; /* Requests that may be active all the same. */
};

/* What is waited for beside the milestone, and by which clock. */
struct render_wait {
    bool is_real; /* The clock is nobody's to move. */
    struct render_quiet quiet;
    bool has_flag;       /* The page may hold and end its render by its flag. */
    bool has_conditions; /* RENDER_DO_CHECK tells whether they hold. */
    bool is_hastening;   /* They end the settling when they hold. */
    uint32_t flag_grace_ms, delay_ms;
};

struct render_plan {
    enum wait_until until;
    uint64_t shown_loader; /* Of the document to transit; 0: one is navigated to. */
    struct render_wait wait;
    bool has_injects; /* RENDER_DO_INJECT is wanted. */
    enum on_timeout on_timeout;
    uint32_t outputs;     /* A set of OUTPUT_BIT(); not empty. */
    uint64_t deadline_ms; /* Absolute; the verdict is due a little earlier. */
    uint32_t settle_virtual_ms, stuck_request_ms, capture_reserve_ms;
    uint32_t stream_grace_ms;   /* How long a page that holds a stream open is waited for, */
    uint32_t stream_silence_ms; /* and after the last RENDER_FACT_HEARD. */
    uint64_t output_bytes_max;
    struct render_look look; /* When the page was last looked at. */
    double clock_base_ms;    /* render_look.virtual_ms minus now_ms when the clock is right. */
};

/* What was known when the time was up. */
struct render_late {
    bool is_probed;          /* The last look and the survey have been sent. */
    bool is_answered;        /* The survey has been, and nothing had to be terminated. */
    struct render_look look; /* The look, which comes also while a script spins. */
    bool is_set;
    enum render_state state; /* Where the render was; how long it had been there. */
    uint64_t age_ms;
};

/* Only render*.c looks inside. */
struct render {
    enum render_state state;
    struct render_plan plan;
    uint64_t started_ms, entered_ms; /* The render; its state. */
    uint64_t soft_ms, hard_ms;

    /* Which document. */
    uint64_t loader;       /* Of the document that is shown; 0: not committed. */
    uint64_t reply_loader; /* That Page.navigate named; 0: it has not answered. */
    uint64_t next_loader;  /* Of a navigation that is under way; 0: none. */
    uint64_t early_loader; /* Of a document that committed before the reply; 0: none. */
    uint64_t last_loader;  /* Of the navigation that started last; 0: none. */
    enum render_kind kind, early_kind;
    uint32_t documents, navigations;
    bool is_blanking;       /* RENDER_DO_BLANK is out; the navigation follows. */
    bool is_aborted;        /* net::ERR_ABORTED; a look tells whether the renderer lives. */
    uint64_t unresolved_ms; /* Until then the error page may tell what was not found; 0: not. */
    bool is_loaded;         /* The document has loaded, or loads no further. */
    bool is_scheduled;      /* It wants to navigate later. */

    /* What is out, until its fact or another document comes. */
    bool is_granted, is_looking, is_framing, is_measuring;

    /* Virtual time. */
    uint64_t granted_ms, looked_ms; /* When the last grant, the last look were sent. */
    uint64_t progress_ms;           /* Last sign of progress. */
    uint64_t paced_ms;              /* When the next slice may be granted; 0: not waiting. */
    uint32_t slices;                /* Of this document, before its load event. */
    uint32_t grant_ms;              /* Virtual time of the latest grant. */
    uint32_t unlooked_ms;           /* Expired since the last look was answered. */
    bool is_stuck;                  /* Fetches no longer count. */
    uint64_t judged_ms;             /* Between the last two looks, if the clock stood; or 0. */
    uint32_t waiting_looks;         /* In a row that have shown a page that waits. */
    bool is_inspected, has_streams;
    uint64_t heard_ms; /* When RENDER_FACT_HEARD last came; 0: not. */

    /* Settling, of this document. */
    double load_virtual_ms;    /* The page's clock at the load event; 0: unknown. */
    bool has_look;             /* .look was taken while settling. */
    bool is_frame_owed;        /* A script has run since the last frame. */
    bool is_sliced;            /* A slice has expired since the load. */
    struct render_look look;   /* The last one. */
    double settled_virtual_ms; /* The page's clock when settling will be over. */
    uint32_t frames, quiet_looks;

    /* The conditions, of this document; see render_wait.c. */
    bool is_checking, has_check, is_met, is_hastened;
    enum render_flag flag;
    double delayed_virtual_ms; /* The page's clock when the delay will be over. */
    uint32_t slices_held;      /* Granted only because something does not hold. */

    bool is_transiting; /* RENDER_DO_TRANSIT is out. */
    bool is_spent;      /* RENDER_FACT_SPENT has come; it holds for every document. */
    /* The network; see render_quiet.c. */
    uint32_t active, pending;
    bool is_quiet; /* Since .quiet_since_ms of the page's clock. */
    double quiet_since_ms;

    struct render_late late;

    /* Capture. */
    uint32_t outputs_made, outputs_given_up; /* Sets of OUTPUT_BIT(), of this document. */
    bool is_capturing;                       /* .output is asked for. */
    enum output output;
    bool is_confirming, is_confirmed; /* That the document is still there, after the last. */
    uint64_t output_bytes;            /* Made so far, together. */
    uint32_t slices_capturing;        /* Granted for the sake of an output. */
    bool has_measure, is_partial;
    struct render_measure measure;
    uint32_t captures_failed, terminations;
    uint64_t terminate_ms; /* When to end a script that does not let us capture; 0: not. */
    uint64_t inject_ms;    /* When to end a script that was injected before the capture; 0: not. */
    uint64_t retry_ms;     /* When to ask again after a failed capture; 0: not. */
    uint64_t repaint_ms;   /* When to ask again for an image that does not come; 0: not. */
    bool is_repainting;    /* It was asked for again. */
    bool is_answering;     /* Since then the main thread has answered. */

    /* The verdict. */
    enum render_outcome outcome;
    enum render_reason reason;
    enum render_code code;
    char net_error[64];
    uint64_t phases_ms[RENDER_DONE + 1]; /* Time spent, by state. */
    uint64_t parsed_ms, loaded_ms;       /* Since the start; 0: did not happen. */
};

/* Begins. *render need not be initialised. */
void render_start(struct render *, uint64_t now_ms, const struct render_plan *,
                  struct render_commands *ret);
/* Overwrites *ret with what to do now, in order. Cannot fail. */
void render_step(struct render *, uint64_t now_ms, const struct render_fact *,
                 struct render_commands *ret);
/* The render must end earlier than planned; a later deadline changes nothing. */
void render_shorten(struct render *, uint64_t now_ms, uint64_t deadline_ms);
/* When RENDER_FACT_TICK is due; UINT64_MAX: never. */
uint64_t render_deadline_ms(const struct render *);
/* In DONE: writes the verdict's numbers and codes into *ret and leaves what it owns alone. */
void render_verdict(const struct render *, struct render_result *ret);
/* In DONE: nothing has moved the page's clock since the last look. */
bool render_is_look_fresh(const struct render *);
/* In DONE: the page answered to the end and may serve again. */
bool render_is_page_good(const struct render *);
/* Aborts on a broken invariant. */
void render_check(const struct render *);

const char *render_state_name(enum render_state);
const char *render_fact_name(enum render_fact_type);
const char *render_command_name(enum render_command_type);
const char *render_code_name(enum render_code);

#endif
