/* reply.c: a render result as an HTTP answer: what was made with headers that tell how it
 * came about, or an envelope that holds everything, or a typed error. */
#include "daemon/daemon.h"
#include "daemon/diagnosis.h"
#include "daemon/path_mode.h"
#include "daemon/verdict.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum metric_outcome metric_of(enum render_outcome outcome)
{
    return outcome == RENDER_COMPLETE
               ? METRIC_COMPLETE
               : (outcome == RENDER_PARTIAL ? METRIC_PARTIAL : METRIC_FAILED);
}

static void phases_fill(const struct daemon *daemon, const struct request *request,
                        const struct render_result *result, struct phases *ret)
{
    const struct pool_waits *waits = &request->grant.waits;
    const struct render_phases *render = &result->phases;
    *ret = (struct phases){
        .ms =
            {
                [PHASE_PERMIT] = waits->permit_ms,
                [PHASE_ADMISSION] = waits->admission_ms,
                [PHASE_SLOT] = waits->slot_ms,
                [PHASE_OPEN] = waits->open_ms,
                [PHASE_PROBE] = waits->probe_ms,
                [PHASE_NAVIGATE] = render->navigate_ms,
                [PHASE_LOAD] = render->load_ms,
                [PHASE_SETTLE] = render->settle_ms,
                [PHASE_CAPTURE] = render->capture_ms,
            },
    };
    uint64_t known = 0;
    for (size_t i = 0; i < PHASE_PROCESS; i++)
        known += ret->ms[i];
    uint64_t total = daemon->now_ms - request->arrival_ms;
    ret->ms[PHASE_PROCESS] = total > known ? total - known : 0;
    ret->ms[PHASE_TOTAL] = total;
}

static void server_timing(const struct phases *phases, char *text, size_t text_bytes)
{
    int used = 0;
    for (size_t i = 0; i < PHASES; i++) {
        used += snprintf(text + used, text_bytes - (size_t)used, "%s%s;dur=%llu", i > 0 ? ", " : "",
                         phase_name((enum phase)i), (unsigned long long)phases->ms[i]);
        assert(used > 0 && (size_t)used < text_bytes);
    }
}

/* The final URL comes from the page: bytes that have no place in a header are encoded. */
static void header_url(const char *url, char *text, size_t text_bytes)
{
    size_t at = 0;
    for (; *url != '\0' && at + 4 <= text_bytes && at < 2048; url++) {
        unsigned char c = (unsigned char)*url;
        if (c <= 0x20 || c >= 0x7f)
            at += (size_t)snprintf(text + at, text_bytes - at, "%%%02X", c);
        else
            text[at++] = (char)c;
    }
    text[at] = '\0';
}

/* Ours, those of the origin and those of the page; what exceeds it is left out. */
#define HEADERS_MAX 160

/* Headers whose values live as long as the struct. */
struct header_set {
    struct http_header items[HEADERS_MAX];
    size_t count;
    char numbers[4][24];
    char timing[512];
    char url[2052];
};

static void add_header(struct header_set *set, const char *name, const char *value)
{
    if (set->count < HEADERS_MAX)
        set->items[set->count++] = (struct http_header){name, value};
}

static const char *number_text(struct header_set *set, size_t slot, uint64_t value)
{
    (void)snprintf(set->numbers[slot], sizeof set->numbers[slot], "%llu",
                   (unsigned long long)value);
    return set->numbers[slot];
}

/* Where a redirect that was not followed leads. Path mode hands on all headers. */
static void add_location(struct header_set *set, const struct render_params *params,
                         const struct render_result *result)
{
    if (params->path_mode || result->origin_status < 300 || result->origin_status > 399)
        return;
    for (size_t i = 0; i < result->headers_count; i++) {
        if (strcasecmp(result->headers[i].name, "Location") == 0)
            add_header(set, "Location", result->headers[i].value);
    }
}

static void headers_fill(struct header_set *set, const struct request *request,
                         const struct render_result *result, const struct phases *phases)
{
    set->count = 0;
    add_header(set, "X-Prerenderd-Outcome", verdict_outcome(result->outcome));
    if (result->code == RENDER_OK)
        add_header(set, "X-Prerenderd-Reason", verdict_reason(result->reason));
    add_header(set, "X-Prerenderd-Pending", number_text(set, 0, result->pending));
    int status = result->origin_status != 0 ? result->origin_status : result->status;
    if (status != 0)
        add_header(set, "X-Prerenderd-Origin-Status", number_text(set, 1, (uint64_t)status));
    add_location(set, &request->http.params, result);
    if (result->final_url != NULL) {
        header_url(result->final_url, set->url, sizeof set->url);
        add_header(set, "X-Prerenderd-Final-URL", set->url);
    }
    add_header(set, "X-Prerenderd-Attempts", number_text(set, 2, request->grant.attempt));
    add_header(set, "X-Prerenderd-Context", verdict_warmth(request->grant.warmth));
    server_timing(phases, set->timing, sizeof set->timing);
    add_header(set, "Server-Timing", set->timing);
    bool path_mode = request->http.params.path_mode;
    add_header(set, "Vary", path_mode ? "Accept-Encoding" : "Accept, Accept-Encoding");
    if (result->outcome == RENDER_PARTIAL)
        add_header(set, "Cache-Control", "no-store");
}

