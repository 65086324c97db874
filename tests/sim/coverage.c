/* coverage.c: which arrows of pool.h the runs have taken, by state and event.
 *
 * It looks into the pool before and after each step. An arrow that passes through a
 * state within one step (ready and granted at once) is seen as one. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pool/parts.h"

enum machine { MACHINE_PAGE, MACHINE_CONTEXT, MACHINE_REQUEST, MACHINE_LIFE };
#define MACHINES 4
#define STATES_MAX 10
#define EVENTS (POOL_TICK + 1)
#define NONE (STATES_MAX - 1) /* Before the record exists, and after. */
#define ANY EVENTS

static const char *const machine_names[MACHINES] = {"page", "context", "request", "life"};

static const char *const state_names[MACHINES][STATES_MAX] = {
    {"OPENING", "STANDBY", "IDLE", "PROBING", "LEASED", "DOOMED", "CLOSING", "KILLING", "ZOMBIE",
     "-"},
    {"OPENING", "UNOWNED", "OWNED", "ORPHAN", "CLOSING", "KILLING", "ZOMBIE", "", "", "-"},
    {"WAITING", "PROBING", "RUNNING", "", "", "", "", "", "", "-"},
    {"STARTING", "UP", "RETIRING", "", "", "", "", "", "", "-"},
};

/* The arrows that pool.h draws. ANY: whatever the event. */
struct arrow {
    enum machine machine;
    int from, event, to;
};

#define PAGE(from, event, to)                                                                      \
    {                                                                                              \
        MACHINE_PAGE, PAGE_##from, event, PAGE_##to                                                \
    }
#define PAGE_GOES(from, event)                                                                     \
    {                                                                                              \
        MACHINE_PAGE, PAGE_##from, event, NONE                                                     \
    }
#define CONTEXT(from, event, to)                                                                   \
    {                                                                                              \
        MACHINE_CONTEXT, CONTEXT_##from, event, CONTEXT_##to                                       \
    }
#define CONTEXT_GOES(from, event)                                                                  \
    {                                                                                              \
        MACHINE_CONTEXT, CONTEXT_##from, event, NONE                                               \
    }
#define ASK(from, event, to)                                                                       \
    {                                                                                              \
        MACHINE_REQUEST, REQUEST_##from, event, REQUEST_##to                                       \
    }
#define ASK_GOES(from, event)                                                                      \
    {                                                                                              \
        MACHINE_REQUEST, REQUEST_##from, event, NONE                                               \
    }

