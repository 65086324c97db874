/* origin_routes.c: what the origin server answers, one function per path; see origin.h. */
#include "tests/system/origin_routes.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/system/client.h"
#include "tests/system/harness.h"
#include "tests/system/origin_pages.h"

#define BODY_BYTES 4096
/* Less than client_render() allows, so that the daemon's own answer comes first. */
#define NESTED_TIMEOUT_MS 50000

/* What a route works on. */
struct exchange {
    struct origin *origin;
    struct MHD_Connection *connection;
    const char *path;
};

static const char *query(const struct exchange *exchange, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
    return value == NULL ? "" : value;
}

static enum MHD_Result answer(const struct exchange *exchange, unsigned status, const char *type,
                              const char *header, const char *value, const char *body,
                              size_t body_bytes)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body_bytes, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    if (type != NULL) {
        MHD_add_response_header(response, "Content-Type", type);
    }
    if (header != NULL) {
        MHD_add_response_header(response, header, value);
    }
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_html(const struct exchange *exchange, unsigned status,
                                   const char *body)
{
    return answer(exchange, status, "text/html; charset=utf-8", NULL, NULL, body, strlen(body));
}

static enum MHD_Result answer_page(const struct exchange *exchange, unsigned status,
                                   const char *what, const char *name)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof(body),
             "<!DOCTYPE html><html><head><title>%s %s</title></head>"
             "<body><p id=\"text\">%s %s</p></body></html>",
             what, name, what, name);
    return answer_html(exchange, status, body);
}

static enum MHD_Result on_static(const struct exchange *exchange)
{
    return answer_page(exchange, 200, "page", query(exchange, "n"));
}

static enum MHD_Result on_cacheable(const struct exchange *exchange)
{
    static const char script[] = "document.body.append('cached')";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof script - 1, (void *)(uintptr_t)script, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "text/javascript");
    MHD_add_response_header(response, "Cache-Control", "max-age=1000");
    enum MHD_Result result = MHD_queue_response(exchange->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_gate(const struct exchange *exchange)
{
    origin_pass_gate(exchange->origin, query(exchange, "name"));
    return answer_page(exchange, 200, "page", query(exchange, "name"));
}

static enum MHD_Result on_gate_inside(const struct exchange *exchange)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof(body),
             "<!DOCTYPE html><title>Gate inside</title><body><script>\n"
             "fetch('/api/gate?name=%s').then((reply) => reply.json()).then((value) => {\n"
             "    document.body.append('passed ' + value.text);\n"
             "});\n</script>",
             query(exchange, "name"));
    return answer_html(exchange, 200, body);
}

static enum MHD_Result on_pinned(const struct exchange *exchange)
{
    static const char script[] =
        "<!DOCTYPE html><title>Pinned</title><body><p>tracking</p><script>\n"
        "const out = document.querySelector('p');\n"
        "const endless = () => { while (true) { out.textContent = Math.random(); } };\n"
        "const burn = () => {\n"
        "    for (let i = 0; i < 2e6; i++) { out.dataset.turn = i & 1; }\n"
        "    setTimeout(burn, 0);\n"
        "};\n"
        "addEventListener('load', () => { setTimeout(%s, 0); });\n</script>";
    char body[BODY_BYTES];
    if (origin_is_gate_open(exchange->origin, query(exchange, "gate"))) {
        return on_static(exchange);
    }
    bool is_odd = strtoul(query(exchange, "n"), NULL, 10) % 2 == 1;
    snprintf(body, sizeof(body), script, is_odd ? "burn" : "endless");
    return answer_html(exchange, 200, body);
}

