/* origin.c: the web server of the pages.
 *
 *   bench/peers/origin FOLDER      prints its port, and serves until its input ends
 *
 *   /pages/NAME        FOLDER/pages/NAME.html
 *   /npm/PACKAGE/...   FOLDER/node_modules/PACKAGE/...
 *   /svelte/NAME       FOLDER/node_modules/.compiled/NAME.js
 *   /data/...          FOLDER/data/...
 *   /api/...           the answers below; delay_ms=N makes one slow
 *
 * It shares the processors with what is measured, so it is to take little of them: files stay
 * in memory, each as one response of libmicrohttpd, and each connection has a thread, which
 * may simply wait. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/system/harness.h"

#define IDLE_TIMEOUT_S 60
#define EVENTS 3
#define EVENT_PAUSE_MS 30
#define FRAGMENTS 3

#define PRODUCTS                                                                                   \
    "[{\"id\":1,\"name\":\"Quince jelly\"},{\"id\":2,\"name\":\"Sloe syrup\"},"                    \
    "{\"id\":3,\"name\":\"Medlar wine\"}]"

/* A PNG of one pixel. */
static const unsigned char tile[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x04, 0x00, 0x00,
    0x00, 0xb5, 0x1c, 0x0c, 0x02, 0x00, 0x00, 0x00, 0x0b, 0x49, 0x44, 0x41, 0x54, 0x78,
    0xda, 0x63, 0x64, 0xf8, 0x0f, 0x00, 0x01, 0x05, 0x01, 0x01, 0x27, 0x18, 0xe3, 0x66,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

/* A file that was asked for, with what answers it. */
struct file {
    SLIST_ENTRY(file) link;
    struct MHD_Response *response;
    char path[]; /* Of the request. */
};

struct origin {
    const char *folder;
    pthread_mutex_t mutex; /* Guards the files. */
    SLIST_HEAD(, file) files;
};

/* How far an event stream is. */
struct stream {
    struct MHD_Connection *connection;
    int sent;
};

static const char *media_type(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html"},   {".js", "text/javascript"},        {".mjs", "text/javascript"},
        {".css", "text/css"},     {".json", "application/json"},     {".svg", "image/svg+xml"},
        {".md", "text/markdown"}, {".woff2", "font/woff2"},          {".png", "image/png"},
        {".mmd", "text/plain"},   {NULL, "application/octet-stream"}};
    const char *dot = strrchr(path, '.');
    size_t i = 0;
    while (types[i][0] != NULL && (dot == NULL || strcmp(dot, types[i][0]) != 0)) {
        i++;
    }
    return types[i][1];
}

static void set_headers(struct MHD_Response *response, const char *type, const char *cache)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
}

/* False when the path is none of a file. */
static bool find_file(const struct origin *origin, const char *path, char ret[PATH_MAX])
{
    static const struct {
        const char *prefix, *folder, *ending;
    } places[] = {{"/pages/", "pages", ".html"},
                  {"/npm/", "node_modules", ""},
                  {"/svelte/", "node_modules/.compiled", ".js"},
                  {"/data/", "data", ""}};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        size_t bytes = strlen(places[i].prefix);
        if (strncmp(path, places[i].prefix, bytes) == 0 && strstr(path, "..") == NULL) {
            int written = snprintf(ret, PATH_MAX, "%s/%s/%s%s", origin->folder, places[i].folder,
                                   path + bytes, places[i].ending);
            return written > 0 && written < PATH_MAX;
        }
    }
    return false;
}

/* NULL when there is no such file. */
static struct MHD_Response *load(const struct origin *origin, const char *path)
{
    char name[PATH_MAX];
    struct stat status;
    FILE *file = find_file(origin, path, name) ? fopen(name, "re") : NULL;
    if (file == NULL) {
        return NULL;
    }
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
        fclose(file);
        return NULL;
    }
    size_t bytes = (size_t)status.st_size;
    char *body = malloc(bytes + 1);
    demand(body != NULL && fread(body, 1, bytes, file) == bytes, "%s cannot be read", name);
    fclose(file);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, body, MHD_RESPMEM_MUST_FREE);
    demand(response != NULL, "no memory for %s", name);
    const char *type = media_type(name);
    set_headers(response, type, strcmp(type, "text/html") == 0 ? "no-cache" : "max-age=600");
    return response;
}

/* Loads it at the first time; what is not there is not remembered. */
static struct MHD_Response *response_of(struct origin *origin, const char *path)
{
    struct file *file;
    pthread_mutex_lock(&origin->mutex);
    SLIST_FOREACH(file, &origin->files, link)
    {
        if (strcmp(file->path, path) == 0) {
            break;
        }
    }
    struct MHD_Response *response = file != NULL ? file->response : load(origin, path);
    if (file == NULL && response != NULL) {
        file = malloc(sizeof(*file) + strlen(path) + 1);
        demand(file != NULL, "no memory for a file");
        file->response = response;
        memcpy(file->path, path, strlen(path) + 1);
        SLIST_INSERT_HEAD(&origin->files, file, link);
    }
    pthread_mutex_unlock(&origin->mutex);
    return response;
}

