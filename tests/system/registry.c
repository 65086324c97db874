/* registry.c: see registry.h. Servers are kept as JSON, by URL: the attributes of their last
 * heartbeat, with "seenMs" and, by affinity key, "assigned". */
#include "tests/system/registry.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/harness.h"

#define STALE_MS 30000

struct registry {
    pthread_mutex_t mutex;
    json_t *servers, *messages, *proxied;
    json_t *held; /* By affinity key, by URL: since the last release of a batch. */
    json_int_t pruned;
    char shell[128];
    int delay_ms, status;
};

struct registry *registry_new(void)
{
    struct registry *registry = calloc(1, sizeof *registry);
    (void)pthread_mutex_init(&registry->mutex, NULL);
    registry->servers = json_object();
    registry->messages = json_array();
    registry->proxied = json_array();
    registry->held = json_object();
    registry->status = 204;
    return registry;
}

static bool has(const json_t *array, const char *text)
{
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        if (strcmp(json_string_value(item), text) == 0) {
            return true;
        }
    }
    return false;
}

/* Decodes up to the end or one of `ends`. */
static void decode(const char *from, const char *ends, char *ret, size_t ret_bytes)
{
    size_t bytes = strcspn(from, ends), at = 0;
    for (size_t i = 0; i < bytes && at + 1 < ret_bytes; i++) {
        unsigned value = (unsigned char)from[i];
        if (from[i] == '%' && sscanf(from + i + 1, "%2x", &value) == 1) {
            i += 2;
        }
        ret[at++] = (char)value;
    }
    ret[at] = '\0';
}

static void query_value(const char *target, const char *name, char *ret, size_t ret_bytes)
{
    char pattern[32];
    (void)snprintf(pattern, sizeof pattern, "%s=", name);
    const char *at = strchr(target, '?');
    ret[0] = '\0';
    while (at != NULL && strncmp(at + 1, pattern, strlen(pattern)) != 0) {
        at = strchr(at + 1, '&');
    }
    if (at != NULL) {
        decode(at + 1 + strlen(pattern), "&", ret, ret_bytes);
    }
}

static void note_held(struct registry *registry, const char *key, const char *url)
{
    if (json_object_get(registry->held, key) == NULL) {
        (void)json_object_set_new(registry->held, key, json_object());
    }
    (void)json_object_set_new(json_object_get(registry->held, key), url, json_true());
}

/* Assignments that the server does not list any more are dropped. */
static void take_heartbeat(struct registry *registry, const json_t *json)
{
    const json_t *attributes = json_object_get(json_object_get(json, "data"), "attributes");
    const char *url = json_string_value(json_object_get(attributes, "url"));
    const json_t *warm = json_object_get(attributes, "warmedAffinities");
    const json_t *warming = json_object_get(attributes, "warmingAffinities");
    demand(url != NULL && json_is_array(warm), "a heartbeat without url or warm list");
    json_t *record = json_deep_copy(attributes);
    json_t *assigned = json_object();
    json_t *old = json_object_get(json_object_get(registry->servers, url), "assigned");
    const char *key;
    json_t *value;
    json_object_foreach(old, key, value)
    {
        if (has(warm, key) || has(warming, key)) {
            (void)json_object_set(assigned, key, value);
        }
    }
    size_t index;
    json_array_foreach(warm, index, value)
    {
        note_held(registry, json_string_value(value), url);
    }
    (void)json_object_set_new(record, "assigned", assigned);
    (void)json_object_set_new(record, "seenMs", json_integer((json_int_t)clock_ms()));
    (void)json_object_set_new(registry->servers, url, record);
    json_t *message = json_deep_copy(attributes);
    (void)json_object_set_new(message, "type", json_string("heartbeat"));
    (void)json_object_set_new(message, "atMs", json_integer((json_int_t)clock_ms()));
    (void)json_array_append_new(registry->messages, message);
}

/* "live" tells whether the sender's last heartbeat was younger than the notice and yet
 * listed the affinity: a notice that must not have been sent. */
