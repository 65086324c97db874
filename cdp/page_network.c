/* page_network.c: the network side of a render: what is paused, and what the origin answered.
 *
 * Most renders need no domain of the network. What asks for one is decided by
 * page_intercept.c. Path mode, and a render that does not follow redirects, want the
 * answer of the origin: the main document's responses are paused for its headers, and a
 * redirect is replaced by an empty document: the machine then takes its usual way, and
 * the page stays good. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cdp/page.h"
#include "cdp/target.h"

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

/* Passing service workers by needs the domain, which costs about a millisecond for each
 * subresource: so only in a context that has any. One that a page has just registered is
 * known before it can be active. */
static void pass_by_workers(struct page *page, uint64_t now_ms)
{
    if (page->render.has_bypass || !page->context->has_workers ||
        page->render.params->network.service_workers == SERVICE_WORKERS_ALLOW)
        return;
    page->render.has_bypass = true;
    call(page, now_ms, "Network.enable", NULL);
    call(page, now_ms, "Network.setBypassServiceWorker", json_pack("{s:b}", "bypass", 1));
}

void page_network_worker(struct page *page, uint64_t now_ms)
{
    if (page->state == PAGE_RENDERING)
        pass_by_workers(page, now_ms);
}

void page_network_start(struct page *page, uint64_t now_ms)
{
    const struct render_params *params = page->render.params;
    json_t *patterns = intercept_patterns(params);

    assert(!page->render.has_network);
    pass_by_workers(page, now_ms);
    if (patterns == NULL)
        return;
    page->render.has_network = true;
    call(page, now_ms, "Fetch.enable", json_pack("{s:o}", "patterns", patterns));
    page->render.has_viewport = params->path_mode;
    if (params->path_mode)
        page_override_viewport(page->target, now_ms,
                               &(struct page_viewport){.width = PATH_MODE_WIDTH,
                                                       .height = PATH_MODE_HEIGHT,
                                                       .scale = 1});
}

void page_network_stop(struct page *page, uint64_t now_ms)
{
    if (page->render.has_bypass) {
        call(page, now_ms, "Network.setBypassServiceWorker", json_pack("{s:b}", "bypass", 0));
        call(page, now_ms, "Network.disable", NULL);
    }
    page->render.has_bypass = false;
    if (!page->render.has_network)
        return;
    page->render.has_network = false;
    call(page, now_ms, "Fetch.disable", NULL);
    if (page->render.has_viewport)
        page_override_viewport(page->target, now_ms, &page_viewport_idle);
}

void page_network_clear(struct page *page)
{
    render_headers_free(page->render.origin.headers, page->render.origin.headers_count);
    memset(&page->render.origin, 0, sizeof page->render.origin);
}

void page_network_free(struct page *page)
{
    page_network_clear(page);
    free(page->render.own_origin);
    page->render.own_origin = NULL;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void begin_origin(struct page *page, uint64_t loader, int status)
{
    struct page_origin *origin = &page->render.origin;

    page_network_clear(page);
    origin->loader = loader;
    origin->status = status;
    origin->headers = cdp_alloc(ORIGIN_HEADERS_MAX * sizeof *origin->headers);
}

static void add_header(struct page_origin *origin, const char *name, const char *value)
{
    struct render_header *header = &origin->headers[origin->headers_count];

    if (origin->headers_count == ORIGIN_HEADERS_MAX)
        return;
    header->name = strdup(name);
    header->value = strdup(value);
    if (header->name == NULL || header->value == NULL)
        abort();
    origin->headers_count++;
}

/* Keeps what the origin answered until its document is committed. */
static void take_origin(struct page *page, const json_t *event, int status)
{
    const json_t *list = json_object_get(event, "responseHeaders");
    const char *loader = json_string_value(json_object_get(event, "networkId"));
    struct cdp_span id = {(char *)(uintptr_t)loader, loader != NULL ? strlen(loader) : 0};
    size_t index;
    const json_t *row;

    begin_origin(page, page_loader_number(id), status);
    json_array_foreach(list, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *value = json_string_value(json_object_get(row, "value"));
        if (name != NULL && value != NULL)
            add_header(&page->render.origin, name, value);
    }
}

void page_network_answered(struct page *page, struct cdp_span response, uint64_t loader, int status)
{
    const struct render_params *params = page->render.params;
    struct cdp_span span;
    const char *name;
    json_t *value;

    if (intercept_wants_origin(params) || params->html != NULL ||
        !message_member(response, "headers", &span))
        return;
    begin_origin(page, loader, status);
    message_repair(span);
    json_t *headers = message_tree(span);
    json_object_foreach(headers, name, value)
    {
        /* Of headers that came more than once the values are lines. */
        char *lines = strdup(json_is_string(value) ? json_string_value(value) : ""), *rest = lines;
        if (lines == NULL)
            abort();
        while (rest != NULL)
            add_header(&page->render.origin, name, strsep(&rest, "\n"));
        free(lines);
    }
    json_decref(headers);
}

/* An answer that is handed on without a document: an empty one takes its place. */
static void replace(struct page *page, uint64_t now_ms, const char *request)
{
    call(page, now_ms, "Fetch.fulfillRequest",
         json_pack("{s:s, s:i, s:[{s:s, s:s}], s:s}", "requestId", request, "responseCode", 200,
                   "responseHeaders", "name", "Content-Type", "value", "text/html", "body", ""));
}

static bool is_replaced(const struct render_params *params, int status)
{
    return is_redirect(status) || (params->path_mode && (status == 204 || status == 205));
}

static void on_response(struct page *page, uint64_t now_ms, const json_t *event,
                        const char *request)
{
    const json_t *value = json_object_get(event, "responseStatusCode");
    int status = (int)json_integer_value(value);
    bool is_answer = value != NULL && intercept_is_main(page, event);

    if (is_answer)
        take_origin(page, event, status);
    if (is_answer && is_replaced(page->render.params, status))
        replace(page, now_ms, request);
    else
        call(page, now_ms, "Fetch.continueRequest", json_pack("{s:s}", "requestId", request));
}

void page_network_paused(struct page *page, uint64_t now_ms, struct cdp_span body)
{
    json_t *event = message_tree(body);
    const char *request = json_string_value(json_object_get(event, "requestId"));
    bool is_response = json_object_get(event, "responseStatusCode") != NULL ||
                       json_object_get(event, "responseErrorReason") != NULL;

    if (request != NULL && is_response)
        on_response(page, now_ms, event, request);
    else if (request != NULL)
        intercept_request(page, now_ms, event);
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
