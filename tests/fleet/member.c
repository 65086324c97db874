/* member.c: a daemon of the fleet: a world around a pool, and the courier that tells of it. */
#include "tests/fleet/fleet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS 5000
#define GRACE_MS 10000
/* Of a daemon that was killed or has drained. */
#define AWAY_MS 5000

static uint32_t index_of(const struct sim *sim)
{
    const struct fleet *fleet = sim->owner->context;
    uint32_t index = 0;
    while (fleet->members[index].sim != sim)
        index++;
    assert(index < MEMBERS);
    return index;
}

static void edge(struct sim *sim, const struct pool_action *action)
{
    struct fleet *fleet = sim->owner->context;
    struct member *member = &fleet->members[index_of(sim)];
    if (action->type == POOL_ENDED)
        courier_note_ended(&member->courier, action->key, action->key_bytes, member->seq);
    else if (fleet->canary == CANARY_NOTICE_KEPT)
        member->courier.changed = true;
    else
        courier_note_started(&member->courier, action->key, action->key_bytes);
}

/* No stalls: a loop that sleeps would leave the clock that all share. */
static void configure_member(struct fleet *fleet, struct sim *sim)
{
    configure(sim);
    sim->calm = false;
    sim->drain_ms = 0;
    sim->faults.stalls = 0;
    sim->load.render_ms = fleet->render_ms;
    if (fleet->load_over)
        memset(&sim->faults, 0, sizeof sim->faults);
    sim->load_over = fleet->load_over;
}

void member_start(struct fleet *fleet, uint32_t index)
{
    struct member *member = &fleet->members[index];
    assert(member->state == MEMBER_DOWN);
    struct sim *sim = calloc(1, sizeof *sim);
    assert(sim != NULL);
    member->state = MEMBER_SERVING;
    member->boot++;
    member->seq = member->message = 0;
    member->sim = sim;
    member->owner = (struct sim_owner){
        .granted = jobs_granted, .answered = jobs_answered, .edge = edge, .context = fleet};
    courier_init(&member->courier, fleet->now_ms, HEARTBEAT_MS);
    sim->seed = fleet->seed;
    sim->random.state = random_next(&fleet->random);
    sim->now_ms = fleet->now_ms;
    sim->owner = &member->owner;
    sim->coverage = fleet->coverage;
    configure_member(fleet, sim);
    world_open(sim);
    clients_start_nobody(sim);
    fleet_trace(fleet, "member %u starts", index);
}

static void stop(struct fleet *fleet, uint32_t index)
{
    struct member *member = &fleet->members[index];
    world_close(member->sim);
    free(member->sim);
    courier_clear(&member->courier);
    member->sim = NULL;
    member->state = MEMBER_DOWN;
    fleet_later(fleet, AWAY_MS + random_below(&fleet->random, AWAY_MS), HAPPENS_START, index);
}

void member_kill(struct fleet *fleet, uint32_t index)
{
    if (fleet->members[index].state == MEMBER_DOWN)
        return;
    fleet_trace(fleet, "member %u is killed", index);
    fleet->tally.kills++;
    jobs_member_gone(fleet, index);
    stop(fleet, index);
}

void member_drain(struct fleet *fleet, uint32_t index)
{
    struct member *member = &fleet->members[index];
    if (member->state != MEMBER_SERVING)
        return;
    fleet_trace(fleet, "member %u drains", index);
    fleet->tally.drains++;
    member->state = MEMBER_DRAINING;
    courier_drain(&member->courier, fleet->now_ms);
    member->sim->now_ms = fleet->now_ms;
    if (fleet->canary == CANARY_REFUSED_RUNNING) {
        for (uint64_t i = 1; i <= member->sim->last_request; i++) {
            struct sim_request *request = &member->sim->requests[i];
            if (request->fate == ASK_RUNNING && request->outside != 0)
                jobs_answered(member->sim, request->outside, ANSWER_REFUSED);
        }
    }
    world_drain(member->sim, GRACE_MS);
}

/* ---- Messages ---- */

static void fill_heartbeat(const struct member *member, struct message *message)
{
    struct pool_affinity affinity;
    size_t cursor = 0;
    message->draining = member->state != MEMBER_SERVING;
    while (pool_next_affinity(member->sim->pool, &cursor, &affinity)) {
        keys key = 1u << affinity_index(member->sim, affinity.key, affinity.key_bytes);
        message->warm |= affinity.live ? key : 0;
        message->warming |= affinity.warming ? key : 0;
        message->idle |= affinity.idle ? key : 0;
    }
}

static void fill_notice(struct member *member, struct message *message)
{
    struct notice *notice = outbox_take(&member->courier.outbox);
    message->key = (uint32_t)affinity_index(member->sim, notice->key, notice->key_bytes);
    message->live_when_sent = member->sim->affinities[message->key].live;
    free(notice);
}

static void send_message(struct fleet *fleet, uint32_t index, enum courier_message type)
{
    struct member *member = &fleet->members[index];
    uint64_t id = ++fleet->messages_count;
    fleet->messages = fleet_grown(fleet->messages, id, sizeof *fleet->messages);
    struct message *message = &fleet->messages[id];
    *message = (struct message){.type = type,
                                .member = index,
                                .boot = member->boot,
                                .seq = ++member->seq,
                                .sent_ms = fleet->now_ms};
    if (type == MESSAGE_HEARTBEAT)
        fill_heartbeat(member, message);
    else if (type == MESSAGE_NOTICE)
        fill_notice(member, message);
    member->message = id;
    courier_begin(&member->courier, fleet->now_ms, type, member->seq);
    uint64_t delay_ms = random_around(&fleet->random, 5);
    if (fleet->now_ms < fleet->slow_until_ms)
        delay_ms = random_between(&fleet->random, 100, 3000);
    if (!random_chance(&fleet->random, fleet->lost))
        fleet_later(fleet, delay_ms, HAPPENS_MESSAGE, id);
    fleet_later(fleet, COURIER_TIMEOUT_MS, HAPPENS_MESSAGE_OVER, id);
}

void member_message_over(struct fleet *fleet, uint64_t id)
{
    const struct message *message = &fleet->messages[id];
    struct member *member = &fleet->members[message->member];
    if (member->state == MEMBER_DOWN || member->boot != message->boot || member->message != id)
        return;
    member->message = 0;
    courier_end(&member->courier, message->answered);
}

static bool is_quiet(const struct sim *sim)
{
    return sim->waiting + sim->running == 0;
}

void member_turn(struct fleet *fleet, uint32_t index)
{
    struct member *member = &fleet->members[index];
    if (member->state == MEMBER_DOWN)
        return;
    if (member->state == MEMBER_DRAINING && is_quiet(member->sim)) {
        member->state = MEMBER_LEAVING;
        courier_unregister(&member->courier);
    }
    enum courier_message next = courier_next(&member->courier, fleet->now_ms);
    if (next != MESSAGE_NONE)
        send_message(fleet, index, next);
    else if (member->courier.unregistered && member->courier.message == MESSAGE_NONE)
        stop(fleet, index);
}

uint64_t member_deadline_ms(const struct fleet *fleet, uint32_t index)
{
    const struct member *member = &fleet->members[index];
    if (member->state == MEMBER_DOWN)
        return UINT64_MAX;
    uint64_t world_ms = world_next_ms(member->sim);
    uint64_t courier_ms = courier_deadline_ms(&member->courier);
    bool waits = member->courier.message != MESSAGE_NONE;
    return waits || world_ms < courier_ms ? world_ms : courier_ms;
}
