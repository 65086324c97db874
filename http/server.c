/* server.c: the listeners together: start, turn, quiesce, close. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/text.h"

bool http_is_closing(const struct http *http)
{
    return http->state >= HTTP_CLOSING;
}

void http_handle_closed(struct http *http)
{
    assert(http->handles_count > 0);
    http->handles_count--;
    if (http->state == HTTP_ABANDONED && http->handles_count == 0)
        free(http);
}

static int fail(char error[CONFIG_ERROR_BYTES], int code, const char *what)
{
    snprintf(error, CONFIG_ERROR_BYTES, "http.listen: cannot serve %s: %s.", what, strerror(-code));
    return code;
}

/* A page in a network is a page that strangers can call: that needs a decision. */
static int exposure_check(const struct http *http, const struct endpoint *endpoint,
                          char error[CONFIG_ERROR_BYTES])
{
    if (endpoint->loopback || http->tokens || http->config->http.allow_unauthenticated)
        return 0;
    snprintf(error, CONFIG_ERROR_BYTES,
             "http.listen: %s can be reached from other machines; set http.tokens_file, or "
             "http.allow_unauthenticated = yes if that is meant.",
             endpoint->url);
    return -EACCES;
}

static int add_listener(struct http *http, struct endpoint *endpoint,
                        char error[CONFIG_ERROR_BYTES])
{
    struct listener *listener = NULL;
    int result = exposure_check(http, endpoint, error);
    if (result == 0) {
        result = listener_new(http, endpoint, &listener);
        if (result != 0)
            fail(error, result, endpoint->url);
    }
    if (result != 0) {
        endpoint_close(endpoint);
        return result;
    }
    http->listeners[http->listeners_count++] = listener;
    return 0;
}

static int listen_inherited(struct http *http, const int *fds, size_t count,
                            char error[CONFIG_ERROR_BYTES])
{
    int result = 0;
    if (count > LISTENERS_MAX) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "There are %zu inherited sockets; at most %d are possible.", count, LISTENERS_MAX);
        return -E2BIG;
    }
    for (size_t i = 0; i < count && result == 0; i++) {
        struct endpoint endpoint;
        result = endpoint_inherit(fds[i], &endpoint, error);
        if (result == 0)
            result = add_listener(http, &endpoint, error);
    }
    return result;
}

static int listen_configured(struct http *http, char error[CONFIG_ERROR_BYTES])
{
    const char *cursor = http->config->http.listen, *item;
    size_t bytes;
    int result = 0;
    if (cursor[0] == '\0')
        return 0;
    while (result == 0 && text_list_next(&cursor, &item, &bytes)) {
        struct endpoint endpoint;
        if (http->listeners_count == LISTENERS_MAX) {
            snprintf(error, CONFIG_ERROR_BYTES, "http.listen: at most %d addresses are possible.",
                     LISTENERS_MAX);
            return -E2BIG;
        }
        result = endpoint_bind(item, bytes, &endpoint, error);
        if (result == 0)
            result = add_listener(http, &endpoint, error);
    }
    if (result == 0 && http->listeners_count == 0) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "http.listen: there is no address; write one such as 127.0.0.1:4221.");
        result = -EINVAL;
    }
    return result;
}

static int start_all(struct http *http, char error[CONFIG_ERROR_BYTES])
{
    for (size_t i = 0; i < http->listeners_count; i++) {
        int result = listener_start(http->listeners[i]);
        if (result != 0)
            return fail(error, result, http->listeners[i]->endpoint.url);
    }
    return 0;
}

static void close_listeners(struct http *http)
{
    for (size_t i = 0; i < http->listeners_count; i++)
        listener_close(http->listeners[i]);
    http->listeners_count = 0;
}

static void lists_init(struct http *http)
{
    TAILQ_INIT(&http->ready);
    TAILQ_INIT(&http->gone);
    TAILQ_INIT(&http->finished);
    for (size_t i = 0; i < CLOCKS; i++)
        TAILQ_INIT(&http->clocks[i]);
}

/* Listeners whose handle was opened on the loop close in a later turn of it; whoever is
 * told of the failure does not have to wait for that. */
static void abandon(struct http *http)
{
    close_listeners(http);
    tokens_free(http->tokens);
    http->tokens = NULL;
    http->state = HTTP_ABANDONED;
    if (http->handles_count == 0)
        free(http);
}

