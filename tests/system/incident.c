/* incident.c: see incident.h. */
#include "tests/system/incident.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the pool is looked at while it has to become whole again. */
#define LOOK_INTERVAL_MS 5

/* A recycled browser would be no failure, but the record of contexts ends with it. */
const char *const incident_knobs[] = {"--pool.pages_min=3", "--pool.pages_max=3",
                                      "--browser.recycle_renders=0", NULL};

/* The stuck affinity: one render after the other. */
struct stuck {
    struct flight *flight;
    uint64_t ended_ms, look_ms; /* ended_ms 0: its standby is back. */
    bool is_under_way, is_closed;
};

struct phase {
    struct stage *stage;
    const struct incident_plan *plan;
    struct incident *ret;
    struct flight *steady;
    struct stuck stuck;
    uint32_t sent;
    uint64_t start_ns;
};

static void send_steady(struct phase *phase)
{
    char affinity[32];
    uint32_t n = phase->sent++;
    snprintf(affinity, sizeof(affinity), "steady-%u", (unsigned)(n % INCIDENT_AFFINITIES));
    flight_render_as(phase->steady, "application/json", "{s:s, s:s, s:{s:s}}", "url",
                     origin_url(phase->stage->origin, "/static?n=%u", (unsigned)n), "affinity",
                     affinity, "wait", "until", "load");
}

static uint64_t due_ns(const struct phase *phase)
{
    return phase->start_ns + (uint64_t)((double)phase->sent * 1e9 / phase->plan->per_second);
}

/* Sends what is due: by the clock, or as soon as a page is free. */
static void steady_turn(struct phase *phase)
{
    const struct incident_plan *plan = phase->plan;
    if (plan->per_second > 0) {
        while (phase->sent < plan->renders && clock_ns() >= due_ns(phase)) {
            send_steady(phase);
        }
        return;
    }
    uint32_t running = 0;
    uint32_t oldest = phase->sent > INCIDENT_PAGES ? phase->sent - INCIDENT_PAGES : 0;
    for (uint32_t n = oldest; n < phase->sent; n++) {
        running += !flight_is_done(phase->steady, n);
    }
    while (phase->sent < plan->renders && running < INCIDENT_PAGES) {
        send_steady(phase);
        running++;
    }
}

/* A stuck page may be captured as it is or not; it is never refused a page. */
static void check_stuck(const struct client_reply *reply)
{
    const char *outcome = client_header(reply, "X-Prerenderd-Outcome");
    bool is_partial = reply->status == 200 && outcome != NULL && strcmp(outcome, "partial") == 0;
    demand(is_partial || reply->status == 504, "the stuck render: status %ld, %s: %.300s",
           reply->status, reply->error, reply->body);
}

static void stuck_ended(struct phase *phase)
{
    struct stuck *stuck = &phase->stuck;
    check_stuck(flight_reply(stuck->flight, flight_count(stuck->flight) - 1));
    stuck->is_under_way = stuck->is_closed = false;
    stuck->ended_ms = stuck->look_ms = clock_ms();
    phase->ret->retirements++;
}

/* Its slot is back when nothing closes any more; then a standby must come, although the
 * others go on taking them. */
static void look_for_standby(struct phase *phase)
{
    struct stuck *stuck = &phase->stuck;
    uint64_t asked_ms = clock_ms();
    if (asked_ms < stuck->look_ms) {
        return;
    }
    stuck->look_ms = asked_ms + LOOK_INTERVAL_MS;
    struct pool_view view;
    harness_view(phase->stage->harness, &view);
    stuck->is_closed = stuck->is_closed || view.closing == 0;
    if (stuck->is_closed && view.standby > 0) {
        uint64_t back_ms = clock_ms() - stuck->ended_ms;
        if (back_ms > phase->ret->back_max_ms) {
            phase->ret->back_max_ms = back_ms;
        }
        stuck->ended_ms = 0;
    }
}

/* Keeps one stuck render under way until the steady ones have all been sent. */
static void stuck_turn(struct phase *phase)
{
    struct stuck *stuck = &phase->stuck;
    size_t count = flight_count(stuck->flight);
    if (stuck->is_under_way) {
        flight_pump(stuck->flight, 0);
        if (flight_is_done(stuck->flight, count - 1)) {
            stuck_ended(phase);
        }
    } else if (stuck->ended_ms != 0) {
        look_for_standby(phase);
    } else if (phase->plan->has_stuck && phase->sent < phase->plan->renders) {
        const char *url =
            origin_url(phase->stage->origin, "/pinned?gate=%s&n=%zu", phase->plan->gate, count);
        flight_render_as(stuck->flight, "application/json", "{s:s, s:s, s:i}", "url", url,
                         "affinity", "stuck", "timeoutMs", (int)phase->plan->stuck_timeout_ms);
        stuck->is_under_way = true;
    }
}

static bool is_over(struct phase *phase)
{
    if (phase->sent < phase->plan->renders || phase->stuck.is_under_way ||
        phase->stuck.ended_ms != 0) {
        return false;
    }
    return flight_wait_all(phase->steady, 0);
}

