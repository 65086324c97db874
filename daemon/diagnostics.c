/* diagnostics.c: see diagnostics.h. */
#include "daemon/diagnostics.h"

#include <assert.h>
#include <string.h>
#include "daemon/daemon.h"

#define ACTIVITY_MAX 20

json_t *waits_json(const struct request *request)
{
    const struct pool_waits *waits = &request->grant.waits;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "semaphoreMs", (json_int_t)waits->permit_ms,
                     "admissionMs", (json_int_t)waits->admission_ms, "tabQueueMs",
                     (json_int_t)waits->slot_ms, "tabStartupMs", (json_int_t)waits->open_ms,
                     "tabProbeMs", (json_int_t)waits->probe_ms);
}

/* What the affinity looks like now; null when it is gone. */
static json_t *snapshot_json(const struct daemon *daemon, const struct request *request)
{
    struct pool_affinity affinity;
    if (!pool_find_affinity(daemon->pool, request->key, request->key_bytes, &affinity))
        return json_null();
    return json_pack("{s:i, s:i, s:i, s:i}", "tabCount", (int)affinity.pages, "idlePages",
                     (int)affinity.pages_idle, "waiting", (int)affinity.waiting, "running",
                     (int)affinity.running);
}

struct times times_of(const struct daemon *daemon, const struct request *request)
{
    assert(request->granted_ms >= request->arrival_ms);
    return (struct times){
        .launch = (json_int_t)(request->granted_ms - request->arrival_ms),
        .render = (json_int_t)(daemon->now_ms - request->granted_ms),
        .total = (json_int_t)(daemon->now_ms - request->arrival_ms),
    };
}

/* Other requests of the same affinity, as many as fit into an answer. */
static json_t *activity_json(const struct daemon *daemon, const struct request *request)
{
    json_t *activity = json_array();
    struct request *other, *next;
    HASH_ITER(hh, daemon->requests.by_id, other, next)
    {
        const struct render_params *params = &other->http.params;
        if (json_array_size(activity) == ACTIVITY_MAX)
            break;
        if (other == request || other->state == REQUEST_ANSWERED ||
            other->key_bytes != request->key_bytes ||
            memcmp(other->key, request->key, request->key_bytes) != 0)
            continue;
        (void)json_array_append_new(
            activity, json_pack("{s:s, s:s, s:s, s:s, s:I, s:i}", "url", params->url, "kind",
                                http_route_name(other->http.route), "queue",
                                params->lane == LANE_NESTED ? "nested" : "main", "state",
                                other->state == REQUEST_RUNNING ? "running" : "queued", "ageMs",
                                (json_int_t)(daemon->now_ms - other->arrival_ms), "priority",
                                (int)params->priority));
    }
    return activity;
}

static void add_failure(const struct daemon *daemon, const struct request *request,
                        const struct render_result *result, json_t *diagnostics)
{
    (void)json_object_set_new(diagnostics, "affinityActivity", activity_json(daemon, request));
    const struct render_late_result *late = result != NULL ? &result->late : NULL;
    if (late == NULL || late->phase == NULL)
        return;
    (void)json_object_set_new(diagnostics, "phase", json_string(late->phase));
    (void)json_object_set_new(diagnostics, "phaseAgeMs",
                              json_integer((json_int_t)late->phase_age_ms));
    (void)json_object_set_new(diagnostics, "mainThreadAnswered",
                              json_boolean(late->is_main_thread_answering));
    if (!late->has_times)
        return;
    (void)json_object_set_new(diagnostics, "scriptMs", json_integer((json_int_t)late->script_ms));
    (void)json_object_set_new(diagnostics, "layoutMs", json_integer((json_int_t)late->layout_ms));
    (void)json_object_set_new(diagnostics, "taskMs", json_integer((json_int_t)late->task_ms));
}

json_t *diagnostics_json(const struct daemon *daemon, const struct request *request,
                         const struct render_result *result)
{
    struct times times = times_of(daemon, request);
    json_t *diagnostics = json_pack(
        "{s:I, s:I, s:I, s:o, s:i, s:b, s:o}", "launchMs", times.launch, "renderElapsedMs",
        times.render, "totalElapsedMs", times.total, "waits", waits_json(request), "priority",
        (int)request->http.params.priority, "tabReused", request->grant.warmth == POOL_WARM,
        "affinitySnapshot", snapshot_json(daemon, request));
    if (result == NULL || result->code != RENDER_OK)
        add_failure(daemon, request, result, diagnostics);
    return diagnostics;
}
