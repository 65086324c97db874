/* diagnosis.c: see diagnosis.h. Text of a page is valid UTF-8 by the contract of cdp/. */
#include "daemon/diagnosis.h"

#include <string.h>
#include "cdp/diagnostics.h"
#include "daemon/daemon.h"

#define ACTIVITY_MAX 20

static json_t *place_json(const struct diagnostics_place *place)
{
    return json_pack("{s:s, s:s, s:i, s:i}", "url", place->url, "function", place->function, "line",
                     (int)place->line, "column", (int)place->column);
}

static json_t *console_json(const struct diagnostics *told)
{
    json_t *list = json_array();
    for (size_t i = 0; i < told->messages_count; i++) {
        const struct diagnostics_message *message = &told->messages[i];
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:i, s:i}", "level", message->level, "text",
                            message->text, "url", message->place.url, "line",
                            (int)message->place.line, "column", (int)message->place.column));
    }
    return list;
}

static json_t *exceptions_json(const struct diagnostics *told)
{
    json_t *list = json_array();
    for (size_t i = 0; i < told->exceptions_count; i++) {
        const struct diagnostics_exception *exception = &told->exceptions[i];
        json_t *frames = json_array();
        for (size_t j = 0; j < exception->frames_count; j++)
            (void)json_array_append_new(frames, place_json(&exception->frames[j]));
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:b, s:o}", "text", exception->text, "revoked",
                                              exception->is_revoked, "frames", frames));
    }
    return list;
}

static json_t *resources_json(const struct traffic_totals *totals)
{
    json_t *types = json_object();
    for (size_t i = 0; i < TRAFFIC_TYPES; i++) {
        if (totals->by_type[i] > 0)
            (void)json_object_set_new(types, traffic_type_name((enum traffic_type)i),
                                      json_integer((json_int_t)totals->by_type[i]));
    }
    return json_pack("{s:i, s:I, s:i, s:i, s:o}", "count", (int)totals->count, "bytes",
                     (json_int_t)totals->bytes, "failed", (int)totals->failed, "blocked",
                     (int)totals->blocked, "byType", types);
}

static json_t *redirects_json(const struct diagnostics *told)
{
    json_t *list = json_array();
    for (size_t i = 0; i < told->redirects_count; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:i}", "url", told->redirects[i].url,
                                                    "status", told->redirects[i].status));
    return list;
}

static json_t *pending_json(const struct diagnostics *told)
{
    json_t *list = json_array();
    for (size_t i = 0; told != NULL && i < told->pending_count; i++) {
        const struct diagnostics_request *request = &told->pending[i];
        json_t *age = request->has_age ? json_integer((json_int_t)request->age_ms) : json_null();
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:o}", "url", request->url, "type",
                                              traffic_type_name(request->type), "ageMs", age));
    }
    return list;
}

static json_t *timeout_json(const struct render_late_result *late)
{
    json_t *timeout =
        json_pack("{s:s, s:I}", "phase", late->phase, "phaseAgeMs", (json_int_t)late->phase_age_ms);
    if (strcmp(late->phase, "navigate") != 0)
        (void)json_object_set_new(timeout, "mainThreadAnswers",
                                  json_boolean(late->is_main_thread_answering));
    if (late->has_times) {
        (void)json_object_set_new(timeout, "scriptMs", json_integer((json_int_t)late->script_ms));
        (void)json_object_set_new(timeout, "layoutMs", json_integer((json_int_t)late->layout_ms));
        (void)json_object_set_new(timeout, "taskMs", json_integer((json_int_t)late->task_ms));
    }
    return timeout;
}

void diagnosis_add(json_t *object, const struct render_result *result)
{
    const struct diagnostics *told = result->diagnostics;
    (void)json_object_set_new(object, "pending", pending_json(told));
    if (told != NULL && told->has_console) {
        (void)json_object_set_new(object, "console", console_json(told));
        (void)json_object_set_new(object, "exceptions", exceptions_json(told));
    }
    if (told != NULL && told->has_traffic) {
        (void)json_object_set_new(object, "resources", resources_json(&told->resources));
        (void)json_object_set_new(object, "redirects", redirects_json(told));
    }
    if (result->late.phase != NULL)
        (void)json_object_set_new(object, "timeout", timeout_json(&result->late));
}

json_t *diagnosis_activity(const struct daemon *daemon, const struct request *request)
{
    json_t *list = json_array();
    const struct request *other, *next;
    HASH_ITER(hh, daemon->requests.by_id, other, next)
    {
        if (other == request || other->state == REQUEST_ANSWERED ||
            other->key_bytes != request->key_bytes ||
            memcmp(other->key, request->key, other->key_bytes) != 0 ||
            json_array_size(list) == ACTIVITY_MAX)
            continue;
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:i, s:b}", "requestId", other->http.request_id,
                            "state", other->state == REQUEST_RUNNING ? "running" : "queued",
                            "ageMs", (json_int_t)(daemon->now_ms - other->arrival_ms), "priority",
                            (int)other->http.params.priority, "nested",
                            other->http.params.lane == LANE_NESTED));
    }
    return list;
}

char *diagnosis_text(const struct daemon *daemon, const struct request *request,
                     const struct render_result *result)
{
    json_t *object = json_object();
    diagnosis_add(object, result);
    if (result->late.phase != NULL)
        (void)json_object_set_new(object, "activity", diagnosis_activity(daemon, request));
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}
