/* dialect.c: see dialect.h. */
#include "http/dialect.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "http/body.h"
#include "http/fields.h"
#include "http/url.h"

#define PRIORITY_MAX 1000000

/* The attributes of a body, and which of the required ones are missing so far. */
struct reading {
    const json_t *attributes;
    char missing[256];
};

bool dialect_has(enum http_route route)
{
    switch (route) {
    case HTTP_VISIT:
    case HTTP_MODULE:
    case HTTP_COMMAND:
    case HTTP_SCREENSHOT:
    case HTTP_RELEASE_BATCH:
        return true;
    case HTTP_ROUTE_NONE:
    case HTTP_RENDER:
    case HTTP_HEARTBEAT:
    case HTTP_AFFINITIES:
    case HTTP_AFFINITY_DELETE:
    case HTTP_HEALTHZ:
    case HTTP_READYZ:
    case HTTP_VERSION:
    case HTTP_METRICS:
    case HTTP_OPENAPI:
    case HTTP_PATH_MODE:
    case HTTP_INDEX:
    case HTTP_ROUTES:
        break;
    }
    return false;
}

static void note_missing(struct reading *reading, const char *name)
{
    size_t at = strlen(reading->missing);
    (void)snprintf(reading->missing + at, sizeof reading->missing - at, "%s%s", at > 0 ? ", " : "",
                   name);
}

/* A string of more than blanks, without NUL; else NULL, and it is missing. */
static const char *required(struct reading *reading, const char *name)
{
    const json_t *value = json_object_get(reading->attributes, name);
    const char *text = json_string_value(value);
    if (text && strlen(text) == json_string_length(value) && text[strspn(text, " \t\r\n")] != '\0')
        return text;
    note_missing(reading, name);
    return NULL;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, 64 bit. */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash != 0 ? hash : 1;
}

/* Of the realms, whatever their order and their tokens; of the text when it is no object. */
static uint64_t fingerprint_of(const char *auth)
{
    json_t *object = json_loads(auth, 0, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return hash_text(auth);
    }
    json_t *keys = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)(void) json_object_set_new(keys, key, json_null());
    char *text = json_dumps(keys, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t hash = hash_text(text ? text : auth);
    free(text);
    json_decref(keys);
    json_decref(object);
    return hash;
}

static uint32_t priority_of(const json_t *value)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        return number <= 0 ? 0 : (uint32_t)(number < PRIORITY_MAX ? number : PRIORITY_MAX);
    }
    double number = json_is_real(value) ? json_real_value(value) : 0;
    if (!(number > 0))
        return 0;
    return number < PRIORITY_MAX ? (uint32_t)number : PRIORITY_MAX;
}

/* "type:value"; a key that is too long is as good as none. */
static size_t key_of(struct reading *reading, const char *type_wanted,
                     char ret[AFFINITY_KEY_BYTES_MAX + 1])
{
    const char *type = required(reading, "affinityType");
    const char *value = required(reading, "affinityValue");
    bool known = type && (type_wanted ? strcmp(type, type_wanted) == 0
                                      : strcmp(type, "realm") == 0 || strcmp(type, "user") == 0);
    if (type && !known)
        note_missing(reading, "affinityType");
    if (!known || !value)
        return 0;
    int bytes = snprintf(ret, AFFINITY_KEY_BYTES_MAX + 1, "%s:%s", type, value);
    if (bytes > 0 && bytes <= AFFINITY_KEY_BYTES_MAX)
        return (size_t)bytes;
    note_missing(reading, "affinityValue");
    return 0;
}

static uint64_t batch_of(const json_t *attributes)
{
    const char *batch = json_string_value(json_object_get(attributes, "batchId"));
    return batch && batch[strspn(batch, " \t\r\n")] != '\0' ? hash_text(batch) : 0;
}

static bool is_complete(const struct reading *reading, struct fault *fault)
{
    if (reading->missing[0] == '\0')
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, NULL, "Missing or invalid required attributes: %s",
                     reading->missing);
}

static bool read_release(struct reading *reading, struct http_request *ret, struct fault *fault)
{
    char key[AFFINITY_KEY_BYTES_MAX + 1];
    const char *batch = required(reading, "batchId");
    ret->key_bytes = key_of(reading, NULL, key);
    memcpy(ret->key, key, ret->key_bytes);
    ret->dialect.batch = batch ? hash_text(batch) : 0;
    return is_complete(reading, fault);
}