static const struct arrow arrows[] = {
    {MACHINE_PAGE, NONE, ANY, PAGE_OPENING},
    PAGE(OPENING, POOL_OPENED, STANDBY),
    PAGE(OPENING, POOL_OPENED, IDLE),
    PAGE(OPENING, POOL_OPENED, LEASED),
    PAGE(OPENING, POOL_OPENED, CLOSING),
    PAGE(OPENING, POOL_OPEN_FAILED, CLOSING),
    PAGE(OPENING, POOL_PAGE_CRASHED, CLOSING),
    PAGE(OPENING, POOL_TICK, CLOSING),
    PAGE(OPENING, POOL_DISPOSE, CLOSING),
    PAGE(OPENING, POOL_LIFE_UP, CLOSING),
    PAGE_GOES(OPENING, POOL_OPEN_FAILED),
    PAGE_GOES(OPENING, POOL_LIFE_DOWN),
    PAGE(STANDBY, POOL_REQUEST, LEASED),
    PAGE(STANDBY, POOL_REQUEST, CLOSING),
    PAGE(STANDBY, POOL_PAGE_CRASHED, CLOSING),
    PAGE(STANDBY, POOL_LIFE_UP, CLOSING),
    PAGE(STANDBY, POOL_TICK, CLOSING),
    PAGE_GOES(STANDBY, POOL_CONTEXT_GONE),
    PAGE_GOES(STANDBY, POOL_LIFE_DOWN),
    PAGE(IDLE, POOL_REQUEST, LEASED),
    PAGE(IDLE, POOL_REQUEST, PROBING),
    PAGE(IDLE, POOL_REQUEST, CLOSING),
    PAGE(IDLE, POOL_TICK, CLOSING),
    PAGE(IDLE, POOL_DISPOSE, CLOSING),
    PAGE(IDLE, POOL_PAGE_CRASHED, CLOSING),
    PAGE(IDLE, POOL_LIFE_UP, CLOSING),
    PAGE_GOES(IDLE, POOL_CONTEXT_GONE),
    PAGE_GOES(IDLE, POOL_LIFE_DOWN),
    PAGE(PROBING, POOL_PROBED, LEASED),
    PAGE(PROBING, POOL_CANCEL, IDLE),
    PAGE(PROBING, POOL_TICK, IDLE),
    PAGE(PROBING, POOL_DRAIN, IDLE),
    PAGE(PROBING, POOL_PROBE_FAILED, CLOSING),
    PAGE(PROBING, POOL_TICK, CLOSING),
    PAGE(PROBING, POOL_DISPOSE, CLOSING),
    PAGE(PROBING, POOL_PAGE_CRASHED, CLOSING),
    PAGE_GOES(PROBING, POOL_CONTEXT_GONE),
    PAGE_GOES(PROBING, POOL_LIFE_DOWN),
    PAGE(LEASED, POOL_RENDER_DONE, IDLE),
    PAGE(LEASED, POOL_RENDER_DONE, CLOSING),
    PAGE(LEASED, POOL_CANCEL, CLOSING),
    PAGE(LEASED, POOL_TICK, CLOSING),
    PAGE(LEASED, POOL_PAGE_CRASHED, CLOSING),
    PAGE(LEASED, POOL_DISPOSE, DOOMED),
    PAGE(LEASED, POOL_REQUEST, DOOMED),
    PAGE(LEASED, POOL_LIFE_UP, DOOMED),
    PAGE_GOES(LEASED, POOL_CONTEXT_GONE),
    PAGE_GOES(LEASED, POOL_CLOSED),
    PAGE_GOES(LEASED, POOL_LIFE_DOWN),
    PAGE(DOOMED, POOL_RENDER_DONE, CLOSING),
    PAGE(DOOMED, POOL_CANCEL, CLOSING),
    PAGE(DOOMED, POOL_TICK, CLOSING),
    PAGE(DOOMED, POOL_PAGE_CRASHED, CLOSING),
    PAGE_GOES(DOOMED, POOL_TICK),
    PAGE_GOES(DOOMED, POOL_CONTEXT_GONE),
    PAGE_GOES(DOOMED, POOL_LIFE_DOWN),
    PAGE(CLOSING, POOL_OPENED, CLOSING),
    PAGE(CLOSING, POOL_TICK, KILLING),
    PAGE_GOES(CLOSING, POOL_CLOSED),
    PAGE_GOES(CLOSING, POOL_OPEN_FAILED),
    PAGE_GOES(CLOSING, POOL_CONTEXT_GONE),
    PAGE_GOES(CLOSING, POOL_LIFE_DOWN),
    PAGE(KILLING, POOL_TICK, ZOMBIE),
    PAGE_GOES(KILLING, POOL_CLOSED),
    PAGE_GOES(KILLING, POOL_LIFE_DOWN),
    PAGE_GOES(ZOMBIE, POOL_CLOSED),
    PAGE_GOES(ZOMBIE, POOL_LIFE_DOWN),
    {MACHINE_CONTEXT, NONE, ANY, CONTEXT_OPENING},
    CONTEXT(OPENING, POOL_OPENED, UNOWNED),
    CONTEXT(OPENING, POOL_OPENED, OWNED),
    CONTEXT(UNOWNED, POOL_REQUEST, OWNED),
    CONTEXT(OWNED, POOL_CLOSED, ORPHAN),
    CONTEXT(OWNED, POOL_CLOSED, CLOSING),
    CONTEXT(ORPHAN, POOL_REQUEST, OWNED),
    CONTEXT(ORPHAN, POOL_REQUEST, CLOSING),
    CONTEXT(ORPHAN, POOL_CLOSED, CLOSING),
    CONTEXT(ORPHAN, POOL_TICK, CLOSING),
    CONTEXT(ORPHAN, POOL_DISPOSE, CLOSING),
    CONTEXT(ORPHAN, POOL_LIFE_UP, CLOSING),
    CONTEXT_GOES(ORPHAN, POOL_CONTEXT_GONE),
    CONTEXT_GOES(ORPHAN, POOL_LIFE_DOWN),
    CONTEXT(CLOSING, POOL_TICK, KILLING),
    CONTEXT_GOES(CLOSING, POOL_CONTEXT_GONE),
    CONTEXT(KILLING, POOL_TICK, ZOMBIE),
    CONTEXT_GOES(KILLING, POOL_CONTEXT_GONE),
    CONTEXT_GOES(ZOMBIE, POOL_CONTEXT_GONE),
    CONTEXT_GOES(ZOMBIE, POOL_LIFE_DOWN),
    {MACHINE_REQUEST, NONE, POOL_REQUEST, REQUEST_WAITING},
    {MACHINE_REQUEST, NONE, POOL_REQUEST, REQUEST_PROBING},
    {MACHINE_REQUEST, NONE, POOL_REQUEST, REQUEST_RUNNING},
    ASK(WAITING, ANY, PROBING),
    ASK(WAITING, ANY, RUNNING),
    ASK_GOES(WAITING, POOL_CANCEL),
    ASK_GOES(WAITING, POOL_TICK),
    ASK_GOES(WAITING, POOL_DRAIN),
    ASK(PROBING, POOL_PROBED, RUNNING),
    ASK(PROBING, POOL_PROBE_FAILED, WAITING),
    ASK(PROBING, POOL_TICK, WAITING),
    ASK(PROBING, POOL_DISPOSE, WAITING),
    ASK(PROBING, POOL_LIFE_UP, WAITING),
    ASK_GOES(PROBING, POOL_CANCEL),
    ASK_GOES(PROBING, POOL_TICK),
    ASK_GOES(PROBING, POOL_DRAIN),
    ASK(RUNNING, POOL_PAGE_CRASHED, WAITING),
    ASK(RUNNING, POOL_RENDER_DONE, WAITING),
    ASK(RUNNING, POOL_CONTEXT_GONE, WAITING),
    ASK(RUNNING, POOL_LIFE_DOWN, WAITING),
    ASK_GOES(RUNNING, POOL_RENDER_DONE),
    ASK_GOES(RUNNING, POOL_PAGE_CRASHED),
    ASK_GOES(RUNNING, POOL_CONTEXT_GONE),
    ASK_GOES(RUNNING, POOL_LIFE_DOWN),
    ASK_GOES(RUNNING, POOL_CANCEL),
    ASK_GOES(RUNNING, POOL_TICK),
    {MACHINE_LIFE, NONE, ANY, LIFE_STARTING},
    {MACHINE_LIFE, LIFE_STARTING, POOL_LIFE_UP, LIFE_UP},
    {MACHINE_LIFE, LIFE_STARTING, POOL_LIFE_DOWN, NONE},
    {MACHINE_LIFE, LIFE_UP, POOL_LIFE_UP, LIFE_RETIRING},
    {MACHINE_LIFE, LIFE_UP, POOL_LIFE_UP, NONE},
    {MACHINE_LIFE, LIFE_UP, POOL_LIFE_DOWN, NONE},
    {MACHINE_LIFE, LIFE_RETIRING, POOL_RENDER_DONE, NONE},
    {MACHINE_LIFE, LIFE_RETIRING, POOL_TICK, NONE},
    {MACHINE_LIFE, LIFE_RETIRING, POOL_LIFE_DOWN, NONE},
};
#define ARROWS (sizeof arrows / sizeof *arrows)

