/* test_cdp_watch.c: what is told of the renders of a real browser beside their documents,
 * what failOn makes of it, and waits that go by the network or by the clock on the wall. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cdp/diagnostics.h"
#include "tests/cdp_stage.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static char *never_item[] = {TEXT("*/never*")};
/* A macro: the value of a constant object is no constant expression (C11 6.6). */
#define NEVER .ignore = {.items = never_item, .count = 1}

struct wait_case {
    const char *path;
    enum wait_until until;
    struct wait_params wait;
    enum render_outcome outcome;
    const char *shows;
};

/* A request that does not end counts for longer than these renders may take, unless the
 * wait says otherwise. */
#define PATIENT .stuck_request_ms = 60000

static const struct wait_case waits[] = {
    /* Quiet for half a second of the page's clock comes before its timer of two. */
    {"/chained", WAIT_NETWORKIDLE, {.idle_ms = 500, PATIENT}, RENDER_COMPLETE, ">chained<"},
    {"/chained", WAIT_NETWORKIDLE, {.idle_ms = 3000, PATIENT}, RENDER_COMPLETE, ">later<"},
    {"/static", WAIT_NETWORKIDLE, {PATIENT}, RENDER_COMPLETE, ">hello<"},
    {"/stream", WAIT_NETWORKIDLE, {.idle_ms = 3000, PATIENT}, RENDER_COMPLETE, ">late<"},
    {"/stuck", WAIT_NETWORKIDLE, {.idle_ms = 900, PATIENT}, RENDER_PARTIAL, ""},
    {"/stuck",
     WAIT_NETWORKIDLE,
     {.idle_ms = 900, .idle_connections = 1, PATIENT},
     RENDER_COMPLETE,
     ">on<"},
    {"/stuck",
     WAIT_NETWORKIDLE,
     {.idle_ms = 900, .stuck_request_ms = 200},
     RENDER_COMPLETE,
     ">on<"},
    {"/stuck", WAIT_NETWORKIDLE, {.idle_ms = 900, NEVER, PATIENT}, RENDER_COMPLETE, ">on<"},
    {"/image", WAIT_NETWORKIDLE, {NEVER, PATIENT}, RENDER_COMPLETE, ">text<"},
    /* Under `auto`. */
    {"/stuck", WAIT_AUTO, {PATIENT}, RENDER_PARTIAL, ""},
    {"/stuck", WAIT_AUTO, {.stuck_request_ms = 200}, RENDER_COMPLETE, ">on<"},
    {"/stuck", WAIT_AUTO, {NEVER, PATIENT}, RENDER_COMPLETE, ">on<"},
    {"/image", WAIT_AUTO, {NEVER, PATIENT}, RENDER_COMPLETE, ">text<"},
    {"/chained", WAIT_AUTO, {NEVER, PATIENT}, RENDER_COMPLETE, ">later<"},
    /* Under the real clock half a second is one, and nobody settles the page. */
    {"/chained", WAIT_AUTO, {.clock = CLOCK_REAL, PATIENT}, RENDER_COMPLETE, ">chained<"},
    {"/chained",
     WAIT_NETWORKIDLE,
     {.clock = CLOCK_REAL, .idle_ms = 2200, PATIENT},
     RENDER_COMPLETE,
     ">later<"},
    {"/stuck",
     WAIT_AUTO,
     {.clock = CLOCK_REAL, .idle_ms = 900, NEVER, PATIENT},
     RENDER_COMPLETE,
     ">on<"},
    {"/stuck", WAIT_AUTO, {.clock = CLOCK_REAL, PATIENT}, RENDER_PARTIAL, ">on<"},
    {"/image", WAIT_AUTO, {.clock = CLOCK_REAL, NEVER, PATIENT}, RENDER_COMPLETE, ">text<"},
    {"/chained", WAIT_LOAD, {.clock = CLOCK_REAL, .delay_ms = 2600}, RENDER_COMPLETE, ">later<"},
    {"/chained",
     WAIT_LOAD,
     {.clock = CLOCK_REAL, .expression = TEXT("x.textContent=='later'")},
     RENDER_COMPLETE,
     ">later<"},
    {"/frames", WAIT_AUTO, {.clock = CLOCK_REAL}, RENDER_COMPLETE, ">5<"},
    {"/intersection",
     WAIT_NETWORKIDLE,
     {.clock = CLOCK_REAL, .idle_ms = 2000},
     RENDER_COMPLETE,
     ">fetched<"},
};

