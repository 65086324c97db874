/* test_pool_stronger.c: scenarios N: what the ancestor fails and this pool must pass. */
#include "tests/pool_table.h"

/* N-001, N-015. One of two renders of an affinity is cancelled: only its page goes, at
 * most cap + 1 contexts exist, and the other page serves again. */
static const struct pool_step_row n_001_one_of_two_cancelled[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {12, OPENED(3), ""},
    {20, CANCEL(1), "abort r1 p1 cancelled, close p1"},
    {25, CLOSED(1), ""},
    {60000, DONE(2, 2), "rest p2"},
    {60001, REQUEST(3, "A"), "grant r3 p2 warm"},
};

/* N-002. The owner of an orphan gets its own context back, on the slot of a standby. */
static const struct pool_step_row n_002_orphan_in_a_full_pool[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p3 c3, ended A"},
    {13, CLOSED(1), ""},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, OPENED(3), ""},
    {23, REQUEST(3, "C"), "grant r3 p3 fresh, open p4 c4, started C"},
    {24, DONE(3, 3), "rest p3"},
    {25, OPENED(4), ""},
    {30, REQUEST(4, "A"), "close p4"},
    {35, CLOSED(4), "open p5 in c1"},
    {40, OPENED(5), "grant r4 p5 cold open 10, close p2 keep, started A, ended B"},
    {41, CLOSED(2), "open p6 c5"},
};

/* N-004. The late acknowledgement of an old close says nothing about the new epoch: the
 * end was told when it happened, and the batch that took over keeps the affinity. */
static const struct pool_step_row n_004_stale_close[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true), "grant r1 p1 fresh clear, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, DISPOSE("A", POOL_DISPOSE_NOW), "close p1, open p3 c3, ended A"},
    {31, REQUEST_AS(2, "A", .batch = 2, .clear_cache = true), "grant r2 p2 fresh clear, started A"},
    {900, CLOSED(1), ""},
    {900, LOOK(), "A live pages 0/1 contexts 1 batch 2"},
};

/* N-005. One page, four affinities: all are served in order, none gets an error, no
 * browser is restarted. */
static const struct pool_step_row n_005_one_page_for_all[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, REQUEST(2, "A"), ""},
    {13, REQUEST(3, "B"), ""},
    {14, REQUEST(4, "C"), ""},
    {20, DONE(1, 1), "grant r2 p1 warm permit 8"},
    {30, DONE(2, 1), "grant r3 p2 fresh permit 17, close p1, ended A, started B"},
    {31, CLOSED(1), "open p3 c3"},
    {32, OPENED(3), ""},
    {40, DONE(3, 2), "grant r4 p3 fresh permit 26, close p2, ended B, started C"},
    {41, CLOSED(2), "open p4 c4"},
    {42, OPENED(4), ""},
    {50, DONE(4, 3), "rest p3"},
};

/* N-006. A close that is never acknowledged delays only the request that needs that very
 * slot: the page is killed, and the slot comes back on that acknowledgement. */
static const struct pool_step_row n_006_close_never_acknowledged[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {13, DONE(2, 2), "rest p2"},
    {14, OPENED(3), ""},
    {15, REQUEST(3, "C"), "grant r3 p3 fresh, close p1, started C, ended A"},
    {20, REQUEST(4, "B"), "grant r4 p2 warm"},
    {25, DONE(3, 3), "rest p3"},
    {30, REQUEST(5, "D"), ""},
    {2015, TICK(), "kill p1, close p3, ended C"},
    {2020, CLOSED(1), "open p4 c4"},
    {2030, OPENED(4), "grant r5 p4 fresh open 2000, started D"},
};

/* N-010. A dispose that waits: the close starts when the lease ends, not before, and the
 * caller is told after the acknowledgement. */
static const struct pool_step_row n_010_dispose_waits_for_the_lease[] = {
    BOOT2,
    {0, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {1, DISPOSE("A", POOL_DISPOSE_NOW), "ended A"},
    {2, DISPOSE_WAIT("A", 7), ""},
    {10, DONE(1, 1), "close p1, open p3 c3"},
    {15, CLOSED(1), "disposed d7"},
};

/* N-011, N-012. The page that a request would have had is disposed of while it waits for
 * a permit: it is matched to another page, with the rank of its arrival. */
static const struct pool_step_row n_011_rank_survives_a_dispose[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, NESTED(2, "B"), "grant r2 p2 fresh, started B"},
    {13, REQUEST(3, "B"), ""},
    {14, REQUEST(4, "C"), ""},
    {15, DONE(2, 2), "rest p2"},
    {16, DISPOSE("B", POOL_DISPOSE_NOW), "close p2, ended B"},
    {20, DONE(1, 1), "rest p1"},
    {21, CLOSED(2), "open p3 c3"},
    {22, OPENED(3), "grant r3 p3 fresh permit 7 open 2, close p1, started B, ended A"},
    {30, DONE(3, 3), "rest p3"},
};

