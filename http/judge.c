/* judge.c: the order in which a head is judged; see judge.h.
 *
 * First what could make the rest mean something else (framing, size), then who calls
 * from where, then what is asked for, with what right, and in which form. */
#include "http/judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "http/accept.h"
#include "http/dialect.h"
#include "http/fields.h"
#include "http/form.h"
#include "http/guard.h"
#include "http/outputs.h"
#include "http/path_url.h"
#include "http/routes.h"
#include "http/text.h"

/* Besides the URL, percent-encoded threefold, a target has room for the other parameters:
 * the longest is the key of an affinity. */
#define TARGET_REST_BYTES (3 * AFFINITY_KEY_BYTES_MAX + 1024)

static bool size_check(const struct head *head, const struct config *config, struct fault *fault)
{
    size_t target_max = 3 * (size_t)config->http.url_bytes_max + TARGET_REST_BYTES;
    size_t target_bytes = strlen(head->target);
    if (target_bytes > target_max)
        return fault_set(fault, HTTP_URL_TOO_LONG, NULL,
                         "The request target is %zu bytes long; at most %zu are accepted. POST "
                         "/render takes the URL in its body.",
                         target_bytes, target_max);
    if (head->head_bytes > HTTP_HEAD_BYTES_MAX)
        return fault_set(fault, HTTP_HEADERS_TOO_LARGE, NULL,
                         "The head of the request is %zu bytes long; at most %d are accepted.",
                         head->head_bytes, HTTP_HEAD_BYTES_MAX);
    return true;
}

static bool body_check(const struct head *head, const struct config *config, struct fault *fault)
{
    if (head->content_encoding)
        return fault_set(fault, HTTP_UNSUPPORTED_ENCODING, "Content-Encoding",
                         "The body must not be compressed; send it without Content-Encoding.");
    if (!head->content_length)
        return true;
    uintmax_t bytes = strtoumax(head->content_length, NULL, 10);
    if (bytes > config->http.body_bytes_max)
        return fault_set(fault, HTTP_BODY_TOO_LARGE, "Content-Length",
                         "The body is %ju bytes long; at most %" PRIu64
                         " are accepted (knob http.body_bytes_max).",
                         bytes, config->http.body_bytes_max);
    return true;
}

static bool is_post(const struct head *head)
{
    return strcmp(head->method, "POST") == 0;
}

static bool render_query(const struct head *head, const struct config *config, const char *query,
                         struct http_request *ret, struct fault *fault)
{
    if (is_post(head))
        return form_parse_none(query, "POST /render takes its parameters in the body and", fault);
    return form_parse_render(config, query, &ret->params, fault);
}

static bool delete_query(const struct route_target *target, struct http_request *ret,
                         struct fault *fault)
{
    return route_key(target, ret->key, &ret->key_bytes, fault) &&
           form_parse_delete(target->query, &ret->retain, &ret->wait, fault);
}

static bool query_check(const struct head *head, const struct config *config,
                        const struct route_target *target, struct http_request *ret,
                        struct fault *fault)
{
    switch (ret->route) {
    case HTTP_RENDER:
        return render_query(head, config, target->query, ret, fault);
    case HTTP_AFFINITY_DELETE:
        return delete_query(target, ret, fault);
    case HTTP_HEARTBEAT:
    case HTTP_AFFINITIES:
    case HTTP_HEALTHZ:
    case HTTP_READYZ:
    case HTTP_VERSION:
    case HTTP_METRICS:
    case HTTP_OPENAPI:
    case HTTP_VISIT:
    case HTTP_MODULE:
    case HTTP_COMMAND:
    case HTTP_SCREENSHOT:
    case HTTP_RELEASE_BATCH:
        return form_parse_none(target->query, target->row->path, fault);
    case HTTP_INDEX:
        ret->wants_html = accept_prefers_html(head->accept);
        return form_parse_none(target->query, target->row->path, fault);
    case HTTP_ROUTE_NONE:
    case HTTP_PATH_MODE:
    case HTTP_ROUTES:
        break;
    }
    abort(); /* Every row of the table has one of the routes above. */
}

/* The parameters of a GET are there already; those of a POST are settled with its body. */
static bool answer_check(const struct head *head, struct http_request *ret, struct fault *fault)
{
    if (ret->route != HTTP_RENDER || is_post(head) || outputs_settle(ret, fault))
        return true;
    render_params_free(&ret->params);
    return false;
}

