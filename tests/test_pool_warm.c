/* test_pool_warm.c: scenarios P-001 to P-029: warm pages, disposal, reuse and probes. */
#include "tests/pool_table.h"

/* P-001. A dispose does not wait for the close, and the affinity is not warm while it
 * closes; the slot comes back with the acknowledgement. */
static const struct pool_step_row p_001_dispose_returns_at_once[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, DISPOSE("A", POOL_DISPOSE_NOW), "close p1, open p3 c3, ended A"},
    {30, LOOK(), "A cold idle pages 0/0 contexts 1"},
    {80, CLOSED(1), ""},
    {80, LOOK(), ""},
};

/* P-002. A request that arrives while the old epoch closes starts in a new context, and
 * the late acknowledgement neither ends the affinity nor touches its batch. */
static const struct pool_step_row p_002_granted_while_closing[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, DISPOSE_WAIT("A", 9), "close p1, open p4 c4, ended A"},
    {35, REQUEST_AS(2, "A", .batch = 7, .clear_cache = true), "grant r2 p2 fresh clear, started A"},
    {45, DONE(2, 2), "rest p2"},
    {60, CLOSED(1), "disposed d9"},
    {60, LOOK(), "A live idle pages 1/1 contexts 1 batch 7"},
};

/* P-003. With every slot bound, another affinity gets one by evicting an idle page, and
 * the page of A that is still held is not touched. */
static const struct pool_step_row p_003_evicts_an_idle_sibling[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh"},
    {20, DONE(2, 2), "rest p2"},
    {25, REQUEST(3, "C"), "open p3 c3"},
    {28, OPENED(3), "grant r3 p3 fresh open 3, close p2, started C"},
    {30, REQUEST(4, "B"), ""},
    {32, DONE(3, 3), "rest p3"},
    {40, CLOSED(2), "open p4 c4"},
    {45, OPENED(4), "grant r4 p4 fresh permit 2 open 13, close p3, started B, ended C"},
    {45, LOOK(),
     "A live pages 0/1 contexts 1, C cold pages 0/0 contexts 1, B live pages 0/1 contexts 1"},
};

/* P-004. A warm page serves at once while the refill is stuck. */
static const struct pool_step_row p_004_stuck_refill_delays_nobody[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {25, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {30, REQUEST(3, "A"), "grant r3 p1 warm"},
};

/* P-005. A cold start waits for its opening, and the wait is booked as such. */
static const struct pool_step_row p_005_cold_start_waits_for_open[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1, open p2 c2"},
    {0, REQUEST(1, "A"), ""},
    {60, OPENED(1), "grant r1 p1 fresh open 60, started A"},
};

/* P-006. Warm pages of two affinities serve both at the same time. */
static const struct pool_step_row p_006_two_warm_affinities[] = {
    BOOT4,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {20, DONE(1, 1), "rest p1"},
    {20, DONE(2, 2), "rest p2"},
    {30, REQUEST(3, "A"), "grant r3 p1 warm"},
    {30, REQUEST(4, "B"), "grant r4 p2 warm"},
};

/* P-007. A nested request gets a page of its own while the main render is held. */
static const struct pool_step_row p_007_nested_beside_main[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, NESTED(2, "A"), "grant r2 p2 fresh, open p3 c3"},
};

/* P-008. A waiting request of an affinity that is disposed as its page is released gets
 * a page of the new epoch, never the one that is closed. */
static const struct pool_step_row p_008_release_then_dispose[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {12, OPENED(2), ""},
    {15, REQUEST(2, "A"), ""},
    {20, DISPOSE("A", POOL_DISPOSE_RETAIN),
     "grant r2 p2 fresh permit 5, open p3 c3, cap 2, started A"},
    {20, DONE(1, 1), "close p1"},
    {25, CLOSED(1), ""},
};

/* P-009. The same when the dispose comes first: the held page is doomed, and the waiting
 * request is served by another page at once, though a render of the old epoch runs. */
static const struct pool_step_row p_009_dispose_then_release[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {15, REQUEST(2, "A"), ""},
    {20, DISPOSE("A", POOL_DISPOSE_RETAIN), "grant r2 p2 fresh admission 5, open p3 c3, started A"},
    {30, DONE(1, 1), "close p1"},
    {35, CLOSED(1), ""},
};

/* P-010. Without a dispose the waiting request gets the page that was released. */
static const struct pool_step_row p_010_plain_release[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {15, REQUEST(2, "A"), ""},
    {20, DONE(1, 1), "grant r2 p1 warm permit 5"},
};

