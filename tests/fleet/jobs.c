/* jobs.c: what clients want done, and the tries at it that the manager makes.
 *
 * A try that was refused goes to the next daemon, for it was not started. One whose
 * connection broke, or that failed by a fault of the daemon (5xx), costs that daemon its
 * record; a visit goes to the next one, a command is answered "in doubt". When no daemon is
 * left, or the manager itself breaks the connection, the client asks again. */
#include "tests/fleet/fleet.h"

#include <inttypes.h>
#include <string.h>

#define AGAIN_MS 1000
#define TIMEOUT_MIN_MS 5000
#define TIMEOUT_MAX_MS 30000
/* From a daemon to the manager, at most. */
#define WAY_MS 100

static void finish(struct fleet *fleet, uint64_t id)
{
    struct job *job = &fleet->jobs[id];
    if (job->over)
        fleet_violation(fleet, "job %" PRIu64 " is answered twice", id);
    job->over = true;
    job->try = 0;
}

static void answer(struct fleet *fleet, uint64_t id)
{
    finish(fleet, id);
    fleet->tally.answered++;
}

/* It may have run, and nobody knows. */
static void answer_in_doubt(struct fleet *fleet, uint64_t id)
{
    answer(fleet, id);
    fleet->tally.in_doubt++;
}

/* Few keys get most of the work. */
static uint32_t draw_affinity(struct fleet *fleet)
{
    uint64_t least = KEYS_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t drawn = random_below(&fleet->random, KEYS_MAX);
        least = drawn < least ? drawn : least;
    }
    return (uint32_t)least;
}

void jobs_arrival(struct fleet *fleet)
{
    if (fleet->load_over)
        return;
    fleet_later(fleet, random_around(&fleet->random, fleet->interval_ms), HAPPENS_ARRIVAL, 0);
    uint64_t id = ++fleet->jobs_count;
    fleet->jobs = fleet_grown(fleet->jobs, id, sizeof *fleet->jobs);
    fleet->jobs[id] = (struct job){.affinity = draw_affinity(fleet),
                                   .command = random_chance(&fleet->random, fleet->commands)};
    fleet->tally.jobs++;
    if (random_chance(&fleet->random, 10))
        fleet_later(fleet, random_around(&fleet->random, fleet->render_ms), HAPPENS_LEAVE, id);
    jobs_offer(fleet, id);
}

static void again_later(struct fleet *fleet, uint64_t id)
{
    fleet->jobs[id].tried = 0;
    fleet->jobs[id].try = 0;
    fleet_later(fleet, AGAIN_MS, HAPPENS_OFFER, id);
}

void jobs_offer(struct fleet *fleet, uint64_t id)
{
    struct job *job = &fleet->jobs[id];
    if (job->over || job->try != 0)
        return;
    uint32_t member = MEMBERS;
    if (!fleet->manager_down)
        member = manager_choose(fleet, job->affinity, job->tried);
    if (member == MEMBERS) {
        fleet->tally.unrouted++;
        again_later(fleet, id);
        return;
    }
    fleet->tally.retries += job->tried != 0 ? 1 : 0;
    fleet->tally.tries++;
    job->tried |= 1u << member;
    job->try = ++fleet->tries_count;
    fleet->tries = fleet_grown(fleet->tries, job->try, sizeof *fleet->tries);
    fleet->tries[job->try] = (struct try){.job = id, .member = member};
    fleet_later(fleet, random_around(&fleet->random, 2), HAPPENS_TRY, job->try);
}

/* The manager closes the connection: a daemon that has it takes that for a cancel. */
static void give_up(struct fleet *fleet, uint64_t id)
{
    struct try *try = &fleet->tries[id];
    bool there = try->state == TRY_THERE;
    try->state = TRY_GIVEN_UP;
    struct sim *sim = fleet->members[try->member].sim;
    if (!there)
        return;
    sim->now_ms = fleet->now_ms;
    clients_cancel(sim, &(struct future){.id = try->request});
    member_turn(fleet, try->member);
}

void jobs_leave(struct fleet *fleet, uint64_t id)
{
    struct job *job = &fleet->jobs[id];
    uint64_t try = job->try;
    if (job->over)
        return;
    finish(fleet, id);
    fleet->tally.left++;
    if (try != 0)
        give_up(fleet, try);
}

/* ---- At the daemon ---- */

static struct pool_request asked_for(struct fleet *fleet, const struct job *job,
                                     const struct sim *sim)
{
    const char *key = sim->affinities[job->affinity].key;
    struct pool_request asked = {.key = key,
                                 .key_bytes = strlen(key),
                                 .lane = job->command ? POOL_NESTED : POOL_MAIN,
                                 .site = random_below(&fleet->random, 3),
                                 .repeatable = !job->command};
    asked.priority = random_chance(&fleet->random, 200) ? 5 : 0;
    asked.deadline_ms =
        sim->now_ms + random_between(&fleet->random, TIMEOUT_MIN_MS, TIMEOUT_MAX_MS);
    asked.queue_deadline_ms = asked.deadline_ms;
    return asked;
}

