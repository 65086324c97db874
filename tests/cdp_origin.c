/* cdp_origin.c: see cdp_origin.h. */
#include "tests/cdp_origin.h"

#include <assert.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cdp_origin {
    struct MHD_Daemon *daemon;
    const struct cdp_origin_page *pages;
    atomic_size_t count;
    int ended; /* Readable when the server ends. */
};

/* Waits; true when the server ends meanwhile. */
static bool origin_waits(const struct cdp_origin *origin, int ms)
{
    struct pollfd poll_fd = {.fd = origin->ended, .events = POLLIN};

    return poll(&poll_fd, 1, ms) > 0;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const char *name, const char *value, struct MHD_Response *response)
{
    enum MHD_Result result;

    if (type != NULL)
        (void)MHD_add_response_header(response, "Content-Type", type);
    if (name != NULL)
        (void)MHD_add_response_header(response, name, value);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *copy_of(const char *text)
{
    return MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                           MHD_RESPMEM_MUST_COPY);
}

static ssize_t read_events(void *owner, uint64_t position, char *buffer, size_t bytes_max)
{
    static const char event[] = "data: tick\n\n";
    (void)bytes_max;

    if (position > 0 && origin_waits(owner, 200))
        return MHD_CONTENT_READER_END_OF_STREAM;
    memcpy(buffer, event, sizeof event - 1);
    return sizeof event - 1;
}

static ssize_t read_half(void *owner, uint64_t position, char *buffer, size_t bytes_max)
{
    static const char half[] = "<!DOCTYPE html><p>half";
    (void)owner;
    (void)bytes_max;

    if (position > 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(buffer, half, sizeof half - 1);
    return sizeof half - 1;
}

/* Text that needs no layout: what takes long then is not what is tested. */
static ssize_t read_big(void *owner, uint64_t position, char *buffer, size_t bytes_max)
{
    static const char start[] = "<!DOCTYPE html><script type=text/plain>";
    static const char line[] = "The quick brown fox jumps over the lazy dog.\n";
    (void)owner;

    for (size_t i = 0; i < bytes_max; i++) {
        uint64_t at = position + i;
        buffer[i] =
            at < sizeof start - 1 ? start[at] : line[(at - (sizeof start - 1)) % (sizeof line - 1)];
    }
    return (ssize_t)bytes_max;
}

static enum MHD_Result answer_hints(struct MHD_Connection *connection)
{
    static const char *const names[] = {"Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Sec-CH-UA",
                                        "Accept-Language"};
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "<p id=x></p>");

    for (size_t i = 0; i < 4; i++) {
        const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, names[i]);
        used += (size_t)snprintf(text + used, sizeof text - used, "[%.100s]",
                                 value != NULL ? value : "none");
    }
    return answer(connection, 200, "text/html", NULL, NULL, copy_of(text));
}

/* What a test asks about one request. */
struct heard {
    char *target;
    bool is_begun;
    char body[64];
    size_t body_bytes;
};

static const char *header_or_none(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value != NULL ? value : "none";
}

static enum MHD_Result answer_heard(struct MHD_Connection *connection, const char *method,
                                    const struct heard *heard)
{
    char text[512];

    (void)snprintf(text, sizeof text, "<p id=x></p>%.8s|%.*s|%.64s|%.64s|%.64s|", method,
                   (int)heard->body_bytes, heard->body, header_or_none(connection, "Content-Type"),
                   header_or_none(connection, "X-Secret"),
                   header_or_none(connection, "Authorization"));
    return answer(connection, 200, "text/html", "Access-Control-Allow-Origin", "*", copy_of(text));
}