START_TEST(waits_end)
{
    const struct wait_case *item = &waits[_i];
    uint64_t page = open_page();
    struct answer answer =
        RENDER(page, .path = item->path, .until = item->until, .wait = item->wait,
               .timeout_ms = item->outcome == RENDER_PARTIAL ? 2500 : 20000);
    ck_shows(answer, item->shows);
    ck_assert_int_eq(answer.result->outcome, item->outcome);
    ck_assert_int_eq(answer.result->reason, item->outcome == RENDER_PARTIAL ? RENDER_DEADLINE
                                            : item->wait.expression != NULL ? RENDER_CONDITION
                                                                            : RENDER_SETTLED);
    done(&answer);
    close_page(page);
}
END_TEST

/* A page whose clock has been moved is replaced; the next render moves it again. */
START_TEST(real_clock_is_right)
{
    const struct wait_params real = {.clock = CLOCK_REAL};
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/tells", .wait = {.delay_ms = 9000});

    ck_shows(answer, ">told<");
    done(&answer);
    answer = RENDER(page, .path = "/static");
    ck_assert_int_gt(answer.result->clock_skew_ms, 5000);
    done(&answer);
    for (int i = 0; i < 2; i++) {
        answer = RENDER(page, .path = "/clock", .wait = real);
        ck_assert_int_lt(answer.result->clock_skew_ms, 1000);
        ck_assert_int_gt(answer.result->clock_skew_ms, -1000);
        ck_assert_int_eq(answer.result->outcome, RENDER_COMPLETE);
        ck_assert(answer.ok);
        done(&answer);
    }
    answer = RENDER(page, .path = "/tells", .wait = {.delay_ms = 9000});
    ck_shows(answer, ">told<");
    done(&answer);
    close_page(page);
}
END_TEST

/* Every command that the render of a page sends, by name. */
static void note_command(void *owner, uint64_t page, const char *method, const char *params)
{
    char *list = owner;
    (void)page;
    (void)params;

    (void)snprintf(list + strlen(list), 4096 - strlen(list), "%s ", method);
}

/* A stream is looked for in the heap once; then the requests of its URL are watched. */
START_TEST(streams_are_remembered)
{
    static const char *const methods[][3] = {
        /* Path, what is sent, what is not. */
        {"/stream", "Runtime.queryObjects", "Network."},
        {"/stream", "Network.enable", "Runtime.queryObjects"},
        {"/static", "Page.navigate", "Network.enable"},
        {"/stream", "Network.enable", "Runtime.queryObjects"},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char commands[4096] = "";
        cdp_set_trace(stage.cdp, note_command, commands);
        struct answer answer = RENDER(page, .path = methods[i][0]);
        cdp_set_trace(stage.cdp, NULL, NULL);
        check_complete(&answer);
        if (strcmp(methods[i][0], "/stream") == 0) {
            ck_shows(answer, ">tick<");
            ck_assert_str_eq(answer.result->title, "late");
        }
        ck_assert_ptr_nonnull(strstr(commands, methods[i][1]));
        ck_assert_ptr_null(strstr(commands, methods[i][2]));
        done(&answer);
    }
    close_page(page);
}
END_TEST

