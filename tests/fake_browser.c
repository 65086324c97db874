/* fake_browser.c: see fake_browser.h. Included by the tests that use it, since every test
 * program is one object and the library. */
#include "tests/fake_browser.h"

#include <assert.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libwebsockets.h>

#define FAKE_INPUT_BYTES_MAX (128u * 1024 * 1024)

/* Grows by doubling, since sanitizers copy on every realloc(). */
static char *fake_grow(char *text, size_t *capacity, size_t need)
{
    if (need <= *capacity) {
        return text;
    }
    *capacity = need > *capacity * 2 ? need : *capacity * 2;
    char *grown = realloc(text, *capacity);
    assert(grown != NULL);
    return grown;
}

struct fake_write {
    uv_write_t request;
    char bytes[];
};

static void fake_on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

static void fake_write_now(struct fake_browser *fake, const void *bytes, size_t count)
{
    if (!fake->connection.is_open) {
        return;
    }
    struct fake_write *write = malloc(sizeof *write + count);
    assert(write != NULL);
    write->request.data = write;
    memcpy(write->bytes, bytes, count);
    uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)count);
    int code = uv_write(&write->request, (uv_stream_t *)&fake->connection.tcp, &buffer, 1,
                        fake_on_written);
    assert(code == 0);
}

static void fake_on_drip(uv_idle_t *idle)
{
    struct fake_browser *fake = idle->data;
    size_t left = fake->dripping_bytes - fake->dripping_at;
    size_t bytes = left < fake->drip_bytes ? left : fake->drip_bytes;

    if (left == 0) {
        (void)uv_idle_stop(idle);
        return;
    }
    fake_write_now(fake, fake->dripping + fake->dripping_at, bytes);
    fake->dripping_at += bytes;
}

void fake_send_raw(struct fake_browser *fake, const void *bytes, size_t count)
{
    if (fake->drip_bytes == 0) {
        fake_write_now(fake, bytes, count);
        return;
    }
    fake->dripping = realloc(fake->dripping, fake->dripping_bytes + count);
    assert(fake->dripping != NULL);
    memcpy(fake->dripping + fake->dripping_bytes, bytes, count);
    fake->dripping_bytes += count;
    (void)uv_idle_start(&fake->drip, fake_on_drip);
}

void fake_send_frame(struct fake_browser *fake, unsigned char first, const void *payload,
                     size_t bytes)
{
    unsigned char head[10] = {first, (unsigned char)bytes};
    size_t head_bytes = 2, extra = bytes < 126 ? 0 : bytes < 65536 ? 2 : 8;

    if (extra > 0) {
        head[1] = extra == 2 ? 126 : 127;
        for (size_t i = 0; i < extra; i++) {
            head[2 + i] = (unsigned char)((uint64_t)bytes >> (8 * (extra - 1 - i)));
        }
        head_bytes += extra;
    }
    fake_send_raw(fake, head, head_bytes);
    if (bytes > 0) {
        fake_send_raw(fake, payload, bytes);
    }
}

void fake_send_text(struct fake_browser *fake, const char *text)
{
    fake_send_frame(fake, 0x81, text, strlen(text));
}

static void fake_on_connection(uv_stream_t *listener, int status);

static void fake_on_connection_closed(uv_handle_t *handle)
{
    struct fake_connection *connection = handle->data;

    free(connection->input);
    free(connection->message);
    connection->input = connection->message = NULL;
    connection->fake->handles_count--;
    if (connection->fake->has_waiting &&
        !uv_is_closing((uv_handle_t *)&connection->fake->listener)) {
        connection->fake->has_waiting = false;
        fake_on_connection((uv_stream_t *)&connection->fake->listener, 0);
    }
}

void fake_hang_up(struct fake_browser *fake)
{
    if (fake->connection.is_open) {
        fake->connection.is_open = false;
        uv_close((uv_handle_t *)&fake->connection.tcp, fake_on_connection_closed);
    }
}

