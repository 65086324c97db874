/* load.c: clients that ask a server over HTTP, and how many answers were complete.
 *
 *   bench/peers/load MS < PLAN     prints {"started": N, "complete": N, "seconds": N}
 *
 * The plan is JSON, an array with an entry for each client: the requests that it makes,
 *
 *   {"url": URL, "body": TEXT or null, "want": [TEXT, ...]}
 *
 * With a body the request is a POST of JSON. All clients take turns: the i-th request of
 * them all is the i-th of its client's list, which begins anew at its end. Requests begin
 * until MS have passed; those that run then are waited for. An answer is complete when its
 * status is 200 and all texts are in it.
 *
 * It shares the processors with what is measured, so it is to take little of them. */
#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/harness.h"

#define REQUEST_TIMEOUT_MS 60000L

/* What all clients share. */
struct load {
    uint64_t end_ns;
    atomic_size_t started, complete;
};

struct answer {
    char *body;
    size_t bytes, capacity;
};

struct client {
    pthread_t thread;
    struct load *load;
    const json_t *requests;
    struct answer answer;
};

static size_t on_body(char *data, size_t size, size_t count, void *answer_)
{
    struct answer *answer = answer_;
    size_t bytes = size * count;
    if (answer->bytes + bytes > answer->capacity) {
        answer->capacity = 2 * (answer->bytes + bytes);
        answer->body = realloc(answer->body, answer->capacity);
        demand(answer->body != NULL, "no memory for an answer");
    }
    memcpy(answer->body + answer->bytes, data, bytes);
    answer->bytes += bytes;
    return bytes;
}

static bool is_complete(const struct answer *answer, const json_t *want)
{
    for (size_t i = 0; i < json_array_size(want); i++) {
        const json_t *text = json_array_get(want, i);
        if (memmem(answer->body, answer->bytes, json_string_value(text),
                   json_string_length(text)) == NULL) {
            return false;
        }
    }
    return true;
}

/* Whether the answer is complete. */
static bool ask(CURL *easy, struct client *client, const json_t *request)
{
    const char *body = json_string_value(json_object_get(request, "body"));
    long status = 0;
    curl_easy_setopt(easy, CURLOPT_URL, json_string_value(json_object_get(request, "url")));
    if (body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    client->answer.bytes = 0;
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return code == CURLE_OK && status == 200 && client->answer.bytes > 0 &&
           is_complete(&client->answer, json_object_get(request, "want"));
}

static void *run(void *client_)
{
    struct client *client = client_;
    struct load *load = client->load;
    CURL *easy = curl_easy_init();
    demand(easy != NULL, "libcurl gives no handle");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &client->answer);
    while (clock_ns() < load->end_ns) {
        size_t i = atomic_fetch_add(&load->started, 1) % json_array_size(client->requests);
        if (ask(easy, client, json_array_get(client->requests, i))) {
            atomic_fetch_add(&load->complete, 1);
        }
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    free(client->answer.body);
    return NULL;
}

static bool is_request(const json_t *request)
{
    return json_is_string(json_object_get(request, "url")) &&
           json_is_array(json_object_get(request, "want"));
}

/* Every client has at least one request. */
static json_t *read_plan(void)
{
    json_error_t error;
    size_t c, i;
    json_t *requests, *request, *plan = json_loadf(stdin, 0, &error);
    demand(plan != NULL, "the plan is no JSON: line %d: %s", error.line, error.text);
    demand(json_array_size(plan) > 0, "the plan is no array of clients");
    json_array_foreach(plan, c, requests)
    {
        demand(json_array_size(requests) > 0, "client %zu has no requests", c);
        json_array_foreach(requests, i, request)
        {
            demand(is_request(request), "client %zu: request %zu has no url or want", c, i);
        }
    }
    return plan;
}

int main(int argc, char **argv)
{
    size_t ms = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    demand(ms > 0, "usage: %s MS < PLAN", argv[0]);
    json_t *plan = read_plan();
    size_t count = json_array_size(plan);
    struct client *clients = calloc(count, sizeof(*clients));
    demand(clients != NULL, "no memory for clients");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    uint64_t start_ns = clock_ns();
    struct load load = {.end_ns = start_ns + ms * 1000000u};
    for (size_t i = 0; i < count; i++) {
        clients[i].load = &load;
        clients[i].requests = json_array_get(plan, i);
        int error = pthread_create(&clients[i].thread, NULL, run, &clients[i]);
        demand(error == 0, "no thread: %s", strerror(error));
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    printf("{\"started\": %zu, \"complete\": %zu, \"seconds\": %.3f}\n", load.started,
           load.complete, (double)(clock_ns() - start_ns) / 1e9);
    curl_global_cleanup();
    free(clients);
    json_decref(plan);
    return EXIT_SUCCESS;
}
