/* chromium.c: a model of the browser with its own ledger of contexts and pages.
 *
 * Orders take effect after a while, or never; then the pool hears of it, or does not, or
 * twice. Answers that tell of a page alone (a close that retains) are given at the
 * moment of the effect: the daemon hears them before its next tick, so no kill can have
 * been ordered in between. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *items, size_t *count, size_t wanted, size_t item_bytes)
{
    if (wanted < *count)
        return items;
    size_t count_new = wanted < 64 ? 128 : wanted * 2;
    unsigned char *moved = realloc(items, count_new * item_bytes);
    assert(moved != NULL);
    memset(moved + *count * item_bytes, 0, (count_new - *count) * item_bytes);
    *count = count_new;
    return moved;
}

struct sim_page *page_at(struct sim *sim, uint64_t id)
{
    sim->pages = grown(sim->pages, &sim->pages_count, id, sizeof *sim->pages);
    return &sim->pages[id];
}

struct sim_context *context_at(struct sim *sim, uint64_t id)
{
    sim->contexts = grown(sim->contexts, &sim->contexts_count, id, sizeof *sim->contexts);
    return &sim->contexts[id];
}

struct sim_life *life_at(struct sim *sim, uint64_t id)
{
    sim->lives = grown(sim->lives, &sim->lives_count, id, sizeof *sim->lives);
    return &sim->lives[id];
}

/* ---- The ledger ---- */

static void page_leaves(struct sim *sim, uint64_t id)
{
    struct sim_page *page = page_at(sim, id);
    bool there = page->fate == FATE_READY || page->fate == FATE_CRASHED;
    if (there) {
        life_at(sim, page->life)->pages--;
        context_at(sim, page->context)->page = 0;
    } else if (page->fate == FATE_MAKING) {
        life_at(sim, page->life)->making--;
    }
    page->fate = FATE_ENDED;
    page->request = 0;
    page->serial++;
}

static void context_leaves(struct sim *sim, uint64_t id)
{
    struct sim_context *context = context_at(sim, id);
    if (!context->exists)
        return;
    if (context->page != 0)
        page_leaves(sim, context->page);
    for (uint64_t i = 1; i < sim->pages_count; i++) {
        if (sim->pages[i].fate == FATE_MAKING && sim->pages[i].context == id)
            page_leaves(sim, i);
    }
    context->exists = false;
    context->serial++;
    life_at(sim, context->life)->contexts--;
}

void chromium_page_ended(struct sim *sim, uint64_t id, bool with_context)
{
    uint64_t context = page_at(sim, id)->context;
    page_leaves(sim, id);
    if (with_context)
        context_leaves(sim, context);
}

void chromium_life_ended(struct sim *sim, uint64_t id)
{
    for (uint64_t i = 1; i < sim->pages_count; i++) {
        if (sim->pages[i].fate != FATE_NOWHERE && sim->pages[i].life == id)
            page_leaves(sim, i);
    }
    for (uint64_t i = 1; i < sim->contexts_count; i++) {
        if (sim->contexts[i].exists && sim->contexts[i].life == id)
            context_leaves(sim, i);
    }
    struct sim_life *life = life_at(sim, id);
    SIM_CHECK(sim, life->contexts == 0 && life->pages == 0, "a dead life keeps contexts");
    life->fate = LIFE_ENDED;
}

static void page_appears(struct sim *sim, uint64_t id)
{
    struct sim_page *page = page_at(sim, id);
    struct sim_context *context = context_at(sim, page->context);
    struct sim_life *life = life_at(sim, page->life);
    if (!context->exists) {
        context->exists = true;
        context->life = page->life;
        life->contexts++;
    }
    SIM_CHECK(sim, context->page == 0, "two pages in one context");
    context->page = id;
    page->fate = FATE_READY;
    life->making--;
    life->pages++;
}

/* ---- Orders of the pool ---- */

static uint64_t pace(struct sim *sim, uint32_t slow_permille, uint32_t timeout_ms)
{
    if (random_chance(&sim->random, slow_permille))
        return random_between(&sim->random, timeout_ms / 2, (uint64_t)timeout_ms * 3);
    return random_around(&sim->random, 1 + timeout_ms / 50);
}

static void order(struct sim *sim, uint64_t delay_ms, uint64_t id, uint32_t serial, bool mute,
                  const struct pool_event *answer)
{
    sim_later(
        sim, delay_ms,
        (struct future){
            .kind = FUTURE_EFFECT, .id = id, .serial = serial, .mute = mute, .event = *answer});
}

