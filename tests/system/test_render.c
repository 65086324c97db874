/* test_render.c: one render at a time, against real pages in a real browser. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/stage.h"

static const char *const small_pool[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

/* The page builds itself with two frameworks, five fetches and timers of 800 ms; all of
 * it is in the answer, and the headers say how it came about. */
START_TEST(finished_app)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s}", "url", origin_url(stage.origin, "/app"));
    expect_reply(&reply, 200, "<li id=\"react-1\">apples: detail 1</li>");
    expect_reply(&reply, 200, "<li id=\"react-3\">plums: detail 3</li>");
    expect_reply(&reply, 200, "<li id=\"vue-1\">apples: detail 1</li>");
    expect_reply(&reply, 200, "<li id=\"vue-3\">plums: detail 3</li>");
    expect_absent(&reply, "waits");
    expect_absent(&reply, "loading");
    demand(strncmp(reply.body, "<!DOCTYPE html>", 15) == 0, "no doctype: %.60s", reply.body);
    expect_header(&reply, "Content-Type", "text/html; charset=utf-8");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    expect_header(&reply, "X-Prerenderd-Reason", "settled");
    expect_header(&reply, "X-Prerenderd-Origin-Status", "200");
    expect_header(&reply, "X-Prerenderd-Attempts", "1");
    expect_header(&reply, "X-Prerenderd-Final-URL", origin_url(stage.origin, "/app"));
    demand(client_header(&reply, "X-Request-Id") != NULL, "no request id");
    demand(client_header(&reply, "Server-Timing") != NULL, "no timings");
    char length[32];
    snprintf(length, sizeof(length), "%zu", reply.body_bytes);
    expect_header(&reply, "Content-Length", length);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(get_and_head)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    char path[512];
    snprintf(path, sizeof(path), "/render?wait.until=load&url=%s",
             origin_url(stage.origin, "/static%%3Fn=get"));
    client_perform(stage.harness->address, &(struct client_request){.path = path}, &reply);
    expect_reply(&reply, 200, "page get");
    size_t bytes = reply.body_bytes;
    client_reply_free(&reply);
    client_perform(stage.harness->address, &(struct client_request){.method = "HEAD", .path = path},
                   &reply);
    expect_reply(&reply, 200, "");
    ck_assert_uint_eq(reply.body_bytes, 0);
    char length[32];
    snprintf(length, sizeof(length), "%zu", bytes);
    expect_header(&reply, "Content-Length", length);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* Disjoint phases that sum to the total: nothing of a render's time is told twice. */
static void check_timings(const json_t *timings)
{
    static const char *const names[] = {"permit",   "admission", "slot",   "open",    "probe",
                                        "navigate", "load",      "settle", "capture", "process"};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *value = json_object_get(timings, names[i]);
        demand(json_is_integer(value) && json_integer_value(value) >= 0, "timings.%s", names[i]);
        sum += json_integer_value(value);
    }
    int64_t total = json_integer_value(json_object_get(timings, "total"));
    demand(sum == total && total > 0, "phases sum to %lld of %lld ms", (long long)sum,
           (long long)total);
}

