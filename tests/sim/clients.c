/* clients.c: those who ask for renders, and what they remember of each request.
 *
 * A main render may ask for nested renders of its own affinity and does not end before
 * they are answered. Every request must get exactly one answer. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sim_request *request_at(struct sim *sim, uint64_t id)
{
    if (id >= sim->requests_count) {
        size_t count = id < 64 ? 128 : id * 2;
        sim->requests = realloc(sim->requests, count * sizeof *sim->requests);
        assert(sim->requests != NULL);
        memset(sim->requests + sim->requests_count, 0,
               (count - sim->requests_count) * sizeof *sim->requests);
        sim->requests_count = count;
    }
    return &sim->requests[id];
}

static bool is_fresh(const struct sim_request *request)
{
    return request->fate == ASK_WAITING && !request->returned && request->asked.lane == POOL_MAIN;
}

static void set_fate(struct sim *sim, struct sim_request *request, enum request_fate fate)
{
    sim->waiting_fresh -= is_fresh(request) ? 1 : 0;
    sim->waiting -= request->fate == ASK_WAITING || request->fate == ASK_PROBING ? 1 : 0;
    sim->running -= request->fate == ASK_RUNNING ? 1 : 0;
    request->fate = fate;
    sim->waiting_fresh += is_fresh(request) ? 1 : 0;
    sim->waiting += fate == ASK_WAITING || fate == ASK_PROBING ? 1 : 0;
    sim->running += fate == ASK_RUNNING ? 1 : 0;
}

/* Few keys get most of the requests. */
static uint64_t draw_affinity(struct sim *sim)
{
    uint64_t keys = sim->load.keys;
    uint64_t a = random_below(&sim->random, keys), b = random_below(&sim->random, keys);
    uint64_t c = random_below(&sim->random, keys);
    uint64_t least = a < b ? a : b;
    return least < c ? least : c;
}

static uint64_t draw_fingerprint(struct sim *sim, struct sim_affinity *affinity)
{
    if (sim->load.auth == 0)
        return 0;
    if (random_chance(&sim->random, sim->load.auth))
        affinity->fingerprint = random_between(&sim->random, 0, 3);
    return random_chance(&sim->random, 100) ? 0 : affinity->fingerprint;
}

static void draw_deadlines(struct sim *sim, struct pool_request *asked)
{
    uint64_t timeout_ms =
        sim->load.timeout_ms / 2 + random_below(&sim->random, sim->load.timeout_ms);
    if (sim->calm)
        timeout_ms = 3600000;
    asked->deadline_ms = sim->now_ms + timeout_ms;
    asked->queue_deadline_ms = asked->deadline_ms;
    if (!sim->calm && random_chance(&sim->random, sim->load.short_queue))
        asked->queue_deadline_ms = sim->now_ms + 1 + timeout_ms / 4;
}

static struct pool_request draw_request(struct sim *sim, uint64_t affinity, enum pool_lane lane)
{
    const struct load *load = &sim->load;
    struct random *random = &sim->random;
    struct sim_affinity *known = &sim->affinities[affinity];
    struct pool_request asked = {
        .key = known->key,
        .key_bytes = strlen(known->key),
        .lane = lane,
        .fingerprint = draw_fingerprint(sim, known),
        .site = random_below(random, 3),
        .repeatable = random_chance(random, load->repeatable),
    };
    if (random_chance(random, load->priorities))
        asked.priority = random_chance(random, 500) ? 5 : (uint32_t)random_below(random, 10);
    if (random_chance(random, load->batches)) {
        asked.batch = random_between(random, 0, 2);
        asked.clear_cache = random_chance(random, 500);
    }
    draw_deadlines(sim, &asked);
    return asked;
}

static void ask(struct sim *sim, struct pool_request asked, uint64_t affinity, uint64_t parent,
                uint64_t outside)
{
    asked.id = ++sim->last_request;
    struct sim_request *request = request_at(sim, asked.id);
    *request = (struct sim_request){.asked = asked,
                                    .affinity = affinity,
                                    .parent = parent,
                                    .outside = outside,
                                    .waiting_since_ms = sim->now_ms,
                                    .arrival_ms = sim->now_ms};
    set_fate(sim, request, ASK_WAITING);
    struct pool_event event = {.type = POOL_REQUEST, .request = asked};
    sim_step(sim, &event);
}

