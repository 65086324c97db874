/* manager.c: the fleet manager: what it is told, what it believes, and where it sends work. */
#include "tests/fleet/fleet.h"

#define STALE_MS 30000

static const char *key_name(const struct fleet *fleet, const struct message *message)
{
    const struct sim *sim = fleet->members[message->member].sim;
    return sim != NULL ? sim->affinities[message->key].key : "a key";
}

/* A message of that boot which was sent after what is known. */
static bool is_newer(const struct record *record, const struct message *message)
{
    return record->known && record->boot == message->boot && message->seq > record->seq;
}

/* What is assigned and neither warm nor on its way is not there. */
static void take_heartbeat(struct fleet *fleet, const struct message *message)
{
    struct record *record = &fleet->records[message->member];
    fleet->tally.heartbeats++;
    if (record->known && record->boot == message->boot && !is_newer(record, message)) {
        fleet->tally.overtaken++;
        return;
    }
    *record = (struct record){.known = true,
                              .draining = message->draining,
                              .boot = message->boot,
                              .seq = message->seq,
                              .seen_ms = fleet->now_ms,
                              .warm = message->warm,
                              .warming = message->warming,
                              .idle = message->idle,
                              .assigned = record->assigned & (message->warm | message->warming)};
}

static void take_notice(struct fleet *fleet, const struct message *message)
{
    struct record *record = &fleet->records[message->member];
    const struct member *member = &fleet->members[message->member];
    fleet->tally.notices++;
    if (!is_newer(record, message)) {
        fleet->tally.overtaken++;
        return;
    }
    bool live = member->boot == message->boot && member->sim != NULL &&
                member->sim->affinities[message->key].live;
    if (message->live_when_sent)
        fleet_violation(fleet, "member %u said that %s ended, which was live", message->member,
                        key_name(fleet, message));
    else if (live)
        fleet->tally.crossed++;
    keys gone = ~(1u << message->key);
    record->seq = message->seq;
    record->warm &= gone;
    record->warming &= gone;
    record->idle &= gone;
    record->assigned &= gone;
}

void manager_message(struct fleet *fleet, uint64_t id)
{
    struct message *message = &fleet->messages[id];
    if (!fleet->manager_down) {
        message->answered = true;
        if (message->type == MESSAGE_HEARTBEAT)
            take_heartbeat(fleet, message);
        else if (message->type == MESSAGE_NOTICE)
            take_notice(fleet, message);
        else
            fleet->records[message->member] = (struct record){.known = false};
    }
    fleet_later(fleet, random_around(&fleet->random, 5), HAPPENS_MESSAGE_OVER, id);
}

static uint32_t count(keys set)
{
    uint32_t bits = 0;
    for (; set != 0; set &= set - 1)
        bits++;
    return bits;
}

/* The lower, the better: warm and idle, warm, on its way, and then by how much is assigned. */
static uint32_t rank(const struct record *record, keys key)
{
    if (record->warm & record->idle & key)
        return 0;
    if (record->warm & key)
        return 1;
    if ((record->assigned | record->warming) & key)
        return 2;
    return 3 + count(record->assigned);
}

uint32_t manager_choose(struct fleet *fleet, uint32_t affinity, uint32_t tried)
{
    uint32_t chosen = MEMBERS, best = UINT32_MAX;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        const struct record *record = &fleet->records[i];
        bool fits = record->known && !record->draining && (tried & 1u << i) == 0 &&
                    fleet->now_ms - record->seen_ms <= STALE_MS;
        uint32_t mine = rank(record, 1u << affinity);
        if (fits && mine < best) {
            best = mine;
            chosen = i;
        }
    }
    if (chosen == MEMBERS)
        return MEMBERS;
    fleet->records[chosen].assigned |= 1u << affinity;
    fleet->tally.warm_routes += best <= 1 ? 1 : 0;
    return chosen;
}

void manager_prune(struct fleet *fleet, uint32_t index)
{
    fleet->records[index] = (struct record){.known = false};
}
