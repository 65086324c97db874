/* openapi.c: the interface as an OpenAPI document; see openapi.h. */
#include "http/openapi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "config/params.h"
#include "http/http.h"
#include "http/routes.h"
#include "http/text.h"

#define METHOD_BYTES 16

static json_t *choices_json(const struct param_row *row)
{
    json_t *list = json_array();
    for (size_t i = 0; row->choices[i]; i++)
        (void)json_array_append_new(list, json_string(row->choices[i]));
    return list;
}

static json_t *string_schema(const struct param_row *row)
{
    return json_pack("{s:s, s:I, s:I}", "type", "string", "minLength", (json_int_t)row->min,
                     "maxLength", (json_int_t)row->max);
}

static json_t *integer_schema(const struct param_row *row)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)row->min,
                     "maximum", (json_int_t)row->max);
}

static json_t *array_schema(const struct param_row *row, json_t *items)
{
    return json_pack("{s:s, s:I, s:o}", "type", "array", "maxItems", (json_int_t)row->count_max,
                     "items", items);
}

/* One name, or an array of them. */
static json_t *set_schema(const struct param_row *row)
{
    json_t *initial = json_array();
    for (size_t i = 0; row->choices[i]; i++) {
        if (row->initial & UINT64_C(1) << i)
            (void)json_array_append_new(initial, json_string(row->choices[i]));
    }
    return json_pack("{s:[{s:s, s:o}, {s:s, s:i, s:{s:s, s:o}}], s:o}", "oneOf", "type", "string",
                     "enum", choices_json(row), "type", "array", "minItems", 1, "items", "type",
                     "string", "enum", choices_json(row), "default", initial);
}

/* The schema of a row that is no array of records. */
static json_t *single_schema(const struct param_row *row)
{
    json_t *schema;
    switch (row->type) {
    case PARAM_STRING:
        return string_schema(row);
    case PARAM_STRINGS:
        return array_schema(row, string_schema(row));
    case PARAM_INTEGER:
        schema = integer_schema(row);
        (void)json_object_set_new(schema, "default", json_integer((json_int_t)row->initial));
        return schema;
    case PARAM_INTEGERS:
        return array_schema(row, integer_schema(row));
    case PARAM_NUMBER:
        return json_pack("{s:s, s:f, s:f, s:f}", "type", "number", "minimum", row->number_min,
                         "maximum", row->number_max, "default", row->number_initial);
    case PARAM_BOOLEAN:
        return json_pack("{s:s, s:b}", "type", "boolean", "default", (int)row->initial);
    case PARAM_ENUM:
        return json_pack("{s:s, s:o, s:s}", "type", "string", "enum", choices_json(row), "default",
                         row->choices[row->initial]);
    case PARAM_SET:
        return set_schema(row);
    case PARAM_MAP:
        return json_pack("{s:s, s:I, s:o}", "type", "object", "maxProperties",
                         (json_int_t)row->count_max, "additionalProperties", string_schema(row));
    case PARAM_RECORDS:
        break;
    }
    abort(); /* Records hold no records, and every other type is above. */
}

static json_t *record_schema(const struct param_row *row)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < row->fields_count; i++) {
        const struct param_row *field = &row->fields[i];
        json_t *property = single_schema(field);
        (void)json_object_set_new(property, "description", json_string(field->meaning));
        (void)json_object_set_new(properties, param_last_name(field), property);
        if (field->is_required)
            (void)json_array_append_new(required, json_string(param_last_name(field)));
    }
    return json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
                     "properties", properties, "required", required);
}

/* The schema of one parameter. */
static json_t *param_schema(const struct param_row *row)
{
    return row->type == PARAM_RECORDS ? array_schema(row, record_schema(row)) : single_schema(row);
}

/* In a query string: arrays and objects have no form there, and sets are joined by commas. */
static json_t *query_schema(const struct param_row *row)
{
    switch (row->type) {
    case PARAM_SET:
        return json_pack("{s:s}", "type", "string");
    case PARAM_STRINGS:
    case PARAM_INTEGERS:
    case PARAM_MAP:
    case PARAM_RECORDS:
        return NULL;
    case PARAM_STRING:
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_BOOLEAN:
    case PARAM_ENUM:
        break;
    }
    return param_schema(row);
}

