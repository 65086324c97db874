/* body.c: the JSON body of POST /render; see body.h.
 *
 * jansson parses the text; the rows of config/params.h say what may be in it. */
#include "http/body.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>
#include "http/fields.h"
#include "http/rules.h"
#include "http/text.h"

/* What the walk over one object needs; prefix is "" or the name of the object it is in. */
struct walk {
    const struct config *config;
    struct render_params *params;
    struct fault *fault;
    const char *prefix;
};

#define NAME_BYTES (2 * TEXT_QUOTE_BYTES)

/* More objects than the table has cannot wait: each has another name. */
#define PENDING_MAX 32

/* Where the depth first exceeds the bound, or SIZE_MAX. A parser of nested objects calls
 * itself, so the depth is judged before it is let loose on them. */
static size_t find_too_deep(const char *body, size_t bytes)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < bytes; i++) {
        char byte = body[i];
        if (in_string) {
            if (byte == '\\')
                i++;
            else if (byte == '"')
                in_string = false;
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
            if (depth > BODY_DEPTH_MAX)
                return i;
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        }
    }
    return SIZE_MAX;
}

bool body_is_too_deep(const char *body, size_t bytes)
{
    return find_too_deep(body, bytes) != SIZE_MAX;
}

/* How a JSON value reads in a message. */
static const char *show(const json_t *value, char ret[TEXT_QUOTE_BYTES + 2])
{
    char quoted[TEXT_QUOTE_BYTES];
    switch (json_typeof(value)) {
    case JSON_STRING:
        text_quote(quoted, json_string_value(value), json_string_length(value));
        snprintf(ret, TEXT_QUOTE_BYTES + 2, "\"%s\"", quoted);
        return ret;
    case JSON_INTEGER:
        snprintf(ret, TEXT_QUOTE_BYTES, "%" PRId64, (int64_t)json_integer_value(value));
        return ret;
    case JSON_REAL:
        snprintf(ret, TEXT_QUOTE_BYTES, "%g", json_real_value(value));
        return ret;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        return "null";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        break;
    }
    return "an object";
}

static bool store_string_item(const struct field *field, const json_t *item, struct fault *fault)
{
    const char *text = json_string_value(item);
    return field_add_string(field, text, json_string_length(item), fault);
}

/* The items of an array of strings or integers. */
static bool store_array(const struct field *field, const json_t *array, struct fault *fault)
{
    bool wants_text = field->row->type == PARAM_STRINGS;
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        char shown[TEXT_QUOTE_BYTES + 2], text[TEXT_QUOTE_BYTES + 32];
        if (wants_text ? !json_is_string(item) : !json_is_integer(item)) {
            snprintf(text, sizeof(text), "an array that holds %s", show(item, shown));
            return field_mismatch(field, text, fault);
        }
        if (wants_text ? !store_string_item(field, item, fault)
                       : !field_add_integer(field, json_integer_value(item), fault))
            return false;
    }
    return true;
}

/* One name, or an array of them; an empty one would ask for nothing at all. */
static bool store_set(const struct field *field, const json_t *value, struct fault *fault)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count == 0)
        return field_mismatch(field, "empty", fault);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        char shown[TEXT_QUOTE_BYTES + 2];
        if (!json_is_string(item))
            return field_mismatch(field, show(item, shown), fault);
        if (!field_add_choice(field, i == 0, json_string_value(item), json_string_length(item),
                              fault))
            return false;
    }
    return true;
}

static bool store_map(const struct field *field, const json_t *object, struct fault *fault)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char shown[TEXT_QUOTE_BYTES + 2], text[TEXT_QUOTE_BYTES + 32];
        if (!json_is_string(value)) {
            snprintf(text, sizeof(text), "an object that holds %s", show(value, shown));
            return field_mismatch(field, text, fault);
        }
        if (!field_add_pair(field, key, json_string_value(value), json_string_length(value), fault))
            return false;
    }
    return true;
}

/* A value that is no array and no object. */
static bool store_single(const struct field *field, const json_t *value, struct fault *fault)
{
    char shown[TEXT_QUOTE_BYTES + 2];
    enum param_type type = field->row->type;
    if (type == PARAM_STRING && json_is_string(value))
        return field_set_string(field, json_string_value(value), json_string_length(value), fault);
    if (type == PARAM_ENUM && json_is_string(value))
        return field_set_choice(field, json_string_value(value), json_string_length(value), fault);
    if (type == PARAM_INTEGER && json_is_integer(value))
        return field_set_integer(field, json_integer_value(value), fault);
    if (type == PARAM_NUMBER && json_is_number(value))
        return field_set_number(field, json_number_value(value), fault);
    if (type == PARAM_BOOLEAN && json_is_boolean(value))
        return field_set_boolean(field, json_is_true(value));
    return field_mismatch(field, show(value, shown), fault);
}