static enum MHD_Result answer_behaviour(struct cdp_origin *origin,
                                        struct MHD_Connection *connection, const char *path,
                                        const char *query)
{
    struct MHD_Response *response;
    const char *cookie = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Cookie");
    char text[512];

    if (strcmp(path, "/never") == 0 || strcmp(path, "/slow") == 0) {
        (void)origin_waits(origin, path[1] == 'n' ? -1 : (int)strtol(query, NULL, 10));
        return answer(connection, 200, "text/plain", NULL, NULL, copy_of("slow"));
    }
    if (strcmp(path, "/events") == 0) {
        response =
            MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64, read_events, origin, NULL);
        return answer(connection, 200, "text/event-stream", NULL, NULL, response);
    }
    if (strcmp(path, "/half") == 0) {
        response = MHD_create_response_from_callback(1000, 512, read_half, origin, NULL);
        return answer(connection, 200, "text/html", NULL, NULL, response);
    }
    if (strcmp(path, "/big") == 0) {
        response = MHD_create_response_from_callback(strtoull(query, NULL, 10), 65536, read_big,
                                                     origin, NULL);
        return answer(connection, 200, "text/html", NULL, NULL, response);
    }
    if (strcmp(path, "/loop") == 0)
        return answer(connection, 302, NULL, "Location", "/loop", copy_of(""));
    if (strcmp(path, "/marks") == 0) {
        const char *mark = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Prerender");
        const char *agent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "User-Agent");
        (void)snprintf(text, sizeof text, "<p id=x></p>mark: %s, agent: %s",
                       mark != NULL ? mark : "none", agent != NULL ? agent : "none");
        return answer(connection, 404, "text/html", "X-Origin", "a, b", copy_of(text));
    }
    if (strcmp(path, "/hints") == 0)
        return answer_hints(connection);
    if (strcmp(path, "/to") == 0)
        return answer(connection, 302, NULL, "Location", query, copy_of(""));
    if (strcmp(path, "/again") == 0)
        return answer(connection, 307, NULL, "Location", query, copy_of(""));
    if (strcmp(path, "/status") == 0)
        return answer(connection, (unsigned)strtoul(query, NULL, 10), NULL, NULL, NULL,
                      copy_of(""));
    if (strcmp(path, "/download") == 0)
        return answer(connection, 200, "application/octet-stream", "Content-Disposition",
                      "attachment; filename=x", copy_of("abc"));
    if (strcmp(path, "/moves-at") == 0) {
        (void)snprintf(
            text, sizeof text,
            "<!DOCTYPE html><p id=x>first<script>setTimeout(()=>location='/static',%.20s)"
            "</script>",
            query);
        return answer(connection, 200, "text/html", NULL, NULL, copy_of(text));
    }
    if (strcmp(path, "/moves-in") == 0) {
        (void)snprintf(text, sizeof text,
                       "<!DOCTYPE html><p id=x>first<script>const w=new Worker(URL.createObjectURL("
                       "new Blob(['setTimeout(()=>postMessage(1),%.20s)'])));"
                       "w.onmessage=()=>location='/static'</script>",
                       query);
        return answer(connection, 200, "text/html", NULL, NULL, copy_of(text));
    }
    if (strcmp(path, "/cookie") == 0) {
        (void)snprintf(text, sizeof text, "<!DOCTYPE html><p>cookies: %.400s",
                       cookie != NULL ? cookie : "none");
        return answer(connection, 200, "text/html", "Set-Cookie", "seen=1; Max-Age=1000",
                      copy_of(text));
    }
    return answer(connection, 404, "text/html", NULL, NULL, copy_of("<h1>not here</h1>"));
}

/* The target of the request as it came; MHD itself takes queries apart. */
static void *on_target(void *owner, const char *target, struct MHD_Connection *connection)
{
    (void)owner;
    (void)connection;
    struct heard *heard = calloc(1, sizeof *heard);
    assert(heard != NULL);
    heard->target = strdup(target);
    return heard;
}

static void on_completed(void *owner, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    (void)owner;
    (void)connection;
    (void)code;
    struct heard *heard = *request;
    free(heard->target);
    free(heard);
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **request)
{
    struct cdp_origin *origin = owner;
    struct heard *heard = *request;
    const char *mark = strchr(heard->target, '?');
    (void)version;

    if (!heard->is_begun || *upload_bytes > 0) {
        heard->is_begun = true;
        for (size_t i = 0; i < *upload_bytes && heard->body_bytes < sizeof heard->body; i++)
            heard->body[heard->body_bytes++] = upload[i];
        *upload_bytes = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&origin->count, 1);
    for (const struct cdp_origin_page *page = origin->pages; page->path != NULL; page++) {
        if (strcmp(page->path, url) == 0)
            return answer(connection, 200, page->type, NULL, NULL, copy_of(page->body));
    }
    if (strcmp(url, "/heard") == 0)
        return answer_heard(connection, method, heard);
    return answer_behaviour(origin, connection, url, mark != NULL ? mark + 1 : "");
}

struct cdp_origin *cdp_origin_new(const struct cdp_origin_page *pages)
{
    struct cdp_origin *origin = calloc(1, sizeof *origin);

    assert(origin != NULL);
    origin->pages = pages;
    origin->ended = eventfd(0, EFD_CLOEXEC);
    assert(origin->ended >= 0);
    origin->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, 0, NULL,
        NULL, on_request, origin, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    assert(origin->daemon != NULL);
    return origin;
}

uint16_t cdp_origin_port(const struct cdp_origin *origin)
{
    return MHD_get_daemon_info(origin->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

size_t cdp_origin_count(struct cdp_origin *origin)
{
    return atomic_load(&origin->count);
}

void cdp_origin_free(struct cdp_origin *origin)
{
    const uint64_t one = 1;
    ssize_t bytes = write(origin->ended, &one, sizeof one);

    assert(bytes == (ssize_t)sizeof one);
    MHD_stop_daemon(origin->daemon);
    (void)close(origin->ended);
    free(origin);
}