uint64_t clients_ask(struct sim *sim, uint64_t affinity, enum pool_lane lane, uint64_t parent)
{
    struct pool_request asked = draw_request(sim, affinity, lane);
    if (parent == 0) { /* The manager only wants to know whether it would start. */
        asked.fingerprint = 0;
        asked.priority = 0;
    }
    ask(sim, asked, affinity, parent, 0);
    return sim->last_request;
}

uint64_t clients_ask_outside(struct sim *sim, struct pool_request asked, uint64_t affinity,
                             uint64_t outside)
{
    ask(sim, asked, affinity, 0, outside);
    return sim->last_request;
}

static void arrive(struct sim *sim)
{
    const struct load *load = &sim->load;
    uint64_t affinity = draw_affinity(sim);
    bool nested = random_chance(&sim->random, load->nested);
    struct pool_request asked = draw_request(sim, affinity, nested ? POOL_NESTED : POOL_MAIN);
    asked.single_use = !nested && random_chance(&sim->random, load->single_use);
    ask(sim, asked, affinity, 0, 0);
    uint64_t id = sim->last_request;
    if (random_chance(&sim->random, load->cancels))
        sim_later(sim, random_below(&sim->random, load->timeout_ms),
                  (struct future){.kind = FUTURE_CANCEL, .id = id});
}

/* One child less to wait for; the last one ends the render of a parent that has done. */
static void child_over(struct sim *sim, uint64_t parent_id)
{
    struct sim_request *parent = request_at(sim, parent_id);
    assert(parent->children > 0);
    parent->children--;
    if (parent->children == 0 && parent->work_done && parent->fate == ASK_RUNNING)
        sim_later(
            sim, 1,
            (struct future){.kind = FUTURE_RENDER_END, .id = parent_id, .serial = parent->serial});
}

static void child_arrives(struct sim *sim, const struct future *future)
{
    const struct sim_request *parent = request_at(sim, future->id);
    bool wanted = parent->fate == ASK_RUNNING && parent->serial == future->serial;
    if (wanted && !sim->load_over)
        (void)clients_ask(sim, parent->affinity, POOL_NESTED, future->id);
    else
        child_over(sim, future->id);
}

void clients_arrival(struct sim *sim, const struct future *future)
{
    if (future->id != 0) {
        child_arrives(sim, future);
        return;
    }
    if (sim->load_over)
        return;
    sim_later(sim, random_around(&sim->random, sim->load.interval_ms), *future);
    uint64_t count = 1;
    if (random_chance(&sim->random, sim->load.bursts))
        count = random_between(&sim->random, 5, 25);
    for (uint64_t i = 0; i < count; i++)
        arrive(sim);
}

void clients_start(struct sim *sim)
{
    sim_later(sim, 0, (struct future){.kind = FUTURE_ARRIVAL});
    clients_start_nobody(sim);
}

void clients_start_nobody(struct sim *sim)
{
    sim_later(sim, 1, (struct future){.kind = FUTURE_ACCIDENT});
    sim_later(sim, 1, (struct future){.kind = FUTURE_ADMIN});
}

/* ---- What becomes of a request ---- */

void clients_answered(struct sim *sim, uint64_t id, enum sim_answer how)
{
    struct sim_request *request = request_at(sim, id);
    SIM_CHECK(sim, request->fate != ASK_ANSWERED, "request %lu is answered twice", id);
    set_fate(sim, request, ASK_ANSWERED);
    request->serial++;
    sim->answered++;
    if (request->parent != 0)
        child_over(sim, request->parent);
    if (request->outside != 0)
        sim->owner->answered(sim, request->outside, how);
}

