/* fleet.c: three daemons behind the manager of the tests, under load for a minute
 * (make fleet-long).
 *
 * While renders are in flight the manager is restarted, a daemon is killed and one drains.
 * Violations: a request without its page, once its client has asked again where the manager
 * broke the connection; a notice for an affinity that a younger heartbeat lists; a daemon
 * that drains and does not exit with 0. Exit status 1 when there is any. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/manager.h"
#include "tests/system/stage.h"

#define DAEMONS 3
#define AFFINITIES 9
#define DURATION_MS 60000
#define ROUND_TIMEOUT_MS 60000

struct fleet {
    struct manager manager;
    struct harness *daemons[DAEMONS];
    struct origin *origin;
    int events;
    uint64_t requests, answers, asked_again, retries, notices, violations;
};

static void start_daemon(struct fleet *fleet, size_t index)
{
    char url[128];
    (void)snprintf(url, sizeof url, "--manager.url=%s", fleet->manager.address);
    const char *const knobs[] = {url, "--manager.heartbeat_interval_ms=1000", "--pool.pages_min=2",
                                 "--pool.pages_max=2", NULL};
    fleet->daemons[index] = harness_new();
    harness_start(fleet->daemons[index], knobs);
}

static void violate(struct fleet *fleet, const char *what, const char *detail)
{
    fleet->violations++;
    (void)fprintf(stderr, "violation: %s: %s\n", what, detail);
}

/* Adds up what the manager has seen; it forgets when it is restarted. */
static void audit(struct fleet *fleet)
{
    size_t index;
    json_t *item, *state = manager_state(&fleet->manager);
    json_array_foreach(json_object_get(state, "messages"), index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "type")), "notice") != 0)
            continue;
        fleet->notices++;
        if (json_is_true(json_object_get(item, "live")))
            violate(fleet, "a notice for a live affinity",
                    json_string_value(json_object_get(item, "key")));
    }
    json_array_foreach(json_object_get(state, "proxied"), index, item)
    {
        json_int_t tries = json_integer_value(json_object_get(item, "tries"));
        fleet->retries += tries > 1 ? (uint64_t)tries - 1 : 0;
    }
    json_decref(state);
}

static bool is_there(void *context)
{
    const struct fleet *fleet = context;
    json_t *state = manager_state(&fleet->manager);
    bool there = json_object_size(json_object_get(state, "servers")) > 0;
    json_decref(state);
    return there;
}

/* One thing every eighth of the time, after the requests of a round have gone out. */
static void next_event(struct fleet *fleet)
{
    int status;
    switch (++fleet->events) {
    case 2:
        audit(fleet);
        manager_restart(&fleet->manager);
        demand(until(is_there, fleet, SOON_MS), "nobody registers with the new manager");
        break;
    case 4:
        harness_kill(fleet->daemons[0]);
        break;
    case 6:
        (void)kill(fleet->daemons[1]->pid, SIGTERM);
        status = harness_wait_exit(fleet->daemons[1], STOP_TIMEOUT_MS);
        if (status != 0)
            violate(fleet, "a daemon drains", "its exit status is not 0");
        break;
    default:
        break;
    }
}

static bool is_good(const struct client_reply *reply, int n)
{
    char text[32];
    (void)snprintf(text, sizeof text, "page %d", n);
    return reply->status == 200 && strstr(reply->body, text) != NULL;
}

/* A client whose manager went away asks again. */
static void check_reply(struct fleet *fleet, const struct client_reply *reply, int n,
                        const struct client_request *request)
{
    struct client_reply second = {.status = 0};
    bool good = is_good(reply, n);
    if (reply->status == 0) {
        fleet->asked_again++;
        client_perform(fleet->manager.address, request, &second);
        good = is_good(&second, n);
    }
    fleet->answers += good ? 1 : 0;
    if (!good)
        violate(fleet, "a request without its page",
                reply->status == 0 ? second.error : reply->body);
    client_reply_free(&second);
}

static void play_round(struct fleet *fleet, bool event)
{
    char bodies[AFFINITIES][256];
    struct flight *flight = flight_new(fleet->manager.address);
    for (int i = 0; i < AFFINITIES; i++) {
        (void)snprintf(bodies[i], sizeof bodies[i], "{\"url\":\"%s\",\"affinity\":\"realm:%d\"}",
                       origin_url(fleet->origin, "/static?n=%d", i), i);
        (void)flight_start(flight, &(struct client_request){.path = "/render", .body = bodies[i]});
        fleet->requests++;
    }
    if (event)
        next_event(fleet);
    demand(flight_wait_all(flight, ROUND_TIMEOUT_MS), "not all were answered");
    for (int i = 0; i < AFFINITIES; i++)
        check_reply(fleet, flight_reply(flight, (size_t)i), i,
                    &(struct client_request){.path = "/render", .body = bodies[i]});
    flight_free(flight);
}

int main(void)
{
    struct fleet fleet = {.events = 0};
    manager_start(&fleet.manager); /* A fork, so before there are threads. */
    fleet.origin = origin_new();
    for (size_t i = 0; i < DAEMONS; i++)
        start_daemon(&fleet, i);
    demand(until(is_there, &fleet, SOON_MS), "nobody registers");
    uint64_t start_ms = clock_ms(), next_ms = start_ms;
    while (clock_ms() < start_ms + DURATION_MS) {
        bool event = clock_ms() >= next_ms;
        play_round(&fleet, event);
        next_ms += event ? DURATION_MS / 8 : 0;
    }
    uint64_t took_ms = clock_ms() - start_ms;
    audit(&fleet);
    for (size_t i = 0; i < DAEMONS; i++)
        harness_free(fleet.daemons[i]);
    origin_free(fleet.origin);
    manager_kill(&fleet.manager);
    printf("%llu ms: requests %llu, answers %llu, retries %llu, asked again %llu, notices %llu, "
           "violations %llu\n",
           (unsigned long long)took_ms, (unsigned long long)fleet.requests,
           (unsigned long long)fleet.answers, (unsigned long long)fleet.retries,
           (unsigned long long)fleet.asked_again, (unsigned long long)fleet.notices,
           (unsigned long long)fleet.violations);
    return fleet.violations == 0 && fleet.events >= 6 ? EXIT_SUCCESS : EXIT_FAILURE;
}
