/* params.c: values of the rows of param_rows.c: their defaults, copies and ends; and names. */
#include "config/params.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "config/nearest.h"

static void *member_of(const struct param_row *row, void *base)
{
    return (char *)base + row->offset;
}

/* Writes the default of a single value into its member. */
static void set_initial(const struct param_row *row, void *base)
{
    unsigned number = (unsigned)row->initial;
    bool truth = row->initial != 0;
    switch (row->type) {
    case PARAM_BOOLEAN:
        memcpy(member_of(row, base), &truth, sizeof truth);
        break;
    case PARAM_INTEGER:
    case PARAM_ENUM:
    case PARAM_SET:
        memcpy(member_of(row, base), &number, sizeof number);
        break;
    case PARAM_NUMBER:
        memcpy(member_of(row, base), &row->number_initial, sizeof row->number_initial);
        break;
    case PARAM_STRING:
    case PARAM_STRINGS:
    case PARAM_INTEGERS:
    case PARAM_MAP:
    case PARAM_RECORDS:
        break; /* Nothing. */
    }
}

static void set_initials(const struct param_row *rows, size_t count, void *base)
{
    for (size_t i = 0; i < count; i++) {
        set_initial(&rows[i], base);
    }
}

void render_params_init(struct render_params *params)
{
    assert(params);
    memset(params, 0, sizeof *params);
    set_initials(param_rows, param_rows_count, params);
    assert(!params->url);
    assert(params->timeout_ms > 0);
}

const char *render_params_url(const struct render_params *params)
{
    if (params->url) {
        return params->url;
    }
    return params->base_url ? params->base_url : "about:blank";
}

void param_record_init(const struct param_row *row, void *record)
{
    assert(row->type == PARAM_RECORDS);
    memset(record, 0, row->record_bytes);
    set_initials(row->fields, row->fields_count, record);
}

static void free_string(char **member)
{
    free(*member);
    *member = NULL;
}

static void free_strings(struct param_strings *member)
{
    for (size_t i = 0; i < member->count; i++) {
        free(member->items[i]);
    }
    free(member->items);
    *member = (struct param_strings){.count = 0};
}