void jobs_try(struct fleet *fleet, uint64_t id)
{
    struct try *try = &fleet->tries[id];
    struct member *member = &fleet->members[try->member];
    if (try->state == TRY_GIVEN_UP)
        return;
    if (member->state == MEMBER_DOWN) {
        try->state = TRY_BROKEN;
        fleet_later(fleet, 1, HAPPENS_TRY_OVER, id);
        return;
    }
    struct sim *sim = member->sim;
    const struct job *job = &fleet->jobs[try->job];
    sim->now_ms = fleet->now_ms;
    try->state = TRY_THERE;
    try->boot = member->boot;
    try->request = sim->last_request + 1;
    struct pool_request asked = asked_for(fleet, job, sim);
    fleet_later(fleet, asked.deadline_ms - fleet->now_ms + WAY_MS, HAPPENS_TRY_LATE, id);
    (void)clients_ask_outside(sim, asked, job->affinity, id);
}

void jobs_granted(struct sim *sim, uint64_t id)
{
    struct fleet *fleet = sim->owner->context;
    struct try *try = &fleet->tries[id];
    struct job *job = &fleet->jobs[try->job];
    try->starts++;
    job->starts++;
    if (job->command && job->starts > 1)
        fleet_violation(fleet, "job %" PRIu64 " is a command and starts %u times", try->job,
                        job->starts);
}

void jobs_answered(struct sim *sim, uint64_t id, enum sim_answer how)
{
    struct fleet *fleet = sim->owner->context;
    struct try *try = &fleet->tries[id];
    if (try->state != TRY_THERE)
        return;
    try->state = TRY_ANSWERED;
    try->answer = how;
    fleet_later(fleet, random_around(&fleet->random, 2), HAPPENS_TRY_OVER, id);
}

/* ---- Back at the manager ---- */

static void try_broke(struct fleet *fleet, const struct try *try)
{
    bool arrived = try->boot != 0;
    bool sent_again = !fleet->jobs[try->job].command || fleet->canary == CANARY_COMMAND_REPEATED;
    manager_prune(fleet, try->member);
    if (sent_again || !arrived)
        jobs_offer(fleet, try->job);
    else
        answer_in_doubt(fleet, try->job);
}

static void try_was_answered(struct fleet *fleet, const struct try *try)
{
    switch (try->answer) {
    case ANSWER_RENDERED:
    case ANSWER_ENDED:
        answer(fleet, try->job);
        break;
    case ANSWER_REFUSED:
        fleet->tally.refused++;
        if (try->starts > 0)
            fleet_violation(fleet, "job %" PRIu64 " was started and is refused", try->job);
        jobs_offer(fleet, try->job);
        break;
    case ANSWER_FAILED:
        try_broke(fleet, try);
        break;
    case ANSWER_LEFT:
        fleet_violation(fleet, "job %" PRIu64 " is cancelled by nobody", try->job);
        break;
    }
}

void jobs_try_over(struct fleet *fleet, uint64_t id)
{
    struct try try = fleet->tries[id]; /* A copy: offering again moves them. */
    if (try.state == TRY_GIVEN_UP)
        return;
    fleet->jobs[try.job].try = 0;
    if (try.state == TRY_BROKEN)
        try_broke(fleet, &try);
    else
        try_was_answered(fleet, &try);
}

void jobs_try_late(struct fleet *fleet, uint64_t id)
{
    uint64_t job = fleet->tries[id].job;
    if (fleet->jobs[job].try == id)
        fleet_violation(fleet, "job %" PRIu64 " has no answer at its deadline", job);
}

/* What it has answered is on its way. */
void jobs_member_gone(struct fleet *fleet, uint32_t index)
{
    for (uint64_t i = 1; i <= fleet->tries_count; i++) {
        struct try *try = &fleet->tries[i];
        if (try->member != index || try->state != TRY_THERE)
            continue;
        try->state = TRY_BROKEN;
        if (fleet->canary != CANARY_JOB_FORGOTTEN)
            fleet_later(fleet, 1, HAPPENS_TRY_OVER, i);
    }
}

void jobs_manager_gone(struct fleet *fleet)
{
    for (uint64_t i = 1; i <= fleet->jobs_count; i++) {
        struct job *job = &fleet->jobs[i];
        uint64_t try = job->try;
        if (job->over || try == 0)
            continue;
        give_up(fleet, try);
        if (job->command)
            answer_in_doubt(fleet, i);
        else
            again_later(fleet, i);
    }
}
