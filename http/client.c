/* client.c: see client.h. As for the websocket of the browser, the libwebsockets context is
 * taken down in two steps with loop turns between, and its event descriptor is guarded. */
#include "http/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libwebsockets.h>
#include "net/endpoint.h"
#include "net/pipe_guard.h"

/* The head of a request is written into this buffer of the context. */
#define SERVICE_BYTES (2 * HTTP_CLIENT_TARGET_BYTES)
/* A body leaves in pieces, so that a large one does not stall the loop. */
#define PIECE_BYTES_MAX (64 * 1024)
#define CONTEXT_FDS_MAX 16
#define TEARDOWN_POLL_MS 2

enum client_state { CLIENT_IDLE, CLIENT_BUSY, CLIENT_DONE };

enum client_teardown {
    CLIENT_SERVES,
    CLIENT_LOOKUP,  /* A lookup that cannot be cancelled is still under way. */
    CLIENT_HANDLES, /* The context's handles are closing. */
    CLIENT_TIMER,
    CLIENT_CLOSED,
};

struct http_client {
    uv_loop_t *loop;
    uv_timer_t timer; /* Polls the teardown. */
    uv_getaddrinfo_t lookup;
    bool lookup_runs;   /* libuv has it, whatever became of the request. */
    bool lookup_wanted; /* The request that waits for it is still the current one. */
    struct lws_context *context;
    struct lws_protocols protocols[2]; /* Must outlive the context. */
    struct pipe_guard guard;
    struct lws *wsi; /* The connection; may outlive its request for a moment. */
    struct endpoint endpoint;
    char host[ENDPOINT_HOST_BYTES_MAX + 8]; /* With the port: what the Host header says. */
    enum client_state state;
    enum client_teardown teardown;
    uint64_t deadline_ms;
    struct http_call call;
    char target[ENDPOINT_PATH_BYTES_MAX + HTTP_CLIENT_TARGET_BYTES];
    size_t sent_bytes;
    struct http_result result;
    unsigned char piece[LWS_PRE + PIECE_BYTES_MAX];
};

static void finish(struct http_client *client, const char *error)
{
    if (client->state != CLIENT_BUSY)
        return;
    client->state = CLIENT_DONE;
    client->lookup_wanted = false;
    free(client->call.body);
    client->call.body = NULL;
    if (error != NULL)
        (void)snprintf(client->result.error, sizeof client->result.error, "%s", error);
}

static int add_headers(struct http_client *client, struct lws *wsi, unsigned char **at, size_t room)
{
    unsigned char *end = *at + room;
    const char *type = client->call.type;
    char length[24];
    int bytes = snprintf(length, sizeof length, "%zu", client->call.body_bytes);
    if (type == NULL)
        return 0;
    if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *)type,
                                     (int)strlen(type), at, end) != 0 ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_ACCEPT, (const unsigned char *)type,
                                     (int)strlen(type), at, end) != 0 ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH,
                                     (const unsigned char *)length, bytes, at, end) != 0)
        return -1;
    lws_client_http_body_pending(wsi, 1);
    (void)lws_callback_on_writable(wsi);
    return 0;
}

