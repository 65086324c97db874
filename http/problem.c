/* problem.c: the table of error codes, and the document of one error. */
#include "http/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "http/text.h"

struct problem_row {
    int status;
    const char *name;
    const char *title;
};

static const struct problem_row rows[HTTP_CODES] = {
    [HTTP_BAD_JSON] = {400, "bad_json", "The body is not a valid JSON object"},
    [HTTP_UNKNOWN_PARAM] = {400, "unknown_param", "There is no such parameter"},
    [HTTP_INVALID_PARAM] = {400, "invalid_param", "A parameter has an invalid value"},
    [HTTP_INVALID_URL] = {400, "invalid_url", "The URL cannot be rendered"},
    [HTTP_UNAUTHORIZED] = {401, "unauthorized", "A valid token is needed"},
    [HTTP_URL_DENIED] = {403, "url_denied", "This URL may not be rendered"},
    [HTTP_CROSS_ORIGIN] = {403, "cross_origin", "Web pages may not call this server"},
    [HTTP_HOST_DENIED] = {403, "host_denied", "This server does not answer to that host name"},
    [HTTP_NOT_FOUND] = {404, "not_found", "There is no such route"},
    [HTTP_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "The route has no such method"},
    [HTTP_NOT_ACCEPTABLE] = {406, "not_acceptable", "No acceptable form of the answer exists"},
    [HTTP_REQUEST_TIMEOUT] = {408, "request_timeout", "The request did not arrive in time"},
    [HTTP_BODY_TOO_LARGE] = {413, "body_too_large", "The body is too large"},
    [HTTP_URL_TOO_LONG] = {414, "url_too_long", "The URL is too long"},
    [HTTP_UNSUPPORTED_ENCODING] = {415, "unsupported_encoding", "The body must not be encoded"},
    [HTTP_HEADERS_TOO_LARGE] = {431, "headers_too_large", "The head of the request is too large"},
    [HTTP_WAIT_UNMET] = {422, "wait_unmet", "A wait condition was not met"},
    [HTTP_FAIL_ON] = {422, "fail_on", "A failOn rule was hit"},
    [HTTP_OUTPUT_FAILED] = {422, "output_failed", "An output cannot be made of this page"},
    [HTTP_INTERNAL] = {500, "internal", "An error of this server"},
    [HTTP_NAVIGATION_FAILED] = {502, "navigation_failed", "The page could not be reached"},
    [HTTP_TOO_MANY_REDIRECTS] = {502, "too_many_redirects", "The page redirects too often"},
    [HTTP_REDIRECT_STORM] = {502, "redirect_storm", "The page keeps navigating away"},
    [HTTP_TRUNCATED_DOCUMENT] = {502, "truncated_document", "The document arrived incomplete"},
    [HTTP_NOT_A_DOCUMENT] = {502, "not_a_document", "The URL is not a document"},
    [HTTP_OUTPUT_TOO_LARGE] = {502, "output_too_large", "The rendered output is too large"},
    [HTTP_BUDGET_EXCEEDED] = {502, "budget_exceeded", "A budget is used up"},
    [HTTP_PAGE_CRASHED] = {502, "page_crashed", "The page crashed"},
    [HTTP_BROWSER_CRASHED] = {502, "browser_crashed", "The browser crashed"},
    [HTTP_QUEUE_FULL] = {503, "queue_full", "Too many requests wait"},
    [HTTP_QUEUE_TIMEOUT] = {503, "queue_timeout", "No page was free in time"},
    [HTTP_DRAINING] = {503, "draining", "This server takes no new work"},
    [HTTP_RENDER_TIMEOUT] = {504, "render_timeout", "The render did not end in time"},
    [HTTP_PAGE_UNRESPONSIVE] = {504, "page_unresponsive", "The page does not answer"},
    [HTTP_LOOP_DETECTED] = {508, "loop_detected", "The request would render itself"},
};

static const struct problem_row *row_of(enum http_code code)
{
    assert((unsigned)code < HTTP_CODES);
    assert(rows[code].status >= 400);
    return &rows[code];
}

const char *http_code_name(enum http_code code)
{
    return row_of(code)->name;
}

int http_code_status(enum http_code code)
{
    return row_of(code)->status;
}

void fault_init(struct fault *fault)
{
    memset(fault, 0, sizeof(*fault));
    fault->code = HTTP_CODES;
}

bool fault_is_set(const struct fault *fault)
{
    return fault->code != HTTP_CODES;
}

bool fault_set(struct fault *fault, enum http_code code, const char *param, const char *format, ...)
{
    assert(code < HTTP_CODES);
    fault->code = code;
    snprintf(fault->param, sizeof(fault->param), "%s", param ? param : "");
    va_list args;
    va_start(args, format);
    vsnprintf(fault->detail, sizeof(fault->detail), format, args);
    va_end(args);
    text_clean(fault->param);
    text_clean(fault->detail);
    return false;
}

const char *problem_content_type(bool plain)
{
    return plain ? "text/plain; charset=utf-8" : "application/problem+json";
}

static int status_of(const struct problem_row *row, const struct http_problem *problem)
{
    return problem->status > 0 ? problem->status : row->status;
}

static char *plain_body(const struct problem_row *row, const struct http_problem *problem,
                        const char *request_id)
{
    char *text = NULL;
    int length = asprintf(&text, "%d %s: %s\nrequest id: %s\n", status_of(row, problem), row->name,
                          problem->detail, request_id);
    return length < 0 ? NULL : text;
}

static char *json_body(const struct problem_row *row, const struct http_problem *problem,
                       const char *request_id)
{
    char type[64];
    snprintf(type, sizeof(type), "urn:prerenderd:error:%s", row->name);
    json_t *root = json_pack("{ss ss si ss ss}", "type", type, "title", row->title, "status",
                             status_of(row, problem), "detail", problem->detail, "code", row->name);
    if (!root)
        return NULL;
    int error = 0;
    if (problem->param)
        error |= json_object_set_new(root, "param", json_string(problem->param));
    if (problem->retry_after_ms > 0) {
        json_t *retry = json_integer((json_int_t)problem->retry_after_ms);
        error |= json_object_set_new(root, "retryAfterMs", retry);
    }
    error |= json_object_set_new(root, "requestId", json_string(request_id));
    if (problem->members) {
        json_t *members = json_loads(problem->members, 0, NULL);
        error |= json_object_update_missing(root, members);
        json_decref(members);
    }
    char *text = error ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

struct http_problem fault_problem(const struct fault *fault)
{
    assert(fault_is_set(fault));
    return (struct http_problem){
        .code = fault->code,
        .detail = fault->detail,
        .param = fault->param[0] ? fault->param : NULL,
    };
}

char *problem_body(const struct http_problem *problem, const char *request_id, bool plain,
                   size_t *ret_bytes)
{
    const struct problem_row *row = row_of(problem->code);
    char *detail = strdup(problem->detail && problem->detail[0] ? problem->detail : row->title);
    char *param = problem->param ? strdup(problem->param) : NULL;
    char *text = NULL;
    if (detail && (param || !problem->param)) {
        text_clean(detail);
        if (param)
            text_clean(param);
        struct http_problem clean = *problem;
        clean.detail = detail;
        clean.param = param;
        text = plain ? plain_body(row, &clean, request_id) : json_body(row, &clean, request_id);
    }
    free(detail);
    free(param);
    if (text)
        *ret_bytes = strlen(text);
    return text;
}
