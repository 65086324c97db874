/* traffic.c: see traffic.h. */
#include "cdp/traffic.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *chromium, *name;
} types[TRAFFIC_TYPES] = {
    [TRAFFIC_DOCUMENT] = {"Document", "document"},
    [TRAFFIC_STYLESHEET] = {"Stylesheet", "stylesheet"},
    [TRAFFIC_IMAGE] = {"Image", "image"},
    [TRAFFIC_MEDIA] = {"Media", "media"},
    [TRAFFIC_FONT] = {"Font", "font"},
    [TRAFFIC_SCRIPT] = {"Script", "script"},
    [TRAFFIC_TEXT_TRACK] = {"TextTrack", "textTrack"},
    [TRAFFIC_XHR] = {"XHR", "xhr"},
    [TRAFFIC_FETCH] = {"Fetch", "fetch"},
    [TRAFFIC_PREFETCH] = {"Prefetch", "prefetch"},
    [TRAFFIC_EVENT_SOURCE] = {"EventSource", "eventSource"},
    [TRAFFIC_WEB_SOCKET] = {"WebSocket", "webSocket"},
    [TRAFFIC_MANIFEST] = {"Manifest", "manifest"},
    [TRAFFIC_PING] = {"Ping", "ping"},
    [TRAFFIC_PREFLIGHT] = {"Preflight", "preflight"},
    [TRAFFIC_OTHER] = {"Other", "other"},
};

const char *traffic_type_name(enum traffic_type type)
{
    assert(type < TRAFFIC_TYPES);
    return types[type].name;
}

enum traffic_type traffic_type_of(const char *text, size_t bytes)
{
    for (size_t i = 0; i < TRAFFIC_TYPES; i++) {
        if (strlen(types[i].chromium) == bytes && memcmp(types[i].chromium, text, bytes) == 0)
            return (enum traffic_type)i;
    }
    return TRAFFIC_OTHER;
}

/* Cuts at a character. */
static void copy_url(char ret[TRAFFIC_URL_BYTES + 1], const char *url)
{
    size_t bytes = strnlen(url, TRAFFIC_URL_BYTES + 1);

    if (bytes > TRAFFIC_URL_BYTES) {
        bytes = TRAFFIC_URL_BYTES;
        while (bytes > 0 && ((unsigned char)url[bytes] & 0xc0) == 0x80)
            bytes--;
    }
    memcpy(ret, url, bytes);
    ret[bytes] = '\0';
}

void traffic_begin(struct traffic *traffic, const struct traffic_rules *rules)
{
    memset(traffic, 0, sizeof *traffic);
    traffic->rules = *rules;
}

void traffic_committed(struct traffic *traffic, uint64_t loader)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < traffic->pending_count; i++) {
        if (traffic->pending[i].loader == loader)
            traffic->pending[kept++] = traffic->pending[i];
    }
    traffic->pending_count = kept;
}

static struct traffic_request *find(struct traffic *traffic, uint64_t id)
{
    for (uint32_t i = 0; i < traffic->pending_count; i++) {
        if (traffic->pending[i].id == id)
            return &traffic->pending[i];
    }
    return NULL;
}

/* Kinds of requests that may last as long as the page does, or that it does not wait for. */
static bool is_endless(enum traffic_type type)
{
    return type == TRAFFIC_EVENT_SOURCE || type == TRAFFIC_WEB_SOCKET || type == TRAFFIC_PING ||
           type == TRAFFIC_MEDIA || type == TRAFFIC_PREFETCH;
}

void traffic_started(struct traffic *traffic, uint64_t now_ms, const struct traffic_start *start)
{
    struct traffic_request *request = find(traffic, start->id);

    assert(start->type < TRAFFIC_TYPES);
    traffic->totals.count++;
    traffic->totals.by_type[start->type]++;
    if (request == NULL) {
        if (traffic->pending_count == TRAFFIC_PENDING_MAX)
            return;
        request = &traffic->pending[traffic->pending_count++];
    }
    *request = (struct traffic_request){
        .id = start->id,
        .loader = start->loader,
        .type = start->type,
        .is_counted = !is_endless(start->type) && !start->is_ignored,
        .started_ms = now_ms,
        .progress_ms = now_ms,
    };
    copy_url(request->url, start->url);
}

