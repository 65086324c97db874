/* handler.c: what MHD calls while it runs.
 *
 * For each request: handler_target() with the request line, handler_request() once with
 * the head, again with each piece of the body, again at its end, and after a suspended
 * exchange was resumed; then handler_completed(). MHD takes a response only at the first
 * and the last of these, so what is refused in between is read and forgotten first. */
#include "http/server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "http/accept.h"
#include "http/body.h"
#include "http/dialect.h"
#include "http/judge.h"
#include "http/outputs.h"
#include "http/text.h"

#define BODY_SIZE_MIN 4096

void *handler_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct connection *connection = connection_of(mhd);
    (void)context;
    if (!connection)
        return NULL;
    if (connection->clock != CLOCK_HEAD) /* Else the time of the head began earlier. */
        connection_set_clock(connection, CLOCK_HEAD);
    return exchange_new(connection, target);
}

static void accept_append(char *accept, const char *value)
{
    size_t used = strlen(accept);
    snprintf(accept + used, HEAD_ACCEPT_BYTES - used, "%s%s", used > 0 ? "," : "", value);
}

/* One header of the request into struct head. */
static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct head *head = context;
    const struct {
        const char *name;
        const char **slot;
        uint32_t *count;
    } known[] = {
        {"Host", &head->host, &head->hosts_count},
        {"Origin", &head->origin, NULL},
        {"Sec-Fetch-Site", &head->sec_fetch_site, NULL},
        {"Authorization", &head->authorization, NULL},
        {"X-Prerender-Token", &head->prerender_token, NULL},
        {"X-Prerender", &head->prerender, NULL},
        {"X-Prerender-Int-Type", &head->prerender_int_type, NULL},
        {"Accept-Encoding", &head->accept_encoding, NULL},
        {"X-Request-Id", &head->request_id, NULL},
        {"X-Boxel-Prerender-Request-Id", &head->dialect_request_id, NULL},
        {"Content-Encoding", &head->content_encoding, NULL},
        {"Content-Length", &head->content_length, &head->content_lengths_count},
        {"Transfer-Encoding", &head->transfer_encoding, &head->transfer_encodings_count},
        {"Expect", &head->expect, NULL},
    };
    (void)kind;
    value = value ? value : "";
    if (!text_is_token(name))
        head->broken_name = name;
    if (strcasecmp(name, "Accept") == 0)
        accept_append(head->accept, value);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(name, known[i].name) != 0)
            continue;
        *known[i].slot = value;
        if (known[i].count)
            ++*known[i].count;
        break;
    }
    return MHD_YES;
}

static void head_read(struct exchange *exchange, const char *method, const char *version,
                      struct head *ret)
{
    struct connection *connection = exchange->connection;
    memset(ret, 0, sizeof(*ret));
    ret->method = method;
    ret->version = version;
    ret->target = exchange->target;
    ret->tcp = connection->listener->endpoint.tcp;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    ret->peer = address_of(info ? info->client_addr : NULL);
    info = MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    ret->head_bytes = info ? info->header_size : 0;
    (void)MHD_get_connection_values(connection->mhd, MHD_HEADER_KIND, take_header, ret);
}

static bool waits_for_leave(const struct head *head)
{
    return head->expect && strcasecmp(head->expect, "100-continue") == 0;
}

/* True when the fault is to be told before the body is there: the client waits for leave
 * to send it, or its end cannot be found. */
static bool answers_early(const struct exchange *exchange, const struct head *head)
{
    return fault_is_set(&exchange->fault) && (exchange->fault.close || waits_for_leave(head));
}

static enum MHD_Result take_head(struct exchange *exchange, const char *method, const char *version)
{
    const struct http *http = exchange->http;
    struct head head;
    head_read(exchange, method, version, &head);
    judge_request_id(head.request_id, exchange->request.request_id);
    exchange->wants_plain = accept_prefers_plain(head.accept);
    bool valid =
        judge_head(&head, http->config, http->tokens, &exchange->request, &exchange->fault);
    assert(valid == !fault_is_set(&exchange->fault));
    const char *dialect_id = head.dialect_request_id;
    if (dialect_has(exchange->request.route) && dialect_id &&
        dialect_request_id_is_valid(dialect_id))
        snprintf(exchange->request.request_id, sizeof(exchange->request.request_id), "%s",
                 dialect_id);
    exchange->wants_body = valid && judge_wants_body(&head, &exchange->request);
    free(exchange->target);
    exchange->target = NULL;
    exchange->start_ms = http->now_ms;
    exchange_set_state(exchange, EXCHANGE_BODY);
    connection_set_clock(exchange->connection, CLOCK_BODY);
    if (!answers_early(exchange, &head)) {
        /* The client sends without leave what nobody wants to have. */
        if (exchange->fault.code == HTTP_BODY_TOO_LARGE)
            connection_refuse(exchange->connection);
        return MHD_YES;
    }
    exchange->fault.close = true; /* The body that may follow would be read as a request. */
    exchange_set_fault(exchange);
    return exchange_send(exchange);
}