static enum MHD_Result on_parent(const struct exchange *exchange)
{
    char path[256], url[300], wanted[256];
    const char *name = query(exchange, "n");
    snprintf(path, sizeof(path), "/static?n=%.200s", name);
    snprintf(wanted, sizeof(wanted), "page %.200s</p>", name);
    origin_write_url(exchange->origin, url, sizeof(url), path);
    struct client_reply reply;
    client_render(origin_renderer(exchange->origin), &reply, "{s:s, s:s, s:s, s:i}", "url", url,
                  "affinity", query(exchange, "affinity"), "lane", "nested", "timeoutMs",
                  NESTED_TIMEOUT_MS);
    const char *outcome = client_header(&reply, "X-Prerenderd-Outcome");
    bool is_right = reply.status == 200 && strstr(reply.body, wanted) != NULL && outcome != NULL &&
                    strcmp(outcome, "complete") == 0;
    if (!is_right) {
        fprintf(stderr, "origin: nested render of %s: status %ld %s %.300s\n", name, reply.status,
                reply.error, reply.body);
    }
    client_reply_free(&reply);
    return answer_page(exchange, 200, is_right ? "parent" : "orphaned", name);
}

static enum MHD_Result on_slow(const struct exchange *exchange)
{
    origin_hold(exchange->origin, strtoull(query(exchange, "ms"), NULL, 10));
    return answer_page(exchange, 200, "page", query(exchange, "n"));
}

static enum MHD_Result on_never(const struct exchange *exchange)
{
    origin_hold(exchange->origin, 24u * 3600u * 1000u);
    return MHD_NO;
}

static enum MHD_Result on_close(const struct exchange *exchange)
{
    (void)exchange;
    return MHD_NO;
}

static enum MHD_Result on_cookie(const struct exchange *exchange)
{
    const char *sent = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Cookie");
    const char *set = query(exchange, "set");
    char body[BODY_BYTES];
    snprintf(body, sizeof(body),
             "<!DOCTYPE html><title>Cookies</title><body><p>sent [%s]</p><script>\n"
             "document.body.append('own [' + document.cookie + ']');\n</script>",
             sent == NULL ? "" : sent);
    return answer(exchange, 200, "text/html; charset=utf-8", set[0] == '\0' ? NULL : "Set-Cookie",
                  set, body, strlen(body));
}

static enum MHD_Result on_storage(const struct exchange *exchange)
{
    const char *set = query(exchange, "set");
    char body[BODY_BYTES];
    snprintf(body, sizeof(body),
             "<!DOCTYPE html><title>Storage</title><body><script>\n"
             "if ('%s' !== '') { localStorage.setItem('test', '%s'); }\n"
             "document.body.append('stored [' + localStorage.getItem('test') + ']');\n</script>",
             set, set);
    return answer_html(exchange, 200, body);
}

static enum MHD_Result on_status(const struct exchange *exchange)
{
    const char *code = query(exchange, "code");
    return answer_page(exchange, (unsigned)strtoul(code, NULL, 10), "status", code);
}

static enum MHD_Result on_no_content(const struct exchange *exchange)
{
    return answer(exchange, 204, NULL, NULL, NULL, "", 0);
}

static enum MHD_Result redirect_to(const struct exchange *exchange, const char *target)
{
    return answer(exchange, 302, NULL, "Location", target, "", 0);
}

static enum MHD_Result on_redirect(const struct exchange *exchange)
{
    unsigned long left = strtoul(query(exchange, "n"), NULL, 10);
    char target[64] = "/static?n=redirected";
    if (left > 1) {
        snprintf(target, sizeof(target), "/redirect?n=%lu", left - 1);
    }
    return redirect_to(exchange, target);
}

static enum MHD_Result on_redirect_loop(const struct exchange *exchange)
{
    return redirect_to(exchange, "/redirect-loop");
}

static enum MHD_Result on_download(const struct exchange *exchange)
{
    const char *type = query(exchange, "type");
    return answer(exchange, 200, type[0] == '\0' ? "application/octet-stream" : type,
                  "Content-Disposition", "attachment; filename=\"x.bin\"", "bytes", 5);
}

/* A body of that type, which is none. */
static enum MHD_Result on_typed(const struct exchange *exchange)
{
    return answer(exchange, 200, query(exchange, "type"), NULL, NULL, "bytes", 5);
}

/* Bytes that no UTF-8 has: half of a surrogate pair, an encoding that is too long, a NUL. */
static enum MHD_Result on_odd_bytes(const struct exchange *exchange)
{
    static const char body[] = "<!DOCTYPE html><meta charset=utf-8><title>odd \xed\xa0\x80</title>"
                               "<p>half \xed\xa0\x80, long \xc0\xaf, nul \0end</p>";
    return answer(exchange, 200, "text/html; charset=utf-8", NULL, NULL, body, sizeof(body) - 1);
}

