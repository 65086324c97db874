/* exchange.c: the life of one request and its reply; the states are in server.h. */
#include "http/server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/dialect.h"
#include "http/judge.h"

#define RETRY_AFTER_BYTES 32
#define OWN_HEADERS_MAX 4 /* Cache-Control, Retry-After, WWW-Authenticate, the draining one. */

/* What may follow each state, as a set of bits. */
#define BIT(state) (1U << (state))
static const unsigned successors[] = {
    [EXCHANGE_HEAD] = BIT(EXCHANGE_BODY) | BIT(EXCHANGE_DONE),
    [EXCHANGE_BODY] = BIT(EXCHANGE_READY) | BIT(EXCHANGE_SENDING) | BIT(EXCHANGE_DONE),
    [EXCHANGE_READY] = BIT(EXCHANGE_WAITING),
    [EXCHANGE_WAITING] = BIT(EXCHANGE_ANSWERED) | BIT(EXCHANGE_GONE),
    [EXCHANGE_ANSWERED] = BIT(EXCHANGE_SENDING) | BIT(EXCHANGE_DONE),
    [EXCHANGE_SENDING] = BIT(EXCHANGE_DONE),
    [EXCHANGE_GONE] = BIT(EXCHANGE_DONE),
    [EXCHANGE_DONE] = 0,
};

static bool is_suspended(enum exchange_state state)
{
    return state == EXCHANGE_READY || state == EXCHANGE_WAITING;
}

static void list_move(struct exchange *exchange, struct exchange_list *list)
{
    if (exchange->list)
        TAILQ_REMOVE(exchange->list, exchange, entry);
    exchange->list = list;
    if (list)
        TAILQ_INSERT_TAIL(list, exchange, entry);
}

/* The list that an exchange of this state is on. */
static struct exchange_list *list_of(struct http *http, enum exchange_state state)
{
    switch (state) {
    case EXCHANGE_READY:
        return &http->ready;
    case EXCHANGE_GONE:
        return &http->gone;
    case EXCHANGE_DONE:
        return &http->finished;
    case EXCHANGE_HEAD:
    case EXCHANGE_BODY:
    case EXCHANGE_WAITING:
    case EXCHANGE_ANSWERED:
    case EXCHANGE_SENDING:
        break;
    }
    return NULL;
}

void exchange_set_state(struct exchange *exchange, enum exchange_state state)
{
    struct http *http = exchange->http;
    assert(successors[exchange->state] & BIT(state));
    if (is_suspended(exchange->state))
        http->suspended_count--;
    if (is_suspended(state))
        http->suspended_count++;
    exchange->state = state;
    list_move(exchange, list_of(http, state));
}

struct exchange *exchange_new(struct connection *connection, const char *target)
{
    struct http *http = connection->http;
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    char *copy = strdup(target);
    assert(!connection->exchange);
    if (!exchange || !copy) {
        free(exchange);
        free(copy);
        return NULL;
    }
    exchange->id = ++http->exchange_last;
    exchange->http = http;
    exchange->connection = connection;
    exchange->state = EXCHANGE_HEAD;
    exchange->start_ms = http->now_ms;
    exchange->target = copy;
    exchange->code = "";
    fault_init(&exchange->fault);
    HASH_ADD(hh, http->exchanges, id, sizeof(exchange->id), exchange);
    connection->exchange = exchange;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    struct http *http = exchange->http;
    assert(exchange->state == EXCHANGE_DONE);
    assert(!exchange->response);
    list_move(exchange, NULL);
    HASH_DELETE(hh, http->exchanges, exchange);
    render_params_free(&exchange->request.params);
    free(exchange->target);
    free(exchange->body);
    free(exchange);
}

void exchange_suspend(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    assert(exchange->http->in_run);
    exchange_set_state(exchange, EXCHANGE_READY);
    connection_set_clock(connection, CLOCK_NONE);
    MHD_suspend_connection(connection->mhd);
}

static void resume(struct exchange *exchange, enum exchange_state state)
{
    struct connection *connection = exchange->connection;
    assert(!exchange->http->in_run);
    assert(exchange->state == EXCHANGE_WAITING);
    connection_unwatch(connection);
    exchange_set_state(exchange, state);
    connection->listener->wants_run = true;
    MHD_resume_connection(connection->mhd);
}