static void order_open(struct sim *sim, const struct pool_action *action)
{
    const struct faults *faults = &sim->faults;
    struct sim_page *page = page_at(sim, action->page);
    SIM_CHECK(sim, page->fate == FATE_NOWHERE, "page id %lu used twice", action->page);
    SIM_CHECK(sim, life_at(sim, action->life)->fate == LIFE_ALIVE, "open in no browser");
    struct sim_context *context = context_at(sim, action->context);
    SIM_CHECK(sim, context->exists != action->new_context, "context is not what open says");
    SIM_CHECK(sim, context->page == 0, "open in a context that has a page");
    *page =
        (struct sim_page){.fate = FATE_MAKING, .life = action->life, .context = action->context};
    life_at(sim, action->life)->making++;
    struct pool_event answer = {.type = POOL_OPENED, .page = action->page};
    if (random_chance(&sim->random, faults->open_fails)) {
        answer.type = POOL_OPEN_FAILED;
        answer.transient = random_chance(&sim->random, faults->open_transient);
    }
    uint64_t delay_ms = pace(sim, faults->open_slow, sim->config.open_timeout_ms);
    bool never = random_chance(&sim->random, faults->open_never);
    if (never && random_chance(&sim->random, 500))
        return; /* Nothing happens at all. */
    order(sim, delay_ms, action->page, page->serial, never, &answer);
}

static void order_close(struct sim *sim, const struct pool_action *action)
{
    struct sim_page *page = page_at(sim, action->page);
    SIM_CHECK(sim, page->opened_heard, "close before the browser's answer is known");
    SIM_CHECK(sim, page->request == 0, "close of page %lu under its render", action->page);
    SIM_CHECK(sim, page->fate == FATE_READY || page->fate == FATE_CRASHED,
              "close of page %lu which is not there", action->page);
    SIM_CHECK(sim, !page->close_ordered, "page %lu is closed twice", action->page);
    page->close_ordered = true;
    page->close_retain = action->retain;
    page->serial++;
    struct pool_event answer = {.type = POOL_CLOSED, .page = action->page};
    uint64_t delay_ms = pace(sim, sim->faults.close_slow, sim->config.close_timeout_ms);
    if (!random_chance(&sim->random, sim->faults.close_never))
        order(sim, delay_ms, action->page, page->serial, false, &answer);
}

/* From now on an answer means that page and context are gone, whichever order it ends. */
static void order_kill(struct sim *sim, const struct pool_action *action)
{
    struct sim_page *page = page_at(sim, action->page);
    page->close_retain = false;
    if (random_chance(&sim->random, sim->faults.kill_never))
        return;
    page->serial++;
    struct pool_event answer = {.type = POOL_CLOSED, .page = action->page};
    uint64_t delay_ms = pace(sim, sim->faults.close_slow, sim->config.kill_timeout_ms);
    order(sim, delay_ms, action->page, page->serial, false, &answer);
}

static void order_dispose(struct sim *sim, const struct pool_action *action)
{
    struct sim_context *context = context_at(sim, action->context);
    SIM_CHECK(sim, context->page == 0, "dispose of context %lu which has a page", action->context);
    struct pool_event answer = {.type = POOL_CONTEXT_GONE, .context = action->context};
    uint64_t delay_ms = pace(sim, sim->faults.close_slow, sim->config.close_timeout_ms);
    if (!random_chance(&sim->random, sim->faults.close_never))
        order(sim, delay_ms, action->context, context->serial, false, &answer);
}

static void order_probe(struct sim *sim, const struct pool_action *action)
{
    SIM_CHECK(sim, page_at(sim, action->page)->fate == FATE_READY, "probe of no page");
    struct pool_event answer = {.type = POOL_PROBED, .page = action->page};
    if (random_chance(&sim->random, sim->faults.probe_fails))
        answer.type = POOL_PROBE_FAILED;
    uint64_t delay_ms = pace(sim, 0, sim->config.probe_timeout_ms);
    if (!random_chance(&sim->random, sim->faults.probe_never))
        order(sim, delay_ms, action->page, 0, false, &answer);
}

