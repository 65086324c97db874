/* test_openapi.c: the OpenAPI document has all that the tables have. That it is valid is
 * tested against a validator (system/test_path_mode.c). */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "config/params.h"
#include "http/http.h"
#include "http/openapi.h"
#include "http/routes.h"
#include "http/text.h"
#include "tests/suite.h"

static json_t *tree;

static void setup(void)
{
    tree = openapi_tree();
    ck_assert_ptr_nonnull(tree);
}

static void teardown(void)
{
    json_decref(tree);
}

static const json_t *schema_of(const char *name)
{
    const json_t *schemas = json_object_get(json_object_get(tree, "components"), "schemas");
    return json_object_get(schemas, name);
}

/* The properties of an object, or of the object that a shorthand may stand for. */
static const json_t *properties_of(const json_t *schema)
{
    const json_t *object = json_array_get(json_object_get(schema, "oneOf"), 1);
    const json_t *own = json_object_get(schema, "properties");
    return own != NULL ? own : json_object_get(object, "properties");
}

/* The property of that dotted name in the body of POST /render; NULL: there is none. */
static const json_t *find_property(const char *name)
{
    const json_t *schema = schema_of("Render");
    for (const char *end; *name != '\0'; name = *end == '.' ? end + 1 : end) {
        end = name + strcspn(name, ".");
        schema = json_object_getn(properties_of(schema), name, (size_t)(end - name));
    }
    return schema;
}

/* The parameter of that name of GET /render; NULL: there is none. */
static const json_t *find_query(const char *name)
{
    const json_t *path = json_object_get(json_object_get(tree, "paths"), "/render");
    const json_t *list = json_object_get(json_object_get(path, "get"), "parameters"), *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return item;
    }
    return NULL;
}

/* What a property of that row is; NULL: one of several. */
static const char *type_of(enum param_type type)
{
    static const char *const names[] = {
        [PARAM_STRING] = "string",   [PARAM_INTEGER] = "integer", [PARAM_NUMBER] = "number",
        [PARAM_BOOLEAN] = "boolean", [PARAM_ENUM] = "string",     [PARAM_SET] = NULL,
        [PARAM_STRINGS] = "array",   [PARAM_INTEGERS] = "array",  [PARAM_MAP] = "object",
        [PARAM_RECORDS] = "array",
    };
    return names[type];
}

static bool is_in_queries(enum param_type type)
{
    return type != PARAM_STRINGS && type != PARAM_INTEGERS && type != PARAM_MAP &&
           type != PARAM_RECORDS;
}

static void expect_name(const struct param_row *row, const char *name)
{
    ck_assert_msg(!is_in_queries(row->type) == (find_query(name) == NULL), "%s in a query", name);
    ck_assert_msg(find_property(name) != NULL, "%s is missing", name);
}

START_TEST(every_parameter)
{
    const struct param_row *row = &param_rows[_i];
    const json_t *property = find_property(row->name);
    expect_name(row, row->name);
    ck_assert_pstr_eq(json_string_value(json_object_get(property, "type")), type_of(row->type));
    ck_assert_str_eq(json_string_value(json_object_get(property, "description")), row->meaning);
    const json_t *fields = json_object_get(json_object_get(property, "items"), "properties");
    for (size_t i = 0; i < row->fields_count; i++) {
        const char *name = param_last_name(&row->fields[i]);
        ck_assert_msg(json_object_get(fields, name) != NULL, "%s", row->fields[i].name);
    }
    if (row->alias != NULL)
        expect_name(row, row->alias);
    if (row->shorthand == NULL)
        return;
    expect_name(row, row->shorthand);
    const json_t *forms = json_object_get(find_property(row->shorthand), "oneOf");
    const char *type = json_string_value(json_object_get(json_array_get(forms, 0), "type"));
    ck_assert_pstr_eq(type, type_of(row->type));
}
END_TEST

/* What it must have is what the interface demands. */
START_TEST(url_or_html)
{
    const json_t *either = json_object_get(schema_of("Render"), "oneOf");
    json_t *wanted = json_pack("[{s:[s]}, {s:[s]}]", "required", "url", "required", "html");
    ck_assert(json_equal(either, wanted));
    json_decref(wanted);
}
END_TEST

START_TEST(every_route)
{
    const struct route_row *row;
    for (size_t i = 0; (row = route_row(i)) != NULL; i++) {
        char path[64];
        const char *cursor = row->allow, *method;
        size_t count, methods = 0;
        (void)snprintf(path, sizeof path, "%s%s", row->path, row->has_key ? "{key}" : "");
        const json_t *item = json_object_get(json_object_get(tree, "paths"), path);
        ck_assert_msg(item != NULL, "%s is missing", path);
        while (text_list_next(&cursor, &method, &count))
            methods++;
        ck_assert_uint_eq(json_object_size(item), methods);
    }
}
END_TEST

START_TEST(every_code)
{
    const json_t *code = json_object_get(properties_of(schema_of("Problem")), "code");
    const json_t *names = json_object_get(code, "enum");
    ck_assert_uint_eq(json_array_size(names), HTTP_CODES);
    for (unsigned i = 0; i < HTTP_CODES; i++)
        ck_assert_str_eq(json_string_value(json_array_get(names, i)),
                         http_code_name((enum http_code)i));
}
END_TEST

START_TEST(every_output)
{
    const json_t *path = json_object_get(json_object_get(tree, "paths"), "/render");
    const json_t *good =
        json_object_get(json_object_get(json_object_get(path, "post"), "responses"), "200");
    for (unsigned i = 0; i < OUTPUTS; i++) {
        const char *type = http_output_type((enum output)i);
        size_t bytes = strcspn(type, ";");
        ck_assert_msg(json_object_getn(json_object_get(good, "content"), type, bytes) != NULL, "%s",
                      type);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("openapi");
    TCase *tests = tcase_create("openapi");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, every_parameter, 0, (int)param_rows_count);
    tcase_add_test(tests, url_or_html);
    tcase_add_test(tests, every_route);
    tcase_add_test(tests, every_code);
    tcase_add_test(tests, every_output);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