/* The value of a header of the request, up to its end of line. */
static void fake_header(const struct fake_browser *fake, const char *name, char *ret, size_t bytes)
{
    const char *at = strstr(fake->head, name);

    assert(at != NULL);
    at += strlen(name);
    (void)snprintf(ret, bytes, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static void fake_upgrade(struct fake_browser *fake)
{
    char key[128], joined[200], accept[64], reply[256];
    unsigned char digest[20];

    fake_header(fake, "Sec-WebSocket-Key: ", key, sizeof key);
    (void)snprintf(joined, sizeof joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    lws_SHA1((unsigned char *)joined, strlen(joined), digest);
    if (fake->handshake == FAKE_LIES) {
        digest[0] ^= 1;
    }
    (void)lws_b64_encode_string((char *)digest, sizeof digest, accept, sizeof accept);
    (void)snprintf(reply, sizeof reply,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   accept);
    fake_send_raw(fake, reply, strlen(reply));
    fake->connection.is_upgraded = true;
}

static void fake_on_head(struct fake_browser *fake)
{
    char reply[256];

    if (strncmp(fake->head, "GET /json/version ", strlen("GET /json/version ")) == 0) {
        fake_send_raw(fake, fake->version, strlen(fake->version));
        return;
    }
    switch (fake->handshake) {
    case FAKE_ACCEPTS:
    case FAKE_LIES:
        fake_upgrade(fake);
        break;
    case FAKE_SAYS_NOTHING:
        break;
    case FAKE_HANGS_UP:
        fake_hang_up(fake);
        break;
    case FAKE_FORBIDS:
        (void)snprintf(reply, sizeof reply, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        fake_send_raw(fake, reply, strlen(reply));
        break;
    case FAKE_REDIRECTS:
        (void)snprintf(reply, sizeof reply,
                       "HTTP/1.1 302 Found\r\nLocation: http%s\r\nContent-Length: 0\r\n\r\n",
                       fake->url + 2);
        fake_send_raw(fake, reply, strlen(reply));
        break;
    }
}

/* Consumes a request head from the input. */
static bool fake_take_head(struct fake_connection *connection)
{
    struct fake_browser *fake = connection->fake;
    char *end = memmem(connection->input, connection->input_bytes, "\r\n\r\n", 4);

    if (end == NULL) {
        return false;
    }
    size_t bytes = (size_t)(end - connection->input) + 4;
    assert(bytes < sizeof fake->head);
    memcpy(fake->head, connection->input, bytes);
    fake->head[bytes] = '\0';
    connection->input_bytes -= bytes;
    memmove(connection->input, connection->input + bytes, connection->input_bytes);
    fake_on_head(fake);
    return fake->connection.is_open;
}

static void fake_on_data(struct fake_connection *connection, bool is_final,
                         const unsigned char *payload, size_t bytes, const unsigned char *mask)
{
    struct fake_browser *fake = connection->fake;
    char *grown = fake_grow(connection->message, &connection->message_capacity,
                            connection->message_bytes + bytes + 1);

    connection->message = grown;
    for (size_t i = 0; i < bytes; i++) {
        grown[connection->message_bytes + i] = (char)(payload[i] ^ mask[i % 4]);
    }
    connection->message_bytes += bytes;
    grown[connection->message_bytes] = '\0';
    fake->fragments_count++;
    fake->frame_bytes_max = bytes > fake->frame_bytes_max ? bytes : fake->frame_bytes_max;
    if (is_final) {
        size_t message_bytes = connection->message_bytes;
        connection->message_bytes = 0;
        fake->messages_count++;
        (fake->on_message != NULL ? fake->on_message : fake_answer)(fake, grown, message_bytes);
    }
}

/* Consumes a frame from the input. */
static bool fake_take_frame(struct fake_connection *connection)
{
    const unsigned char *at = (const unsigned char *)connection->input + connection->input_at;
    size_t have = connection->input_bytes - connection->input_at, head = 2;

    if (have < 2) {
        return false;
    }
    assert((at[1] & 0x80) != 0); /* Clients must mask. */
    uint64_t bytes = at[1] & 0x7f;
    size_t extra = bytes == 126 ? 2 : bytes == 127 ? 8 : 0;
    if (have < head + extra + 4) {
        return false;
    }
    for (size_t i = 0; i < extra; i++) {
        bytes = (i == 0 ? 0 : bytes << 8) | at[2 + i];
    }
    head += extra + 4;
    if (have - head < bytes) {
        return false;
    }
    unsigned opcode = at[0] & 0x0f;
    if (opcode <= 2) {
        fake_on_data(connection, (at[0] & 0x80) != 0, at + head, (size_t)bytes, at + head - 4);
    } else if (opcode == 8) {
        fake_hang_up(connection->fake);
    }
    if (!connection->is_open) {
        return false;
    }
    connection->input_at += head + (size_t)bytes;
    return true;
}

static void fake_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct fake_connection *connection = handle->data;

    assert(connection->input_bytes < FAKE_INPUT_BYTES_MAX);
    connection->input = fake_grow(connection->input, &connection->input_capacity,
                                  connection->input_bytes + suggested);
    *ret = uv_buf_init(connection->input + connection->input_bytes, (unsigned)suggested);
}

static void fake_on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    (void)buffer;
    struct fake_connection *connection = stream->data;

    if (bytes < 0) {
        fake_hang_up(connection->fake);
        return;
    }
    connection->input_bytes += (size_t)bytes;
    if (!connection->is_upgraded && !fake_take_head(connection)) {
        return;
    }
    while (connection->is_upgraded && fake_take_frame(connection)) {
    }
    connection->input_bytes -= connection->input_at;
    memmove(connection->input, connection->input + connection->input_at, connection->input_bytes);
    connection->input_at = 0;
}

void fake_stop_reading(struct fake_browser *fake)
{
    (void)uv_read_stop((uv_stream_t *)&fake->connection.tcp);
}

void fake_start_reading(struct fake_browser *fake)
{
    (void)uv_read_start((uv_stream_t *)&fake->connection.tcp, fake_on_alloc, fake_on_read);
}

static void fake_on_connection(uv_stream_t *listener, int status)
{
    struct fake_browser *fake = listener->data;

    assert(status == 0);
    /* The connection before must be closed completely: its handle is used again. */
    if (fake->handles_count != 2) {
        fake->has_waiting = true;
        return;
    }
    fake->connections_count++;
    fake->connection = (struct fake_connection){.fake = fake, .is_open = true};
    (void)uv_tcp_init(fake->loop, &fake->connection.tcp);
    fake->connection.tcp.data = &fake->connection;
    fake->handles_count++;
    int code = uv_accept(listener, (uv_stream_t *)&fake->connection.tcp);
    assert(code == 0);
    (void)uv_tcp_nodelay(&fake->connection.tcp, 1);
    fake_start_reading(fake);
}

void fake_open(struct fake_browser *fake, uv_loop_t *loop)
{
    struct sockaddr_in address;
    int bytes = sizeof address;

    *fake = (struct fake_browser){.loop = loop, .handles_count = 2};
    (void)uv_idle_init(loop, &fake->drip);
    fake->drip.data = fake;
    (void)uv_tcp_init(loop, &fake->listener);
    fake->listener.data = fake;
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    int code = uv_tcp_bind(&fake->listener, (const struct sockaddr *)&address, 0);
    assert(code == 0);
    code = uv_listen((uv_stream_t *)&fake->listener, 4, fake_on_connection);
    assert(code == 0);
    code = uv_tcp_getsockname(&fake->listener, (struct sockaddr *)&address, &bytes);
    assert(code == 0);
    (void)snprintf(fake->url, sizeof fake->url, "ws://127.0.0.1:%d/devtools/browser/fake",
                   ntohs(address.sin_port));
    /* The name in it is not one that could be resolved. */
    (void)snprintf(
        fake->version, sizeof fake->version,
        "HTTP/1.1 200 OK\r\nContent-Type:application/json\r\n\r\n{\"Browser\": \"Fake\", "
        "\"webSocketDebuggerUrl\": \"ws://inside.invalid/devtools/browser/fake\"}");
}

static void fake_on_handle_closed(uv_handle_t *handle)
{
    struct fake_browser *fake = handle->data;

    fake->handles_count--;
}

void fake_close(struct fake_browser *fake)
{
    fake_hang_up(fake);
    uv_close((uv_handle_t *)&fake->listener, fake_on_handle_closed);
    uv_close((uv_handle_t *)&fake->drip, fake_on_handle_closed);
    free(fake->dripping);
    fake->dripping = NULL;
}

bool fake_is_closed(void *fake)
{
    return ((struct fake_browser *)fake)->handles_count == 0;
}

static json_t *fake_cookies(struct fake_browser *fake, const char *context)
{
    bool is_first = context != NULL && strcmp(context, "CONTEXT1") == 0;
    bool has_cookie = is_first || fake->flaw == FAKE_SHARES_CONTEXTS;

    return has_cookie ? json_pack("{s:[{s:s}]}", "cookies", "name", "prerenderd")
                      : json_pack("{s:[]}", "cookies");
}

/* The result of a command as far as the self-test looks at it. */
static json_t *fake_result(struct fake_browser *fake, const char *method, const json_t *params)
{
    const char *context = json_string_value(json_object_get(params, "browserContextId"));
    char id[32];

    if (strcmp(method, "Browser.getVersion") == 0) {
        return json_pack("{s:s}", "product", "Fake/1.0");
    }
    if (strcmp(method, "Target.createBrowserContext") == 0) {
        (void)snprintf(id, sizeof id, "CONTEXT%u", (unsigned)++fake->contexts_count);
        return json_pack("{s:s}", "browserContextId", id);
    }
    if (strcmp(method, "Storage.getCookies") == 0) {
        return fake_cookies(fake, context);
    }
    if (strcmp(method, "Target.createTarget") == 0) {
        return json_pack("{s:s}", "targetId", "TARGET");
    }
    if (strcmp(method, "Target.getTargetInfo") == 0) {
        return json_pack("{s:{s:s}}", "targetInfo", "browserContextId",
                         fake->flaw == FAKE_MISPLACES_PAGES ? "CONTEXT0" : "CONTEXT1");
    }
    if (strcmp(method, "Target.attachToTarget") == 0) {
        return json_pack("{s:s}", "sessionId", "SESSION");
    }
    if (strcmp(method, "DOM.getDocument") == 0) {
        return json_pack("{s:{s:i}}", "root", "nodeId", 1);
    }
    if (strcmp(method, "DOM.getOuterHTML") == 0) {
        return json_pack(
            "{s:s}", "outerHTML",
            fake->flaw == FAKE_GARBLES
                ? "<!DOCTYPE html><html><head></head><body><p>?</p></body></html>"
                : "<!DOCTYPE html><html><head></head><body><p title=\"a &amp; b\">"
                  "prerenderd \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80</p></body></html>");
    }
    return json_object();
}

static json_t *fake_reply(struct fake_browser *fake, const json_t *command)
{
    json_t *reply = json_object();
    const char *session = json_string_value(json_object_get(command, "sessionId"));

    (void)json_object_set(reply, "id", json_object_get(command, "id"));
    if (fake->flaw == FAKE_REFUSES && strcmp(fake->method, "Target.createTarget") == 0) {
        (void)json_object_set_new(reply, "error",
                                  json_pack("{s:i, s:s}", "code", -32000, "message", "not today"));
    } else {
        (void)json_object_set_new(
            reply, "result", fake_result(fake, fake->method, json_object_get(command, "params")));
    }
    if (session != NULL && fake->flaw != FAKE_FORGETS_SESSION) {
        (void)json_object_set_new(reply, "sessionId", json_string(session));
    }
    return reply;
}

void fake_answer(struct fake_browser *fake, char *text, size_t bytes)
{
    json_t *command = json_loadb(text, bytes, 0, NULL);

    assert(command != NULL);
    (void)snprintf(fake->method, sizeof fake->method, "%s",
                   json_string_value(json_object_get(command, "method")));
    if (fake->flaw != FAKE_IS_MUTE && !fake->is_mute) {
        json_t *reply = fake_reply(fake, command);
        char *reply_text = json_dumps(reply, JSON_COMPACT | JSON_ENSURE_ASCII);
        fake_send_text(fake, reply_text);
        if (fake->flaw == FAKE_ANSWERS_TWICE) {
            fake_send_text(fake, reply_text);
        }
        free(reply_text);
        json_decref(reply);
    }
    if (fake->flaw == FAKE_IS_MUTE_LATER &&
        strcmp(fake->method, "Target.disposeBrowserContext") == 0) {
        fake->is_mute = fake->contexts_count-- == 1;
    }
    json_decref(command);
}