static bool body_grow(struct exchange *exchange, size_t needed)
{
    size_t size = exchange->body_size > 0 ? exchange->body_size : BODY_SIZE_MIN;
    while (size < needed)
        size *= 2;
    char *body = size > exchange->body_size ? realloc(exchange->body, size) : exchange->body;
    if (!body)
        return false;
    exchange->body = body;
    exchange->body_size = size;
    return true;
}

static void body_forget(struct exchange *exchange)
{
    free(exchange->body);
    exchange->body = NULL;
    exchange->body_bytes = exchange->body_size = 0;
    exchange->wants_body = false;
}

static void body_keep(struct exchange *exchange, const char *bytes, size_t count)
{
    if (!body_grow(exchange, exchange->body_bytes + count)) {
        (void)fault_set(&exchange->fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
        body_forget(exchange);
        return;
    }
    memcpy(exchange->body + exchange->body_bytes, bytes, count);
    exchange->body_bytes += count;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *bytes, size_t *ret_count)
{
    uint64_t max = exchange->http->config->http.body_bytes_max;
    size_t count = *ret_count;
    *ret_count = 0; /* All of it was taken. */
    exchange->body_read_bytes += count;
    if (exchange->body_read_bytes > max * BODY_EXCESS_FACTOR) {
        connection_reply_raw(exchange->connection, HTTP_BODY_TOO_LARGE,
                             "The body is far longer than http.body_bytes_max allows.");
        return MHD_NO;
    }
    if (exchange->body_read_bytes > max && !fault_is_set(&exchange->fault)) {
        (void)fault_set(&exchange->fault, HTTP_BODY_TOO_LARGE, NULL,
                        "The body is longer than %" PRIu64 " bytes (knob http.body_bytes_max).",
                        max);
        body_forget(exchange);
    }
    if (exchange->wants_body)
        body_keep(exchange, bytes, count);
    return MHD_YES;
}

static enum MHD_Result take_end(struct exchange *exchange)
{
    if (exchange->is_refused)
        return MHD_NO;
    if (exchange->wants_body) {
        const struct config *config = exchange->http->config;
        if (dialect_has(exchange->request.route))
            (void)dialect_parse(config, exchange->body, exchange->body_bytes, &exchange->request,
                                &exchange->fault);
        else if (body_parse(config, exchange->body, exchange->body_bytes, &exchange->request.params,
                            &exchange->fault) &&
                 !outputs_settle(&exchange->request, &exchange->fault))
            render_params_free(&exchange->request.params);
        body_forget(exchange);
    }
    if (fault_is_set(&exchange->fault)) {
        exchange_set_fault(exchange);
        return exchange_send(exchange);
    }
    if (exchange->request.route == HTTP_RENDER)
        dialect_take(&exchange->request);
    exchange_suspend(exchange);
    return MHD_YES;
}

enum MHD_Result handler_request(void *context, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_bytes, void **ret_context)
{
    const struct listener *listener = context;
    struct exchange *exchange = *ret_context;
    (void)mhd;
    (void)url; /* Decoded by MHD; the target is read as it was sent. */
    assert(listener->http->in_run);
    if (!exchange || http_is_closing(listener->http))
        return MHD_NO;
    switch (exchange->state) {
    case EXCHANGE_HEAD:
        return take_head(exchange, method, version);
    case EXCHANGE_BODY:
        return *upload_bytes == 0 ? take_end(exchange) : take_body(exchange, upload, upload_bytes);
    case EXCHANGE_ANSWERED:
        return exchange_send(exchange);
    case EXCHANGE_SENDING:
        *upload_bytes = 0; /* The body of a request that was refused early. */
        return MHD_YES;
    case EXCHANGE_READY:
    case EXCHANGE_WAITING:
    case EXCHANGE_GONE:
    case EXCHANGE_DONE:
        break;
    }
    return MHD_NO;
}

void handler_completed(void *context, struct MHD_Connection *mhd, void **ret_context,
                       enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *ret_context;
    (void)context;
    (void)mhd;
    if (!exchange)
        return;
    struct connection *connection = exchange->connection;
    assert(connection->exchange == exchange);
    exchange_finish(exchange, code);
    if (connection->clock != CLOCK_NONE)
        connection_set_clock(connection, CLOCK_KEEP_ALIVE);
    *ret_context = NULL;
}
