/* test_hostile.c: pages and answers that mean harm, or are broken. Each gets the typed result
 * of the interface within its time, and the next render on the same pool is normal. */
#include <check.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/sockets.h"
#include "tests/system/stage.h"

static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};
static const char *const two_pages[] = {"--pool.pages_min=2", "--pool.pages_max=2", NULL};

#define TIMEOUT_MS 20000

/* The canary: a page of the same pool, and of the same affinity unless that is NULL. */
static void check_normal(const struct stage *stage, const char *affinity)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s, s:s*}", "url",
                  origin_url(stage->origin, "/static?n=canary"), "affinity", affinity);
    expect_reply(&reply, 200, "page canary</p>");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    client_reply_free(&reply);
}

static void render(const struct stage *stage, struct client_reply *reply, const char *url)
{
    client_render(stage->harness->address, reply, "{s:s, s:s, s:i}", "url", url, "affinity", "h",
                  "timeoutMs", TIMEOUT_MS);
    demand(reply_ms(reply) < TIMEOUT_MS, "%s was answered after %llu ms", url,
           (unsigned long long)reply_ms(reply));
}

/* `code` NULL: a complete document with `text` in it; else a problem with it in its detail. */
struct answer {
    const char *path; /* NULL: of a port that nobody listens on. */
    long status;
    const char *code, *text;
};

static const struct answer answers[] = {
    {"/typed?type=application/pdf", 502, "not_a_document", "no document"},
    {"/typed?type=image/png", 502, "not_a_document", "no document"},
    {"/typed?type=video/mp4", 502, "not_a_document", "no document"},
    {"/typed?type=application/json", 502, "not_a_document", "no document"},
    {"/typed?type=application/zip", 502, "not_a_document", "no document"},
    {"/204", 502, "not_a_document", "an empty answer"},
    {"/download", 502, "not_a_document", "a download"},
    {"/download?type=text/html", 502, "not_a_document", "a download"},
    {"/saves", 200, NULL, "still here"},
    {"/half", 502, "truncated_document", "before the end"},
    {"/close", 502, "navigation_failed", "net::ERR_EMPTY_RESPONSE"},
    {NULL, 502, "navigation_failed", "net::ERR_CONNECTION_REFUSED"},
    {"/redirect-loop", 502, "too_many_redirects", "more than 20 times"},
    {"/script-loop", 502, "redirect_storm", "more than 3 times"},
    /* Half a surrogate pair and a NUL, of a script and of the server. */
    {"/surrogate", 200, NULL, "lone \xef\xbf\xbd half, pair \xf0\x9f\x98\x80, nul  end"},
    {"/odd-bytes", 200, NULL,
     "half \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd, long \xef\xbf\xbd\xef\xbf\xbd, nul end"},
    /* Every dialog is accepted, and after twenty none. */
    {"/asks", 200, NULL, "told undefined, sure true, named []"},
    {"/asks-on", 200, NULL, "yes 20 times"},
    /* What stays open is not waited for, and what waits for something else goes on. */
    {"/streams", 200, NULL, "<p>first event, later</p>"},
    {"/polls", 200, NULL, "meanwhile"},
    /* Deeper than the renderer's stack: it crashes, and so does that of the second attempt. */
    {"/deep", 502, "page_crashed", "crashed"},
};

static void check_answer(const struct answer *answer, const struct client_reply *reply)
{
    if (answer->code != NULL) {
        expect_problem(reply, answer->status, answer->code, answer->text);
        return;
    }
    expect_reply(reply, answer->status, answer->text);
    expect_header(reply, "X-Prerenderd-Outcome", "complete");
    expect_header(reply, "X-Prerenderd-Reason", "settled");
    json_t *text = json_stringn(reply->body, reply->body_bytes); /* NULL unless it is UTF-8. */
    demand(text != NULL && memchr(reply->body, '\0', reply->body_bytes) == NULL,
           "%s is not UTF-8, or has a NUL", answer->path);
    json_decref(text);
}

START_TEST(typed_answers)
{
    struct stage stage = stage_open(one_page);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const char *path = answers[i].path;
        struct client_reply reply;
        char nowhere[64];
        snprintf(nowhere, sizeof(nowhere), "http://127.0.0.1:%u/", free_port());
        render(&stage, &reply, path == NULL ? nowhere : origin_url(stage.origin, "%s", path));
        check_answer(&answers[i], &reply);
        client_reply_free(&reply);
        check_normal(&stage, "h");
    }
    stage_close(&stage);
}
END_TEST

/* Whatever the page has put in the place of what it is read by, it is read. */
START_TEST(clobbered_document)
{
    struct stage stage = stage_open(one_page);
    struct client_reply reply;
    const char *url = origin_url(stage.origin, "/clobber");
    render(&stage, &reply, url);
    expect_reply(&reply, 200, "<p>seen through</p>");
    demand(strncmp(reply.body, "<!DOCTYPE html><html>", 21) == 0, "it begins %.60s", reply.body);
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    expect_header(&reply, "X-Prerenderd-Origin-Status", "200");
    expect_header(&reply, "X-Prerenderd-Final-URL", origin_url(stage.origin, "/clobber"));
    client_reply_free(&reply);
    check_normal(&stage, "h");
    stage_close(&stage);
}
END_TEST