/* Until something is due, at most a few milliseconds. */
static void pause_until_due(struct phase *phase)
{
    uint64_t wait_ms = LOOK_INTERVAL_MS, now_ns = clock_ns();
    if (phase->plan->per_second > 0 && phase->sent < phase->plan->renders) {
        uint64_t left_ns = due_ns(phase) > now_ns ? due_ns(phase) - now_ns : 0;
        wait_ms = left_ns / 1000000 < wait_ms ? left_ns / 1000000 : wait_ms;
    }
    uint64_t end_ms = clock_ms() + wait_ms;
    flight_pump(phase->steady, wait_ms);
    uint64_t now_ms = clock_ms();
    if (now_ms < end_ms && flight_wait_all(phase->steady, 0)) {
        poll(NULL, 0, (int)(end_ms - now_ms)); /* Nothing is under way: the pace itself. */
    }
}

static int64_t timing(const json_t *tree, const char *name)
{
    const json_t *value = json_object_get(json_object_get(tree, "timings"), name);
    demand(json_is_integer(value), "no timing %s", name);
    return json_integer_value(value);
}

static void take_steady(struct phase *phase, uint32_t n)
{
    static const char *const names[INCIDENT_WAIT] = {"permit", "admission", "slot", "open",
                                                     "probe"};
    char wanted[32];
    const struct client_reply *reply = flight_reply(phase->steady, n);
    snprintf(wanted, sizeof(wanted), "page %u</p>", (unsigned)n);
    expect_reply(reply, 200, wanted);
    json_t *tree = client_json(reply);
    const char *outcome = json_string_value(json_object_get(tree, "outcome"));
    demand(outcome != NULL && strcmp(outcome, "complete") == 0, "a steady render is %s", outcome);
    for (size_t i = 0; i < INCIDENT_WAIT; i++) {
        double spent_ms = (double)timing(tree, names[i]);
        phase->ret->ms[i][n] = spent_ms;
        phase->ret->ms[INCIDENT_WAIT][n] += spent_ms;
    }
    phase->ret->ms[INCIDENT_TOTAL][n] = (double)timing(tree, "total");
    json_decref(tree);
}

static void check_recorded(const struct recorded *recorded)
{
    demand(!recorded->lost, "the browser was replaced");
    demand(recorded->occupied_max <= INCIDENT_PAGES + 1, "%u contexts had a page at once",
           recorded->occupied_max);
    demand(recorded->contexts_max <= INCIDENT_PAGES + 1 + INCIDENT_ORPHANS_MAX,
           "%u contexts at once", recorded->contexts_max);
    /* Two while a target takes over from another beneath the same page. */
    demand(recorded->pages_max <= 2, "%u pages in a context", recorded->pages_max);
}

void incident_run(struct stage *stage, const struct incident_plan *plan, struct incident *ret)
{
    char url[256];
    struct phase phase = {.stage = stage, .plan = plan, .ret = ret};
    *ret = (struct incident){.renders = plan->renders};
    for (size_t i = 0; i < INCIDENT_SERIES; i++) {
        ret->ms[i] = calloc(plan->renders, sizeof(ret->ms[i][0]));
        demand(ret->ms[i] != NULL, "no memory for a phase");
    }
    demand(harness_browser_url(stage->harness, url, sizeof(url)), "no browser");
    struct recorder *recorder = recorder_start(url);
    phase.steady = flight_new(stage->harness->address);
    phase.stuck.flight = flight_new(stage->harness->address);
    phase.start_ns = clock_ns();
    uint64_t end_ms = clock_ms() + 3600u * 1000;
    while (!is_over(&phase)) {
        demand(clock_ms() < end_ms, "the phase does not end");
        steady_turn(&phase);
        stuck_turn(&phase);
        pause_until_due(&phase);
    }
    ret->per_second = plan->renders * 1e9 / (double)(clock_ns() - phase.start_ns);
    for (uint32_t n = 0; n < plan->renders; n++) {
        take_steady(&phase, n);
    }
    flight_free(phase.steady);
    flight_free(phase.stuck.flight);
    recorder_stop(recorder, &ret->recorded);
    check_recorded(&ret->recorded);
}

void incident_free(struct incident *incident)
{
    for (size_t i = 0; i < INCIDENT_SERIES; i++) {
        free(incident->ms[i]);
    }
    *incident = (struct incident){0};
}

uint64_t incident_fix(struct stage *stage, const char *gate)
{
    struct client_reply reply;
    origin_open_gate(stage->origin, gate);
    client_render(stage->harness->address, &reply, "{s:s, s:s, s:i}", "url",
                  origin_url(stage->origin, "/pinned?gate=%s&n=0", gate), "affinity", "stuck",
                  "timeoutMs", SOON_MS);
    expect_reply(&reply, 200, "page 0</p>");
    expect_header(&reply, "X-Prerenderd-Outcome", "complete");
    uint64_t took_ms = reply_ms(&reply);
    client_reply_free(&reply);
    return took_ms;
}