static void reply_problem_to(struct daemon *daemon, const struct request *request,
                             const struct http_problem *problem, const struct http_header *headers,
                             size_t headers_count)
{
    struct http_header all[HTTP_PROBLEM_HEADERS_MAX];
    struct http_problem answer = *problem;
    char reason[640];
    int status = http_code_status(problem->code);
    if (daemon->batch != NULL) {
        batch_problem(daemon, request, problem->code, problem->detail);
        return;
    }
    assert(headers_count < HTTP_PROBLEM_HEADERS_MAX);
    for (size_t i = 0; i < headers_count; i++)
        all[i] = headers[i];
    if (request->http.params.path_mode && (status == 502 || status == 504)) {
        answer.status = 504;
        (void)snprintf(reason, sizeof reason, "%s: %s", http_code_name(problem->code),
                       problem->detail);
        all[headers_count++] = (struct http_header){"X-Prerender-504-Reason", reason};
    }
    (void)http_reply_problem(daemon->http, request->id, &answer, all, headers_count);
}

void reply_problem(struct daemon *daemon, const struct request *request,
                   const struct http_problem *problem, const struct http_header *headers,
                   size_t headers_count)
{
    const struct request *follower;
    reply_problem_to(daemon, request, problem, headers, headers_count);
    TAILQ_FOREACH(follower, &request->followers, follower_entry)
    reply_problem_to(daemon, follower, problem, headers, headers_count);
}

static void reply_failed(struct daemon *daemon, const struct request *request,
                         const struct render_result *result, const struct header_set *headers)
{
    char detail[512];
    char *members = diagnosis_text(daemon, request, result);
    const struct http_problem problem = {
        .code = verdict_code(result->code),
        .detail = verdict_detail(&daemon->config, result, detail, sizeof detail),
        .members = members,
        .param = result->param,
    };
    if (result->code == RENDER_SCRIPT_FAILED)
        dialect_reply_script_failed(daemon, request, result);
    else if (dialect_asked(request))
        dialect_reply_failed(daemon, request, result, &problem, request->retires);
    else
        reply_problem(daemon, request, &problem, headers->items, headers->count);
    free(members);
}

static void log_render(const struct daemon *daemon, const struct request *request,
                       const struct render_result *result, const struct phases *phases)
{
    const struct render_params *params = &request->http.params;
    bool key = request->key[0] == KEY_CLIENT;
    const char *url = render_params_url(params);
    size_t url_bytes = daemon->config.log.full_urls ? strlen(url) : strcspn(url, "?#");
    LOG(&daemon->log, LOG_INFO, "render", LOG_STR("id", request->http.request_id),
        LOG_KEY("affinity", key ? params->affinity : NULL, params->affinity_bytes),
        LOG_KEY("url", url, url_bytes), LOG_U64("priority", params->priority),
        LOG_STR("outcome", verdict_outcome(result->outcome)),
        LOG_STR("error", result->net_error[0] != '\0' ? result->net_error : NULL),
        LOG_U64("origin_status", (uint64_t)result->status), LOG_U64("pending", result->pending),
        LOG_STR("late_in", result->late.phase),
        LOG_STR("context", verdict_warmth(request->grant.warmth)), LOG_U64("page", request->page),
        LOG_U64("attempt", request->grant.attempt), LOG_U64("permit_ms", phases->ms[PHASE_PERMIT]),
        LOG_U64("admission_ms", phases->ms[PHASE_ADMISSION]),
        LOG_U64("slot_ms", phases->ms[PHASE_SLOT]), LOG_U64("open_ms", phases->ms[PHASE_OPEN]),
        LOG_U64("probe_ms", phases->ms[PHASE_PROBE]),
        LOG_U64("navigate_ms", phases->ms[PHASE_NAVIGATE]),
        LOG_U64("load_ms", phases->ms[PHASE_LOAD]), LOG_U64("settle_ms", phases->ms[PHASE_SETTLE]),
        LOG_U64("capture_ms", phases->ms[PHASE_CAPTURE]),
        LOG_U64("total_ms", phases->ms[PHASE_TOTAL]));
}

static void count_render(struct daemon *daemon, const struct request *request,
                         const struct render_result *result, const struct phases *phases)
{
    log_render(daemon, request, result, phases);
    metrics_count_phases(&daemon->metrics, phases);
    metrics_count_outcome(&daemon->metrics, metric_of(result->outcome));
}