void clients_cancel(struct sim *sim, const struct future *future)
{
    struct pool_event event = {.type = POOL_CANCEL, .request.id = future->id};
    struct sim_request *request = request_at(sim, future->id);
    bool rendering = request->fate == ASK_RUNNING;
    if (request->fate == ASK_ANSWERED) {
        sim_step(sim, &event); /* Stale: must change nothing. */
        return;
    }
    if (!rendering)
        clients_answered(sim, future->id, ANSWER_LEFT);
    sim_step(sim, &event);
    SIM_CHECK(sim, request_at(sim, future->id)->fate == ASK_ANSWERED,
              "request %lu survives its cancel", future->id);
}

static void report_done(struct sim *sim, uint64_t id, enum pool_outcome outcome)
{
    struct sim_request *request = request_at(sim, id);
    struct pool_event event = {
        .type = POOL_RENDER_DONE, .request.id = id, .page = request->page, .outcome = outcome};
    struct sim_page *page = page_at(sim, request->page);
    page->request = 0;
    if (outcome == POOL_RENDER_CRASHED) {
        page->fate = FATE_CRASHED;
        request->serial++;
    } else {
        clients_answered(sim, id, ANSWER_RENDERED);
    }
    sim_step(sim, &event);
    if (random_chance(&sim->random, sim->faults.duplicates))
        sim_later(sim, 5, (struct future){.kind = FUTURE_EVENT, .event = event});
}

void clients_render_end(struct sim *sim, const struct future *future)
{
    struct sim_request *request = request_at(sim, future->id);
    if (request->fate != ASK_RUNNING || request->serial != future->serial)
        return;
    request->work_done = true;
    if (request->children > 0)
        return;
    enum pool_outcome outcome = POOL_RENDER_GOOD;
    if (random_chance(&sim->random, sim->faults.render_unusable))
        outcome = POOL_RENDER_UNUSABLE;
    else if (random_chance(&sim->random, sim->faults.render_crashes))
        outcome = POOL_RENDER_CRASHED;
    report_done(sim, future->id, outcome);
}

static void want_children(struct sim *sim, uint64_t id)
{
    struct sim_request *request = request_at(sim, id);
    bool first =
        request->attempts == 1 && request->asked.lane == POOL_MAIN && !request->asked.single_use;
    if (!first || !random_chance(&sim->random, sim->load.children))
        return;
    uint32_t children = (uint32_t)random_between(&sim->random, 1, 3);
    request->children = children;
    for (uint32_t i = 0; i < children; i++)
        sim_later(sim, random_below(&sim->random, sim->load.render_ms),
                  (struct future){.kind = FUTURE_ARRIVAL, .id = id, .serial = request->serial});
}

static void check_waits(struct sim *sim, const struct pool_action *action,
                        const struct sim_request *request)
{
    const struct pool_waits *waits = &action->grant.waits;
    uint64_t sum =
        waits->permit_ms + waits->admission_ms + waits->slot_ms + waits->open_ms + waits->probe_ms;
    uint64_t waited_ms = request->waited_ms + sim->now_ms - request->waiting_since_ms;
    SIM_CHECK(sim, sum == waited_ms, "request %lu waited %lu ms, its buckets say %lu",
              action->request, waited_ms, sum);
}

void clients_granted(struct sim *sim, const struct pool_action *action)
{
    struct sim_request *request = request_at(sim, action->request);
    SIM_CHECK(sim, request->fate == ASK_WAITING || request->fate == ASK_PROBING,
              "request %lu is granted and does not wait", action->request);
    SIM_CHECK(sim, !sim->draining, "grant while draining");
    SIM_CHECK(sim, sim->now_ms < request->asked.deadline_ms, "grant after the deadline");
    check_waits(sim, action, request);
    request->waited_ms += sim->now_ms - request->waiting_since_ms;
    request->started_step = sim->step;
    request->attempts++;
    SIM_CHECK(sim, action->grant.attempt == request->attempts, "attempts are miscounted");
    SIM_CHECK(sim, request->attempts <= 3, "request %lu is tried again and again", action->request);
    set_fate(sim, request, ASK_RUNNING);
    request->page = action->page;
    request->work_done = false;
    request->serial++;
    sim->granted++;
    if (request->outside != 0)
        sim->owner->granted(sim, request->outside);
    if (!random_chance(&sim->random, sim->faults.render_hangs))
        sim_later(sim, random_around(&sim->random, sim->load.render_ms),
                  (struct future){
                      .kind = FUTURE_RENDER_END, .id = action->request, .serial = request->serial});
    want_children(sim, action->request);
}

