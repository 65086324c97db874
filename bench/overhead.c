/* overhead.c: what the daemon adds to a warm render of a small page.
 *
 *   bench/overhead [PAIRS] [LIMIT_MS]
 *
 * A daemon first renders the page through a proxy that records its commands. Then a bare
 * client plays the commands of one warm render to a browser of its own, in turns with a
 * second daemon that renders the same page in its own browser. Compared are the times
 * from the HTTP request to the whole answer, and from the first command to the arrival of
 * the document. Done for wait.until load and auto. */
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "bench/replay.h"
#include "bench/tap.h"
#include "tests/system/stage.h"

#define MARK "small-page-of-the-benchmark"
#define WARM_RENDERS 4
/* Renders that are recorded. A command may follow a message by chance; in many renders of
 * the same kind only its cause always comes before it. */
#define RECORDED_RENDERS 24
/* The recorded daemon is done with a render when it has said nothing for so long. */
#define SILENCE_MS 250
/* Between two measurements: the browser of the first finishes its housekeeping. */
#define PAUSE_MS 15

static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

/* A client that keeps its connection, as a caller of a daemon would. */
struct caller {
    CURL *easy;
    struct curl_slist *headers;
    char body[512], url[300], answer[4096];
    size_t answer_bytes;
};

static size_t on_answer(char *data, size_t size, size_t count, void *caller_)
{
    struct caller *caller = caller_;
    size_t bytes = size * count, room = sizeof(caller->answer) - 1 - caller->answer_bytes;
    bytes = bytes < room ? bytes : room;
    memcpy(caller->answer + caller->answer_bytes, data, bytes);
    caller->answer_bytes += bytes;
    caller->answer[caller->answer_bytes] = '\0';
    return size * count;
}

