/* routes.c: the table of routes; see routes.h. */
#include "http/routes.h"

#include <assert.h>
#include <string.h>
#include "http/dialect.h"
#include "http/text.h"

#define KEY_ENCODED_BYTES_MAX (AFFINITY_KEY_BYTES_MAX * 3)

/* HEAD goes wherever GET goes. The manager disposes through its own path, too. */
static const struct route_row rows[] = {
    {"/render", false, "GET, HEAD, POST", HTTP_RENDER, TOKEN_RENDER},
    {"/heartbeat", false, "GET, HEAD", HTTP_HEARTBEAT, TOKEN_ADMIN},
    {"/affinities", false, "GET, HEAD", HTTP_AFFINITIES, TOKEN_ADMIN},
    {"/affinities/", true, "DELETE", HTTP_AFFINITY_DELETE, TOKEN_ADMIN},
    {"/prerender-servers/affinities/", true, "DELETE", HTTP_AFFINITY_DELETE, TOKEN_ADMIN},
    {"/healthz", false, "GET, HEAD", HTTP_HEALTHZ, TOKEN_NONE},
    {"/readyz", false, "GET, HEAD", HTTP_READYZ, TOKEN_NONE},
    {"/version", false, "GET, HEAD", HTTP_VERSION, TOKEN_RENDER},
    {"/openapi.json", false, "GET, HEAD", HTTP_OPENAPI, TOKEN_RENDER},
    {"/metrics", false, "GET, HEAD", HTTP_METRICS, TOKEN_ADMIN},
    {"/", false, "GET, HEAD", HTTP_INDEX, TOKEN_NONE},
    {"/prerender-visit", false, "POST", HTTP_VISIT, TOKEN_RENDER},
    {"/prerender-module", false, "POST", HTTP_MODULE, TOKEN_RENDER},
    {"/run-command", false, "POST", HTTP_COMMAND, TOKEN_RENDER},
    {"/prerender-screenshot", false, "POST", HTTP_SCREENSHOT, TOKEN_RENDER},
    {"/release-batch", false, "POST", HTTP_RELEASE_BATCH, TOKEN_RENDER},
};

static bool row_matches(const struct route_row *row, const char *path, size_t bytes)
{
    size_t length = strlen(row->path);
    if (!row->has_key)
        return bytes == length && memcmp(path, row->path, length) == 0;
    return bytes > length && memcmp(path, row->path, length) == 0 &&
           !memchr(path + length, '/', bytes - length);
}

static bool method_is_allowed(const char *allow, const char *method)
{
    const char *item;
    size_t count;
    while (text_list_next(&allow, &item, &count)) {
        if (strlen(method) == count && memcmp(method, item, count) == 0)
            return true;
    }
    return false;
}

bool route_find(const char *method, const char *target, struct route_target *ret,
                struct fault *fault)
{
    assert(method && target && ret);
    size_t bytes = strcspn(target, "?");
    char shown[TEXT_QUOTE_BYTES];
    *ret = (struct route_target){.query = target + bytes + (target[bytes] == '?' ? 1 : 0)};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!row_matches(&rows[i], target, bytes))
            continue;
        size_t length = strlen(rows[i].path);
        assert(length <= bytes);
        ret->row = &rows[i];
        ret->key = target + length;
        ret->key_bytes = bytes - length;
        if (method_is_allowed(rows[i].allow, method))
            return true;
        fault->allow = rows[i].allow;
        return fault_set(fault, HTTP_METHOD_NOT_ALLOWED, NULL, "%s%s has no method %s; it has %s.",
                         rows[i].path, rows[i].has_key ? "{key}" : "",
                         text_quote(shown, method, strlen(method)), rows[i].allow);
    }
    return fault_set(fault, HTTP_NOT_FOUND, NULL,
                     "There is no \"%s\"; there are /render, /affinities, /affinities/{key}, "
                     "/heartbeat, /healthz, /readyz, /metrics, /version and /openapi.json, and "
                     "URLs as /https://HOST/PATH.",
                     text_quote(shown, target, bytes));
}

const struct route_row *route_row(size_t index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

const char *http_route_name(enum http_route route)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].route == route)
            return rows[i].has_key ? "/affinities/{key}" : rows[i].path;
    }
    return route == HTTP_PATH_MODE ? "path mode" : "none";
}

bool http_route_is_render(enum http_route route)
{
    return route == HTTP_RENDER || route == HTTP_PATH_MODE ||
           (dialect_has(route) && route != HTTP_RELEASE_BATCH);
}

bool route_key(const struct route_target *target, char ret[AFFINITY_KEY_BYTES_MAX],
               size_t *ret_bytes, struct fault *fault)
{
    assert(target->row && target->row->has_key);
    assert(target->key_bytes > 0);
    char decoded[KEY_ENCODED_BYTES_MAX];
    size_t bytes = AFFINITY_KEY_BYTES_MAX + 1;
    bool fits = target->key_bytes <= sizeof(decoded);
    if (fits && !text_percent_decode(target->key, target->key_bytes, false, decoded, &bytes))
        return fault_set(
            fault, HTTP_INVALID_PARAM, "key",
            "The key in the path has a broken percent-escape; write a literal \"%%\" as %%25.");
    if (!fits || bytes > AFFINITY_KEY_BYTES_MAX)
        return fault_set(fault, HTTP_INVALID_PARAM, "key",
                         "The key in the path is longer than %d bytes.", AFFINITY_KEY_BYTES_MAX);
    memcpy(ret, decoded, bytes);
    *ret_bytes = bytes;
    return true;
}