static void order_launch(struct sim *sim, const struct pool_action *action)
{
    struct sim_life *life = life_at(sim, action->life);
    SIM_CHECK(sim, life->fate == LIFE_NOWHERE, "life id %lu used twice", action->life);
    for (uint64_t i = 1; i < sim->lives_count; i++)
        SIM_CHECK(sim, sim->lives[i].fate != LIFE_COMING, "two launches at once");
    life = life_at(sim, action->life);
    life->fate = LIFE_COMING;
    struct pool_event answer = {.type = POOL_LIFE_UP, .life = action->life};
    if (random_chance(&sim->random, sim->faults.launch_fails))
        answer.type = POOL_LIFE_DOWN;
    sim_later(sim, random_around(&sim->random, 100),
              (struct future){.kind = FUTURE_EVENT, .event = answer});
    if (answer.type == POOL_LIFE_DOWN && random_chance(&sim->random, sim->faults.stale_replies)) {
        answer.type = POOL_LIFE_UP; /* Of an attempt that was given up. */
        sim_later(sim, 400, (struct future){.kind = FUTURE_EVENT, .event = answer});
    }
}

static void order_kill_life(struct sim *sim, const struct pool_action *action)
{
    chromium_life_ended(sim, action->life);
    struct pool_event answer = {.type = POOL_LIFE_DOWN, .life = action->life};
    sim_later(sim, random_around(&sim->random, 50),
              (struct future){.kind = FUTURE_EVENT, .event = answer});
}

/* N-020: each context appears with exactly one affinity. */
void chromium_granted(struct sim *sim, const struct pool_action *action)
{
    struct sim_page *page = page_at(sim, action->page);
    struct sim_context *context = context_at(sim, page->context);
    const struct sim_request *request = request_at(sim, action->request);
    SIM_CHECK(sim, page->fate == FATE_READY && page->opened_heard, "grant of no page");
    SIM_CHECK(sim, page->request == 0, "page %lu leased twice", action->page);
    SIM_CHECK(sim, life_at(sim, page->life)->fate == LIFE_ALIVE, "grant in a dead browser");
    page->request = action->request;
    uint64_t private_request = request->asked.single_use ? action->request : 0;
    uint64_t fingerprint = request->asked.fingerprint;
    if (!context->bound) {
        context->bound = true;
        context->affinity = request->affinity;
        context->private_request = private_request;
        context->fingerprint = fingerprint;
        context->bound_step = sim->step;
    }
    SIM_CHECK(sim, context->affinity == request->affinity, "context %lu changes its owner",
              page->context);
    SIM_CHECK(sim, context->private_request == private_request,
              "context %lu of a single-use request is used again", page->context);
    if (context->fingerprint == 0)
        context->fingerprint = fingerprint;
    SIM_CHECK(sim, fingerprint == 0 || context->fingerprint == fingerprint,
              "context %lu serves two fingerprints", page->context);
}

static void rest(struct sim *sim, const struct pool_action *action)
{
    const struct sim_page *page = page_at(sim, action->page);
    SIM_CHECK(sim, page->fate == FATE_READY && page->request == 0, "rest of a busy page");
}

void chromium_act(struct sim *sim, const struct pool_action *action)
{
    switch (action->type) {
    case POOL_LAUNCH:
        order_launch(sim, action);
        break;
    case POOL_KILL_LIFE:
        order_kill_life(sim, action);
        break;
    case POOL_OPEN:
        order_open(sim, action);
        break;
    case POOL_PROBE:
        order_probe(sim, action);
        break;
    case POOL_CLOSE:
        order_close(sim, action);
        break;
    case POOL_KILL:
        order_kill(sim, action);
        break;
    case POOL_DISPOSE_CONTEXT:
        order_dispose(sim, action);
        break;
    case POOL_REST:
        rest(sim, action);
        break;
    case POOL_GRANT:
    case POOL_ABORT:
    case POOL_REFUSE:
    case POOL_FAIL:
    case POOL_STARTED:
    case POOL_ENDED:
    case POOL_DISPOSED:
    case POOL_CAP:
        break;
    }
}

/* ---- What comes of them ---- */

/* What the pool is about to hear becomes true at this moment, if it was not before. */
void chromium_heard(struct sim *sim, const struct pool_event *event)
{
    if (event->type == POOL_LIFE_UP) {
        struct sim_life *life = life_at(sim, event->life);
        if (life->fate == LIFE_COMING)
            life->fate = LIFE_ALIVE;
    } else if (event->type == POOL_LIFE_DOWN) {
        chromium_life_ended(sim, event->life);
    } else if (event->type == POOL_OPENED) {
        page_at(sim, event->page)->opened_heard = true;
    }
}

static bool page_order_is_void(struct sim *sim, const struct future *future)
{
    const struct sim_page *page = page_at(sim, future->id);
    return page->serial != future->serial || life_at(sim, page->life)->fate != LIFE_ALIVE;
}

