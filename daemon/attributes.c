/* attributes.c: see attributes.h. */
#include "daemon/attributes.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "daemon/base64.h"

/* cdp/ hands over valid UTF-8. */
static json_t *document_json(const struct http_request *http, const struct render_result *result)
{
    const char *url = result->final_url != NULL ? result->final_url : http->params.url;
    const char *title = result->title != NULL ? result->title : "";
    json_t *html = json_stringn_nocheck(result->html, result->html_bytes);
    return json_pack("{s:s, s:o, s:s, s:i, s:s}", "status", "ready", "html", html, "url", url,
                     "httpStatus", result->status, "title", title);
}

static int number_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (int)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                 bytes[3]);
}

/* A PNG begins with its size: 8 bytes of signature, 8 of a chunk's head, width, height. NULL:
 * it is none. */
static json_t *image_json(const struct render_output *image)
{
    char head[32];
    size_t bytes;
    if (image->bytes_count < sizeof head)
        return NULL;
    memcpy(head, image->bytes, sizeof head);
    if (!base64_decode(head, sizeof head, &bytes))
        return NULL;
    return json_pack("{s:s, s:s, s:i, s:i, s:s}", "status", "ready", "base64", image->bytes,
                     "width", number_at(head + 16), "height", number_at(head + 20), "contentType",
                     "image/png");
}

json_t *attributes_ready(const struct http_request *http, const struct render_result *result)
{
    json_t *attributes;
    if (result->outputs[OUTPUT_PNG].bytes != NULL)
        attributes = image_json(&result->outputs[OUTPUT_PNG]);
    else if (result->value == NULL)
        attributes = document_json(http, result);
    else
        attributes = json_pack("{s:s}", "status", "ready");
    if (result->value == NULL || attributes == NULL)
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