/* Nothing that wants to be asked first, or opens others, holds up the page or its pool. */
START_TEST(page_that_stays)
{
    struct stage stage = stage_open(one_page);
    for (int i = 0; i < 3; i++) {
        struct client_reply reply;
        render(&stage, &reply, origin_url(stage.origin, "/stays"));
        expect_reply(&reply, 200, "<p>stays</p>");
        expect_header(&reply, "X-Prerenderd-Outcome", "complete");
        client_reply_free(&reply);
        check_normal(&stage, "h");
    }
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    stage_close(&stage);
}
END_TEST

/* A service worker of one render, be it allowed there, does not answer for the next in a
 * context that is shared. */
START_TEST(service_worker)
{
    struct stage stage = stage_open(one_page);
    for (int i = 0; i < 3; i++) {
        struct client_reply reply;
        client_render(stage.harness->address, &reply, "{s:s, s:i, s:{s:s}, s:{s:s}}", "url",
                      origin_url(stage.origin, "/serves"), "timeoutMs", TIMEOUT_MS, "wait",
                      "expression", "window.isServed", "network", "serviceWorkers", "allow");
        expect_reply(&reply, 200, "then &lt;p&gt;forged");
        expect_reply(&reply, 200, "<p>real</p>");
        client_reply_free(&reply);
        check_normal(&stage, NULL);
    }
    stage_close(&stage);
}
END_TEST

/* Fifty megabytes are refused by their size before they are asked for. */
START_TEST(huge_document)
{
    struct stage stage = stage_open(one_page);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:s, s:i, s:{s:s}}", "url",
                  origin_url(stage.origin, "/big?bytes=50000000"), "affinity", "h", "timeoutMs",
                  60000, "wait", "until", "load");
    expect_problem(&reply, 502, "output_too_large", "render.output_bytes_max");
    client_reply_free(&reply);
    check_normal(&stage, "h");
    stage_close(&stage);
}
END_TEST

/* Each answer is of one document: text, title and URL agree. */
static void check_one_document(const struct stage *stage, const struct client_reply *reply, int ms)
{
    char left[64], right[64], leaving[64];
    snprintf(leaving, sizeof(leaving), "<p>leaving %d</p>", ms);
    snprintf(left, sizeof(left), "/leaves?ms=%d", ms);
    snprintf(right, sizeof(right), ">page %d</p>", ms);
    demand(reply->status == 200, "after %d ms: status %ld %s%.300s", ms, reply->status,
           reply->error, reply->body);
    bool is_first = strstr(reply->body, leaving) != NULL;
    demand(is_first != (strstr(reply->body, right) != NULL), "after %d ms: %.300s", ms,
           reply->body);
    expect_header(reply, "X-Prerenderd-Final-URL",
                  is_first ? origin_url(stage->origin, "%s", left)
                           : origin_url(stage->origin, "/static?n=%d", ms));
}

/* The same of an envelope. */
static void check_one_visit(const struct stage *stage, const struct client_reply *reply, int ms)
{
    char leaving[64], there[64];
    snprintf(leaving, sizeof(leaving), "leaving %d", ms);
    snprintf(there, sizeof(there), "page %d", ms);
    demand(reply->status == 200, "after %d ms: status %ld %s%.300s", ms, reply->status,
           reply->error, reply->body);
    json_t *tree = client_json(reply);
    const json_t *outputs = json_object_get(tree, "outputs");
    const char *html = json_string_value(json_object_get(outputs, "html"));
    const char *text = json_string_value(json_object_get(outputs, "text"));
    const char *png = json_string_value(json_object_get(outputs, "png"));
    demand(html != NULL && text != NULL && png != NULL, "after %d ms: %.600s", ms, reply->body);
    demand(strncmp(png, "iVBORw0KGgo", 11) == 0, "after %d ms: it is no PNG", ms);
    const char *outcome = json_string_value(json_object_get(tree, "outcome"));
    demand(strcmp(outcome, "complete") == 0, "after %d ms: %s", ms, outcome);
    bool is_first = strstr(html, leaving) != NULL;
    demand(strstr(text, is_first ? leaving : there) != NULL, "after %d ms: %s is not %s", ms, text,
           html);
    ck_assert_str_eq(json_string_value(json_object_get(tree, "finalUrl")),
                     is_first ? origin_url(stage->origin, "/leaves?ms=%d", ms)
                              : origin_url(stage->origin, "/static?n=%d", ms));
    json_decref(tree);
}

/* A page that leaves at every millisecond around its capture. */
START_TEST(leaves_during_capture)
{
    static const char *const until[] = {"load", "auto"};
    struct stage stage = stage_open(two_pages);
    struct flight *flight = flight_new(stage.harness->address);
    for (int ms = 0; ms <= 300; ms++) {
        flight_render(flight, "{s:s, s:s, s:i, s:{s:s}}", "url",
                      origin_url(stage.origin, "/leaves?ms=%d", ms), "affinity",
                      ms % 2 == 0 ? "even" : "odd", "timeoutMs", 120000, "wait", "until",
                      until[ms / 2 % 2]);
    }
    demand(flight_wait_all(flight, 180000), "not all were answered");
    for (int ms = 0; ms <= 300; ms++)
        check_one_document(&stage, flight_reply(flight, (size_t)ms), ms);
    flight_free(flight);
    check_normal(&stage, "even");
    check_normal(&stage, "odd");
    stage_close(&stage);
}
END_TEST

