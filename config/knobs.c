/* knobs.c: the table of knobs. A row is all there is to say about a knob. */
#include "config/knobs.h"

#include <assert.h>
#include "config/forms.h"

#define U32(member) .type = KNOB_U32, .offset = offsetof(struct config, member)
#define U64(member) .type = KNOB_U64, .offset = offsetof(struct config, member)
#define SWITCH(member) .type = KNOB_SWITCH, .offset = offsetof(struct config, member)
#define CHOICE(member) .type = KNOB_CHOICE, .offset = offsetof(struct config, member)
#define TEXT(member) .type = KNOB_TEXT, .offset = offsetof(struct config, member)
#define RANGE(from, to) .min = (from), .max = (to)

#define SECOND_MS 1000
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
/* Upper end of ranges that nothing limits: 30 days fit into 32 bits of milliseconds. */
#define FOREVER_MS (30ULL * DAY_MS)
#define RENDERS_MAX 1000000000
#define KIB 1024ULL
#define MIB (1024ULL * KIB)

/* The order is that of the enumerations. */
static const char *const sandbox_names[] = {"off", "on", NULL};
static const char *const level_names[] = {"error", "warning", "info", "debug", NULL};
static const char *const decoding_names[] = {"auto", "raw", "once", NULL};
static const char *const format_names[] = {"auto", "text", "logfmt", NULL};

/* Every route of the manager that may have a recipe has the same knobs. */
#define RECIPE(route, index)                                                                       \
    {"recipe." route ".standby_url",                                                               \
     TEXT(recipes[index].standby_url),                                                             \
     .is_valid = form_is_http_url,                                                                 \
     .computed = "none",                                                                           \
     .form = "a URL such as http://app.example/_standby",                                          \
     .meaning = "The document that pages show when a request comes, and that is loaded ahead "     \
                "of need."},                                                                       \
        {"recipe." route ".standby_selector", TEXT(recipes[index].standby_selector),               \
         .computed = "none",                                                                       \
         .meaning = "What must match in the standby document before it is used."},                 \
        {"recipe." route ".before_file", TEXT(recipes[index].before_file), .computed = "none",     \
         .meaning = "Script evaluated before the transition."},                                    \
        {"recipe." route ".transition_file", TEXT(recipes[index].transition_file),                 \
         .computed = "none", .meaning = "Script that brings the page to what is asked for."},      \
        {"recipe." route ".ready_expression_file", TEXT(recipes[index].ready_expression_file),     \
         .computed = "none", .meaning = "Script that is truthy when the page is ready."},          \
        {"recipe." route ".result_file", TEXT(recipes[index].result_file), .computed = "none",     \
         .meaning = "Script whose value, an object, is answered."},                                \
    {                                                                                              \
        "recipe." route ".timeout_ms", U32(recipes[index].timeout_ms), RANGE(100, HOUR_MS),        \
            .computed = "= manager.render_timeout_ms",                                             \
            .meaning = "Budget of such a render, from its grant."                                  \
    }

