/* envelope.c: see envelope.h. */
#include "daemon/envelope.h"

#include <jansson.h>
#include <string.h>
#include "daemon/diagnosis.h"
#include "daemon/keys.h"
#include "daemon/verdict.h"

/* Text from a page is valid UTF-8 by the contract of cdp/; NULL stays null. */
static json_t *text_or_null(const char *text)
{
    json_t *value = text != NULL ? json_string(text) : NULL;
    return value != NULL ? value : json_null();
}

static json_t *timings_json(const struct phases *phases)
{
    json_t *timings = json_object();
    for (size_t i = 0; i < PHASES; i++)
        (void)json_object_set_new(timings, phase_name((enum phase)i),
                                  json_integer((json_int_t)phases->ms[i]));
    return timings;
}

static json_t *affinity_json(const struct request *request)
{
    const struct render_params *params = &request->http.params;
    json_t *key = request->key[0] == KEY_CLIENT
                      ? json_stringn(params->affinity, params->affinity_bytes)
                      : json_null();
    return json_pack("{s:o, s:s}", "key", key, "context", verdict_warmth(request->grant.warmth));
}

char *envelope_text(const struct request *request, const struct render_result *result,
                    const struct phases *phases)
{
    json_t *html = json_stringn_nocheck(result->html, result->html_bytes);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:i, s:o, s:o, s:{s:o}, s:i, s:o, s:{s:I, s:I}, s:i, s:{s:I}, s:o, s:I}",
        "requestId", request->http.request_id, "outcome", verdict_outcome(result->outcome),
        "reason", verdict_reason(result->reason), "status", result->status, "finalUrl",
        text_or_null(result->final_url), "title", text_or_null(result->title), "outputs", "html",
        html, "pendingCount", (int)result->pending, "timings", timings_json(phases), "milestones",
        "domContentLoaded", (json_int_t)result->dom_content_loaded_ms, "load",
        (json_int_t)result->loaded_ms, "attempts", (int)request->grant.attempt, "page", "id",
        (json_int_t)request->page, "affinity", affinity_json(request), "clockSkewMs",
        (json_int_t)result->clock_skew_ms);
    if (root == NULL)
        return NULL;
    diagnosis_add(root, result);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
