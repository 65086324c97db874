/* wire.c: one websocket client on libwebsockets and the caller's libuv loop, see wire.h.
 *
 * Every wire has a libwebsockets context of its own, because contexts and not connections
 * can be taken down completely. That takes two calls of lws_context_destroy() with turns
 * of the loop between: the first starts closing the context's handles, whose close
 * callbacks live in a plugin that the second unloads. So the second must wait until no
 * handle of the context is left on the loop, which only a walk over the loop can tell. */
#include "cdp/wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <libwebsockets.h>
#include "net/endpoint.h"
#include "net/pipe_guard.h"

/* libwebsockets reads at most this much per poll event: it looks at every byte, which takes
 * a millisecond for this many. */
#define READ_BYTES_MAX (128 * 1024)
/* Outgoing messages leave in fragments of this size: one large frame stalls the loop
 * twice as long, and Chromium drops frames over 100 MB. */
#define PIECE_BYTES_MAX (64 * 1024)
/* Pieces per writable event: about a millisecond of masking and copying. */
#define PIECES_PER_EVENT 4
/* Chromium closes the connection on a message over 100 MB. */
#define SEND_BYTES_MAX (99u * 1024 * 1024)
/* What may wait to be sent. A browser that reads nothing is found by its probes long
 * before commands of ordinary size come up to this. */
#define QUEUE_BYTES_MAX (128u * 1024 * 1024)
/* From TCP connect to the end of the handshake; a healthy browser needs 10 ms. */
#define CONNECT_TIMEOUT_MS 5000
/* How often the loop is searched for handles of a context that closes. */
#define TEARDOWN_POLL_MS 2
/* Chromium gives up a connection with 256 MB pending: a longer frame is no message of it. */
#define CLAIM_BYTES_MAX ((size_t)1 << 30)

/* Tables of the context: it has one connection. 0 would size them by the process limit. */
#define CONTEXT_FDS_MAX 64

struct inbound {
    struct wire_message message;
    STAILQ_ENTRY(inbound) next;
};

struct outbound {
    char *text;
    size_t bytes, sent_bytes;
    STAILQ_ENTRY(outbound) next;
};

enum teardown {
    TEARDOWN_NONE,    /* wire_close() has not been called. */
    TEARDOWN_HANDLES, /* The context's handles are closing. */
    TEARDOWN_TIMER,   /* The context is gone; our timer is closing. */
    TEARDOWN_DONE,
};

struct wire {
    uv_loop_t *loop;
    uv_timer_t timer; /* The connect deadline; later the poll of the teardown. */
    struct lws_context *context;
    struct pipe_guard guard;
    struct lws *wsi;                   /* NULL before and after the connection. */
    struct lws_protocols protocols[2]; /* Must outlive the context. */
    enum wire_state state;
    enum teardown teardown;

    struct assembly assembly; /* The message of which fragments have arrived. */
    STAILQ_HEAD(, inbound) inbox;

    STAILQ_HEAD(, outbound) outbox;
    size_t outbox_bytes;

    char error[160];
    struct endpoint endpoint;
    char address[INET6_ADDRSTRLEN];         /* Of the endpoint. */
    char host[ENDPOINT_HOST_BYTES_MAX + 8]; /* With the port: what the Host header says. */
    unsigned char piece[LWS_PRE + PIECE_BYTES_MAX];
};

/* The first reason is the one that counts; what follows are its consequences. */
static void wire_fail(struct wire *wire, const char *what, const char *detail)
{
    if (wire->state == WIRE_CLOSED) {
        return;
    }
    wire->state = WIRE_CLOSED;
    bool has_detail = detail != NULL && *detail != '\0';
    (void)snprintf(wire->error, sizeof wire->error, "%s%s%s", what, has_detail ? ": " : "",
                   has_detail ? detail : "");
}

static bool wire_out_of_memory(struct wire *wire)
{
    wire_fail(wire, "no memory for a message from the browser", NULL);
    return false;
}

/* Moves the finished message to the inbox. */
static bool inbox_add(struct wire *wire)
{
    struct inbound *inbound = calloc(1, sizeof *inbound);

    if (inbound == NULL) {
        return wire_out_of_memory(wire);
    }
    inbound->message = assembly_take(&wire->assembly);
    STAILQ_INSERT_TAIL(&wire->inbox, inbound, next);
    return true;
}

static int on_receive(struct wire *wire, struct lws *wsi, const void *in, size_t bytes)
{
    if (wire->state != WIRE_OPEN) {
        return -1;
    }
    size_t expected = lws_remaining_packet_payload(wsi);
    if (expected > CLAIM_BYTES_MAX) {
        wire_fail(wire, "the browser announced a message that it cannot have", NULL);
        return -1;
    }
    if (!assembly_add(&wire->assembly, in, bytes, expected)) {
        (void)wire_out_of_memory(wire);
        return -1;
    }
    return lws_is_final_fragment(wsi) && !inbox_add(wire) ? -1 : 0;
}