/* A crawler does not wait longer, and the middleware in front gives up first. */
#define PATH_MODE_TIMEOUT_MS 20000

static bool is_read(const struct head *head)
{
    return strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
}

/* The path is a URL. */
static bool path_mode_check(const struct head *head, const struct config *config,
                            const struct tokens *tokens, struct http_request *ret,
                            struct fault *fault)
{
    ret->route = HTTP_PATH_MODE;
    if (!is_read(head)) {
        fault->allow = "GET, HEAD";
        return fault_set(fault, HTTP_METHOD_NOT_ALLOWED, NULL,
                         "A path that is a URL is read with GET or HEAD; POST /render takes a URL "
                         "in its body.");
    }
    if (head->prerender)
        return fault_set(fault, HTTP_LOOP_DETECTED, "X-Prerender",
                         "The request carries X-Prerender, which this service sends itself: it "
                         "would render its own request.");
    if (!guard_token(head, tokens, TOKEN_RENDER, fault) || !body_check(head, config, fault))
        return false;
    char *url =
        path_url_find(head->target, head->prerender_int_type, config->prerender_io.url_decoding,
                      config->http.url_bytes_max, &ret->url_decoded, fault);
    if (!url)
        return false;
    fields_init(config, &ret->params);
    ret->params.url = url;
    ret->params.path_mode = true;
    ret->params.strip_scripts = true;
    ret->params.meta_status = true;
    if (ret->params.timeout_ms > PATH_MODE_TIMEOUT_MS)
        ret->params.timeout_ms = PATH_MODE_TIMEOUT_MS;
    return true;
}

/* Where a list says who is the manager, no token is needed to be it. */
static bool caller_check(const struct head *head, const struct config *config,
                         const struct tokens *tokens, const struct route_row *row,
                         struct fault *fault)
{
    bool managers = dialect_has(row->route) || row->route == HTTP_AFFINITY_DELETE ||
                    row->route == HTTP_HEARTBEAT;
    if (managers && head->tcp && config->manager.allow_from[0] != '\0')
        return guard_manager(head, config, fault);
    return guard_token(head, tokens, row->scope, fault);
}

bool judge_head(const struct head *head, const struct config *config, const struct tokens *tokens,
                struct http_request *ret, struct fault *fault)
{
    assert(head->method && head->target && head->version);
    assert(!fault_is_set(fault));
    struct route_target target;
    ret->head = strcmp(head->method, "HEAD") == 0;
    if (!guard_framing(head, fault) || !size_check(head, config, fault) ||
        !guard_host(head, config, fault) || !guard_origin(head, config, fault))
        return false;
    ret->forms = outputs_forms(head->accept);
    ret->gzip = head->accept_encoding && accept_lists_gzip(head->accept_encoding);
    if (path_url_is_one(head->target))
        return path_mode_check(head, config, tokens, ret, fault);
    bool found = route_find(head->method, head->target, &target, fault);
    assert(!found || target.row);
    ret->route = target.row ? target.row->route : HTTP_ROUTE_NONE;
    /* Middleware passes 404 on to a crawler, which then forgets the page. */
    if (!found && fault->code == HTTP_NOT_FOUND && is_read(head))
        fault->code = HTTP_INVALID_URL;
    return found && caller_check(head, config, tokens, target.row, fault) &&
           body_check(head, config, fault) && query_check(head, config, &target, ret, fault) &&
           answer_check(head, ret, fault);
}

bool judge_wants_body(const struct head *head, const struct http_request *request)
{
    return (request->route == HTTP_RENDER || dialect_has(request->route)) && is_post(head);
}

static bool request_id_is_valid(const char *id)
{
    static const char valid[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
    size_t length = strlen(id);
    return length >= 1 && length <= REQUEST_ID_BYTES_MAX && strspn(id, valid) == length;
}

void judge_request_id(const char *theirs, char ret[REQUEST_ID_BYTES_MAX + 1])
{
    if (theirs && request_id_is_valid(theirs)) {
        snprintf(ret, REQUEST_ID_BYTES_MAX + 1, "%s", theirs);
        return;
    }
    unsigned char b[16];
    ssize_t got = getrandom(b, sizeof(b), 0);
    assert(got == (ssize_t)sizeof(b)); /* Up to 256 bytes are never cut short. */
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(ret, REQUEST_ID_BYTES_MAX + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
