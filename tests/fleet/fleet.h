/* fleet.h: hours of a fleet in virtual time.
 *
 * Several daemons (member.c), each a world of tests/sim/ around a real pool and the real
 * courier of daemon/, tell a manager model (manager.c) what they are; it sends the work of
 * clients (jobs.c) where it is warm. On the way messages are slow, late or lost. Daemons are
 * killed and drain, and come back; the manager is restarted and forgets (incidents.c). One
 * seed draws everything and reproduces it.
 *
 * AUDITED
 *   1 A notice that the manager believes was true when it was sent. Notices carry the boot
 *     and number of their daemon, so one that a newer heartbeat has overtaken is not believed.
 *     (One that crosses with a request that makes the affinity live again was true. It is
 *     counted, and the next heartbeat heals it.)
 *   2 Every job is answered once, also when its daemon was killed or the manager restarted,
 *     and every try at it is over at its deadline.
 *   3 What is refused with 410 or 503 was not started there.
 *   4 A command is executed at most once, in the whole fleet: when it is not known whether it
 *     ran, its client is told so, and it is not sent again.
 *   5 In the end, without load and faults, every daemon is registered, no affinity is warm or
 *     assigned, and every pool is at its floor. The pools' own audits (sim/oracle.c) hold in
 *     every step.
 *
 * Canaries are bugs that can be switched on, one each for 1 to 4, and must be caught. */
#ifndef TESTS_FLEET_FLEET_H
#define TESTS_FLEET_FLEET_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/courier.h"
#include "tests/sim/sim.h"

#define MEMBERS 3

enum canary {
    CANARY_NONE,
    CANARY_NOTICE_KEPT,      /* An affinity that is live again does not void its notice. */
    CANARY_JOB_FORGOTTEN,    /* Nobody tells the manager that a connection broke. */
    CANARY_REFUSED_RUNNING,  /* A daemon that drains answers 410 to what it renders. */
    CANARY_COMMAND_REPEATED, /* A command whose connection broke is sent again. */
};

/* What happens to the fleet; .id of the future names the job, try, message or member. */
enum happening {
    HAPPENS_ARRIVAL,      /* A new client asks. */
    HAPPENS_OFFER,        /* Job: its client asks the manager (again). */
    HAPPENS_LEAVE,        /* Job: its client goes away. */
    HAPPENS_TRY,          /* Try: it reaches the daemon. */
    HAPPENS_TRY_LATE,     /* Try: its deadline is over. */
    HAPPENS_TRY_OVER,     /* Try: the manager has its answer, or the broken connection. */
    HAPPENS_MESSAGE,      /* Message: it reaches the manager. */
    HAPPENS_MESSAGE_OVER, /* Message: its daemon has the answer, or waits no longer. */
    HAPPENS_INCIDENT,
    HAPPENS_START, /* Member: it starts again. */
    HAPPENS_MANAGER_BACK,
};

/* ---- Daemons ---- */

enum member_state { MEMBER_DOWN, MEMBER_SERVING, MEMBER_DRAINING, MEMBER_LEAVING };

struct member {
    enum member_state state;
    uint64_t boot, seq; /* boot: 0 before the first start. */
    uint64_t message;   /* In flight. */
    struct courier courier;
    struct sim_owner owner;
    struct sim *sim; /* NULL: down. */
};

/* Sets of affinities, by index. */
typedef uint32_t keys;

struct message {
    enum courier_message type;
    uint32_t member;
    uint64_t boot, seq, sent_ms;
    bool answered, draining;
    keys warm, warming, idle; /* Of a heartbeat. */
    uint32_t key;             /* Of a notice. */
    bool live_when_sent;
};

/* ---- Clients ---- */

enum try_state { TRY_AWAY, TRY_THERE, TRY_ANSWERED, TRY_BROKEN, TRY_GIVEN_UP };

struct
try {
    enum try_state state;
    uint64_t job, boot, request; /* request: its id in the pool. */
    uint32_t member, starts;
    enum sim_answer answer;
};

struct job {
    uint32_t affinity, tried; /* tried: set of members. */
    bool command, over;
    uint64_t try; /* Open; 0: none. */
    uint32_t starts;
};

/* ---- The manager ---- */

struct record {
    bool known, draining;
    uint64_t boot, seq, seen_ms;
    keys warm, warming, idle, assigned;
};

/* What the run has seen. */
struct tally {
    uint64_t jobs, answered, left, in_doubt, tries, retries, refused, warm_routes, unrouted;
    uint64_t heartbeats, notices, overtaken, crossed, kills, drains, restarts, violations;
};

struct fleet {
    uint64_t seed, now_ms, end_ms, slow_until_ms;
    struct random random;
    bool trace, load_over, manager_down;
    enum canary canary;
    uint32_t interval_ms, render_ms, commands, lost, incident_interval_ms;
    uint64_t incidents;
    struct futures futures;
    struct coverage *coverage;
    struct member members[MEMBERS];
    struct record records[MEMBERS];
    struct message *messages;
    struct try *tries;
    struct job *jobs;
    uint64_t messages_count, tries_count, jobs_count;
    struct tally tally;
};

/* ---- fleet.c ---- */
/* Plays one seed for that long and adds to *ret. */
void fleet_run(uint64_t seed, uint64_t duration_ms, enum canary, bool trace, struct tally *ret);
void fleet_later(struct fleet *, uint64_t delay_ms, enum happening, uint64_t id);
__attribute__((format(printf, 2, 3))) void fleet_violation(struct fleet *, const char *format, ...);
__attribute__((format(printf, 2, 3))) void fleet_trace(const struct fleet *, const char *format,
                                                       ...);
/* Room for one more: the array, which may have moved. Ids count from 1. */
void *fleet_grown(void *items, uint64_t count, size_t item_bytes);

/* ---- member.c ---- */
void member_start(struct fleet *, uint32_t index);
/* After whatever has happened to it: sends what is due. */
void member_turn(struct fleet *, uint32_t index);
uint64_t member_deadline_ms(const struct fleet *, uint32_t index);
void member_message_over(struct fleet *, uint64_t message);
void member_drain(struct fleet *, uint32_t index);
/* It is gone at once, with what it was doing. */
void member_kill(struct fleet *, uint32_t index);

/* ---- manager.c ---- */
void manager_message(struct fleet *, uint64_t message);
/* Which member is to do it, of those not `tried`; MEMBERS: none. */
uint32_t manager_choose(struct fleet *, uint32_t affinity, uint32_t tried);
void manager_prune(struct fleet *, uint32_t index);

/* ---- jobs.c ---- */
void jobs_arrival(struct fleet *);
void jobs_offer(struct fleet *, uint64_t job);
void jobs_leave(struct fleet *, uint64_t job);
void jobs_try(struct fleet *, uint64_t try);
void jobs_try_over(struct fleet *, uint64_t try);
void jobs_try_late(struct fleet *, uint64_t try);
void jobs_granted(struct sim *, uint64_t try);
void jobs_answered(struct sim *, uint64_t try, enum sim_answer);
/* The connections of that member, or of the manager, are broken. */
void jobs_member_gone(struct fleet *, uint32_t index);
void jobs_manager_gone(struct fleet *);

/* ---- incidents.c ---- */
void incidents_next(struct fleet *);
void incidents_manager_back(struct fleet *);

#endif
