/* client.c: HTTP over libcurl and plain sockets; see client.h. */
#include "tests/system/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/system/harness.h"

#define FLIGHT_REQUESTS_MAX 20000

/* One transfer; its address stays the same while libcurl works on it. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct client_reply reply;
    bool done;
};

static size_t append(char **text, size_t *bytes, const char *more, size_t more_bytes)
{
    char *grown = realloc(*text, *bytes + more_bytes + 1);
    demand(grown != NULL, "no memory for an answer");
    memcpy(grown + *bytes, more, more_bytes);
    *text = grown;
    *bytes += more_bytes;
    grown[*bytes] = '\0';
    return more_bytes;
}

static size_t on_head(char *data, size_t size, size_t count, void *transfer_)
{
    struct transfer *transfer = transfer_;
    return append(&transfer->reply.head, &transfer->reply.head_bytes, data, size * count);
}

static size_t on_body(char *data, size_t size, size_t count, void *transfer_)
{
    struct transfer *transfer = transfer_;
    return append(&transfer->reply.body, &transfer->reply.body_bytes, data, size * count);
}

static void set_target(CURL *easy, const char *address, const char *path)
{
    char url[20000];
    if (strncmp(address, "unix:", 5) == 0) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, address + 5);
        address = "http://localhost";
    }
    int bytes = snprintf(url, sizeof(url), "%s%s", address, path);
    demand(bytes > 0 && (size_t)bytes < sizeof(url), "the path of a request is too long");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
}

static void set_method(CURL *easy, const struct client_request *request)
{
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
    }
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request->method != NULL) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void transfer_init(struct transfer *transfer, const char *address,
                          const struct client_request *request)
{
    *transfer = (struct transfer){.easy = curl_easy_init()};
    demand(transfer->easy != NULL, "libcurl gives no handle");
    append(&transfer->reply.head, &transfer->reply.head_bytes, "", 0);
    append(&transfer->reply.body, &transfer->reply.body_bytes, "", 0);
    CURL *easy = transfer->easy;
    set_target(easy, address, request->path);
    set_method(easy, request);
    /* curl waits a second for "100 Continue" before a large body otherwise. */
    transfer->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < CLIENT_HEADERS_MAX && request->headers[i] != NULL; i++) {
        transfer->headers = curl_slist_append(transfer->headers, request->headers[i]);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    uint64_t timeout_ms = request->timeout_ms == 0 ? 60000 : request->timeout_ms;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reply.error);
    transfer->reply.sent_ns = clock_ns();
}

static void transfer_finish(struct transfer *transfer, CURLcode code)
{
    transfer->reply.done_ns = clock_ns();
    transfer->done = true;
    transfer->reply.is_reached = code != CURLE_COULDNT_CONNECT;
    if (code == CURLE_OK) {
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->reply.status);
    } else if (transfer->reply.error[0] == '\0') {
        snprintf(transfer->reply.error, sizeof(transfer->reply.error), "%s",
                 curl_easy_strerror(code));
    }
}

static void transfer_release(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->easy = NULL;
    transfer->headers = NULL;
}

void client_perform(const char *address, const struct client_request *request,
                    struct client_reply *ret)
{
    struct transfer transfer;
    transfer_init(&transfer, address, request);
    transfer_finish(&transfer, curl_easy_perform(transfer.easy));
    transfer_release(&transfer);
    *ret = transfer.reply;
}

static char *pack(const char *format, va_list arguments)
{
    json_error_t error;
    json_t *tree = json_vpack_ex(&error, 0, format, arguments);
    demand(tree != NULL, "json_pack of \"%s\": %s", format, error.text);
    char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    demand(text != NULL, "no memory for a request");
    return text;
}

void client_render(const char *address, struct client_reply *ret, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *body = pack(format, arguments);
    va_end(arguments);
    client_perform(address, &(struct client_request){.path = "/render", .body = body}, ret);
    free(body);
}