static const struct param_row *find_member(const struct param_row *row, const char *name)
{
    for (size_t i = 0; i < row->fields_count; i++) {
        if (strcmp(param_last_name(&row->fields[i]), name) == 0)
            return &row->fields[i];
    }
    return NULL;
}

static bool unknown_member(const struct param_row *row, const char *key, struct fault *fault)
{
    char shown[TEXT_QUOTE_BYTES], name[NAME_BYTES];
    text_quote(shown, key, strlen(key));
    snprintf(name, sizeof(name), "%s[].%s", row->name, shown);
    return fault_set(fault, HTTP_UNKNOWN_PARAM, name,
                     "An item of \"%s\" has no member \"%s\"; the nearest is \"%s\".", row->name,
                     shown, param_nearest_field(row, key));
}

/* The members that each record must have are there. */
static bool record_check(const struct param_row *row, const json_t *object, struct fault *fault)
{
    for (size_t i = 0; i < row->fields_count; i++) {
        const char *name = param_last_name(&row->fields[i]);
        if (row->fields[i].is_required && !json_object_get(object, name))
            return fault_set(fault, HTTP_INVALID_PARAM, row->fields[i].name,
                             "\"%s\" is missing; every item of \"%s\" needs it.",
                             row->fields[i].name, row->name);
    }
    return true;
}

static bool store_record(const struct field *field, json_t *object, struct fault *fault)
{
    struct field member = {.config = field->config, .base = field_add_record(field, fault)};
    const char *key;
    json_t *value;
    if (!member.base)
        return false;
    json_object_foreach(object, key, value)
    {
        member.row = find_member(field->row, key);
        if (!member.row)
            return unknown_member(field->row, key, fault);
        if (!store_single(&member, value, fault))
            return false;
    }
    return record_check(field->row, object, fault);
}

static bool store_records(const struct field *field, const json_t *array, struct fault *fault)
{
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        char shown[TEXT_QUOTE_BYTES + 2], text[TEXT_QUOTE_BYTES + 32];
        if (!json_is_object(item)) {
            snprintf(text, sizeof(text), "an array that holds %s", show(item, shown));
            return field_mismatch(field, text, fault);
        }
        if (!store_record(field, item, fault))
            return false;
    }
    return true;
}

static bool store(const struct walk *walk, const struct param_row *row, const json_t *value)
{
    const struct field field = {.config = walk->config, .row = row, .base = walk->params};
    walk->params->given[row - param_rows] = true;
    if ((row->type == PARAM_STRINGS || row->type == PARAM_INTEGERS) && json_is_array(value))
        return store_array(&field, value, walk->fault);
    if (row->type == PARAM_SET && (json_is_array(value) || json_is_string(value)))
        return store_set(&field, value, walk->fault);
    if (row->type == PARAM_MAP && json_is_object(value))
        return store_map(&field, value, walk->fault);
    if (row->type == PARAM_RECORDS && json_is_array(value))
        return store_records(&field, value, walk->fault);
    return store_single(&field, value, walk->fault);
}

/* The first row inside the object `name`, or NULL when no parameter is nested in it. */
static const struct param_row *row_inside(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < param_rows_count; i++) {
        const char *candidate = param_rows[i].name;
        if (strncmp(candidate, name, length) == 0 && candidate[length] == '.')
            return &param_rows[i];
    }
    return NULL;
}

static bool unknown_name(const struct walk *walk, const char *name)
{
    char shown[TEXT_QUOTE_BYTES];
    text_quote(shown, name, strlen(name));
    return fault_set(walk->fault, HTTP_UNKNOWN_PARAM, shown,
                     "There is no parameter \"%s\"; the nearest is \"%s\".", shown,
                     param_nearest(name));
}

