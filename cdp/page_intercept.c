/* page_intercept.c: which requests of a page are paused, and what becomes of each.
 *
 * One domain, Fetch, does what a render asks of its requests: headers, method and body,
 * blocking, rewriting. While it is on, every subresource costs about a millisecond,
 * whatever the patterns, and each match a round trip; so the patterns are as narrow as
 * what is asked. What is changed of a request does not extend to where it is redirected:
 * every hop is paused anew and judged by its own URL, so no header reaches another origin
 * that way. Chromium pauses neither WebSockets nor what workers of a service ask for. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cdp/base64.h"
#include "cdp/glob.h"
#include "cdp/page.h"
#include "cdp/target.h"

/* What follows the browser's own user agent. Loop guards in front of origins look for it. */
#define USER_AGENT_SUFFIX " Prerender (+https://github.com/prerender/prerender)"
#define CONTENT_TYPE "application/x-www-form-urlencoded"

/* Chromium's names; an EventSource is an XHR to it, and so is fetch(). */
static const char *const type_names[RESOURCE_TYPES] = {
    [RESOURCE_IMAGE] = "Image",     [RESOURCE_STYLESHEET] = "Stylesheet",
    [RESOURCE_FONT] = "Font",       [RESOURCE_MEDIA] = "Media",
    [RESOURCE_SCRIPT] = "Script",   [RESOURCE_XHR] = "XHR",
    [RESOURCE_EVENTSOURCE] = "XHR", [RESOURCE_FRAME] = "Document",
    [RESOURCE_PREFETCH] = "Fetch",  [RESOURCE_PING] = "Ping",
    [RESOURCE_OTHER] = "Other",
};

/* A request that is being let go. */
struct outgoing {
    const char *url;        /* Where it really goes. */
    char *rewritten;        /* Owned; NULL: it goes where the page wants. */
    json_t *headers;        /* Owned object; NULL: not changed. */
    const json_t *original; /* The headers as they were. */
};

bool intercept_wants_origin(const struct render_params *params)
{
    return params->path_mode || !params->network.follow_redirects;
}

static void add_pattern(json_t *list, const char *url, const char *type, const char *stage)
{
    json_t *pattern = json_pack("{s:s, s:s}", "urlPattern", url, "requestStage", stage);

    if (type != NULL)
        (void)json_object_set_new(pattern, "resourceType", json_string(type));
    (void)json_array_append_new(list, pattern);
}

/* A pattern of ours as Chromium's, where `?` is a wildcard and `\` escapes. */
static void add_glob(json_t *list, const char *glob)
{
    char *escaped = malloc(2 * strlen(glob) + 1), *to = escaped;

    if (escaped == NULL)
        abort();
    for (; *glob != '\0'; glob++) {
        if (*glob == '?' || *glob == '\\')
            *to++ = '\\';
        *to++ = *glob;
    }
    *to = '\0';
    add_pattern(list, escaped, NULL, "Request");
    free(escaped);
}

static bool wants_all(const struct render_params *params)
{
    const struct page_params *page = &params->page;

    return params->network.allow_urls.count > 0 || page->username != NULL ||
           (page->headers.count > 0 && page->headers_scope != HEADERS_DOCUMENT);
}

static bool wants_documents(const struct render_params *params)
{
    return intercept_wants_origin(params) || page_html_has_base(params) ||
           params->method != METHOD_GET || params->page.headers.count > 0;
}

