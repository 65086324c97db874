/* page_console.c: what the page says and throws, as events of the Runtime domain and as
 * replies to what is evaluated in it.
 *
 * The domain tells again what the document before has said, so nothing counts before the
 * first commit of the render. Values are described as a console shows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/diagnostics.h"
#include "cdp/page.h"

/* Messages with more than this are noted without their text: a page logs what it likes. */
#define BODY_BYTES_MAX (256u * 1024)

/* Text that grows up to its room, and is cut at a character. */
struct room {
    char *text;
    size_t used, bytes;
};

static void put(struct room *room, const char *text)
{
    size_t bytes = strlen(text), left = room->bytes - 1 - room->used;

    if (bytes > left) {
        bytes = left;
        while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80)
            bytes--;
    }
    memcpy(room->text + room->used, text, bytes);
    room->used += bytes;
    room->text[room->used] = '\0';
}

static void copy(char *ret, size_t ret_bytes, const json_t *value)
{
    struct room room = {.text = ret, .bytes = ret_bytes};

    put(&room, json_is_string(value) ? json_string_value(value) : "");
}

/* {a: 1, b: Object} and [1, 2], as far as the preview goes. */
static void put_preview(struct room *room, const json_t *preview)
{
    const json_t *subtype = json_object_get(preview, "subtype");
    bool is_array = json_is_string(subtype) && strcmp(json_string_value(subtype), "array") == 0;
    size_t index;
    const json_t *property;

    put(room, is_array ? "[" : "{");
    json_array_foreach(json_object_get(preview, "properties"), index, property)
    {
        const char *name = json_string_value(json_object_get(property, "name"));
        const char *value = json_string_value(json_object_get(property, "value"));
        put(room, index > 0 ? ", " : "");
        if (!is_array && name != NULL) {
            put(room, name);
            put(room, ": ");
        }
        put(room, value != NULL ? value : "...");
    }
    if (json_is_true(json_object_get(preview, "overflow")))
        put(room, ", ...");
    put(room, is_array ? "]" : "}");
}

/* A remote object. */
static void put_value(struct room *room, const json_t *object)
{
    const json_t *value = json_object_get(object, "value");
    const json_t *preview = json_object_get(object, "preview");
    const char *subtype = json_string_value(json_object_get(object, "subtype"));
    const char *text = json_string_value(json_object_get(object, "unserializableValue"));

    if (json_is_string(value)) {
        put(room, json_string_value(value));
    } else if (value != NULL) {
        char *number = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        put(room, number != NULL ? number : "");
        free(number);
    } else if (preview != NULL && (subtype == NULL || strcmp(subtype, "array") == 0)) {
        put_preview(room, preview);
    } else {
        if (text == NULL)
            text = json_string_value(json_object_get(object, "description"));
        if (text == NULL)
            text = json_string_value(json_object_get(object, "type"));
        put(room, text != NULL ? text : "");
    }
}

/* Chromium counts from 0. */
static void fill_place(struct diagnostics_place *place, const json_t *frame)
{
    if (frame == NULL)
        return;
    copy(place->url, sizeof place->url, json_object_get(frame, "url"));
    copy(place->function, sizeof place->function, json_object_get(frame, "functionName"));
    place->line = (uint32_t)json_integer_value(json_object_get(frame, "lineNumber")) + 1;
    place->column = (uint32_t)json_integer_value(json_object_get(frame, "columnNumber")) + 1;
}

static const json_t *frames_of(const json_t *owner)
{
    return json_object_get(json_object_get(owner, "stackTrace"), "callFrames");
}

static void take_message(struct diagnostics *diagnostics, const json_t *tree)
{
    struct diagnostics_message *message = diagnostics_add_message(diagnostics);
    size_t index;
    const json_t *argument;

    if (message == NULL)
        return;
    struct room room = {.text = message->text, .bytes = sizeof message->text};
    copy(message->level, sizeof message->level, json_object_get(tree, "type"));
    json_array_foreach(json_object_get(tree, "args"), index, argument)
    {
        put(&room, index > 0 ? " " : "");
        put_value(&room, argument);
    }
    if (tree == NULL)
        put(&room, "(too long to be shown)");
    fill_place(&message->place, json_array_get(frames_of(tree), 0));
}

static void take_exception(struct diagnostics *diagnostics, const json_t *tree)
{
    struct diagnostics_exception *exception = diagnostics_add_exception(diagnostics);
    const json_t *details = json_object_get(tree, "exceptionDetails");
    const json_t *thrown = json_object_get(details, "exception");
    const json_t *frames = frames_of(details);

    if (exception == NULL)
        return;
    struct room room = {.text = exception->text, .bytes = sizeof exception->text};
    exception->id = (uint64_t)json_integer_value(json_object_get(details, "exceptionId"));
    if (thrown != NULL)
        put_value(&room, thrown);
    else
        copy(exception->text, sizeof exception->text, json_object_get(details, "text"));
    if (tree == NULL)
        put(&room, "(too long to be shown)");
    /* Errors are described with their stack, which has a place of its own. */
    exception->text[strcspn(exception->text, "\n")] = '\0';
    while (exception->frames_count < DIAGNOSTICS_FRAMES_MAX &&
           exception->frames_count < json_array_size(frames)) {
        fill_place(&exception->frames[exception->frames_count],
                   json_array_get(frames, exception->frames_count));
        exception->frames_count++;
    }
    if (json_array_size(frames) == 0 && details != NULL) {
        fill_place(&exception->frames[0], details);
        exception->frames_count = 1;
    }
}

/* NULL: too long to be shown. */
static json_t *tree_of(struct cdp_message *message)
{
    if (message->body.bytes > BODY_BYTES_MAX)
        return NULL;
    message_repair(message->body);
    return message_tree(message->body);
}

void page_console_evaluated(struct page *page, struct cdp_message *reply)
{
    struct diagnostics *diagnostics = page->render.result->diagnostics;
    struct cdp_span details;

    if (diagnostics == NULL || !diagnostics->has_console ||
        diagnostics->exceptions_count == DIAGNOSTICS_EXCEPTIONS_MAX ||
        !message_member(reply->body, "exceptionDetails", &details))
        return;
    json_t *tree = tree_of(reply);
    take_exception(diagnostics, tree);
    json_decref(tree);
}

void page_console_event(struct page *page, struct cdp_message *message)
{
    struct diagnostics *diagnostics = page->render.result->diagnostics;
    bool is_message = span_is(message->method, "Runtime.consoleAPICalled");
    bool is_exception = span_is(message->method, "Runtime.exceptionThrown");
    char id[24];

    if (diagnostics == NULL || page->render.loader == 0)
        return;
    if (span_is(message->method, "Runtime.exceptionRevoked") &&
        span_text(message->body, "exceptionId", id, sizeof id))
        diagnostics_revoke(diagnostics, strtoull(id, NULL, 10));
    if ((!is_message || diagnostics->messages_count == DIAGNOSTICS_MESSAGES_MAX) &&
        (!is_exception || diagnostics->exceptions_count == DIAGNOSTICS_EXCEPTIONS_MAX))
        return;
    json_t *tree = tree_of(message);
    if (is_message)
        take_message(diagnostics, tree);
    else
        take_exception(diagnostics, tree);
    json_decref(tree);
}
