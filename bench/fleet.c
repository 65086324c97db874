/* fleet.c: what being a member of a fleet costs the daemon.
 *
 *   bench/fleet [standin|chromium] [SECONDS]
 *
 * Visits in an open loop through the manager of the tests, over many affinities. With the
 * stand-in browser, which answers everything after 5 ms: 64 pages, 1000 affinities, 200
 * requests per second. With Chromium: as many affinities as two pages per processor can
 * keep warm and as many again, at half of what a closed loop has reached first.
 *
 * Fails when a turn with a heartbeat in it took over 5 ms, when the resident memory of the
 * daemon in the last ten seconds was over that of second 20 by more than 1 MB, or when a
 * request was not answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/manager.h"
#include "tests/system/process.h"
#include "tests/system/stage.h"
#include "tests/system/standin.h"

#define LATENCY_MS 5
#define REFERENCE_S 20
#define LAST_S 10
#define GROWTH_MAX_KB 1024
#define CLOSED_LOOP_REQUESTS 200
#define CLOSED_LOOP_AT_ONCE 8

struct fleet {
    struct manager manager;
    struct harness *harness;
    struct origin *origin;
    struct standin *standin; /* NULL: Chromium. */
    size_t affinities;
    double per_second;
    size_t asked, failed;
};

static size_t ask(const struct fleet *fleet, struct flight *flight, size_t number)
{
    char body[1024];
    const char *url =
        fleet->standin != NULL ? "http://a.example/" : origin_url(fleet->origin, "/static?n=fleet");
    /* A step that shares no factor with their number: all of them, and no two in a row. */
    (void)snprintf(body, sizeof body,
                   "{\"data\":{\"attributes\":{\"url\":\"%s\",\"affinityType\":\"realm\","
                   "\"affinityValue\":\"http://realm-%zu.example/\",\"realm\":\"r\","
                   "\"auth\":\"{}\"}}}",
                   url, number * 7919 % fleet->affinities);
    return flight_start(flight, &(struct client_request){.path = "/prerender-visit", .body = body});
}

static void count(struct fleet *fleet, const struct flight *flight)
{
    for (size_t i = 0; i < flight_count(flight); i++) {
        const struct client_reply *reply = flight_reply(flight, i);
        fleet->asked++;
        fleet->failed +=
            reply->status != 201 || strstr(reply->body, "\"status\":\"ready\"") == NULL;
    }
}

static double closed_loop(struct fleet *fleet)
{
    struct flight *flight = flight_new(fleet->manager.address);
    uint64_t start_ms = clock_ms();
    for (size_t i = 0; i < CLOSED_LOOP_REQUESTS; i++) {
        (void)ask(fleet, flight, i);
        if (i >= CLOSED_LOOP_AT_ONCE)
            demand(flight_wait(flight, i - CLOSED_LOOP_AT_ONCE, 60000), "a visit hangs");
    }
    demand(flight_wait_all(flight, 60000), "a visit hangs");
    double seconds = (double)(clock_ms() - start_ms) / 1000;
    flight_free(flight);
    return CLOSED_LOOP_REQUESTS / seconds;
}

/* One second of it. Answers are awaited by the next second at the earliest. */
static struct flight *run_second(struct fleet *fleet, size_t second)
{
    struct flight *flight = flight_new(fleet->manager.address);
    size_t first = (size_t)((double)second * fleet->per_second);
    size_t end = (size_t)((double)(second + 1) * fleet->per_second);
    uint64_t start_ms = clock_ms();
    for (size_t i = first; i < end; i++) {
        uint64_t due_ms = start_ms + (i - first) * 1000 / (end - first);
        for (uint64_t now_ms = clock_ms(); now_ms < due_ms; now_ms = clock_ms())
            flight_pump(flight, due_ms - now_ms);
        (void)ask(fleet, flight, i);
    }
    for (uint64_t now_ms = clock_ms(); now_ms < start_ms + 1000; now_ms = clock_ms())
        flight_pump(flight, start_ms + 1000 - now_ms);
    return flight;
}

static void finish_second(struct fleet *fleet, struct flight *flight)
{
    demand(flight_wait_all(flight, 120000), "a visit hangs");
    count(fleet, flight);
    flight_free(flight);
}

/* The bucket of a histogram in the text of GET /metrics. */
static unsigned long long bucket(const char *text, const char *name, const char *end)
{
    char line[128];
    (void)snprintf(line, sizeof line, "%s_bucket{le=\"%s\"} ", name, end);
    const char *at = strstr(text, line);
    demand(at != NULL, "no %s in the metrics", line);
    return strtoull(at + strlen(line), NULL, 10);
}

