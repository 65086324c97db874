/* param_rows.c: the table of what a caller may ask for of one render. */
#include <assert.h>
#include "config/params.h"
#include "config/selector.h"

/* Enumerations are stored through their row as plain unsigned integers. */
static_assert(sizeof(enum inject_when) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum device_kind) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum isolation) == sizeof(unsigned), "enums are written as unsigned");
static_assert(sizeof(enum wait_until) == sizeof(unsigned), "enums are written as unsigned");

/* The order is that of the enumerations; tests/test_params.c holds them together. */
static const char *const isolation_names[] = {"default", "affinity", "origin", "fresh", NULL};
static const char *const lane_names[] = {"main", "nested", NULL};
static const char *const on_timeout_names[] = {"partial", "error", NULL};
static const char *const until_names[] = {"auto", "domcontentloaded", "load", "networkidle", "none",
                                          NULL};
static const char *const clock_names[] = {"virtual", "real", NULL};
static const char *const state_names[] = {"attached", "visible", "hidden", "detached", NULL};
static const char *const device_names[] = {"default", "desktop", "mobile", "googlebot-mobile",
                                           NULL};
static const char *const when_names[] = {"document_start", "before_capture", NULL};
static const char *const media_names[] = {"screen", "print", NULL};
static const char *const scheme_names[] = {"light", "dark", NULL};
static const char *const motion_names[] = {"no-preference", "reduce", NULL};
static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
static const char *const scope_names[] = {"document", "origin", "all", NULL};
static const char *const workers_names[] = {"block", "allow", NULL};
static const char *const shadow_names[] = {"declarative", "ignore", NULL};
static const char *const charset_names[] = {"utf-8", "ascii", NULL};
static const char *const same_site_names[] = {"unset", "Strict", "Lax", "None", NULL};
static const char *const resource_names[] = {"image",    "stylesheet", "font",        "media",
                                             "script",   "xhr",        "eventsource", "frame",
                                             "prefetch", "ping",       "other",       NULL};
static_assert(sizeof resource_names / sizeof resource_names[0] == RESOURCE_TYPES + 1,
              "one name each");
static const char *const output_names[] = {"html", "text", "links", "png",        "jpeg",
                                           "webp", "pdf",  "mhtml", "expression", NULL};

#define AT(member) .offset = offsetof(struct render_params, member)
#define INJECT(member) .offset = offsetof(struct inject_params, member)

static const struct param_row inject_fields[] = {
    {"page.inject[].js", .type = PARAM_STRING, INJECT(js), .min = 1, .max = 1048576,
     .meaning = "JavaScript, run in the page's own world."},
    {"page.inject[].css", .type = PARAM_STRING, INJECT(css), .min = 1, .max = 1048576,
     .meaning = "A style sheet, adopted by the document; it shows in no markup."},
    {"page.inject[].when", .type = PARAM_ENUM, INJECT(when), .choices = when_names,
     .initial = INJECT_DOCUMENT_START,
     .meaning = "Before the scripts of every document, or once before the capture."},
};

#define OF_COOKIE(member) .offset = offsetof(struct param_cookie, member)

static const struct param_row cookie_fields[] = {
    {"page.cookies[].name", .type = PARAM_STRING, OF_COOKIE(name), .min = 1, .max = 256,
     .format = FORMAT_TOKEN, .is_required = true, .meaning = "Name of the cookie."},
    {"page.cookies[].value", .type = PARAM_STRING, OF_COOKIE(value), .min = 0, .max = 4096,
     .format = FORMAT_HEADER, .is_required = true, .meaning = "Value, without a semicolon."},
    {"page.cookies[].domain", .type = PARAM_STRING, OF_COOKIE(domain), .min = 1, .max = 255,
     .format = FORMAT_HEADER,
     .meaning = "Domain whose hosts get it. By default only the host of the URL does."},
    {"page.cookies[].url", .type = PARAM_STRING, OF_COOKIE(url), .min = 1, .max = URL_BYTES_MAX,
     .format = FORMAT_URL,
     .meaning = "Whose host gets it, instead of that of the URL to render; not with domain."},
    {"page.cookies[].path", .type = PARAM_STRING, OF_COOKIE(path), .min = 1, .max = 1024,
     .format = FORMAT_HEADER, .meaning = "Begins with a slash."},
    {"page.cookies[].secure", .type = PARAM_BOOLEAN, OF_COOKIE(secure), .initial = 0,
     .meaning = "Over https only."},
    {"page.cookies[].httpOnly", .type = PARAM_BOOLEAN, OF_COOKIE(http_only), .initial = 0,
     .meaning = "Not shown to scripts."},
    {"page.cookies[].sameSite", .type = PARAM_ENUM, OF_COOKIE(same_site),
     .choices = same_site_names, .initial = SAME_SITE_UNSET, .meaning = "As in Set-Cookie."},
    {"page.cookies[].expires", .type = PARAM_INTEGER, OF_COOKIE(expires_s), .initial = 0, .min = 0,
     .max = UINT32_MAX, .meaning = "Seconds since 1970; 0: it ends with its context."},
};