static void take_notice(struct registry *registry, const char *target)
{
    char key[2048], url[512], seq[32];
    decode(target + strlen("/prerender-servers/affinities/"), "?", key, sizeof key);
    query_value(target, "url", url, sizeof url);
    query_value(target, "seq", seq, sizeof seq);
    const json_t *record = json_object_get(registry->servers, url);
    json_int_t number = strtoll(seq, NULL, 10);
    bool live = json_integer_value(json_object_get(record, "seq")) >= number &&
                has(json_object_get(record, "warmedAffinities"), key);
    (void)json_object_del(json_object_get(record, "assigned"), key);
    (void)json_array_append_new(registry->messages,
                                json_pack("{s:s, s:s, s:s, s:I, s:b, s:I}", "type", "notice", "url",
                                          url, "key", key, "seq", number, "live", live, "atMs",
                                          (json_int_t)clock_ms()));
}

static void take_unregister(struct registry *registry, const char *target)
{
    char url[512];
    query_value(target, "url", url, sizeof url);
    (void)json_object_del(registry->servers, url);
    (void)json_array_append_new(registry->messages,
                                json_pack("{s:s, s:s}", "type", "unregister", "url", url));
}

/* True when it was a message of a server. */
static bool take_message(struct registry *registry, const char *method, const char *target,
                         const json_t *json)
{
    bool is_delete = strcmp(method, "DELETE") == 0;
    if (strcmp(method, "POST") == 0 && strcmp(target, "/prerender-servers") == 0) {
        take_heartbeat(registry, json);
    } else if (is_delete && strncmp(target, "/prerender-servers/affinities/", 30) == 0) {
        take_notice(registry, target);
    } else if (is_delete && strncmp(target, "/prerender-servers?", 19) == 0) {
        take_unregister(registry, target);
    } else {
        return false;
    }
    return true;
}

static long take_order(struct registry *registry, const char *target, const json_t *json,
                       char **ret_text)
{
    if (strcmp(target, "/host-shell") == 0) {
        const char *hash = json_string_value(json_object_get(json, "hash"));
        if (hash != NULL) {
            (void)snprintf(registry->shell, sizeof registry->shell, "%s", hash);
        }
        return hash != NULL ? 204 : 400;
    }
    if (strcmp(target, "/behave") == 0) {
        registry->delay_ms = (int)json_integer_value(json_object_get(json, "delayMs"));
        registry->status = (int)json_integer_value(json_object_get(json, "status"));
        return 204;
    }
    if (strcmp(target, "/state") != 0) {
        return 0;
    }
    json_t *state =
        json_pack("{s:O, s:O, s:O, s:I}", "servers", registry->servers, "messages",
                  registry->messages, "proxied", registry->proxied, "pruned", registry->pruned);
    *ret_text = json_dumps(state, JSON_COMPACT);
    json_decref(state);
    return 200;
}

long registry_handle(struct registry *registry, const char *method, const char *target,
                     const json_t *json, char headers[512], char **ret_text)
{
    (void)pthread_mutex_lock(&registry->mutex);
    int delay_ms = 0;
    long status;
    if (take_message(registry, method, target, json)) {
        delay_ms = registry->delay_ms;
        status = registry->status;
        int bytes = snprintf(headers, 512, "X-Prerender-Server-Id: test\r\n");
        if (registry->shell[0] != '\0') {
            (void)snprintf(headers + bytes, 512 - (size_t)bytes,
                           "X-Boxel-Prerender-Host-Shell-Hash: %s\r\n", registry->shell);
        }
    } else {
        status = take_order(registry, target, json, ret_text);
    }
    (void)pthread_mutex_unlock(&registry->mutex);
    if (delay_ms > 0) {
        (void)poll(NULL, 0, delay_ms);
    }
    return status;
}

/* Of /render its own; of the dialect "type:value". */
static void affinity_of(const json_t *request, char ret[1024])
{
    const char *own = json_string_value(json_object_get(request, "affinity"));
    const json_t *attributes = json_object_get(json_object_get(request, "data"), "attributes");
    const char *type = json_string_value(json_object_get(attributes, "affinityType"));
    const char *value = json_string_value(json_object_get(attributes, "affinityValue"));
    if (own != NULL) {
        (void)snprintf(ret, 1024, "%s", own);
    } else {
        (void)snprintf(ret, 1024, "%s:%s", type != NULL ? type : "", value != NULL ? value : "");
    }
}

