/* test_pool_rules.c: the rules that random runs alone would not pin down, and the
 * ownership of batches (scenarios B). */
#include "tests/pool_table.h"

/* The warm bypass: B waits for a slot and ranks first, but at equal priority younger
 * requests of A may have the page of A that becomes idle - twice; then B gets its slot. */
static const struct pool_step_row warm_bypass_is_counted[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, NESTED(9, "N"), "grant r9 p2 fresh, started N"},
    {13, REQUEST(2, "B"), ""},
    {14, REQUEST(3, "A"), ""},
    {15, REQUEST(4, "A"), ""},
    {16, REQUEST(5, "A"), ""},
    {20, DONE(1, 1), "grant r3 p1 warm permit 6"},
    {30, DONE(3, 1), "grant r4 p1 warm permit 15"},
    {40, DONE(4, 1), "close p1, ended A"},
    {41, CLOSED(1), "open p3 c3"},
    {42, OPENED(3), "grant r2 p3 fresh permit 27 open 2, started B"},
};

/* A better priority is not passed by anybody. */
static const struct pool_step_row no_bypass_of_a_better_priority[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, NESTED(9, "N"), "grant r9 p2 fresh, started N"},
    {13, REQUEST_AS(2, "B", .priority = 1), ""},
    {14, REQUEST(3, "A"), ""},
    {20, DONE(1, 1), "close p1, ended A"},
};

/* Growth under a full pool: every slot is bound and every page is busy. A request that
 * may grow the pool beyond that raises the cap and opens in the slot that comes with it;
 * one that may not waits. */
static const struct pool_step_row growth_under_a_full_pool[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, NESTED(2, "B"), ""},
    {12, OPENED(2), "grant r2 p2 fresh open 1, open p3 c3, cap 2, started B"},
    {20, REQUEST(3, "C"), ""},
    {25, OPENED(3), "grant r3 p3 fresh open 5, started C"},
    {30, REQUEST(4, "D"), ""},
    {31, REQUEST_AS(5, "E", .priority = 5), "open p4 c4, cap 3"},
    {35, OPENED(4), "grant r5 p4 fresh open 4, started E"},
};

/* The owner of an orphan does not starve while strangers take every slot that becomes
 * free: the slot that would become a standby is first used for its orphan, even while no
 * permit is free. */
static const struct pool_step_row orphan_owner_does_not_starve[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, ended A"},
    {13, CLOSED(1), ""},
    {14, OPENED(2), ""},
    {15, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {16, OPENED(3), ""},
    {17, REQUEST(3, "A"), ""},
    {18, REQUEST(4, "C"), ""},
    {20, CRASHED(3), "close p3"},
    {21, CLOSED(3), "open p4 in c1"},
    {22, OPENED(4), "started A"},
    {30, DONE(2, 2), "grant r3 p4 cold permit 13, close p2, ended B"},
};

/* A full ledger with every orphan already closing: the context is not kept. */
static const struct pool_step_row no_room_for_an_orphan[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p3 c3, ended A"},
    {13, CLOSED(1), ""},
    {14, DISPOSE("A", POOL_DISPOSE_NOW), "dispose c1"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {21, UNUSABLE(2, 2), "close p2 keep, open p4 c4, ended B"},
    {22, CLOSED(2), "dispose c2"},
    {23, CONTEXT_GONE(2), ""},
    {24, CONTEXT_GONE(1), ""},
};

/* Of pages that were left in the same millisecond, the one that knows the site serves;
 * else the one that was left first. */
static const struct pool_step_row same_site[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .site = 7), "grant r1 p1 fresh, started A"},
    {10, REQUEST_AS(2, "A", .site = 8), "grant r2 p2 fresh, open p3 c3"},
    {20, DONE(1, 1), "rest p1"},
    {20, DONE(2, 2), "rest p2"},
    {30, REQUEST_AS(3, "A", .site = 8), "grant r3 p2 warm"},
    {40, DONE(3, 2), "rest p2"},
    {50, REQUEST_AS(4, "A", .site = 8), "grant r4 p1 warm"},
};

/* A single-use request shares with nobody, not even with its own key, and is no news. */
static const struct pool_step_row single_use[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {20, REQUEST_AS(2, "A", .single_use = true), "grant r2 p2 fresh, open p3 c3"},
    {20, LOOK(), "A live idle pages 1/1 contexts 1"},
    {30, DONE(2, 2), "close p2"},
    {31, CLOSED(2), ""},
};

/* A worn page is replaced after so many renders; its context stays. */
static const struct pool_step_row worn_page[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, REQUEST(2, "A"), "grant r2 p1 warm"},
    {13, DONE(2, 1), "close p1 keep, ended A"},
    {14, CLOSED(1), ""},
    {15, REQUEST(3, "A"), "open p3 in c1"},
};