/* One event, and a stream that stays open. */
static ssize_t read_events(void *origin, uint64_t position, char *buffer, size_t bytes_max)
{
    static const char event[] = "data: first event\n\n";
    if (position > 0 || bytes_max < sizeof(event) - 1) {
        origin_hold(origin, 24u * 3600u * 1000u);
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    memcpy(buffer, event, sizeof(event) - 1);
    return sizeof(event) - 1;
}

static enum MHD_Result on_events(const struct exchange *exchange)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, 512, read_events, exchange->origin, NULL);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    enum MHD_Result result = MHD_queue_response(exchange->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static ssize_t read_half(void *owner, uint64_t position, char *buffer, size_t bytes_max)
{
    static const char half[] = "<!DOCTYPE html><p>half a document";
    (void)owner;
    if (position > 0 || bytes_max < sizeof(half) - 1) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    memcpy(buffer, half, sizeof(half) - 1);
    return sizeof(half) - 1;
}

/* The connection breaks before the end that was announced. */
static enum MHD_Result on_half(const struct exchange *exchange)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(1000, 512, read_half, NULL, NULL);
    MHD_add_response_header(response, "Content-Type", "text/html");
    enum MHD_Result result = MHD_queue_response(exchange->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* Leaves for /static after `ms` of real time, which only workers have, and of the page's. */
static enum MHD_Result on_leaves(const struct exchange *exchange)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof(body),
             "<!DOCTYPE html><title>leaving %s</title><p>leaving %s</p><script>\n"
             "const go = () => { location = '/static?n=%s'; };\n"
             "new Worker(URL.createObjectURL(new Blob(\n"
             "    ['setTimeout(() => postMessage(0), %s)']))).onmessage = go;\n"
             "setTimeout(go, %s);\n</script>",
             query(exchange, "ms"), query(exchange, "ms"), query(exchange, "ms"),
             query(exchange, "ms"), query(exchange, "ms"));
    return answer_html(exchange, 200, body);
}

/* Answers every page of its origin with a forged one. */
static enum MHD_Result on_worker_script(const struct exchange *exchange)
{
    static const char script[] =
        "oninstall = () => skipWaiting();\n"
        "onactivate = (event) => event.waitUntil(clients.claim());\n"
        "onfetch = (event) => event.respondWith(new Response('<p>forged',\n"
        "    {headers: {'Content-Type': 'text/html'}}));\n";
    return answer(exchange, 200, "text/javascript", NULL, NULL, script, sizeof(script) - 1);
}

static enum MHD_Result on_big(const struct exchange *exchange)
{
    size_t bytes = strtoull(query(exchange, "bytes"), NULL, 10);
    /* Hidden: laying out a paragraph of this size would take the browser many seconds. */
    static const char head[] =
        "<!DOCTYPE html><meta charset=utf-8><title>Big</title><body><p hidden>";
    static const char unit[] = "\xe2\x82\xac = 1.00 "; /* The euro sign: three bytes. */
    char *body = malloc(sizeof(head) + bytes + sizeof(unit));
    demand(body != NULL, "no memory for a big page");
    size_t length = sizeof(head) - 1;
    memcpy(body, head, length);
    while (length < sizeof(head) - 1 + bytes) {
        memcpy(body + length, unit, sizeof(unit) - 1);
        length += sizeof(unit) - 1;
    }
    enum MHD_Result result =
        answer(exchange, 200, "text/html; charset=utf-8", NULL, NULL, body, length);
    free(body);
    return result;
}

static enum MHD_Result answer_json(const struct exchange *exchange, const char *text)
{
    return answer(exchange, 200, "application/json", NULL, NULL, text, strlen(text));
}

static enum MHD_Result on_items(const struct exchange *exchange)
{
    origin_hold(exchange->origin, 20);
    return answer_json(exchange, "{\"items\":[{\"id\":1,\"name\":\"apples\"},"
                                 "{\"id\":2,\"name\":\"pears\"},{\"id\":3,\"name\":\"plums\"}]}");
}