json_t *intercept_patterns(const struct render_params *params)
{
    const struct network_params *network = &params->network;
    const struct param_rewrite *rewrites = network->rewrites.items;
    json_t *list = json_array();

    if (wants_all(params))
        add_pattern(list, "*", NULL, "Request");
    else if (wants_documents(params))
        add_pattern(list, "*", "Document", "Request");
    if (intercept_wants_origin(params))
        add_pattern(list, "*", "Document", "Response");
    for (unsigned type = 0; type < RESOURCE_TYPES; type++) {
        if ((network->block_types >> type & 1) != 0)
            add_pattern(list, "*", type_names[type], "Request");
    }
    for (size_t i = 0; i < network->block_urls.count; i++)
        add_glob(list, network->block_urls.items[i]);
    for (size_t i = 0; i < network->rewrites.count; i++)
        add_glob(list, rewrites[i].from);
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

bool intercept_is_main(const struct page *page, const json_t *event)
{
    return strcmp(text_of(event, "frameId"), page->target->target_id) == 0 &&
           strcmp(text_of(event, "resourceType"), "Document") == 0;
}

static enum resource_type type_of(const json_t *event)
{
    const json_t *headers = json_object_get(json_object_get(event, "request"), "headers");
    const char *name = text_of(event, "resourceType");
    enum resource_type type = 0;

    if (strcmp(text_of(headers, "Accept"), "text/event-stream") == 0)
        return RESOURCE_EVENTSOURCE;
    while (type < RESOURCE_OTHER && strcmp(type_names[type], name) != 0)
        type++;
    return type;
}

static bool matches_any(const struct param_strings *patterns, const char *url)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (glob_matches(patterns->items[i], url))
            return true;
    }
    return false;
}

static bool is_blocked(const struct network_params *network, const json_t *event, const char *url)
{
    return (network->block_types >> type_of(event) & 1) != 0 ||
           matches_any(&network->block_urls, url) ||
           (network->allow_urls.count > 0 && !matches_any(&network->allow_urls, url));
}

/* scheme://host:port of a URL that Chromium has written. */
static size_t origin_bytes(const char *url)
{
    const char *authority = strstr(url, "://");

    if (authority == NULL)
        return strlen(url);
    authority += 3;
    return (size_t)(authority - url) + strcspn(authority, "/?#");
}

/* The first document that is asked for has the origin of the URL, in the spelling that all
 * others have too. */
static void note_origin(struct page *page, const char *url)
{
    if (page->render.own_origin == NULL)
        page->render.own_origin = strndup(url, origin_bytes(url));
}

static bool is_own_origin(const struct page *page, const char *url)
{
    const char *own = page->render.own_origin;

    return own != NULL && strlen(own) == origin_bytes(url) && strncmp(own, url, strlen(own)) == 0;
}

/* In place of the one of that name, in any case. */
static void set_header(struct outgoing *outgoing, const char *name, const char *value)
{
    const char *key;
    json_t *old;
    void *next;

    if (outgoing->headers == NULL)
        outgoing->headers = json_copy((json_t *)(uintptr_t)outgoing->original);
    json_object_foreach_safe(outgoing->headers, next, key, old)
    {
        if (strcasecmp(key, name) == 0)
            (void)json_object_del(outgoing->headers, key);
    }
    (void)json_object_set_new(outgoing->headers, name, json_string(value));
}

static void set_marks(struct outgoing *outgoing)
{
    char *agent = NULL;

    if (asprintf(&agent, "%s%s", text_of(outgoing->original, "User-Agent"), USER_AGENT_SUFFIX) < 0)
        abort();
    set_header(outgoing, "User-Agent", agent);
    set_header(outgoing, "X-Prerender", "1");
    free(agent);
}

static void set_authorization(struct outgoing *outgoing, const struct page_params *params)
{
    char *pair = NULL, *value = NULL;
    int bytes = asprintf(&pair, "%s:%s", params->username,
                         params->password != NULL ? params->password : "");
    char *digits = bytes >= 0 ? base64_encode(pair, (size_t)bytes) : NULL;

    if (digits == NULL || asprintf(&value, "Basic %s", digits) < 0)
        abort();
    set_header(outgoing, "Authorization", value);
    free(value);
    free(digits);
    free(pair);
}

static void set_headers(struct outgoing *outgoing, const struct page *page, bool is_main)
{
    const struct page_params *params = &page->render.params->page;
    const struct param_pair *pairs = params->headers.items;
    bool is_own = is_own_origin(page, outgoing->url);
    bool is_in_scope = params->headers_scope == HEADERS_ALL ||
                       (is_own && (is_main || params->headers_scope == HEADERS_ORIGIN));

    for (size_t i = 0; is_in_scope && i < params->headers.count; i++)
        set_header(outgoing, pairs[i].name, pairs[i].value);
    if (is_own && params->username != NULL)
        set_authorization(outgoing, params);
    if (is_main && page->render.params->path_mode)
        set_marks(outgoing);
}

