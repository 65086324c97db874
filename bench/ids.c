/* ids.c: the table of ids; see ids.h. */
#include "bench/ids.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/harness.h"

/* Objects and arrays that may wait to be looked at. */
#define STACK_MAX 4096

enum id_class {
    ID_NONE,
    ID_FRAME, /* The main frame of a page has the id of its target. */
    ID_LOADER,
    ID_EXECUTION,
    ID_UNIQUE,
    ID_OBJECT,
    ID_NODE,
    ID_BACKEND_NODE,
    ID_SESSION,
    ID_CONTEXT,
    ID_SCRIPT,
};

struct id_pair {
    enum id_class class;
    json_t *then, *now; /* Owned. */
};

static const struct {
    const char *key;
    enum id_class class;
} keys[] = {
    {"frameId", ID_FRAME},
    {"targetId", ID_FRAME},
    {"parentId", ID_FRAME},
    {"loaderId", ID_LOADER},
    {"executionContextId", ID_EXECUTION},
    {"contextId", ID_EXECUTION},
    {"uniqueId", ID_UNIQUE},
    {"uniqueContextId", ID_UNIQUE},
    {"objectId", ID_OBJECT},
    {"nodeId", ID_NODE},
    {"backendNodeId", ID_BACKEND_NODE},
    {"sessionId", ID_SESSION},
    {"browserContextId", ID_CONTEXT},
    {"identifier", ID_SCRIPT},
};

/* "id" is a number in an execution context and a string in a frame. */
static enum id_class class_of(const char *key, const json_t *value)
{
    if (strcmp(key, "id") == 0) {
        return json_is_integer(value) ? ID_EXECUTION : ID_FRAME;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(key, keys[i].key) == 0) {
            return keys[i].class;
        }
    }
    return ID_NONE;
}

static void set_pair(struct ids *ids, enum id_class class, const json_t *then, const json_t *now)
{
    for (size_t i = 0; i < ids->count; i++) {
        struct id_pair *pair = &ids->pairs[i];
        if (pair->class == class && json_equal(pair->then, then)) {
            json_decref(pair->now);
            pair->now = json_deep_copy(now);
            return;
        }
    }
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity * 2 + 64;
        ids->pairs = realloc(ids->pairs, ids->capacity * sizeof(ids->pairs[0]));
        demand(ids->pairs != NULL, "no memory for ids");
    }
    ids->pairs[ids->count++] = (struct id_pair){class, json_deep_copy(then), json_deep_copy(now)};
}

void ids_set(struct ids *ids, const char *key, const char *then, const char *now)
{
    json_t *then_ = json_string(then), *now_ = json_string(now);
    set_pair(ids, class_of(key, now_), then_, now_);
    json_decref(then_);
    json_decref(now_);
}

struct two_trees {
    const json_t *then, *now;
};

static bool is_inner(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

static void push(struct two_trees *stack, size_t *depth, const json_t *then, const json_t *now)
{
    if (is_inner(then) && json_typeof(then) == json_typeof(now) && *depth < STACK_MAX) {
        stack[(*depth)++] = (struct two_trees){then, now};
    }
}

static void learn_object(struct ids *ids, struct two_trees trees, struct two_trees *stack,
                         size_t *depth)
{
    const char *key;
    json_t *then;
    json_object_foreach((json_t *)(uintptr_t)trees.then, key, then)
    {
        const json_t *now = json_object_get(trees.now, key);
        if (now == NULL) {
            continue;
        }
        enum id_class class = is_inner(then) ? ID_NONE : class_of(key, then);
        if (class != ID_NONE && json_typeof(then) == json_typeof(now)) {
            set_pair(ids, class, then, now);
        }
        push(stack, depth, then, now);
    }
}

void ids_learn(struct ids *ids, const json_t *then, const json_t *now)
{
    if (then == NULL || now == NULL) {
        return;
    }
    struct two_trees *stack = malloc(STACK_MAX * sizeof(*stack));
    demand(stack != NULL, "no memory for ids");
    size_t depth = 0;
    push(stack, &depth, then, now);
    while (depth > 0) {
        struct two_trees trees = stack[--depth];
        if (json_is_object(trees.then)) {
            learn_object(ids, trees, stack, &depth);
            continue;
        }
        for (size_t i = 0; i < json_array_size(trees.then) && i < json_array_size(trees.now); i++) {
            push(stack, &depth, json_array_get(trees.then, i), json_array_get(trees.now, i));
        }
    }
    free(stack);
}

static json_t *find(const struct ids *ids, enum id_class class, const json_t *then)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->pairs[i].class == class && json_equal(ids->pairs[i].then, then)) {
            return ids->pairs[i].now;
        }
    }
    return NULL;
}

json_t *ids_apply(const struct ids *ids, const json_t *tree)
{
    json_t *copy = json_deep_copy(tree);
    json_t **stack = malloc(STACK_MAX * sizeof(*stack));
    demand(stack != NULL, "no memory for ids");
    size_t depth = 0, index;
    stack[depth++] = copy;
    while (depth > 0) {
        json_t *at = stack[--depth], *value;
        const char *key;
        json_object_foreach(at, key, value)
        {
            enum id_class class = is_inner(value) ? ID_NONE : class_of(key, value);
            json_t *now = class == ID_NONE ? NULL : find(ids, class, value);
            if (now != NULL) {
                json_object_set(at, key, now); /* Replacing a value is allowed here. */
            } else if (is_inner(value) && depth < STACK_MAX) {
                stack[depth++] = value;
            }
        }
        json_array_foreach(at, index, value)
        {
            if (is_inner(value) && depth < STACK_MAX) {
                stack[depth++] = value;
            }
        }
    }
    free(stack);
    return copy;
}

void ids_free(struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        json_decref(ids->pairs[i].then);
        json_decref(ids->pairs[i].now);
    }
    free(ids->pairs);
    *ids = (struct ids){0};
}