/* P-011. Openings that fail just after a start are tried again: once at once, because
 * browsers are known for it, then after 500 and 1000 ms. No browser is restarted. */
static const struct pool_step_row p_011_failed_openings_back_off[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {10, OPEN_FAILED_AS(1, .transient = true), "open p2 c2"},
    {20, OPEN_FAILED_AS(2, .transient = true), ""},
    {520, TICK(), "open p3 c3"},
    {530, OPEN_FAILED(3), ""},
    {1530, TICK(), "open p4 c4"},
    {1540, OPENED(4), ""},
};

/* P-012. A failure that does not keep the page from being ready does not matter. */
static const struct pool_step_row p_012_ready_after_all[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {5, REQUEST(1, "A"), "open p2 c2"},
    {10, OPENED(1), "grant r1 p1 fresh open 5, started A"},
};

/* P-013. A page that does not answer its probe is closed, and its request is served by
 * the standby in the same step. The time of the probe is booked. */
static const struct pool_step_row p_013_probe_times_out[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {80, TICK(), "close p1 keep, grant r2 p2 fresh probe 50, open p3 c3, started A"},
    {90, CLOSED(1), "dispose c1"},
};

/* P-014. The same when the probe fails at once. */
static const struct pool_step_row p_014_probe_fails[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {31, PROBE_FAILED(1), "close p1 keep, grant r2 p2 fresh probe 1, open p3 c3, started A"},
};

/* P-015. A page that answers serves. A second answer to the same probe is stale. */
static const struct pool_step_row p_015_probe_answers[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {31, PROBED(1), "grant r2 p1 warm probe 1"},
    {32, PROBED(1), ""},
};

/* P-016. Only the page that does not answer is closed; its sibling serves. */
static const struct pool_step_row p_016_sibling_survives[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {20, DONE(1, 1), "rest p1"},
    {21, DONE(2, 2), "rest p2"},
    {30, REQUEST(3, "A"), "probe r3 p1"},
    {80, TICK(), "close p1, probe r3 p2"},
    {81, PROBED(2), "grant r3 p2 warm probe 51"},
    {81, LOOK(), "A live pages 0/1 contexts 2"},
};

/* P-017. A client that leaves during the probe proves nothing about the page. */
static const struct pool_step_row p_017_cancel_during_probe[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {55, CANCEL(2), ""},
    {60, PROBED(1), ""},
    {60, LOOK(), "A live idle pages 1/1 contexts 1"},
};

/* P-018. Pages that have never served are granted without a probe, so a request is
 * served even when no page would ever answer one. */
static const struct pool_step_row p_018_every_page_unresponsive[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {50, TICK(), "close p1 keep, grant r2 p2 fresh probe 20, open p3 c3, started A"},
};

/* P-019. With a single page the unresponsive one is retired, and a new one opens in its
 * context as soon as there is a slot. No error, no restart. */
static const struct pool_step_row p_019_retired_and_opened_again[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "probe r2 p1"},
    {50, TICK(), "close p1 keep, open p2 c2, ended A"},
    {55, CLOSED(1), "open p3 in c1"},
};

/* P-020. A request that is given up leaves nothing behind: the next one gets the page
 * that is on its way. */
static const struct pool_step_row p_020_no_reservation_is_left[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "B"), "open p2 c2"},
    {55, CANCEL(2), ""},
    {60, REQUEST(3, "C"), ""},
    {70, OPENED(2), "grant r3 p2 fresh open 10, close p1, started C, ended A"},
};

/* P-021. No probes: the page serves at once. */
static const struct pool_step_row p_021_probes_off[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, REQUEST(2, "A"), "grant r2 p1 warm"},
};

/* P-022, P-023, P-024, P-025, P-032, P-050. The second render of an affinity is on the
 * same page, whatever its key stands for; nothing is evicted. */
static const struct pool_step_row p_024_second_visit_is_warm[] = {
    BOOT2,
    {10, REQUEST(1, "realm:r"), "grant r1 p1 fresh, started realm:r"},
    {12, DONE(1, 1), "rest p1"},
    {15, REQUEST(2, "realm:r"), "grant r2 p1 warm"},
    {16, DONE(2, 1), "rest p1"},
};

/* P-026. Keys of different kinds are different affinities, whatever they have in common. */
static const struct pool_step_row p_026_kinds_do_not_mix[] = {
    BOOT2,
    {10, REQUEST(1, "realm:x"), "grant r1 p1 fresh, started realm:x"},
    {12, DONE(1, 1), "rest p1"},
    {15, REQUEST(2, "user:x"), "grant r2 p2 fresh, open p3 c3, started user:x"},
    {16, DONE(2, 2), "rest p2"},
    {20, REQUEST(3, "realm:x"), "grant r3 p1 warm"},
};

