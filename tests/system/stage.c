/* stage.c: what most system tests begin and end with; see stage.h. */
#include "tests/system/stage.h"

#include <string.h>

struct stage stage_open(const char *const *knobs)
{
    struct stage stage = {.harness = harness_new()};
    stage.origin = origin_new();
    harness_start(stage.harness, knobs);
    return stage;
}

void stage_close(struct stage *stage)
{
    harness_free(stage->harness);
    origin_free(stage->origin);
}

void expect_reply(const struct client_reply *reply, long status, const char *text)
{
    demand(reply->status == status && strstr(reply->body, text) != NULL,
           "wanted status %ld with \"%s\", got %ld: %s%.600s", status, text, reply->status,
           reply->error, reply->body);
}

void expect_problem(const struct client_reply *reply, long status, const char *code,
                    const char *text)
{
    demand(reply->status == status, "wanted status %ld (%s), got %ld: %s%.600s", status, code,
           reply->status, reply->error, reply->body);
    const char *type = client_header(reply, "Content-Type");
    demand(type != NULL && strcmp(type, "application/problem+json") == 0, "%s is a %s", code, type);
    const char *cache = client_header(reply, "Cache-Control");
    demand(cache != NULL && strcmp(cache, "no-store") == 0, "%s may be cached", code);
    json_t *problem = client_json(reply);
    const char *found = json_string_value(json_object_get(problem, "code"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    demand(found != NULL && strcmp(found, code) == 0, "wanted the code %s: %s", code, reply->body);
    demand(detail != NULL && strstr(detail, text) != NULL, "\"%s\" is not in the detail: %s", text,
           reply->body);
    demand(json_integer_value(json_object_get(problem, "status")) == status &&
               json_is_string(json_object_get(problem, "type")) &&
               json_is_string(json_object_get(problem, "title")) &&
               json_is_string(json_object_get(problem, "requestId")),
           "the problem lacks a member: %s", reply->body);
    json_decref(problem);
}

void expect_header(const struct client_reply *reply, const char *name, const char *value)
{
    const char *found = client_header(reply, name);
    demand(found != NULL && strcmp(found, value) == 0, "wanted \"%s: %s\", got %s\n%s", name, value,
           found, reply->head);
}

void expect_absent(const struct client_reply *reply, const char *text)
{
    demand(strstr(reply->body, text) == NULL, "\"%s\" is in %.600s", text, reply->body);
}

uint64_t reply_ms(const struct client_reply *reply)
{
    return (reply->done_ns - reply->sent_ns) / 1000000u;
}
