/* caller.c: see caller.h. */
#include "config/caller.h"

#include <assert.h>

/* Each lists what is nothing when it is absent or empty. */
static const char *const carrying[] = {"html",
                                       "method",
                                       "page.headers",
                                       "page.cookies",
                                       "page.inject",
                                       "page.httpAuth.username",
                                       "page.localStorage"};
static const char *const binding[] = {"method", "page.inject"};

/* The caller has put something there. */
static bool is_filled(const struct param_row *row, const struct render_params *params)
{
    const void *member = (const char *)params + row->offset;

    switch (row->type) {
    case PARAM_STRING:
        return *(char *const *)member != NULL;
    case PARAM_STRINGS:
        return ((const struct param_strings *)member)->count > 0;
    case PARAM_INTEGERS:
        return ((const struct param_integers *)member)->count > 0;
    case PARAM_MAP:
    case PARAM_RECORDS:
        return ((const struct param_records *)member)->count > 0;
    case PARAM_ENUM:
    case PARAM_SET:
        return *(const unsigned *)member != (unsigned)row->initial;
    case PARAM_INTEGER:
    case PARAM_NUMBER:
    case PARAM_BOOLEAN:
        break;
    }
    assert(false && "no rule says what such a row carries");
    return false;
}

static const char *find_filled(const char *const *names, size_t count,
                               const struct render_params *params)
{
    for (size_t i = 0; i < count; i++) {
        const struct param_row *row = param_find(names[i]);
        assert(row != NULL);
        if (is_filled(row, params)) {
            return row->name;
        }
    }
    return NULL;
}

const char *caller_carries(const struct render_params *params)
{
    return find_filled(carrying, sizeof carrying / sizeof carrying[0], params);
}

const char *caller_binds(const struct render_params *params)
{
    return find_filled(binding, sizeof binding / sizeof binding[0], params);
}

enum isolation caller_isolation(const struct render_params *params)
{
    if (params->isolation != ISOLATION_DEFAULT) {
        return params->isolation;
    }
    if (params->affinity != NULL) {
        return ISOLATION_AFFINITY;
    }
    return caller_carries(params) != NULL ? ISOLATION_FRESH : ISOLATION_ORIGIN;
}
