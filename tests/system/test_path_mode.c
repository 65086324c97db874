/* test_path_mode.c: the prerender.io dialect as its users run it: a crawler asks a site that
 * has prerender-node in front, or an nginx, and these ask the daemon for the page. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include "tests/system/sockets.h"
#include "tests/system/stage.h"

#define CRAWLER "User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1)"

/* The daemon, and a site whose middleware calls it. */
struct site {
    struct stage stage;
    pid_t pid;
    char address[64];
};

static pid_t spawn(char *const *arguments, int output)
{
    pid_t pid = fork();
    demand(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        if (dup2(output, STDOUT_FILENO) < 0)
            _exit(126);
        (void)execvp(arguments[0], arguments);
        _exit(127);
    }
    return pid;
}

static struct site site_open(const char *const *knobs)
{
    struct site site = {.stage = stage_open(knobs)};
    char script[PATH_MAX], line[64] = "";
    int ends[2];
    harness_find_above("tests/system/pages/site.js", script);
    demand(pipe(ends) == 0, "pipe: %s", strerror(errno));
    char *arguments[] = {(char *)"node", script, site.stage.harness->directory,
                         site.stage.harness->address, NULL};
    site.pid = spawn(arguments, ends[1]);
    (void)close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    demand(stream && fgets(line, sizeof line, stream) && strncmp(line, "port ", 5) == 0,
           "the site did not start: %s", line);
    (void)fclose(stream);
    snprintf(site.address, sizeof site.address, "http://127.0.0.1:%lu",
             strtoul(line + 5, NULL, 10));
    return site;
}

static void end_process(pid_t pid)
{
    int status;
    demand(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid, "%d does not end", (int)pid);
}

static void site_close(struct site *site)
{
    end_process(site->pid);
    stage_close(&site->stage);
}

static struct client_reply crawl(const char *address, const char *path)
{
    struct client_reply reply;
    client_perform(address, &(struct client_request){.path = path, .headers = {CRAWLER}}, &reply);
    return reply;
}

static void expect_no_header(const struct client_reply *reply, const char *name)
{
    const char *found = client_header(reply, name);
    demand(found == NULL, "there is \"%s: %s\"", name, found);
}

/* A crawler gets the finished page, a browser the page as it is. */
START_TEST(crawler_gets_the_page)
{
    struct site site = site_open(NULL);
    struct client_reply reply = crawl(site.address, "/hello");
    expect_reply(&reply, 200, "built 1440x718 1");
    expect_reply(&reply, 200, "application/ld+json");
    expect_absent(&reply, "getElementById");
    expect_header(&reply, "Content-Type", "text/html;charset=UTF-8");
    expect_header(&reply, "X-Origin", "kept");
    expect_header(&reply, "Cache-Control", "max-age=60");
    expect_no_header(&reply, "Content-Security-Policy");
    expect_no_header(&reply, "Set-Cookie");
    demand(client_header(&reply, "X-Prerender-Request-ID") != NULL, "no request id");
    client_reply_free(&reply);
    client_perform(site.address, &(struct client_request){.path = "/hello"}, &reply);
    expect_reply(&reply, 200, "getElementById");
    client_reply_free(&reply);
    reply = crawl(site.address, "/agent");
    expect_reply(&reply, 200, "Chrome");
    expect_reply(&reply, 200, "Prerender");
    client_reply_free(&reply);
    site_close(&site);
}
END_TEST

START_TEST(statuses_reach_the_crawler)
{
    struct site site = site_open(NULL);
    struct client_reply reply = crawl(site.address, "/moved");
    expect_reply(&reply, 301, "");
    expect_header(&reply, "Location", "/hello?from=moved");
    ck_assert_uint_eq(reply.body_bytes, 0);
    client_reply_free(&reply);
    reply = crawl(site.address, "/missing");
    expect_reply(&reply, 404, "nothing here");
    expect_absent(&reply, "prerender-");
    expect_header(&reply, "X-Page", "a&b");
    client_reply_free(&reply);
    reply = crawl(site.address, "/client-moved");
    expect_reply(&reply, 302, "gone");
    expect_header(&reply, "Location", "/hello");
    client_reply_free(&reply);
    reply = crawl(site.address, "/gone");
    expect_reply(&reply, 410, "was here");
    client_reply_free(&reply);
    reply = crawl(site.address, "/empty");
    expect_reply(&reply, 204, "");
    client_reply_free(&reply);
    reply = crawl(site.address, "/file");
    expect_reply(&reply, 504, "not_a_document");
    demand(strncmp(client_header(&reply, "X-Prerender-504-Reason"), "not_a_document:", 15) == 0,
           "no reason");
    client_reply_free(&reply);
    site_close(&site);
}
END_TEST

