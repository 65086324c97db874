/* fields.c: values into members; see fields.h. */
#include "http/fields.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/selector.h"
#include "http/text.h"
#include "http/url.h"

#define VALID_BYTES 240

static void *member_of(const struct field *field)
{
    return (char *)field->base + field->row->offset;
}

/* The times of a request are bounded by a knob as well. */
static uint64_t integer_max(const struct field *field)
{
    uint64_t knob = field->config->render.timeout_ms_max;
    return field->row->is_timeout && knob < field->row->max ? knob : field->row->max;
}

/* "html, text, png", cut where the room ends. */
static void list_choices(const struct param_row *row, char *ret, size_t ret_bytes)
{
    size_t used = 0;
    for (size_t i = 0; row->choices[i] && used < ret_bytes; i++) {
        int more =
            snprintf(ret + used, ret_bytes - used, "%s%s", i == 0 ? "" : ", ", row->choices[i]);
        assert(more > 0);
        used += (size_t)more;
    }
}

static const char *valid_string(const struct param_row *row)
{
    switch (row->format) {
    case FORMAT_TEXT:
        return "";
    case FORMAT_URL:
        return " that is an http or https URL";
    case FORMAT_HEADER:
        return " of printable ASCII";
    case FORMAT_TOKEN:
        return " of letters, digits and the like";
    case FORMAT_SELECTOR:
        return " that are CSS selectors";
    case FORMAT_LOCALE:
        return " that is a language tag such as de-AT";
    }
    return "";
}

/* What a row accepts, as the end of a sentence. */
static const char *valid_values(const struct field *field, char ret[VALID_BYTES])
{
    const struct param_row *row = field->row;
    char choices[VALID_BYTES - 40] = "";
    if (row->choices)
        list_choices(row, choices, sizeof(choices));
    switch (row->type) {
    case PARAM_STRING:
        snprintf(ret, VALID_BYTES, "a string of %" PRIu64 " to %" PRIu64 " bytes%s", row->min,
                 row->max, valid_string(row));
        break;
    case PARAM_INTEGER:
        snprintf(ret, VALID_BYTES, "an integer from %" PRIu64 " to %" PRIu64, row->min,
                 integer_max(field));
        break;
    case PARAM_NUMBER:
        snprintf(ret, VALID_BYTES, "a number from %g to %g", row->number_min, row->number_max);
        break;
    case PARAM_BOOLEAN:
        snprintf(ret, VALID_BYTES, "true or false");
        break;
    case PARAM_ENUM:
        snprintf(ret, VALID_BYTES, "one of %s", choices);
        break;
    case PARAM_SET:
        snprintf(ret, VALID_BYTES, "an array of %s", choices);
        break;
    case PARAM_STRINGS:
        snprintf(ret, VALID_BYTES,
                 "an array of at most %zu strings of %" PRIu64 " to %" PRIu64 " bytes each%s",
                 row->count_max, row->min, row->max, valid_string(row));
        break;
    case PARAM_INTEGERS:
        snprintf(ret, VALID_BYTES, "an array of at most %zu integers from %" PRIu64 " to %" PRIu64,
                 row->count_max, row->min, row->max);
        break;
    case PARAM_MAP:
        snprintf(ret, VALID_BYTES,
                 "an object of at most %zu names with strings of %" PRIu64 " to %" PRIu64
                 " bytes each%s",
                 row->count_max, row->min, row->max, valid_string(row));
        break;
    case PARAM_RECORDS:
        snprintf(ret, VALID_BYTES, "an array of at most %zu objects such as [{\"%s\": ...}]",
                 row->count_max, param_last_name(&row->fields[0]));
        break;
    }
    return ret;
}

bool field_mismatch(const struct field *field, const char *shown, struct fault *fault)
{
    char valid[VALID_BYTES];
    return fault_set(fault, HTTP_INVALID_PARAM, field->row->name, "\"%s\" is %s; it must be %s.",
                     field->row->name, shown, valid_values(field, valid));
}

static bool out_of_memory(const struct field *field, struct fault *fault)
{
    return fault_set(fault, HTTP_INTERNAL, field->row->name, "The server is out of memory.");
}

/* The same with the value itself in quotes. */
static bool quoted_mismatch(const struct field *field, const char *value, size_t bytes,
                            struct fault *fault)
{
    char shown[TEXT_QUOTE_BYTES], quoted[TEXT_QUOTE_BYTES + 2];
    snprintf(quoted, sizeof(quoted), "\"%s\"", text_quote(shown, value, bytes));
    return field_mismatch(field, quoted, fault);
}

/* The value of that choice, or -1. */
static int find_choice(const struct param_row *row, const char *value, size_t bytes)
{
    for (int i = 0; row->choices[i]; i++) {
        if (strlen(row->choices[i]) == bytes && memcmp(row->choices[i], value, bytes) == 0)
            return i;
    }
    return -1;
}