/* Who asks for nothing pays for nothing; who asks leaves nothing behind. */
START_TEST(defaults_cost_nothing)
{
    char commands[4096] = "";
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/says", .diagnose = true);

    done(&answer);
    cdp_set_trace(stage.cdp, note_command, commands);
    answer = RENDER(page, .path = "/says");
    cdp_set_trace(stage.cdp, NULL, NULL);
    check_complete(&answer);
    ck_assert_ptr_null(answer.result->diagnostics);
    ck_assert_ptr_nonnull(strstr(commands, "Page.navigate"));
    ck_assert_ptr_null(strstr(commands, "Network."));
    ck_assert_ptr_null(strstr(commands, "able"));
    ck_assert_ptr_null(strstr(commands, "getResourceTree"));
    done(&answer);
    /* What the page has said before is not told again. */
    answer = RENDER(page, .path = "/static", .diagnose = true);
    ck_assert_uint_eq(answer.result->diagnostics->messages_count, 0);
    ck_assert_uint_eq(answer.result->diagnostics->exceptions_count, 0);
    ck_assert_uint_eq(answer.result->diagnostics->resources.count, 1);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(console_and_exceptions)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/says", .diagnose = true);
    const struct diagnostics *told = answer.result->diagnostics;

    check_complete(&answer);
    ck_assert(told->has_console);
    ck_assert_uint_eq(told->messages_count, 2);
    ck_assert_str_eq(told->messages[0].level, "log");
    ck_assert_str_eq(told->messages[0].text, "hello {a: 1} [1, 2] null");
    ck_assert_ptr_nonnull(strstr(told->messages[0].place.url, "/says"));
    ck_assert_uint_eq(told->messages[0].place.line, 1);
    ck_assert_str_eq(told->messages[1].level, "warning");
    ck_assert_str_eq(told->messages[1].text, "odd \xef\xbf\xbd");
    ck_assert_uint_eq(told->exceptions_count, 2);
    ck_assert_str_eq(told->exceptions[0].text, "Error: late");
    ck_assert(told->exceptions[0].is_revoked);
    ck_assert_str_eq(told->exceptions[1].text, "TypeError: boom");
    ck_assert(!told->exceptions[1].is_revoked);
    ck_assert_uint_ge(told->exceptions[1].frames_count, 1);
    ck_assert_str_eq(told->exceptions[1].frames[0].function, "boom");
    done(&answer);
    answer = RENDER(page, .path = "/chatters", .diagnose = true);
    ck_assert_uint_eq(answer.result->diagnostics->messages_count, DIAGNOSTICS_MESSAGES_MAX);
    ck_assert_str_eq(answer.result->diagnostics->messages[49].text, "49");
    done(&answer);
    close_page(page);
}
END_TEST

/* "": it was not sent. */
static const char *header_of(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->result->headers_count; i++) {
        if (strcasecmp(answer->result->headers[i].name, name) == 0)
            return answer->result->headers[i].value;
    }
    return "";
}

START_TEST(resources_and_redirects)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/to?/loads", .diagnose = true);
    const struct diagnostics *told = answer.result->diagnostics;

    ck_assert(told->has_traffic);
    /* Two hops of the document, three of the images, a script, two fetches, a stream. */
    ck_assert_uint_eq(told->resources.count, 9);
    ck_assert_uint_eq(told->resources.by_type[TRAFFIC_DOCUMENT], 2);
    ck_assert_uint_eq(told->resources.by_type[TRAFFIC_IMAGE], 3);
    ck_assert_uint_eq(told->resources.by_type[TRAFFIC_EVENT_SOURCE], 1);
    ck_assert_uint_ge(told->resources.failed, 1);
    ck_assert_uint_gt(told->resources.bytes, 500);
    ck_assert_uint_eq(told->redirects_count, 1);
    ck_assert_int_eq(told->redirects[0].status, 302);
    ck_assert_ptr_nonnull(strstr(told->redirects[0].url, "/to?/loads"));
    /* Those of the document, and not of what led to it. */
    ck_assert_int_eq(answer.result->origin_status, 200);
    ck_assert_str_eq(header_of(&answer, "content-type"), "text/html");
    ck_assert_str_eq(header_of(&answer, "location"), "");
    ck_assert_uint_eq(answer.result->pending, 1);
    ck_assert_uint_eq(told->pending_count, 1);
    ck_assert_int_eq(told->pending[0].type, TRAFFIC_EVENT_SOURCE);
    ck_assert(told->pending[0].has_age);
    done(&answer);
    answer = RENDER(page, .path = "/loads", .diagnose = true, .block_url = "*absent*");
    ck_assert_uint_eq(answer.result->diagnostics->resources.blocked, 1);
    done(&answer);
    close_page(page);
}
END_TEST