static void caller_init(struct caller *caller, const char *address, const char *url,
                        const char *until_name)
{
    *caller = (struct caller){.easy = curl_easy_init()};
    demand(caller->easy != NULL, "libcurl gives no handle");
    snprintf(caller->url, sizeof(caller->url), "%s/render", address);
    snprintf(caller->body, sizeof(caller->body),
             "{\"url\":\"%s\",\"affinity\":\"bench\",\"wait\":{\"until\":\"%s\"}}", url,
             until_name);
    caller->headers = curl_slist_append(NULL, "Expect:");
    curl_easy_setopt(caller->easy, CURLOPT_URL, caller->url);
    curl_easy_setopt(caller->easy, CURLOPT_POSTFIELDS, caller->body);
    curl_easy_setopt(caller->easy, CURLOPT_HTTPHEADER, caller->headers);
    curl_easy_setopt(caller->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(caller->easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(caller->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(caller->easy, CURLOPT_WRITEDATA, caller);
}

/* One render by the daemon, in ns. */
static uint64_t caller_render(struct caller *caller)
{
    caller->answer_bytes = 0;
    uint64_t start_ns = clock_ns();
    CURLcode code = curl_easy_perform(caller->easy);
    uint64_t took_ns = clock_ns() - start_ns;
    demand(code == CURLE_OK && strstr(caller->answer, MARK) != NULL, "no document: %s %s",
           curl_easy_strerror(code), caller->answer);
    return took_ns;
}

static void caller_free(struct caller *caller)
{
    curl_easy_cleanup(caller->easy);
    curl_slist_free_all(caller->headers);
}

/* The commands of a page's first renders, and those of one warm render. */
struct recording {
    struct tape tape;
    struct tape_page page;
    struct script setup, warm;
    size_t agreeing; /* Recorded renders with the commands of .warm. */
};

static bool is_silent(void *tap)
{
    return clock_ns() - tap_latest_ns(tap) > SILENCE_MS * 1000000u;
}

static size_t first_after(const struct tape *tape, uint64_t at_ns)
{
    size_t index = 0;
    while (index < tape->count && tape->messages[index].at_ns < at_ns) {
        index++;
    }
    return index;
}

/* When the recorded renders began; the last entry is the end. */
struct times {
    uint64_t ns[RECORDED_RENDERS + 1];
};

/* Lets a daemon render through a tap at the bare client's browser. */
static void record(struct replay *replay, const char *url, const char *until_name,
                   struct tape *ret_tape, struct times *ret_times)
{
    char tap_url[TAP_URL_BYTES], knob[TAP_URL_BYTES + 40];
    struct tap *tap = tap_start(replay_url(replay), tap_url);
    struct harness *harness = harness_new();
    snprintf(knob, sizeof(knob), "--browser.websocket_url=%s", tap_url);
    const char *const attached[] = {knob, knobs[0], knobs[1], "--pool.standbys_min=0", NULL};
    harness_start(harness, attached);
    struct caller caller;
    caller_init(&caller, harness->address, url, until_name);
    for (size_t i = 0; i <= RECORDED_RENDERS; i++) {
        demand(until(is_silent, tap, SOON_MS), "the daemon does not come to rest");
        ret_times->ns[i] = clock_ns();
        if (i < RECORDED_RENDERS) {
            caller_render(&caller);
        }
    }
    caller_free(&caller);
    harness_free(harness);
    tap_stop(tap, ret_tape);
}

/* The scripts of all recorded renders but the first, which is not warm. */
struct scripts {
    struct script items[RECORDED_RENDERS];
    struct tape_page pages[RECORDED_RENDERS];
    size_t begins[RECORDED_RENDERS];
};

static void scripts_make(const struct tape *tape, const struct times *times, const char *url,
                         struct scripts *ret)
{
    for (size_t i = 1; i < RECORDED_RENDERS; i++) {
        size_t begin = first_after(tape, times->ns[i]), end = first_after(tape, times->ns[i + 1]);
        ret->begins[i] = begin;
        script_find_page(tape, url, begin, end, &ret->pages[i]);
        script_make(tape, &ret->pages[i], begin, end, true, MARK, &ret->items[i]);
    }
}

/* How many of the scripts have the same commands as that one; they are written to `ret`,
 * that one first. */
static size_t agreeing(struct scripts *scripts, size_t index, struct script **ret)
{
    size_t count = 0;
    ret[count++] = &scripts->items[index];
    for (size_t i = 1; i < RECORDED_RENDERS; i++) {
        if (i != index && script_agrees(&scripts->items[i], &scripts->items[index])) {
            ret[count++] = &scripts->items[i];
        }
    }
    return count;
}

/* Takes the most common kind of render for the one to be played. */
static void choose(const struct tape *tape, struct scripts *scripts, struct recording *ret)
{
    struct script *same[RECORDED_RENDERS];
    size_t best = 1, most = 0;
    for (size_t i = 1; i < RECORDED_RENDERS; i++) {
        size_t count = agreeing(scripts, i, same);
        if (count > most) {
            most = count;
            best = i;
        }
    }
    agreeing(scripts, best, same);
    script_refine(same, most);
    ret->agreeing = most;
    ret->page = scripts->pages[best];
    script_make(tape, &ret->page, ret->page.attached, scripts->begins[best], false, MARK,
                &ret->setup);
    ret->warm = scripts->items[best];
    scripts->items[best] = (struct script){0};
}

static void recording_make(struct replay *replay, const char *url, const char *until_name,
                           struct recording *ret)
{
    struct times times;
    struct scripts *scripts = calloc(1, sizeof(*scripts));
    demand(scripts != NULL, "no memory for scripts");
    record(replay, url, until_name, &ret->tape, &times);
    scripts_make(&ret->tape, &times, url, scripts);
    choose(&ret->tape, scripts, ret);
    for (size_t i = 1; i < RECORDED_RENDERS; i++) {
        script_free(&scripts->items[i]);
    }
    free(scripts);
}

static void recording_print(const struct recording *recording)
{
    const struct script *script = &recording->warm;
    printf("  the render as %zu of %d were recorded:", recording->agreeing, RECORDED_RENDERS - 1);
    for (size_t i = 0; i < script->count; i++) {
        printf(" %s%s", script->steps[i].method, script->steps[i].is_awaited ? "*" : "");
    }
    printf("\n  (* awaited for the document)\n");
}

static void recording_free(struct recording *recording)
{
    script_free(&recording->setup);
    script_free(&recording->warm);
    tape_free(&recording->tape);
}

struct pairs {
    double *daemon_ms, *bare_ms, *added_ms;
    size_t count, unclean;
};

static double play_ms(struct replay *replay, const struct script *script, struct pairs *pairs)
{
    bool is_clean;
    uint64_t took_ns = replay_play(replay, script, &is_clean);
    demand(took_ns > 0, "the recorded render awaits no document");
    pairs->unclean += !is_clean;
    return (double)took_ns / 1e6;
}

static void measure(struct stage *stage, struct replay *replay, const struct recording *recording,
                    const char *url, const char *until_name, struct pairs *pairs)
{
    struct caller caller;
    bool is_clean;
    caller_init(&caller, stage->harness->address, url, until_name);
    replay_open(replay, &recording->page);
    replay_play(replay, &recording->setup, &is_clean);
    for (int i = 0; i < WARM_RENDERS; i++) {
        caller_render(&caller);
        play_ms(replay, &recording->warm, pairs);
    }
    pairs->unclean = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        /* In turns who is first, so that neither gains from what the other leaves behind. */
        for (size_t half = 0; half < 2; half++) {
            poll(NULL, 0, PAUSE_MS);
            if ((i + half) % 2 == 0) {
                pairs->daemon_ms[i] = (double)caller_render(&caller) / 1e6;
            } else {
                pairs->bare_ms[i] = play_ms(replay, &recording->warm, pairs);
            }
        }
        pairs->added_ms[i] = pairs->daemon_ms[i] - pairs->bare_ms[i];
    }
    replay_close(replay);
    caller_free(&caller);
}

/* True when the limit holds. */
static bool compare(struct stage *stage, struct replay *replay, const char *until_name,
                    struct pairs *pairs, double limit_ms)
{
    const char *url = origin_url(stage->origin, "/static?n=" MARK);
    struct recording recording;
    printf("wait.until %s:\n", until_name);
    recording_make(replay, url, until_name, &recording);
    recording_print(&recording);
    measure(stage, replay, &recording, url, until_name, pairs);
    recording_free(&recording);
    double daemon_ms = facts_percentile(pairs->daemon_ms, pairs->count, 50);
    double bare_ms = facts_percentile(pairs->bare_ms, pairs->count, 50);
    double added_ms = facts_percentile(pairs->added_ms, pairs->count, 50);
    printf("  daemon  median %6.2f ms, p90 %6.2f ms\n", daemon_ms,
           facts_percentile(pairs->daemon_ms, pairs->count, 90));
    printf("  bare    median %6.2f ms, p90 %6.2f ms (%zu plays were not clean)\n", bare_ms,
           facts_percentile(pairs->bare_ms, pairs->count, 90), pairs->unclean);
    printf("  added   median %6.2f ms of %zu pairs, ratio of medians %.2f, limit %.1f ms: %s\n",
           added_ms, pairs->count, daemon_ms / bare_ms, limit_ms,
           added_ms <= limit_ms ? "held" : "NOT HELD");
    return added_ms <= limit_ms;
}

int main(int argc, char **argv)
{
    size_t count = facts_argument(argc, argv, 1, 200);
    double limit_ms = (double)facts_argument(argc, argv, 2, 3);
    struct pairs pairs = {.daemon_ms = calloc(count, sizeof(double)),
                          .bare_ms = calloc(count, sizeof(double)),
                          .added_ms = calloc(count, sizeof(double)),
                          .count = count};
    demand(pairs.daemon_ms != NULL && pairs.bare_ms != NULL && pairs.added_ms != NULL, "no memory");
    struct stage stage = stage_open(knobs);
    struct replay *replay = replay_new(stage.harness->directory);
    facts_print(stage.harness);
    bool load_holds = compare(&stage, replay, "load", &pairs, limit_ms);
    bool auto_holds = compare(&stage, replay, "auto", &pairs, limit_ms);
    replay_free(replay);
    free(pairs.daemon_ms);
    free(pairs.bare_ms);
    free(pairs.added_ms);
    stage_close(&stage);
    return load_holds && auto_holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
