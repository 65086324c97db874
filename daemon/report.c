/* report.c: documents about the state: heartbeat, affinities, health, version. They are
 * projections made when asked for; nothing here is kept. */
#include "daemon/daemon.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/heartbeat_text.h"
#include "daemon/status_page.h"

/* Takes the body, which is in *reply or NULL for want of memory. */
static void send_document(struct daemon *daemon, uint64_t exchange, const struct http_reply *reply)
{
    if (reply->body != NULL) {
        (void)http_reply(daemon->http, exchange, reply);
        return;
    }
    const struct http_problem problem = {.code = HTTP_INTERNAL, .detail = "Out of memory."};
    (void)http_reply_problem(daemon->http, exchange, &problem, NULL, 0);
}

/* `tells_draining`: with the header by which managers know a server that drains. */
static void reply_json_with(struct daemon *daemon, uint64_t exchange, int status, json_t *root,
                            bool tells_draining)
{
    static const struct http_header draining = {"X-Boxel-Prerender-Server-Status", "draining"};
    struct http_reply reply = {.status = status, .content_type = "application/json"};
    reply.headers = &draining;
    reply.headers_count = tells_draining ? 1 : 0;
    reply.body = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    reply.body_bytes = reply.body != NULL ? strlen(reply.body) : 0;
    json_decref(root);
    send_document(daemon, exchange, &reply);
}

static void reply_json(struct daemon *daemon, uint64_t exchange, int status, json_t *root)
{
    reply_json_with(daemon, exchange, status, root, false);
}

/* As a manager identifies it: without query, fragment and trailing slash. */
void report_url(const struct daemon *daemon, char ret[REPORT_URL_BYTES])
{
    if (daemon->config.manager.advertise_url[0] != '\0') {
        (void)snprintf(ret, REPORT_URL_BYTES, "%s", daemon->config.manager.advertise_url);
        ret[strcspn(ret, "?#")] = '\0';
        for (size_t end = strlen(ret); end > 0 && ret[end - 1] == '/'; end--)
            ret[end - 1] = '\0';
        return;
    }
    char host[256];
    if (gethostname(host, sizeof host) != 0)
        (void)snprintf(host, sizeof host, "localhost");
    host[sizeof host - 1] = '\0';
    const char *address = http_address(daemon->http, 0);
    const char *port = address != NULL ? strrchr(address, ':') : NULL;
    (void)snprintf(ret, REPORT_URL_BYTES, "http://%s%s", host, port != NULL ? port : "");
}

char *report_heartbeat(struct daemon *daemon, size_t *ret_bytes)
{
    char url[REPORT_URL_BYTES];
    report_url(daemon, url);
    const struct heartbeat_facts facts = {
        .url = url,
        .boot_id = daemon->boot_id,
        .seq = ++daemon->heartbeat_seq,
        .is_draining = daemon->state != DAEMON_SERVING,
    };
    return heartbeat_text(daemon->pool, &facts, ret_bytes);
}

static void reply_heartbeat(struct daemon *daemon, uint64_t exchange)
{
    struct http_reply reply = {.status = 200, .content_type = "application/json"};
    reply.body = report_heartbeat(daemon, &reply.body_bytes);
    send_document(daemon, exchange, &reply);
}

static const char *space_name(char space)
{
    return space == KEY_CLIENT ? "client" : (space == KEY_ORIGIN ? "origin" : "fresh");
}

static json_t *affinity_json(const struct daemon *daemon, const struct pool_affinity *affinity)
{
    char space = affinity->key[0];
    json_t *key =
        space == KEY_FRESH ? json_null() : json_stringn(affinity->key + 1, affinity->key_bytes - 1);
    if (key == NULL) /* The hash of an over-long origin is no text. */
        key = json_null();
    const char *state = affinity->live ? "live" : (affinity->warming ? "warming" : "cold");
    return json_pack("{s:o, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:I}", "key", key, "space",
                     space_name(space), "state", state, "pages", (int)affinity->pages, "idlePages",
                     (int)affinity->pages_idle, "contexts", (int)affinity->contexts, "waiting",
                     (int)affinity->waiting, "running", (int)affinity->running, "lastUsedMs",
                     (json_int_t)(daemon->now_ms - affinity->used_ms));
}

