/* heartbeat.c: see heartbeat.h. */
#include "daemon/daemon.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_API_TYPE "application/vnd.api+json"

/* The default ends in the port that was really bound. The host name in it becomes one that
 * the manager may call by, see http/guard.h. */
static bool fix_url(struct daemon *daemon)
{
    char url[REPORT_URL_BYTES];
    char **advertised = &daemon->config.manager.advertise_url;
    if ((*advertised)[0] != '\0')
        return true;
    report_url(daemon, url);
    char *copy = strdup(url);
    if (copy == NULL)
        return false;
    free(*advertised);
    *advertised = copy;
    return true;
}

bool heartbeat_open(struct daemon *daemon)
{
    struct heartbeat *heartbeat = &daemon->heartbeat;
    const char *url = daemon->config.manager.url;
    if (url[0] == '\0')
        return true;
    heartbeat->client = http_client_new(&daemon->loop, url);
    if (heartbeat->client == NULL) {
        LOG(&daemon->log, LOG_ERROR,
            "cannot talk to the manager: manager.url must be http://HOST[:PORT][/PATH], and the "
            "package libwebsockets-evlib-uv be installed",
            LOG_STR("url", url));
        return false;
    }
    courier_init(&heartbeat->courier, daemon->now_ms, daemon->config.manager.heartbeat_interval_ms);
    return fix_url(daemon);
}

/* Percent-encodes all but RFC 3986's unreserved characters. False when it does not fit. */
static bool append_encoded(char *text, size_t text_bytes, const char *from, size_t bytes)
{
    size_t at = strlen(text);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)from[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (at + 4 > text_bytes)
            return false;
        at += (size_t)snprintf(text + at, text_bytes - at, plain ? "%c" : "%%%02X", c);
    }
    return true;
}

static void append_url(const struct daemon *daemon, char *target, size_t target_bytes)
{
    char url[REPORT_URL_BYTES];
    size_t at = strlen(target);
    report_url(daemon, url);
    (void)snprintf(target + at, target_bytes - at, "?url=");
    bool fits = append_encoded(target, target_bytes, url, strlen(url));
    assert(fits); /* Threefold, it is a fraction of a target. */
}

static void send_message(struct daemon *daemon, enum courier_message message,
                         struct http_call *call)
{
    struct heartbeat *heartbeat = &daemon->heartbeat;
    courier_begin(&heartbeat->courier, daemon->now_ms, message, daemon->heartbeat_seq);
    call->timeout_ms = COURIER_TIMEOUT_MS;
    http_client_start(heartbeat->client, daemon->now_ms, call);
}

bool heartbeat_is_due(const struct daemon *daemon)
{
    const struct heartbeat *heartbeat = &daemon->heartbeat;
    return heartbeat->client != NULL && daemon->state != DAEMON_CLOSING &&
           http_client_is_idle(heartbeat->client) &&
           courier_next(&heartbeat->courier, daemon->now_ms) == MESSAGE_HEARTBEAT;
}

void heartbeat_send(struct daemon *daemon)
{
    struct heartbeat *heartbeat = &daemon->heartbeat;
    struct http_call call = {
        .method = "POST", .target = "/prerender-servers", .type = JSON_API_TYPE};
    assert(heartbeat_is_due(daemon));
    call.body = report_heartbeat(daemon, &call.body_bytes);
    if (call.body == NULL) {
        courier_begin(&heartbeat->courier, daemon->now_ms, MESSAGE_HEARTBEAT,
                      daemon->heartbeat_seq);
        courier_end(&heartbeat->courier, false);
        heartbeat->failed++;
        return;
    }
    send_message(daemon, MESSAGE_HEARTBEAT, &call);
}

static void send_notice(struct daemon *daemon, const struct notice *notice)
{
    static const char path[] = "/prerender-servers/affinities/";
    char target[HTTP_CLIENT_TARGET_BYTES];
    (void)snprintf(target, sizeof target, "%s", path);
    bool fits = append_encoded(target, sizeof target, notice->key, notice->key_bytes);
    assert(fits);
    append_url(daemon, target, sizeof target);
    size_t at = strlen(target);
    (void)snprintf(target + at, sizeof target - at, "&boot=%s&seq=%llu", daemon->boot_id,
                   (unsigned long long)++daemon->heartbeat_seq);
    struct http_call call = {.method = "DELETE", .target = target};
    send_message(daemon, MESSAGE_NOTICE, &call);
}

static void send_unregister(struct daemon *daemon)
{
    char target[HTTP_CLIENT_TARGET_BYTES] = "/prerender-servers";
    append_url(daemon, target, sizeof target);
    struct http_call call = {.method = "DELETE", .target = target};
    send_message(daemon, MESSAGE_UNREGISTER, &call);
}

