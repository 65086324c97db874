/* lookup.c: see lookup.h. */
#include "cdp/lookup.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "net/endpoint.h"

/* Chromium answers with some 500 bytes. */
#define REPLY_BYTES_MAX 16384

struct lookup {
    uv_loop_t *loop;
    enum lookup_state state;
    struct endpoint endpoint;
    char address[INET6_ADDRSTRLEN];
    uv_getaddrinfo_t resolve;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    bool is_resolving, has_tcp, is_closing;
    char request[ENDPOINT_HOST_BYTES_MAX + 128];
    char reply[REPLY_BYTES_MAX + 1];
    size_t reply_bytes;
    char url[ENDPOINT_HOST_BYTES_MAX + ENDPOINT_PATH_BYTES_MAX + 32];
    char error[160];
};

static void fail(struct lookup *lookup, const char *what, int code)
{
    if (lookup->state == LOOKUP_RUNNING) {
        lookup->state = LOOKUP_FAILED;
        (void)snprintf(lookup->error, sizeof lookup->error, "%s%s%s", what, code != 0 ? ": " : "",
                       code != 0 ? uv_strerror(code) : "");
    }
}

static bool is_ipv6(const struct lookup *lookup)
{
    return strchr(lookup->address, ':') != NULL;
}

static void found(struct lookup *lookup, const char *path)
{
    bool has_colons = is_ipv6(lookup);

    (void)snprintf(lookup->url, sizeof lookup->url, "ws://%s%s%s:%d%s", has_colons ? "[" : "",
                   lookup->address, has_colons ? "]" : "", lookup->endpoint.port, path);
    lookup->state = LOOKUP_FOUND;
}

/* Reads the reply as far as it has come. Its body is one JSON object, so that it is
 * complete when it parses, whatever its headers say about its length. */
