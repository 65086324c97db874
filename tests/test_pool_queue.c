/* test_pool_queue.c: scenarios Q and C: rank, permits that follow the cap, and leaving. */
#include "tests/pool_table.h"

#define HIGH(id_, key_, priority_) REQUEST_AS(id_, key_, .priority = priority_)

/* Priority first, then arrival. */
static const struct pool_step_row q_001_priority_then_arrival[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST(2, "A"), ""},
    {12, REQUEST(3, "A"), ""},
    {13, HIGH(4, "A", 10), ""},
    {14, REQUEST(5, "A"), ""},
    {14, STATS(), "cap 1 running 1+0 waiting 4+0 stale 0"},
    {20, DONE(1, 1), "grant r4 p1 warm permit 7"},
    {30, DONE(4, 1), "grant r2 p1 warm permit 19"},
    {40, DONE(2, 1), "grant r3 p1 warm permit 28"},
    {50, DONE(3, 1), "grant r5 p1 warm permit 36"},
};

/* Several priorities; none counts as 0. */
static const struct pool_step_row q_002_several_priorities[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, HIGH(2, "A", 5), ""},
    {11, HIGH(3, "A", 10), ""},
    {11, HIGH(4, "A", 5), ""},
    {11, REQUEST(5, "A"), ""},
    {11, HIGH(6, "A", 10), ""},
    {11, REQUEST(7, "A"), ""},
    {20, DONE(1, 1), "grant r3 p1 warm permit 9"},
    {21, DONE(3, 1), "grant r6 p1 warm permit 10"},
    {22, DONE(6, 1), "grant r2 p1 warm permit 11"},
    {23, DONE(2, 1), "grant r4 p1 warm permit 12"},
    {24, DONE(4, 1), "grant r5 p1 warm permit 13"},
    {25, DONE(5, 1), "grant r7 p1 warm permit 14"},
};

/* Q-005, C-020, C-024. Who leaves the queue is never granted, and the next one is. */
static const struct pool_step_row q_005_cancelled_waiter[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST(2, "A"), ""},
    {12, HIGH(3, "A", 10), ""},
    {12, STATS(), "cap 1 running 1+0 waiting 2+0 stale 0"},
    {15, CANCEL(3), ""},
    {15, STATS(), "cap 1 running 1+0 waiting 1+0 stale 0"},
    {20, DONE(1, 1), "grant r2 p1 warm permit 9"},
    {30, DONE(2, 1), "rest p1"},
    {30, STATS(), "cap 1 running 0+0 waiting 0+0 stale 0"},
};

/* C-018, C-021, C-022. Permits are taken and come back one by one. */
static const struct pool_step_row q_010_permits_are_counted[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {11, STATS(), "cap 2 running 2+0 waiting 0+0 stale 0"},
    {12, REQUEST(3, "A"), ""},
    {12, STATS(), "cap 2 running 2+0 waiting 1+0 stale 0"},
    {20, DONE(1, 1), "grant r3 p1 warm permit 8"},
    {20, STATS(), "cap 2 running 2+0 waiting 0+0 stale 0"},
    {30, DONE(2, 2), "rest p2"},
    {40, CANCEL(3), "abort r3 p1 cancelled, close p1 keep, ended A"},
    {40, STATS(), "cap 2 running 0+0 waiting 0+0 stale 0"},
};

/* When the cap grows, permits grow with it and waiting requests are
 * admitted; one that has left before is not. */
static const struct pool_step_row q_012_growth_admits[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST(2, "A"), "open p3 c3, cap 2"},
    {12, REQUEST(3, "A"), ""},
    {13, REQUEST(4, "A"), ""},
    {13, STATS(), "cap 2 running 1+0 waiting 3+0 stale 0"},
    {14, CANCEL(4), ""},
    {20, OPENED(2), "grant r2 p2 fresh open 9, open p4 c4, cap 3"},
    {21, OPENED(3), "grant r3 p3 fresh slot 8 open 1"},
    {22, OPENED(4), ""},
    {22, STATS(), "cap 3 running 3+0 waiting 0+0 stale 0"},
};

/* Growth happens when it is needed, not before. */
static const struct pool_step_row q_014_no_growth_without_need[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, STATS(), "cap 2 running 1+0 waiting 0+0 stale 0"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {20, STATS(), "cap 2 running 2+0 waiting 0+0 stale 0"},
};

/* C-009, C-015, C-026, T-030. A client that leaves ends its render in the same step: the
 * page is retired, and the next request of the affinity is served in its context. */
static const struct pool_step_row c_009_cancel_while_rendering[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {30, CANCEL(1), "abort r1 p1 cancelled, close p1 keep, open p3 c3, ended A"},
    {31, CLOSED(1), ""},
    {40, REQUEST(2, "A"), "open p4 in c1"},
    {45, OPENED(4), "grant r2 p4 cold open 5, started A"},
};