START_TEST(envelope)
{
    struct stage stage = stage_open(small_pool);
    struct flight *flight = flight_new(stage.harness->address);
    const char *url = origin_url(stage.origin, "/static?n=envelope");
    flight_render_as(flight, "application/json", "{s:s}", "url", url);
    demand(flight_wait_all(flight, 60000), "no answer");
    const struct client_reply *reply = flight_reply(flight, 0);
    expect_reply(reply, 200, "outputs");
    expect_header(reply, "Content-Type", "application/json");
    json_t *tree = client_json(reply);
    const char *html = NULL, *outcome = NULL, *reason = NULL, *final_url = NULL, *title = NULL;
    int status = 0, attempts = 0;
    json_t *timings = NULL;
    int result =
        json_unpack(tree, "{s:{s:s}, s:s, s:s, s:s, s:s, s:i, s:i, s:o}", "outputs", "html", &html,
                    "outcome", &outcome, "reason", &reason, "finalUrl", &final_url, "title", &title,
                    "status", &status, "attempts", &attempts, "timings", &timings);
    demand(result == 0, "the envelope lacks a member: %s", reply->body);
    ck_assert_ptr_nonnull(strstr(html, "page envelope"));
    ck_assert_str_eq(outcome, "complete");
    ck_assert_str_eq(reason, "settled");
    ck_assert_str_eq(final_url, url);
    ck_assert_str_eq(title, "page envelope");
    ck_assert_int_eq(status, 200);
    ck_assert_int_eq(attempts, 1);
    check_timings(timings);
    const json_t *resources = json_object_get(tree, "resources");
    ck_assert_int_eq(json_integer_value(json_object_get(resources, "count")), 1);
    ck_assert(json_is_array(json_object_get(tree, "console")));
    ck_assert(json_is_array(json_object_get(tree, "exceptions")));
    ck_assert(json_is_array(json_object_get(tree, "redirects")));
    ck_assert_uint_eq(json_array_size(json_object_get(tree, "pending")), 0);
    json_decref(tree);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* `load` is over before the timers are, `auto` is not; an image that never comes holds up
 * `load` but not what comes before it. */
START_TEST(wait_until)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    const char *address = stage.harness->address;
    const char *timers = origin_url(stage.origin, "/timers");
    const char *hang = origin_url(stage.origin, "/hang");
    client_render(address, &reply, "{s:s, s:{s:s}}", "url", timers, "wait", "until", "load");
    expect_reply(&reply, 200, "timers wait");
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:{s:s}}", "url", timers, "wait", "until", "auto");
    expect_reply(&reply, 200, "timers done");
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:{s:s}}", "url", hang, "wait", "until",
                  "domcontentloaded");
    expect_reply(&reply, 200, "here already");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:{s:s}}", "url", hang, "wait", "until", "none");
    expect_reply(&reply, 200, ""); /* The parser may not have seen a byte by then. */
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* Every kind of value that a request owns lives as long as its answer needs it. */
START_TEST(owned_parameters)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    for (int n = 0; n < 2; n++) {
        client_render(stage.harness->address, &reply,
                      "{s:s, s:s, s:{s:{s:s}, s:s, s:s}, s:{s:s}, s:{s:[s, s]}, s:{s:b, s:s}}",
                      "url", origin_url(stage.origin, "/timers"), "affinity", "owner", "wait",
                      "selector", "selector", "body", "expression", "document.body", "readyFlag",
                      "done", "page", "userAgent", "Probe/7", "network", "blockUrls", "*.png",
                      "*.css", "document", "stripScripts", 1, "base", "http://b.test/");
        expect_reply(&reply, 200, "<base href=\"http://b.test/\">");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* The browser reads the ASCII document as it reads the other: text, titles, attributes, what
 * scripts say and what style sheets show. */
START_TEST(ascii_document)
{
    static const char document[] =
        "<title>\xc3\xa9</title><style>p::before{content:\"\xe2\x82\xac \xc3\xa9\"}</style>"
        "<p id=p title='\xf0\x9f\x98\x80'>\xe4\xbd\xa0</p><script>document.body.append(document."
        "title,p.title,getComputedStyle(p,'::before').content,'\xf0\x9f\x98\x80')</script>";
    static const char *const charsets[] = {"utf-8", "ascii"};
    struct stage stage = stage_open(small_pool);
    struct client_reply first, second[2];
    for (size_t i = 0; i < 2; i++) {
        client_render(stage.harness->address, &first, "{s:s, s:{s:s}}", "html", document,
                      "document", "charset", charsets[i]);
        expect_reply(&first, 200, i == 0 ? "\xe4\xbd\xa0" : "&#x4f60;");
        for (size_t at = 0; i == 1 && at < first.body_bytes; at++)
            ck_assert_uint_lt((unsigned char)first.body[at], 0x80);
        client_render(stage.harness->address, &second[i], "{s:s, s:{s:b, s:[s]}}", "html",
                      first.body, "document", "stripScripts", 1, "removeSelectors", "style");
        client_reply_free(&first);
    }
    expect_reply(&second[1], 200, "\xc3\xa9\xf0\x9f\x98\x80\"\xe2\x82\xac \xc3\xa9\"");
    ck_assert_str_eq(second[1].body, second[0].body);
    client_reply_free(&second[0]);
    client_reply_free(&second[1]);
    stage_close(&stage);
}
END_TEST

/* 502 with the code of the network, never the browser's own error page; and the error
 * page's load event is not taken for that of the next render in the same page. */
START_TEST(failed_navigation)
{
    static const struct {
        const char *url, *code;
    } rows[] = {
        {"http://name.invalid/", "net::ERR_NAME_NOT_RESOLVED"},
        {"http://127.0.0.1:9/", "net::ERR_"}, /* Refused, or refused to be tried. */
        {NULL, "net::ERR_EMPTY_RESPONSE"},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *url = rows[i].url != NULL ? rows[i].url : origin_url(stage.origin, "/close");
        client_render(stage.harness->address, &reply, "{s:s, s:s}", "url", url, "affinity", "same");
        expect_problem(&reply, 502, "navigation_failed", rows[i].code);
        client_reply_free(&reply);
        client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                      origin_url(stage.origin, "/static?n=%zu-after", i), "affinity", "same");
        expect_reply(&reply, 200, "-after</p>");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* The browser's control port, as "http://IP:PORT". */
static void control_address(const struct stage *stage, char *ret, size_t ret_bytes)
{
    json_t *state = harness_get_json(stage->harness, "/affinities");
    const char *control =
        json_string_value(json_object_get(json_object_get(state, "browser"), "websocketUrl"));
    demand(control != NULL && strncmp(control, "ws://", 5) == 0, "no control port");
    snprintf(ret, ret_bytes, "http://%.*s", (int)strcspn(control + 5, "/"), control + 5);
    json_decref(state);
}

/* Neither the daemon's own interface nor the browser's control port is ever shown. */
START_TEST(denied_ports)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    char control[100], url[300];
    control_address(&stage, control, sizeof(control));
    snprintf(url, sizeof(url), "%s/json/version", control);
    client_render(stage.harness->address, &reply, "{s:s}", "url", url);
    expect_problem(&reply, 403, "url_denied", "port");
    client_reply_free(&reply);
    snprintf(url, sizeof(url), "%s/affinities", stage.harness->address);
    client_render(stage.harness->address, &reply, "{s:s}", "url", url);
    expect_problem(&reply, 403, "url_denied", "port");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* The daemon has answered, and counted, a request of that route. */
static bool has_answered(const struct stage *stage, const char *route)
{
    char line[100];
    struct client_reply reply;
    (void)snprintf(line, sizeof(line), "\nprerenderd_http_requests_total{route=\"%s\"", route);
    client_perform(stage->harness->address, &(struct client_request){.path = "/metrics"}, &reply);
    expect_reply(&reply, 200, "\nprerenderd_http_requests_total{");
    bool has = strstr(reply.body, line) != NULL;
    client_reply_free(&reply);
    return has;
}

static void expect_reach(const struct stage *stage, const char *address, uint16_t port,
                         const char *path, const char *text)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s}", "url",
                  origin_url(stage->origin, "/reaches?http://%s:%u%s", address, port, path));
    expect_reply(&reply, 200, text);
    client_reply_free(&reply);
}

