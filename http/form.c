/* form.c: query strings; see form.h. */
#include "http/form.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/fields.h"
#include "http/rules.h"
#include "http/text.h"

/* One pair of a query, decoded. The strings live in the copy that the form owns. */
struct form {
    char *copy;
    const char *query;
    char *name, *value; /* NUL-terminated; the value may hold no other NUL. */
    size_t value_bytes;
};

enum form_step { FORM_PAIR, FORM_END, FORM_BAD };

static bool form_begin(struct form *form, const char *query, struct fault *fault)
{
    *form = (struct form){.query = query, .copy = malloc(strlen(query) + 2)};
    if (!form->copy)
        return fault_set(fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
    return true;
}

/* Decodes the next pair into the copy: name, NUL, value, NUL. */
static enum form_step form_next(struct form *form, struct fault *fault)
{
    form->query += strspn(form->query, "&");
    size_t bytes = strcspn(form->query, "&");
    if (bytes == 0)
        return FORM_END;
    size_t name_encoded = strcspn(form->query, "=&");
    bool has_value = name_encoded < bytes;
    const char *value_encoded = form->query + name_encoded + (has_value ? 1 : 0);
    size_t value_encoded_bytes = bytes - name_encoded - (has_value ? 1 : 0);
    size_t name_bytes = 0;
    char shown[TEXT_QUOTE_BYTES];
    form->name = form->copy;
    bool valid = text_percent_decode(form->query, name_encoded, true, form->name, &name_bytes);
    form->name[valid ? name_bytes : 0] = '\0';
    form->value = form->name + (valid ? name_bytes : 0) + 1;
    valid = valid && text_percent_decode(value_encoded, value_encoded_bytes, true, form->value,
                                         &form->value_bytes);
    text_quote(shown, form->query, name_encoded);
    form->query += bytes;
    if (!valid) {
        (void)fault_set(fault, HTTP_INVALID_PARAM, shown,
                        "The query parameter \"%s\" has a broken percent-escape; write a literal "
                        "\"%%\" as %%25.",
                        shown);
        return FORM_BAD;
    }
    form->value[form->value_bytes] = '\0';
    if (!text_is_utf8(form->value, form->value_bytes) ||
        memchr(form->value, '\0', form->value_bytes) || strlen(form->name) != name_bytes) {
        (void)fault_set(fault, HTTP_INVALID_PARAM, shown,
                        "The query parameter \"%s\" is not valid UTF-8 text without NUL.", shown);
        return FORM_BAD;
    }
    return FORM_PAIR;
}

static bool boolean_parse(const char *text, bool *ret)
{
    *ret = strcmp(text, "true") == 0;
    return *ret || strcmp(text, "false") == 0;
}

static bool integer_parse(const char *text, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

static bool number_parse(const char *text, double *ret)
{
    char *end;
    if (strspn(text, "-0123456789.") != strlen(text))
        return false;
    *ret = strtod(text, &end);
    return end != text && *end == '\0';
}

/* Names joined by commas. */
static bool store_set(const struct field *field, const char *text, struct fault *fault)
{
    bool is_first = true;
    for (; is_first || *text != '\0'; is_first = false) {
        size_t bytes = strcspn(text, ",");
        if (!field_add_choice(field, is_first, text, bytes, fault))
            return false;
        text += bytes + (text[bytes] == ',' ? 1 : 0);
    }
    return true;
}

static bool store(const struct config *config, struct render_params *params,
                  const struct param_row *row, const struct form *form, struct fault *fault)
{
    const struct field field = {.config = config, .row = row, .base = params};
    int64_t number;
    double real;
    bool truth;
    switch (row->type) {
    case PARAM_STRING:
        return field_set_string(&field, form->value, form->value_bytes, fault);
    case PARAM_ENUM:
        return field_set_choice(&field, form->value, form->value_bytes, fault);
    case PARAM_SET:
        return store_set(&field, form->value, fault);
    case PARAM_INTEGER:
        if (integer_parse(form->value, &number))
            return field_set_integer(&field, number, fault);
        break;
    case PARAM_NUMBER:
        if (number_parse(form->value, &real))
            return field_set_number(&field, real, fault);
        break;
    case PARAM_STRINGS:
    case PARAM_INTEGERS:
    case PARAM_MAP:
    case PARAM_RECORDS:
        return fault_set(fault, HTTP_INVALID_PARAM, row->name,
                         "\"%s\" is an array or an object, which a query string cannot hold; use "
                         "POST with a JSON body.",
                         row->name);
    case PARAM_BOOLEAN:
        if (boolean_parse(form->value, &truth))
            return field_set_boolean(&field, truth);
        break;
    }
    char shown[TEXT_QUOTE_BYTES], quoted[TEXT_QUOTE_BYTES + 2];
    snprintf(quoted, sizeof(quoted), "\"%s\"", text_quote(shown, form->value, form->value_bytes));
    return field_mismatch(&field, quoted, fault);
}

static bool unknown_name(const struct form *form, struct fault *fault)
{
    char shown[TEXT_QUOTE_BYTES];
    text_quote(shown, form->name, strlen(form->name));
    return fault_set(fault, HTTP_UNKNOWN_PARAM, shown,
                     "There is no parameter \"%s\"; the nearest is \"%s\".", shown,
                     param_nearest(form->name));
}

static bool given_twice(const char *name, struct fault *fault)
{
    return fault_set(fault, HTTP_INVALID_PARAM, name,
                     "The query parameter \"%s\" is given twice; give it once.", name);
}

static bool render_pairs(const struct config *config, struct form *form,
                         struct render_params *params, struct fault *fault)
{
    enum form_step step;
    while ((step = form_next(form, fault)) == FORM_PAIR) {
        const struct param_row *row = param_find(form->name);
        if (!row)
            return unknown_name(form, fault);
        size_t index = (size_t)(row - param_rows);
        if (params->given[index])
            return field_given_twice(row, fault);
        params->given[index] = true;
        if (!store(config, params, row, form, fault))
            return false;
    }
    return step == FORM_END && rules_check(params, fault);
}

bool form_parse_render(const struct config *config, const char *query, struct render_params *ret,
                       struct fault *fault)
{
    assert(!fault_is_set(fault));
    struct form form;
    if (!form_begin(&form, query, fault))
        return false;
    struct render_params params;
    fields_init(config, &params);
    bool valid = render_pairs(config, &form, &params, fault);
    free(form.copy);
    if (!valid) {
        assert(fault_is_set(fault));
        render_params_free(&params);
        return false;
    }
    *ret = params;
    return true;
}

static bool delete_pair(const struct form *form, bool *flags, unsigned *seen, struct fault *fault)
{
    static const char *const names[] = {"retain", "wait"};
    for (unsigned i = 0; i < 2; i++) {
        if (strcmp(form->name, names[i]) != 0)
            continue;
        if (*seen & 1U << i)
            return given_twice(form->name, fault);
        *seen |= 1U << i;
        if (boolean_parse(form->value, &flags[i]))
            return true;
        char shown[TEXT_QUOTE_BYTES];
        return fault_set(fault, HTTP_INVALID_PARAM, names[i],
                         "\"%s\" is \"%s\"; it must be true or false.", names[i],
                         text_quote(shown, form->value, form->value_bytes));
    }
    char shown[TEXT_QUOTE_BYTES];
    text_quote(shown, form->name, strlen(form->name));
    return fault_set(
        fault, HTTP_UNKNOWN_PARAM, shown,
        "There is no query parameter \"%s\"; DELETE /affinities/{key} has \"retain\" and \"wait\".",
        shown);
}

bool form_parse_delete(const char *query, bool *ret_retain, bool *ret_wait, struct fault *fault)
{
    struct form form;
    bool flags[2] = {false, false};
    unsigned seen = 0;
    if (!form_begin(&form, query, fault))
        return false;
    enum form_step step;
    bool valid = true;
    while (valid && (step = form_next(&form, fault)) != FORM_END)
        valid = step == FORM_PAIR && delete_pair(&form, flags, &seen, fault);
    free(form.copy);
    if (valid) {
        *ret_retain = flags[0];
        *ret_wait = flags[1];
    }
    return valid;
}

bool form_parse_none(const char *query, const char *route, struct fault *fault)
{
    size_t bytes = strcspn(query + strspn(query, "&"), "=&");
    if (bytes == 0)
        return true;
    char shown[TEXT_QUOTE_BYTES];
    text_quote(shown, query + strspn(query, "&"), bytes);
    return fault_set(fault, HTTP_UNKNOWN_PARAM, shown,
                     "There is no query parameter \"%s\"; %s has none.", shown, route);
}
