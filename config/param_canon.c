/* param_canon.c: what was asked for as bytes: the same bytes for the same render. */
#include "config/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(FILE *out, const void *bytes, size_t count)
{
    if (count > 0) {
        (void)fwrite(bytes, 1, count, out);
    }
}

/* With its length before it, so that no two lists of strings read the same. */
static void put_string(FILE *out, const char *text, size_t count)
{
    size_t length = text ? count + 1 : 0;
    put(out, &length, sizeof length);
    if (text) {
        put(out, text, count);
    }
}

static void put_plain(FILE *out, const char *text)
{
    put_string(out, text, text ? strlen(text) : 0);
}

static void put_row_string(FILE *out, const struct param_row *row, const char *base)
{
    char *text;
    size_t bytes;
    memcpy(&text, base + row->offset, sizeof text);
    if (row->bytes_offset == 0) {
        put_plain(out, text);
        return;
    }
    memcpy(&bytes, base + row->bytes_offset, sizeof bytes);
    put_string(out, text, bytes);
}

/* A member that is no array of arrays: all that a record can hold. */
static void put_single(FILE *out, const struct param_row *row, const char *base)
{
    const char *member = base + row->offset;
    switch (row->type) {
    case PARAM_STRING:
        put_row_string(out, row, base);
        break;
    case PARAM_BOOLEAN:
        put(out, member, sizeof(bool));
        break;
    case PARAM_INTEGER:
    case PARAM_ENUM:
    case PARAM_SET:
        put(out, member, sizeof(unsigned));
        break;
    case PARAM_NUMBER:
        put(out, member, sizeof(double));
        break;
    case PARAM_STRINGS:
    case PARAM_INTEGERS:
    case PARAM_MAP:
    case PARAM_RECORDS:
        abort(); /* No record holds these. */
    }
}

static void put_strings(FILE *out, const struct param_strings *member)
{
    put(out, &member->count, sizeof member->count);
    for (size_t i = 0; i < member->count; i++) {
        put_plain(out, member->items[i]);
    }
}

static void put_integers(FILE *out, const struct param_integers *member)
{
    put(out, &member->count, sizeof member->count);
    put(out, member->items, member->count * sizeof *member->items);
}

static void put_pairs(FILE *out, const struct param_records *member)
{
    const struct param_pair *pairs = member->items;
    put(out, &member->count, sizeof member->count);
    for (size_t i = 0; i < member->count; i++) {
        put_plain(out, pairs[i].name);
        put_plain(out, pairs[i].value);
    }
}

static void put_records(FILE *out, const struct param_row *row, const struct param_records *member)
{
    put(out, &member->count, sizeof member->count);
    for (size_t i = 0; i < member->count; i++) {
        const char *record = (const char *)member->items + i * row->record_bytes;
        for (size_t j = 0; j < row->fields_count; j++) {
            put_single(out, &row->fields[j], record);
        }
    }
}

static void put_row(FILE *out, const struct param_row *row, const char *base)
{
    const void *member = base + row->offset;
    switch (row->type) {
    case PARAM_STRINGS:
        put_strings(out, member);
        break;
    case PARAM_INTEGERS:
        put_integers(out, member);
        break;
    case PARAM_MAP:
        put_pairs(out, member);
        break;
    case PARAM_RECORDS:
        put_records(out, row, member);
        break;
    case PARAM_STRING:
    case PARAM_BOOLEAN:
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_ENUM:
    case PARAM_SET:
        put_single(out, row, base);
        break;
    }
}

char *render_params_canonical(const struct render_params *params, size_t *ret_bytes)
{
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, ret_bytes);
    if (!out) {
        return NULL;
    }
    for (size_t i = 0; i < param_rows_count; i++) {
        put_row(out, &param_rows[i], (const char *)params);
    }
    put(out, &params->path_mode, sizeof params->path_mode);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