/* A key with a dot in it, as in a query string. */
static bool dotted_key(const struct walk *walk, const char *name, const char *key)
{
    if (!param_find(name))
        return unknown_name(walk, name);
    if (walk->prefix[0] != '\0')
        return fault_set(walk->fault, HTTP_UNKNOWN_PARAM, name,
                         "A key of \"%s\" holds a dot; write a nested object.", walk->prefix);
    return fault_set(walk->fault, HTTP_UNKNOWN_PARAM, name,
                     "\"%s\" is written as a nested object: {\"%.*s\": {\"%s\": ...}}.", name,
                     (int)strcspn(key, "."), key, strchr(key, '.') + 1);
}

/* One member that is no object of parameters. */
static bool member(const struct walk *walk, const char *name, const json_t *value)
{
    const struct param_row *row = param_find(name);
    if (row && walk->params->given[row - param_rows])
        return field_given_twice(row, walk->fault);
    if (row)
        return store(walk, row, value);
    const struct param_row *inside = row_inside(name);
    if (!inside)
        return unknown_name(walk, name);
    char shown[TEXT_QUOTE_BYTES + 2];
    return fault_set(walk->fault, HTTP_INVALID_PARAM, name,
                     "\"%s\" is %s; it must be an object such as {\"%s\": ...}.", name,
                     show(value, shown), inside->name + strlen(name) + 1);
}

/* Objects that are still to be walked; the depth of a name bounds how many wait at once. */
struct pending {
    char prefix[NAME_BYTES];
    json_t *object;
};

static bool members(const struct walk *outer, const struct pending *pending, struct pending *stack,
                    size_t *depth)
{
    struct walk walk = *outer;
    const char *key;
    json_t *value;
    walk.prefix = pending->prefix;
    json_object_foreach(pending->object, key, value)
    {
        char name[2 * NAME_BYTES];
        snprintf(name, sizeof(name), "%s%s%.*s", walk.prefix, walk.prefix[0] ? "." : "",
                 NAME_BYTES - 1, key);
        if (strchr(key, '.')) {
            if (!dotted_key(&walk, name, key))
                return false;
        } else if (json_is_object(value) && row_inside(name) && *depth < PENDING_MAX) {
            snprintf(stack[*depth].prefix, NAME_BYTES, "%.*s", NAME_BYTES - 1, name);
            stack[(*depth)++].object = value;
        } else if (!member(&walk, name, value)) {
            return false;
        }
    }
    return true;
}

static bool walk_object(const struct walk *walk, json_t *root)
{
    struct pending stack[PENDING_MAX + 1] = {{.prefix = "", .object = root}};
    size_t depth = 1;
    while (depth > 0) {
        const struct pending pending = stack[--depth];
        if (!members(walk, &pending, stack, &depth))
            return false;
    }
    return rules_check(walk->params, walk->fault);
}

static json_t *parse(const char *body, size_t bytes, struct fault *fault)
{
    static const char hint[] = "send a JSON object such as {\"url\": \"https://example.com/\"}";
    size_t deep = find_too_deep(body, bytes);
    if (bytes == 0)
        (void)fault_set(fault, HTTP_BAD_JSON, NULL, "The body is empty; %s.", hint);
    else if (deep != SIZE_MAX)
        (void)fault_set(fault, HTTP_BAD_JSON, NULL,
                        "The body is nested deeper than %d levels at byte %zu.", BODY_DEPTH_MAX,
                        deep);
    if (fault_is_set(fault))
        return NULL;
    json_error_t error;
    json_t *root = json_loadb(body, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root) {
        (void)fault_set(fault, HTTP_BAD_JSON, NULL,
                        "The body is not valid JSON: %s (line %d, column %d, byte %d).", error.text,
                        error.line, error.column, error.position);
        return NULL;
    }
    if (json_is_object(root))
        return root;
    (void)fault_set(fault, HTTP_BAD_JSON, NULL, "The body is JSON, but not an object; %s.", hint);
    json_decref(root);
    return NULL;
}

bool body_parse(const struct config *config, const char *body, size_t bytes,
                struct render_params *ret, struct fault *fault)
{
    assert(body || bytes == 0);
    assert(!fault_is_set(fault));
    json_t *root = parse(body ? body : "", bytes, fault);
    if (!root)
        return false;
    struct render_params params;
    fields_init(config, &params);
    struct walk walk = {.config = config, .params = &params, .fault = fault, .prefix = ""};
    bool valid = walk_object(&walk, root);
    json_decref(root);
    if (!valid) {
        assert(fault_is_set(fault));
        render_params_free(&params);
        return false;
    }
    *ret = params;
    return true;
}