/* The own API edits what it is asked to edit, and nothing else. */
START_TEST(own_api_edits_documents)
{
    struct site site = site_open(NULL);
    char url[96];
    struct client_reply reply;
    snprintf(url, sizeof url, "%s/missing", site.address);
    client_render(site.stage.harness->address, &reply, "{s:s}", "url", url);
    expect_reply(&reply, 200, "getElementById");
    expect_reply(&reply, 200, "prerender-status-code");
    expect_absent(&reply, "<base");
    client_reply_free(&reply);
    client_render(site.stage.harness->address, &reply, "{s:s, s:{s:b, s:s}}", "url", url,
                  "document", "stripScripts", 1, "base", "https://base.test/a?b&c");
    expect_reply(&reply, 200, "<head><base href=\"https://base.test/a?b&amp;c\"><title>");
    expect_reply(&reply, 200, "prerender-status-code");
    expect_absent(&reply, "<script");
    client_reply_free(&reply);
    client_render(site.stage.harness->address, &reply, "{s:s, s:{s:[s, s]}}", "url", url,
                  "document", "removeSelectors", "head > title, [name^=prerender-]", "script");
    expect_reply(&reply, 200, "nothing here");
    expect_absent(&reply, "<title");
    expect_absent(&reply, "<script");
    expect_absent(&reply, "prerender-status-code");
    client_reply_free(&reply);
    client_render(site.stage.harness->address, &reply, "{s:s, s:{s:[s]}}", "url", url, "document",
                  "removeSelectors", "p:first-child");
    expect_problem(&reply, 400, "invalid_param", "p:first-child");
    client_reply_free(&reply);
    client_render(site.stage.harness->address, &reply, "{s:s, s:{s:s}}", "url", url, "document",
                  "base", "/relative");
    expect_problem(&reply, 400, "invalid_param", "document.base");
    client_reply_free(&reply);
    site_close(&site);
}
END_TEST

/* The status of the own API is its own: what the page says is told beside it. */
START_TEST(metas_are_told)
{
    struct site site = site_open(NULL);
    const char *address = site.stage.harness->address, *name, *value;
    char url[96], body[192];
    int status = 0;
    struct client_reply reply;
    snprintf(url, sizeof url, "%s/missing", site.address);
    client_render(address, &reply, "{s:s}", "url", url);
    expect_no_header(&reply, "X-Prerenderd-Meta-Status");
    client_reply_free(&reply);
    snprintf(body, sizeof body, "{\"url\":\"%s\",\"document\":{\"metaStatus\":true}}", url);
    client_perform(address, &(struct client_request){.path = "/render", .body = body}, &reply);
    expect_reply(&reply, 200, "nothing here");
    expect_header(&reply, "X-Prerenderd-Meta-Status", "404");
    expect_no_header(&reply, "X-Page");
    expect_absent(&reply, "prerender-");
    client_reply_free(&reply);
    client_perform(address,
                   &(struct client_request){
                       .path = "/render", .body = body, .headers = {"Accept: application/json"}},
                   &reply);
    expect_reply(&reply, 200, "nothing here");
    expect_absent(&reply, "<meta");
    json_t *tree = client_json(&reply);
    demand(json_unpack(tree, "{s:i, s:[{s:s, s:s}]}", "metaStatus", &status, "metaHeaders", "name",
                       &name, "value", &value) == 0,
           "the envelope does not tell the metas: %s", reply.body);
    ck_assert_int_eq(status, 404);
    ck_assert_str_eq(name, "X-Page");
    ck_assert_str_eq(value, "a&b");
    json_decref(tree);
    client_reply_free(&reply);
    site_close(&site);
}
END_TEST