static unsigned number_of(struct MHD_Connection *connection, const char *name)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static int write_fragment(unsigned n, char *ret, size_t ret_bytes)
{
    if (n >= FRAGMENTS) {
        return snprintf(ret, ret_bytes, "<p>fragment %u of %d</p>", n, FRAGMENTS);
    }
    return snprintf(ret, ret_bytes,
                    "<p>fragment %u of %d</p><div hx-get=\"/api/fragment?n=%u&delay_ms=20\" "
                    "hx-trigger=\"load delay:100ms\">...</div>",
                    n, FRAGMENTS, n + 1);
}

/* Writes the body and sets its type. Returns its bytes; 0: there is no such answer. */
static int write_answer(struct MHD_Connection *connection, const char *name, char *ret,
                        size_t ret_bytes, const char **ret_type)
{
    static const char *const months[] = {"", "October", "December", "November"};
    *ret_type = "application/json";
    if (strcmp(name, "products") == 0) {
        return snprintf(ret, ret_bytes, "%s", PRODUCTS);
    }
    if (strcmp(name, "product") == 0) {
        unsigned id = number_of(connection, "id");
        return snprintf(ret, ret_bytes, "{\"text\":\"made in %s\"}", id <= 3 ? months[id] : "");
    }
    if (strcmp(name, "step") == 0) {
        return snprintf(ret, ret_bytes, "{\"text\":\"step %u of the work\"}",
                        number_of(connection, "n"));
    }
    if (strcmp(name, "fragment") == 0) {
        *ret_type = "text/html";
        return write_fragment(number_of(connection, "n"), ret, ret_bytes);
    }
    if (strcmp(name, "tile") == 0) {
        *ret_type = "image/png";
        memcpy(ret, tile, sizeof(tile));
        return sizeof(tile);
    }
    return 0;
}

/* The stream stays open when all events are sent, until the client hangs up. */
static ssize_t on_stream(void *stream_, uint64_t position, char *ret, size_t ret_bytes)
{
    (void)position;
    struct stream *stream = stream_;
    if (stream->sent == EVENTS) {
        struct pollfd hangup = {.events = POLLRDHUP};
        hangup.fd = MHD_get_connection_info(stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                        ->connect_fd;
        poll(&hangup, 1, -1);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    poll(NULL, 0, EVENT_PAUSE_MS);
    stream->sent++;
    return snprintf(ret, ret_bytes, "data: event %d\n\n", stream->sent);
}

static struct MHD_Response *stream_events(struct MHD_Connection *connection)
{
    struct stream *stream = malloc(sizeof(*stream));
    demand(stream != NULL, "no memory for a stream");
    *stream = (struct stream){.connection = connection};
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64, on_stream, stream, free);
    demand(response != NULL, "no memory for a stream");
    set_headers(response, "text/event-stream", "no-store");
    return response;
}

/* A response of the connection's own, or NULL. */
static struct MHD_Response *answer_api(struct MHD_Connection *connection, const char *name)
{
    char body[512];
    const char *type;
    if (strcmp(name, "events") == 0) {
        return stream_events(connection);
    }
    int bytes = write_answer(connection, name, body, sizeof(body), &type);
    if (bytes == 0) {
        return NULL;
    }
    poll(NULL, 0, (int)number_of(connection, "delay_ms"));
    struct MHD_Response *response =
        MHD_create_response_from_buffer((size_t)bytes, body, MHD_RESPMEM_MUST_COPY);
    demand(response != NULL, "no memory for an answer");
    set_headers(response, type, "no-store");
    return response;
}

static enum MHD_Result answer(void *origin, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **own)
{
    (void)method, (void)version, (void)upload, (void)upload_bytes, (void)own;
    bool is_api = strncmp(path, "/api/", 5) == 0;
    struct MHD_Response *response =
        is_api ? answer_api(connection, path + 5) : response_of(origin, path);
    bool is_found = response != NULL;
    if (!is_found) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        demand(response != NULL, "no memory for an answer");
    }
    enum MHD_Result result =
        MHD_queue_response(connection, is_found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
    if (is_api || !is_found) {
        MHD_destroy_response(response);
    }
    return result;
}

int main(int argc, char **argv)
{
    demand(argc == 2, "usage: %s FOLDER", argv[0]);
    struct origin origin = {.folder = argv[1], .mutex = PTHREAD_MUTEX_INITIALIZER};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
                         NULL, answer, &origin, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    demand(daemon != NULL, "the origin cannot listen");
    printf("%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (char ignored[64]; read(STDIN_FILENO, ignored, sizeof(ignored)) > 0;) {
    }
    MHD_stop_daemon(daemon);
    for (struct file *file; (file = SLIST_FIRST(&origin.files)) != NULL;) {
        SLIST_REMOVE_HEAD(&origin.files, link);
        MHD_destroy_response(file->response);
        free(file);
    }
    return EXIT_SUCCESS;
}