/* N-013. The browser dies while a page opens; the late answer is stale, the counters are
 * right, and one browser is started. */
static const struct pool_step_row n_013_death_while_opening[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {5, REQUEST(1, "A"), "open p2 c2"},
    {10, LIFE_DOWN(1), ""},
    {11, OPENED(1), ""},
    {12, OPEN_FAILED(2), ""},
    {260, TICK(), "launch l2"},
    {300, LIFE_UP(2), "open p3 c3, open p4 c4"},
    {310, OPENED(3), "grant r1 p3 fresh slot 290 open 15, started A"},
    {310, STATS(), "cap 1 running 1+0 waiting 0+0 stale 2"},
};

/* N-014. Orphans over their bound: the first close is slow; the context that is claimed
 * meanwhile is not closed with it. */
static const struct pool_step_row n_014_claimed_orphan_is_safe[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p4 c4, ended A"},
    {13, CLOSED(1), ""},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, DISPOSE("B", POOL_DISPOSE_RETAIN), "close p2 keep, open p5 c5, ended B"},
    {23, CLOSED(2), "dispose c1"},
    {24, REQUEST(3, "B"), "close p3"},
    {25, OPENED(4), ""},
    {26, OPENED(5), ""},
    {90, CONTEXT_GONE(1), "open p6 in c2"},
    {95, OPENED(6), "grant r3 p6 cold open 71, started B"},
    {95, LOOK(), "B live idle pages 0/1 contexts 1"},
};

/* N-016. A request waits for its opening and leaves: it is gone at that instant, the next
 * one is admitted in the same step, and the opening becomes a standby. */
static const struct pool_step_row n_016_cancel_while_opening[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {5, REQUEST(1, "A"), "open p2 c2"},
    {6, REQUEST(2, "A"), ""},
    {20, CANCEL(1), ""},
    {30, OPENED(1), "grant r2 p1 fresh slot 14 open 10, started A"},
    {31, OPENED(2), ""},
};

/* N-017. The only page of an affinity is closing: it is neither warm nor vacant. */
static const struct pool_step_row n_017_closing_is_not_warm[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, UNUSABLE(1, 1), "close p1 keep, ended A"},
    {11, LOOK(), "A cold pages 0/0 contexts 1"},
};

/* N-019. The better priority runs first, within one affinity too. */
static const struct pool_step_row n_019_priority_within_an_affinity[] = {
    BOOT1,
    {10, REQUEST(1, "B"), "grant r1 p1 fresh, open p2 c2, started B"},
    {11, REQUEST(2, "A"), ""},
    {12, REQUEST_AS(3, "A", .priority = 10), ""},
    {13, OPENED(2), ""},
    {20, DONE(1, 1), "grant r3 p2 fresh permit 8, close p1, ended B, started A"},
    {30, DONE(3, 2), "grant r2 p2 warm permit 19"},
};

/* N-021. A recycle waits for a lease that never ends, but not for ever; who arrives in
 * the meantime is served by the next browser. */
static const struct pool_step_row n_021_recycle_with_a_stuck_lease[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {20, RECYCLE(), "launch l2"},
    {100, LIFE_UP(2), "open p3 c3, ended A"},
    {101, OPENED(2), "close p2"},
    {102, CLOSED(2), ""},
    {110, OPENED(3), ""},
    {120, REQUEST(2, "B"), ""},
    {120, STATS(), "cap 1 running 1+0 waiting 1+0 stale 0"},
    {1100, TICK(),
     "abort r1 p1 recycle_timeout, kill-life l1, grant r2 p3 fresh permit 980, open p4 c4, started "
     "B"},
    {1101, LIFE_DOWN(1), ""},
    {1102, OPENED(4), ""},
};

