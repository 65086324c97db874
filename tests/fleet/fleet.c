/* fleet.c: the clock that all share: load and incidents, then peace, then the floor. */
#include "tests/fleet/fleet.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long the fleet may take to come to rest. */
#define REST_MS (30u * 60 * 1000)

__attribute__((format(printf, 3, 0))) static void print(const struct fleet *fleet, FILE *stream,
                                                        const char *format, va_list arguments)
{
    (void)fprintf(stream, "seed %" PRIu64 " at %" PRIu64 " ms: ", fleet->seed, fleet->now_ms);
    (void)vfprintf(stream, format, arguments);
    (void)fprintf(stream, "\n");
}

void fleet_violation(struct fleet *fleet, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fleet->tally.violations++;
    print(fleet, stderr, format, arguments);
    va_end(arguments);
}

void fleet_trace(const struct fleet *fleet, const char *format, ...)
{
    va_list arguments;
    if (!fleet->trace)
        return;
    va_start(arguments, format);
    print(fleet, stdout, format, arguments);
    va_end(arguments);
}

/* Grows at powers of two, so that the count alone tells the capacity. */
void *fleet_grown(void *items, uint64_t count, size_t item_bytes)
{
    if (count > 1 && (count & (count - 1)) != 0)
        return items;
    void *moved = realloc(items, (size_t)count * 2 * item_bytes);
    assert(moved != NULL);
    return moved;
}

/* The world's heap knows no happenings of a fleet: they travel in .serial. */
void fleet_later(struct fleet *fleet, uint64_t delay_ms, enum happening what, uint64_t id)
{
    futures_push(
        &fleet->futures,
        (struct future){.time_ms = fleet->now_ms + delay_ms, .serial = (uint32_t)what, .id = id});
}

static void happen(struct fleet *fleet, const struct future *future)
{
    switch ((enum happening)future->serial) {
    case HAPPENS_ARRIVAL:
        jobs_arrival(fleet);
        break;
    case HAPPENS_OFFER:
        jobs_offer(fleet, future->id);
        break;
    case HAPPENS_LEAVE:
        jobs_leave(fleet, future->id);
        break;
    case HAPPENS_TRY:
        jobs_try(fleet, future->id);
        break;
    case HAPPENS_TRY_LATE:
        jobs_try_late(fleet, future->id);
        break;
    case HAPPENS_TRY_OVER:
        jobs_try_over(fleet, future->id);
        break;
    case HAPPENS_MESSAGE:
        manager_message(fleet, future->id);
        break;
    case HAPPENS_MESSAGE_OVER:
        member_message_over(fleet, future->id);
        break;
    case HAPPENS_INCIDENT:
        incidents_next(fleet);
        break;
    case HAPPENS_START:
        member_start(fleet, (uint32_t)future->id);
        break;
    case HAPPENS_MANAGER_BACK:
        incidents_manager_back(fleet);
        break;
    }
}

/* The next thing of whoever is first; of the fleet before its members. */
static void turn(struct fleet *fleet)
{
    uint32_t first = MEMBERS;
    uint64_t first_ms = fleet->futures.count > 0 ? fleet->futures.items[0].time_ms : UINT64_MAX;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint64_t due_ms = member_deadline_ms(fleet, i);
        if (due_ms < first_ms) {
            first = i;
            first_ms = due_ms;
        }
    }
    assert(first_ms != UINT64_MAX);
    fleet->now_ms = first_ms > fleet->now_ms ? first_ms : fleet->now_ms;
    if (first == MEMBERS) {
        struct future future = futures_pop(&fleet->futures);
        happen(fleet, &future);
    } else if (world_next_ms(fleet->members[first].sim) <= fleet->now_ms) {
        world_turn(fleet->members[first].sim);
    }
    for (uint32_t i = 0; i < MEMBERS; i++)
        member_turn(fleet, i);
}

static void make_peace(struct fleet *fleet)
{
    fleet->load_over = true;
    fleet->slow_until_ms = 0;
    fleet->lost = 0;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct sim *sim = fleet->members[i].sim;
        if (sim == NULL)
            continue;
        memset(&sim->faults, 0, sizeof sim->faults);
        sim->load_over = true;
    }
}

static bool is_settled(struct fleet *fleet)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        const struct member *member = &fleet->members[i];
        const struct record *record = &fleet->records[i];
        if (member->state != MEMBER_SERVING || !oracle_is_settled(member->sim))
            return false;
        if (!record->known || record->boot != member->boot || record->draining)
            return false;
        if ((record->warm | record->warming | record->assigned) != 0)
            return false;
    }
    return true;
}

static void audit_end(struct fleet *fleet)
{
    if (!is_settled(fleet))
        fleet_violation(fleet, "the fleet does not come to rest");
    for (uint64_t i = 1; i <= fleet->jobs_count; i++) {
        if (!fleet->jobs[i].over)
            fleet_violation(fleet, "job %" PRIu64 " was never answered", i);
    }
}

static void open_fleet(struct fleet *fleet, uint64_t duration_ms)
{
    struct random *random = &fleet->random;
    random->state = fleet->seed;
    fleet->end_ms = duration_ms;
    fleet->interval_ms = (uint32_t)random_between(random, 100, 600);
    fleet->render_ms = (uint32_t)random_between(random, 50, 500);
    fleet->commands = (uint32_t)random_between(random, 0, 300);
    fleet->lost = (uint32_t)random_between(random, 0, 30);
    fleet->incident_interval_ms = (uint32_t)(duration_ms / 24);
    fleet->coverage = coverage_new();
    for (uint32_t i = 0; i < MEMBERS; i++)
        member_start(fleet, i);
    fleet_later(fleet, 0, HAPPENS_ARRIVAL, 0);
    fleet_later(fleet, fleet->incident_interval_ms, HAPPENS_INCIDENT, 0);
}

static void close_fleet(struct fleet *fleet)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct member *member = &fleet->members[i];
        if (member->sim == NULL)
            continue;
        world_close(member->sim);
        free(member->sim);
        courier_clear(&member->courier);
    }
    coverage_free(fleet->coverage);
    free(fleet->futures.items);
    free(fleet->messages);
    free(fleet->tries);
    free(fleet->jobs);
}

void fleet_run(uint64_t seed, uint64_t duration_ms, enum canary canary, bool trace,
               struct tally *ret)
{
    struct fleet fleet = {.seed = seed, .canary = canary, .trace = trace, .tally = *ret};
    open_fleet(&fleet, duration_ms);
    while (fleet.now_ms < fleet.end_ms)
        turn(&fleet);
    make_peace(&fleet);
    while (!is_settled(&fleet) && fleet.now_ms < fleet.end_ms + REST_MS)
        turn(&fleet);
    audit_end(&fleet);
    *ret = fleet.tally;
    close_fleet(&fleet);
}