/* The body goes to MHD as it is and is freed by it. */
static struct MHD_Response *response_new(const struct exchange *exchange,
                                         const struct http_reply *reply)
{
    struct MHD_Response *response;
    if (reply->body && reply->body_bytes > 0 && reply->content_type)
        response =
            MHD_create_response_from_buffer(reply->body_bytes, reply->body, MHD_RESPMEM_MUST_FREE);
    else
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    /* MHD leaves out what is no valid header value; better than not to answer. */
    if (reply->content_type)
        (void)MHD_add_response_header(response, "Content-Type", reply->content_type);
    (void)MHD_add_response_header(response, "X-Request-Id", exchange->request.request_id);
    if (dialect_has(exchange->request.route))
        (void)MHD_add_response_header(response, "X-Boxel-Prerender-Request-Id",
                                      exchange->request.request_id);
    for (size_t i = 0; i < reply->headers_count; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    return response;
}

void exchange_set_reply(struct exchange *exchange, const struct http_reply *reply)
{
    struct http *http = exchange->http;
    assert(!exchange->response);
    assert(reply->status >= 200 && reply->status <= 599);
    assert(reply->body || reply->body_bytes == 0);
    exchange->response = response_new(exchange, reply);
    bool sent = exchange->response && reply->body && reply->body_bytes > 0 && reply->content_type;
    if (!sent)
        free(reply->body);
    exchange->status = exchange->response ? reply->status : 0;
    exchange->code = reply->code ? reply->code : "";
    exchange->reply_bytes = sent ? reply->body_bytes : 0;
    http->output_bytes += exchange->reply_bytes;
}

void problem_reply(const struct http_problem *problem, const char *request_id,
                   enum http_route route, bool plain, struct http_reply *ret)
{
    *ret = (struct http_reply){.code = http_code_name(problem->code)};
    if (dialect_has(route)) {
        ret->status = dialect_status(problem->code);
        ret->content_type = DIALECT_TYPE;
        ret->body = dialect_problem(problem, &ret->body_bytes);
    } else {
        ret->status = problem->status > 0 ? problem->status : http_code_status(problem->code);
        ret->content_type = problem_content_type(plain);
        ret->body = problem_body(problem, request_id, plain, &ret->body_bytes);
    }
}

void exchange_set_problem(struct exchange *exchange, const struct http_problem *problem,
                          const struct http_header *headers, size_t headers_count)
{
    struct http_header all[HTTP_PROBLEM_HEADERS_MAX + OWN_HEADERS_MAX];
    static const char challenge[] = "Bearer realm=\"prerenderd\", Basic realm=\"prerenderd\"";
    char retry_after[RETRY_AFTER_BYTES];
    size_t count = 0;
    assert(headers_count <= HTTP_PROBLEM_HEADERS_MAX);
    all[count++] = (struct http_header){"Cache-Control", "no-store"};
    if (problem->retry_after_ms > 0) {
        uint64_t seconds = problem->retry_after_ms / 1000 + (problem->retry_after_ms % 1000 > 0);
        snprintf(retry_after, sizeof(retry_after), "%" PRIu64, seconds);
        all[count++] = (struct http_header){"Retry-After", retry_after};
    }
    if (problem->code == HTTP_UNAUTHORIZED)
        all[count++] = (struct http_header){"WWW-Authenticate", challenge};
    bool dialect = dialect_has(exchange->request.route);
    if (dialect && problem->code == HTTP_DRAINING)
        all[count++] = (struct http_header){"X-Boxel-Prerender-Server-Status", "draining"};
    for (size_t i = 0; i < headers_count; i++)
        all[count++] = headers[i];
    struct http_reply reply;
    problem_reply(problem, exchange->request.request_id, exchange->request.route,
                  exchange->wants_plain, &reply);
    reply.headers = all;
    reply.headers_count = count;
    exchange_set_reply(exchange, &reply);
}

void exchange_set_fault(struct exchange *exchange)
{
    const struct fault *fault = &exchange->fault;
    const struct http_problem problem = fault_problem(fault);
    const struct http_header allow = {"Allow", fault->allow};
    exchange_set_problem(exchange, &problem, &allow, fault->allow ? 1 : 0);
}

enum MHD_Result exchange_send(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    if (!exchange->response)
        return MHD_NO; /* Out of memory when it was made. */
    if (exchange->http->state != HTTP_SERVING || exchange->fault.close)
        (void)MHD_add_response_header(exchange->response, "Connection", "close");
    enum MHD_Result result =
        MHD_queue_response(connection->mhd, (unsigned)exchange->status, exchange->response);
    MHD_destroy_response(exchange->response); /* MHD holds its own reference. */
    exchange->response = NULL;
    if (result == MHD_YES) {
        exchange_set_state(exchange, EXCHANGE_SENDING);
        connection_set_clock(connection, CLOCK_WRITE);
    }
    return result;
}

void exchange_leave(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_WAITING)
        resume(exchange, EXCHANGE_GONE);
}

/* The status that was really answered. Before the request is whole that is one which was
 * sent past MHD, or which MHD sent by itself because it could not read the request. */
