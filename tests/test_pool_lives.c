/* test_pool_lives.c: lives of the browser: launches, deaths, hand-over, zombies, late
 * answers. Scenarios R and T where they are about the pool. */
#include "tests/pool_table.h"

/* A first launch fails: the next one comes after a backoff that doubles, with +-25 % of
 * jitter from the event; requests wait meanwhile. */
static const struct pool_step_row backoff_doubles[] = {
    LAUNCH,
    {5, REQUEST(1, "A"), ""},
    {10, LIFE_DOWN(1), ""},
    {259, TICK(), ""},
    {260, TICK(), "launch l2"},
    {300, LIFE_DOWN(2), ""},
    {800, TICK(), "launch l3"},
    {900, {.type = POOL_LIFE_DOWN, .life = 3, .random = 0}, ""},
    {1650, TICK(), "launch l4"},
    {1700, LIFE_UP(4), "open p1 c1, open p2 c2"},
    {1710, OPENED(1), "grant r1 p1 fresh slot 1695 open 10, started A"},
    {11710, DONE(1, 1), "rest p1"},
    {11711, LIFE_DOWN(4), "ended A"},
    {11961, TICK(), "launch l5"},
};

/* The browser dies under three renders: what may be repeated returns to its rank,
 * the other one fails, one browser is started, and the second death fails all. */
static const struct pool_step_row r_006_one_restart[] = {
    BOOT3,
    {10, REQUEST_AS(1, "A", .repeatable = true), "grant r1 p1 fresh, started A"},
    {10, REQUEST_AS(2, "B", .repeatable = true), "grant r2 p2 fresh, started B"},
    {10, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, started C"},
    {20, LIFE_DOWN(1), "fail r3 browser_death, ended C, ended B, ended A"},
    {270, TICK(), "launch l2"},
    {300, LIFE_UP(2), "open p5 c5, open p6 c6, open p7 c7"},
    {310, OPENED(5), "grant r1 p5 fresh slot 280 open 10 attempt 2, started A"},
    {311, OPENED(6), "grant r2 p6 fresh slot 280 open 11 attempt 2, started B"},
    {320, LIFE_DOWN(2), "fail r2 browser_death, fail r1 browser_death, ended B, ended A"},
};

/* A page that crashes takes its context with it. A repeatable request runs again, once. */
static const struct pool_step_row crash_is_repeated_once[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .repeatable = true), "grant r1 p1 fresh, started A"},
    {20, CRASHED(1),
     "abort r1 p1 page_fault, close p1, grant r1 p2 fresh attempt 2, open p3 c3, started A"},
    {21, CRASHED(1), ""},
    {25, CLOSED(1), ""},
    {30, CRASHED(2), "fail r1 page_fault, close p2, open p4 c4, ended A"},
};

/* A poison request must not use up the retry of its neighbours: a page fault and the
 * death of a browser are counted apart. */
static const struct pool_step_row faults_are_counted_apart[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .repeatable = true), "grant r1 p1 fresh, started A"},
    {20, CRASHED(1),
     "abort r1 p1 page_fault, close p1, grant r1 p2 fresh attempt 2, open p3 c3, started A"},
    {30, LIFE_DOWN(1), "ended A"},
    {280, TICK(), "launch l2"},
    {300, LIFE_UP(2), "open p4 c4, open p5 c5"},
    {310, OPENED(4), "grant r1 p4 fresh slot 270 open 10 attempt 3, started A"},
    {320, DONE(1, 4), "rest p4"},
};

/* A request that ran once is not refused when its time is up: it has failed. */
static const struct pool_step_row who_ran_is_not_refused[] = {
    BOOT1,
    {10, REQUEST_AS(1, "A", .repeatable = true, .fingerprint = 0),
     "grant r1 p1 fresh, open p2 c2, started A"},
    {20, LIFE_DOWN(1), "ended A"},
    {25, DRAIN(1000), "fail r1 browser_death"},
};

/* The hand-over with a cap of one: a main render on the old browser waits for a nested
 * one, which runs on the new browser; then the old one is killed. */
static const struct pool_step_row handover_with_one_page[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {20, RECYCLE(), "launch l2"},
    {100, LIFE_UP(2), "close p2, open p3 c3, ended A"},
    {110, OPENED(3), ""},
    {111, NESTED(2, "A"), "grant r2 p3 fresh, open p4 c4, started A"},
    {112, CLOSED(2), ""},
    {120, DONE(2, 3), "rest p3"},
    {130, DONE(1, 1), "close p1, kill-life l1"},
    {131, LIFE_DOWN(1), ""},
};

/* A launch that fails leaves the old browser up; it is tried again. */
static const struct pool_step_row r_004_failed_recycle[] = {
    BOOT1,
    {20, RECYCLE(), "launch l2"},
    {30, LIFE_DOWN(2), ""},
    {40, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {50, DONE(1, 1), "rest p1"},
    {280, TICK(), "launch l3"},
    {300, LIFE_UP(3), "kill-life l1, open p3 c3, ended A"},
};

/* After so many renders, and at a certain age, a browser is replaced. */
static const struct pool_step_row recycle_by_renders[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "grant r2 p1 warm, launch l2"},
};
static const struct pool_step_row recycle_by_age[] = {
    BOOT1,
    {999, TICK(), ""},
    {1000, TICK(), "launch l2"},
    {1001, LIFE_UP(2), "kill-life l1, open p2 c2"},
};

