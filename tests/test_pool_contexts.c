/* test_pool_contexts.c: scenarios P-030 to P-051: sharing, order, orphans and expiry. */
#include "tests/pool_table.h"

/* P-030. One permit: two affinities render one after the other. */
static const struct pool_step_row p_030_one_permit[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {10, REQUEST(2, "B"), ""},
    {15, OPENED(2), ""},
    {35, DONE(1, 1), "grant r2 p2 fresh permit 25, close p1, ended A, started B"},
};

/* P-031. Two permits: one affinity renders twice at the same time. */
static const struct pool_step_row p_031_two_permits[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
};

/* P-033. A new affinity gets the standby, not the idle page of another. */
static const struct pool_step_row p_033_standby_for_a_stranger[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {20, DONE(1, 1), "rest p1"},
    {22, OPENED(2), ""},
    {30, REQUEST(2, "B"), "grant r2 p2 fresh, close p1, started B, ended A"},
};

/* P-034. At the page limit a request waits for the page of its affinity. */
static const struct pool_step_row p_034_page_limit[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {12, REQUEST(2, "A"), ""},
    {17, DONE(1, 1), "grant r2 p1 warm admission 5"},
};

/* P-035. One queue per affinity: the older request takes the first page that becomes
 * idle, the younger one the second. */
static const struct pool_step_row p_035_oldest_takes_first_page[] = {
    BOOT2,
    {1000, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {1100, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {1200, REQUEST(3, "A"), ""},
    {1201, REQUEST(4, "A"), ""},
    {1300, DONE(2, 2), "grant r3 p2 warm permit 100"},
    {1400, DONE(1, 1), "grant r4 p1 warm permit 199"},
};

/* P-036. A request of another affinity does not overtake: grants in order of arrival,
 * the eviction blocks nobody, and whoever runs is on the warm list. */
static const struct pool_step_row p_036_order_across_affinities[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, NESTED(2, "C"), "grant r2 p2 fresh, started C"},
    {20, REQUEST(3, "A"), ""},
    {21, REQUEST(4, "B"), ""},
    {30, DONE(1, 1), "grant r3 p1 warm permit 10"},
    {30, LOOK(),
     "A live pages 0/1 contexts 1, C live pages 0/1 contexts 1, B cold pages 0/0 contexts 0 "
     "waiting 1 max 0"},
    {40, DONE(2, 2), "close p2, ended C"},
    {50, DONE(3, 1), "rest p1"},
    {52, CLOSED(2), "open p3 c3"},
    {60, OPENED(3), "grant r4 p3 fresh permit 29 open 10, close p1, started B, ended A"},
    {60, LOOK(), "A cold pages 0/0 contexts 1, B live pages 0/1 contexts 1"},
};

/* P-037. A stranger waits without an error and does not delay the request before it. */
static const struct pool_step_row p_037_stranger_waits[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), ""},
    {12, REQUEST(3, "B"), ""},
    {20, DONE(1, 1), "grant r2 p1 warm permit 9"},
    {30, DONE(2, 1), "open p2 c2, rest p1"},
    {40, OPENED(2), "grant r3 p2 fresh permit 18 open 10, close p1, started B, ended A"},
};

/* P-038. Strict order across affinities at equal priority when no bypass is allowed: the
 * idle page of A makes room for the older request of B. */
static const struct pool_step_row p_038_no_bypass[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, OPENED(2), ""},
    {12, NESTED(9, "N"), "grant r9 p2 fresh, started N"},
    {13, REQUEST(2, "B"), ""},
    {14, REQUEST(3, "A"), ""},
    {19, DONE(1, 1), "close p1, ended A"},
    {25, CLOSED(1), "open p3 c3"},
    {30, OPENED(3), "grant r2 p3 fresh permit 6 open 11, started B"},
    {35, DONE(9, 2), "close p2, ended N"},
    {40, DONE(2, 3), "rest p3"},
};

/* P-039, N-003. Contexts stay within cap + 1 while closes are late, whatever is asked for. */
static const struct pool_step_row p_039_bound_while_closing[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {12, OPENED(3), ""},
    {20, DISPOSE("A", POOL_DISPOSE_NOW), "ended A"},
    {30, DONE(1, 1), "close p1"},
    {31, DONE(2, 2), "close p2"},
    {40, REQUEST(3, "B"), "grant r3 p3 fresh, started B"},
    {41, REQUEST(4, "C"), ""},
    {60, CLOSED(1), "open p4 c4"},
    {61, CLOSED(2), "open p5 c5"},
};

/* P-040. The standby is replaced when it is bound, not before. */
static const struct pool_step_row p_040_one_standby_more[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
};

/* P-041, P-042. Each affinity comes back to its own page, in its own context. */
static const struct pool_step_row p_041_back_to_their_own[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, OPENED(3), ""},
    {30, REQUEST(3, "A"), "grant r3 p1 warm"},
    {30, REQUEST(4, "B"), "grant r4 p2 warm"},
};

/* P-043, P-044. Twelve hours without a request end an affinity with its context; a
 * standby is as good as new. */
static const struct pool_step_row p_043_expiry[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {43200019, TICK(), ""},
    {43200020, TICK(), "close p1, open p3 c3, ended A"},
    {43200021, CLOSED(1), ""},
    {43200021, LOOK(), ""},
};

/* P-045. A dispose that retains keeps the context: the next page of the affinity opens in
 * it, though a standby is ready. */
