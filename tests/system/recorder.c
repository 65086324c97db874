/* recorder.c: Target events and lists of contexts; see recorder.h. */
#include "tests/system/recorder.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "cdp/message.h"
#include "cdp/wire.h"
#include "tests/system/harness.h"

#define PAGES_MAX 4096
#define ID_BYTES 64
#define SAMPLE_INTERVAL_MS 3
#define ID_DISCOVER 1
#define ID_CONTEXTS 2 /* The first of many; they go on counting. */

/* A page that exists, and the context it is in. */
struct seen_page {
    char target[ID_BYTES], context[ID_BYTES];
};

struct recorder {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    struct wire *wire;
    bool stopping, discovering;
    uint64_t next_id;
    bool asking;                /* A list was asked for and has not come. */
    char own_context[ID_BYTES]; /* The browser's own, which is not counted. */
    struct seen_page pages[PAGES_MAX];
    size_t pages_count;
    struct recorded recorded;
    pthread_mutex_t mutex; /* Guards .recorded.samples and .recorded.lost before the join. */
};

static void send_command(struct recorder *recorder, uint64_t id, const char *method, json_t *params)
{
    size_t bytes;
    char *text = message_format(id, method, params, NULL, &bytes);
    json_decref(params);
    demand(text != NULL, "no memory for a command");
    wire_send(recorder->wire, text, bytes);
}

static void ask_contexts(struct recorder *recorder)
{
    if (!recorder->asking && recorder->discovering && !recorder->stopping) {
        recorder->asking = true;
        send_command(recorder, recorder->next_id++, "Target.getBrowserContexts", NULL);
    }
}

static const char *text_at(const json_t *tree, const char *name)
{
    const char *text = json_string_value(json_object_get(tree, name));
    return text == NULL ? "" : text;
}

/* Counts the occupied contexts. Quadratic in a handful of pages. */
static void count_pages(struct recorder *recorder)
{
    uint32_t occupied = 0;
    for (size_t i = 0; i < recorder->pages_count; i++) {
        const char *context = recorder->pages[i].context;
        uint32_t same = 0, before = 0;
        for (size_t j = 0; j < recorder->pages_count; j++) {
            bool equal = strcmp(recorder->pages[j].context, context) == 0;
            same += equal;
            before += equal && j < i;
        }
        if (strcmp(context, recorder->own_context) == 0) {
            continue;
        }
        occupied += before == 0;
        if (same > recorder->recorded.pages_max) {
            recorder->recorded.pages_max = same;
        }
    }
    if (occupied > recorder->recorded.occupied_max) {
        recorder->recorded.occupied_max = occupied;
    }
}

static void on_created(struct recorder *recorder, const json_t *info)
{
    if (strcmp(text_at(info, "type"), "page") != 0) {
        return;
    }
    demand(recorder->pages_count < PAGES_MAX, "the recorder has no room for another page");
    struct seen_page *page = &recorder->pages[recorder->pages_count++];
    snprintf(page->target, sizeof(page->target), "%s", text_at(info, "targetId"));
    snprintf(page->context, sizeof(page->context), "%s", text_at(info, "browserContextId"));
    recorder->recorded.created++;
    count_pages(recorder);
}

static void on_destroyed(struct recorder *recorder, const char *target)
{
    for (size_t i = 0; i < recorder->pages_count; i++) {
        if (strcmp(recorder->pages[i].target, target) == 0) {
            recorder->pages[i] = recorder->pages[--recorder->pages_count];
            return;
        }
    }
}

static void on_contexts(struct recorder *recorder, const json_t *result)
{
    size_t count = json_array_size(json_object_get(result, "browserContextIds"));
    demand(text_at(result, "defaultBrowserContextId")[0] != '\0', "which context is its own?");
    snprintf(recorder->own_context, sizeof(recorder->own_context), "%s",
             text_at(result, "defaultBrowserContextId"));
    if (count > recorder->recorded.contexts_max) {
        recorder->recorded.contexts_max = (uint32_t)count;
    }
    count_pages(recorder);
    pthread_mutex_lock(&recorder->mutex);
    recorder->recorded.samples++;
    pthread_mutex_unlock(&recorder->mutex);
    recorder->asking = false;
}

static bool is_method(const struct cdp_message *message, const char *method)
{
    return message->method.at != NULL && message->method.bytes == strlen(method) &&
           memcmp(message->method.at, method, message->method.bytes) == 0;
}

