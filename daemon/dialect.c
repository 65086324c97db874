/* dialect.c: answers in the manager's dialect. Its managers retry and prune a server on a
 * 5xx, so whatever a page does is a 201 whose attributes say what went wrong; 5xx is for
 * faults of this daemon. */
#include "daemon/daemon.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/attributes.h"
#include "daemon/diagnostics.h"
#include "http/dialect.h"

bool dialect_asked(const struct request *request)
{
    return dialect_has(request->http.route);
}

static json_t *pool_json(const struct request *request, bool timed_out, bool evicted)
{
    char page[24];
    const struct render_params *params = &request->http.params;
    const char *colon = memchr(params->affinity, ':', params->affinity_bytes);
    assert(colon != NULL);
    size_t type_bytes = (size_t)(colon - params->affinity);
    (void)snprintf(page, sizeof page, "%llu", (unsigned long long)request->page);
    return json_pack("{s:s, s:s%, s:s%, s:b, s:b, s:b}", "pageId", page, "affinityType",
                     params->affinity, type_bytes, "affinityValue", colon + 1,
                     params->affinity_bytes - type_bytes - 1, "reused",
                     request->grant.warmth == POOL_WARM, "evicted", evicted, "timedOut", timed_out);
}

static const char *type_of(enum http_route route)
{
    static const char *const names[HTTP_ROUTES] = {
        [HTTP_VISIT] = "prerender-visit-result",
        [HTTP_MODULE] = "prerender-module-result",
        [HTTP_COMMAND] = "command-result",
        [HTTP_SCREENSHOT] = "screenshot-result",
    };
    assert(names[route] != NULL);
    return names[route];
}

/* What the request was about: a URL, or a command. */
static json_t *id_of(const struct request *request)
{
    if (request->http.route != HTTP_COMMAND)
        return json_string(request->http.params.url);
    json_t *input = json_loads(request->http.params.input, 0, NULL);
    json_t *command = json_incref(json_object_get(input, "command"));
    json_decref(input);
    return command;
}

/* Takes the attributes. */
static void reply_document(struct daemon *daemon, const struct request *request,
                           const struct render_result *result, json_t *attributes, bool timed_out,
                           bool evicted)
{
    struct times times = times_of(daemon, request);
    const char *id = request->http.request_id;
    attributes_set_meta(attributes, id, diagnostics_json(daemon, request, result));
    json_t *root = json_pack(
        "{s:{s:s, s:o, s:o}, s:{s:s, s:{s:I, s:I, s:I, s:o}, s:o}}", "data", "type",
        type_of(request->http.route), "id", id_of(request), "attributes", attributes, "meta",
        "requestId", id, "timing", "launchMs", times.launch, "renderMs", times.render, "totalMs",
        times.total, "waits", waits_json(request), "pool", pool_json(request, timed_out, evicted));
    struct http_reply reply = {.status = 201, .content_type = DIALECT_TYPE};
    reply.body = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    reply.body_bytes = reply.body != NULL ? strlen(reply.body) : 0;
    json_decref(root);
    if (reply.body == NULL) {
        const struct http_problem problem = {.code = HTTP_INTERNAL, .detail = "Out of memory."};
        (void)http_reply_problem(daemon->http, request->id, &problem, NULL, 0);
        return;
    }
    (void)http_reply(daemon->http, request->id, &reply);
}

void dialect_reply_failed(struct daemon *daemon, const struct request *request,
                          const struct render_result *result, const struct http_problem *problem,
                          bool evicted)
{
    bool timed_out =
        problem->code == HTTP_RENDER_TIMEOUT || problem->code == HTTP_PAGE_UNRESPONSIVE;
    const struct attributes_error error = {
        .is_timeout = timed_out,
        .title = http_code_name(problem->code),
        .status = http_code_status(problem->code),
        .message = problem->detail,
    };
    reply_document(daemon, request, result, attributes_failed(&request->http, &error), timed_out,
                   evicted || timed_out);
}

void dialect_reply_script_failed(struct daemon *daemon, const struct request *request,
                                 const struct render_result *result)
{
    const struct attributes_error error = {
        .title = "Script failed", .status = 500, .message = result->error};
    reply_document(daemon, request, result, attributes_failed(&request->http, &error), false,
                   request->retires);
}

void dialect_reply_ready(struct daemon *daemon, const struct request *request,
                         const struct render_result *result)
{
    json_t *attributes = attributes_ready(&request->http, result);
    if (attributes != NULL) {
        reply_document(daemon, request, result, attributes, false, request->retires);
        return;
    }
    const struct attributes_error error = {.title = "Script failed",
                                           .status = 500,
                                           .message = "the result of the recipe is no valid JSON"};
    reply_document(daemon, request, result, attributes_failed(&request->http, &error), false,
                   request->retires);
}

bool dialect_retires(const struct request *request, const struct render_result *result)
{
    if (!dialect_asked(request))
        return false;
    return result->code == RENDER_TIMEOUT || result->code == RENDER_UNRESPONSIVE ||
           attributes_are_unusable(result);
}

uint32_t dialect_budget_ms(const struct daemon *daemon, const struct request *request)
{
    const struct recipe *recipe = request->http.params.recipe;
    uint32_t budget_ms = daemon->config.manager.render_timeout_ms;
    return recipe != NULL && recipe->timeout_ms < budget_ms ? recipe->timeout_ms : budget_ms;
}

void dialect_start(struct request *request)
{
    struct render_params *params = &request->http.params;
    if (params->input == NULL || !request->http.dialect.clear_cache || request->grant.clear_cache)
        return;
    /* Somebody else's batch owns what is warm: the application must not clear it either. */
    json_t *input = json_loads(params->input, 0, NULL);
    (void)json_object_del(json_object_get(input, "renderOptions"), "clearCache");
    char *text = json_dumps(input, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(input);
    if (text == NULL)
        abort(); /* The affinity would lose what it is promised to keep. */
    free(params->input);
    params->input = text;
}

void dialect_release_batch(struct daemon *daemon, uint64_t exchange,
                           const struct http_request *http)
{
    char key[POOL_KEY_BYTES_MAX];
    key[0] = KEY_CLIENT;
    memcpy(key + 1, http->key, http->key_bytes);
    struct pool_event event = {
        .type = POOL_RELEASE_BATCH,
        .key = key,
        .key_bytes = 1 + http->key_bytes,
        .batch = http->dialect.batch,
    };
    daemon_step(daemon, &event);
    const struct http_reply reply = {.status = 204};
    (void)http_reply(daemon->http, exchange, &reply);
}