static json_t *pages_json(const struct pool_stats *stats)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "opening",
                     (int)stats->pages_opening, "standby", (int)stats->pages_standby, "idle",
                     (int)stats->pages_idle, "probing", (int)stats->pages_probing, "leased",
                     (int)stats->pages_leased, "doomed", (int)stats->pages_doomed, "closing",
                     (int)stats->pages_closing, "killing", (int)stats->pages_killing, "zombie",
                     (int)stats->pages_zombie);
}

static json_t *browser_json(const struct daemon *daemon, const struct pool_stats *stats)
{
    struct cdp_life_info info;
    if (stats->life == 0 || !cdp_get_life(daemon->cdp, stats->life, &info))
        return json_null();
    return json_pack(
        "{s:i, s:I, s:I, s:I, s:s, s:s}", "pid", info.pid, "life", (json_int_t)info.life, "ageMs",
        (json_int_t)(daemon->now_ms - info.up_since_ms), "renders", (json_int_t)stats->renders,
        "product", info.product, "websocketUrl", info.websocket_url);
}

static json_t *affinities_json(const struct daemon *daemon)
{
    struct pool_stats stats;
    pool_get_stats(daemon->pool, &stats);
    json_t *affinities = json_array();
    struct pool_affinity affinity;
    size_t cursor = 0;
    while (pool_next_affinity(daemon->pool, &cursor, &affinity))
        (void)json_array_append_new(affinities, affinity_json(daemon, &affinity));
    return json_pack("{s:i, s:o, s:{s:i, s:i}, s:{s:i, s:i}, s:{s:i, s:i}, s:o, s:o}", "cap",
                     (int)stats.cap, "pages", pages_json(&stats), "waiting", "main",
                     (int)stats.waiting_main, "nested", (int)stats.waiting_nested, "running",
                     "main", (int)stats.running_main, "nested", (int)stats.running_nested,
                     "orphans", "kept", (int)stats.contexts_orphan, "closing",
                     (int)stats.contexts_orphan_closing, "affinities", affinities, "browser",
                     browser_json(daemon, &stats));
}

static const char *state_text(const struct daemon *daemon, const struct pool_stats *stats)
{
    if (daemon->state != DAEMON_SERVING)
        return "draining";
    if (stats->life != 0)
        return "ready";
    return daemon->life_error[0] != '\0' ? daemon->life_error : "no browser is up yet";
}

static void reply_ready(struct daemon *daemon, uint64_t exchange)
{
    struct pool_stats stats;
    pool_get_stats(daemon->pool, &stats);
    bool ready = daemon->state == DAEMON_SERVING && stats.life != 0;
    json_t *root = ready ? json_pack("{s:b}", "ready", 1)
                         : json_pack("{s:b, s:s}", "ready", 0, "cause", state_text(daemon, &stats));
    reply_json(daemon, exchange, ready ? 200 : 503, root);
}

static void reply_version(struct daemon *daemon, uint64_t exchange)
{
    struct pool_stats stats;
    struct cdp_life_info info;
    pool_get_stats(daemon->pool, &stats);
    bool up = stats.life != 0 && cdp_get_life(daemon->cdp, stats.life, &info);
    json_t *browser = up ? json_string(info.product) : json_null();
    reply_json(daemon, exchange, 200,
               json_pack("{s:s, s:s, s:o}", "name", "prerenderd", "version", PRERENDERD_VERSION,
                         "browser", browser));
}

static void reply_status_page(struct daemon *daemon, uint64_t exchange)
{
    struct pool_stats stats;
    struct cdp_life_info info;
    pool_get_stats(daemon->pool, &stats);
    bool is_up = stats.life != 0 && cdp_get_life(daemon->cdp, stats.life, &info);
    const struct status_facts facts = {
        .state = state_text(daemon, &stats),
        .version = PRERENDERD_VERSION,
        .product = is_up ? info.product : NULL,
    };
    struct http_reply reply = {.status = daemon->state == DAEMON_SERVING ? 200 : 410,
                               .content_type = "text/html; charset=utf-8"};
    reply.body = status_page(&facts, &reply.body_bytes);
    send_document(daemon, exchange, &reply);
}

static void reply_index(struct daemon *daemon, uint64_t exchange)
{
    bool draining = daemon->state != DAEMON_SERVING;
    json_t *root = draining ? json_pack("{s:b, s:b}", "ready", 0, "draining", 1)
                            : json_pack("{s:b}", "ready", 1);
    reply_json_with(daemon, exchange, draining ? 410 : 200, root, draining);
}