START_TEST(queries_arrive_as_they_are)
{
    struct site site = site_open(NULL);
    struct client_reply reply = crawl(site.address, "/query?a=%2F&b=c%20d&%C3%A9=%253F");
    expect_reply(&reply, 200, "query /query?a=%2F&amp;b=c%20d&amp;%C3%A9=%253F");
    client_reply_free(&reply);
    site_close(&site);
}
END_TEST

/* Half a megabyte of text outside ASCII, through gzip and the middleware's decoder. */
START_TEST(text_survives)
{
    struct site site = site_open(NULL);
    static const char unit[] = "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 \xc3\xa9 ";
    char path[256];
    snprintf(path, sizeof path, "/%s/text", site.address);
    struct client_reply plain, packed;
    client_perform(site.stage.harness->address, &(struct client_request){.path = path}, &plain);
    expect_reply(&plain, 200, unit);
    expect_header(&plain, "Vary", "Accept-Encoding");
    expect_no_header(&plain, "Content-Encoding");
    client_perform(site.stage.harness->address,
                   &(struct client_request){.path = path, .headers = {"Accept-Encoding: gzip"}},
                   &packed);
    ck_assert_int_eq((int)packed.status, 200);
    expect_header(&packed, "Content-Encoding", "gzip");
    ck_assert_uint_eq(strtoull(client_header(&packed, "Content-Length"), NULL, 10),
                      packed.body_bytes);
    ck_assert_uint_lt(packed.body_bytes, plain.body_bytes / 10);
    char *text = malloc(plain.body_bytes + 1);
    z_stream stream = {.next_in = (Bytef *)packed.body,
                       .avail_in = (uInt)packed.body_bytes,
                       .next_out = (Bytef *)text,
                       .avail_out = (uInt)plain.body_bytes + 1};
    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.total_out, plain.body_bytes);
    ck_assert_int_eq(memcmp(text, plain.body, plain.body_bytes), 0);
    (void)inflateEnd(&stream);
    free(text);
    size_t units = 0;
    for (const char *at = plain.body; (at = strstr(at, unit)) != NULL; at += strlen(unit))
        units++;
    ck_assert_uint_eq(units, 40000);
    client_reply_free(&packed);
    packed = crawl(site.address, "/text");
    expect_reply(&packed, 200, unit);
    client_reply_free(&packed);
    client_reply_free(&plain);
    site_close(&site);
}
END_TEST

/* No page is free and the queue is full: the crawler is told to come back. */
START_TEST(overload_is_told)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--pool.queue_max=1", NULL};
    struct site site = site_open(knobs);
    struct flight *flight = flight_new(site.stage.harness->address);
    flight_render(flight, "{s:s}", "url", origin_url(site.stage.origin, "/gate?name=hold"));
    demand(origin_wait_gate(site.stage.origin, "hold", 1, SOON_MS), "the render does not start");
    flight_render(flight, "{s:s}", "url", origin_url(site.stage.origin, "/static?n=queued"));
    demand(harness_wait_load(site.stage.harness, 1, 1), "the second does not wait");
    struct client_reply reply = crawl(site.address, "/hello");
    expect_reply(&reply, 503, "queue_full");
    demand(strtoul(client_header(&reply, "Retry-After"), NULL, 10) >= 1, "no Retry-After");
    client_reply_free(&reply);
    origin_open_gate(site.stage.origin, "hold");
    demand(flight_wait_all(flight, SOON_MS), "the others are not answered");
    flight_free(flight);
    site_close(&site);
}
END_TEST

