/* fields.c: values into struct render_params; see fields.h. */
#include "http/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/text.h"
#include "http/url.h"

#define VALID_BYTES 160

static bool row_is(const struct param_row *row, size_t offset)
{
    return row->offset == offset;
}

static char *member_of(struct render_params *params, const struct param_row *row)
{
    assert(row->offset < sizeof(*params));
    return (char *)params + row->offset;
}

/* The times of a request are bounded by a knob as well. */
static uint64_t integer_max(const struct config *config, const struct param_row *row)
{
    bool is_time = row_is(row, offsetof(struct render_params, timeout_ms)) ||
                   row_is(row, offsetof(struct render_params, queue_timeout_ms));
    uint64_t knob = config->render.timeout_ms_max;
    return is_time && knob < row->max ? knob : row->max;
}

/* What a row accepts, as the end of a sentence. */
static const char *valid_values(const struct config *config, const struct param_row *row,
                                char ret[VALID_BYTES])
{
    int used = 0;
    switch (row->type) {
    case PARAM_STRING:
        snprintf(ret, VALID_BYTES, "a string of %" PRIu64 " to %" PRIu64 " bytes", row->min,
                 row->max);
        break;
    case PARAM_INTEGER:
        snprintf(ret, VALID_BYTES, "an integer from %" PRIu64 " to %" PRIu64, row->min,
                 integer_max(config, row));
        break;
    case PARAM_STRINGS:
        snprintf(ret, VALID_BYTES,
                 "an array of at most %zu strings of %" PRIu64 " to %" PRIu64 " bytes each",
                 row->count_max, row->min, row->max);
        break;
    case PARAM_BOOLEAN:
        snprintf(ret, VALID_BYTES, "true or false");
        break;
    case PARAM_ENUM:
        ret[0] = '\0';
        for (size_t i = 0; row->choices[i] && used < VALID_BYTES; i++)
            used += snprintf(ret + used, (size_t)(VALID_BYTES - used), "%s%s",
                             i == 0 ? "one of " : ", ", row->choices[i]);
        break;
    }
    return ret;
}

bool field_mismatch(const struct config *config, const struct param_row *row, const char *shown,
                    struct fault *fault)
{
    char valid[VALID_BYTES];
    return fault_set(fault, HTTP_INVALID_PARAM, row->name, "\"%s\" is %s; it must be %s.",
                     row->name, shown, valid_values(config, row, valid));
}

static bool set_choice(const struct config *config, struct render_params *params,
                       const struct param_row *row, const char *value, size_t bytes,
                       struct fault *fault)
{
    for (unsigned i = 0; row->choices[i]; i++) {
        if (strlen(row->choices[i]) == bytes && memcmp(row->choices[i], value, bytes) == 0) {
            memcpy(member_of(params, row), &i, sizeof(i));
            return true;
        }
    }
    char shown[TEXT_QUOTE_BYTES], quoted[TEXT_QUOTE_BYTES + 2];
    snprintf(quoted, sizeof(quoted), "\"%s\"", text_quote(shown, value, bytes));
    return field_mismatch(config, row, quoted, fault);
}

static bool string_check(const struct config *config, const struct param_row *row,
                         const char *value, size_t bytes, struct fault *fault)
{
    if (row_is(row, offsetof(struct render_params, url)))
        return url_check(value, bytes, config->http.url_bytes_max, fault);
    if (row_is(row, offsetof(struct render_params, base)) &&
        !url_check(value, bytes, config->http.url_bytes_max, fault)) {
        fault_init(fault); /* It spoke of another parameter. */
        return fault_set(fault, HTTP_INVALID_PARAM, row->name,
                         "\"%s\" must be an http or https URL with a host.", row->name);
    }
    char shown[64];
    if (bytes < row->min || bytes > row->max) {
        snprintf(shown, sizeof(shown), "%zu bytes long", bytes);
        return field_mismatch(config, row, bytes == 0 ? "empty" : shown, fault);
    }
    return true;
}

/* A copy with a NUL behind it, or NULL and the fault. */
static char *copy_of(const struct param_row *row, const char *value, size_t bytes,
                     struct fault *fault)
{
    char *copy = malloc(bytes + 1);
    if (!copy) {
        (void)fault_set(fault, HTTP_INTERNAL, row->name, "The server is out of memory.");
        return NULL;
    }
    memcpy(copy, value, bytes);
    copy[bytes] = '\0';
    return copy;
}