/* C-010, C-016, C-019, C-023. Who has left before anything started holds nothing. */
static const struct pool_step_row c_019_cancel_before_any_page[] = {
    LAUNCH,
    {5, REQUEST(1, "A"), ""},
    {6, CANCEL(1), ""},
    {6, STATS(), "cap 1 running 0+0 waiting 0+0 stale 0"},
    {7, LIFE_UP(1), "open p1 c1"},
    {9, OPENED(1), ""},
    {9, LOOK(), ""},
};

/* C-017, D-019. What completes after its request has ended is stale and changes nothing. */
static const struct pool_step_row c_017_late_completion_is_stale[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {30, CANCEL(1), "abort r1 p1 cancelled, close p1 keep, open p3 c3, ended A"},
    {35, DONE(1, 1), ""},
    {36, CANCEL(1), ""},
    {36, STATS(), "cap 2 running 0+0 waiting 0+0 stale 2"},
    {40, CLOSED(1), ""},
    {41, CLOSED(1), ""},
    {41, STATS(), "cap 2 running 0+0 waiting 0+0 stale 3"},
};

/* C-025. A cancel that comes after the grant ends the render, not somebody else's wait. */
static const struct pool_step_row c_025_cancel_after_grant[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST(2, "B"), ""},
    {12, OPENED(2), ""},
    {13, REQUEST(3, "C"), ""},
    {20, DONE(1, 1), "grant r2 p2 fresh permit 9, close p1, ended A, started B"},
    {21, CANCEL(2), "abort r2 p2 cancelled, close p2 keep, ended B"},
    {22, CLOSED(1), "open p3 c3"},
    {23, OPENED(3), "grant r3 p3 fresh permit 8 open 2, started C"},
};

/* Rank with ageing: a priority is worth so much time, and no more. */
static const struct pool_step_row ageing[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {20, REQUEST(2, "A"), ""},
    {119, HIGH(3, "A", 1), ""},
    {121, HIGH(4, "A", 1), ""},
    {130, DONE(1, 1), "grant r3 p1 warm permit 11"},
    {140, DONE(3, 1), "grant r2 p1 warm permit 120"},
    {150, DONE(2, 1), "grant r4 p1 warm permit 29"},
};

/* The queue has a bound; the next request is refused at once, and told when to come
 * back: two waiting requests of 2 s each on one page. Nested ones are exempt. */
static const struct pool_step_row queue_is_bounded[] = {
    BOOT1,
    {0, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {16000, DONE(1, 1), "rest p1"},
    {16000, REQUEST(2, "A"), "grant r2 p1 warm"},
    {16001, REQUEST(3, "A"), ""},
    {16002, REQUEST(4, "A"), ""},
    {16003, REQUEST(5, "A"), "refuse r5 queue_full 4000"},
    {16004, OPENED(2), ""},
    {16005, NESTED(6, "A"), "grant r6 p2 fresh"},
};

/* A wait ends at its own deadline; a render too, with the page. */
static const struct pool_step_row deadlines[] = {
    BOOT1,
    {10, REQUEST_UNTIL(1, "A", 100, 200), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST_UNTIL(2, "A", 100, 200), ""},
    {12, REQUEST_UNTIL(3, "A", 300, 300), ""},
    {99, TICK(), ""},
    {100, TICK(), "refuse r2 queue_timeout 1000"},
    {200, TICK(), "abort r1 p1 deadline, close p1 keep, ended A"},
    {205, CLOSED(1), "open p3 in c1"},
    {206, OPENED(2), ""},
    {207, OPENED(3), "grant r3 p3 cold permit 188 open 7, started A"},
};

static const struct pool_case cases[] = {
    CASE(q_001_priority_then_arrival, .pages_min = 1),
    CASE(q_002_several_priorities, .pages_min = 1),
    CASE(q_005_cancelled_waiter, .pages_min = 1),
    CASE(q_010_permits_are_counted, .pages_min = 2),
    CASE(q_012_growth_admits, .pages_min = 1, .pages_max = 4),
    CASE(q_014_no_growth_without_need, .pages_min = 2, .pages_max = 5),
    CASE(c_009_cancel_while_rendering, .pages_min = 2),
    CASE(c_019_cancel_before_any_page, .pages_min = 1),
    CASE(c_017_late_completion_is_stale, .pages_min = 2),
    CASE(c_025_cancel_after_grant, .pages_min = 1),
    CASE(ageing, .pages_min = 1, .priority_aging_ms = 100),
    CASE(queue_is_bounded, .pages_min = 1, .queue_max = 2),
    CASE(deadlines, .pages_min = 1),
};

int main(void)
{
    return pool_table_run("pool: queue", cases, sizeof cases / sizeof *cases);
}
