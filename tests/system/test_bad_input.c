/* test_bad_input.c: what is no valid request gets a clear 4xx that names what is wrong and
 * what would be right, costs no page, and leaves nothing behind. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "tests/system/process.h"
#include "tests/system/stage.h"

static const char *const small_pool[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

/* A body for POST /render, and what must come of it. */
struct bad_body {
    const char *body, *code, *param, *detail;
    long status;
};

static const struct bad_body bodies[] = {
    {"", "bad_json", NULL, "empty", 400},
    {"{\"url\":", "bad_json", NULL, "line", 400},
    {"hello", "bad_json", NULL, "JSON", 400},
    {"[]", "bad_json", NULL, "object", 400},
    {"\"http://127.0.0.1/\"", "bad_json", NULL, "object", 400},
    {"null", "bad_json", NULL, "object", 400},
    {"{\"url\":\"http://a/\",\"url\":\"http://b/\"}", "bad_json", NULL, "duplicate", 400},
    {"{}", "invalid_param", "url", "url", 400},
    {"{\"url\":null}", "invalid_param", "url", "null", 400},
    {"{\"url\":5}", "invalid_param", "url", "string", 400},
    {"{\"url\":[\"http://127.0.0.1/\"]}", "invalid_param", "url", "string", 400},
    {"{\"url\":\"\"}", NULL, "url", "url", 400},
    {"{\"url\":\"example.com\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"file:///etc/passwd\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"chrome://version\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"javascript:alert(1)\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"data:text/html,x\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"about:blank\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"view-source:http://127.0.0.1/\"}", "invalid_url", "url", "http://", 400},
    {"{\"url\":\"http://\"}", "invalid_url", "url", "host", 400},
    {"{\"url\":\"http:///path\"}", "invalid_url", "url", "host", 400},
    {"{\"url\":\"http://user:secret@127.0.0.1/\"}", "invalid_url", "url", "user", 400},
    {"{\"url\":\"http://127.0.0.1:99999/\"}", "invalid_url", "url", "port", 400},
    {"{\"url\":\"http://127.0.0.1/a\\nb\"}", "invalid_url", "url", "control", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"afinity\":\"a\"}", "unknown_param", "afinity", "affinity",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"timeout\":1}", "unknown_param", "timeout", "timeoutMs", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"wait\":{\"untill\":\"load\"}}", "unknown_param",
     "wait.untill", "wait.until", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"wait.until\":\"load\"}", "unknown_param", "wait.until",
     "nested", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"wait\":\"load\"}", "invalid_param", "wait", "object", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"wait\":{\"until\":\"loaded\"}}", "invalid_param",
     "wait.until", "domcontentloaded", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"affinity\":\"\"}", "invalid_param", "affinity", "512", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"affinity\":7}", "invalid_param", "affinity", "string", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"priority\":-1}", "invalid_param", "priority", "1000000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"priority\":1000001}", "invalid_param", "priority", "1000000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"priority\":1.5}", "invalid_param", "priority", "1000000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"priority\":\"5\"}", "invalid_param", "priority", "1000000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"timeoutMs\":0}", "invalid_param", "timeoutMs", "120000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"timeoutMs\":120001}", "invalid_param", "timeoutMs", "120000",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"timeoutMs\":99999999999999999999}", NULL, NULL, "", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"onTimeout\":\"retry\"}", "invalid_param", "onTimeout",
     "partial", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"retryOnCrash\":1}", "invalid_param", "retryOnCrash", "true",
     400},
    {"{\"url\":\"http://127.0.0.1/\",\"isolation\":\"none\"}", "invalid_param", "isolation",
     "fresh", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"isolation\":\"affinity\"}", "invalid_param", "isolation",
     "affinity", 400},
    {"{\"url\":\"http://127.0.0.1/\",\"lane\":\"nested\"}", "invalid_param", "lane", "affinity",
     400},
};

/* Nothing of a refused request may be left: no affinity, no render, no page beyond what a
 * fresh daemon has. */
static void check_untouched(const struct stage *stage)
{
    struct pool_view view;
    demand(harness_wait_quiet(stage->harness), "the pool does not come to rest");
    harness_view(stage->harness, &view);
    ck_assert_int_eq(view.affinities, 0);
    ck_assert_int_eq(view.idle, 0);
    ck_assert_int_eq(view.waiting + view.running, 0);
}

static void check_still_renders(const struct stage *stage)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s}", "url",
                  origin_url(stage->origin, "/static?n=still"));
    expect_reply(&reply, 200, "page still");
    client_reply_free(&reply);
}