/* True when the effect happened, so that its answer is due. */
static bool effect_happens(struct sim *sim, const struct future *future)
{
    enum pool_event_type type = future->event.type;
    if (type == POOL_CONTEXT_GONE) {
        const struct sim_context *context = context_at(sim, future->id);
        if (life_at(sim, context->life)->fate != LIFE_ALIVE || !context->exists)
            return false;
        context_leaves(sim, future->id);
        return true;
    }
    if (type == POOL_PROBED || type == POOL_PROBE_FAILED)
        return page_at(sim, future->id)->fate == FATE_READY;
    if (page_order_is_void(sim, future))
        return false;
    if (type == POOL_OPENED)
        page_appears(sim, future->id);
    else if (type == POOL_OPEN_FAILED)
        page_leaves(sim, future->id);
    else
        chromium_page_ended(sim, future->id, !page_at(sim, future->id)->close_retain);
    return true;
}

void chromium_effect(struct sim *sim, const struct future *future)
{
    bool retained = future->event.type == POOL_CLOSED && page_at(sim, future->id)->close_retain;
    if (!effect_happens(sim, future) || future->mute)
        return;
    struct future answer = {.kind = FUTURE_EVENT, .event = future->event};
    if (random_chance(&sim->random, sim->faults.duplicates))
        sim_later(sim, random_around(&sim->random, 200), answer);
    if (!retained && random_chance(&sim->random, sim->faults.stale_replies))
        sim_later(sim, random_around(&sim->random, 100), answer);
    else
        sim_step(sim, &future->event);
}

/* ---- Accidents ---- */

static uint64_t any_page(struct sim *sim)
{
    uint64_t chosen = 0, seen = 0;
    for (uint64_t i = 1; i < sim->pages_count; i++) {
        enum page_fate fate = sim->pages[i].fate;
        bool open = fate == FATE_READY || fate == FATE_MAKING;
        if (open && random_below(&sim->random, ++seen) == 0)
            chosen = i;
    }
    return chosen;
}

static void crash_page(struct sim *sim)
{
    uint64_t id = any_page(sim);
    if (id == 0)
        return;
    struct sim_page *page = page_at(sim, id);
    struct pool_event event = {.type = POOL_PAGE_CRASHED, .page = id};
    if (page->fate == FATE_MAKING) { /* Its opening fails a little later. */
        struct pool_event answer = {.type = POOL_OPEN_FAILED, .page = id};
        order(sim, 20, id, ++page->serial, false, &answer);
    } else {
        page->fate = FATE_CRASHED;
        page->request = 0;
    }
    sim_step(sim, &event);
}

static void lose_context(struct sim *sim)
{
    uint64_t chosen = 0, seen = 0;
    for (uint64_t i = 1; i < sim->contexts_count; i++) {
        if (sim->contexts[i].exists && random_below(&sim->random, ++seen) == 0)
            chosen = i;
    }
    if (chosen == 0)
        return;
    uint64_t page = context_at(sim, chosen)->page;
    bool in_use =
        page != 0 && page_at(sim, page)->opened_heard && !page_at(sim, page)->close_ordered;
    context_leaves(sim, chosen);
    struct pool_event event = {.type = POOL_CONTEXT_GONE, .context = chosen};
    if (in_use && random_chance(&sim->random, 500)) /* The same news in other words. */
        event = (struct pool_event){.type = POOL_CLOSED, .page = page};
    sim_step(sim, &event);
}

static void end_life(struct sim *sim)
{
    uint64_t chosen = 0, seen = 0;
    for (uint64_t i = 1; i < sim->lives_count; i++) {
        bool there = sim->lives[i].fate == LIFE_ALIVE;
        if (there && random_below(&sim->random, ++seen) == 0)
            chosen = i;
    }
    if (chosen == 0)
        return;
    struct pool_event event = {.type = POOL_LIFE_DOWN, .life = chosen};
    sim_step(sim, &event);
}

void chromium_accident(struct sim *sim, const struct future *future)
{
    const struct faults *faults = &sim->faults;
    if (faults->accident_interval_ms == 0)
        return;
    sim_later(sim, random_around(&sim->random, faults->accident_interval_ms), *future);
    uint64_t all = faults->accident_page + faults->accident_context + faults->accident_life;
    uint64_t drawn = random_below(&sim->random, all);
    if (drawn < faults->accident_page)
        crash_page(sim);
    else if (drawn < (uint64_t)faults->accident_page + faults->accident_context)
        lose_context(sim);
    else
        end_life(sim);
}
