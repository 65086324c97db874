/* page.h: one page of the pool: it is opened, renders, rests, and is closed.
 *
 *   OPENING --ready--> READY --page_render--> STARTING --clock and cache are right-->
 *   RENDERING --verdict, page good--> CLEARING --storage cleared, or nothing to clear--> READY
 *   RENDERING --verdict, page not good--> SPENT      READY .. CLEARING --abort--> SPENT
 *   any --renderer gone--> CRASHED      OPENING --failed--> UNDOING --context gone--> (freed)
 *   any --page_close--> CLOSING --acknowledged--> (freed)
 *
 * A page shows one target. When that target's clock has run too far ahead, a spare one
 * is prepared beneath the same page, in the same context, and takes its place. */
#ifndef CDP_PAGE_H
#define CDP_PAGE_H

#include "cdp/cdp_state.h"
#include "cdp/traffic.h"

enum page_state {
    PAGE_OPENING,   /* Its context or its target is being made. */
    PAGE_UNDOING,   /* That failed; what there is of it is being disposed of. */
    PAGE_READY,     /* Idle. */
    PAGE_STARTING,  /* Has a render that waits for its cache, its clock or its spare. */
    PAGE_RENDERING, /* The machine runs. */
    PAGE_CLEARING,  /* The result is out; cookies and storage are being cleared. */
    PAGE_SPENT,     /* Its render is over or forgotten; it must be closed. */
    PAGE_CRASHED,   /* Its renderer is gone; it must be closed. */
    PAGE_CLOSING,
};

/* What STARTING waits for. */
enum page_errand {
    ERRAND_NONE,
    ERRAND_SPARE,   /* The spare target to be ready. */
    ERRAND_CLOCK,   /* The target's clock to be moved. */
    ERRAND_CACHE,   /* The HTTP cache to be cleared. */
    ERRAND_COOKIES, /* The browser to take the cookies. */
    ERRAND_LOCALE,  /* The browser to accept the locale and the time zone. */
    ERRAND_SHELL,   /* The standby document of its recipe to be shown. */
};

/* What the origin answered to the last request for a main document, until it commits. */
struct page_origin {
    uint64_t loader; /* 0: unknown. */
    int status;      /* 0: nothing. */
    struct render_header *headers;
    size_t headers_count;
};

/* One for each that a request injects, and one for the event that is waited for. */
#define PAGE_SCRIPTS_MAX 17
#define PAGE_SCRIPT_NAME_BYTES 32

/* Scripts that run in every new document. Replies come in the order of the calls. */
struct page_scripts {
    uint32_t added, known; /* The first `known` of them have their names. */
    char names[PAGE_SCRIPTS_MAX][PAGE_SCRIPT_NAME_BYTES];
};

/* What streams have brought, as far as their page's requests are watched. */
struct page_heard {
    uint32_t messages; /* 0: none, or unknown. */
    uint32_t last_ms;  /* The last one so long after streams were all that was pending. */
    uint32_t pause_ms; /* The longest time before any of them, since then. */
};

/* Dialogs that are accepted in one render; after more of them its page is not used again. */
#define PAGE_DIALOGS_MAX 20

/* The render that a page has. Zeroed when it has none. */
struct page_render {
    uint64_t request, deadline_ms;
    const struct render_params *params;
    bool clear_cache, clear_storage, diagnose;
    struct render machine;
    struct render_result *result;