static json_t *object_schema(void)
{
    return json_pack("{s:s, s:b, s:{}}", "type", "object", "additionalProperties", 0, "properties");
}

/* The properties that the last part of a dotted name is among; *name is left at that part. */
static json_t *properties_of(json_t *schema, const char **name)
{
    json_t *properties = json_object_get(schema, "properties");
    for (const char *dot; (dot = strchr(*name, '.')) != NULL; *name = dot + 1) {
        size_t bytes = (size_t)(dot - *name);
        json_t *inner = json_object_getn(properties, *name, bytes);
        if (!inner) {
            inner = object_schema();
            (void)json_object_setn_new(properties, *name, bytes, inner);
        }
        properties = json_object_get(inner, "properties");
    }
    return properties;
}

/* Puts a property where its dotted name says. */
static void put_property(json_t *schema, const char *name, json_t *property)
{
    json_t *properties = properties_of(schema, &name);
    (void)json_object_set_new(properties, name, property);
}

/* In place of an object that is complete there may be its main member. */
static void put_shorthand(json_t *schema, const struct param_row *row)
{
    const char *name = row->shorthand;
    json_t *properties = properties_of(schema, &name);
    json_t *object = json_incref(json_object_get(properties, name));
    assert(object);
    (void)json_object_set_new(properties, name,
                              json_pack("{s:[o, o]}", "oneOf", param_schema(row), object));
}

/* Of the other name of a row. */
static json_t *alias_schema(const struct param_row *row, json_t *schema)
{
    char text[96];
    snprintf(text, sizeof text, "Another name of %s.", row->name);
    (void)json_object_set_new(schema, "description", json_string(text));
    return schema;
}

static json_t *render_schema(void)
{
    json_t *schema = object_schema();
    for (size_t i = 0; i < param_rows_count; i++) {
        const struct param_row *row = &param_rows[i];
        json_t *property = param_schema(row);
        (void)json_object_set_new(property, "description", json_string(row->meaning));
        put_property(schema, row->name, property);
        if (row->alias)
            put_property(schema, row->alias, alias_schema(row, param_schema(row)));
    }
    for (size_t i = 0; i < param_rows_count; i++) {
        if (param_rows[i].shorthand)
            put_shorthand(schema, &param_rows[i]);
    }
    (void)json_object_set_new(
        schema, "oneOf", json_pack("[{s:[s]}, {s:[s]}]", "required", "url", "required", "html"));
    return schema;
}

static void append_query(json_t *list, const struct param_row *row, const char *name,
                         const char *description)
{
    json_t *schema = query_schema(row);
    if (schema)
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:s, s:o}", "name", name, "in", "query",
                                              "description", description, "schema", schema));
}

static json_t *query_parameters(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < param_rows_count; i++) {
        const struct param_row *row = &param_rows[i];
        append_query(list, row, row->name, row->meaning);
        if (row->shorthand)
            append_query(list, row, row->shorthand, row->meaning);
        if (row->alias)
            append_query(list, row, row->alias, "Another name of a parameter of this list.");
    }
    return list;
}

static json_t *problem_schema(void)
{
    json_t *codes = json_array();
    for (unsigned i = 0; i < HTTP_CODES; i++)
        (void)json_array_append_new(codes, json_string(http_code_name((enum http_code)i)));
    return json_pack("{s:s, s:[s, s, s, s, s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
                     "s:{s:s, s:o}, s:{s:s}, s:{s:s}, s:{s:s}}}",
                     "type", "object", "required", "type", "title", "status", "detail", "code",
                     "properties", "type", "type", "string", "title", "type", "string", "status",
                     "type", "integer", "detail", "type", "string", "code", "type", "string",
                     "enum", codes, "param", "type", "string", "retryAfterMs", "type", "integer",
                     "requestId", "type", "string");
}

/* The forms of an answer: one media type for each output. */
static json_t *outputs_json(void)
{
    json_t *content = json_object();
    for (unsigned i = 0; i < OUTPUTS; i++) {
        const char *type = http_output_type((enum output)i);
        (void)json_object_setn_new(content, type, strcspn(type, ";"), json_object());
    }
    return content;
}