static void read_reply(struct lookup *lookup)
{
    const char *body = strstr(lookup->reply, "\r\n\r\n");
    struct endpoint endpoint;

    if (strncmp(lookup->reply, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) != 0 || body == NULL) {
        return;
    }
    json_t *version = json_loads(body, 0, NULL);
    if (version == NULL) {
        return;
    }
    const char *url = json_string_value(json_object_get(version, "webSocketDebuggerUrl"));
    if (url != NULL && endpoint_parse(url, "ws://", &endpoint)) {
        found(lookup, endpoint.path);
    } else {
        fail(lookup, "/json/version names no websocket", 0);
    }
    json_decref(version);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct lookup *lookup = handle->data;

    *ret = uv_buf_init(lookup->reply + lookup->reply_bytes,
                       (unsigned)(REPLY_BYTES_MAX - lookup->reply_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    (void)buffer;
    struct lookup *lookup = stream->data;

    if (bytes >= 0) {
        lookup->reply_bytes += (size_t)bytes;
        lookup->reply[lookup->reply_bytes] = '\0';
        read_reply(lookup);
    }
    if (bytes < 0 || lookup->state != LOOKUP_RUNNING || lookup->reply_bytes == REPLY_BYTES_MAX) {
        (void)uv_read_stop(stream);
        fail(lookup, "no browser answers at /json/version", 0);
    }
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct lookup *lookup = connect->data;

    if (lookup->is_closing) {
        return;
    }
    if (status != 0) {
        fail(lookup, "cannot connect", status);
        return;
    }
    (void)snprintf(lookup->request, sizeof lookup->request,
                   "GET /json/version HTTP/1.1\r\nHost: %s%s%s:%d\r\nConnection: close\r\n\r\n",
                   is_ipv6(lookup) ? "[" : "", lookup->address, is_ipv6(lookup) ? "]" : "",
                   lookup->endpoint.port);
    uv_buf_t buffer = uv_buf_init(lookup->request, (unsigned)strlen(lookup->request));
    uv_stream_t *stream = (uv_stream_t *)&lookup->tcp;
    int code = uv_write(&lookup->write, stream, &buffer, 1, NULL);
    if (code == 0) {
        code = uv_read_start(stream, on_alloc, on_read);
    }
    if (code != 0) {
        fail(lookup, "cannot ask", code);
    }
}

static void ask(struct lookup *lookup)
{
    struct sockaddr_storage address;
    int code =
        is_ipv6(lookup)
            ? uv_ip6_addr(lookup->address, lookup->endpoint.port, (struct sockaddr_in6 *)&address)
            : uv_ip4_addr(lookup->address, lookup->endpoint.port, (struct sockaddr_in *)&address);

    if (code == 0) {
        (void)uv_tcp_init(lookup->loop, &lookup->tcp);
        lookup->tcp.data = lookup->connect.data = lookup;
        lookup->has_tcp = true;
        code = uv_tcp_connect(&lookup->connect, &lookup->tcp, (const struct sockaddr *)&address,
                              on_connected);
    }
    if (code != 0) {
        fail(lookup, "cannot connect", code);
    }
}

/* With the address known: is there anything left to ask? */
static void go_on(struct lookup *lookup)
{
    if (strcmp(lookup->endpoint.path, "/") != 0) {
        found(lookup, lookup->endpoint.path);
    } else {
        ask(lookup);
    }
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *list)
{
    struct lookup *lookup = resolve->data;

    lookup->is_resolving = false;
    if (!lookup->is_closing) {
        if (status == 0) {
            status = getnameinfo(list->ai_addr, list->ai_addrlen, lookup->address,
                                 sizeof lookup->address, NULL, 0, NI_NUMERICHOST) == 0
                         ? 0
                         : UV_EAI_FAIL;
        }
        if (status == 0) {
            go_on(lookup);
        } else {
            fail(lookup, "cannot resolve the name", status);
        }
    }
    uv_freeaddrinfo(list);
}

static void start(struct lookup *lookup)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    if (endpoint_address(&lookup->endpoint, lookup->address, sizeof lookup->address)) {
        go_on(lookup);
        return;
    }
    lookup->resolve.data = lookup;
    int code = uv_getaddrinfo(lookup->loop, &lookup->resolve, on_resolved, lookup->endpoint.host,
                              NULL, &hints);
    lookup->is_resolving = code == 0;
    if (code != 0) {
        fail(lookup, "cannot resolve the name", code);
    }
}

struct lookup *lookup_new(uv_loop_t *loop, const char *url)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (lookup == NULL) {
        return NULL;
    }
    bool is_http = endpoint_parse(url, "http://", &lookup->endpoint);
    bool fine = is_http ? strcmp(lookup->endpoint.path, "/") == 0
                        : endpoint_parse(url, "ws://", &lookup->endpoint);
    if (!fine) {
        free(lookup);
        return NULL;
    }
    lookup->loop = loop;
    start(lookup);
    return lookup;
}

enum lookup_state lookup_get_state(const struct lookup *lookup)
{
    return lookup->state;
}

const char *lookup_url(const struct lookup *lookup)
{
    assert(lookup->state == LOOKUP_FOUND);
    return lookup->url;
}

const char *lookup_error(const struct lookup *lookup)
{
    assert(lookup->state == LOOKUP_FAILED);
    return lookup->error;
}

static void on_closed(uv_handle_t *handle)
{
    struct lookup *lookup = handle->data;

    lookup->has_tcp = false;
}

void lookup_close(struct lookup *lookup)
{
    if (lookup->is_closing) {
        return;
    }
    lookup->is_closing = true;
    if (lookup->is_resolving) {
        (void)uv_cancel((uv_req_t *)&lookup->resolve);
    }
    if (lookup->has_tcp) {
        uv_close((uv_handle_t *)&lookup->tcp, on_closed);
    }
}

bool lookup_is_gone(const struct lookup *lookup)
{
    return lookup->is_closing && !lookup->has_tcp && !lookup->is_resolving;
}

void lookup_free(struct lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    assert(lookup_is_gone(lookup));
    free(lookup);
}