/* Straight to the daemon: what no middleware sends. */
START_TEST(requests_are_judged)
{
    struct stage stage = stage_open(NULL);
    const char *address = stage.harness->address;
    char path[512];
    struct client_reply reply;
    snprintf(path, sizeof path, "/%s", origin_url(stage.origin, "/static?n=head"));
    client_perform(address, &(struct client_request){.method = "HEAD", .path = path}, &reply);
    ck_assert_int_eq((int)reply.status, 200);
    ck_assert_uint_eq(reply.body_bytes, 0);
    demand(strtoul(client_header(&reply, "Content-Length"), NULL, 10) > 0, "no length");
    client_reply_free(&reply);
    client_perform(address, &(struct client_request){.path = path, .body = "{}"}, &reply);
    expect_problem(&reply, 405, "method_not_allowed", "GET");
    expect_header(&reply, "Allow", "GET, HEAD");
    client_reply_free(&reply);
    client_perform(address, &(struct client_request){.path = path, .headers = {"X-Prerender: 1"}},
                   &reply);
    expect_problem(&reply, 508, "loop_detected", "X-Prerender");
    client_reply_free(&reply);
    static const char *const wrong[] = {"/ftp://example.com/", "/foo", "/file:///etc/passwd",
                                        "/http://u:p@127.0.0.1/"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        client_perform(address, &(struct client_request){.path = wrong[i]}, &reply);
        expect_problem(&reply, 400, "invalid_url", "");
        client_reply_free(&reply);
    }
    snprintf(path, sizeof path, "/%s", origin_url(stage.origin, "/close"));
    client_perform(address, &(struct client_request){.path = path}, &reply);
    expect_problem(&reply, 504, "navigation_failed", "net::");
    demand(client_header(&reply, "X-Prerender-504-Reason") != NULL, "no reason");
    client_reply_free(&reply);
    client_perform(address, &(struct client_request){.path = "/metrics"}, &reply);
    expect_reply(&reply, 200, "prerenderd_http_requests_total{route=\"path mode\",code=\"508\"} 1");
    expect_reply(&reply, 200, "prerenderd_renders_total{outcome=\"failed\"} 1");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(tokens_are_asked_for)
{
    char path[256], file[256], knob[300];
    struct harness *harness = harness_new();
    struct origin *origin = origin_new();
    snprintf(file, sizeof file, "%s/tokens", harness->directory);
    snprintf(knob, sizeof knob, "--http.tokens_file=%s", file);
    FILE *stream = fopen(file, "w");
    demand(stream && fputs("render secret-of-the-site\n", stream) >= 0 && fclose(stream) == 0,
           "%s cannot be written", file);
    demand(chmod(file, 0600) == 0, "chmod: %s", strerror(errno));
    const char *const knobs[] = {knob, NULL};
    harness_start(harness, knobs);
    snprintf(path, sizeof path, "/%s", origin_url(origin, "/static?n=token"));
    struct client_reply reply;
    client_perform(harness->address, &(struct client_request){.path = path}, &reply);
    expect_problem(&reply, 401, "unauthorized", "token");
    client_reply_free(&reply);
    client_perform(harness->address,
                   &(struct client_request){.path = path,
                                            .headers = {"X-Prerender-Token: secret-of-the-site"}},
                   &reply);
    expect_reply(&reply, 200, "page token");
    client_reply_free(&reply);
    harness_free(harness);
    origin_free(origin);
}
END_TEST

/* As the service documents its set-up for nginx: crawlers are rewritten to the service,
 * which re-encodes the URL. */
static pid_t start_nginx(const struct site *site, unsigned port)
{
    const char *directory = site->stage.harness->directory;
    char path[256];
    snprintf(path, sizeof path, "%s/nginx.conf", directory);
    FILE *stream = fopen(path, "w");
    demand(stream != NULL, "%s cannot be written", path);
    fprintf(stream,
            "daemon off; master_process off; pid %s/nginx.pid; error_log %s/nginx.log;\n"
            "events {}\n"
            "http {\n"
            "  access_log off;\n"
            "  client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;\n"
            "  uwsgi_temp_path %s; scgi_temp_path %s;\n"
            "  server {\n"
            "    listen 127.0.0.1:%u;\n"
            "    location / {\n"
            "      set $prerender 0;\n"
            "      if ($http_user_agent ~* \"googlebot\") { set $prerender 1; }\n"
            "      if ($http_user_agent ~ \"Prerender\") { set $prerender 0; }\n"
            "      if ($http_x_prerender = \"1\") { set $prerender 0; }\n"
            "      proxy_set_header X-Prerender-Int-Type Nginx;\n"
            "      if ($prerender = 1) {\n"
            "        rewrite .* /$scheme://$http_host$request_uri? break;\n"
            "        proxy_pass %s;\n"
            "      }\n"
            "      proxy_pass %s;\n"
            "    }\n"
            "  }\n"
            "}\n",
            directory, directory, directory, directory, directory, directory, directory, port,
            site->stage.harness->address, site->address);
    demand(fclose(stream) == 0, "%s cannot be written", path);
    char *arguments[] = {(char *)"nginx",
                         (char *)"-e",
                         (char *)"stderr",
                         (char *)"-p",
                         (char *)directory,
                         (char *)"-c",
                         path,
                         NULL};
    return spawn(arguments, STDERR_FILENO);
}

static bool nginx_answers(void *address)
{
    struct client_reply reply;
    client_perform(address, &(struct client_request){.path = "/hello"}, &reply);
    bool answers = reply.status == 200;
    client_reply_free(&reply);
    return answers;
}

START_TEST(nginx_in_front)
{
    struct site site = site_open(NULL);
    char address[64];
    unsigned port = free_port();
    pid_t pid = start_nginx(&site, port);
    snprintf(address, sizeof address, "http://127.0.0.1:%u", port);
    demand(until(nginx_answers, address, SOON_MS), "nginx does not answer");
    struct client_reply reply = crawl(address, "/hello?x=1");
    expect_reply(&reply, 200, "built 1440x718 1");
    expect_header(&reply, "X-Prerenderd-URL-Decoding", "once");
    client_reply_free(&reply);
    reply = crawl(address, "/query?a=%2F&b=c%20d&%C3%A9=%253F");
    expect_reply(&reply, 200, "query /query?a=%2F&amp;b=c%20d&amp;%C3%A9=%253F");
    client_reply_free(&reply);
    reply = crawl(address, "/moved");
    expect_reply(&reply, 301, "");
    demand(strstr(client_header(&reply, "Location"), "/hello?from=moved") != NULL, "Location");
    client_reply_free(&reply);
    reply = crawl(address, "/missing");
    expect_reply(&reply, 404, "nothing here");
    client_reply_free(&reply);
    reply = crawl(address, "/text");
    expect_reply(&reply, 200, "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80");
    client_reply_free(&reply);
    end_process(pid);
    site_close(&site);
}
END_TEST

/* The status with which a public validator ends that reads this file. */
static int validate(const char *path)
{
    char script[PATH_MAX];
    int status;
    harness_find_above("tests/system/pages/validate.mjs", script);
    char *arguments[] = {(char *)"node", script, (char *)path, NULL};
    pid_t pid = spawn(arguments, STDERR_FILENO);
    demand(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "no validation");
    return WEXITSTATUS(status);
}

static void write_json(const char *path, const json_t *tree)
{
    demand(json_dump_file(tree, path, 0) == 0, "%s cannot be written", path);
}

START_TEST(openapi_is_valid)
{
    struct stage stage = stage_open(NULL);
    char path[256];
    snprintf(path, sizeof path, "%s/openapi.json", stage.harness->directory);
    json_t *tree = harness_get_json(stage.harness, "/openapi.json");
    write_json(path, tree);
    ck_assert_int_eq(validate(path), 0);
    (void)json_object_del(tree, "info");
    write_json(path, tree);
    ck_assert_int_eq(validate(path), 1);
    json_decref(tree);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("path mode");
    suite_add(suite, crawler_gets_the_page, 120);
    suite_add(suite, statuses_reach_the_crawler, 120);
    suite_add(suite, own_api_edits_documents, 120);
    suite_add(suite, metas_are_told, 120);
    suite_add(suite, queries_arrive_as_they_are, 120);
    suite_add(suite, text_survives, 120);
    suite_add(suite, overload_is_told, 120);
    suite_add(suite, requests_are_judged, 120);
    suite_add(suite, tokens_are_asked_for, 120);
    suite_add(suite, nginx_in_front, 120);
    suite_add(suite, openapi_is_valid, 120);
    return suite_run(suite, SUITE_FORKS);
}