static void on_message(struct recorder *recorder, struct cdp_message *message)
{
    json_t *body = message_tree(message->body);
    if (message->id == ID_DISCOVER) {
        demand(!message->is_error, "the browser refuses Target.setDiscoverTargets");
    } else if (message->id >= ID_CONTEXTS) {
        demand(!message->is_error, "the browser refuses Target.getBrowserContexts");
        on_contexts(recorder, body);
    } else if (is_method(message, "Target.targetCreated")) {
        on_created(recorder, json_object_get(body, "targetInfo"));
    } else if (is_method(message, "Target.targetDestroyed")) {
        on_destroyed(recorder, text_at(body, "targetId"));
    }
    json_decref(body);
}

static void finish(struct recorder *recorder)
{
    wire_free(recorder->wire);
    recorder->wire = NULL;
    uv_close((uv_handle_t *)&recorder->stop, NULL);
    uv_close((uv_handle_t *)&recorder->prepare, NULL);
    uv_close((uv_handle_t *)&recorder->check, NULL);
    uv_close((uv_handle_t *)&recorder->timer, NULL);
}

static void turn(struct recorder *recorder)
{
    if (recorder->wire == NULL) {
        return;
    }
    if (!recorder->discovering && wire_get_state(recorder->wire) == WIRE_OPEN) {
        recorder->discovering = true;
        /* The list comes first: it names the browser's own context. */
        ask_contexts(recorder);
        send_command(recorder, ID_DISCOVER, "Target.setDiscoverTargets",
                     json_pack("{s:b}", "discover", 1));
    }
    struct wire_message text;
    struct cdp_message message;
    while (wire_take(recorder->wire, &text)) {
        demand(message_scan(text.text, text.bytes, &message) == 0, "no CDP message: %.200s",
               text.text);
        on_message(recorder, &message);
        free(text.text);
    }
    if (wire_get_state(recorder->wire) == WIRE_CLOSED) {
        pthread_mutex_lock(&recorder->mutex);
        recorder->recorded.lost = recorder->recorded.lost || !recorder->stopping;
        pthread_mutex_unlock(&recorder->mutex);
        if (wire_is_gone(recorder->wire) && recorder->stopping) {
            finish(recorder);
        }
    }
}

static void on_prepare(uv_prepare_t *handle)
{
    turn(handle->data);
}

static void on_check(uv_check_t *handle)
{
    turn(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    ask_contexts(handle->data);
}

static void on_stop(uv_async_t *handle)
{
    struct recorder *recorder = handle->data;
    recorder->stopping = true;
    wire_close(recorder->wire);
}

static void *run(void *recorder_)
{
    struct recorder *recorder = recorder_;
    uv_run(&recorder->loop, UV_RUN_DEFAULT);
    demand(uv_loop_close(&recorder->loop) == 0, "the recorder's loop does not close");
    return NULL;
}

static bool has_sample(void *recorder_)
{
    struct recorder *recorder = recorder_;
    pthread_mutex_lock(&recorder->mutex);
    bool has = recorder->recorded.samples > 0 || recorder->recorded.lost;
    pthread_mutex_unlock(&recorder->mutex);
    return has;
}

struct recorder *recorder_start(const char *url)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    demand(recorder != NULL, "no memory for a recorder");
    recorder->next_id = ID_CONTEXTS;
    pthread_mutex_init(&recorder->mutex, NULL);
    uv_loop_init(&recorder->loop);
    uv_async_init(&recorder->loop, &recorder->stop, on_stop);
    uv_prepare_init(&recorder->loop, &recorder->prepare);
    uv_check_init(&recorder->loop, &recorder->check);
    uv_timer_init(&recorder->loop, &recorder->timer);
    recorder->stop.data = recorder->prepare.data = recorder->check.data = recorder;
    recorder->timer.data = recorder;
    recorder->wire = wire_new(&recorder->loop, url, 16u << 20);
    demand(recorder->wire != NULL, "no wire to %s", url);
    uv_prepare_start(&recorder->prepare, on_prepare);
    uv_check_start(&recorder->check, on_check);
    uv_timer_start(&recorder->timer, on_timer, SAMPLE_INTERVAL_MS, SAMPLE_INTERVAL_MS);
    demand(pthread_create(&recorder->thread, NULL, run, recorder) == 0, "no thread");
    demand(until(has_sample, recorder, SOON_MS), "the recorder sees no contexts");
    return recorder;
}

void recorder_stop(struct recorder *recorder, struct recorded *ret)
{
    uv_async_send(&recorder->stop);
    pthread_join(recorder->thread, NULL);
    *ret = recorder->recorded;
    pthread_mutex_destroy(&recorder->mutex);
    free(recorder);
}