static const struct param_row rewrite_fields[] = {
    {"network.rewrites[].from", .type = PARAM_STRING,
     .offset = offsetof(struct param_rewrite, from), .min = 1, .max = 2048, .is_required = true,
     .meaning = "Pattern of the URLs to rewrite."},
    {"network.rewrites[].to", .type = PARAM_STRING, .offset = offsetof(struct param_rewrite, to),
     .min = 1, .max = URL_BYTES_MAX, .format = FORMAT_URL, .is_required = true,
     .meaning = "The URL that is asked for instead; each `*` is what the `*` of the same place in "
                "from stands for."},
};

const struct param_row param_rows[] = {
    {"url", .type = PARAM_STRING, AT(url), .min = 1, .max = URL_BYTES_MAX, .format = FORMAT_URL,
     .meaning = "The http or https URL to render, navigated byte for byte."},
    {"method", .type = PARAM_ENUM, AT(method), .choices = method_names, .initial = METHOD_GET,
     .meaning = "Method of the request for the main document; redirects follow it as HTTP has it."},
    {"body", .type = PARAM_STRING, AT(body), .min = 0, .max = REQUEST_BODY_BYTES_MAX,
     .bytes_offset = offsetof(struct render_params, body_bytes),
     .meaning = "Body of that request; needs another method than GET."},
    {"contentType", .type = PARAM_STRING, AT(content_type), .min = 1, .max = 256,
     .format = FORMAT_HEADER,
     .meaning = "Content-Type of body; application/x-www-form-urlencoded by default."},
    {"html", .type = PARAM_STRING, AT(html), .min = 1, .max = 67108864,
     .meaning = "A document to render instead of a URL, in a fresh context unless an affinity is "
                "named. Without baseUrl at most 1500000 bytes."},
    {"baseUrl", .type = PARAM_STRING, AT(base_url), .min = 1, .max = URL_BYTES_MAX,
     .format = FORMAT_URL,
     .meaning = "The http or https URL that html is rendered as: its origin, and the base of its "
                "links. It is not asked for. By default the document comes from nowhere."},
    {"affinity", .type = PARAM_STRING, AT(affinity), .min = 1, .max = AFFINITY_KEY_BYTES_MAX,
     .bytes_offset = offsetof(struct render_params, affinity_bytes),
     .meaning = "Key of the warm context: the same key has the same cookies, storage and cache, "
                "and never shares them with another."},
    {"auth", .type = PARAM_STRING, AT(auth), .min = 1, .max = 65536,
     .meaning = "Whose eyes the context of affinity sees with: another value than its context was "
                "made under gets a new one. Of a JSON object only the names count, as its values "
                "are tokens."},
    {"batch", .type = PARAM_STRING, AT(batch), .min = 1, .max = 256,
     .meaning = "Name of a run of renders. With clearCache it owns what is warm of affinity: until "
                "it ends, only it and its successor may clear that."},
    {"clearCache", .type = PARAM_BOOLEAN, AT(clear_cache), .initial = 0,
     .meaning = "Clear the HTTP cache of the context first, unless a batch that owns it forbids."},
    {"isolation", .type = PARAM_ENUM, AT(isolation), .choices = isolation_names,
     .initial = ISOLATION_DEFAULT,
     .meaning = "Which context serves: that of the affinity, that of the URL's origin, or one "
                "made for this render alone. By default affinity when a key is given, else fresh "
                "when the request carries anything of its caller (method, html, headers, cookies, "
                "localStorage, httpAuth, inject), else origin."},
    {"lane", .type = PARAM_ENUM, AT(lane), .choices = lane_names, .initial = LANE_MAIN,
     .meaning = "nested: made on behalf of a render of the same affinity that waits for it; "
                "needs affinity."},
    {"priority", .type = PARAM_INTEGER, AT(priority), .initial = 0, .min = 0, .max = 1000000,
     .meaning = "Higher is served first."},
    {"timeoutMs", .type = PARAM_INTEGER, AT(timeout_ms), .initial = 30000, .min = 1, .max = 120000,
     .is_timeout = true, .meaning = "One budget from arrival to answer, the queue included."},
    {"queueTimeoutMs", .type = PARAM_INTEGER, AT(queue_timeout_ms), .initial = 0, .min = 0,
     .max = 120000, .is_timeout = true,
     .meaning = "Longest wait before the start; 0: as long as timeoutMs allows."},
    {"onTimeout", .type = PARAM_ENUM, AT(on_timeout), .choices = on_timeout_names,
     .initial = ON_TIMEOUT_PARTIAL,
     .meaning = "At the deadline: partial answers what is there, marked partial; error "
                "answers 504, or 422 when a condition of wait did not hold."},
    {"retryOnCrash", .type = PARAM_BOOLEAN, AT(retry_on_crash), .initial = 1,
     .meaning = "Render once more, with the same rank and deadline, when the page or the browser "
                "crashes. Only what may be repeated is: true with a method other than GET is an "
                "error."},
    {"dedupe", .type = PARAM_BOOLEAN, AT(dedupe), .initial = 0,
     .meaning = "Share one render with the requests that ask for exactly the same while it waits "
                "or runs; the deadline of the first holds."},
    {"wait.until", .type = PARAM_ENUM, AT(until), .choices = until_names, .initial = WAIT_AUTO,
     .meaning = "When the page is captured: settled in virtual time (auto), at one of the "
                "browser's own milestones, loaded and quiet for idleMs (networkidle), or at once."},
    {"wait.clock", .type = PARAM_ENUM, AT(wait.clock), .choices = clock_names,
     .initial = CLOCK_VIRTUAL,
     .meaning = "The page's clock: granted in slices that take no real time (virtual), or that "
                "on the wall (real); then auto means loaded and quiet for idleMs."},
    {"wait.idleMs", .type = PARAM_INTEGER, AT(wait.idle_ms), .initial = 500, .min = 0, .max = 60000,
     .meaning = "How long the network must be quiet, on the page's clock; under networkidle and "
                "the real clock. By default what render.idle_ms says."},
    {"wait.idleConnections", .type = PARAM_INTEGER, AT(wait.idle_connections), .initial = 0,
     .min = 0, .max = 64, .meaning = "Requests that may be pending in a quiet network."},
    {"wait.stuckRequestMs", .type = PARAM_INTEGER, AT(wait.stuck_request_ms), .initial = 0,
     .min = 0, .max = 120000,
     .meaning = "A request without progress for that long is waited for no more; 0: what "
                "render.stuck_request_ms says."},
    {"wait.ignore", .type = PARAM_STRINGS, AT(wait.ignore), .min = 1, .max = 2048, .count_max = 64,
     .meaning = "Patterns of URLs that are not waited for, under auto and networkidle; `*` is "
                "anything."},
    {"wait.readyFlag", .type = PARAM_STRING, AT(wait.ready_flag), .min = 0, .max = 256,
     .meaning = "A global of the page, prerenderReady by default: while it is the boolean false "
                "the page is not captured, and once it is true the page is soon. Empty: none. "
                "Under wait.until auto only."},
    {"wait.readyFlagGraceMs", .type = PARAM_INTEGER, AT(wait.ready_flag_grace_ms), .initial = 1000,
     .min = 0, .max = 120000, .meaning = "Time on the page's clock from that true to the capture."},
    {"wait.selector.selector", "wait.selector", .type = PARAM_STRING, AT(wait.selector), .min = 1,
     .max = 4096, .meaning = "CSS selector that must match; see its state."},
    {"wait.selector.state", .type = PARAM_ENUM, AT(wait.selector_state), .choices = state_names,
     .initial = SELECTOR_ATTACHED,
     .meaning = "What the matching elements must be: attached or visible (minCount of them), "
                "hidden or detached (all of them)."},
    {"wait.selector.minCount", .type = PARAM_INTEGER, AT(wait.selector_min_count), .initial = 1,
     .min = 1, .max = 1000000, .meaning = "How many elements must match."},
    {"wait.expression", .type = PARAM_STRING, AT(wait.expression), .min = 1, .max = 65536,
     .meaning = "JavaScript evaluated in the page until its value is truthy."},
    {"wait.event", .type = PARAM_STRING, AT(wait.event), .min = 1, .max = 256,
     .meaning = "Name of an event that the page must dispatch."},
    {"wait.domStableMs", .type = PARAM_INTEGER, AT(wait.dom_stable_ms), .initial = 0, .min = 0,
     .max = 60000,
     .meaning = "Time on the page's clock without a change of the document. It may delay the "
                "capture, never hasten it."},
    {"wait.delayMs", .type = PARAM_INTEGER, AT(wait.delay_ms), .initial = 0, .min = 0,
     .max = 120000,
     .meaning = "Least time on the page's clock between wait.until's milestone and the capture."},
    {"failOn.status", .type = PARAM_INTEGERS, AT(fail_on.statuses), .min = 100, .max = 599,
     .count_max = 64, .meaning = "Statuses of the document that fail the render with 422."},
    {"failOn.resourceStatus", .type = PARAM_INTEGERS, AT(fail_on.resource_statuses), .min = 100,
     .max = 599, .count_max = 64,
     .meaning = "Statuses of anything that the page requests that fail it."},
    {"failOn.resourceFailed", .type = PARAM_BOOLEAN, AT(fail_on.resource_failed), .initial = 0,
     .meaning = "Fail when a request of the page comes to nothing; what is blocked or given up "
                "by the page has not failed."},
    {"failOn.exception", .type = PARAM_BOOLEAN, AT(fail_on.exception), .initial = 0,
     .meaning = "Fail when an exception of the page is caught by nobody."},
    {"failOn.emptyBody", .type = PARAM_BOOLEAN, AT(fail_on.empty_body), .initial = 0,
     .meaning = "Fail when the body of the document shows neither text nor an image, a frame or "
                "a control."},
    {"page.viewport.width", .alias = "width", .type = PARAM_INTEGER, AT(page.width),
     .initial = VIEWPORT_WIDTH, .min = 1, .max = 8192,
     .meaning = "Width of the page in CSS pixels."},
    {"page.viewport.height", .alias = "height", .type = PARAM_INTEGER, AT(page.height),
     .initial = VIEWPORT_HEIGHT, .min = 1, .max = 8192,
     .meaning = "Height of the page in CSS pixels."},
    {"page.viewport.mobile", .type = PARAM_BOOLEAN, AT(page.mobile), .initial = 0,
     .meaning = "Lay out as a telephone does: the viewport meta tag counts, scrollbars overlay."},
    {"page.viewport.touch", .type = PARAM_BOOLEAN, AT(page.touch), .initial = 0,
     .meaning = "The page sees a touch screen."},
    {"page.viewport.deviceScaleFactor", .type = PARAM_NUMBER, AT(page.scale), .number_initial = 1,
     .number_min = 0.25, .number_max = 8, .meaning = "Pixels of the screen per CSS pixel."},
    {"page.device", .type = PARAM_ENUM, AT(page.device), .choices = device_names,
     .initial = DEVICE_DEFAULT,
     .meaning = "What the page passes for: viewport and user agent with its client hints, each "
                "unless it is given by itself. The version of Chromium is the browser's own."},
    {"page.userAgent", .alias = "userAgent", .type = PARAM_STRING, AT(page.user_agent), .min = 1,
     .max = 1000, .format = FORMAT_HEADER,
     .meaning = "User-Agent of every request and of navigator.userAgent. Client hints and "
                "navigator.platform follow it; one that is no Chromium's sends no hints. "
                "Printable ASCII."},
    {"page.locale", .type = PARAM_STRING, AT(page.locale), .min = 2, .max = 35,
     .format = FORMAT_LOCALE,
     .meaning = "Language tag such as de-AT: for Accept-Language, navigator.languages and the "
                "forms of numbers and dates."},
    {"page.timezone", .type = PARAM_STRING, AT(page.timezone), .min = 1, .max = 64,
     .format = FORMAT_HEADER,
     .meaning = "Time zone by its name in the IANA database, such as Europe/Vienna."},
    {"page.inject", .type = PARAM_RECORDS, AT(page.inject), .count_max = 16,
     .fields = inject_fields, .fields_count = sizeof inject_fields / sizeof inject_fields[0],
     .record_bytes = sizeof(struct inject_params),
     .meaning = "Scripts and styles that are put into the page, in their order. Their errors do "
                "not end the render."},
    {"page.media.type", .type = PARAM_ENUM, AT(page.media_type), .choices = media_names,
     .initial = MEDIA_SCREEN, .meaning = "CSS media type."},
    {"page.media.colorScheme", .type = PARAM_ENUM, AT(page.color_scheme), .choices = scheme_names,
     .initial = COLOR_SCHEME_LIGHT, .meaning = "CSS prefers-color-scheme."},
    {"page.media.reducedMotion", .type = PARAM_ENUM, AT(page.reduced_motion),
     .choices = motion_names, .initial = REDUCED_MOTION_NO_PREFERENCE,
     .meaning = "CSS prefers-reduced-motion."},
    {"page.javaScript", .type = PARAM_BOOLEAN, AT(page.javascript), .initial = 1,
     .meaning = "Whether the page's scripts run."},
    {"page.headers", .type = PARAM_MAP, AT(page.headers), .min = 0, .max = 8192,
     .format = FORMAT_HEADER, .name_format = FORMAT_TOKEN, .count_max = 64,
     .meaning = "Headers that requests carry besides the browser's own, or in place of them."},
    {"page.headersScope", .type = PARAM_ENUM, AT(page.headers_scope), .choices = scope_names,
     .initial = HEADERS_ORIGIN,
     .meaning = "Which requests carry page.headers: that of the main document, all to the origin "
                "of the URL, or all. Only with all does another origin see them."},
    {"page.httpAuth.username", .type = PARAM_STRING, AT(page.username), .min = 1, .max = 256,
     .meaning = "User name of an Authorization header (Basic) for the origin of the URL. Needs a "
                "context of its own."},
    {"page.httpAuth.password", .type = PARAM_STRING, AT(page.password), .min = 0, .max = 1024,
     .meaning = "Password of that header."},
    {"page.cookies", .type = PARAM_RECORDS, AT(page.cookies), .count_max = 256,
     .fields = cookie_fields, .fields_count = sizeof cookie_fields / sizeof cookie_fields[0],
     .record_bytes = sizeof(struct param_cookie),
     .meaning = "Cookies that the context has before the navigation: [{\"name\", \"value\", "
                "\"domain\", ...}]. In the context of an affinity they stay."},
    {"page.localStorage", .type = PARAM_MAP, AT(page.local_storage), .min = 0, .max = 1048576,
     .count_max = 256,
     .meaning = "Entries of localStorage that the origin of the URL has before the first script "
                "of the page runs."},
    {"network.blockUrls", .type = PARAM_STRINGS, AT(network.block_urls), .min = 1, .max = 2048,
     .count_max = 256,
     .meaning = "Patterns of URLs that the page does not get; `*` is anything. The document itself "
                "is not held back."},
    {"network.allowUrls", .type = PARAM_STRINGS, AT(network.allow_urls), .min = 1, .max = 2048,
     .count_max = 256,
     .meaning = "Patterns of the only URLs that the page gets, beside the document itself. Empty: "
                "all."},
    {"network.blockTypes", .type = PARAM_SET, AT(network.block_types), .choices = resource_names,
     .meaning = "Types of requests that the page does not get; xhr is fetch() too. The document "
                "itself is not held back."},
    {"network.rewrites", .type = PARAM_RECORDS, AT(network.rewrites), .count_max = 64,
     .fields = rewrite_fields, .fields_count = 2, .record_bytes = sizeof(struct param_rewrite),
     .meaning = "Requests that go elsewhere, unseen by the page: [{\"from\", \"to\"}], the first "
                "match counts."},
    {"network.followRedirects", .alias = "followRedirects", .type = PARAM_BOOLEAN,
     AT(network.follow_redirects), .initial = 1,
     .meaning = "false: an HTTP redirect of the main document is the answer, with its status and "
                "Location and an empty document."},
    {"network.maxRequests", .type = PARAM_INTEGER, AT(network.requests_max), .initial = 0, .min = 0,
     .max = 1000000,
     .meaning = "Requests that the page may make, each hop of a redirect and those that are "
                "blocked included; 0: any number. One more ends the render as onTimeout says."},
    {"network.maxBytes", .type = PARAM_INTEGER, AT(network.bytes_max), .initial = 0, .min = 0,
     .max = 4294967295,
     .meaning = "Bytes that the page may receive over the network, headers included; 0: any "
                "number. One more ends the render as onTimeout says."},
    {"network.serviceWorkers", .type = PARAM_ENUM, AT(network.service_workers),
     .choices = workers_names, .initial = SERVICE_WORKERS_BLOCK,
     .meaning = "allow: a service worker that the context has may answer requests of the page. "
                "block: they go to the network."},
    {"output", .alias = "renderType", .type = PARAM_SET, AT(outputs), .choices = output_names,
     .initial = OUTPUT_BIT(OUTPUT_HTML),
     .meaning = "What is made of the visit, all of one document: more than one is answered as "
                "JSON."},
    {"expression", .type = PARAM_STRING, AT(expression), .min = 1, .max = 65536,
     .meaning = "JavaScript evaluated in the page when it is ready, before anything else is made; "
                "a promise is awaited. Its value as JSON (at most 1 MiB) is the output "
                "expression."},
    {"javascript", .type = PARAM_STRING, AT(javascript), .min = 1, .max = 65536,
     .meaning = "prerender.io's: JavaScript evaluated in the page when it is ready. The answer is "
                "then {\"prerenderData\", \"content\"}: window.prerenderData, or else the value of "
                "the script, and the document."},
    {"screenshot.fullPage", .alias = "fullpage", .type = PARAM_BOOLEAN, AT(screenshot.full_page),
     .initial = 0, .meaning = "The image shows the whole page instead of the viewport."},
    {"screenshot.clip.x", .type = PARAM_NUMBER, AT(screenshot.clip_x), .number_max = 100000,
     .meaning = "Left edge of the part of the page that the image shows, in CSS pixels."},
    {"screenshot.clip.y", .type = PARAM_NUMBER, AT(screenshot.clip_y), .number_max = 1000000,
     .meaning = "Its upper edge."},
    {"screenshot.clip.width", .type = PARAM_NUMBER, AT(screenshot.clip_width), .number_max = 100000,
     .meaning = "Its width; more than 0."},
    {"screenshot.clip.height", .type = PARAM_NUMBER, AT(screenshot.clip_height),
     .number_max = 1000000, .meaning = "Its height; more than 0."},
    {"screenshot.selector", .type = PARAM_STRING, AT(screenshot.selector), .min = 1, .max = 4096,
     .meaning = "CSS selector; the image shows the box of the first element that matches."},
    {"screenshot.quality", .type = PARAM_INTEGER, AT(screenshot.quality), .initial = 80, .min = 0,
     .max = 100, .meaning = "Of jpeg and webp, in percent."},
    {"screenshot.omitBackground", .type = PARAM_BOOLEAN, AT(screenshot.omit_background),
     .initial = 0, .meaning = "Where the page paints nothing, png and webp are transparent."},
    {"pdf.landscape", .type = PARAM_BOOLEAN, AT(pdf.landscape), .initial = 0,
     .meaning = "Paper is laid on its side."},
    {"pdf.displayHeaderFooter", .type = PARAM_BOOLEAN, AT(pdf.display_header_footer), .initial = 0,
     .meaning = "Print headerTemplate and footerTemplate on each sheet."},
    {"pdf.printBackground", .type = PARAM_BOOLEAN, AT(pdf.print_background), .initial = 0,
     .meaning = "Print background colours and images."},
    {"pdf.scale", .type = PARAM_NUMBER, AT(pdf.scale), .number_initial = 1, .number_min = 0.1,
     .number_max = 2, .meaning = "Scale of the page on paper."},
    {"pdf.paperWidth", .type = PARAM_NUMBER, AT(pdf.paper_width), .number_initial = 8.5,
     .number_min = 0.1, .number_max = 200, .meaning = "In inches."},
    {"pdf.paperHeight", .type = PARAM_NUMBER, AT(pdf.paper_height), .number_initial = 11,
     .number_min = 0.1, .number_max = 200, .meaning = "In inches."},
    {"pdf.marginTop", .type = PARAM_NUMBER, AT(pdf.margin_top), .number_initial = 0.4,
     .number_max = 100, .meaning = "In inches."},
    {"pdf.marginBottom", .type = PARAM_NUMBER, AT(pdf.margin_bottom), .number_initial = 0.4,
     .number_max = 100, .meaning = "In inches."},
    {"pdf.marginLeft", .type = PARAM_NUMBER, AT(pdf.margin_left), .number_initial = 0.4,
     .number_max = 100, .meaning = "In inches."},
    {"pdf.marginRight", .type = PARAM_NUMBER, AT(pdf.margin_right), .number_initial = 0.4,
     .number_max = 100, .meaning = "In inches."},
    {"pdf.pageRanges", .type = PARAM_STRING, AT(pdf.page_ranges), .min = 1, .max = 256,
     .meaning = "Sheets to print, such as 1-5, 8, 11-13; all by default."},
    {"pdf.headerTemplate", .type = PARAM_STRING, AT(pdf.header_template), .min = 0, .max = 65536,
     .meaning = "HTML of the header; the classes date, title, url, pageNumber and totalPages are "
                "filled in."},
    {"pdf.footerTemplate", .type = PARAM_STRING, AT(pdf.footer_template), .min = 0, .max = 65536,
     .meaning = "HTML of the footer, likewise."},
    {"pdf.preferCSSPageSize", .type = PARAM_BOOLEAN, AT(pdf.prefer_css_page_size), .initial = 0,
     .meaning = "The page's own @page size wins over that of the paper."},
    {"pdf.generateTaggedPDF", .type = PARAM_BOOLEAN, AT(pdf.generate_tagged), .initial = 1,
     .meaning = "Write the structure that screen readers use."},
    {"pdf.generateDocumentOutline", .type = PARAM_BOOLEAN, AT(pdf.generate_outline), .initial = 0,
     .meaning = "Write an outline of the headings."},
    {"document.stripScripts", .type = PARAM_BOOLEAN, AT(strip_scripts), .initial = 0,
     .meaning = "Leave scripts out of the document, JSON-LD excepted, and HTML imports."},
    {"document.base", .type = PARAM_STRING, AT(base), .min = 1, .max = URL_BYTES_MAX,
     .format = FORMAT_URL,
     .meaning = "An http or https URL for a <base> in the head of the document, if it has none "
                "of its own."},
    {"document.removeSelectors", .type = PARAM_STRINGS, AT(remove_selectors), .min = 1,
     .max = SELECTOR_BYTES_MAX, .format = FORMAT_SELECTOR, .count_max = 64,
     .meaning = "CSS selectors of elements to leave out of the document: tags, #id, .class, "
                "attributes and combinators, no pseudo-classes."},
    {"document.shadowDom", .type = PARAM_ENUM, AT(shadow_dom), .choices = shadow_names,
     .initial = SHADOW_DOM_DECLARATIVE,
     .meaning = "declarative: shadow trees are in the document, as <template shadowrootmode>. "
                "ignore: they are left out of it."},
    {"document.charset", .type = PARAM_ENUM, AT(charset), .choices = charset_names,
     .initial = CHARSET_UTF8,
     .meaning = "ascii: characters outside ASCII are written as escapes: as references in text "
                "and attributes, in the language's own way in scripts and style sheets. The "
                "names of tags and attributes have no such way and stay as they are."},
    {"document.metaStatus", .type = PARAM_BOOLEAN, AT(meta_status), .initial = 0,
     .meaning = "Take the metas prerender-status-code and prerender-header of the head out of the "
                "document and tell them: X-Prerenderd-Meta-Status, and metaStatus and metaHeaders "
                "of the envelope."},
};

const size_t param_rows_count = sizeof param_rows / sizeof param_rows[0];
static_assert(sizeof param_rows / sizeof param_rows[0] <= PARAM_ROWS_MAX, "raise PARAM_ROWS_MAX");