static int write_body(struct http_client *client, struct lws *wsi)
{
    size_t left = client->call.body_bytes - client->sent_bytes;
    size_t bytes = left < PIECE_BYTES_MAX ? left : PIECE_BYTES_MAX;
    if (client->state != CLIENT_BUSY || client->call.body == NULL)
        return -1;
    if (left == 0)
        return 0;
    memcpy(client->piece + LWS_PRE, client->call.body + client->sent_bytes, bytes);
    int written = lws_write(wsi, client->piece + LWS_PRE, bytes,
                            bytes == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
    if (written < 0)
        return -1;
    /* What the socket did not take, libwebsockets has kept. */
    client->sent_bytes += bytes;
    if (bytes == left)
        lws_client_http_body_pending(wsi, 0);
    else
        (void)lws_callback_on_writable(wsi);
    return 0;
}

static void read_header(struct lws *wsi, const char *name, char ret[HTTP_CLIENT_VALUE_BYTES])
{
    int bytes = lws_hdr_custom_copy(wsi, ret, HTTP_CLIENT_VALUE_BYTES, name, (int)strlen(name));
    ret[bytes > 0 && bytes < HTTP_CLIENT_VALUE_BYTES ? bytes : 0] = '\0';
}

/* Everything that is wanted is in the head: -1 closes the connection. */
static int on_head(struct http_client *client, struct lws *wsi)
{
    if (client->state == CLIENT_BUSY) {
        client->result.status = (int)lws_http_client_http_response(wsi);
        read_header(wsi, "x-boxel-prerender-host-shell-hash:", client->result.host_shell);
        read_header(wsi, "x-prerender-server-id:", client->result.server_id);
        finish(client, client->result.status == 0 ? "the answer has no status" : NULL);
    }
    return -1;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t bytes)
{
    (void)user;
    struct http_client *client = lws_context_user(lws_get_context(wsi));
    /* There are some hundred reasons; most are not about us. */
    if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER)
        return add_headers(client, wsi, in, bytes);
    if (reason == LWS_CALLBACK_CLIENT_HTTP_WRITEABLE)
        return write_body(client, wsi);
    if (reason == LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP)
        return on_head(client, wsi);
    if (wsi != client->wsi)
        return 0;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
        finish(client, "cannot connect, or no HTTP answer");
    else if (reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP)
        finish(client, "the connection was closed before an answer");
    else if (reason == LWS_CALLBACK_WSI_DESTROY) {
        client->wsi = NULL;
        finish(client, "the connection was lost before an answer");
    }
    return 0;
}

static void connect_to(struct http_client *client, const char *address)
{
    struct lws_client_connect_info info;
    memset(&info, 0, sizeof info);
    info.context = client->context;
    info.address = address;
    info.host = client->host;
    info.port = client->endpoint.port;
    info.path = client->target;
    info.method = client->call.method;
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    info.local_protocol_name = client->protocols[0].name;
    info.ietf_version_or_minus_one = -1;
    info.pwsi = &client->wsi;
    if (lws_client_connect_via_info(&info) == NULL) {
        client->wsi = NULL;
        finish(client, "cannot connect");
    }
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct http_client *client = lookup->data;
    char address[INET6_ADDRSTRLEN] = "";
    client->lookup_runs = false;
    if (status == 0 && found->ai_family == AF_INET)
        (void)uv_ip4_name((struct sockaddr_in *)(void *)found->ai_addr, address, sizeof address);
    else if (status == 0 && found->ai_family == AF_INET6)
        (void)uv_ip6_name((struct sockaddr_in6 *)(void *)found->ai_addr, address, sizeof address);
    uv_freeaddrinfo(found);
    if (!client->lookup_wanted)
        return;
    client->lookup_wanted = false;
    if (address[0] == '\0')
        finish(client, "the name of the server has no address");
    else
        connect_to(client, address);
}

static void look_up(struct http_client *client)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char name[ENDPOINT_HOST_BYTES_MAX];
    (void)snprintf(name, sizeof name, "%s", client->endpoint.host);
    client->lookup.data = client;
    int error = uv_getaddrinfo(client->loop, &client->lookup, on_lookup, name, NULL, &hints);
    client->lookup_runs = client->lookup_wanted = error == 0;
    if (error != 0)
        finish(client, "the name of the server cannot be looked up");
}

static struct lws_context *create_context(struct http_client *client)
{
    void *loops[1] = {client->loop};
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof info);
    client->protocols[0] =
        (struct lws_protocols){.name = "http", .callback = on_lws, .rx_buffer_size = 4096};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = client->protocols;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBUV;
    info.pcontext = &client->context;
    info.user = client;
    info.gid = info.uid = -1;
    info.pt_serv_buf_size = SERVICE_BYTES;
    info.fd_limit_per_thread = CONTEXT_FDS_MAX;
    /* A library does not write to the standard error of its program. */
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