/* The same with images: Chromium paints them in another process than the page's, and when a
 * page leaves it may never paint again. Such a page is replaced, and its render repeated, long
 * before the deadline; a page that is lost twice is a crash, by its name. */
START_TEST(leaves_while_painted)
{
    struct stage stage = stage_open(two_pages);
    struct flight *flight = flight_new(stage.harness->address);
    for (int ms = 0; ms <= 300; ms++) {
        flight_render(flight, "{s:s, s:s, s:i, s:{s:s}, s:[s, s, s]}", "url",
                      origin_url(stage.origin, "/leaves?ms=%d", ms), "affinity",
                      ms % 2 == 0 ? "even" : "odd", "timeoutMs", 120000, "wait", "until", "load",
                      "output", "html", "text", "png");
    }
    demand(flight_wait_all(flight, 180000), "not all were answered");
    for (int ms = 0; ms <= 300; ms++) {
        const struct client_reply *reply = flight_reply(flight, (size_t)ms);
        if (reply->status == 502)
            expect_problem(reply, 502, "page_crashed", "");
        else
            check_one_visit(&stage, reply, ms);
    }
    flight_free(flight);
    check_normal(&stage, "even");
    check_normal(&stage, "odd");
    stage_close(&stage);
}
END_TEST

/* Made for this test: it signs nothing but itself, and no browser trusts it. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBfzCCASWgAwIBAgIUBzrbh0vuToTjA2501mG9KF3FUUowCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNjIzMDgzNloYDzIxMjYxMTAy\n"
    "MjMwODM2WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAASKzNQXXBQGp+KND1B5B3l+qrRkNtnIlwI4NyrLKNR5b5VUFPUUroup\n"
    "c06PLtdx5MBQVH8OOwPQ+EBuDYCLhDRGo1MwUTAdBgNVHQ4EFgQUlw0bzH0Cf/5L\n"
    "pDHHZ536vmHrAKgwHwYDVR0jBBgwFoAUlw0bzH0Cf/5LpDHHZ536vmHrAKgwDwYD\n"
    "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB3koxXPbitNy39xWBUsQJV\n"
    "VpGM5vjc5nn6ABGToVtu0QIhAIsNNWa+GgriDbVwOaHs14i/sg5PkMXjet9q7QQI\n"
    "35Uw\n"
    "-----END CERTIFICATE-----\n";
static const char private_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3HJYfF+p/QtVSpQH\n"
    "FvbztMQ+w4G05RSfQazxogwCxIqhRANCAASKzNQXXBQGp+KND1B5B3l+qrRkNtnI\n"
    "lwI4NyrLKNR5b5VUFPUUroupc06PLtdx5MBQVH8OOwPQ+EBuDYCLhDRG\n"
    "-----END PRIVATE KEY-----\n";

static enum MHD_Result never_asked(void *owner, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_bytes, void **own)
{
    (void)owner;
    (void)connection;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)own;
    demand(false, "a page was asked for behind a certificate that cannot be trusted");
    return MHD_NO;
}

START_TEST(wrong_certificate)
{
    struct MHD_Daemon *server =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, never_asked,
                         NULL, MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY,
                         private_key, MHD_OPTION_END);
    demand(server != NULL, "no server with TLS");
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/",
             MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port);
    struct stage stage = stage_open(one_page);
    struct client_reply reply;
    render(&stage, &reply, url);
    expect_problem(&reply, 502, "navigation_failed", "net::ERR_CERT_");
    client_reply_free(&reply);
    check_normal(&stage, "h");
    stage_close(&stage);
    MHD_stop_daemon(server);
}
END_TEST

/* A zone that only the browser can judge is the caller's mistake, named as such. */
START_TEST(unknown_timezone)
{
    struct stage stage = stage_open(one_page);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:s, s:{s:s}}", "url",
                  origin_url(stage.origin, "/static?n=zone"), "affinity", "h", "page", "timezone",
                  "Mars/Base");
    expect_problem(&reply, 400, "invalid_param", "\"page.timezone\" is \"Mars/Base\"");
    client_reply_free(&reply);
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=zone"), 0);
    check_normal(&stage, "h");
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    suite_add(suite, typed_answers, 240);
    suite_add(suite, clobbered_document, 120);
    suite_add(suite, page_that_stays, 120);
    suite_add(suite, service_worker, 120);
    suite_add(suite, huge_document, 180);
    suite_add(suite, leaves_during_capture, 300);
    suite_add(suite, leaves_while_painted, 300);
    suite_add(suite, wrong_certificate, 120);
    suite_add(suite, unknown_timezone, 120);
    return suite_run(suite, SUITE_FORKS);
}