/* Of the request that Page.navigate makes. What it is redirected to goes by the rules of
 * HTTP: where they keep the method, Chromium has kept the body, too. */
static void set_method(struct outgoing *outgoing, const struct render_params *params,
                       const json_t *event, json_t *command)
{
    const char *method = param_find("method")->choices[params->method];
    const char *type = params->content_type != NULL ? params->content_type : CONTENT_TYPE;
    bool is_redirected = json_object_get(event, "redirectedRequestId") != NULL;

    if (is_redirected && strcmp(text_of(json_object_get(event, "request"), "method"), method) != 0)
        return;
    if (params->body != NULL)
        set_header(outgoing, "Content-Type", type);
    if (is_redirected)
        return;
    (void)json_object_set_new(command, "method", json_string(method));
    if (params->body != NULL) {
        char *digits = base64_encode(params->body, params->body_bytes);
        (void)json_object_set_new(command, "postData", json_string(digits != NULL ? digits : ""));
        free(digits);
    }
}

/* The first rewrite that matches. */
static void rewrite(struct outgoing *outgoing, const struct param_records *rewrites)
{
    const struct param_rewrite *items = rewrites->items;
    struct glob_match match;

    for (size_t i = 0; i < rewrites->count; i++) {
        if (!glob_match(items[i].from, outgoing->url, &match))
            continue;
        outgoing->rewritten = glob_fill(items[i].to, &match);
        if (outgoing->rewritten == NULL)
            abort();
        outgoing->url = outgoing->rewritten;
        return;
    }
}

static json_t *header_list(const json_t *headers)
{
    json_t *list = json_array(), *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        (void)json_array_append_new(list, json_pack("{s:s, s:O}", "name", name, "value", value));
    }
    return list;
}

static void call(struct page *page, uint64_t now_ms, const char *method, json_t *params)
{
    target_call(page->target, now_ms, method, params,
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

static void fail(struct page *page, uint64_t now_ms, const char *request)
{
    call(page, now_ms, "Fetch.failRequest",
         json_pack("{s:s, s:s}", "requestId", request, "errorReason", "BlockedByClient"));
}

static void let_go(struct page *page, uint64_t now_ms, const json_t *event,
                   struct outgoing *outgoing, bool is_main)
{
    const struct render_params *params = page->render.params;
    json_t *command = json_pack("{s:s}", "requestId", text_of(event, "requestId"));

    if (outgoing->rewritten != NULL)
        (void)json_object_set_new(command, "url", json_string(outgoing->rewritten));
    if (is_main && params->method != METHOD_GET && page->render.machine.state == RENDER_NAVIGATING)
        set_method(outgoing, params, event, command);
    set_headers(outgoing, page, is_main);
    if (outgoing->headers != NULL)
        (void)json_object_set_new(command, "headers", header_list(outgoing->headers));
    call(page, now_ms, "Fetch.continueRequest", command);
}

void intercept_request(struct page *page, uint64_t now_ms, const json_t *event)
{
    const struct network_params *network = &page->render.params->network;
    const json_t *request = json_object_get(event, "request");
    const char *id = text_of(event, "requestId"), *url = text_of(request, "url");
    bool is_main = intercept_is_main(page, event);
    struct outgoing outgoing = {.url = url, .original = json_object_get(request, "headers")};

    assert(id[0] != '\0');
    if (is_main)
        note_origin(page, url);
    if (is_main && page_html_answer(page, now_ms, id))
        return;
    if (!is_main && is_blocked(network, event, url)) {
        fail(page, now_ms, id);
        return;
    }
    rewrite(&outgoing, &network->rewrites);
    if (outgoing.rewritten != NULL &&
        url_is_denied(page->life->cdp, outgoing.url, strlen(outgoing.url)))
        fail(page, now_ms, id);
    else
        let_go(page, now_ms, event, &outgoing, is_main);
    json_decref(outgoing.headers);
    free(outgoing.rewritten);
}
