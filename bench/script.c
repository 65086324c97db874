/* script.c: from a tape to steps; see script.h. */
#include "bench/script.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/message.h"
#include "tests/system/harness.h"

/* Larger messages hold documents, not ids. */
#define ID_MESSAGE_BYTES_MAX 65536

static json_t *parse(const struct tape_message *message)
{
    json_error_t error;
    return json_loadb(message->text, message->bytes, JSON_ALLOW_NUL, &error);
}

static const char *text_of(const json_t *tree, const char *name)
{
    const char *text = json_string_value(json_object_get(tree, name));
    return text == NULL ? "" : text;
}

static void find_session(const struct tape *tape, const char *url, struct tape_page *page)
{
    for (size_t i = tape->count; i-- > 0;) {
        if (!tape->messages[i].sent) {
            continue;
        }
        json_t *tree = parse(&tape->messages[i]);
        bool found = strcmp(text_of(tree, "method"), "Page.navigate") == 0 &&
                     strcmp(text_of(json_object_get(tree, "params"), "url"), url) == 0;
        if (found) {
            snprintf(page->session, sizeof(page->session), "%s", text_of(tree, "sessionId"));
        }
        json_decref(tree);
        if (found) {
            return;
        }
    }
    demand(false, "the daemon did not navigate to %s through the tap", url);
}

void script_find_page(const struct tape *tape, const char *url, struct tape_page *ret)
{
    *ret = (struct tape_page){.attached = SCRIPT_NONE};
    find_session(tape, url, ret);
    for (size_t i = 0; i < tape->count && ret->target[0] == '\0'; i++) {
        json_t *tree = tape->messages[i].sent ? NULL : parse(&tape->messages[i]);
        const json_t *params = json_object_get(tree, "params");
        if (strcmp(text_of(tree, "method"), "Target.attachedToTarget") == 0 &&
            strcmp(text_of(params, "sessionId"), ret->session) == 0) {
            const json_t *info = json_object_get(params, "targetInfo");
            snprintf(ret->target, sizeof(ret->target), "%s", text_of(info, "targetId"));
            snprintf(ret->context, sizeof(ret->context), "%s", text_of(info, "browserContextId"));
            ret->attached = i;
        }
        json_decref(tree);
    }
    demand(ret->target[0] != '\0', "no word of the session's target on the tape");
}

/* What building a script needs to remember. */
struct making {
    const struct tape_page *page;
    bool browser_steps;
    const char *document;
    struct script *script;
    uint64_t *ids;        /* Of the steps. */
    size_t document_step; /* The one with the largest reply that holds the document. */
    size_t document_bytes;
    size_t sent_before_document; /* Steps sent before that reply came. */
    enum trigger latest;         /* What came last. */
    size_t latest_index;
};

static void add_step(struct making *making, json_t *tree)
{
    const char *session = text_of(tree, "sessionId");
    bool on_page = strcmp(session, making->page->session) == 0;
    if (!on_page && (session[0] != '\0' || !making->browser_steps)) {
        return;
    }
    if (strcmp(text_of(tree, "method"), "Browser.getVersion") == 0) {
        return; /* The probe of the browser, which is not part of a render. */
    }
    struct script *script = making->script;
    struct step *step = &script->steps[script->count];
    *step = (struct step){
        .on_page = on_page, .trigger = making->latest, .trigger_index = making->latest_index};
    snprintf(step->method, sizeof(step->method), "%s", text_of(tree, "method"));
    step->params = json_incref(json_object_get(tree, "params"));
    making->ids[script->count++] = (uint64_t)json_integer_value(json_object_get(tree, "id"));
}

static void add_reply(struct making *making, uint64_t id, const json_t *tree,
                      const struct tape_message *message)
{
    struct script *script = making->script;
    size_t index = 0;
    while (index < script->count && making->ids[index] != id) {
        index++;
    }
    if (index == script->count) {
        return;
    }
    script->steps[index].is_answered = true;
    if (message->bytes <= ID_MESSAGE_BYTES_MAX) {
        script->steps[index].reply = json_incref(json_object_get(tree, "result"));
    }
    making->latest = TRIGGER_REPLY;
    making->latest_index = index;
    bool has_document =
        memmem(message->text, message->bytes, making->document, strlen(making->document)) != NULL;
    if (has_document && message->bytes > making->document_bytes) {
        making->document_bytes = message->bytes;
        making->document_step = index;
        making->sent_before_document = script->count;
    }
}

static size_t name_index(struct script *script, const char *name)
{
    size_t index = script_name(script, name, strlen(name));
    if (index == SCRIPT_NONE) {
        demand(script->names_count < SCRIPT_EVENT_NAMES_MAX, "too many kinds of events");
        index = script->names_count++;
        snprintf(script->names[index], SCRIPT_NAME_BYTES, "%s", name);
    }
    return index;
}

static void add_event(struct making *making, json_t *tree)
{
    if (strcmp(text_of(tree, "sessionId"), making->page->session) != 0) {
        return;
    }
    struct script *script = making->script;
    size_t name = name_index(script, text_of(tree, "method"));
    struct script_event *event = &script->events[script->events_count];
    *event = (struct script_event){.name = name, .occurrence = ++script->occurrences[name]};
    event->params = json_incref(json_object_get(tree, "params"));
    making->latest = TRIGGER_EVENT;
    making->latest_index = script->events_count++;
}

static void add_message(struct making *making, const struct tape_message *message)
{
    json_t *tree = parse(message);
    demand(tree != NULL, "the tape holds no JSON: %.100s", message->text);
    const json_t *id = json_object_get(tree, "id");
    if (message->sent) {
        add_step(making, tree);
    } else if (id != NULL) {
        add_reply(making, (uint64_t)json_integer_value(id), tree, message);
    } else {
        add_event(making, tree);
    }
    json_decref(tree);
}

void script_make(const struct tape *tape, const struct tape_page *page, size_t begin, size_t end,
                 bool browser_steps, const char *document, struct script *ret)
{
    assert(begin <= end && end <= tape->count);
    *ret = (struct script){.steps = calloc(end - begin + 1, sizeof(struct step)),
                           .events = calloc(end - begin + 1, sizeof(struct script_event))};
    struct making making = {.page = page,
                            .browser_steps = browser_steps,
                            .document = document,
                            .script = ret,
                            .ids = calloc(end - begin + 1, sizeof(uint64_t)),
                            .document_step = SCRIPT_NONE};
    demand(ret->steps != NULL && ret->events != NULL && making.ids != NULL, "no memory");
    for (size_t i = begin; i < end; i++) {
        add_message(&making, &tape->messages[i]);
    }
    for (size_t i = 0; i < making.sent_before_document; i++) {
        ret->steps[i].is_awaited = ret->steps[i].is_answered;
    }
    free(making.ids);
}

void script_free(struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        json_decref(script->steps[i].params);
        json_decref(script->steps[i].reply);
    }
    for (size_t i = 0; i < script->events_count; i++) {
        json_decref(script->events[i].params);
    }
    free(script->steps);
    free(script->events);
    *script = (struct script){0};
}

size_t script_name(const struct script *script, const char *name, size_t bytes)
{
    for (size_t i = 0; i < script->names_count; i++) {
        if (strlen(script->names[i]) == bytes && memcmp(script->names[i], name, bytes) == 0) {
            return i;
        }
    }
    return SCRIPT_NONE;
}