const struct knob knobs[] = {
    {"pool.pages_min", U32(pool.pages_min), .initial = 2, RANGE(1, POOL_PAGES_LIMIT),
     .computed = "2, or pool.pages_max when that is 1",
     .meaning = "Idle floor of the cap: how many pages the pool shrinks to."},
    {"pool.pages_max", U32(pool.pages_max), RANGE(1, POOL_PAGES_LIMIT), .computed = "2 x CPUs",
     .meaning = "Ceiling of the cap for requests of any priority."},
    {"pool.pages_high_priority_max", U32(pool.pages_high_priority_max), RANGE(1, POOL_PAGES_LIMIT),
     .computed = "= pool.pages_max",
     .meaning = "Ceiling of the cap for requests of high priority; at least pool.pages_max."},
    {"pool.high_priority_threshold", U32(pool.high_priority_threshold), .initial = UINT32_MAX,
     RANGE(0, 1000000), .has_off = true,
     .meaning = "Priority from which a request counts as one of high priority."},
    {"pool.standbys_min", U32(pool.standbys_min), .initial = 1, RANGE(0, 64),
     .meaning = "Pages kept open ahead of need, bound to no affinity."},
    {"pool.orphan_contexts_max", U32(pool.orphan_contexts_max), RANGE(0, POOL_ORPHANS_LIMIT),
     .computed = "2 x pool.pages_max",
     .meaning = "Browser contexts kept although no page uses them."},
    {"pool.affinity_pages_max", U32(pool.affinity_pages_max), .initial = 5,
     RANGE(1, POOL_PAGES_LIMIT), .meaning = "Pages of one affinity."},
    {"pool.affinity_main_max", U32(pool.affinity_main_max), .initial = 4,
     RANGE(1, POOL_PAGES_LIMIT), .computed = "4, or pool.affinity_pages_max when that is less",
     .meaning = "Main renders of one affinity at once. Never more than pool.affinity_pages_max."},
    {"pool.queue_max", U32(pool.queue_max), .initial = 1000, RANGE(1, POOL_QUEUE_LIMIT),
     .meaning = "Waiting requests; further ones are refused with 503."},
    {"pool.warm_bypass_max", U32(pool.warm_bypass_max), .initial = 4, RANGE(0, 1000),
     .meaning = "Younger requests of an affinity with a warm page that may pass an older request "
                "of another affinity."},
    {"pool.priority_aging_ms", U32(pool.priority_aging_ms), .initial = 0, RANGE(0, HOUR_MS),
     .meaning = "Waiting time after which a request rises in rank. 0: strict priority."},
    {"pool.contraction_idle_ms", U32(pool.contraction_idle_ms), .initial = MINUTE_MS,
     RANGE(100, DAY_MS), .meaning = "Idle time of the whole pool after which its cap shrinks."},
    {"pool.affinity_idle_ms", U32(pool.affinity_idle_ms), .initial = 12 * HOUR_MS,
     RANGE(SECOND_MS, FOREVER_MS),
     .meaning = "Time without a request after which an affinity and its warm state expire."},
    {"pool.batch_owner_ttl_ms", U32(pool.batch_owner_ttl_ms), .initial = 10 * MINUTE_MS,
     RANGE(SECOND_MS, FOREVER_MS),
     .meaning = "Time without a request after which a batch loses the ownership of an affinity."},
    {"pool.open_timeout_ms", U32(pool.open_timeout_ms), .initial = 30 * SECOND_MS,
     RANGE(100, 10 * MINUTE_MS), .meaning = "Create, load and ready of a page."},
    {"pool.probe_timeout_ms", U32(pool.probe_timeout_ms), .initial = 3 * SECOND_MS,
     RANGE(50, MINUTE_MS), .zero_is_off = true,
     .meaning = "Time in which a page must answer before it is used again."},
    {"pool.close_timeout_ms", U32(pool.close_timeout_ms), .initial = 2 * SECOND_MS,
     RANGE(100, MINUTE_MS), .meaning = "Time in which a page must close before it is killed."},
    {"pool.kill_timeout_ms", U32(pool.kill_timeout_ms), .initial = 2 * SECOND_MS,
     RANGE(100, MINUTE_MS),
     .meaning = "Time in which a killed page must be gone before it is given up."},
    {"pool.evict_retains", SWITCH(pool.evict_retains), .initial = true,
     .meaning = "Whether the context of an evicted page becomes its affinity's orphan, so that "
                "cookies and storage survive."},

    {"browser.path", TEXT(browser.path), .computed = "discovered",
     .meaning = "The browser's program. By default chromium-headless-shell, else chromium, is "
                "looked for."},
    {"browser.websocket_url", TEXT(browser.websocket_url), .computed = "none: one is started",
     .is_valid = form_is_websocket_url, .form = "a URL such as ws://127.0.0.1:9222/devtools/...",
     .meaning = "A running browser to attach to instead of starting one. Its pages can reach its "
                "port and the daemon's with what they load, which those of a started one cannot."},
    {"browser.args", TEXT(browser.args), .computed = "none",
     .meaning = "Further switches of the browser, separated by spaces."},
    {"browser.user", TEXT(browser.user), .computed = "nobody when the daemon runs as root",
     .is_valid = form_is_user, .form = "the name of a user",
     .meaning = "Whom the browser runs as when the daemon is root. Chromium's sandbox does not "
                "work as root."},
    {"browser.profile_root", TEXT(browser.profile_root), .computed = "the runtime directory",
     .meaning = "Where the profile directories of browsers are made. They are removed with "
                "their browser."},
    {"browser.sandbox", CHOICE(browser.sandbox), .initial = SANDBOX_ON, .choices = sandbox_names,
     .meaning = "Chromium's own sandbox. It is never switched off silently; without it a page "
                "that breaks out of its renderer has the browser's rights."},
    {"browser.batch", SWITCH(browser.batch), .initial = true,
     .meaning =
         "Whether the browser runs as batch work (SCHED_BATCH): on a busy machine it renders "
         "more, and the daemon comes first."},
    {"browser.start_timeout_ms", U32(browser.start_timeout_ms), .initial = 30 * SECOND_MS,
     RANGE(SECOND_MS, 10 * MINUTE_MS),
     .meaning = "Time in which a browser must have started and passed its self-test."},
    {"browser.call_timeout_ms", U32(browser.call_timeout_ms), .initial = 10 * SECOND_MS,
     RANGE(100, 10 * MINUTE_MS), .meaning = "Time in which the browser must answer a command."},
    {"browser.probe_interval_ms", U32(browser.probe_interval_ms), .initial = 2 * SECOND_MS,
     RANGE(100, 10 * MINUTE_MS),
     .meaning = "How often the browser is asked whether it is alive. Two misses and it is "
                "replaced."},
    {"browser.recycle_renders", U32(pool.recycle_renders), .initial = 5000, RANGE(0, RENDERS_MAX),
     .meaning = "Renders after which a browser is replaced. 0: off."},
    {"browser.page_recycle_renders", U32(pool.page_recycle_renders), .initial = 500,
     RANGE(0, RENDERS_MAX), .meaning = "Renders after which a page is replaced. 0: off."},
    {"browser.recycle_age_ms", U32(pool.recycle_age_ms), .initial = 6 * HOUR_MS,
     RANGE(0, FOREVER_MS), .meaning = "Age at which a browser is replaced. 0: off."},
    {"browser.recycle_timeout_ms", U32(pool.recycle_timeout_ms), .initial = 2 * MINUTE_MS,
     RANGE(SECOND_MS, FOREVER_MS),
     .meaning = "Time in which the renders of a replaced browser must end."},
    {"browser.backoff_min_ms", U32(pool.backoff_min_ms), .initial = 250, RANGE(1, 10 * MINUTE_MS),
     .meaning = "Pause before the first restart of a browser that died; doubled each time, "
                "+-25 %."},
    {"browser.backoff_max_ms", U32(pool.backoff_max_ms), .initial = 8 * SECOND_MS,
     RANGE(1, 10 * MINUTE_MS), .meaning = "Longest such pause; at least browser.backoff_min_ms."},

    {"render.timeout_ms", U32(render.timeout_ms), .initial = 30 * SECOND_MS,
     RANGE(100, 2 * MINUTE_MS), .computed = "30000, or render.timeout_ms_max when that is less",
     .meaning = "Budget of a render that names none, from arrival to answer."},
    {"render.timeout_ms_max", U32(render.timeout_ms_max), .initial = 2 * MINUTE_MS,
     RANGE(100, 2 * MINUTE_MS), .meaning = "Longest budget a render may ask for."},
    {"render.settle_virtual_ms", U32(render.settle_virtual_ms), .initial = 5 * SECOND_MS,
     RANGE(0, MINUTE_MS), .meaning = "Virtual time a page gets to settle."},
    {"render.stuck_request_ms", U32(render.stuck_request_ms), .initial = 5 * SECOND_MS,
     RANGE(100, MINUTE_MS),
     .meaning = "Real time without progress after which a page's pending fetch stops counting. "
                "EventSource and WebSocket never count."},
    {"render.idle_ms", U32(render.idle_ms), .initial = 500, RANGE(0, MINUTE_MS),
     .meaning = "How long the network must be quiet where that is waited for, unless a request "
                "says so itself with wait.idleMs."},
    {"render.capture_reserve_ms", U32(render.capture_reserve_ms), .initial = SECOND_MS,
     RANGE(0, 10 * SECOND_MS), .meaning = "End of the budget that is kept for the capture."},
    {"render.clock_skew_max_ms", U32(render.clock_skew_max_ms), .initial = 30 * SECOND_MS,
     RANGE(SECOND_MS, 10 * MINUTE_MS),
     .meaning = "How far virtual time may carry a page's clock ahead before it is replaced."},
    {"render.output_bytes_max", U64(render.output_bytes_max), .initial = 20 * MIB,
     RANGE(64 * KIB, 90 * MIB), .meaning = "Largest document that is captured."},

    {"http.listen", TEXT(http.listen), .text = "127.0.0.1:4221", .is_valid = form_is_listen,
     .form = "addresses such as 127.0.0.1:4221, [::1]:0 or unix:/path, separated by spaces",
     .meaning = "Where requests are accepted. Beyond loopback http.tokens_file or "
                "http.allow_unauthenticated is needed. Also known as listen."},
    {"http.allowed_hosts", TEXT(http.allowed_hosts), .computed = "none", .is_valid = form_is_hosts,
     .form = "host names separated by spaces",
     .meaning = "Names that a request's Host may have besides IP addresses, localhost and the "
                "advertised host."},
    {"http.allowed_origins", TEXT(http.allowed_origins), .computed = "none",
     .is_valid = form_is_origins,
     .form = "origins such as https://example.com, separated by spaces",
     .meaning = "Origins whose web pages may call the daemon."},
    {"http.tokens_file", TEXT(http.tokens_file), .computed = "none",
     .meaning = "File of tokens, one per line: its scope (render or admin), a space, the token. "
                "Read again on SIGHUP."},
    {"http.allow_unauthenticated", SWITCH(http.allow_unauthenticated), .initial = false,
     .meaning = "Whether a listener beyond loopback may serve without tokens."},
    {"http.url_bytes_max", U32(http.url_bytes_max), .initial = URL_BYTES_MAX,
     RANGE(256, URL_BYTES_MAX), .meaning = "Longest URL that is rendered."},
    {"http.body_bytes_max", U64(http.body_bytes_max), .initial = MIB, RANGE(KIB, 64 * MIB),
     .meaning = "Largest body of a request."},
    {"http.output_memory_bytes_max", U64(http.output_memory_bytes_max), .initial = 512 * MIB,
     RANGE(MIB, 64 * KIB * MIB),
     .meaning = "All answers that are being sent, together; at least render.output_bytes_max."},
    {"http.connections_max", U32(http.connections_max), .initial = 4096, RANGE(1, 65536),
     .meaning = "Open connections; further ones wait to be accepted."},
    {"http.head_timeout_ms", U32(http.head_timeout_ms), .initial = 5 * SECOND_MS,
     RANGE(100, HOUR_MS), .meaning = "Time in which the head of a request must arrive."},
    {"http.body_timeout_ms", U32(http.body_timeout_ms), .initial = 10 * SECOND_MS,
     RANGE(100, HOUR_MS), .meaning = "Time in which the body of a request must arrive."},
    {"http.write_timeout_ms", U32(http.write_timeout_ms), .initial = 30 * SECOND_MS,
     RANGE(100, HOUR_MS), .meaning = "Time without progress after which a reader is given up."},
    {"http.keep_alive_ms", U32(http.keep_alive_ms), .initial = MINUTE_MS, RANGE(100, HOUR_MS),
     .meaning = "How long an idle connection stays open."},

    {"prerender_io.url_decoding", CHOICE(prerender_io.url_decoding), .initial = URL_DECODING_AUTO,
     .choices = decoding_names,
     .meaning = "Whether a URL in the path of a request is percent-decoded: raw: it is not. once: "
                "always, for a proxy that encodes it again. auto: as the URL itself and "
                "X-Prerender-Int-Type give away. One that is encoded whole always is."},
    {"prerender_io.partial_status", U32(prerender_io.partial_status), .initial = 0, RANGE(200, 599),
     .zero_is_off = true,
     .meaning = "Status of a partial answer to such a request. 0: that of the origin."},

    {"manager.url", TEXT(manager.url), .computed = "off", .is_valid = form_is_http_url,
     .form = "a URL such as http://127.0.0.1:4222",
     .meaning = "The fleet manager to register with. One beyond loopback needs a listener beyond "
                "loopback."},
    {"manager.advertise_url", TEXT(manager.advertise_url), .computed = "http://HOSTNAME:port",
     .is_found = true, .is_valid = form_is_http_url, .form = "a URL such as http://renderer-1:4221",
     .meaning = "The URL under which the manager reaches this daemon."},
    {"manager.allow_from", TEXT(manager.allow_from), .computed = "none",
     .is_valid = form_is_networks,
     .form = "addresses or networks such as 10.0.0.0/8, separated by spaces",
     .meaning = "Who may call the routes of the manager's protocol, and then needs no token. On "
                "sockets of the file system their permissions decide."},
    {"manager.heartbeat_interval_ms", U32(manager.heartbeat_interval_ms), .initial = 5 * SECOND_MS,
     RANGE(SECOND_MS, HOUR_MS), .meaning = "How often the manager hears from this daemon."},
    {"manager.render_timeout_ms", U32(manager.render_timeout_ms), .initial = MINUTE_MS,
     RANGE(100, HOUR_MS),
     .meaning = "Budget of a render of the manager's protocol, from its grant."},
    {"manager.request_timeout_ms", U32(manager.request_timeout_ms), .initial = 2 * MINUTE_MS,
     RANGE(100, HOUR_MS),
     .meaning = "Budget of a request of the manager's protocol, from its arrival."},

    RECIPE("visit", RECIPE_VISIT),
    RECIPE("module", RECIPE_MODULE),
    RECIPE("command", RECIPE_COMMAND),
    RECIPE("screenshot", RECIPE_SCREENSHOT),

    {"daemon.drain_grace_ms", U32(daemon.drain_grace_ms), .initial = 10 * SECOND_MS,
     RANGE(0, 10 * MINUTE_MS),
     .meaning = "How long running renders may go on after SIGTERM. TimeoutStopSec of the unit "
                "must be longer."},

    {"log.level", CHOICE(log.level), .initial = LOG_INFO, .choices = level_names,
     .is_read_again = true, .meaning = "How much is logged. Read again on SIGHUP."},
    {"log.format", CHOICE(log.format), .initial = LOG_AUTO, .choices = format_names,
     .meaning = "auto: text on a terminal, logfmt otherwise."},
    {"log.full_urls", SWITCH(log.full_urls), .initial = false,
     .meaning = "Whether the values of URL queries are logged."},
    {"log.queue_snapshot_interval_ms", U32(log.queue_snapshot_interval_ms),
     .initial = 30 * SECOND_MS, RANGE(SECOND_MS, DAY_MS), .zero_is_off = true,
     .meaning = "How often the pool is logged while it has anything to do."},
};

const size_t knobs_count = sizeof knobs / sizeof knobs[0];

static_assert(sizeof knobs / sizeof knobs[0] <= KNOBS_MAX, "KNOBS_MAX is too small");
static_assert(sizeof(enum url_decoding) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum sandbox) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum log_level) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum log_format) == sizeof(unsigned), "enums are written as unsigned");
static_assert(FOREVER_MS < UINT32_MAX, "times are stored in 32 bits");