static void note_fault(struct traffic *traffic, enum traffic_fault fault, int status,
                       const char *url)
{
    if (traffic->fault != TRAFFIC_NO_FAULT)
        return;
    traffic->fault = fault;
    traffic->fault_status = status;
    copy_url(traffic->fault_url, url);
}

void traffic_answered(struct traffic *traffic, uint64_t now_ms, uint64_t id, int status,
                      bool is_main_document)
{
    const struct param_integers *bad = traffic->rules.bad_statuses;
    struct traffic_request *request = find(traffic, id);

    if (request == NULL)
        return;
    request->status = status;
    request->progress_ms = now_ms;
    for (size_t i = 0; bad != NULL && !is_main_document && i < bad->count; i++) {
        if (bad->items[i] == (uint32_t)status)
            note_fault(traffic, TRAFFIC_BAD_STATUS, status, request->url);
    }
}

void traffic_received(struct traffic *traffic, uint64_t now_ms, uint64_t id, uint64_t bytes)
{
    struct traffic_request *request = find(traffic, id);

    /* Of the document before, unless there was no room to follow it. */
    if (request != NULL || traffic->pending_count == TRAFFIC_PENDING_MAX)
        traffic->totals.bytes += bytes;
    if (request == NULL)
        return;
    request->bytes += bytes;
    request->progress_ms = now_ms;
}

void traffic_ended(struct traffic *traffic, uint64_t id, enum traffic_end end, uint64_t bytes)
{
    struct traffic_request *request = find(traffic, id);

    if (request == NULL)
        return;
    /* The last word knows of headers too; what it does not say again has come already. */
    if (bytes > request->bytes)
        traffic->totals.bytes += bytes - request->bytes;
    if (end == TRAFFIC_BROKEN) {
        traffic->totals.failed++;
        if (traffic->rules.is_failure_bad)
            note_fault(traffic, TRAFFIC_FAILED, 0, request->url);
    }
    if (end == TRAFFIC_BLOCKED)
        traffic->totals.blocked++;
    size_t after = traffic->pending_count - (size_t)(request - traffic->pending) - 1;
    memmove(request, request + 1, after * sizeof *request);
    traffic->pending_count--;
}

const char *traffic_overspent(const struct traffic *traffic)
{
    const struct traffic_rules *rules = &traffic->rules;

    if (rules->requests_max != 0 && traffic->totals.count > rules->requests_max)
        return "network.maxRequests";
    if (rules->bytes_max != 0 && traffic->totals.bytes > rules->bytes_max)
        return "network.maxBytes";
    return NULL;
}

static uint64_t stuck_at_ms(const struct traffic *traffic, const struct traffic_request *request)
{
    return request->progress_ms + traffic->rules.stuck_ms;
}

uint32_t traffic_active_count(struct traffic *traffic, uint64_t now_ms)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < traffic->pending_count; i++) {
        struct traffic_request *request = &traffic->pending[i];
        request->is_stuck = now_ms >= stuck_at_ms(traffic, request);
        if (request->is_counted && !request->is_stuck)
            count++;
    }
    return count;
}

uint64_t traffic_deadline_ms(const struct traffic *traffic)
{
    uint64_t deadline_ms = UINT64_MAX;

    for (uint32_t i = 0; i < traffic->pending_count; i++) {
        const struct traffic_request *request = &traffic->pending[i];
        uint64_t stuck_ms = stuck_at_ms(traffic, request);
        if (request->is_counted && !request->is_stuck && stuck_ms < deadline_ms)
            deadline_ms = stuck_ms;
    }
    return deadline_ms;
}