struct http_client *http_client_new(uv_loop_t *loop, const char *url)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->loop = loop;
    bool valid = endpoint_parse(url, "http://", &client->endpoint);
    client->context = valid ? create_context(client) : NULL;
    if (client->context == NULL) {
        free(client);
        return NULL;
    }
    pipe_guard_find(&client->guard, loop);
    size_t bytes = strlen(client->endpoint.path);
    if (client->endpoint.path[bytes - 1] == '/')
        client->endpoint.path[bytes - 1] = '\0'; /* A target begins with one. */
    (void)snprintf(client->host, sizeof client->host, "%s:%d", client->endpoint.host,
                   client->endpoint.port);
    (void)uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    return client;
}

bool http_client_is_idle(const struct http_client *client)
{
    return client->state == CLIENT_IDLE && client->wsi == NULL && !client->lookup_runs &&
           client->teardown == CLIENT_SERVES;
}

void http_client_start(struct http_client *client, uint64_t now_ms, const struct http_call *call)
{
    char address[INET6_ADDRSTRLEN];
    assert(http_client_is_idle(client));
    assert(call->target[0] == '/' && (call->type != NULL) == (call->body != NULL));
    client->state = CLIENT_BUSY;
    client->deadline_ms = now_ms + call->timeout_ms;
    client->call = *call;
    client->sent_bytes = 0;
    client->result = (struct http_result){.status = 0};
    int bytes = snprintf(client->target, sizeof client->target, "%s%s", client->endpoint.path,
                         call->target);
    if (bytes < 0 || (size_t)bytes >= HTTP_CLIENT_TARGET_BYTES)
        finish(client, "the request target is too long");
    else if (endpoint_address(&client->endpoint, address, sizeof address))
        connect_to(client, address);
    else
        look_up(client);
}

void http_client_turn(struct http_client *client, uint64_t now_ms)
{
    if (client->state != CLIENT_BUSY || now_ms < client->deadline_ms)
        return;
    finish(client, "no answer in time");
    if (client->wsi != NULL)
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

uint64_t http_client_deadline_ms(const struct http_client *client)
{
    if (client->state == CLIENT_IDLE)
        return UINT64_MAX;
    return client->state == CLIENT_DONE ? 0 : client->deadline_ms;
}

bool http_client_take(struct http_client *client, struct http_result *ret)
{
    if (client->state != CLIENT_DONE)
        return false;
    client->state = CLIENT_IDLE;
    *ret = client->result;
    return true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_client *client = handle->data;
    client->teardown = CLIENT_CLOSED;
}

struct search {
    const struct lws_context *context;
    bool is_found;
};

static void search_handle(uv_handle_t *handle, void *argument)
{
    struct search *search = argument;
    search->is_found = search->is_found || handle->data == search->context;
}

static void on_teardown_poll(uv_timer_t *timer)
{
    struct http_client *client = timer->data;
    struct search search = {client->context, false};
    if (client->lookup_runs)
        return;
    if (client->teardown == CLIENT_LOOKUP) {
        client->teardown = CLIENT_HANDLES;
        lws_context_destroy(client->context);
        pipe_guard_occupy(&client->guard);
        return;
    }
    assert(client->teardown == CLIENT_HANDLES);
    uv_walk(client->loop, search_handle, &search);
    if (search.is_found)
        return;
    lws_context_destroy(client->context);
    pipe_guard_release(&client->guard);
    client->teardown = CLIENT_TIMER;
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

void http_client_close(struct http_client *client)
{
    if (client->teardown != CLIENT_SERVES)
        return;
    finish(client, "given up");
    if (client->lookup_runs)
        (void)uv_cancel((uv_req_t *)&client->lookup);
    client->teardown = CLIENT_LOOKUP;
    (void)uv_timer_start(&client->timer, on_teardown_poll, 0, TEARDOWN_POLL_MS);
}

bool http_client_is_closed(const struct http_client *client)
{
    return client->teardown == CLIENT_CLOSED;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    assert(http_client_is_closed(client));
    free(client->call.body);
    free(client);
}