void client_reply_free(struct client_reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (struct client_reply){0};
}

const char *client_header(const struct client_reply *reply, const char *name)
{
    static _Thread_local char value[8192];
    size_t name_bytes = strlen(name);
    for (const char *line = reply->head; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, name, name_bytes) != 0 || line[name_bytes] != ':') {
            continue;
        }
        const char *start = line + name_bytes + 1;
        start += strspn(start, " \t");
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(start, "\r\n"), start);
        return value;
    }
    return NULL;
}

json_t *client_json(const struct client_reply *reply)
{
    json_error_t error;
    json_t *tree = json_loadb(reply->body, reply->body_bytes, JSON_ALLOW_NUL, &error);
    demand(tree != NULL, "status %ld, %s: not JSON (%s): %.300s", reply->status, reply->error,
           error.text, reply->body);
    return tree;
}

static int connect_to(const char *address)
{
    int result, fd;
    if (strncmp(address, "unix:", 5) == 0) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", address + 5);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result = connect(fd, (const struct sockaddr *)&to, sizeof(to));
    } else {
        const char *port = strrchr(address, ':');
        demand(port != NULL, "%s has no port", address);
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result = connect(fd, (const struct sockaddr *)&to, sizeof(to));
    }
    demand(fd >= 0 && result == 0, "connect to %s: %s", address, strerror(errno));
    return fd;
}

size_t client_raw(const char *address, const char *bytes, size_t bytes_count, uint64_t timeout_ms,
                  char *ret, size_t ret_bytes)
{
    assert(ret_bytes > 1);
    int fd = connect_to(address);
    size_t sent = 0, received = 0;
    uint64_t end_ms = clock_ms() + timeout_ms;
    /* The peer may answer and close before it has read everything: that is no error. */
    while (sent < bytes_count) {
        ssize_t n = send(fd, bytes + sent, bytes_count - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            break;
        }
        sent += (size_t)n;
    }
    for (uint64_t now_ms = clock_ms(); received + 1 < ret_bytes && now_ms < end_ms;
         now_ms = clock_ms()) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)(end_ms - now_ms)) <= 0) {
            break;
        }
        ssize_t n = recv(fd, ret + received, ret_bytes - 1 - received, 0);
        if (n <= 0) {
            break;
        }
        received += (size_t)n;
    }
    close(fd);
    ret[received] = '\0';
    return received;
}

struct flight {
    CURLM *multi;
    char address[256];
    struct transfer **transfers;
    size_t count, capacity;
};

struct flight *flight_new(const char *address)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    demand(flight != NULL, "no memory for a flight");
    flight->multi = curl_multi_init();
    demand(flight->multi != NULL, "libcurl gives no multi handle");
    snprintf(flight->address, sizeof(flight->address), "%s", address);
    return flight;
}

/* Nothing more has to be sent: the answer can come without another flight_pump(). */
static bool is_sent(const struct transfer *transfer, size_t body_bytes)
{
    long head_bytes = 0;
    curl_off_t uploaded_bytes = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &head_bytes);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded_bytes);
    return transfer->done || (head_bytes > 0 && uploaded_bytes >= (curl_off_t)body_bytes);
}

size_t flight_start(struct flight *flight, const struct client_request *request)
{
    assert(flight->count < FLIGHT_REQUESTS_MAX);
    if (flight->count == flight->capacity) {
        flight->capacity = flight->capacity * 2 + 16;
        flight->transfers =
            realloc(flight->transfers, flight->capacity * sizeof(flight->transfers[0]));
        demand(flight->transfers != NULL, "no memory for a flight");
    }
    struct transfer *transfer = malloc(sizeof(*transfer));
    demand(transfer != NULL, "no memory for a request");
    transfer_init(transfer, flight->address, request);
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    demand(curl_multi_add_handle(flight->multi, transfer->easy) == CURLM_OK, "curl_multi_add");
    flight->transfers[flight->count++] = transfer;
    size_t body_bytes = request->body == NULL ? 0 : strlen(request->body);
    for (uint64_t end_ms = clock_ms() + SOON_MS; !is_sent(transfer, body_bytes);) {
        demand(clock_ms() < end_ms, "a request cannot be sent");
        flight_pump(flight, 5);
    }
    return flight->count - 1;
}