bool field_set_choice(const struct field *field, const char *value, size_t bytes,
                      struct fault *fault)
{
    assert(field->row->type == PARAM_ENUM);
    int choice = find_choice(field->row, value, bytes);
    if (choice < 0)
        return quoted_mismatch(field, value, bytes, fault);
    unsigned number = (unsigned)choice;
    memcpy(member_of(field), &number, sizeof(number));
    return true;
}

bool field_add_choice(const struct field *field, bool is_first, const char *value, size_t bytes,
                      struct fault *fault)
{
    assert(field->row->type == PARAM_SET);
    int choice = find_choice(field->row, value, bytes);
    if (choice < 0)
        return quoted_mismatch(field, value, bytes, fault);
    assert(choice < 32);
    uint32_t *set = member_of(field);
    *set = (is_first ? 0 : *set) | UINT32_C(1) << choice;
    return true;
}

static bool is_token(const char *value, size_t bytes)
{
    static const char valid[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return bytes > 0 && memchr(value, '\0', bytes) == NULL && strspn(value, valid) == bytes;
}

static bool is_locale(const char *value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!isalnum((unsigned char)value[i]) && value[i] != '-')
            return false;
    }
    return bytes > 0 && isalpha((unsigned char)value[0]);
}

static bool is_header(const char *value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (value[i] < ' ' || value[i] > '~')
            return false;
    }
    return true;
}

static bool url_is_valid(const struct field *field, const char *value, size_t bytes,
                         struct fault *fault)
{
    if (url_check(value, bytes, field->config->http.url_bytes_max, fault))
        return true;
    if (strcmp(field->row->name, "url") == 0)
        return false;
    fault_init(fault); /* It spoke of another parameter. */
    return fault_set(fault, HTTP_INVALID_PARAM, field->row->name,
                     "\"%s\" must be an http or https URL with a host.", field->row->name);
}

/* `value` is NUL-terminated behind its bytes. */
static bool selector_check(const struct field *field, const char *value, size_t bytes,
                           struct fault *fault)
{
    struct selector selector;
    size_t at;
    char shown[TEXT_QUOTE_BYTES];
    const char *error = selector_parse(value, bytes, &selector, &at);
    if (!error)
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, field->row->name,
                     "\"%s\" holds \"%s\", which cannot be used: at byte %zu, %s.",
                     field->row->name, text_quote(shown, value, bytes), at, error);
}

static bool format_check(const struct field *field, enum param_format format, const char *value,
                         size_t bytes, struct fault *fault)
{
    switch (format) {
    case FORMAT_TEXT:
        return true;
    case FORMAT_URL:
        return url_is_valid(field, value, bytes, fault);
    case FORMAT_HEADER:
        return is_header(value, bytes) ||
               fault_set(fault, HTTP_INVALID_PARAM, field->row->name,
                         "\"%s\" holds a character that no header may hold; it must be "
                         "printable ASCII.",
                         field->row->name);
    case FORMAT_TOKEN:
        return is_token(value, bytes) || quoted_mismatch(field, value, bytes, fault);
    case FORMAT_SELECTOR:
        return selector_check(field, value, bytes, fault);
    case FORMAT_LOCALE:
        return is_locale(value, bytes) || quoted_mismatch(field, value, bytes, fault);
    }
    return false;
}

static bool string_check(const struct field *field, const char *value, size_t bytes,
                         struct fault *fault)
{
    const struct param_row *row = field->row;
    char shown[64];
    /* A URL has limits and messages of its own. */
    if (row->format != FORMAT_URL && (bytes < row->min || bytes > row->max)) {
        snprintf(shown, sizeof(shown), "%zu bytes long", bytes);
        return field_mismatch(field, bytes == 0 ? "empty" : shown, fault);
    }
    return format_check(field, row->format, value, bytes, fault);
}

/* A copy with a NUL behind it, or NULL and the fault. */
static char *copy_of(const struct field *field, const char *value, size_t bytes,
                     struct fault *fault)
{
    char *copy = malloc(bytes + 1);
    if (!copy) {
        (void)out_of_memory(field, fault);
        return NULL;
    }
    memcpy(copy, value, bytes);
    copy[bytes] = '\0';
    return copy;
}

bool field_set_string(const struct field *field, const char *value, size_t bytes,
                      struct fault *fault)
{
    assert(value);
    assert(field->row->type == PARAM_STRING);
    if (!string_check(field, value, bytes, fault))
        return false;
    char *copy = copy_of(field, value, bytes, fault);
    if (!copy)
        return false;
    char **member = member_of(field);
    assert(!*member);
    *member = copy;
    if (field->row->bytes_offset != 0)
        memcpy((char *)field->base + field->row->bytes_offset, &bytes, sizeof(bytes));
    return true;
}