static const struct pool_step_row p_045_retained_context_is_used[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p3 c3, ended A"},
    {31, CLOSED(1), ""},
    {31, LOOK(), "A cold pages 0/0 contexts 1"},
    {40, REQUEST(2, "A"), "open p4 in c1"},
    {50, OPENED(4), "grant r2 p4 cold open 10, started A"},
};

/* P-046, P-051. Without retain nothing is left, and the next render is fresh. */
static const struct pool_step_row p_046_nothing_is_left[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, DONE(1, 1), "rest p1"},
    {30, DISPOSE_WAIT("A", 5), "close p1, open p3 c3, ended A"},
    {31, CLOSED(1), "disposed d5"},
    {31, LOOK(), ""},
    {40, REQUEST(2, "A"), "grant r2 p2 fresh, started A"},
};

/* P-047. When the ledger of orphans is full, the oldest makes room, on the slot of the
 * page that has just closed. */
static const struct pool_step_row p_047_oldest_orphan_goes[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, DONE(1, 1), "rest p1"},
    {12, DISPOSE("A", POOL_DISPOSE_RETAIN), "close p1 keep, open p4 c4, ended A"},
    {13, CLOSED(1), ""},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, DISPOSE("B", POOL_DISPOSE_RETAIN), "close p2 keep, open p5 c5, ended B"},
    {23, CLOSED(2), ""},
    {30, REQUEST(3, "C"), "grant r3 p3 fresh, started C"},
    {31, DONE(3, 3), "rest p3"},
    {32, DISPOSE("C", POOL_DISPOSE_RETAIN), "close p3 keep, open p6 c6, ended C"},
    {33, CLOSED(3), "dispose c1"},
    {33, LOOK(),
     "A cold pages 0/0 contexts 1, B cold pages 0/0 contexts 1, C cold pages 0/0 contexts 1"},
    {34, CONTEXT_GONE(1), ""},
    {34, LOOK(), "B cold pages 0/0 contexts 1, C cold pages 0/0 contexts 1"},
};

/* P-048. The bound on orphans counts orphans: a page that is held costs none, and the
 * newest context is the one that stays. */
static const struct pool_step_row p_048_one_orphan[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, REQUEST(2, "B"), "grant r2 p2 fresh, started B"},
    {21, DONE(2, 2), "rest p2"},
    {22, DISPOSE("B", POOL_DISPOSE_RETAIN), "close p2 keep, open p4 c4, ended B"},
    {23, CLOSED(2), ""},
    {30, REQUEST(3, "C"), "grant r3 p3 fresh, started C"},
    {31, DONE(3, 3), "rest p3"},
    {32, DISPOSE("C", POOL_DISPOSE_RETAIN), "close p3 keep, open p5 c5, ended C"},
    {33, CLOSED(3), "dispose c2"},
    {34, CONTEXT_GONE(2), ""},
    {34, LOOK(), "A live pages 0/1 contexts 1, C cold pages 0/0 contexts 1"},
};

/* P-049. Three pages of one affinity have three contexts; a dispose closes all of them. */
static const struct pool_step_row p_049_all_contexts_close[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh"},
    {12, REQUEST(3, "A"), "grant r3 p3 fresh, open p4 c4"},
    {20, DONE(1, 1), "rest p1"},
    {20, DONE(2, 2), "rest p2"},
    {20, DONE(3, 3), "rest p3"},
    {30, DISPOSE_WAIT("A", 4), "close p3, close p2, close p1, ended A"},
    {40, CLOSED(1), "open p5 c5"},
    {41, CLOSED(2), "open p6 c6"},
    {42, CLOSED(3), "disposed d4"},
    {42, LOOK(), ""},
};

static const struct pool_case cases[] = {
    CASE(p_030_one_permit, .pages_min = 1, .affinity_pages_max = 1),
    CASE(p_031_two_permits, .pages_min = 2, .affinity_pages_max = 2),
    CASE(p_033_standby_for_a_stranger, .pages_min = 1),
    CASE(p_034_page_limit, .pages_min = 2, .affinity_pages_max = 1),
    CASE(p_035_oldest_takes_first_page, .pages_min = 2, .affinity_pages_max = 2),
    CASE(p_036_order_across_affinities, .pages_min = 1, .warm_bypass_max = OFF),
    CASE(p_037_stranger_waits, .pages_min = 1, .standbys_min = OFF),
    CASE(p_038_no_bypass, .pages_min = 1, .warm_bypass_max = OFF),
    CASE(p_039_bound_while_closing, .pages_min = 2, .affinity_pages_max = 2),
    CASE(p_040_one_standby_more, .pages_min = 1),
    CASE(p_041_back_to_their_own, .pages_min = 2),
    CASE(p_043_expiry, .pages_min = 2),
    CASE(p_045_retained_context_is_used, .pages_min = 2),
    CASE(p_046_nothing_is_left, .pages_min = 2),
    CASE(p_047_oldest_orphan_goes, .pages_min = 3, .orphan_contexts_max = 2),
    CASE(p_048_one_orphan, .pages_min = 3, .orphan_contexts_max = 1),
    CASE(p_049_all_contexts_close, .pages_min = 3, .affinity_pages_max = 3),
};

int main(void)
{
    return pool_table_run("pool: contexts", cases, sizeof cases / sizeof *cases);
}