/* What a render that ran out of time waited for. Without diagnostics the survey finds what
 * the document itself has asked for. */
static const struct {
    const char *path;
    bool diagnose;
    enum on_timeout on_timeout;
    const char *phase, *url; /* Of what is pending; NULL: nothing is known. */
    enum traffic_type type;
    bool has_age, is_answering;
} lates[] = {
    {"/image", false, ON_TIMEOUT_PARTIAL, "load", "/never", TRAFFIC_IMAGE, false, true},
    {"/image", true, ON_TIMEOUT_PARTIAL, "load", "/never", TRAFFIC_IMAGE, true, true},
    {"/image", false, ON_TIMEOUT_ERROR, "load", "/never", TRAFFIC_IMAGE, false, true},
    {"/stuck", true, ON_TIMEOUT_PARTIAL, "settle", "/never", TRAFFIC_FETCH, true, true},
    {"/stuck", true, ON_TIMEOUT_ERROR, "settle", "/never", TRAFFIC_FETCH, true, true},
    {"/never", false, ON_TIMEOUT_PARTIAL, "navigate", "/never", TRAFFIC_DOCUMENT, true, false},
    {"/never", true, ON_TIMEOUT_ERROR, "navigate", "/never", TRAFFIC_DOCUMENT, true, false},
    {"/spin", false, ON_TIMEOUT_PARTIAL, "load", NULL, 0, false, false},
    {"/spin", false, ON_TIMEOUT_ERROR, "load", NULL, 0, false, false},
};

START_TEST(late_renders)
{
    uint64_t page = open_page();
    struct answer answer =
        RENDER(page, .path = lates[_i].path, .diagnose = lates[_i].diagnose,
               .on_timeout = lates[_i].on_timeout, .wait = {PATIENT}, .timeout_ms = 2000);
    const struct render_late_result *late = &answer.result->late;
    const struct diagnostics *told = answer.result->diagnostics;

    ck_assert_ptr_nonnull(late->phase);
    ck_assert_str_eq(late->phase, lates[_i].phase);
    ck_assert_int_eq(late->is_main_thread_answering, lates[_i].is_answering);
    ck_assert(late->has_times || !lates[_i].is_answering);
    if (lates[_i].url != NULL) {
        ck_assert_uint_eq(answer.result->pending, 1);
        ck_assert_ptr_nonnull(told);
        ck_assert_uint_eq(told->pending_count, 1);
        ck_assert_ptr_nonnull(strstr(told->pending[0].url, lates[_i].url));
        ck_assert_int_eq(told->pending[0].type, lates[_i].type);
        ck_assert_int_eq(told->pending[0].has_age, lates[_i].has_age);
        ck_assert(!lates[_i].has_age || told->pending[0].age_ms <= 2100);
    }
    done(&answer);
    close_page(page);
}
END_TEST

static uint32_t some_statuses[] = {403, 404};
#define SOME                                                                                       \
    {                                                                                              \
        .items = some_statuses, .count = 2                                                         \
    }