int http_new(uv_loop_t *loop, const struct config *config, const int *fds, size_t fds_count,
             http_emit *emit, void *owner, struct http **ret, char error[CONFIG_ERROR_BYTES])
{
    assert(loop && config && emit && ret && error);
    assert(fds || fds_count == 0);
    struct http *http = calloc(1, sizeof(*http));
    if (!http) {
        snprintf(error, CONFIG_ERROR_BYTES, "http.listen: out of memory.");
        return -ENOMEM;
    }
    http->loop = loop;
    http->config = config;
    http->emit = emit;
    http->owner = owner;
    lists_init(http);
    int result = 0;
    if (config->http.tokens_file[0])
        result = tokens_load(config->http.tokens_file, &http->tokens, error);
    if (result == 0)
        result = fds_count > 0 ? listen_inherited(http, fds, fds_count, error)
                               : listen_configured(http, error);
    if (result == 0)
        result = start_all(http, error);
    if (result != 0)
        abandon(http);
    else
        *ret = http;
    return result;
}

const char *http_address(const struct http *http, size_t index)
{
    return index < http->listeners_count ? http->listeners[index]->endpoint.url : NULL;
}

int http_reload_tokens(struct http *http)
{
    struct tokens *tokens;
    http->tokens_error[0] = '\0';
    if (!http->config->http.tokens_file[0])
        return 0;
    int result = tokens_load(http->config->http.tokens_file, &tokens, http->tokens_error);
    if (result != 0)
        return result;
    tokens_free(http->tokens);
    http->tokens = tokens;
    return 0;
}

const char *http_tokens_error(const struct http *http)
{
    return http->tokens_error;
}

static bool run_all(struct http *http)
{
    bool ran = false;
    for (size_t i = 0; i < http->listeners_count; i++)
        ran |= listener_run(http->listeners[i]);
    return ran;
}

/* MHD must not be stopped while a connection is suspended, and a resumed one counts as
 * suspended until MHD has run: so everybody is sent away, told, and run once more. */
static void close_all(struct http *http)
{
    struct exchange *exchange, *next;
    for (size_t i = 0; i < http->listeners_count; i++)
        listener_quiesce(http->listeners[i]);
    HASH_ITER(hh, http->exchanges, exchange, next)
    exchange_leave(exchange);
    exchanges_emit_gone(http);
    (void)run_all(http);
    assert(http->suspended_count == 0);
    close_listeners(http);
    assert(http->connections_count == 0);
    http->state = HTTP_CLOSED;
}

void http_turn(struct http *http, uint64_t now_ms)
{
    assert(!http->in_turn);
    assert(now_ms >= http->now_ms);
    http->in_turn = true;
    http->now_ms = now_ms;
    connections_expire(http);
    for (int round = 0; round < TURN_ROUNDS_MAX; round++) {
        exchanges_emit_gone(http);
        bool ran = run_all(http);
        exchanges_emit_ready(http);
        exchanges_emit_finished(http);
        if (!ran)
            break;
    }
    if (http->state == HTTP_CLOSING) {
        close_all(http);
        exchanges_emit_finished(http);
    }
    http->in_turn = false;
}

uint64_t http_deadline_ms(const struct http *http)
{
    uint64_t deadline_ms = connections_deadline_ms(http);
    for (size_t i = 0; i < http->listeners_count; i++) {
        const struct listener *listener = http->listeners[i];
        if (listener->wants_run)
            return 0;
        if (listener->resume_ms != 0 && listener->resume_ms < deadline_ms)
            deadline_ms = listener->resume_ms;
    }
    if (!TAILQ_EMPTY(&http->gone) || !TAILQ_EMPTY(&http->ready) || !TAILQ_EMPTY(&http->finished) ||
        http->state == HTTP_CLOSING)
        return 0;
    return deadline_ms;
}

void http_quiesce(struct http *http)
{
    assert(!http->in_run);
    if (http->state != HTTP_SERVING)
        return;
    http->state = HTTP_QUIESCED;
    for (size_t i = 0; i < http->listeners_count; i++)
        listener_quiesce(http->listeners[i]);
    connections_drop_idle(http);
}

size_t http_open_count(const struct http *http)
{
    size_t count = http->connections_count;
    const struct exchange *exchange;
    TAILQ_FOREACH(exchange, &http->finished, entry)
    count++;
    return count;
}

void http_close(struct http *http)
{
    assert(!http->in_run);
    if (!http_is_closing(http))
        http->state = HTTP_CLOSING;
}

bool http_is_closed(const struct http *http)
{
    return http->state == HTTP_CLOSED && http->handles_count == 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    assert(http_is_closed(http));
    assert(!http->exchanges);
    assert(http->connections_count == 0);
    assert(http->output_bytes == 0);
    tokens_free(http->tokens);
    free(http);
}