bool field_set_string(const struct config *config, struct render_params *params,
                      const struct param_row *row, const char *value, size_t bytes,
                      struct fault *fault)
{
    assert(value);
    if (row->type == PARAM_ENUM)
        return set_choice(config, params, row, value, bytes, fault);
    assert(row->type == PARAM_STRING);
    if (!string_check(config, row, value, bytes, fault))
        return false;
    char *copy = copy_of(row, value, bytes, fault);
    if (!copy)
        return false;
    char *old;
    memcpy(&old, member_of(params, row), sizeof(old));
    assert(!old);
    memcpy(member_of(params, row), &copy, sizeof(copy));
    if (row_is(row, offsetof(struct render_params, affinity)))
        params->affinity_bytes = bytes;
    return true;
}

bool field_add_string(const struct config *config, struct render_params *params,
                      const struct param_row *row, const char *value, size_t bytes,
                      struct fault *fault)
{
    assert(row->type == PARAM_STRINGS);
    struct param_strings *strings = (void *)member_of(params, row);
    if (strings->count == row->count_max)
        return field_mismatch(config, row, "a longer array", fault);
    if (!string_check(config, row, value, bytes, fault))
        return false;
    if (!strings->items)
        strings->items = calloc(row->count_max, sizeof(*strings->items));
    char *copy = strings->items ? copy_of(row, value, bytes, fault) : NULL;
    if (!copy)
        return fault_is_set(fault)
                   ? false
                   : fault_set(fault, HTTP_INTERNAL, row->name, "The server is out of memory.");
    strings->items[strings->count++] = copy;
    return true;
}

bool field_set_integer(const struct config *config, struct render_params *params,
                       const struct param_row *row, int64_t value, struct fault *fault)
{
    assert(row->type == PARAM_INTEGER);
    if (value < 0 || (uint64_t)value < row->min || (uint64_t)value > integer_max(config, row)) {
        char shown[32];
        snprintf(shown, sizeof(shown), "%" PRId64, value);
        return field_mismatch(config, row, shown, fault);
    }
    uint32_t number = (uint32_t)value;
    assert(number == (uint64_t)value);
    memcpy(member_of(params, row), &number, sizeof(number));
    return true;
}

bool field_set_boolean(struct render_params *params, const struct param_row *row, bool value)
{
    assert(row->type == PARAM_BOOLEAN);
    memcpy(member_of(params, row), &value, sizeof(value));
    return true;
}

void fields_init(const struct config *config, struct render_params *params)
{
    render_params_init(params);
    params->timeout_ms = config->render.timeout_ms;
    assert(params->timeout_ms > 0);
}

static bool affinity_check(const struct render_params *params, struct fault *fault)
{
    bool other = params->isolation == ISOLATION_ORIGIN || params->isolation == ISOLATION_FRESH;
    if (params->isolation == ISOLATION_AFFINITY && !params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "isolation",
                         "\"isolation\" is \"affinity\", but there is no \"affinity\"; name the "
                         "key of the context to use.");
    if (other && params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "isolation",
                         "\"isolation\" is \"%s\", which cannot be combined with \"affinity\"; "
                         "leave one of them out.",
                         params->isolation == ISOLATION_ORIGIN ? "origin" : "fresh");
    if (params->lane == LANE_NESTED && !params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "lane",
                         "\"lane\" is \"nested\", but there is no \"affinity\"; name that of the "
                         "render which waits for this one.");
    return true;
}

static bool selector_check(const struct render_params *params, struct fault *fault)
{
    const struct wait_params *wait = &params->wait;
    if (wait->selector ||
        (wait->selector_state == SELECTOR_ATTACHED && wait->selector_min_count == 1))
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, "wait.selector.selector",
                     "\"wait.selector.selector\" is missing; the other members of "
                     "\"wait.selector\" are about what it matches.");
}

/* It goes into request headers. */
static bool user_agent_check(const struct render_params *params, struct fault *fault)
{
    for (const char *at = params->page.user_agent; at && *at; at++) {
        if (*at < ' ' || *at > '~')
            return fault_set(fault, HTTP_INVALID_PARAM, "page.userAgent",
                             "\"page.userAgent\" holds a character that no header may hold; it "
                             "must be printable ASCII.");
    }
    return true;
}

bool fields_check(const struct render_params *params, struct fault *fault)
{
    if (!params->url)
        return fault_set(
            fault, HTTP_INVALID_PARAM, "url",
            "\"url\" is missing; it names the page to render, such as \"https://example.com/\".");
    if (params->queue_timeout_ms > params->timeout_ms)
        return fault_set(fault, HTTP_INVALID_PARAM, "queueTimeoutMs",
                         "\"queueTimeoutMs\" is %u; it must be at most \"timeoutMs\" (%u), which "
                         "includes the queue.",
                         params->queue_timeout_ms, params->timeout_ms);
    return selector_check(params, fault) && user_agent_check(params, fault) &&
           affinity_check(params, fault);
}