/* How many affinities are assigned or warm. */
static long load_of(const json_t *record)
{
    const json_t *assigned = json_object_get(record, "assigned");
    long count = (long)json_object_size(assigned);
    size_t index;
    json_t *key;
    json_array_foreach(json_object_get(record, "warmedAffinities"), index, key)
    {
        count += json_object_get(assigned, json_string_value(key)) == NULL;
    }
    return count;
}

/* The lower, the better: warm and idle, warm, assigned, and then by how much it has. */
static long rank(const json_t *record, const char *key)
{
    const json_t *assigned = json_object_get(record, "assigned");
    const json_t *vacancy = json_object_get(json_object_get(record, "affinityVacancy"), key);
    if (json_is_true(json_object_get(vacancy, "idle"))) {
        return 0;
    }
    if (vacancy != NULL) {
        return 1;
    }
    if (json_object_get(assigned, key) != NULL) {
        return 2;
    }
    return 3 + load_of(record);
}

bool registry_choose(struct registry *registry, const json_t *request, const json_t *tried,
                     char ret[512])
{
    char key[1024];
    long best = -1;
    const char *url;
    json_t *record, *chosen = NULL;
    affinity_of(request, key);
    (void)pthread_mutex_lock(&registry->mutex);
    json_object_foreach(registry->servers, url, record)
    {
        uint64_t seen_ms = (uint64_t)json_integer_value(json_object_get(record, "seenMs"));
        const char *status = json_string_value(json_object_get(record, "status"));
        if (has(tried, url) || clock_ms() - seen_ms > STALE_MS || strcmp(status, "active") != 0) {
            continue;
        }
        long mine = rank(record, key);
        if (best < 0 || mine < best) {
            best = mine;
            chosen = record;
            (void)snprintf(ret, 512, "%s", url);
        }
    }
    if (chosen != NULL) {
        (void)json_object_set_new(json_object_get(chosen, "assigned"), key, json_true());
        note_held(registry, key, ret);
    }
    (void)pthread_mutex_unlock(&registry->mutex);
    return chosen != NULL;
}

json_t *registry_release(struct registry *registry, const json_t *release)
{
    const char *type, *value, *batch;
    char key[1024];
    if (json_unpack((json_t *)release, "{s:s, s:s, s:s}", "batchId", &batch, "affinityType", &type,
                    "affinityValue", &value) != 0) {
        return NULL;
    }
    (void)snprintf(key, sizeof key, "%s:%s", type, value);
    json_t *urls = json_array();
    const char *url;
    json_t *unused;
    (void)pthread_mutex_lock(&registry->mutex);
    json_object_foreach(json_object_get(registry->held, key), url, unused)
    {
        (void)json_array_append_new(urls, json_string(url));
        (void)json_array_append_new(
            registry->messages,
            json_pack("{s:s, s:s, s:s}", "type", "release", "url", url, "key", key));
    }
    (void)json_object_del(registry->held, key);
    (void)pthread_mutex_unlock(&registry->mutex);
    return urls;
}

void registry_prune(struct registry *registry, const char *url)
{
    (void)pthread_mutex_lock(&registry->mutex);
    (void)json_object_del(registry->servers, url);
    registry->pruned++;
    (void)pthread_mutex_unlock(&registry->mutex);
}

void registry_note_proxied(struct registry *registry, const json_t *request, const char *url,
                           long status, size_t tries)
{
    char key[1024];
    affinity_of(request, key);
    (void)pthread_mutex_lock(&registry->mutex);
    (void)json_array_append_new(registry->proxied,
                                json_pack("{s:s, s:s, s:I, s:I}", "key", key, "url", url, "status",
                                          (json_int_t)status, "tries", (json_int_t)tries));
    (void)pthread_mutex_unlock(&registry->mutex);
}
