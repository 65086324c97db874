/* knob.c: one row of the table applied to one value. */
#include "config/knobs.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "config/nearest.h"

static const char variable_prefix[] = "PRERENDERD_";

const struct knob *knob_find(const char *name)
{
    assert(name);
    /* The interface calls its listeners by this name; it is the one knob with two. */
    const char *wanted = strcmp(name, "listen") == 0 ? "http.listen" : name;
    for (size_t i = 0; i < knobs_count; i++) {
        if (strcmp(knobs[i].name, wanted) == 0) {
            return &knobs[i];
        }
    }
    return NULL;
}

const struct knob *knob_nearest(const char *name)
{
    assert(name);
    const struct knob *best = &knobs[0];
    size_t best_distance = nearest_distance(name, best->name);
    for (size_t i = 1; i < knobs_count; i++) {
        size_t candidate = nearest_distance(name, knobs[i].name);
        if (candidate < best_distance) {
            best_distance = candidate;
            best = &knobs[i];
        }
    }
    return best;
}

static char variable_letter(char letter)
{
    return letter == '.' ? '_' : (char)toupper((unsigned char)letter);
}

bool knob_is_variable(const struct knob *knob, const char *name, size_t name_bytes)
{
    char variable[128];
    knob_variable(knob, variable, sizeof variable);
    return strlen(variable) == name_bytes && memcmp(variable, name, name_bytes) == 0;
}

void knob_variable(const struct knob *knob, char *buffer, size_t buffer_bytes)
{
    size_t used = sizeof variable_prefix - 1, name_bytes = strlen(knob->name);
    assert(used + name_bytes < buffer_bytes);
    memcpy(buffer, variable_prefix, used);
    for (size_t i = 0; i < name_bytes; i++) {
        buffer[used + i] = variable_letter(knob->name[i]);
    }
    buffer[used + name_bytes] = '\0';
}