static enum lws_write_protocol piece_kind(bool is_first, bool is_last)
{
    int kind = is_first ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;

    return (enum lws_write_protocol)(is_last ? kind : kind | LWS_WRITE_NO_FIN);
}

/* Sends the next piece of the oldest message. */
static int send_piece(struct wire *wire)
{
    struct outbound *out = STAILQ_FIRST(&wire->outbox);
    size_t left = out->bytes - out->sent_bytes;
    size_t bytes = left < PIECE_BYTES_MAX ? left : PIECE_BYTES_MAX;
    bool is_last = bytes == left;

    memcpy(wire->piece + LWS_PRE, out->text + out->sent_bytes, bytes);
    int written = lws_write(wire->wsi, wire->piece + LWS_PRE, bytes,
                            piece_kind(out->sent_bytes == 0, is_last));
    if (written < 0) {
        return -1;
    }
    /* What the socket did not take, libwebsockets has kept. */
    assert((size_t)written >= bytes);
    out->sent_bytes += bytes;
    if (is_last) {
        STAILQ_REMOVE_HEAD(&wire->outbox, next);
        wire->outbox_bytes -= out->bytes;
        free(out->text);
        free(out);
    }
    return 0;
}

static int on_writable(struct wire *wire)
{
    if (wire->state != WIRE_OPEN) {
        return -1;
    }
    for (int i = 0; i < PIECES_PER_EVENT && !STAILQ_EMPTY(&wire->outbox); i++) {
        if (send_piece(wire) != 0) {
            wire_fail(wire, "writing to the browser failed", NULL);
            return -1;
        }
        if (lws_send_pipe_choked(wire->wsi)) {
            break;
        }
    }
    if (!STAILQ_EMPTY(&wire->outbox)) {
        (void)lws_callback_on_writable(wire->wsi);
    }
    return 0;
}

static int on_established(struct wire *wire)
{
    if (wire->state != WIRE_CONNECTING) {
        return -1;
    }
    wire->state = WIRE_OPEN;
    (void)uv_timer_stop(&wire->timer);
    if (!STAILQ_EMPTY(&wire->outbox)) {
        (void)lws_callback_on_writable(wire->wsi);
    }
    return 0;
}

static void on_refused(struct wire *wire, const char *detail, size_t bytes)
{
    char text[96] = "";

    if (detail != NULL) {
        (void)snprintf(text, sizeof text, "%.*s", (int)(bytes < 90 ? bytes : 90), detail);
    }
    wire_fail(wire, "the browser refused the connection", text);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t bytes)
{
    (void)user;
    struct wire *wire = lws_context_user(lws_get_context(wsi));

    /* There are some hundred reasons; most are not about us. */
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        return on_established(wire);
    }
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        return on_receive(wire, wsi, in, bytes);
    }
    if (reason == LWS_CALLBACK_CLIENT_WRITEABLE) {
        return on_writable(wire);
    }
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        on_refused(wire, in, bytes);
    } else if (reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP) {
        wire_fail(wire, "the browser did not answer the websocket handshake", NULL);
    } else if (reason == LWS_CALLBACK_CLIENT_CLOSED) {
        wire_fail(wire, "the browser closed the connection", NULL);
    } else if (reason == LWS_CALLBACK_WSI_DESTROY && wsi == wire->wsi) {
        wire->wsi = NULL;
        wire_fail(wire, "the connection to the browser was lost", NULL);
    }
    return 0;
}

static void on_connect_deadline(uv_timer_t *timer)
{
    struct wire *wire = timer->data;

    if (wire->state == WIRE_CONNECTING) {
        wire_fail(wire, "the browser did not answer the websocket handshake", NULL);
    }
}

static struct lws_context *create_context(struct wire *wire)
{
    void *loops[1] = {wire->loop};
    struct lws_context_creation_info info;

    memset(&info, 0, sizeof info);
    wire->protocols[0] =
        (struct lws_protocols){.name = "cdp", .callback = on_lws, .rx_buffer_size = READ_BYTES_MAX};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = wire->protocols;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBUV;
    if (strchr(wire->address, ':') == NULL) {
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    }
    info.pcontext = &wire->context;
    info.user = wire;
    info.gid = info.uid = -1;
    info.pt_serv_buf_size = READ_BYTES_MAX;
    info.fd_limit_per_thread = CONTEXT_FDS_MAX;
    /* A library does not write to the standard error of its program. */
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

static void connect_wire(struct wire *wire)
{
    struct lws_client_connect_info info;

    memset(&info, 0, sizeof info);
    info.context = wire->context;
    info.address = wire->address;
    info.host = wire->host;
    info.port = wire->endpoint.port;
    info.path = wire->endpoint.path;
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    info.local_protocol_name = wire->protocols[0].name;
    info.ietf_version_or_minus_one = -1;
    info.pwsi = &wire->wsi;
    /* No Origin: Chromium answers 403 to those it was not told to allow. */
    if (lws_client_connect_via_info(&info) == NULL) {
        wire_fail(wire, "connecting to the browser failed", NULL);
    }
}

struct wire *wire_new(uv_loop_t *loop, const char *url, size_t message_bytes_max)
{
    struct wire *wire = calloc(1, sizeof *wire);