    uint64_t leave_ms;               /* When the last document must have been left; 0: it was. */
    uint64_t loader;                 /* Of the document these belong to. */
    int64_t world;                   /* Its isolated world; 0: not there yet. */
    char document[64];               /* Its remote object id; "": not there yet. */
    bool wants_frame, wants_measure; /* Asked for before world or document were there. */
    bool has_network;                /* Requests are paused; see page_network.c. */
    bool has_viewport;               /* That of path mode. */
    bool has_bypass;                 /* Service workers are passed by. */
    struct page_origin origin;
    bool has_cookies;   /* They were sent to the browser. */
    bool is_storing;    /* The script that fills localStorage is on its way. */
    char storing[32];   /* Its identifier; "": none. */
    char *own_origin;   /* Of the URL, as Chromium writes it; NULL: its request has not come. */
    uint32_t dialogs;   /* Answered. */
    uint32_t overrides; /* To be undone; see page_override.c. */
    bool has_locale, has_timezone; /* The same, see page_locale.c. */
    enum render_flag flag;         /* What the check that is out has found so far. */
    struct page_scripts scripts;
    struct traffic *traffic;  /* Watched; NULL: not. Owned. */
    uint32_t watches;         /* Domains to be disabled; see page_watch.c. */
    uint32_t active, pending; /* What the machine was told last, if .is_told. */
    bool is_told;
    bool has_streams;    /* The same; see page_streams.c. */
    uint64_t streams_ms; /* When it was told first that only streams are open; 0: not yet. */
    struct page_heard heard;
    bool is_served;      /* The request's own document is; see page_html.c. */
    bool has_clock;      /* The skew at the start is known. */
    enum output output;  /* Being made. */
    bool is_imaging;     /* That is an image, and it has not come. */
    bool is_transparent; /* The page is without its background for it. */
    char stream[64];     /* Of the PDF that is being read; "": none. */
};

struct page {
    uint64_t id;
    enum page_state state;
    enum page_errand errand;
    struct life *life;
    struct context *context;
    struct target *target; /* Shown. */
    struct target *spare;  /* Being prepared, ready, or NULL. */
    struct target *old;    /* Replaced by the spare; closing, or NULL. */
    bool retains_context;  /* CLOSING: only the page goes. */
    bool is_probing;       /* A probe is out: its target must stay. */
    bool is_killed;
    uint64_t open_deadline_ms;
    uint64_t stream_url;     /* A number for the URL that last held a stream open; 0: none. */
    struct page_heard heard; /* When it did. */
    uint64_t rest_ms;        /* READY: when its document goes; 0: not planned. */
    char error[128];         /* UNDOING. */
    struct page_render render;
    UT_hash_handle hh;
};

/* What the daemon asks, see cdp.h. page_open() takes a context that has no page. */
void page_open(struct life *, uint64_t now_ms, uint64_t id, uint64_t context_id, bool new_context,
               uint64_t deadline_ms);
struct page *page_find(struct cdp *, uint64_t id);
void page_set_state(struct page *, enum page_state);
void page_probe(struct page *, uint64_t now_ms, uint64_t deadline_ms);
void page_render(struct page *, uint64_t now_ms, const struct cdp_render *);
void page_shorten(struct page *, uint64_t now_ms, uint64_t deadline_ms);
void page_abort(struct page *, uint64_t now_ms);
/* Nobody has taken it yet: its document goes when that has lasted. */
void page_rest(struct page *, uint64_t now_ms);
void page_close(struct page *, uint64_t now_ms, bool retain_context);
void page_kill(struct page *, uint64_t now_ms);
/* Forgets it and its targets: they are gone, or their browser is. */
void page_free(struct page *);
/* A target that the page asked for may be reported before its creation is answered. */
bool page_expects_target(const struct page *);
void page_tick(struct page *, uint64_t now_ms);
uint64_t page_deadline_ms(const struct page *);
/* page_events.c: an event of the session of `target`. */
void page_on_event(struct target *, uint64_t now_ms, struct cdp_message *);

/* What target.c tells. */
void page_context_ready(struct context *, uint64_t now_ms);
void page_context_gone(struct context *, uint64_t now_ms);
void page_target_created(struct target *, uint64_t now_ms);
void page_target_ready(struct target *, uint64_t now_ms);
void page_target_failed(struct target *, uint64_t now_ms, const char *why);
void page_target_crashed(struct target *, uint64_t now_ms);
/* It is of no further use, and treated as if it had crashed; `why` ends a sentence. */
void page_target_lost(struct target *, uint64_t now_ms, const char *why);
void page_target_detached(struct target *, uint64_t now_ms);
void page_target_gone(struct target *, uint64_t now_ms);