void reply_result(struct daemon *daemon, const struct request *request,
                  struct render_result *result)
{
    struct phases phases;
    phases_fill(daemon, request, result, &phases);
    if (result->code == RENDER_OK && request->http.params.path_mode &&
        path_mode_is_vain(result, daemon->config.prerender_io.partial_status)) {
        result->outcome = RENDER_FAILED;
        result->code = RENDER_TIMEOUT;
    }
    if (result->code == RENDER_OK && dialect_asked(request)) {
        count_render(daemon, request, result, &phases);
        dialect_reply_ready(daemon, request, result);
        render_result_free(result);
        return;
    }
    if (result->code == RENDER_OK) {
        finish_start(daemon, request, &phases, result);
        return;
    }
    struct header_set headers;
    headers_fill(&headers, request, result, &phases);
    count_render(daemon, request, result, &phases);
    reply_failed(daemon, request, result, &headers);
    render_result_free(result);
}

/* The origin's headers, then those of the page, which replace them. */
static void add_origin_headers(struct header_set *headers, const struct finish *finish)
{
    const struct render_result *result = finish->result;
    const struct document_result *document = &finish->document;
    for (size_t i = 0; i < result->headers_count; i++) {
        if (path_mode_passes(result, i, document))
            add_header(headers, result->headers[i].name, result->headers[i].value);
    }
    for (size_t i = 0; i < document->headers_count; i++) {
        if (path_mode_passes_own(result, i, document))
            add_header(headers, document->headers[i].name, document->headers[i].value);
    }
}

static void fill_path_mode(struct header_set *headers, const struct finish *finish,
                           struct http_reply *reply)
{
    const struct request *request = &finish->request;
    add_header(headers, "X-Prerender-Request-ID", request->http.request_id);
    add_header(headers, "X-Prerender-Mode", "CacheMiss"); /* Nothing is cached here. */
    add_header(headers, "X-Prerenderd-URL-Decoding", request->http.url_decoded ? "once" : "raw");
    if (finish->result->outcome == RENDER_PARTIAL)
        add_header(headers, "X-Prerenderd-Complete", "0");
    add_origin_headers(headers, finish);
    reply->status = path_mode_status(finish->result, &finish->document,
                                     finish->daemon->config.prerender_io.partial_status);
    reply->content_type = "text/html;charset=UTF-8";
    if (path_mode_is_bodyless(finish->result))
        reply->content_type = NULL;
}

/* The render went well, but not what came after it. */
static void reply_unfinished(struct daemon *daemon, const struct finish *finish,
                             const struct header_set *headers)
{
    static const struct http_problem out_of_memory = {.code = HTTP_INTERNAL,
                                                      .detail = "Out of memory."};
    static const struct http_problem no_json = {
        .code = HTTP_OUTPUT_FAILED,
        .detail = "What the page gave as the value of the expression is no JSON.",
        .param = "expression",
    };
    const struct http_problem *problem = finish->error == -EBADMSG ? &no_json : &out_of_memory;
    reply_problem(daemon, &finish->request, problem, headers->items, headers->count);
    for (size_t i = 0; i < finish->followers_count; i++)
        (void)http_reply_problem(daemon->http, finish->followers[i].id, problem, NULL, 0);
}

/* One answer of the result; the body is taken. */
static void send_one(struct daemon *daemon, const struct finish *finish, uint64_t exchange,
                     const struct http_request *http, struct header_set *headers,
                     struct finish_body *body)
{
    bool is_itself = http->accept == HTTP_ACCEPT_DOCUMENT;
    struct http_reply reply = {
        .status = 200,
        .content_type = is_itself ? http_output_type(finish_output(finish)) : "application/json",
    };
    size_t common = headers->count;
    if (http->params.path_mode)
        fill_path_mode(headers, finish, &reply);
    else if (finish->document.status != 0)
        add_header(headers, "X-Prerenderd-Meta-Status",
                   number_text(headers, 3, (uint64_t)finish->document.status));
    if (body->is_gzipped && reply.content_type != NULL)
        add_header(headers, "Content-Encoding", "gzip");
    reply.headers = headers->items;
    reply.headers_count = headers->count;
    reply.body = body->bytes;
    reply.body_bytes = body->count;
    body->bytes = NULL;
    (void)http_reply(daemon->http, exchange, &reply);
    headers->count = common;
}

static void send_all(struct daemon *daemon, struct finish *finish, struct header_set *headers)
{
    for (size_t i = 0; i < finish->followers_count; i++) {
        struct finish_follower *follower = &finish->followers[i];
        send_one(daemon, finish, follower->id, &follower->http, headers, &follower->body);
    }
    send_one(daemon, finish, finish->request.id, &finish->request.http, headers, &finish->body);
}

void reply_finished(struct daemon *daemon, struct finish *finish)
{
    struct header_set headers;
    struct phases phases;
    phases_fill(daemon, &finish->request, finish->result, &phases);
    count_render(daemon, &finish->request, finish->result, &phases);
    headers_fill(&headers, &finish->request, finish->result, &phases);
    if (finish->error == 0 && daemon->batch != NULL) {
        batch_save(daemon, finish);
        return;
    }
    if (finish->error != 0)
        reply_unfinished(daemon, finish, &headers);
    else
        send_all(daemon, finish, &headers);
    finish_free(finish);
}