/* N-022. What runs when the drain begins may finish; what comes is refused, unstarted. */
static const struct pool_step_row n_022_drain[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {12, REQUEST(3, "C"), ""},
    {20, DRAIN(1000), "refuse r3 draining 1000"},
    {21, REQUEST(4, "D"), "refuse r4 draining 1000"},
    {22, NESTED(5, "A"), "refuse r5 draining 1000"},
    {30, DONE(1, 1), "rest p1"},
    {1000, TICK(), "abort r2 p2 drain_grace, close p2 keep, ended B"},
    {1001, CLOSED(2), ""},
    {1001, STATS(), "cap 2 running 0+0 waiting 0+0 stale 0"},
};

/* N-023. While no page can be opened, requests wait until their own deadline; when it
 * works again, standbys come without a request. No browser is restarted. */
static const struct pool_step_row n_023_no_page_for_a_while[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {10, REQUEST_UNTIL(1, "A", 3000, 3000), "open p2 c2"},
    {20, OPEN_FAILED(1), ""},
    {21, OPEN_FAILED(2), ""},
    {520, TICK(), "open p3 c3, open p4 c4"},
    {521, OPEN_FAILED(3), ""},
    {522, OPEN_FAILED(4), ""},
    {1521, TICK(), "open p5 c5, open p6 c6"},
    {1522, OPEN_FAILED(5), ""},
    {1523, OPEN_FAILED(6), ""},
    {3000, TICK(), "refuse r1 queue_timeout 1000"},
    {3522, TICK(), "open p7 c7"},
    {3530, OPENED(7), ""},
};

/* N-024. The owner of a batch is forgotten when it does not come back. */
static const struct pool_step_row n_024_batch_owner_expires[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .batch = 1, .clear_cache = true), "grant r1 p1 fresh clear, started A"},
    {20, DONE(1, 1), "rest p1"},
    {1009, REQUEST_AS(2, "A", .clear_cache = true), "grant r2 p1 warm stripped"},
    {1009, DONE(2, 1), "rest p1"},
    {1010, REQUEST_AS(3, "A", .clear_cache = true), "grant r3 p1 warm clear"},
};

/* N-025 (pool part). An affinity whose first page opens is warming. */
static const struct pool_step_row n_025_warming[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {5, REQUEST(1, "A"), "open p2 c2"},
    {5, LOOK(), "A warming pages 0/0 contexts 0 waiting 1 max 0"},
};

/* N-027. The page that opens in the orphan of A is disposed of: the request is matched
 * again, without an error or a restart. */
static const struct pool_step_row n_027_dispose_while_orphan_opens[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p3 c3, ended A"},
    {13, CLOSED(1), ""},
    {14, OPENED(3), ""},
    {20, REQUEST(2, "A"), "open p4 in c1"},
    {25, DISPOSE("A", POOL_DISPOSE_NOW), "grant r2 p2 fresh open 5, started A"},
    {30, OPENED(4), "close p4"},
    {35, CLOSED(4), ""},
};

static const struct pool_case cases[] = {
    CASE(n_001_one_of_two_cancelled, .pages_min = 2),
    CASE(n_002_orphan_in_a_full_pool, .pages_min = 2, .evict_retains = true),
    CASE(n_004_stale_close, .pages_min = 2),
    CASE(n_005_one_page_for_all, .pages_min = 1),
    CASE(n_006_close_never_acknowledged, .pages_min = 2),
    CASE(n_010_dispose_waits_for_the_lease, .pages_min = 2),
    CASE(n_011_rank_survives_a_dispose, .pages_min = 1),
    CASE(n_013_death_while_opening, .pages_min = 1),
    CASE(n_014_claimed_orphan_is_safe, .pages_min = 3, .orphan_contexts_max = 1),
    CASE(n_016_cancel_while_opening, .pages_min = 1, .affinity_main_max = 1),
    CASE(n_017_closing_is_not_warm, .pages_min = 1),
    CASE(n_019_priority_within_an_affinity, .pages_min = 1),
    CASE(n_021_recycle_with_a_stuck_lease, .pages_min = 1, .recycle_timeout_ms = 1000),
    CASE(n_022_drain, .pages_min = 2),
    CASE(n_023_no_page_for_a_while, .pages_min = 1),
    CASE(n_024_batch_owner_expires, .pages_min = 2, .batch_owner_ttl_ms = 1000),
    CASE(n_025_warming, .pages_min = 1),
    CASE(n_027_dispose_while_orphan_opens, .pages_min = 2),
};

int main(void)
{
    return pool_table_run("pool: stronger than its ancestor", cases, sizeof cases / sizeof *cases);
}