static int final_status(const struct exchange *exchange, enum MHD_RequestTerminationCode code)
{
    switch (exchange->state) {
    case EXCHANGE_SENDING:
        return code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? exchange->status : 0;
    case EXCHANGE_HEAD:
    case EXCHANGE_BODY:
        if (exchange->status > 0 || http_is_closing(exchange->http))
            return exchange->status;
        return code == MHD_REQUEST_TERMINATED_WITH_ERROR ? 400 : 0;
    case EXCHANGE_READY:
    case EXCHANGE_WAITING:
    case EXCHANGE_ANSWERED:
    case EXCHANGE_GONE:
    case EXCHANGE_DONE:
        break;
    }
    return 0;
}

void exchange_finish(struct exchange *exchange, enum MHD_RequestTerminationCode code)
{
    struct http *http = exchange->http;
    struct http_finished *finished = &exchange->finished;
    finished->status = final_status(exchange, code);
    finished->route = exchange->request.route;
    finished->code = exchange->code;
    finished->elapsed_ms = http->now_ms - exchange->start_ms;
    uint64_t bytes =
        exchange->state == EXCHANGE_SENDING ? exchange->reply_bytes : exchange->raw_bytes;
    finished->body_bytes = finished->status > 0 && !exchange->request.head ? bytes : 0;
    if (!exchange->request.request_id[0]) /* It ended before its head was there. */
        judge_request_id(NULL, exchange->request.request_id);
    memcpy(finished->request_id, exchange->request.request_id, sizeof(finished->request_id));
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    exchange->response = NULL;
    assert(http->output_bytes >= exchange->reply_bytes);
    http->output_bytes -= exchange->reply_bytes;
    exchange->connection->exchange = NULL;
    exchange->connection = NULL;
    exchange_set_state(exchange, EXCHANGE_DONE);
}

static void emit(struct exchange *exchange, enum http_event_type type)
{
    struct http *http = exchange->http;
    struct http_event event = {.type = type, .exchange = exchange->id};
    assert(http->in_turn);
    assert(!http->in_run);
    if (type == HTTP_REQUEST)
        event.request = &exchange->request;
    if (type == HTTP_FINISHED)
        event.finished = exchange->finished;
    http->emit(http->owner, &event);
}

/* An exchange stays GONE until MHD was run, but is told only once. */
void exchanges_emit_gone(struct http *http)
{
    struct exchange *exchange;
    while ((exchange = TAILQ_FIRST(&http->gone))) {
        list_move(exchange, NULL);
        emit(exchange, HTTP_GONE);
    }
}

void exchanges_emit_ready(struct http *http)
{
    struct exchange *exchange;
    while ((exchange = TAILQ_FIRST(&http->ready))) {
        exchange_set_state(exchange, EXCHANGE_WAITING);
        connection_watch(exchange->connection);
        emit(exchange, HTTP_REQUEST);
        /* Now the receiver's. An exchange is freed by exchanges_emit_finished() only. */
        memset(&exchange->request.params, 0, sizeof(exchange->request.params));
    }
}

void exchanges_emit_finished(struct http *http)
{
    struct exchange *exchange;
    while ((exchange = TAILQ_FIRST(&http->finished))) {
        assert(exchange->list == &http->finished);
        list_move(exchange, NULL);
        emit(exchange, HTTP_FINISHED);
        exchange_free(exchange);
    }
}

static struct exchange *find_waiting(struct http *http, uint64_t id)
{
    struct exchange *exchange = NULL;
    HASH_FIND(hh, http->exchanges, &id, sizeof(id), exchange);
    return exchange && exchange->state == EXCHANGE_WAITING ? exchange : NULL;
}

bool http_reply(struct http *http, uint64_t id, const struct http_reply *reply)
{
    struct exchange *exchange = find_waiting(http, id);
    assert(!http->in_run);
    if (!exchange) {
        free(reply->body);
        return false;
    }
    uint64_t max = http->config->http.output_memory_bytes_max;
    if (reply->body_bytes > max || http->output_bytes > max - reply->body_bytes) {
        const struct http_problem problem = {
            .code = HTTP_BUDGET_EXCEEDED,
            .detail = "The answers that are being sent fill the memory that is set aside for them "
                      "(knob http.output_memory_bytes_max).",
        };
        free(reply->body);
        exchange_set_problem(exchange, &problem, NULL, 0);
    } else {
        exchange_set_reply(exchange, reply);
    }
    resume(exchange, EXCHANGE_ANSWERED);
    return true;
}

bool http_reply_problem(struct http *http, uint64_t id, const struct http_problem *problem,
                        const struct http_header *headers, size_t headers_count)
{
    struct exchange *exchange = find_waiting(http, id);
    assert(!http->in_run);
    if (!exchange)
        return false;
    exchange_set_problem(exchange, problem, headers, headers_count);
    resume(exchange, EXCHANGE_ANSWERED);
    return true;
}