static void check_param(const struct client_reply *reply, const char *param)
{
    json_t *problem = client_json(reply);
    const char *found = json_string_value(json_object_get(problem, "param"));
    demand(found != NULL && strcmp(found, param) == 0, "wanted the parameter %s: %s", param,
           reply->body);
    json_decref(problem);
}

static void check_row(const struct stage *stage, const struct bad_body *row)
{
    struct client_reply reply;
    client_perform(stage->harness->address,
                   &(struct client_request){.path = "/render", .body = row->body}, &reply);
    demand(reply.status == row->status, "%s: wanted %ld, got %ld %s", row->body, row->status,
           reply.status, reply.body);
    json_t *problem = client_json(&reply);
    const char *code = json_string_value(json_object_get(problem, "code"));
    demand(code != NULL, "%s: no code in %s", row->body, reply.body);
    expect_problem(&reply, row->status, row->code != NULL ? row->code : code, row->detail);
    if (row->param != NULL) {
        check_param(&reply, row->param);
    }
    json_decref(problem);
    client_reply_free(&reply);
}

START_TEST(bodies_table)
{
    struct stage stage = stage_open(small_pool);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        check_row(&stage, &bodies[i]);
    }
    check_untouched(&stage);
    check_still_renders(&stage);
    stage_close(&stage);
}
END_TEST

/* Method, path, headers: what is wrong outside the body. */
struct bad_request {
    struct client_request request;
    long status;
    const char *code, *detail;
};

static const struct bad_request requests[] = {
    {{.path = "/nothing"}, 400, "invalid_url", "/render"},
    {{.path = "/render/"}, 400, "invalid_url", "/render"},
    {{.method = "POST", .path = "/rende", .body = "{}"}, 404, "not_found", "/render"},
    {{.path = "/affinities/a/b", .method = "DELETE"}, 404, "not_found", "/affinities"},
    {{.method = "PUT", .path = "/render", .body = "{}"}, 405, "method_not_allowed", "POST"},
    {{.method = "DELETE", .path = "/render"}, 405, "method_not_allowed", "POST"},
    {{.method = "BREW", .path = "/render"}, 405, "method_not_allowed", "POST"},
    {{.method = "POST", .path = "/heartbeat", .body = "{}"}, 405, "method_not_allowed", "GET"},
    {{.path = "/affinities/a"}, 405, "method_not_allowed", "DELETE"},
    {{.method = "DELETE", .path = "/affinities/%zz"}, 400, "invalid_param", "%25"},
    {{.method = "DELETE", .path = "/affinities/a?retain=maybe"}, 400, "invalid_param", "true"},
    {{.method = "DELETE", .path = "/affinities/a?force=true"}, 400, "unknown_param", "retain"},
    {{.path = "/render"}, 400, "invalid_param", "url"},
    {{.path = "/render?url="}, 400, NULL, "url"},
    {{.path = "/render?url=file:///etc/passwd"}, 400, "invalid_url", "http://"},
    {{.path = "/render?uri=http://127.0.0.1/"}, 400, "unknown_param", "url"},
    {{.path = "/render?url=http://a/&url=http://b/"}, 400, "invalid_param", "twice"},
    {{.path = "/render?url=http://a/&timeoutMs=5s"}, 400, "invalid_param", "timeoutMs"},
    {{.path = "/render?url=http://a/%zz"}, 400, "invalid_param", "%25"},
    {{.path = "/heartbeat?x=1"}, 400, "unknown_param", "/heartbeat"},
    {{.path = "/render", .body = "x", .headers = {"Content-Encoding: gzip"}},
     415,
     "unsupported_encoding",
     "Content-Encoding"},
    {{.path = "/render?url=http://a/", .headers = {"Accept: image/png"}},
     406,
     "not_acceptable",
     "text/html"},
    {{.path = "/render?url=http://a/", .headers = {"Origin: https://evil.example"}},
     403,
     "cross_origin",
     "http.allowed_origins"},
    {{.path = "/render?url=http://a/", .headers = {"Origin: null"}},
     403,
     "cross_origin",
     "http.allowed_origins"},
    {{.path = "/render?url=http://a/", .headers = {"Sec-Fetch-Site: cross-site"}},
     403,
     "cross_origin",
     "Sec-Fetch-Site"},
    {{.method = "DELETE", .path = "/affinities/a", .headers = {"Sec-Fetch-Site: same-site"}},
     403,
     "cross_origin",
     "Sec-Fetch-Site"},
    {{.path = "/affinities", .headers = {"Host: evil.example"}},
     403,
     "host_denied",
     "http.allowed_hosts"},
    {{.path = "/render?url=http://a/", .headers = {"Host: 127.0.0.1.evil.example:80"}},
     403,
     "host_denied",
     "http.allowed_hosts"},
};