/* Navigates to about:blank; `done` may be NULL. */
void page_blank(struct page *, uint64_t now_ms, call_done *done);

/* page_render.c, for page.c: the errand is done; the render is over. */
void page_render_go(struct page *, uint64_t now_ms);
/* The errand of the locale is done: with `param` NULL the render starts, else it fails, as the
 * browser does not know the value of that parameter. */
void page_render_located(struct page *, uint64_t now_ms, const char *param, const char *value);
/* An errand has failed: the browser refuses the value of that parameter. */
void page_render_refuse(struct page *, uint64_t now_ms, const char *param, const char *value);
void page_render_drop(struct page *, uint64_t now_ms);
void page_render_tick(struct page *, uint64_t now_ms);
uint64_t page_render_deadline_ms(const struct page *);
/* The next document is about to replace what is shown. */
void page_render_leave(struct page *, uint64_t now_ms);
/* Feeds the machine and carries out what it answers. */
void page_render_step(struct page *, uint64_t now_ms, const struct render_fact *);

/* page_calls.c: carries out one command of the machine. */
void page_do(struct page *, uint64_t now_ms, const struct render_command *);
/* The id of the remote object that a reply has as `key`; false: it has none. */
bool page_object_id(const struct call_reply *, const char *key, char *ret, size_t ret_bytes);
/* A call of the render that the page has. */
void page_call(struct page *, uint64_t now_ms, const char *method, json_t *params, call_done *done,
               uint64_t tag);
/* Renews target->look, off the path of any answer. */
void page_look_later(struct target *, uint64_t now_ms);
/* A number for a loader id, never 0; 0 when there is none. */
uint64_t page_loader_number(struct cdp_span loader_id);

/* page_wait.c: the conditions of `wait`. */
/* What the machine needs to know of them. */
struct render_wait page_wait_plan(const struct page *);
/* A request without progress for that long is not waited for. */
uint32_t page_wait_stuck_ms(const struct page *);
/* Before the navigation: listens for the event that is waited for. */
void page_wait_listen(struct page *, uint64_t now_ms);
/* Carries out RENDER_DO_CHECK. */
void page_wait_check(struct page *, uint64_t now_ms);

/* page_scripts.c */
/* Before the navigation. `world` NULL: the page's own. */
void page_scripts_add(struct page *, uint64_t now_ms, const char *source, const char *world);
/* After the render: none is left. False when that cannot be had. */
bool page_scripts_undo(struct page *, uint64_t now_ms);

/* page_inject.c: before the navigation; and before the capture, if any waits for that. */
void page_inject_start(struct page *, uint64_t now_ms);
bool page_inject_waits(const struct render_params *);
void page_inject_finish(struct page *, uint64_t now_ms);

/* page_html.c: `html` of the parameters. */
/* The document is to be shown without a base URL; and the URL that does it, from malloc(). */
bool page_html_is_bare(const struct render_params *);
char *page_html_url(const struct render_params *);
/* That URL is the one of the bare document. */
bool page_html_is_shown(const struct page *, struct cdp_span url);
/* The document is answered for the URL that it seems to come from: at the first request for
 * it, and then the request of that id is. False: it was another. */
bool page_html_has_base(const struct render_params *);
bool page_html_answer(struct page *, uint64_t now_ms, const char *request);

/* Text as a literal of JavaScript, which the caller frees; NULL when it cannot be one. */
char *page_quoted(const char *text);

/* page_shell.c: the standby document of a recipe. */
/* The target has become ready: loads what it should show. False: nothing. */
bool shell_prepare(struct target *, uint64_t now_ms);
/* It must not be shown yet. */
bool shell_is_loading(const struct target *);
bool shell_is_shown(const struct target *, const struct recipe *);
/* Shows it, or something with the same document, in whatever state. */
bool shell_is_for(const struct target *, const struct recipe *);
void shell_forget(struct target *);
/* Page.frameNavigated. */
void shell_committed(struct target *, uint64_t now_ms, struct cdp_span body);
/* Begins to bring the standby document to a page whose render needs it. */
enum page_errand shell_errand(struct page *, uint64_t now_ms);
void shell_tick(struct page *, uint64_t now_ms);
uint64_t shell_deadline_ms(const struct page *);

