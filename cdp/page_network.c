/* page_network.c: the network side of a render in path mode.
 *
 * Most renders need no domain of the network. Path mode answers with the status and the
 * headers of the origin, marks its request to it, and hands redirects on instead of
 * following them; so the main document's requests and responses are paused, and only
 * those of documents, because each pause costs a round trip. A redirect is replaced by an
 * empty document: the machine then takes its usual way, and the page stays good. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* What follows the browser's own user agent. Loop guards in front of origins look for it. */
#define USER_AGENT_SUFFIX " Prerender (+https://github.com/prerender/prerender)"
/* The viewport that pages were made for which are rendered this way. */
#define PATH_MODE_WIDTH 1440
#define PATH_MODE_HEIGHT 718
/* Headers of an origin beyond this are left out. */
#define ORIGIN_HEADERS_MAX 128

static void call(struct page *page, uint64_t now_ms, const char *method, json_t *params)
{
    target_call(page->target, now_ms, method, params,
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

void page_network_start(struct page *page, uint64_t now_ms)
{
    assert(!page->render.has_network);
    if (!page->render.params->path_mode)
        return;
    page->render.has_network = true;
    call(page, now_ms, "Fetch.enable",
         json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "patterns", "urlPattern", "*",
                   "resourceType", "Document", "requestStage", "Request", "urlPattern", "*",
                   "resourceType", "Document", "requestStage", "Response"));
    page_override_viewport(
        page, now_ms,
        &(struct page_viewport){.width = PATH_MODE_WIDTH, .height = PATH_MODE_HEIGHT, .scale = 1});
}

void page_network_stop(struct page *page, uint64_t now_ms)
{
    if (!page->render.has_network)
        return;
    page->render.has_network = false;
    call(page, now_ms, "Fetch.disable", NULL);
    page_override_viewport(page, now_ms, &page_viewport_idle);
}

void page_network_clear(struct page *page)
{
    render_headers_free(page->render.origin.headers, page->render.origin.headers_count);
    memset(&page->render.origin, 0, sizeof page->render.origin);
}

/* Array of {name, value}, as requests and responses have them in Fetch. */
static json_t *header_json(const char *name, const char *value)
{
    return json_pack("{s:s, s:s}", "name", name, "value", value);
}

/* The headers of the request with the marks added. */
static json_t *marked_headers(const json_t *headers)
{
    json_t *list = json_array();
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        const char *text = json_string_value(value);
        char *agent = NULL;
        if (text == NULL || strcasecmp(name, "X-Prerender") == 0)
            continue;
        if (strcasecmp(name, "User-Agent") == 0 &&
            asprintf(&agent, "%s%s", text, USER_AGENT_SUFFIX) < 0)
            abort();
        (void)json_array_append_new(list, header_json(name, agent != NULL ? agent : text));
        free(agent);
    }
    (void)json_array_append_new(list, header_json("X-Prerender", "1"));
    return list;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Keeps what the origin answered until its document is committed. */
static void take_origin(struct page *page, const json_t *event, int status)
{
    const json_t *list = json_object_get(event, "responseHeaders");
    const char *loader = json_string_value(json_object_get(event, "networkId"));
    size_t count = json_array_size(list);
    struct page_origin *origin = &page->render.origin;

    page_network_clear(page);
    count = count < ORIGIN_HEADERS_MAX ? count : ORIGIN_HEADERS_MAX;
    origin->status = status;
    origin->headers = cdp_alloc((count + 1) * sizeof *origin->headers);
    if (loader != NULL)
        origin->loader =
            page_loader_number((struct cdp_span){(char *)(uintptr_t)loader, strlen(loader)});
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *value = json_string_value(json_object_get(row, "value"));
        if (name == NULL || value == NULL)
            continue;
        struct render_header *header = &origin->headers[origin->headers_count];
        header->name = strdup(name);
        header->value = strdup(value);
        if (header->name == NULL || header->value == NULL)
            abort();
        origin->headers_count++;
    }
}

/* An answer that is handed on without a document: an empty one takes its place. */
static void replace(struct page *page, uint64_t now_ms, const char *request)
{
    call(page, now_ms, "Fetch.fulfillRequest",
         json_pack("{s:s, s:i, s:[{s:s, s:s}], s:s}", "requestId", request, "responseCode", 200,
                   "responseHeaders", "name", "Content-Type", "value", "text/html", "body", ""));
}

static void on_response(struct page *page, uint64_t now_ms, const json_t *event,
                        const char *request, int status)
{
    take_origin(page, event, status);
    if (is_redirect(status) || status == 204 || status == 205)
        replace(page, now_ms, request);
    else
        call(page, now_ms, "Fetch.continueRequest", json_pack("{s:s}", "requestId", request));
}

static void on_request(struct page *page, uint64_t now_ms, const json_t *event, const char *request)
{
    const json_t *headers = json_object_get(json_object_get(event, "request"), "headers");

    call(page, now_ms, "Fetch.continueRequest",
         json_pack("{s:s, s:o}", "requestId", request, "headers", marked_headers(headers)));
}

/* A request that cannot be read is let through as it is. */
static void let_through(struct page *page, uint64_t now_ms, struct cdp_span body)
{
    char request[64];

    if (span_text(body, "requestId", request, sizeof request))
        call(page, now_ms, "Fetch.continueRequest", json_pack("{s:s}", "requestId", request));
}

void page_network_paused(struct page *page, uint64_t now_ms, struct cdp_span body)
{
    struct cdp_span frame;
    bool is_main =
        message_member(body, "frameId", &frame) && span_is(frame, page->target->target_id);
    json_t *event = is_main ? message_tree(body) : NULL;
    const char *request = json_string_value(json_object_get(event, "requestId"));
    const json_t *status = json_object_get(event, "responseStatusCode");

    if (request == NULL || json_object_get(event, "responseErrorReason") != NULL)
        let_through(page, now_ms, body);
    else if (status != NULL)
        on_response(page, now_ms, event, request, (int)json_integer_value(status));
    else
        on_request(page, now_ms, event, request);
    json_decref(event);
}

void page_network_committed(struct page *page)
{
    struct page_origin *origin = &page->render.origin;
    struct render_result *result = page->render.result;

    render_headers_free(result->headers, result->headers_count);
    result->headers = NULL;
    result->headers_count = 0;
    result->origin_status = 0;
    if (origin->status == 0 || (origin->loader != 0 && origin->loader != page->render.loader))
        return;
    result->origin_status = origin->status;
    result->headers = origin->headers;
    result->headers_count = origin->headers_count;
    memset(origin, 0, sizeof *origin);
}