struct seen {
    enum machine machine;
    uint64_t id;
    int state;
};

struct coverage {
    uint64_t taken[MACHINES][STATES_MAX][EVENTS][STATES_MAX];
    struct seen *before, *after;
    size_t before_count, after_count, capacity;
};

struct coverage *coverage_new(void)
{
    struct coverage *coverage = calloc(1, sizeof *coverage);
    assert(coverage != NULL);
    coverage->capacity = 65536;
    coverage->before = calloc(coverage->capacity, sizeof *coverage->before);
    coverage->after = calloc(coverage->capacity, sizeof *coverage->after);
    assert(coverage->before != NULL && coverage->after != NULL);
    return coverage;
}

void coverage_free(struct coverage *coverage)
{
    free(coverage->before);
    free(coverage->after);
    free(coverage);
}

static void note(struct seen *seen, size_t *count, enum machine machine, uint64_t id, int state)
{
    seen[(*count)++] = (struct seen){machine, id, state};
}

static size_t snapshot(const struct pool *pool, struct seen *seen, size_t capacity)
{
    size_t count = 0;
    for (int i = 0; i < BROWSER_LIVES_MAX; i++) {
        const struct life *life = &pool->lives[i];
        const struct page *page;
        const struct context *context;
        if (life->state == LIFE_DOWN)
            continue;
        note(seen, &count, MACHINE_LIFE, life->id, (int)life->state);
        LIST_FOREACH(page, &life->all_pages, of_life)
        {
            note(seen, &count, MACHINE_PAGE, page->node.id, (int)page->state);
            if (page->request != NULL)
                note(seen, &count, MACHINE_REQUEST, page->request->node.id,
                     (int)page->request->state);
        }
        LIST_FOREACH(context, &life->all_contexts, of_life)
        note(seen, &count, MACHINE_CONTEXT, context->node.id, (int)context->state);
        assert(count < capacity / 2);
    }
    const struct request *request;
    TAILQ_FOREACH(request, &pool->waiting, waiting)
    note(seen, &count, MACHINE_REQUEST, request->node.id, (int)request->state);
    assert(count < capacity);
    return count;
}