/* What a page loads comes from neither of them, whatever the host is called. */
START_TEST(denied_ports_of_parts)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]",
                                        "2130706433"};
    struct stage stage = stage_open(small_pool);
    char control[100];
    control_address(&stage, control, sizeof(control));
    uint16_t control_port = (uint16_t)strtoul(strrchr(control, ':') + 1, NULL, 10);
    uint16_t own_port = (uint16_t)strtoul(strrchr(stage.harness->address, ':') + 1, NULL, 10);
    uint16_t origin_port =
        (uint16_t)strtoul(strrchr(origin_url(stage.origin, "/"), ':') + 1, NULL, 10);
    expect_reach(&stage, "localhost", origin_port, "/static?n=1", "reached yes");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        expect_reach(&stage, hosts[i], own_port, "/healthz", "reached no");
        expect_reach(&stage, hosts[i], control_port, "/json/version", "reached no");
    }
    /* The renders, and nothing that a page asked for. */
    ck_assert(has_answered(&stage, "/render"));
    ck_assert(!has_answered(&stage, "/healthz"));
    stage_close(&stage);
}
END_TEST

START_TEST(origin_status)
{
    static const char *const codes[] = {"404", "500", "403"};
    struct stage stage = stage_open(small_pool);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct client_reply reply;
        char text[32];
        snprintf(text, sizeof(text), "status %s</p>", codes[i]);
        client_render(stage.harness->address, &reply, "{s:s}", "url",
                      origin_url(stage.origin, "/status?code=%s", codes[i]));
        expect_reply(&reply, 200, text);
        expect_header(&reply, "X-Prerenderd-Origin-Status", codes[i]);
        expect_header(&reply, "X-Prerenderd-Outcome", "complete");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

START_TEST(timeouts)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    const char *address = stage.harness->address;
    const char *hang = origin_url(stage.origin, "/hang");
    client_render(address, &reply, "{s:s, s:i, s:{s:s}}", "url", hang, "timeoutMs", 3000, "wait",
                  "until", "load");
    expect_reply(&reply, 200, "here already");
    expect_header(&reply, "X-Prerenderd-Outcome", "partial");
    expect_header(&reply, "X-Prerenderd-Reason", "deadline");
    expect_header(&reply, "Cache-Control", "no-store");
    demand(reply_ms(&reply) < 4000, "answered after %llu ms", (unsigned long long)reply_ms(&reply));
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:i, s:s, s:{s:s}}", "url", hang, "timeoutMs", 2000,
                  "onTimeout", "error", "wait", "until", "load");
    expect_problem(&reply, 504, "render_timeout", "timeoutMs");
    expect_header(&reply, "X-Prerenderd-Pending", "1");
    ck_assert_ptr_nonnull(strstr(reply.body, "\"phase\":\"load\""));
    ck_assert_ptr_nonnull(strstr(reply.body, "\"mainThreadAnswers\":true"));
    ck_assert_ptr_nonnull(strstr(reply.body, "/never\",\"type\":\"image\""));
    client_reply_free(&reply);
    /* Nothing has arrived that could be captured. */
    client_render(address, &reply, "{s:s, s:i}", "url", origin_url(stage.origin, "/never"),
                  "timeoutMs", 2000);
    expect_problem(&reply, 504, "render_timeout", "");
    demand(reply_ms(&reply) < 3000, "answered after %llu ms", (unsigned long long)reply_ms(&reply));
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s}", "url", origin_url(stage.origin, "/static?n=next"));
    expect_reply(&reply, 200, "page next");
    client_reply_free(&reply);
    /* A rule that is hit is named, with what hit it. */
    client_render(address, &reply, "{s:s, s:{s:[i]}}", "url",
                  origin_url(stage.origin, "/static?n=ruled"), "failOn", "status", 200);
    expect_problem(&reply, 422, "fail_on", "failOn.status");
    ck_assert_ptr_nonnull(strstr(reply.body, "/static?n=ruled"));
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(redirects)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    const char *address = stage.harness->address;
    client_render(address, &reply, "{s:s}", "url", origin_url(stage.origin, "/redirect?n=5"));
    expect_reply(&reply, 200, "page redirected");
    expect_header(&reply, "X-Prerenderd-Final-URL",
                  origin_url(stage.origin, "/static?n=redirected"));
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s}", "url", origin_url(stage.origin, "/script-redirect"));
    expect_reply(&reply, 200, "page scripted");
    expect_header(&reply, "X-Prerenderd-Final-URL", origin_url(stage.origin, "/static?n=scripted"));
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s}", "url", origin_url(stage.origin, "/redirect-loop"));
    expect_problem(&reply, 502, "too_many_redirects", "");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(no_document)
{
    static const char *const paths[] = {"/204", "/download"};
    struct stage stage = stage_open(small_pool);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct client_reply reply;
        client_render(stage.harness->address, &reply, "{s:s, s:i}", "url",
                      origin_url(stage.origin, "%s", paths[i]), "timeoutMs", 20000);
        expect_problem(&reply, 502, "not_a_document", "");
        demand(reply_ms(&reply) < 10000, "%s hung", paths[i]);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* The same URL again, and URLs that differ in the fragment only, in one page: none of
 * these may be taken for a navigation inside the document that is there already. */
START_TEST(same_page_again)
{
    struct stage stage = stage_open(small_pool);
    const char *const fragments[] = {"", "", "#one", "#two", "#two", ""};
    for (size_t i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
        struct client_reply reply;
        client_render(stage.harness->address, &reply, "{s:s, s:s, s:i}", "url",
                      origin_url(stage.origin, "/static?n=again%s", fragments[i]), "affinity",
                      "same", "timeoutMs", 10000);
        expect_reply(&reply, 200, "page again");
        expect_header(&reply, "X-Prerenderd-Outcome", "complete");
        expect_header(&reply, "X-Prerenderd-Origin-Status", "200");
        client_reply_free(&reply);
    }
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=again"), 6);
    stage_close(&stage);
}
END_TEST

START_TEST(dialogs_and_popups)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    const char *address = stage.harness->address;
    client_render(address, &reply, "{s:s, s:i}", "url", origin_url(stage.origin, "/dialog"),
                  "timeoutMs", 10000);
    expect_reply(&reply, 200, "after the dialogs");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    client_reply_free(&reply);
    client_render(address, &reply, "{s:s, s:i, s:s}", "url", origin_url(stage.origin, "/popup"),
                  "timeoutMs", 10000, "affinity", "popup");
    expect_reply(&reply, 200, "popup asked for");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    client_reply_free(&reply);
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    stage_close(&stage);
}
END_TEST