/* A later dispose without retain overrides an earlier one with it. */
static const struct pool_step_row dispose_overrides_retain[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p3 c3, ended A"},
    {13, DISPOSE("A", POOL_DISPOSE_NOW), ""},
    {14, CLOSED(1), "dispose c1"},
    {15, CONTEXT_GONE(1), ""},
    {15, LOOK(), ""},
};

/* What nobody knows can be disposed of, and a caller that waits is answered at once. */
static const struct pool_step_row dispose_of_nothing[] = {
    BOOT1,
    {10, DISPOSE("A", POOL_DISPOSE_NOW), ""},
    {11, DISPOSE_WAIT("A", 3), "disposed d3"},
};

/* B-001 to B-007, B-009, B-010. A batch takes the warm state and keeps it; a request
 * without one does not empty its cache; another batch is a successor. */
static const struct pool_step_row b_001_ownership[] = {
    BOOT1,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true),
     "grant r1 p1 fresh clear, open p2 c2, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, REQUEST_AS(2, "A", .batch = 1, .clear_cache = true), "grant r2 p1 warm clear"},
    {13, DONE(2, 1), "rest p1"},
    {14, REQUEST_AS(3, "A", .clear_cache = true), "grant r3 p1 warm stripped"},
    {15, DONE(3, 1), "rest p1"},
    {16, REQUEST_AS(4, "A", .batch = 99), "grant r4 p1 warm"},
    {17, DONE(4, 1), "rest p1"},
    {17, LOOK(), "A live idle pages 1/1 contexts 1 batch 1"},
    {18, REQUEST_AS(5, "A", .batch = 2, .clear_cache = true), "grant r5 p1 warm clear"},
    {19, DONE(5, 1), "rest p1"},
    {19, LOOK(), "A live idle pages 1/1 contexts 1 batch 2"},
    {20, RELEASE_BATCH("A", 1), ""},
    {20, LOOK(), "A live idle pages 1/1 contexts 1 batch 2"},
    {21, RELEASE_BATCH("A", 2), ""},
    {21, LOOK(), "A live idle pages 1/1 contexts 1"},
    {22, REQUEST_AS(6, "A", .clear_cache = true), "grant r6 p1 warm clear"},
    {23, DONE(6, 1), "rest p1"},
    {23, LOOK(), "A live idle pages 1/1 contexts 1"},
};

/* B-002, B-006. Each request of the owner renews its ownership, clearing or not. */
static const struct pool_step_row b_006_renewal[] = {
    BOOT1,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true),
     "grant r1 p1 fresh clear, open p2 c2, started A"},
    {11, DONE(1, 1), "rest p1"},
    {900, REQUEST_AS(2, "A", .batch = 1), "grant r2 p1 warm"},
    {901, DONE(2, 1), "rest p1"},
    {1500, REQUEST_AS(3, "A", .clear_cache = true), "grant r3 p1 warm stripped"},
    {1501, DONE(3, 1), "rest p1"},
    {1900, REQUEST_AS(4, "A", .clear_cache = true), "grant r4 p1 warm clear"},
};

/* B-008, B-011. Each affinity has its owner; a plain request changes nothing. */
static const struct pool_step_row b_011_each_affinity[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true), "grant r1 p1 fresh clear, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {11, LOOK(), "A live pages 0/1 contexts 1 batch 1, B live pages 0/1 contexts 1"},
};

/* B-015. The real end of an affinity ends the ownership. */
static const struct pool_step_row b_015_end_of_the_affinity[] = {
    BOOT1,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true),
     "grant r1 p1 fresh clear, open p2 c2, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, ended A"},
    {12, LOOK(), "A cold pages 0/0 contexts 1"},
};

static const struct pool_case cases[] = {
    CASE(warm_bypass_is_counted, .pages_min = 1, .warm_bypass_max = 2),
    CASE(no_bypass_of_a_better_priority, .pages_min = 1),
    CASE(growth_under_a_full_pool, .pages_min = 1, .pages_max = 2, .pages_high_priority_max = 3,
         .high_priority_threshold = 5),
    CASE(orphan_owner_does_not_starve, .pages_min = 1),
    CASE(no_room_for_an_orphan, .pages_min = 2, .orphan_contexts_max = 1),
    CASE(same_site, .pages_min = 2),
    CASE(single_use, .pages_min = 2),
    CASE(worn_page, .pages_min = 1, .page_recycle_renders = 2),
    CASE(dispose_overrides_retain, .pages_min = 2),
    CASE(dispose_of_nothing, .pages_min = 1),
    CASE(b_001_ownership, .pages_min = 1),
    CASE(b_006_renewal, .pages_min = 1, .batch_owner_ttl_ms = 1000),
    CASE(b_011_each_affinity, .pages_min = 2),
    CASE(b_015_end_of_the_affinity, .pages_min = 1),
};

int main(void)
{
    return pool_table_run("pool: rules", cases, sizeof cases / sizeof *cases);
}