START_TEST(requests_table)
{
    struct stage stage = stage_open(small_pool);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct client_reply reply;
        const struct bad_request *row = &requests[i];
        client_perform(stage.harness->address, &row->request, &reply);
        demand(reply.status == row->status, "%s %s %s: wanted %ld, got %ld %s", row->request.method,
               row->request.path, row->request.headers[0], row->status, reply.status, reply.body);
        json_t *problem = client_json(&reply);
        const char *code = json_string_value(json_object_get(problem, "code"));
        expect_problem(&reply, row->status, row->code != NULL ? row->code : code, row->detail);
        if (row->status == 405) {
            demand(client_header(&reply, "Allow") != NULL, "405 without Allow");
        }
        json_decref(problem);
        client_reply_free(&reply);
    }
    check_untouched(&stage);
    check_still_renders(&stage);
    stage_close(&stage);
}
END_TEST

/* These are what a browser, a proxy or an operator sends: they must not be refused. */
START_TEST(allowed_callers)
{
    static const char *const headers[] = {"Host: localhost:4221",
                                          "Host: [::1]:4221",
                                          "Host: 10.1.2.3",
                                          "Sec-Fetch-Site: none",
                                          "Sec-Fetch-Site: same-origin",
                                          "X-Request-Id: abc-1"};
    struct stage stage = stage_open(small_pool);
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct client_reply reply;
        client_perform(stage.harness->address,
                       &(struct client_request){.path = "/version", .headers = {headers[i]}},
                       &reply);
        expect_reply(&reply, 200, "prerenderd");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

static char *body_with_url_of(size_t bytes)
{
    char *body = malloc(bytes + 64);
    demand(body != NULL, "no memory for a body");
    int head = snprintf(body, 64, "{\"url\":\"http://127.0.0.1/");
    memset(body + head, 'a', bytes);
    snprintf(body + (size_t)head + bytes, 8, "\"}");
    return body;
}

/* A URL of 9 KB, a body of 2 MB, a head of 40 KB: refused by size, before work is done. */
START_TEST(sizes)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    char *body = body_with_url_of(9000);
    client_perform(stage.harness->address,
                   &(struct client_request){.path = "/render", .body = body}, &reply);
    expect_problem(&reply, 414, "url_too_long", "8192");
    client_reply_free(&reply);
    free(body);
    body = body_with_url_of(2u << 20);
    client_perform(stage.harness->address,
                   &(struct client_request){.path = "/render", .body = body}, &reply);
    expect_problem(&reply, 413, "body_too_large", "http.body_bytes_max");
    client_reply_free(&reply);
    const struct client_request chunked = {
        .path = "/render", .body = body, .headers = {"Transfer-Encoding: chunked"}};
    client_perform(stage.harness->address, &chunked, &reply);
    /* It may also drop the connection in the middle of what it will not read. */
    demand(reply.status == 413 || reply.status == 0, "status %ld", reply.status);
    client_reply_free(&reply);
    free(body);
    char header[40000];
    snprintf(header, sizeof(header), "X-Long: %039000d", 7);
    client_perform(stage.harness->address,
                   &(struct client_request){.path = "/version", .headers = {header}}, &reply);
    demand(reply.status >= 400 && reply.status < 500, "status %ld", reply.status);
    client_reply_free(&reply);
    check_untouched(&stage);
    check_still_renders(&stage);
    stage_close(&stage);
}
END_TEST

