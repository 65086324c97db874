/* cli_params.c: parameters of a command line as the JSON body that POST /render would get. */
#include "daemon/cli.h"

#include <errno.h>
#include <string.h>

/* "png,pdf". */
static json_t *names_of(const char *text)
{
    json_t *names = json_array();
    for (;;) {
        size_t bytes = strcspn(text, ",");
        if (json_array_append_new(names, json_stringn(text, bytes)) != 0)
            break;
        if (text[bytes] == '\0')
            return names;
        text += bytes + 1;
    }
    json_decref(names);
    return NULL;
}

static json_t *one_of(const char *text)
{
    json_t *string = json_string(text);
    return string != NULL ? json_pack("[o]", string) : NULL;
}

/* What is no JSON stays a string, so that it is refused with the words of the interface.
 * NULL: it is no UTF-8. */
static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return value != NULL ? value : json_string(text);
}

static json_t *value_of(const struct param_row *row, const char *text)
{
    switch (row->type) {
    case PARAM_STRING:
    case PARAM_ENUM:
        return json_string(text);
    case PARAM_SET:
        return text[0] != '[' ? names_of(text) : parsed(text);
    case PARAM_STRINGS:
        return text[0] != '[' ? one_of(text) : parsed(text);
    case PARAM_BOOLEAN:
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_INTEGERS:
    case PARAM_MAP:
    case PARAM_RECORDS:
        break;
    }
    return parsed(text);
}

/* The object that holds the last part of a dotted name; the part goes to *ret_key. */
static json_t *object_of(json_t *params, const char *name, const char **ret_key)
{
    for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
        char part[64];
        size_t bytes = (size_t)(dot - name);
        if (bytes >= sizeof part)
            return NULL;
        memcpy(part, name, bytes);
        part[bytes] = '\0';
        json_t *inner = json_object_get(params, part);
        if (inner == NULL) {
            inner = json_object();
            if (json_object_set_new(params, part, inner) != 0)
                return NULL;
        }
        params = inner;
    }
    *ret_key = name;
    return params;
}

int cli_set_parameter(json_t *params, const struct param_row *row, const char *text)
{
    const char *key;
    json_t *value = value_of(row, text);
    json_t *object = object_of(params, row->name, &key);
    if (value == NULL || object == NULL) {
        json_decref(value);
        return value == NULL ? -EILSEQ : -ENOMEM;
    }
    json_t *before = json_object_get(object, key);
    if (before == NULL)
        return json_object_set_new(object, key, value) == 0 ? 0 : -ENOMEM;
    int code = -EEXIST;
    if (row->type == PARAM_STRINGS && json_is_array(before) && json_is_array(value))
        code = json_array_extend(before, value) == 0 ? 0 : -ENOMEM;
    json_decref(value);
    return code;
}