static void free_pairs(struct param_records *member)
{
    struct param_pair *pairs = member->items;
    for (size_t i = 0; i < member->count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(member->items);
    *member = (struct param_records){.count = 0};
}

/* The members of a record are single values. */
static void free_records(const struct param_row *row, struct param_records *member)
{
    for (size_t i = 0; i < member->count; i++) {
        char *record = (char *)member->items + i * row->record_bytes;
        for (size_t j = 0; j < row->fields_count; j++) {
            if (row->fields[j].type == PARAM_STRING) {
                free_string(member_of(&row->fields[j], record));
            }
        }
    }
    free(member->items);
    *member = (struct param_records){.count = 0};
}

void param_free(const struct param_row *row, void *base)
{
    void *member = member_of(row, base);
    switch (row->type) {
    case PARAM_STRING:
        free_string(member);
        break;
    case PARAM_STRINGS:
        free_strings(member);
        break;
    case PARAM_INTEGERS:
        free(((struct param_integers *)member)->items);
        *(struct param_integers *)member = (struct param_integers){.count = 0};
        break;
    case PARAM_MAP:
        free_pairs(member);
        break;
    case PARAM_RECORDS:
        free_records(row, member);
        break;
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_BOOLEAN:
    case PARAM_ENUM:
    case PARAM_SET:
        break;
    }
}

void render_params_free(struct render_params *params)
{
    if (!params) {
        return;
    }
    for (size_t i = 0; i < param_rows_count; i++) {
        param_free(&param_rows[i], params);
    }
    free(params->input);
    params->input = NULL;
    params->affinity_bytes = 0;
}

/* Strings hold no NUL, but for those that are counted; these have `bytes`. */
static bool copy_string(char **member, size_t bytes)
{
    if (!*member) {
        return true;
    }
    char *copy = malloc(bytes + 1);
    if (copy) {
        memcpy(copy, *member, bytes);
        copy[bytes] = '\0';
    }
    *member = copy;
    return copy != NULL;
}

static bool copy_plain(char **member)
{
    return copy_string(member, *member ? strlen(*member) : 0);
}

/* Replaces the array behind `*items` by a copy of its bytes; what those own is still shared. */
static bool copy_array(void **items, size_t bytes)
{
    if (!*items) {
        return true;
    }
    void *copy = malloc(bytes > 0 ? bytes : 1);
    if (copy) {
        memcpy(copy, *items, bytes);
    }
    *items = copy;
    return copy != NULL;
}

static bool copy_strings(struct param_strings *member)
{
    void *items = member->items;
    bool good = copy_array(&items, member->count * sizeof *member->items);
    member->items = items;
    member->count = good ? member->count : 0;
    for (size_t i = 0; i < member->count; i++) {
        good = copy_plain(&member->items[i]) && good;
    }
    return good;
}

static bool copy_pairs(struct param_records *member)
{
    bool good = copy_array(&member->items, member->count * sizeof(struct param_pair));
    struct param_pair *pairs = member->items;
    member->count = good ? member->count : 0;
    for (size_t i = 0; i < member->count; i++) {
        good = copy_plain(&pairs[i].name) && good;
        good = copy_plain(&pairs[i].value) && good;
    }
    return good;
}

static bool copy_records(const struct param_row *row, struct param_records *member)
{
    bool good = copy_array(&member->items, member->count * row->record_bytes);
    member->count = good ? member->count : 0;
    for (size_t i = 0; i < member->count; i++) {
        char *record = (char *)member->items + i * row->record_bytes;
        for (size_t j = 0; j < row->fields_count; j++) {
            if (row->fields[j].type == PARAM_STRING) {
                good = copy_plain(member_of(&row->fields[j], record)) && good;
            }
        }
    }
    return good;
}

/* The member at `base` is the bytes of another's; makes what it owns its own. After a
 * failure it still owns nothing of the other. */
static bool copy_member(const struct param_row *row, void *base)
{
    void *member = member_of(row, base);
    struct param_integers *integers = member;
    void *items;
    size_t bytes;
    bool good = true;
    switch (row->type) {
    case PARAM_STRING:
        if (row->bytes_offset == 0) {
            return copy_plain(member);
        }
        memcpy(&bytes, (char *)base + row->bytes_offset, sizeof bytes);
        return copy_string(member, bytes);
    case PARAM_STRINGS:
        return copy_strings(member);
    case PARAM_INTEGERS:
        items = integers->items;
        good = copy_array(&items, integers->count * sizeof *integers->items);
        integers->items = items;
        integers->count = good ? integers->count : 0;
        return good;
    case PARAM_MAP:
        return copy_pairs(member);
    case PARAM_RECORDS:
        return copy_records(row, member);
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_BOOLEAN:
    case PARAM_ENUM:
    case PARAM_SET:
        break;
    }
    return true;
}

bool render_params_copy(const struct render_params *params, struct render_params *ret)
{
    bool good = true;
    *ret = *params;
    for (size_t i = 0; i < param_rows_count; i++) {
        good = copy_member(&param_rows[i], ret) && good;
    }
    if (!good) {
        render_params_free(ret);
    }
    return good;
}

const struct param_row *param_find(const char *name)
{
    assert(name);
    for (size_t i = 0; i < param_rows_count; i++) {
        const struct param_row *row = &param_rows[i];
        if (strcmp(row->name, name) == 0 || (row->shorthand && strcmp(row->shorthand, name) == 0) ||
            (row->alias && strcmp(row->alias, name) == 0)) {
            return row;
        }
    }
    return NULL;
}

bool param_is_given(const struct render_params *params, const char *name)
{
    const struct param_row *row = param_find(name);
    assert(row);
    return params->given[row - param_rows];
}

const char *param_last_name(const struct param_row *row)
{
    const char *dot = strrchr(row->name, '.');
    return dot ? dot + 1 : row->name;
}

const char *param_nearest(const char *name)
{
    assert(name);
    const char *best = param_rows[0].name;
    size_t best_distance = nearest_distance(name, best);
    for (size_t i = 1; i < param_rows_count; i++) {
        size_t candidate = nearest_distance(name, param_rows[i].name);
        if (candidate < best_distance) {
            best_distance = candidate;
            best = param_rows[i].name;
        }
    }
    return best;
}

const char *param_nearest_field(const struct param_row *row, const char *name)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    assert(row->type == PARAM_RECORDS && row->fields_count > 0);
    for (size_t i = 0; i < row->fields_count; i++) {
        size_t candidate = nearest_distance(name, param_last_name(&row->fields[i]));
        if (candidate < best_distance) {
            best_distance = candidate;
            best = param_last_name(&row->fields[i]);
        }
    }
    return best;
}
