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

static void find_session(const struct tape *tape, const char *url, size_t begin, size_t end,
                         struct tape_page *page)
{
    for (size_t i = begin; i < end; i++) {
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

void script_find_page(const struct tape *tape, const char *url, size_t begin, size_t end,
                      struct tape_page *ret)
{
    *ret = (struct tape_page){.attached = SCRIPT_NONE};
    find_session(tape, url, begin, end, ret);
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

static void add_step(struct making *making, json_t *tree, uint64_t at_ns)
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
    *step = (struct step){.on_page = on_page,
                          .trigger = making->latest,
                          .trigger_index = making->latest_index,
                          .sent_ns = at_ns};
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
    script->steps[index].replied_ns = message->at_ns;
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

static void add_event(struct making *making, json_t *tree, uint64_t at_ns)
{
    if (strcmp(text_of(tree, "sessionId"), making->page->session) != 0) {
        return;
    }
    struct script *script = making->script;
    size_t name = name_index(script, text_of(tree, "method"));
    struct script_event *event = &script->events[script->events_count];
    *event = (struct script_event){.name = name, .occurrence = ++script->occurrences[name]};
    event->at_ns = at_ns;
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
        add_step(making, tree, message->at_ns);
    } else if (id != NULL) {
        add_reply(making, (uint64_t)json_integer_value(id), tree, message);
    } else {
        add_event(making, tree, message->at_ns);
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

bool script_agrees(const struct script *one, const struct script *other)
{
    bool agrees = one->count == other->count;
    for (size_t i = 0; agrees && i < one->count; i++) {
        agrees = one->steps[i].on_page == other->steps[i].on_page &&
                 strcmp(one->steps[i].method, other->steps[i].method) == 0;
    }
    return agrees;
}

/* When what the candidate stands for came in that script; 0: not at all. */
static uint64_t came_ns(const struct script *first, const struct script *script,
                        enum trigger trigger, size_t index)
{
    if (trigger == TRIGGER_REPLY) {
        return script->steps[index].replied_ns;
    }
    const struct script_event *wanted = &first->events[index];
    const char *name = first->names[wanted->name];
    size_t there = script_name(script, name, strlen(name));
    for (size_t i = 0; i < script->events_count; i++) {
        const struct script_event *event = &script->events[i];
        if (event->name == there && event->occurrence == wanted->occurrence) {
            return event->at_ns;
        }
    }
    return 0;
}

/* The longest time from the candidate to the step, over all scripts; UINT64_MAX when the
 * candidate did not come first everywhere, so that it cannot be the cause. */
static uint64_t longest_gap_ns(struct script *const *scripts, size_t count, size_t step,
                               enum trigger trigger, size_t index)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t came = came_ns(scripts[0], scripts[i], trigger, index);
        uint64_t sent = scripts[i]->steps[step].sent_ns;
        if (came == 0 || came > sent) {
            return UINT64_MAX;
        }
        longest_ns = sent - came > longest_ns ? sent - came : longest_ns;
    }
    return longest_ns;
}

static void refine_step(struct script *const *scripts, size_t count, size_t index)
{
    const struct script *first = scripts[0];
    struct step *step = &first->steps[index];
    uint64_t best_ns = UINT64_MAX;
    for (size_t i = 0; i < first->events_count; i++) {
        uint64_t gap_ns = longest_gap_ns(scripts, count, index, TRIGGER_EVENT, i);
        if (gap_ns < best_ns) {
            best_ns = gap_ns;
            step->trigger = TRIGGER_EVENT;
            step->trigger_index = i;
        }
    }
    for (size_t i = 0; i < index; i++) {
        uint64_t gap_ns = longest_gap_ns(scripts, count, index, TRIGGER_REPLY, i);
        if (gap_ns < best_ns) {
            best_ns = gap_ns;
            step->trigger = TRIGGER_REPLY;
            step->trigger_index = i;
        }
    }
    if (best_ns == UINT64_MAX) {
        step->trigger = TRIGGER_START;
    }
}

/* Events that do not come in every render are not waited for at its end. */
static void refine_occurrences(struct script *const *scripts, size_t count)
{
    struct script *first = scripts[0];
    for (size_t name = 0; name < first->names_count; name++) {
        for (size_t i = 1; i < count; i++) {
            size_t there = script_name(scripts[i], first->names[name], strlen(first->names[name]));
            size_t times = there == SCRIPT_NONE ? 0 : scripts[i]->occurrences[there];
            if (times < first->occurrences[name]) {
                first->occurrences[name] = times;
            }
        }
    }
}

void script_refine(struct script *const *scripts, size_t count)
{
    assert(count > 0);
    refine_occurrences(scripts, count);
    for (size_t i = 0; i < scripts[0]->count; i++) {
        refine_step(scripts, count, i);
    }
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