static const struct {
    const char *path;
    struct fail_params fail_on;
    const char *rule, *url; /* NULL: the render succeeds. */
} fails[] = {
    {"/absent", {.statuses = SOME}, "failOn.status", "/absent"},
    {"/static", {.statuses = SOME}, NULL, NULL},
    {"/loads", {.statuses = SOME}, NULL, NULL},
    {"/loads", {.resource_statuses = SOME}, "failOn.resourceStatus", "404"},
    {"/absent", {.resource_statuses = SOME}, NULL, NULL},
    {"/loads", {.resource_failed = true}, "failOn.resourceFailed", "127.0.0.1:1/"},
    {"/static", {.resource_failed = true}, NULL, NULL},
    {"/says", {.exception = true}, "failOn.exception", "/says"},
    {"/catches", {.exception = true}, NULL, NULL},
    {"/blank", {.empty_body = true}, "failOn.emptyBody", "/blank"},
    {"/status?500", {.empty_body = true}, "failOn.emptyBody", "/status?500"},
    {"/static", {.empty_body = true}, NULL, NULL},
    {"/image", {.empty_body = true}, NULL, NULL},
};

START_TEST(fail_on)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = fails[_i].path, .fail_on = fails[_i].fail_on,
                                  .wait = {.stuck_request_ms = 300});

    if (fails[_i].rule == NULL) {
        ck_assert_int_eq(answer.result->code, RENDER_OK);
    } else {
        check_failed(&answer, RENDER_FAIL_ON);
        ck_assert_str_eq(answer.result->fail_rule, fails[_i].rule);
        ck_assert_ptr_nonnull(strstr(answer.result->fail_url, fails[_i].url));
    }
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/static");
    check_complete(&answer);
    done(&answer);
    close_page(page);
}
END_TEST

static void few_requests(struct render_params *params)
{
    params->network.requests_max = 5;
}

static void enough_requests(struct render_params *params)
{
    params->network.requests_max = 8;
}

static void few_bytes(struct render_params *params)
{
    params->network.bytes_max = 400;
}

static void enough_bytes(struct render_params *params)
{
    params->network.bytes_max = 100000;
}

/* /loads asks for seven things beside itself, each of some hundred bytes. */
static const struct {
    void (*tune)(struct render_params *);
    enum on_timeout on_timeout;
    const char *param; /* NULL: it is within the budget. */
} budgets[] = {
    {few_requests, ON_TIMEOUT_PARTIAL, "network.maxRequests"},
    {few_requests, ON_TIMEOUT_ERROR, "network.maxRequests"},
    {enough_requests, ON_TIMEOUT_ERROR, NULL},
    {few_bytes, ON_TIMEOUT_PARTIAL, "network.maxBytes"},
    {few_bytes, ON_TIMEOUT_ERROR, "network.maxBytes"},
    {enough_bytes, ON_TIMEOUT_ERROR, NULL},
};

START_TEST(budgets_end_renders)
{
    uint64_t page = open_page();
    struct answer answer =
        RENDER(page, .path = "/loads", .tune = budgets[_i].tune,
               .on_timeout = budgets[_i].on_timeout, .wait = {.stuck_request_ms = 300});

    ck_assert_ptr_null(answer.result->late.phase);
    if (budgets[_i].param == NULL) {
        check_complete(&answer);
        ck_assert(answer.ok);
    } else if (budgets[_i].on_timeout == ON_TIMEOUT_PARTIAL) {
        ck_assert_int_eq(answer.result->code, RENDER_OK);
        ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
        ck_assert_int_eq(answer.result->reason, RENDER_BUDGET);
        ck_shows(answer, "<html");
    } else {
        check_failed(&answer, RENDER_BUDGET_EXCEEDED);
        ck_assert_str_eq(answer.result->param, budgets[_i].param);
        ck_assert(!answer.ok);
    }
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("cdp watch");
    TCase *tcase = stage_tcase("watch");

    tcase_add_loop_test(tcase, waits_end, 0, COUNT(waits));
    tcase_add_test(tcase, real_clock_is_right);
    tcase_add_test(tcase, streams_are_remembered);
    tcase_add_test(tcase, defaults_cost_nothing);
    tcase_add_test(tcase, console_and_exceptions);
    tcase_add_test(tcase, resources_and_redirects);
    tcase_add_loop_test(tcase, late_renders, 0, COUNT(lates));
    tcase_add_loop_test(tcase, fail_on, 0, COUNT(fails));
    tcase_add_loop_test(tcase, budgets_end_renders, 0, COUNT(budgets));
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