static void recycle_for(struct daemon *daemon, const char *token)
{
    struct pool_stats stats;
    pool_get_stats(daemon->pool, &stats);
    bool serves = daemon->state == DAEMON_SERVING;
    if (!host_shell_report(&daemon->heartbeat.shell, token, stats.life, serves))
        return;
    LOG(&daemon->log, LOG_INFO, "host shell changed, recycling the browser",
        LOG_STR("token", token), LOG_U64("life", stats.life));
    struct pool_event event = {.type = POOL_RECYCLE};
    daemon_step(daemon, &event);
}

static void handle_result(struct daemon *daemon, const struct http_result *result)
{
    static const char *const names[] = {"", "heartbeat", "notice", "unregister"};
    struct heartbeat *heartbeat = &daemon->heartbeat;
    enum courier_message message = heartbeat->courier.message;
    bool good = result->status >= 200 && result->status < 300;
    courier_end(&heartbeat->courier, good);
    if (good && heartbeat->sent == 0 && message == MESSAGE_HEARTBEAT)
        LOG(&daemon->log, LOG_INFO, "registered", LOG_STR("manager", daemon->config.manager.url),
            LOG_STR("server_id", result->server_id));
    if (!good)
        LOG(&daemon->log, LOG_DEBUG, "the manager was not told", LOG_STR("what", names[message]),
            LOG_U64("status", (uint64_t)result->status), LOG_STR("reason", result->error),
            LOG_U64("failed", heartbeat->failed + 1));
    heartbeat->failed += good ? 0 : 1;
    if (message == MESSAGE_NOTICE)
        heartbeat->notices_sent += good ? 1 : 0;
    if (message != MESSAGE_HEARTBEAT || !good)
        return;
    heartbeat->sent++;
    recycle_for(daemon, result->host_shell);
}

static void send_next(struct daemon *daemon)
{
    struct courier *courier = &daemon->heartbeat.courier;
    struct notice *notice;
    switch (courier_next(courier, daemon->now_ms)) {
    case MESSAGE_NOTICE:
        notice = outbox_take(&courier->outbox);
        send_notice(daemon, notice);
        free(notice);
        break;
    case MESSAGE_UNREGISTER:
        send_unregister(daemon);
        break;
    case MESSAGE_HEARTBEAT: /* Of the next turn. */
    case MESSAGE_NONE:
        break;
    }
}

void heartbeat_turn(struct daemon *daemon)
{
    struct heartbeat *heartbeat = &daemon->heartbeat;
    struct http_result result;
    if (heartbeat->client == NULL || daemon->state == DAEMON_CLOSING)
        return;
    http_client_turn(heartbeat->client, daemon->now_ms);
    if (http_client_take(heartbeat->client, &result))
        handle_result(daemon, &result);
    if (http_client_is_idle(heartbeat->client))
        send_next(daemon);
}

/* When a connection has still to be closed, its end wakes the loop. */
uint64_t heartbeat_deadline_ms(const struct daemon *daemon)
{
    const struct heartbeat *heartbeat = &daemon->heartbeat;
    if (heartbeat->client == NULL || daemon->state == DAEMON_CLOSING)
        return UINT64_MAX;
    if (heartbeat->courier.message != MESSAGE_NONE)
        return http_client_deadline_ms(heartbeat->client);
    if (!http_client_is_idle(heartbeat->client))
        return UINT64_MAX;
    return courier_deadline_ms(&heartbeat->courier);
}

void heartbeat_note_edge(struct daemon *daemon, const struct pool_action *action)
{
    struct heartbeat *heartbeat = &daemon->heartbeat;
    if (heartbeat->client == NULL)
        return;
    assert(action->key_bytes > 1 && action->key[0] == KEY_CLIENT);
    const char *key = action->key + 1;
    if (action->type == POOL_ENDED)
        courier_note_ended(&heartbeat->courier, key, action->key_bytes - 1, daemon->heartbeat_seq);
    else
        courier_note_started(&heartbeat->courier, key, action->key_bytes - 1);
}

void heartbeat_drain(struct daemon *daemon)
{
    if (daemon->heartbeat.client != NULL)
        courier_drain(&daemon->heartbeat.courier, daemon->now_ms);
}

void heartbeat_unregister(struct daemon *daemon)
{
    courier_unregister(&daemon->heartbeat.courier);
}

bool heartbeat_is_over(const struct daemon *daemon)
{
    const struct heartbeat *heartbeat = &daemon->heartbeat;
    return heartbeat->client == NULL ||
           (heartbeat->courier.unregistered && heartbeat->courier.message == MESSAGE_NONE);
}

void heartbeat_close(struct daemon *daemon)
{
    if (daemon->heartbeat.client != NULL)
        http_client_close(daemon->heartbeat.client);
}

bool heartbeat_is_closed(const struct daemon *daemon)
{
    const struct http_client *client = daemon->heartbeat.client;
    return client == NULL || http_client_is_closed(client);
}

void heartbeat_free(struct daemon *daemon)
{
    courier_clear(&daemon->heartbeat.courier);
    http_client_free(daemon->heartbeat.client);
    daemon->heartbeat.client = NULL;
}