void clients_probed(struct sim *sim, const struct pool_action *action)
{
    struct sim_request *request = request_at(sim, action->request);
    SIM_CHECK(sim, request->fate == ASK_WAITING || request->fate == ASK_PROBING,
              "probe for a request that does not wait");
    set_fate(sim, request, ASK_PROBING);
    request->returned = true;
}

void clients_back_to_rank(struct sim *sim, uint64_t id)
{
    struct sim_request *request = request_at(sim, id);
    SIM_CHECK(sim, request->fate == ASK_RUNNING, "request %lu returns from nowhere", id);
    request->returned = true;
    request->returned_step = sim->step;
    request->serial++;
    request->waiting_since_ms = sim->now_ms;
    set_fate(sim, request, ASK_WAITING);
}

void clients_aborted(struct sim *sim, const struct pool_action *action)
{
    struct sim_request *request = request_at(sim, action->request);
    SIM_CHECK(sim, request->fate == ASK_RUNNING && request->page == action->page,
              "abort of request %lu which does not run", action->request);
    struct sim_page *page = page_at(sim, action->page);
    if (page->request == action->request)
        page->request = 0;
    if (action->reason == POOL_PAGE_FAULT) {
        SIM_CHECK(sim, request->asked.repeatable, "request %lu may not be repeated",
                  action->request);
        clients_back_to_rank(sim, action->request);
        return;
    }
    SIM_CHECK(sim, action->reason != POOL_DEADLINE || sim->now_ms >= request->asked.deadline_ms,
              "aborted before its deadline");
    SIM_CHECK(sim, action->reason != POOL_DRAIN_GRACE || sim->draining, "no drain, no grace");
    struct pool_event late = {
        .type = POOL_RENDER_DONE, .request.id = action->request, .page = action->page};
    clients_answered(sim, action->request, ANSWER_ENDED);
    if (random_chance(&sim->random, sim->faults.stale_replies))
        sim_later(sim, 7, (struct future){.kind = FUTURE_EVENT, .event = late});
}

void clients_refused(struct sim *sim, const struct pool_action *action)
{
    struct sim_request *request = request_at(sim, action->request);
    const struct pool_request *asked = &request->asked;
    SIM_CHECK(sim, request->attempts == 0, "request %lu ran and is refused", action->request);
    SIM_CHECK(sim, action->retry_after_ms >= 1000 && action->retry_after_ms <= 60000,
              "retry after %u ms", action->retry_after_ms);
    bool full = asked->lane == POOL_NESTED || sim->waiting > sim->config.queue_max;
    bool late = sim->now_ms >= asked->queue_deadline_ms || sim->now_ms >= asked->deadline_ms;
    SIM_CHECK(sim, action->reason != POOL_QUEUE_FULL || full, "the queue is not full");
    SIM_CHECK(sim, action->reason != POOL_QUEUE_TIMEOUT || late, "refused before its time");
    SIM_CHECK(sim, action->reason != POOL_DRAINING || sim->draining, "nobody drains");
    SIM_CHECK(sim, action->reason != POOL_QUEUE_TIMEOUT || !sim->calm || sim->draining,
              "request %lu is late in a calm world", action->request);
    sim->refused++;
    clients_answered(sim, action->request, ANSWER_REFUSED);
}

void clients_failed(struct sim *sim, const struct pool_action *action)
{
    struct sim_request *request = request_at(sim, action->request);
    SIM_CHECK(sim, request->attempts > 0, "request %lu fails and never ran", action->request);
    SIM_CHECK(sim, action->reason == POOL_PAGE_FAULT || action->reason == POOL_BROWSER_DEATH,
              "failed for no fault");
    if (request->fate == ASK_RUNNING) {
        struct sim_page *page = page_at(sim, request->page);
        if (page->request == action->request)
            page->request = 0;
    }
    clients_answered(sim, action->request, ANSWER_FAILED);
}