static bool take_text(char **ret, const char *text, struct fault *fault)
{
    *ret = strdup(text);
    return *ret || fault_set(fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
}

/* The attributes that the scripts of a recipe are called with: those that the protocol
 * knows, as they were sent. */
static bool take_input(const struct reading *reading, const struct http_request *http, char **ret,
                       struct fault *fault)
{
    static const char *const names[] = {"url",    "affinityType",  "affinityValue", "realm",
                                        "auth",   "renderOptions", "batchId",       "command",
                                        "format", "commandInput"};
    json_t *input = json_pack("{s:s, s:i}", "requestId", http->request_id, "priority",
                              (int)http->params.priority);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *value = json_object_get(reading->attributes, names[i]);
        if (value)
            (void)json_object_set(input, names[i], value);
    }
    *ret = input ? json_dumps(input, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(input);
    return *ret || fault_set(fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
}

/* The recipe of a route, or NULL. */
static const struct recipe *recipe_of(const struct config *config, enum http_route route)
{
    enum recipe_route index = route == HTTP_MODULE       ? RECIPE_MODULE
                              : route == HTTP_COMMAND    ? RECIPE_COMMAND
                              : route == HTTP_SCREENSHOT ? RECIPE_SCREENSHOT
                                                         : RECIPE_VISIT;
    return recipe_is_set(&config->recipes[index]) ? &config->recipes[index] : NULL;
}

/* What the manager cannot ask for, and what follows from the route. */
static void set_params(const struct config *config, enum http_route route,
                       struct render_params *params)
{
    fields_init(config, params);
    params->timeout_ms = config->manager.request_timeout_ms;
    params->queue_timeout_ms = 0;
    params->on_timeout = ON_TIMEOUT_ERROR;
    params->recipe = recipe_of(config, route);
    if (route == HTTP_SCREENSHOT) /* Beside the value of a recipe, if there is one. */
        params->outputs = OUTPUT_BIT(OUTPUT_PNG) | (params->recipe ? OUTPUT_BIT(OUTPUT_HTML) : 0);
    if (route == HTTP_MODULE || route == HTTP_COMMAND)
        params->lane = LANE_NESTED;
    /* Nothing else says that a recipe is ready, and a command may have been carried out. */
    if (params->recipe && params->recipe->ready)
        params->until = WAIT_LOAD;
    if (route == HTTP_COMMAND)
        params->retry_on_crash = false;
}

static bool take_params(const struct config *config, const struct reading *reading, const char *url,
                        const char *key, struct http_request *ret, struct fault *fault)
{
    struct render_params *params = &ret->params;
    set_params(config, ret->route, params);
    params->priority = priority_of(json_object_get(reading->attributes, "priority"));
    params->affinity_bytes = strlen(key);
    /* A command is about no URL: it runs where its shell is. */
    bool taken = take_text(&params->url, url ? url : params->recipe->standby_url, fault) &&
                 take_text(&params->affinity, key, fault) &&
                 (!params->recipe || take_input(reading, ret, &params->input, fault));
    if (!taken)
        render_params_free(params);
    return taken;
}

static bool is_format_valid(const json_t *format)
{
    const char *text = json_string_value(format);
    return !format || (text && (strcmp(text, "isolated") == 0 || strcmp(text, "embedded") == 0));
}

static bool read_work(const struct config *config, struct reading *reading,
                      struct http_request *ret, struct fault *fault)
{
    char key[AFFINITY_KEY_BYTES_MAX + 1];
    bool command = ret->route == HTTP_COMMAND;
    const char *subject = required(reading, command ? "command" : "url");
    struct fault url_fault;
    fault_init(&url_fault);
    if (subject && !command &&
        !url_check(subject, strlen(subject), config->http.url_bytes_max, &url_fault))
        note_missing(reading, "url");
    (void)key_of(reading, command ? "user" : "realm", key);
    const char *auth = required(reading, "auth");
    (void)required(reading, "realm");
    if (ret->route == HTTP_SCREENSHOT &&
        !is_format_valid(json_object_get(reading->attributes, "format")))
        note_missing(reading, "format");
    if (!is_complete(reading, fault))
        return false;
    const json_t *options = json_object_get(reading->attributes, "renderOptions");
    ret->dialect.fingerprint = fingerprint_of(auth);
    ret->dialect.batch = batch_of(reading->attributes);
    ret->dialect.clear_cache = json_is_true(json_object_get(options, "clearCache"));
    if (!recipe_of(config, ret->route) && (command || ret->route == HTTP_MODULE))
        return fault_set(fault, HTTP_INVALID_PARAM, NULL, "No recipe for %s",
                         http_route_name(ret->route));
    return take_params(config, reading, command ? NULL : subject, key, ret, fault);
}

bool dialect_parse(const struct config *config, const char *body, size_t bytes,
                   struct http_request *ret, struct fault *fault)
{
    assert(dialect_has(ret->route) && !fault_is_set(fault));
    bool deep = body_is_too_deep(body ? body : "", bytes);
    json_t *root = deep ? NULL : json_loadb(body ? body : "", bytes, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return fault_set(fault, HTTP_BAD_JSON, NULL, "Invalid JSON body");
    }
    bool release = ret->route == HTTP_RELEASE_BATCH;
    struct reading reading = {.attributes =
                                  json_object_get(json_object_get(root, "data"), "attributes")};
    if (release && !json_is_object(reading.attributes))
        reading.attributes = root;
    bool valid =
        release ? read_release(&reading, ret, fault) : read_work(config, &reading, ret, fault);
    json_decref(root);
    return valid;
}

void dialect_take(struct http_request *request)
{
    const struct render_params *params = &request->params;
    request->dialect = (struct http_dialect){
        .fingerprint = params->auth ? fingerprint_of(params->auth) : 0,
        .batch = params->batch ? hash_text(params->batch) : 0,
        .clear_cache = params->clear_cache,
    };
}

bool dialect_request_id_is_valid(const char *id)
{
    size_t length = strlen(id);
    return length >= 1 && length <= REQUEST_ID_BYTES_MAX &&
           strspn(id, "0123456789abcdefABCDEF-") == length;
}

int dialect_status(enum http_code code)
{
    return code == HTTP_DRAINING ? 410 : http_code_status(code);
}

char *dialect_problem(const struct http_problem *problem, size_t *ret_bytes)
{
    const char *message = problem->detail ? problem->detail : http_code_name(problem->code);
    json_t *root = json_pack("{s:[{s:i, s:s}]}", "errors", "status", dialect_status(problem->code),
                             "message", message);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    *ret_bytes = text ? strlen(text) : 0;
    return text;
}
