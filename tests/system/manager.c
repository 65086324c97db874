/* manager.c: the process behind manager.h, and how tests start and ask it. */
#include "tests/system/manager.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/system/client.h"
#include "tests/system/harness.h"
#include "tests/system/registry.h"

#define HEAD_BYTES_MAX 65536
#define BODY_BYTES_MAX (16u * 1024 * 1024)

struct message {
    char head[HEAD_BYTES_MAX];
    char method[16], target[16384];
    char *body;
};

struct connection {
    struct registry *registry;
    int fd;
};

static bool read_head(int fd, struct message *message, size_t *ret_bytes)
{
    size_t bytes = 0;
    message->head[0] = '\0';
    while (strstr(message->head, "\r\n\r\n") == NULL) {
        ssize_t got = read(fd, message->head + bytes, sizeof message->head - 1 - bytes);
        if (got <= 0) {
            return false;
        }
        bytes += (size_t)got;
        message->head[bytes] = '\0';
    }
    *ret_bytes = bytes;
    return sscanf(message->head, "%15s %16383s", message->method, message->target) == 2;
}

static bool read_message(int fd, struct message *message)
{
    size_t bytes = 0;
    if (!read_head(fd, message, &bytes)) {
        return false;
    }
    const char *length = strcasestr(message->head, "\r\ncontent-length:");
    size_t wanted = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
    const char *rest = strstr(message->head, "\r\n\r\n") + 4;
    size_t have = bytes - (size_t)(rest - message->head);
    demand(wanted <= BODY_BYTES_MAX && have <= wanted, "a body of %zu bytes", wanted);
    message->body = malloc(wanted + 1);
    memcpy(message->body, rest, have);
    while (have < wanted) {
        ssize_t got = read(fd, message->body + have, wanted - have);
        if (got <= 0) {
            return false;
        }
        have += (size_t)got;
    }
    message->body[wanted] = '\0';
    return true;
}

static void answer(int fd, long status, const char *headers, const char *body, size_t body_bytes)
{
    char head[1024];
    int bytes = snprintf(head, sizeof head,
                         "HTTP/1.1 %ld x\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
                         status, headers, body_bytes);
    bool sent = send(fd, head, (size_t)bytes, MSG_NOSIGNAL) == bytes;
    while (sent && body_bytes > 0) {
        ssize_t got = send(fd, body, body_bytes, MSG_NOSIGNAL);
        sent = got > 0;
        body += sent ? got : 0;
        body_bytes -= sent ? (size_t)got : 0;
    }
}

/* Tries servers until one has answered, each at most once. A refusal (410, 503) means that
 * nothing was started; a connection that breaks or a 5xx costs the server its record. A
 * command whose connection broke may have run: it is in doubt, and sent to nobody else. */
static void proxy(struct registry *registry, int fd, const struct message *message, json_t *json)
{
    char url[512];
    json_t *tried = json_array();
    struct client_reply reply = {.status = 0};
    bool is_command = strcmp(message->target, "/run-command") == 0;
    bool answered = false, in_doubt = false;
    while (!answered && !in_doubt && registry_choose(registry, json, tried, url)) {
        (void)json_array_append_new(tried, json_string(url));
        client_reply_free(&reply);
        client_perform(url,
                       &(struct client_request){.method = message->method,
                                                .path = message->target,
                                                .body = message->body},
                       &reply);
        bool refused = reply.status == 410 || reply.status == 503;
        answered = reply.status != 0 && !refused;
        in_doubt = is_command && reply.status == 0 && reply.is_reached;
        if (reply.status == 0 || (reply.status >= 500 && !refused)) {
            registry_prune(registry, url);
        }
    }
    registry_note_proxied(registry, json, url, reply.status, json_array_size(tried));
    if (answered) {
        char headers[768];
        (void)snprintf(headers, sizeof headers, "X-Served-By: %s\r\n", url);
        answer(fd, reply.status, headers, reply.body, reply.body_bytes);
    } else if (in_doubt) {
        answer(fd, 502, "", "in doubt", 8);
    } else {
        answer(fd, 503, "", "no server", 9);
    }
    client_reply_free(&reply);
    json_decref(tried);
}