static void reply_openapi(struct daemon *daemon, uint64_t exchange)
{
    struct http_reply reply = {.status = 200, .content_type = "application/json"};
    reply.body = http_openapi(&reply.body_bytes);
    send_document(daemon, exchange, &reply);
}

static void reply_metrics(struct daemon *daemon, uint64_t exchange)
{
    struct metrics_state state = {
        .exchanges_open = http_open_count(daemon->http),
        .uptime_ms = daemon->now_ms - daemon->started_ms,
        .version = PRERENDERD_VERSION,
    };
    struct http_reply reply = {.status = 200,
                               .content_type = "text/plain; version=0.0.4; charset=utf-8"};
    pool_get_stats(daemon->pool, &state.pool);
    reply.body = metrics_text(&daemon->metrics, &state, &reply.body_bytes);
    send_document(daemon, exchange, &reply);
}

static void delete_affinity(struct daemon *daemon, uint64_t exchange,
                            const struct http_request *http)
{
    char key[POOL_KEY_BYTES_MAX];
    key[0] = KEY_CLIENT;
    memcpy(key + 1, http->key, http->key_bytes);
    struct pool_event event = {
        .type = POOL_DISPOSE,
        .key = key,
        .key_bytes = 1 + http->key_bytes,
        .strength = http->retain ? POOL_DISPOSE_RETAIN : POOL_DISPOSE_NOW,
    };
    if (http->wait) {
        event.strength = POOL_DISPOSE_WAIT;
        event.dispose = exchange;
    }
    daemon_step(daemon, &event);
    if (http->wait)
        return; /* POOL_DISPOSED answers. */
    const struct http_reply reply = {.status = 204};
    (void)http_reply(daemon->http, exchange, &reply);
}

void report_reply(struct daemon *daemon, uint64_t exchange, const struct http_request *http)
{
    switch (http->route) {
    case HTTP_HEARTBEAT:
        reply_heartbeat(daemon, exchange);
        return;
    case HTTP_AFFINITIES:
        reply_json(daemon, exchange, 200, affinities_json(daemon));
        return;
    case HTTP_AFFINITY_DELETE:
        delete_affinity(daemon, exchange, http);
        return;
    case HTTP_HEALTHZ: /* The loop turns: it has just got here. */
        reply_json(daemon, exchange, 200, json_pack("{s:s}", "status", "ok"));
        return;
    case HTTP_READYZ:
        reply_ready(daemon, exchange);
        return;
    case HTTP_VERSION:
        reply_version(daemon, exchange);
        return;
    case HTTP_INDEX:
        if (http->wants_html)
            reply_status_page(daemon, exchange);
        else
            reply_index(daemon, exchange);
        return;
    case HTTP_RELEASE_BATCH:
        dialect_release_batch(daemon, exchange, http);
        return;
    case HTTP_OPENAPI:
        reply_openapi(daemon, exchange);
        return;
    case HTTP_METRICS:
        reply_metrics(daemon, exchange);
        return;
    case HTTP_RENDER:
    case HTTP_VISIT:
    case HTTP_MODULE:
    case HTTP_COMMAND:
    case HTTP_SCREENSHOT:
    case HTTP_PATH_MODE:
    case HTTP_ROUTE_NONE:
    case HTTP_ROUTES:
        break;
    }
    assert(false && "a render is not a report, and http/ answers what has no route");
}

void report_snapshot(struct daemon *daemon)
{
    struct pool_stats stats;
    pool_get_stats(daemon->pool, &stats);
    if (stats.waiting_main + stats.waiting_nested + stats.running_main + stats.running_nested == 0)
        return;
    LOG(&daemon->log, LOG_INFO, "pool", LOG_U64("cap", stats.cap),
        LOG_U64("waiting_main", stats.waiting_main),
        LOG_U64("waiting_nested", stats.waiting_nested),
        LOG_U64("running_main", stats.running_main),
        LOG_U64("running_nested", stats.running_nested), LOG_U64("idle", stats.pages_idle),
        LOG_U64("standby", stats.pages_standby), LOG_U64("opening", stats.pages_opening),
        LOG_U64("closing", stats.pages_closing + stats.pages_killing),
        LOG_U64("zombie", stats.pages_zombie), LOG_U64("orphans", stats.contexts_orphan));
}

void report_dump(struct daemon *daemon)
{
    json_t *root = affinities_json(daemon);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    LOG(&daemon->log, LOG_INFO, "state", LOG_STR("pool", text));
    json_decref(root);
    free(text);
}