static int by_machine_and_id(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;
    if (a->machine != b->machine)
        return a->machine < b->machine ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void coverage_before(struct coverage *coverage, const struct pool *pool)
{
    coverage->before_count = snapshot(pool, coverage->before, coverage->capacity);
    qsort(coverage->before, coverage->before_count, sizeof *coverage->before, by_machine_and_id);
}

void coverage_after(struct coverage *coverage, const struct pool *pool, enum pool_event_type event)
{
    struct seen *before = coverage->before, *after = coverage->after;
    coverage->after_count = snapshot(pool, after, coverage->capacity);
    qsort(after, coverage->after_count, sizeof *after, by_machine_and_id);
    size_t i = 0, j = 0;
    while (i < coverage->before_count || j < coverage->after_count) {
        int order = 0;
        if (i == coverage->before_count)
            order = 1;
        else if (j == coverage->after_count)
            order = -1;
        else
            order = by_machine_and_id(&before[i], &after[j]);
        enum machine machine = order <= 0 ? before[i].machine : after[j].machine;
        int from = order <= 0 ? before[i++].state : NONE;
        int to = order >= 0 ? after[j++].state : NONE;
        coverage->taken[machine][from][event][to]++;
    }
}

static uint64_t times(const struct coverage *coverage, const struct arrow *arrow)
{
    uint64_t sum = 0;
    for (int event = 0; event < EVENTS; event++) {
        if (arrow->event == ANY || arrow->event == event)
            sum += coverage->taken[arrow->machine][arrow->from][event][arrow->to];
    }
    return sum;
}

/* One line per state and event: where it led, how often. Staying put is left out. */
void coverage_print(const struct coverage *coverage)
{
    for (int machine = 0; machine < MACHINES; machine++) {
        for (int from = 0; from < STATES_MAX; from++) {
            for (int event = 0; event < EVENTS; event++) {
                const uint64_t *to = coverage->taken[machine][from][event];
                uint64_t sum = 0;
                for (int state = 0; state < STATES_MAX; state++)
                    sum += state == from ? 0 : to[state];
                if (sum == 0)
                    continue;
                printf("%-8s %-9s %-14s", machine_names[machine], state_names[machine][from],
                       pool_event_name((enum pool_event_type)event));
                for (int state = 0; state < STATES_MAX; state++) {
                    if (state != from && to[state] > 0)
                        printf(" %s %" PRIu64, state_names[machine][state], to[state]);
                }
                printf("\n");
            }
        }
    }
}

int coverage_missing(const struct coverage *coverage)
{
    int missing = 0;
    for (size_t i = 0; i < ARROWS; i++) {
        const struct arrow *arrow = &arrows[i];
        if (times(coverage, arrow) > 0)
            continue;
        missing++;
        printf("never taken: %s %s -> %s on %s\n", machine_names[arrow->machine],
               state_names[arrow->machine][arrow->from], state_names[arrow->machine][arrow->to],
               arrow->event == ANY ? "any event"
                                   : pool_event_name((enum pool_event_type)arrow->event));
    }
    printf("arrows: %zu drawn, %zu taken\n", ARROWS, ARROWS - (size_t)missing);
    return missing;
}