static bool judge_turns(const struct fleet *fleet)
{
    static const char name[] = "prerenderd_heartbeat_turn_seconds";
    static const char *const ends[] = {"0.000100", "0.000500", "0.001000",
                                       "0.002500", "0.005000", "+Inf"};
    struct client_reply reply;
    client_perform(fleet->harness->address, &(struct client_request){.path = "/metrics"}, &reply);
    demand(reply.status == 200, "no metrics");
    printf("  turns with a heartbeat:");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        printf("%s %llu <= %s s", i > 0 ? "," : "", bucket(reply.body, name, ends[i]), ends[i]);
    printf("\n");
    bool holds = bucket(reply.body, name, "0.005000") == bucket(reply.body, name, "+Inf") &&
                 bucket(reply.body, name, "+Inf") > 0;
    printf("  none over 5 ms: %s\n", holds ? "held" : "NOT HELD");
    client_reply_free(&reply);
    return holds;
}

/* Resident memory is looked at once a second, while the requests go on. */
static bool run_open_loop(struct fleet *fleet, size_t seconds)
{
    uint64_t reference_kb = 0, last_kb = 0;
    struct flight *before = NULL;
    for (size_t second = 0; second < seconds; second++) {
        struct flight *flight = run_second(fleet, second);
        if (before != NULL)
            finish_second(fleet, before);
        before = flight;
        uint64_t kb = (uint64_t)process_status_number(fleet->harness->pid, "VmRSS");
        if (second + 1 <= REFERENCE_S)
            reference_kb = kb;
        if ((second + 1) % 10 == 0) {
            printf("  second %3zu: %.1f MB resident\n", second + 1, (double)kb / 1024);
            fflush(stdout);
        }
        if (second + LAST_S >= seconds && kb > last_kb)
            last_kb = kb;
    }
    finish_second(fleet, before);
    bool holds = last_kb <= reference_kb + GROWTH_MAX_KB;
    printf("  resident memory: %.1f MB at second %d, at most %.1f MB in the last %d: %s\n",
           (double)reference_kb / 1024, REFERENCE_S, (double)last_kb / 1024, LAST_S,
           holds ? "held" : "NOT HELD");
    return holds;
}

static void start(struct fleet *fleet, bool is_standin)
{
    char manager[128], browser[192], address[160];
    const char *list[8] = {manager, "--manager.heartbeat_interval_ms=1000"};
    manager_start(&fleet->manager); /* A fork, so before there are threads. */
    (void)snprintf(manager, sizeof manager, "--manager.url=%s", fleet->manager.address);
    fleet->origin = origin_new();
    fleet->harness = harness_new();
    if (is_standin) {
        fleet->standin = standin_start(address, sizeof address);
        standin_set_script(fleet->standin, &(struct standin_script){.latency_ms = LATENCY_MS});
        (void)snprintf(browser, sizeof browser, "--browser.websocket_url=%s", address);
        list[2] = browser;
        list[3] = "--pool.pages_min=64";
        list[4] = "--pool.pages_max=64";
    }
    harness_start(fleet->harness, list);
    facts_print(fleet->harness);
    demand(harness_wait_output(fleet->harness, "registered", SOON_MS), "it does not register");
}

int main(int argc, char **argv)
{
    bool is_standin = argc < 2 || strcmp(argv[1], "chromium") != 0;
    size_t seconds = facts_argument(argc, argv, 2, 60);
    struct fleet fleet = {.affinities = is_standin ? 1000 : 8, .per_second = 200};
    demand(seconds >= REFERENCE_S + LAST_S, "at least %d seconds are needed", REFERENCE_S + LAST_S);
    start(&fleet, is_standin);
    if (!is_standin) {
        double reached = closed_loop(&fleet);
        fleet.per_second = reached / 2;
        printf("%.1f visits per second in a closed loop\n", reached);
    }
    printf("%zu seconds of %.1f visits per second over %zu affinities:\n", seconds,
           fleet.per_second, fleet.affinities);
    fflush(stdout);
    bool holds = run_open_loop(&fleet, seconds);
    holds = judge_turns(&fleet) && holds;
    printf("  %zu visits, %zu not answered as they should: %s\n", fleet.asked, fleet.failed,
           fleet.failed == 0 ? "held" : "NOT HELD");
    harness_free(fleet.harness);
    if (fleet.standin != NULL)
        standin_stop(fleet.standin);
    origin_free(fleet.origin);
    manager_kill(&fleet.manager);
    return holds && fleet.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