    if (wire == NULL) {
        return NULL;
    }
    if (!endpoint_parse(url, "ws://", &wire->endpoint) ||
        !endpoint_address(&wire->endpoint, wire->address, sizeof wire->address)) {
        free(wire);
        return NULL;
    }
    (void)snprintf(wire->host, sizeof wire->host, "%s:%d", wire->endpoint.host,
                   wire->endpoint.port);
    wire->loop = loop;
    wire->assembly.bytes_max = message_bytes_max;
    STAILQ_INIT(&wire->inbox);
    STAILQ_INIT(&wire->outbox);
    (void)uv_timer_init(loop, &wire->timer);
    wire->timer.data = wire;
    wire->context = create_context(wire);
    if (wire->context == NULL) {
        wire_fail(wire,
                  "libwebsockets has no libuv support here; install the package "
                  "libwebsockets-evlib-uv",
                  NULL);
        return wire;
    }
    pipe_guard_find(&wire->guard, loop);
    (void)uv_timer_start(&wire->timer, on_connect_deadline, CONNECT_TIMEOUT_MS, 0);
    connect_wire(wire);
    return wire;
}

enum wire_state wire_get_state(const struct wire *wire)
{
    return wire->state;
}

const char *wire_error(const struct wire *wire)
{
    return wire->error;
}

bool wire_send(struct wire *wire, char *text, size_t bytes)
{
    bool has_room = bytes <= SEND_BYTES_MAX && bytes <= QUEUE_BYTES_MAX - wire->outbox_bytes;
    struct outbound *out = NULL;

    assert(text != NULL && bytes > 0);
    if (wire->state != WIRE_CLOSED && has_room) {
        out = calloc(1, sizeof *out);
    }
    if (out == NULL) {
        free(text);
        return false;
    }
    out->text = text;
    out->bytes = bytes;
    STAILQ_INSERT_TAIL(&wire->outbox, out, next);
    wire->outbox_bytes += bytes;
    if (wire->state == WIRE_OPEN) {
        (void)lws_callback_on_writable(wire->wsi);
    }
    return true;
}

bool wire_take(struct wire *wire, struct wire_message *ret)
{
    struct inbound *inbound = STAILQ_FIRST(&wire->inbox);

    if (inbound == NULL) {
        return false;
    }
    STAILQ_REMOVE_HEAD(&wire->inbox, next);
    *ret = inbound->message;
    free(inbound);
    return true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct wire *wire = handle->data;

    assert(wire->teardown == TEARDOWN_TIMER);
    wire->teardown = TEARDOWN_DONE;
}

static void close_timer(struct wire *wire)
{
    assert(wire->context == NULL);
    wire->teardown = TEARDOWN_TIMER;
    uv_close((uv_handle_t *)&wire->timer, on_timer_closed);
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
    struct wire *wire = timer->data;
    struct search search = {wire->context, false};

    assert(wire->teardown == TEARDOWN_HANDLES);
    uv_walk(wire->loop, search_handle, &search);
    if (search.is_found) {
        return;
    }
    lws_context_destroy(wire->context);
    pipe_guard_release(&wire->guard);
    close_timer(wire);
}

void wire_close(struct wire *wire)
{
    if (wire->teardown != TEARDOWN_NONE) {
        return;
    }
    wire->state = WIRE_CLOSED;
    if (wire->context == NULL) {
        close_timer(wire);
        return;
    }
    wire->teardown = TEARDOWN_HANDLES;
    (void)uv_timer_start(&wire->timer, on_teardown_poll, TEARDOWN_POLL_MS, TEARDOWN_POLL_MS);
    lws_context_destroy(wire->context);
    pipe_guard_occupy(&wire->guard);
}

bool wire_is_gone(const struct wire *wire)
{
    return wire->teardown == TEARDOWN_DONE;
}

void wire_free(struct wire *wire)
{
    struct wire_message message;

    if (wire == NULL) {
        return;
    }
    assert(wire_is_gone(wire));
    while (wire_take(wire, &message)) {
        free(message.text);
    }
    while (!STAILQ_EMPTY(&wire->outbox)) {
        struct outbound *out = STAILQ_FIRST(&wire->outbox);
        STAILQ_REMOVE_HEAD(&wire->outbox, next);
        free(out->text);
        free(out);
    }
    free(wire->assembly.text);
    free(wire);
}