static enum MHD_Result on_detail(const struct exchange *exchange)
{
    origin_hold(exchange->origin, 20);
    char body[BODY_BYTES];
    snprintf(body, sizeof(body), "{\"text\":\"detail %s\"}", query(exchange, "id"));
    return answer_json(exchange, body);
}

static enum MHD_Result on_api_slow(const struct exchange *exchange)
{
    origin_hold(exchange->origin, strtoull(query(exchange, "ms"), NULL, 10));
    return answer_json(exchange, "{\"text\":\"done\"}");
}

static enum MHD_Result on_api_gate(const struct exchange *exchange)
{
    origin_pass_gate(exchange->origin, query(exchange, "name"));
    char body[BODY_BYTES];
    snprintf(body, sizeof(body), "{\"text\":\"%s\"}", query(exchange, "name"));
    return answer_json(exchange, body);
}

static const char *type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot != NULL && strcmp(dot, ".js") == 0) {
        return "text/javascript; charset=utf-8";
    }
    return "text/html; charset=utf-8";
}

static enum MHD_Result answer_file(const struct exchange *exchange, const char *folder,
                                   const char *name)
{
    char found[PATH_MAX], path[PATH_MAX + 512];
    harness_find_above(folder, found);
    snprintf(path, sizeof(path), "%s/%.256s", found, name);
    struct stat status;
    int fd = strstr(name, "..") != NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        fprintf(stderr, "origin: %s is missing; run tests/system/pages/install.sh\n", path);
        return answer_page(exchange, 404, "missing", name);
    }
    struct MHD_Response *response =
        MHD_create_response_from_fd64((uint64_t)status.st_size, fd); /* Takes fd. */
    MHD_add_response_header(response, "Content-Type", type_of(path));
    enum MHD_Result result = MHD_queue_response(exchange->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_app(const struct exchange *exchange)
{
    return answer_file(exchange, "tests/system/pages", "app.html");
}

static const struct {
    const char *path;
    enum MHD_Result (*handle)(const struct exchange *);
} routes[] = {
    {"/static", on_static},     {"/app", on_app},
    {"/cookie", on_cookie},     {"/storage", on_storage},
    {"/gate", on_gate},         {"/gate-inside", on_gate_inside},
    {"/pinned", on_pinned},     {"/parent", on_parent},
    {"/slow", on_slow},         {"/cacheable", on_cacheable},
    {"/never", on_never},       {"/close", on_close},
    {"/status", on_status},     {"/204", on_no_content},
    {"/redirect", on_redirect}, {"/redirect-loop", on_redirect_loop},
    {"/typed", on_typed},       {"/half", on_half},
    {"/leaves", on_leaves},     {"/sw.js", on_worker_script},
    {"/download", on_download}, {"/big", on_big},
    {"/events", on_events},     {"/odd-bytes", on_odd_bytes},
    {"/api/items", on_items},   {"/api/detail", on_detail},
    {"/api/slow", on_api_slow}, {"/api/gate", on_api_gate},
};

enum MHD_Result origin_answer(void *origin, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **own)
{
    (void)method;
    (void)version;
    (void)upload;
    if (*upload_bytes != 0) { /* A part of a body; the call after the last one answers. */
        *upload_bytes = 0;
        return MHD_YES;
    }
    /* The log callback has set it. An answer in the first call would end the connection. */
    if (*own != NULL) {
        *own = NULL;
        return MHD_YES;
    }
    const struct exchange exchange = {origin, connection, path};
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(path, routes[i].path) == 0) {
            return routes[i].handle(&exchange);
        }
    }
    if (strncmp(path, "/npm/", 5) == 0) {
        return answer_file(&exchange, "tests/system/pages/node_modules", path + 5);
    }
    if (strncmp(path, "/pages/", 7) == 0) {
        return answer_file(&exchange, "tests/system/pages", path + 7);
    }
    if (strncmp(path, "/recipe/", 8) == 0) {
        return answer_file(&exchange, "config/recipe-example", path + 8);
    }
    const char *fixed = origin_fixed_page(path);
    return fixed != NULL ? answer_html(&exchange, 200, fixed)
                         : answer_page(&exchange, 404, "no page", "");
}