static void release(struct registry *registry, int fd, const json_t *json)
{
    size_t index;
    json_t *url, *urls = registry_release(registry, json);
    char *body = json_dumps(json, JSON_COMPACT); /* With these three attributes. */
    json_array_foreach(urls, index, url)
    {
        struct client_reply reply;
        client_perform(json_string_value(url),
                       &(struct client_request){.path = "/release-batch", .body = body}, &reply);
        client_reply_free(&reply);
    }
    answer(fd, urls != NULL ? 204 : 400, "", "", 0);
    free(body);
    json_decref(urls);
}

static void handle(struct registry *registry, int fd, const struct message *message)
{
    char headers[512] = "";
    json_t *json = json_loads(message->body, 0, NULL);
    char *text = NULL;
    long status = registry_handle(registry, message->method, message->target, json, headers, &text);
    if (status != 0) {
        answer(fd, status, headers, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    } else if (strcmp(message->target, "/release-batch") == 0) {
        release(registry, fd, json);
    } else {
        proxy(registry, fd, message, json);
    }
    free(text);
    json_decref(json);
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    struct message *message = calloc(1, sizeof *message);
    if (read_message(connection->fd, message)) {
        handle(connection->registry, connection->fd, message);
    }
    (void)shutdown(connection->fd, SHUT_WR);
    (void)close(connection->fd);
    free(message->body);
    free(message);
    free(connection);
    return NULL;
}

static void run(int listener)
{
    struct registry *registry = registry_new();
    for (;;) {
        struct connection *connection = malloc(sizeof *connection);
        pthread_t thread;
        connection->registry = registry;
        connection->fd = accept(listener, NULL, NULL);
        if (connection->fd < 0 || pthread_create(&thread, NULL, serve, connection) != 0) {
            free(connection);
            continue;
        }
        (void)pthread_detach(thread);
    }
}

static void spawn(struct manager *manager)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(manager->port)};
    socklen_t bytes = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    demand(bind(fd, (struct sockaddr *)&address, bytes) == 0 && listen(fd, 128) == 0,
           "the manager cannot listen on port %u", manager->port);
    (void)getsockname(fd, (struct sockaddr *)&address, &bytes);
    manager->port = ntohs(address.sin_port);
    (void)snprintf(manager->address, sizeof manager->address, "http://127.0.0.1:%u", manager->port);
    manager->pid = fork();
    demand(manager->pid >= 0, "no process for the manager");
    if (manager->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(fd);
    }
    (void)close(fd);
}

void manager_start(struct manager *manager)
{
    *manager = (struct manager){.pid = 0};
    spawn(manager);
}

void manager_kill(struct manager *manager)
{
    (void)kill(manager->pid, SIGKILL);
    (void)waitpid(manager->pid, NULL, 0);
    manager->pid = 0;
}

void manager_restart(struct manager *manager)
{
    if (manager->pid != 0) {
        manager_kill(manager);
    }
    spawn(manager);
}

json_t *manager_state(const struct manager *manager)
{
    struct client_reply reply;
    client_perform(manager->address, &(struct client_request){.path = "/state"}, &reply);
    demand(reply.status == 200, "the manager has no state: %ld %s", reply.status, reply.error);
    json_t *state = client_json(&reply);
    client_reply_free(&reply);
    return state;
}

long manager_post(const struct manager *manager, const char *path, const char *json)
{
    struct client_reply reply;
    client_perform(manager->address, &(struct client_request){.path = path, .body = json}, &reply);
    long status = reply.status;
    client_reply_free(&reply);
    return status;
}

size_t manager_count(const struct manager *manager, const char *type, const char *url,
                     json_t **ret_last)
{
    size_t index, count = 0;
    json_t *message, *last = NULL, *state = manager_state(manager);
    json_array_foreach(json_object_get(state, "messages"), index, message)
    {
        const char *from = json_string_value(json_object_get(message, "url"));
        if (strcmp(json_string_value(json_object_get(message, "type")), type) == 0 &&
            (url == NULL || strcmp(from, url) == 0)) {
            last = message;
            count++;
        }
    }
    if (ret_last != NULL) {
        *ret_last = json_incref(last);
    }
    json_decref(state);
    return count;
}