/* Whatever the page holds, the answer is valid UTF-8. */
START_TEST(valid_utf8)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/surrogate"));
    expect_reply(&reply, 200, "lone \xef\xbf\xbd half, pair \xf0\x9f\x98\x80");
    json_t *text = json_stringn(reply.body, reply.body_bytes); /* NULL unless it is UTF-8. */
    ck_assert_ptr_nonnull(text);
    json_decref(text);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* Twelve megabytes of text come whole; over the bound they are refused as such. */
START_TEST(big_output)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--render.output_bytes_max=16777216", NULL};
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:{s:s}}", "url",
                  origin_url(stage.origin, "/big?bytes=12000000"), "wait", "until", "load");
    expect_reply(&reply, 200, "\xe2\x82\xac = 1.00 ");
    demand(reply.body_bytes > 12000000 && reply.body_bytes < 12001000, "%zu bytes came",
           reply.body_bytes);
    demand(strcmp(reply.body + reply.body_bytes - 14, "</body></html>") == 0, "the end is missing");
    client_reply_free(&reply);
    client_render(stage.harness->address, &reply, "{s:s, s:{s:s}}", "url",
                  origin_url(stage.origin, "/big?bytes=30000000"), "wait", "until", "load");
    expect_problem(&reply, 502, "output_too_large", "render.output_bytes_max");
    client_reply_free(&reply);
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/static?n=small"));
    expect_reply(&reply, 200, "page small");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render");
    suite_add(suite, finished_app, 120);
    suite_add(suite, get_and_head, 120);
    suite_add(suite, envelope, 120);
    suite_add(suite, ascii_document, 120);
    suite_add(suite, wait_until, 120);
    suite_add(suite, owned_parameters, 120);
    suite_add(suite, failed_navigation, 120);
    suite_add(suite, denied_ports, 120);
    suite_add(suite, denied_ports_of_parts, 120);
    suite_add(suite, origin_status, 120);
    suite_add(suite, timeouts, 120);
    suite_add(suite, redirects, 120);
    suite_add(suite, no_document, 120);
    suite_add(suite, same_page_again, 120);
    suite_add(suite, dialogs_and_popups, 120);
    suite_add(suite, valid_utf8, 120);
    suite_add(suite, big_output, 180);
    return suite_run(suite, SUITE_FORKS);
}