/* Only digits: no sign, no blank, no hexadecimal, no unit. */
static bool parse_digits(const char *text, uint64_t *ret)
{
    uint64_t number = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (!isdigit((unsigned char)*text) || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ret = number;
    return true;
}

static bool parse_number(const struct knob *knob, const char *value, uint64_t *ret)
{
    uint64_t number;
    if (knob->has_off && strcmp(value, "off") == 0) {
        *ret = UINT32_MAX;
        return true;
    }
    if (!parse_digits(value, &number)) {
        return false;
    }
    bool is_off = knob->zero_is_off && number == 0;
    if (!is_off && (number < knob->min || number > knob->max)) {
        return false;
    }
    *ret = number;
    return true;
}

static bool parse_choice(const char *const *choices, const char *value, uint64_t *ret)
{
    for (uint64_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], value) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static const char *const switch_names[] = {"no", "yes", NULL};

static bool is_text_valid(const struct knob *knob, const char *text)
{
    size_t bytes = strlen(text);
    if (bytes == 0 || bytes > KNOB_TEXT_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (iscntrl((unsigned char)text[i])) {
            return false;
        }
    }
    return !knob->is_valid || knob->is_valid(text);
}

static void *member_of(const struct knob *knob, struct config *config)
{
    return (char *)config + knob->offset;
}

static const void *const_member_of(const struct knob *knob, const struct config *config)
{
    return (const char *)config + knob->offset;
}

static void store_number(const struct knob *knob, uint64_t number, struct config *config)
{
    uint32_t narrow = (uint32_t)number;
    unsigned choice = (unsigned)number;
    bool truth = number != 0;
    switch (knob->type) {
    case KNOB_U32:
        assert(number <= UINT32_MAX);
        memcpy(member_of(knob, config), &narrow, sizeof narrow);
        break;
    case KNOB_U64:
        memcpy(member_of(knob, config), &number, sizeof number);
        break;
    case KNOB_SWITCH:
        memcpy(member_of(knob, config), &truth, sizeof truth);
        break;
    case KNOB_CHOICE:
        memcpy(member_of(knob, config), &choice, sizeof choice);
        break;
    case KNOB_TEXT:
        assert(knob->type != KNOB_TEXT);
        break;
    }
}

int knob_set_text(const struct knob *knob, const char *text, struct config *config)
{
    assert(knob->type == KNOB_TEXT);
    char *copy = strdup(text), *old;
    if (!copy) {
        return -ENOMEM;
    }
    memcpy(&old, member_of(knob, config), sizeof old);
    free(old);
    memcpy(member_of(knob, config), &copy, sizeof copy);
    return 0;
}

int knob_parse(const struct knob *knob, const char *value, struct config *config)
{
    assert(knob);
    assert(value);
    uint64_t number = 0;
    bool is_valid = false;
    switch (knob->type) {
    case KNOB_U32:
    case KNOB_U64:
        is_valid = parse_number(knob, value, &number);
        break;
    case KNOB_SWITCH:
        is_valid = parse_choice(switch_names, value, &number);
        break;
    case KNOB_CHOICE:
        is_valid = parse_choice(knob->choices, value, &number);
        break;
    case KNOB_TEXT:
        return is_text_valid(knob, value) ? knob_set_text(knob, value, config) : -EINVAL;
    }
    if (!is_valid) {
        return -EINVAL;
    }
    store_number(knob, number, config);
    return 0;
}

int knob_set_initial(const struct knob *knob, struct config *config)
{
    if (knob->type == KNOB_TEXT) {
        return knob_set_text(knob, knob->text ? knob->text : "", config);
    }
    store_number(knob, knob->initial, config);
    return 0;
}

uint64_t knob_number(const struct knob *knob, const struct config *config)
{
    const void *member = const_member_of(knob, config);
    uint64_t wide = 0;
    uint32_t narrow = 0;
    unsigned choice = 0;
    bool truth = false;
    switch (knob->type) {
    case KNOB_U32:
        memcpy(&narrow, member, sizeof narrow);
        return narrow;
    case KNOB_U64:
        memcpy(&wide, member, sizeof wide);
        return wide;
    case KNOB_SWITCH:
        memcpy(&truth, member, sizeof truth);
        return truth;
    case KNOB_CHOICE:
        memcpy(&choice, member, sizeof choice);
        return choice;
    case KNOB_TEXT:
        break;
    }
    assert(knob->type != KNOB_TEXT);
    return 0;
}

const char *knob_text(const struct knob *knob, const struct config *config)
{
    assert(knob->type == KNOB_TEXT);
    const char *text;
    memcpy(&text, const_member_of(knob, config), sizeof text);
    return text ? text : "";
}

static void join_choices(const char *const *choices, char *buffer, size_t buffer_bytes)
{
    size_t used = (size_t)snprintf(buffer, buffer_bytes, "one of");
    for (size_t i = 0; choices[i]; i++) {
        assert(used < buffer_bytes);
        used += (size_t)snprintf(buffer + used, buffer_bytes - used, "%s %s", i > 0 ? "," : "",
                                 choices[i]);
    }
    assert(used < buffer_bytes);
}

void knob_range(const struct knob *knob, char *buffer, size_t buffer_bytes)
{
    const char *off = knob->zero_is_off ? "0 (off) or " : knob->has_off ? "off or " : "";
    switch (knob->type) {
    case KNOB_U32:
    case KNOB_U64:
        snprintf(buffer, buffer_bytes, "%san integer from %" PRIu64 " to %" PRIu64, off, knob->min,
                 knob->max);
        break;
    case KNOB_SWITCH:
        snprintf(buffer, buffer_bytes, "yes or no");
        break;
    case KNOB_CHOICE:
        join_choices(knob->choices, buffer, buffer_bytes);
        break;
    case KNOB_TEXT:
        snprintf(buffer, buffer_bytes, "%s",
                 knob->form ? knob->form : "text without control characters, at most 4000 bytes");
        break;
    }
}

void knob_value(const struct knob *knob, const struct config *config, char *buffer,
                size_t buffer_bytes)
{
    if (knob->type == KNOB_TEXT) {
        snprintf(buffer, buffer_bytes, "%s", knob_text(knob, config));
        return;
    }
    uint64_t number = knob_number(knob, config);
    if (knob->type == KNOB_CHOICE) {
        snprintf(buffer, buffer_bytes, "%s", knob->choices[number]);
    } else if (knob->type == KNOB_SWITCH) {
        snprintf(buffer, buffer_bytes, "%s", switch_names[number]);
    } else if (knob->has_off && number == UINT32_MAX) {
        snprintf(buffer, buffer_bytes, "off");
    } else {
        snprintf(buffer, buffer_bytes, "%" PRIu64, number);
    }
}

void knob_default(const struct knob *knob, char *buffer, size_t buffer_bytes)
{
    struct config config = {0};
    if (knob->computed) {
        snprintf(buffer, buffer_bytes, "%s", knob->computed);
        return;
    }
    if (knob->type == KNOB_TEXT) {
        snprintf(buffer, buffer_bytes, "%s", knob->text ? knob->text : "");
        return;
    }
    store_number(knob, knob->initial, &config);
    knob_value(knob, &config, buffer, buffer_bytes);
}