/* page_recipe.c: the scripts of a recipe; RENDER_DO_TRANSIT, and RENDER_DO_CAPTURE of the value
 * that it has in place of a document. */
void page_transit(struct page *, uint64_t now_ms);
void page_value(struct page *, uint64_t now_ms);
/* The condition of `wait`; the caller frees it. NULL: out of memory. */
char *page_ready_expression(const struct page *);
/* page_output.c: what is made beside the document; page_image.c, page_pdf.c. */
void page_output_make(struct page *, uint64_t now_ms, enum output);
/* Another document is shown: forgets what was made of the one before. */
void page_output_clear(struct page *);
/* Tells the machine about the output that was asked for with `tag`. */
void page_output_made(struct page *, uint64_t now_ms, uint64_t tag, uint64_t bytes);
void page_output_lost(struct page *, uint64_t now_ms, uint64_t tag);
void page_output_too_large(struct page *, uint64_t now_ms, uint64_t tag);
/* `param` is static; `why` ends the sentence. */
void page_output_failed(struct page *, uint64_t now_ms, uint64_t tag, const char *param,
                        const char *why);
/* The message of a refused call, for page_output_failed(). */
void page_output_refusal(const struct call_reply *, char *ret, size_t ret_bytes);
/* Stores a copy of the span as the output; `is_base64`: its size is that of what it encodes. */
void page_output_store(struct page *, uint64_t now_ms, uint64_t tag, struct cdp_span,
                       bool is_base64);
/* May be called again while the image does not come. */
void page_image_make(struct page *, uint64_t now_ms);
/* After the render: the page has its background again, and no image is awaited. */
void page_image_undo(struct page *, uint64_t now_ms);
void page_pdf_make(struct page *, uint64_t now_ms);
/* After the render: closes the stream of a PDF that was not read to its end. */
void page_pdf_undo(struct page *, uint64_t now_ms);

/* page_override.c: `page` of the parameters; before the navigation, and after the render. */
void page_override_apply(struct page *, uint64_t now_ms);
void page_override_undo(struct page *, uint64_t now_ms);
struct page_viewport {
    uint32_t width, height;
    double scale; /* Pixels of the screen per CSS pixel. */
    bool is_mobile;
};
extern const struct page_viewport page_viewport_idle;
void page_override_viewport(struct target *, uint64_t now_ms, const struct page_viewport *);
/* Once for each target: what scripts see is the viewport of an idle page, what is painted next
 * to nothing. */
void page_override_prepare(struct target *, uint64_t now_ms);

/* page_locale.c: locale and time zone, which the browser may refuse. */
/* Begins the errand of setting them; false when there is nothing to set. */
bool page_locale_start(struct page *, uint64_t now_ms);
void page_locale_undo(struct page *, uint64_t now_ms);

/* page_storage.c: cookies and localStorage. */
/* Begins the errand of setting the cookies; false when there is nothing to set. */
bool page_storage_cookies(struct page *, uint64_t now_ms);
/* Before the navigation: fills localStorage at the first document. */
void page_storage_start(struct page *, uint64_t now_ms);
/* A document of the render is shown: it is the only one that is filled. */
void page_storage_committed(struct page *, uint64_t now_ms);
/* Fills no further document; may be repeated. False when that cannot be had. */
bool page_storage_stop(struct page *, uint64_t now_ms);

/* page_intercept.c: which requests are paused, and what becomes of them. */
/* What Fetch.enable wants to know; NULL: nothing need be paused. */
json_t *intercept_patterns(const struct render_params *);
/* The answer of the origin to the main document is wanted, redirects included. */
bool intercept_wants_origin(const struct render_params *);
/* Lets a paused request of the render go, changed or not, or ends it. */
void intercept_request(struct page *, uint64_t now_ms, const json_t *event);
/* The paused request or response is that of a main document. */
bool intercept_is_main(const struct page *, const json_t *event);