/* Room for one more item in the array that has `count`; NULL: the fault. All the room there
 * may be is allocated with the first. */
static void *array_room(const struct field *field, void **items, size_t count, size_t item_bytes,
                        struct fault *fault)
{
    if (count == field->row->count_max) {
        (void)field_mismatch(field, "longer", fault);
        return NULL;
    }
    if (!*items)
        *items = calloc(field->row->count_max, item_bytes);
    if (!*items)
        (void)out_of_memory(field, fault);
    return *items ? (char *)*items + count * item_bytes : NULL;
}

bool field_add_string(const struct field *field, const char *value, size_t bytes,
                      struct fault *fault)
{
    struct param_strings *strings = member_of(field);
    void *items = strings->items;
    assert(field->row->type == PARAM_STRINGS);
    char **room = array_room(field, &items, strings->count, sizeof(*strings->items), fault);
    strings->items = items;
    if (!room || !string_check(field, value, bytes, fault))
        return false;
    *room = copy_of(field, value, bytes, fault);
    if (!*room)
        return false;
    strings->count++;
    return true;
}

static bool integer_check(const struct field *field, int64_t value, struct fault *fault)
{
    char shown[32];
    if (value >= 0 && (uint64_t)value >= field->row->min && (uint64_t)value <= integer_max(field)) {
        assert(value <= UINT32_MAX);
        return true;
    }
    snprintf(shown, sizeof(shown), "%" PRId64, value);
    return field_mismatch(field, shown, fault);
}

bool field_add_integer(const struct field *field, int64_t value, struct fault *fault)
{
    struct param_integers *integers = member_of(field);
    void *items = integers->items;
    assert(field->row->type == PARAM_INTEGERS);
    uint32_t *room = array_room(field, &items, integers->count, sizeof(*integers->items), fault);
    integers->items = items;
    if (!room || !integer_check(field, value, fault))
        return false;
    *room = (uint32_t)value;
    integers->count++;
    return true;
}

bool field_add_pair(const struct field *field, const char *name, const char *value, size_t bytes,
                    struct fault *fault)
{
    struct param_records *pairs = member_of(field);
    assert(field->row->type == PARAM_MAP);
    struct param_pair *room =
        array_room(field, &pairs->items, pairs->count, sizeof(struct param_pair), fault);
    size_t name_bytes = strlen(name);
    if (!room || !format_check(field, field->row->name_format, name, name_bytes, fault) ||
        !string_check(field, value, bytes, fault))
        return false;
    room->name = copy_of(field, name, name_bytes, fault);
    room->value = room->name ? copy_of(field, value, bytes, fault) : NULL;
    pairs->count++;
    return room->value != NULL;
}

void *field_add_record(const struct field *field, struct fault *fault)
{
    struct param_records *records = member_of(field);
    assert(field->row->type == PARAM_RECORDS);
    void *room =
        array_room(field, &records->items, records->count, field->row->record_bytes, fault);
    if (!room)
        return NULL;
    param_record_init(field->row, room);
    records->count++;
    return room;
}

bool field_set_integer(const struct field *field, int64_t value, struct fault *fault)
{
    assert(field->row->type == PARAM_INTEGER);
    if (!integer_check(field, value, fault))
        return false;
    uint32_t number = (uint32_t)value;
    memcpy(member_of(field), &number, sizeof(number));
    return true;
}

bool field_set_number(const struct field *field, double value, struct fault *fault)
{
    char shown[32];
    assert(field->row->type == PARAM_NUMBER);
    if (!(value >= field->row->number_min && value <= field->row->number_max)) {
        snprintf(shown, sizeof(shown), "%g", value);
        return field_mismatch(field, shown, fault);
    }
    memcpy(member_of(field), &value, sizeof(value));
    return true;
}

bool field_set_boolean(const struct field *field, bool value)
{
    assert(field->row->type == PARAM_BOOLEAN);
    memcpy(member_of(field), &value, sizeof(value));
    return true;
}

bool field_given_twice(const struct param_row *row, struct fault *fault)
{
    if (!row->alias)
        return fault_set(fault, HTTP_INVALID_PARAM, row->name,
                         "\"%s\" is given twice; give it once.", row->name);
    return fault_set(fault, HTTP_INVALID_PARAM, row->name,
                     "\"%s\", which is also called \"%s\", is given twice; give it once.",
                     row->name, row->alias);
}

void fields_init(const struct config *config, struct render_params *params)
{
    render_params_init(params);
    params->timeout_ms = config->render.timeout_ms;
    assert(params->timeout_ms > 0);
}