/* What no HTTP library would send. Each is answered with a 4xx, or the connection ends. */
START_TEST(broken_http)
{
    static const char *const rows[] = {
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "POST /render HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "POST /render HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        ("POST /render HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
         "Transfer-Encoding: chunked\r\n\r\n{}"),
        "POST /render HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        "\x16\x03\x01\x02\x01",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    struct stage stage = stage_open(small_pool);
    size_t descriptors = process_descriptors(stage.harness->pid);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[4096];
        size_t bytes = client_raw(stage.harness->address, rows[i], strlen(rows[i]), 10000, answer,
                                  sizeof(answer));
        demand(bytes == 0 || strncmp(answer, "HTTP/1.1 4", 10) == 0 ||
                   strncmp(answer, "HTTP/1.0 4", 10) == 0 || strstr(answer, " 505 ") != NULL,
               "%s: %.200s", rows[i], answer);
        demand(strstr(answer, " 200 ") == NULL, "%s: %.200s", rows[i], answer);
    }
    check_untouched(&stage);
    check_still_renders(&stage);
    demand(process_descriptors(stage.harness->pid) <= descriptors + 8, "descriptors leak");
    stage_close(&stage);
}
END_TEST

/* A knob that is unknown, blank or out of range stops the start with one sentence that
 * names it, the value and the range. */
START_TEST(knobs_table)
{
    static const struct {
        const char *knob, *name, *text;
    } rows[] = {
        {"--pool.pages_max=0", "pool.pages_max", "1024"},
        {"--pool.pages_max=many", "pool.pages_max", "many"},
        {"--pool.pages_max=", "pool.pages_max", ""},
        {"--pool.pagesmax=3", "pagesmax", "pool.pages_max"},
        {"--browser.sandbox=maybe", "browser.sandbox", "maybe"},
        {"--http.listen=nonsense", "http.listen", "nonsense"},
        {"--log.level=loud", "log.level", "loud"},
    };
    struct harness *harness = harness_new();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const knobs[] = {rows[i].knob, NULL};
        harness_launch(harness, &(struct launch){.knobs = knobs, .no_listen = true});
        int status = harness_wait_exit(harness, SOON_MS);
        demand(WIFEXITED(status) && WEXITSTATUS(status) != 0, "%s: wait status %x", rows[i].knob,
               (unsigned)status);
        demand(harness_output_contains(harness, rows[i].name) &&
                   harness_output_contains(harness, rows[i].text),
               "%s: the message lacks \"%s\" or \"%s\"", rows[i].knob, rows[i].name, rows[i].text);
    }
    harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bad input");
    suite_add(suite, bodies_table, 120);
    suite_add(suite, requests_table, 120);
    suite_add(suite, allowed_callers, 120);
    suite_add(suite, sizes, 120);
    suite_add(suite, broken_http, 180);
    suite_add(suite, knobs_table, 120);
    return suite_run(suite, SUITE_FORKS);
}