/* page_network.c: requests are paused, if the render asks for what needs that. */
void page_network_start(struct page *, uint64_t now_ms);
/* A service worker has been seen in the context of the page. */
void page_network_worker(struct page *, uint64_t now_ms);
void page_network_stop(struct page *, uint64_t now_ms);
/* Forgets what the origin answered. */
void page_network_clear(struct page *);
/* Frees what the render has of it. */
void page_network_free(struct page *);
/* Fetch.requestPaused: every one is let go again. */
void page_network_paused(struct page *, uint64_t now_ms, struct cdp_span body);
/* What the origin answered to the request of that document, by an event's `response`. Nothing
 * where the answer is not the origin's, or is known better. */
void page_network_answered(struct page *, struct cdp_span response, uint64_t loader, int status);
/* The document of page->render.loader is shown: its answer goes into the result. */
void page_network_committed(struct page *);

/* page_streams.c: whether a page holds a stream open. */
/* Whether it did when it last showed the URL of its render. */
bool page_streams_are_likely(const struct page *);
/* Inspects the page, unless its requests are watched; the machine is told. */
void page_streams_inspect(struct page *, uint64_t now_ms);
void page_streams_tell(struct page *, uint64_t now_ms, bool are_open);
/* Another document is shown. */
void page_streams_committed(struct page *);
/* A stream has brought a message. */
void page_streams_heard(struct page *, uint64_t now_ms);
/* How long the page is waited for while streams are all that is pending; and from when they
 * have brought as many messages as to the render before. */
uint32_t page_streams_grace_ms(const struct page *);
uint32_t page_streams_silence_ms(const struct page *);
/* Remembers it for the next render of the URL. */
void page_streams_finish(struct page *);

/* page_watch.c: what is told of a render beside its document. */
/* How quiet the network must be, by the parameters. */
struct render_quiet page_watch_quiet(const struct page *);
/* Before the navigation: enables what the parameters ask for, which may be nothing. */
void page_watch_start(struct page *, uint64_t now_ms);
/* After the render: disables it. */
void page_watch_stop(struct page *, uint64_t now_ms);
/* Frees what was gathered for the render. */
void page_watch_clear(struct page *);
/* An event of the Network or the Runtime domain. */
void page_watch_event(struct page *, uint64_t now_ms, struct cdp_message *);
/* Another document is shown. */
void page_watch_committed(struct page *, uint64_t now_ms);
/* Carries out RENDER_DO_SURVEY. */
void page_watch_survey(struct page *, uint64_t now_ms);
void page_watch_tick(struct page *, uint64_t now_ms);
uint64_t page_watch_deadline_ms(const struct page *);
/* The verdict is in the result: adds what was gathered, and judges it by failOn. */
void page_watch_finish(struct page *, uint64_t now_ms);

/* page_console.c: what the page says and throws. */
/* An event of the Runtime domain. */
void page_console_event(struct page *, struct cdp_message *);
/* The reply to an evaluation of ours: notes what it threw, if that is watched. */
void page_console_evaluated(struct page *, struct cdp_message *);

/* page_clock.c: keeps the error of the page's clock within bounds. */
/* Begins what must be done before a render may start, and says what to wait for. */
enum page_errand page_clock_errand(struct page *, uint64_t now_ms);
/* Makes the clock ours to move, and moves it if it is behind. */
void page_clock_take(struct page *, uint64_t now_ms);
/* Begins to prepare a spare target when the one that is shown serves one render more. */
void page_clock_plan(struct page *, uint64_t now_ms);
/* Shows the spare target, if it is needed and ready and no probe waits for an answer of the
 * old one. */
void page_clock_swap(struct page *, uint64_t now_ms);

/* page_url.c */
bool url_is_denied(const struct cdp *, const char *url, size_t bytes);

#endif