static json_t *responses(const struct route_row *row)
{
    json_t *list = json_object();
    bool is_delete = row->route == HTTP_AFFINITY_DELETE;
    json_t *good = json_pack("{s:s}", "description", is_delete ? "Disposed of." : "The answer.");
    if (row->route == HTTP_RENDER)
        (void)json_object_set_new(good, "content", outputs_json());
    else if (row->route == HTTP_METRICS)
        (void)json_object_set_new(good, "content", json_pack("{s:{}}", "text/plain"));
    else if (!is_delete)
        (void)json_object_set_new(good, "content", json_pack("{s:{}}", "application/json"));
    (void)json_object_set_new(list, is_delete ? "204" : "200", good);
    (void)json_object_set_new(list, "default",
                              json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "A problem.",
                                        "content", "application/problem+json", "schema", "$ref",
                                        "#/components/schemas/Problem"));
    return list;
}

/* One flag of a query, such as those of a disposal. */
static json_t *flag_json(const char *name, const char *meaning)
{
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:b}}", "name", name, "in", "query", "description",
                     meaning, "schema", "type", "boolean", "default", 0);
}

static json_t *operation(const struct route_row *row, const char *method)
{
    json_t *tree = json_pack("{s:o}", "responses", responses(row));
    if (row->scope != TOKEN_NONE)
        (void)json_object_set_new(
            tree, "security",
            json_pack("[{s:[]}, {s:[]}, {s:[]}, {}]", "bearer", "basic", "header"));
    if (row->route == HTTP_RENDER && strcmp(method, "post") == 0)
        (void)json_object_set_new(tree, "requestBody",
                                  json_pack("{s:b, s:{s:{s:{s:s}}}}", "required", 1, "content",
                                            "application/json", "schema", "$ref",
                                            "#/components/schemas/Render"));
    else if (row->route == HTTP_RENDER)
        (void)json_object_set_new(tree, "parameters", query_parameters());
    if (row->has_key)
        (void)json_object_set_new(
            tree, "parameters",
            json_pack("[{s:s, s:s, s:b, s:{s:s}}, o, o]", "name", "key", "in", "path", "required",
                      1, "schema", "type", "string",
                      flag_json("retain", "Keep one context without a page."),
                      flag_json("wait", "Answer when everything is closed.")));
    return tree;
}

static void put_route(json_t *paths, const struct route_row *row)
{
    char path[64];
    int length = snprintf(path, sizeof(path), "%s%s", row->path, row->has_key ? "{key}" : "");
    assert(length > 0 && (size_t)length < sizeof(path));
    json_t *item = json_object();
    const char *cursor = row->allow, *method;
    size_t count;
    while (text_list_next(&cursor, &method, &count)) {
        char name[METHOD_BYTES] = "";
        assert(count < sizeof(name));
        for (size_t i = 0; i < count; i++)
            name[i] = (char)(method[i] | 0x20);
        (void)json_object_set_new(item, name, operation(row, name));
    }
    (void)json_object_set_new(paths, path, item);
}

json_t *openapi_tree(void)
{
    json_t *paths = json_object();
    const struct route_row *row;
    for (size_t i = 0; (row = route_row(i)) != NULL; i++)
        put_route(paths, row);
    return json_pack(
        "{s:s, s:{s:s, s:s, s:{s:s, s:s}}, s:o, s:{s:{s:o, s:o}, s:{s:{s:s, s:s}, s:{s:s, s:s}, "
        "s:{s:s, s:s, s:s}}}}",
        "openapi", "3.1.0", "info", "title", "prerenderd", "version", PRERENDERD_VERSION, "license",
        "name", "MIT", "identifier", "MIT", "paths", paths, "components", "schemas", "Render",
        render_schema(), "Problem", problem_schema(), "securitySchemes", "bearer", "type", "http",
        "scheme", "bearer", "basic", "type", "http", "scheme", "basic", "header", "type", "apiKey",
        "in", "header", "name", "X-Prerender-Token");
}

char *http_openapi(size_t *ret_bytes)
{
    json_t *tree = openapi_tree();
    char *text = tree ? json_dumps(tree, JSON_INDENT(1)) : NULL;
    json_decref(tree);
    if (text)
        *ret_bytes = strlen(text);
    return text;
}
