/* test_pool_growth.c: scenarios E: the cap grows under load and comes back when idle. */
#include "tests/pool_table.h"

#define HIGH(id_, key_, priority_) REQUEST_AS(id_, key_, .priority = priority_)

/* E-001, E-022. A pool with one size keeps it. */
static const struct pool_step_row e_001_fixed_pool[] = {
    BOOT4,
    {0, STATS(), "cap 4 running 0+0 waiting 0+0 stale 0"},
    {80000, TICK(), ""},
    {80000, STATS(), "cap 4 running 0+0 waiting 0+0 stale 0"},
};

/* Q-006, E-002, E-003, E-007. The cap starts at its floor. */
static const struct pool_step_row e_002_starts_at_the_floor[] = {
    BOOT2,
    {0, STATS(), "cap 2 running 0+0 waiting 0+0 stale 0"},
};

/* E-004, E-009, E-010. Bounds in the wrong order: the larger one counts. */
static const struct pool_step_row e_004_bounds_in_order[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1, open p2 c2, open p3 c3, open p4 c4, open p5 c5, open p6 c6"},
    {0, STATS(), "cap 6 running 0+0 waiting 0+0 stale 0"},
};

/* E-011. Both permits are used: one more request adds one permit and one slot. */
static const struct pool_step_row e_011_saturation[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {12, OPENED(3), ""},
    {13, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
};

/* E-012. Not beyond the ceiling. */
static const struct pool_step_row e_012_ceiling[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {12, OPENED(3), ""},
    {13, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
    {14, REQUEST(4, "D"), ""},
    {14, STATS(), "cap 3 running 3+0 waiting 1+0 stale 0"},
};

/* E-013, E-014. New affinities one at a time grow the pool as long as it may; then the
 * oldest makes room. */
static const struct pool_step_row e_014_new_affinities[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, OPENED(3), ""},
    {30, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
    {30, STATS(), "cap 3 running 1+0 waiting 0+0 stale 0"},
    {31, DONE(3, 3), "rest p3"},
    {32, OPENED(4), ""},
    {40, REQUEST(4, "D"), "grant r4 p4 fresh, open p5 c5, cap 4, started D"},
    {41, DONE(4, 4), "rest p4"},
    {42, OPENED(5), ""},
    {50, REQUEST(5, "E"), "grant r5 p5 fresh, close p1, started E, ended A"},
    {50, STATS(), "cap 4 running 1+0 waiting 0+0 stale 0"},
};

/* E-015, E-016, E-021. One unit per window of idleness, down to the floor; the warm page
 * that is missed least goes first, and its context stays. */
static const struct pool_step_row e_016_one_unit_per_window[] = {
    BOOT2,
    {10, HIGH(1, "A", 10), "grant r1 p1 fresh, started A"},
    {10, HIGH(2, "B", 10), "grant r2 p2 fresh, open p3 c3, started B"},
    {11, OPENED(3), ""},
    {11, HIGH(3, "C", 10), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
    {12, OPENED(4), ""},
    {12, HIGH(4, "D", 10), "grant r4 p4 fresh, open p5 c5, cap 4, started D"},
    {13, OPENED(5), ""},
    {13, STATS(), "cap 4 running 4+0 waiting 0+0 stale 0"},
    {14, DONE(1, 1), "rest p1"},
    {15, DONE(2, 2), "rest p2"},
    {16, DONE(3, 3), "rest p3"},
    {17, DONE(4, 4), "rest p4"},
    {36, TICK(), ""},
    {37, TICK(), "close p1 keep, cap 3, ended A"},
    {40, CLOSED(1), ""},
    {57, TICK(), "close p2 keep, cap 2, ended B"},
    {60, CLOSED(2), ""},
    {77, TICK(), ""},
    {77, STATS(), "cap 2 running 0+0 waiting 0+0 stale 0"},
};

/* E-017. A render that runs keeps the cap where it is. */
static const struct pool_step_row e_017_not_while_running[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {12, OPENED(3), ""},
    {13, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
    {14, OPENED(4), ""},
    {15, DONE(2, 2), "rest p2"},
    {16, DONE(3, 3), "rest p3"},
    {200, TICK(), ""},
    {200, DONE(1, 1), "rest p1"},
    {220, TICK(), "close p2 keep, cap 2, ended B"},
};

/* E-008, E-018, E-019, E-020. Each tier has its ceiling: what priority 0 may not have,
 * priority 5 may, up to its own. */
static const struct pool_step_row e_020_tiers[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {12, OPENED(3), ""},
    {13, HIGH(3, "C", 4), "grant r3 p3 fresh, open p4 c4, cap 3, started C"},
    {14, OPENED(4), ""},
    {15, HIGH(4, "D", 4), ""},
    {16, HIGH(5, "E", 5), "grant r5 p4 fresh, open p5 c5, cap 4, started E"},
    {17, OPENED(5), ""},
    {18, HIGH(6, "F", 9), "grant r6 p5 fresh, open p6 c6, cap 5, started F"},
    {19, OPENED(6), ""},
    {20, HIGH(7, "G", 9), ""},
    {20, STATS(), "cap 5 running 5+0 waiting 2+0 stale 0"},
};

/* N-018. The cap falls by one: one of the two idle pages of A goes, and A stays warm. The
 * next fall takes the last page of the oldest, whose context is kept. */
static const struct pool_step_row n_018_contraction_keeps_warmth[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh"},
    {12, REQUEST(3, "B"), "grant r3 p3 fresh, open p4 c4, started B"},
    {13, OPENED(4), ""},
    {14, REQUEST(4, "C"), "grant r4 p4 fresh, open p5 c5, cap 4, started C"},
    {15, OPENED(5), ""},
    {20, DONE(1, 1), "rest p1"},
    {21, DONE(2, 2), "rest p2"},
    {22, DONE(3, 3), "rest p3"},
    {23, DONE(4, 4), "rest p4"},
    {1023, TICK(), "close p1, cap 3"},
    {1024, CLOSED(1), ""},
    {1024, LOOK(),
     "A live idle pages 1/1 contexts 1, B live idle pages 1/1 contexts 1, C live idle pages 1/1 "
     "contexts 1"},
};

static const struct pool_case cases[] = {
    CASE(e_001_fixed_pool, .pages_min = 4),
    CASE(e_002_starts_at_the_floor, .pages_min = 2, .pages_max = 6),
    CASE(e_004_bounds_in_order, .pages_min = 6, .pages_max = 2, .pages_high_priority_max = 4),
    CASE(e_011_saturation, .pages_min = 2, .pages_max = 4),
    CASE(e_012_ceiling, .pages_min = 2, .pages_max = 3),
    CASE(e_014_new_affinities, .pages_min = 2, .pages_max = 4),
    CASE(e_016_one_unit_per_window, .pages_min = 2, .pages_max = 4, .contraction_idle_ms = 20),
    CASE(e_017_not_while_running, .pages_min = 2, .pages_max = 4, .contraction_idle_ms = 20),
    CASE(e_020_tiers, .pages_min = 2, .pages_max = 3, .pages_high_priority_max = 5,
         .high_priority_threshold = 5),
    CASE(n_018_contraction_keeps_warmth, .pages_min = 3, .pages_max = 4,
         .contraction_idle_ms = 1000),
};

int main(void)
{
    return pool_table_run("pool: growth", cases, sizeof cases / sizeof *cases);
}
