/* attributes.c: see attributes.h. */
#include "daemon/attributes.h"

#include <assert.h>
#include <string.h>

/* cdp/ hands over valid UTF-8. */
static json_t *document_json(const struct http_request *http, const struct render_result *result)
{
    const char *url = result->final_url != NULL ? result->final_url : http->params.url;
    const char *title = result->title != NULL ? result->title : "";
    json_t *html = json_stringn_nocheck(result->html, result->html_bytes);
    return json_pack("{s:s, s:o, s:s, s:i, s:s}", "status", "ready", "html", html, "url", url,
                     "httpStatus", result->status, "title", title);
}

static json_t *image_json(const struct render_result *result)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:s}", "status", "ready", "base64", result->image,
                     "width", (int)result->image_width, "height", (int)result->image_height,
                     "contentType", "image/png");
}

json_t *attributes_ready(const struct http_request *http, const struct render_result *result)
{
    json_t *attributes;
    if (result->image != NULL)
        attributes = image_json(result);
    else if (result->value == NULL)
        attributes = document_json(http, result);
    else
        attributes = json_pack("{s:s}", "status", "ready");
    if (result->value == NULL)
        return attributes;
    json_t *value = json_loads(result->value, 0, NULL);
    if (!json_is_object(value) || json_object_update(attributes, value) != 0) {
        json_decref(attributes);
        attributes = NULL;
    }
    json_decref(value);
    return attributes;
}

json_t *attributes_failed(const struct http_request *http, const struct attributes_error *error)
{
    if (http->route == HTTP_COMMAND)
        return error->is_timeout
                   ? json_pack("{s:s, s:s}", "status", "unusable", "error", "Render timed-out")
                   : json_pack("{s:s, s:s}", "status", "error", "error", error->message);
    json_t *object =
        json_pack("{s:s, s:i, s:s}", "title", error->is_timeout ? "Render timeout" : error->title,
                  "status", error->is_timeout ? 504 : error->status, "message", error->message);
    json_t *attributes =
        json_pack("{s:s, s:s, s:o}", "status", "error", "url", http->params.url, "error", object);
    if (http->route == HTTP_VISIT)
        (void)json_object_set_new(attributes, "html", json_null());
    return attributes;
}

bool attributes_are_unusable(const struct render_result *result)
{
    if (result->value == NULL)
        return false;
    json_t *value = json_loads(result->value, 0, NULL);
    const char *status = json_string_value(json_object_get(value, "status"));
    bool is_unusable = status != NULL && strcmp(status, "unusable") == 0;
    json_decref(value);
    return is_unusable;
}

/* Moves the diagnostics of `from` into `to`. */
static void move_diagnostics(json_t *from, json_t *to)
{
    json_t *theirs = json_object_get(from, "diagnostics");
    if (!json_is_object(theirs))
        return;
    (void)json_object_update_missing(to, theirs);
    (void)json_object_del(from, "diagnostics");
}

void attributes_set_meta(json_t *attributes, const char *request_id, json_t *diagnostics)
{
    const char *key;
    json_t *member;
    json_t *meta = json_object_get(attributes, "meta");
    if (!json_is_object(meta)) {
        meta = json_object();
        (void)json_object_set_new(attributes, "meta", meta);
    }
    move_diagnostics(meta, diagnostics);
    move_diagnostics(attributes, diagnostics);
    json_object_foreach(attributes, key, member)
    {
        if (member != meta)
            move_diagnostics(member, diagnostics);
    }
    (void)json_object_set_new(meta, "requestId", json_string(request_id));
    (void)json_object_set_new(meta, "diagnostics", diagnostics);
}