/* An answer of an attempt that was given up: that browser is of no use to anybody. */
static const struct pool_step_row superseded_launch[] = {
    LAUNCH,
    {10, LIFE_DOWN(1), ""},
    {20, LIFE_UP(1), "kill-life l1"},
    {260, TICK(), "launch l2"},
    {270, LIFE_UP(2), "open p1 c1"},
    {280, LIFE_UP(2), ""},
};

/* A page that nobody can close becomes a zombie: its slot stays charged, the kill is sent
 * again, and the browser is replaced. With one slot less, one main render less runs. */
static const struct pool_step_row zombie[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, UNUSABLE(1, 1), "close p1 keep, open p3 c3, ended A"},
    {21, OPENED(3), ""},
    {2020, TICK(), "kill p1"},
    {4020, TICK(), "kill p1, launch l2"},
    {4021, LIFE_DOWN(2), ""},
    {4022, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {4023, REQUEST(3, "C"), ""},
    {4023, STATS(), "cap 2 running 1+0 waiting 1+0 stale 0"},
    {4271, TICK(), "launch l3"},
    {6020, TICK(), "kill p1"},
    {6030, CLOSED(1), "grant r3 p3 fresh permit 2007, open p4 c4, started C"},
};

/* An opening that is late is closed; when it comes at last, its page is closed, and only
 * that acknowledgement returns the slot. */
static const struct pool_step_row late_opening[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {30000, TICK(), ""},
    {30001, REQUEST(1, "A"), ""},
    {30500, TICK(), "open p2 c2"},
    {31000, OPENED(1), "close p1"},
    {31010, CLOSED(1), "open p3 c3"},
    {31020, OPENED(2), "grant r1 p2 fresh slot 499 open 520, started A"},
};

/* It never comes: the page is killed by the name that the pool gave it. */
static const struct pool_step_row opening_never_answered[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {30000, TICK(), ""},
    {30500, TICK(), "open p2 c2"},
    {32000, TICK(), "kill p1"},
    {32010, CLOSED(1), ""},
};

/* A context that the browser lost is gone with its page, whatever the page was doing. */
static const struct pool_step_row context_lost[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .repeatable = true), "grant r1 p1 fresh, started A"},
    {20, CONTEXT_GONE(1),
     "abort r1 p1 page_fault, grant r1 p2 fresh attempt 2, open p3 c3, started A"},
    {30, DONE(1, 2), "rest p2"},
    {31, CONTEXT_GONE(2), "open p4 c4, ended A"},
};

/* The same news in other words: a page that nobody closed is reported closed. */
static const struct pool_step_row page_lost[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, CLOSED(1), "fail r1 page_fault, open p3 c3, ended A"},
    {21, CLOSED(2), "open p4 c4"},
    {22, CLOSED(3), ""},
    {23, STATS(), "cap 2 running 0+0 waiting 0+0 stale 0"},
};

/* C-011, T-001, T-002, T-025. A render that reaches its deadline is ended by the pool; the next
 * one is not warm, but in the context that the page left. */
static const struct pool_step_row t_001_deadline_retires_the_page[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {20, REQUEST_UNTIL(2, "A", 25, 25), "grant r2 p1 warm"},
    {25, TICK(), "abort r2 p1 deadline, close p1 keep, open p3 c3, ended A"},
    {30, DONE(2, 1), ""},
    {31, CLOSED(1), ""},
    {40, REQUEST(3, "A"), "open p4 in c1"},
    {45, OPENED(4), "grant r3 p4 cold open 5, started A"},
};

/* T-011. A page that reports itself unusable is retired; its request is answered. */
static const struct pool_step_row t_011_unusable[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, UNUSABLE(1, 1), "close p1 keep, open p3 c3, ended A"},
    {21, CLOSED(1), ""},
};

static const struct pool_case cases[] = {
    CASE(backoff_doubles, .pages_min = 1),
    CASE(r_006_one_restart, .pages_min = 3),
    CASE(crash_is_repeated_once, .pages_min = 2),
    CASE(faults_are_counted_apart, .pages_min = 2),
    CASE(who_ran_is_not_refused, .pages_min = 1),
    CASE(handover_with_one_page, .pages_min = 1),
    CASE(r_004_failed_recycle, .pages_min = 1),
    CASE(recycle_by_renders, .pages_min = 1, .recycle_renders = 2),
    CASE(recycle_by_age, .pages_min = 1, .recycle_age_ms = 1000),
    CASE(superseded_launch, .pages_min = 1),
    CASE(zombie, .pages_min = 2),
    CASE(late_opening, .pages_min = 1),
    CASE(opening_never_answered, .pages_min = 1),
    CASE(context_lost, .pages_min = 2),
    CASE(page_lost, .pages_min = 2),
    CASE(t_001_deadline_retires_the_page, .pages_min = 2),
    CASE(t_011_unusable, .pages_min = 2),
};

int main(void)
{
    return pool_table_run("pool: lives", cases, sizeof cases / sizeof *cases);
}