/* P-027. Another fingerprint ends the warm state: the next render is fresh, in a context
 * of its own. */
static const struct pool_step_row p_027_auth_change[] = {
    BOOT2,
    {10, REQUEST_AS(1, "A", .fingerprint = 1), "grant r1 p1 fresh, started A"},
    {12, DONE(1, 1), "rest p1"},
    {15, REQUEST_AS(2, "A", .fingerprint = 2),
     "close p1, grant r2 p2 fresh, open p3 c3, started A"},
    {16, CLOSED(1), ""},
    {17, DONE(2, 2), "rest p2"},
    {18, REQUEST(3, "A"), "grant r3 p2 warm"},
};

/* P-028. Two affinities never share a page, even when the standby comes late. */
static const struct pool_step_row p_028_two_affinities_two_pages[] = {
    LAUNCH,
    {0, LIFE_UP(1), "open p1 c1"},
    {0, OPENED(1), ""},
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {12, DONE(1, 1), "rest p1"},
    {15, REQUEST(2, "B"), ""},
    {40, OPENED(2), "grant r2 p2 fresh open 25, close p1, started B, ended A"},
};

/* P-029. A pool of two serves three affinities in turn: the third pushes the first out,
 * because the standby is restored. */
static const struct pool_step_row p_029_the_oldest_makes_room[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, OPENED(3), ""},
    {30, REQUEST(3, "C"), "grant r3 p3 fresh, close p1, started C, ended A"},
    {31, DONE(3, 3), "rest p3"},
    {32, CLOSED(1), "open p4 c4"},
    {33, OPENED(4), ""},
    {40, REQUEST(4, "A"), "grant r4 p4 fresh, close p2, started A, ended B"},
};

static const struct pool_case cases[] = {
    CASE(p_001_dispose_returns_at_once, .pages_min = 2),
    CASE(p_002_granted_while_closing, .pages_min = 3),
    CASE(p_003_evicts_an_idle_sibling, .pages_min = 2, .standbys_min = OFF),
    CASE(p_004_stuck_refill_delays_nobody, .pages_min = 2),
    CASE(p_005_cold_start_waits_for_open, .pages_min = 2),
    CASE(p_006_two_warm_affinities, .pages_min = 4),
    CASE(p_007_nested_beside_main, .pages_min = 2),
    CASE(p_008_release_then_dispose, .pages_min = 1, .pages_max = 2, .affinity_pages_max = 1),
    CASE(p_009_dispose_then_release, .pages_min = 2, .affinity_pages_max = 1),
    CASE(p_010_plain_release, .pages_min = 1, .pages_max = 2, .affinity_pages_max = 1),
    CASE(p_011_failed_openings_back_off, .pages_min = 1),
    CASE(p_012_ready_after_all, .pages_min = 1),
    CASE(p_013_probe_times_out, .pages_min = 2, .probe_timeout_ms = 50),
    CASE(p_014_probe_fails, .pages_min = 2, .probe_timeout_ms = 50),
    CASE(p_015_probe_answers, .pages_min = 2, .probe_timeout_ms = 50),
    CASE(p_016_sibling_survives, .pages_min = 2, .pages_max = 4, .affinity_pages_max = 2,
         .probe_timeout_ms = 50),
    CASE(p_017_cancel_during_probe, .pages_min = 2, .probe_timeout_ms = 5000),
    CASE(p_018_every_page_unresponsive, .pages_min = 2, .probe_timeout_ms = 20),
    CASE(p_019_retired_and_opened_again, .pages_min = 1, .probe_timeout_ms = 20,
         .standbys_min = OFF),
    CASE(p_020_no_reservation_is_left, .pages_min = 1, .standbys_min = OFF),
    CASE(p_021_probes_off, .pages_min = 2),
    CASE(p_024_second_visit_is_warm, .pages_min = 2),
    CASE(p_026_kinds_do_not_mix, .pages_min = 2),
    CASE(p_027_auth_change, .pages_min = 2),
    CASE(p_028_two_affinities_two_pages, .pages_min = 1),
    CASE(p_029_the_oldest_makes_room, .pages_min = 2),
};

int main(void)
{
    return pool_table_run("pool: warm pages", cases, sizeof cases / sizeof *cases);
}
