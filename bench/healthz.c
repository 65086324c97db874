/* healthz.c: how fast /healthz answers while large documents pass through the daemon.
 *
 *   bench/healthz [SECONDS] [LIMIT_MS]
 *
 * Two clients render documents of 20 MB without pause, stripped of scripts and gzipped,
 * while a third asks /healthz every few milliseconds on a connection of its own. The same
 * is measured first without any render: what is in both is the machine's. */
#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/stage.h"

#define DOCUMENT_BYTES 20000000u
#define RENDERERS 2
#define PROBE_PAUSE_MS 3
#define IDLE_SECONDS 3
#define PROBES_MAX 200000

static const char *const knobs[] = {"--pool.pages_min=2", "--pool.pages_max=2",
                                    "--render.output_bytes_max=33554432", NULL};

struct renderer {
    pthread_t thread;
    char url[300], body[512];
    const atomic_bool *is_over;
    size_t renders, failed, answer_bytes;
};

static size_t on_document(char *data, size_t size, size_t count, void *renderer_)
{
    struct renderer *renderer = renderer_;
    (void)data;
    renderer->answer_bytes += size * count;
    return size * count;
}

static void *render_all(void *renderer_)
{
    struct renderer *renderer = renderer_;
    CURL *easy = curl_easy_init();
    demand(easy != NULL, "libcurl gives no handle");
    struct curl_slist *headers = curl_slist_append(NULL, "Accept-Encoding: gzip");
    curl_easy_setopt(easy, CURLOPT_URL, renderer->url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, renderer->body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_document);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, renderer);
    while (!atomic_load(renderer->is_over)) {
        long status = 0;
        CURLcode code = curl_easy_perform(easy);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        renderer->failed += code != CURLE_OK || status != 200;
        renderer->renders++;
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return NULL;
}

struct probes {
    double *took_ms;
    size_t count;
};

/* Asks for that long, one probe after the other. */
static void probe(const struct stage *stage, size_t seconds, struct probes *probes)
{
    char url[300];
    struct renderer ignored = {.answer_bytes = 0};
    CURL *easy = curl_easy_init();
    demand(easy != NULL, "libcurl gives no handle");
    snprintf(url, sizeof(url), "%s/healthz", stage->harness->address);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_document);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &ignored);
    uint64_t end_ns = clock_ns() + seconds * 1000000000u;
    for (probes->count = 0; clock_ns() < end_ns && probes->count < PROBES_MAX; probes->count++) {
        uint64_t start_ns = clock_ns();
        CURLcode code = curl_easy_perform(easy);
        demand(code == CURLE_OK, "/healthz does not answer: %s", curl_easy_strerror(code));
        probes->took_ms[probes->count] = (double)(clock_ns() - start_ns) / 1e6;
        poll(NULL, 0, PROBE_PAUSE_MS);
    }
    curl_easy_cleanup(easy);
}

static double probes_print(const char *what, const struct probes *probes)
{
    double p50_ms = facts_percentile(probes->took_ms, probes->count, 50);
    double p99_ms = facts_percentile(probes->took_ms, probes->count, 99);
    printf("%-28s %5zu probes: p50 %5.2f ms, p99 %6.2f ms, longest %6.2f ms\n", what, probes->count,
           p50_ms, p99_ms, facts_percentile(probes->took_ms, probes->count, 100));
    return p99_ms;
}

static void renderers_start(struct stage *stage, struct renderer *renderers,
                            const atomic_bool *is_over)
{
    for (size_t i = 0; i < RENDERERS; i++) {
        struct renderer *renderer = &renderers[i];
        *renderer = (struct renderer){.is_over = is_over};
        snprintf(renderer->url, sizeof(renderer->url), "%s/render", stage->harness->address);
        snprintf(renderer->body, sizeof(renderer->body),
                 "{\"url\":\"%s\",\"affinity\":\"%zu\",\"timeoutMs\":60000,"
                 "\"document\":{\"stripScripts\":true}}",
                 origin_url(stage->origin, "/big?bytes=%u", DOCUMENT_BYTES), i);
        int error = pthread_create(&renderer->thread, NULL, render_all, renderer);
        demand(error == 0, "no thread: %s", strerror(error));
    }
}

int main(int argc, char **argv)
{
    size_t seconds = facts_argument(argc, argv, 1, 30);
    size_t limit_ms = facts_argument(argc, argv, 2, 20);
    struct probes probes = {.took_ms = calloc(PROBES_MAX, sizeof(double))};
    struct renderer renderers[RENDERERS];
    atomic_bool is_over = false;
    size_t renders = 0, failed = 0, bytes = 0;
    demand(probes.took_ms != NULL, "no memory");
    struct stage stage = stage_open(knobs);
    facts_print(stage.harness);
    probe(&stage, IDLE_SECONDS, &probes);
    probes_print("nothing is rendered", &probes);
    renderers_start(&stage, renderers, &is_over);
    probe(&stage, seconds, &probes);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < RENDERERS; i++) {
        pthread_join(renderers[i].thread, NULL);
        renders += renderers[i].renders;
        failed += renderers[i].failed;
        bytes += renderers[i].answer_bytes;
    }
    double p99_ms = probes_print("20 MB documents pass through", &probes);
    printf("  %zu renders, %zu failed, %.1f MB sent; limit of p99 %zu ms: %s\n", renders, failed,
           (double)bytes / 1e6, limit_ms, p99_ms < (double)limit_ms ? "held" : "NOT HELD");
    free(probes.took_ms);
    stage_close(&stage);
    return p99_ms < (double)limit_ms && failed == 0 && renders > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