static size_t render_as(struct flight *flight, const char *accept, const char *format,
                        va_list arguments)
{
    char header[128];
    snprintf(header, sizeof(header), "Accept: %s", accept);
    char *body = pack(format, arguments);
    struct client_request request = {
        .path = "/render", .body = body, .headers = {header}, .timeout_ms = 180000};
    size_t index = flight_start(flight, &request);
    free(body);
    return index;
}

size_t flight_render(struct flight *flight, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t index = render_as(flight, "*/*", format, arguments);
    va_end(arguments);
    return index;
}

size_t flight_render_as(struct flight *flight, const char *accept, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t index = render_as(flight, accept, format, arguments);
    va_end(arguments);
    return index;
}

void flight_pump(struct flight *flight, uint64_t timeout_ms)
{
    int running, left;
    curl_multi_perform(flight->multi, &running);
    if (timeout_ms > 0 && running > 0) {
        curl_multi_poll(flight->multi, NULL, 0, (int)timeout_ms, NULL);
        curl_multi_perform(flight->multi, &running);
    }
    for (CURLMsg *message; (message = curl_multi_info_read(flight->multi, &left)) != NULL;) {
        assert(message->msg == CURLMSG_DONE);
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        char *transfer_;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer_);
        struct transfer *transfer = (struct transfer *)(void *)transfer_;
        transfer_finish(transfer, code);
        curl_multi_remove_handle(flight->multi, easy);
    }
}

bool flight_wait(struct flight *flight, size_t index, uint64_t timeout_ms)
{
    uint64_t end_ms = clock_ms() + timeout_ms;
    for (uint64_t now_ms = clock_ms(); !flight_is_done(flight, index) && now_ms < end_ms;
         now_ms = clock_ms()) {
        flight_pump(flight, end_ms - now_ms);
    }
    return flight_is_done(flight, index);
}

bool flight_wait_all(struct flight *flight, uint64_t timeout_ms)
{
    uint64_t end_ms = clock_ms() + timeout_ms;
    for (size_t i = 0; i < flight->count; i++) {
        uint64_t now_ms = clock_ms();
        if (!flight_wait(flight, i, end_ms > now_ms ? end_ms - now_ms : 0)) {
            return false;
        }
    }
    return true;
}

bool flight_is_done(const struct flight *flight, size_t index)
{
    assert(index < flight->count);
    return flight->transfers[index]->done;
}

size_t flight_count(const struct flight *flight)
{
    return flight->count;
}

void flight_drop(struct flight *flight, size_t index)
{
    assert(index < flight->count);
    struct transfer *transfer = flight->transfers[index];
    assert(!transfer->done);
    curl_multi_remove_handle(flight->multi, transfer->easy);
    transfer_finish(transfer, CURLE_ABORTED_BY_CALLBACK);
}

const struct client_reply *flight_reply(const struct flight *flight, size_t index)
{
    assert(index < flight->count);
    return &flight->transfers[index]->reply;
}

void flight_free(struct flight *flight)
{
    if (flight == NULL) {
        return;
    }
    for (size_t i = 0; i < flight->count; i++) {
        struct transfer *transfer = flight->transfers[i];
        if (!transfer->done) {
            curl_multi_remove_handle(flight->multi, transfer->easy);
        }
        transfer_release(transfer);
        client_reply_free(&transfer->reply);
        free(transfer);
    }
    curl_multi_cleanup(flight->multi);
    free(flight->transfers);
    free(flight);
}
