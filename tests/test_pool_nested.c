/* test_pool_nested.c: scenarios D: nested renders that main renders wait for. */
#include "tests/pool_table.h"

/* D-001, D-003, N-007. Two main renders of one affinity, each waiting for a nested one:
 * the slot beyond the cap serves the nested renders, one after the other. */
static const struct pool_step_row d_001_two_parents[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, REQUEST(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {11, OPENED(3), ""},
    {20, NESTED(3, "A"), "grant r3 p3 fresh"},
    {21, NESTED(4, "A"), ""},
    {30, DONE(3, 3), "grant r4 p3 warm permit 9"},
    {40, DONE(4, 3), "close p3"},
    {50, DONE(1, 1), "rest p1"},
    {51, DONE(2, 2), "rest p2"},
};

/* D-001, N-008. The same across affinities: the second nested render gets its slot from
 * the page that the first one has left. Nobody waits for a deadline. */
static const struct pool_step_row d_001_two_affinities[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, REQUEST(2, "B"), "grant r2 p2 fresh, open p3 c3, started B"},
    {11, OPENED(3), ""},
    {20, NESTED(3, "A"), "grant r3 p3 fresh"},
    {21, NESTED(4, "B"), ""},
    {30, DONE(3, 3), "close p3"},
    {35, CLOSED(3), "open p4 c4"},
    {38, OPENED(4), "grant r4 p4 fresh permit 9 open 8"},
    {40, DONE(4, 4), "close p4"},
    {50, DONE(1, 1), "rest p1"},
    {51, DONE(2, 2), "rest p2"},
};

/* D-002, D-005, D-015. Further main requests of the affinity are not admitted while its
 * main permit is used; a nested one is, at once. */
static const struct pool_step_row d_005_admission[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), ""},
    {20, NESTED(3, "A"), "grant r3 p2 fresh, open p3 c3"},
    {25, DONE(1, 1), "grant r2 p1 warm admission 14"},
};

/* D-006. The one that waits for admission leaves; the next one is admitted instead. */
static const struct pool_step_row d_006_admission_cancelled[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), ""},
    {12, CANCEL(2), ""},
    {13, NESTED(3, "A"), "grant r3 p2 fresh, open p3 c3"},
    {14, REQUEST(4, "A"), ""},
    {20, DONE(1, 1), "grant r4 p1 warm admission 6"},
};

/* D-007, D-009, D-010, D-012. The wait for admission is booked, to the millisecond. */
static const struct pool_step_row d_007_admission_time[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, LOOK(), "A live pages 0/1 contexts 1"},
    {10, REQUEST(2, "A"), ""},
    {10, LOOK(), "A live pages 0/1 contexts 1 waiting 1 max 0"},
    {30, DONE(1, 1), "grant r2 p1 warm admission 20"},
    {40, DONE(2, 1), "rest p1"},
    {40, LOOK(), "A live idle pages 1/1 contexts 1"},
};

/* D-008. Nested requests never wait for admission. */
static const struct pool_step_row d_008_nested_is_not_admitted[] = {
    BOOT2,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {20, NESTED(2, "A"), "grant r2 p2 fresh, open p3 c3"},
    {21, DONE(2, 2), "rest p2"},
    {22, NESTED(3, "A"), "grant r3 p2 warm"},
    {23, DONE(3, 2), "rest p2"},
};

/* D-011. As many main renders as the affinity may have, and one nested beside them. */
static const struct pool_step_row d_011_four_of_five[] = {
    BOOT4,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {10, REQUEST(2, "A"), "grant r2 p2 fresh"},
    {10, REQUEST(3, "A"), "grant r3 p3 fresh"},
    {10, REQUEST(4, "A"), "grant r4 p4 fresh, open p5 c5"},
    {11, OPENED(5), ""},
    {12, REQUEST(5, "A"), ""},
    {13, NESTED(6, "A"), "grant r6 p5 fresh"},
};

/* D-013, D-014. More main renders than pages make no sense: the page limit counts. */
static const struct pool_step_row d_013_clamped_to_pages[] = {
    BOOT3,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, started A"},
    {11, REQUEST(2, "A"), "grant r2 p2 fresh"},
    {12, REQUEST(3, "A"), ""},
    {20, DONE(1, 1), "grant r3 p1 warm admission 8"},
};

/* D-004. A pool of one page: the main render holds it, and the nested one runs beside it. */
static const struct pool_step_row pool_of_one[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {20, NESTED(2, "A"), ""},
    {25, OPENED(2), "grant r2 p2 fresh open 5"},
    {30, DONE(2, 2), "close p2"},
    {35, DONE(1, 1), "rest p1"},
};

/* A nested render stands where the main render stands that waits for it: it overtakes
 * older requests of other affinities, and not even a high priority holds it up. */
static const struct pool_step_row inherited_rank[] = {
    BOOT1,
    {10, REQUEST_AS(1, "A", .priority = 9), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, NESTED(2, "B"), ""},
    {12, REQUEST_AS(3, "C", .lane = POOL_NESTED, .priority = 8), ""},
    {13, NESTED(4, "A"), ""},
    {25, OPENED(2), "grant r4 p2 fresh slot 12"},
};

/* D-017, D-018, D-020 to D-023. The highest waiting priority of each affinity is known. */
static const struct pool_step_row d_022_priorities_that_wait[] = {
    BOOT1,
    {10, REQUEST(1, "A"), "grant r1 p1 fresh, open p2 c2, started A"},
    {11, REQUEST(2, "A"), ""},
    {12, REQUEST_AS(3, "A", .lane = POOL_NESTED, .priority = 5), ""},
    {13, REQUEST_AS(4, "B", .priority = 3), ""},
    {13, LOOK(),
     "A live pages 0/1 contexts 1 waiting 2 max 5, B cold pages 0/0 contexts 0 waiting 1 max 3"},
};

/* N-009. Two requests with a new fingerprint while the old page is held: its context lives
 * until the render ends and is closed once; both get pages of one new epoch. */
static const struct pool_step_row n_009_auth_change_under_a_lease[] = {
    BOOT3,
    {10, REQUEST_AS(1, "A", .fingerprint = 1), "grant r1 p1 fresh, started A"},
    {20, REQUEST_AS(2, "A", .fingerprint = 2), "grant r2 p2 fresh, started A"},
    {21, REQUEST_AS(3, "A", .fingerprint = 2), "grant r3 p3 fresh, open p4 c4"},
    {30, DONE(1, 1), "close p1"},
    {31, CLOSED(1), ""},
    {31, LOOK(), "A live pages 0/2 contexts 2"},
};

static const struct pool_case cases[] = {
    CASE(d_001_two_parents, .pages_min = 2, .affinity_pages_max = 2),
    CASE(d_001_two_affinities, .pages_min = 2, .affinity_pages_max = 2),
    CASE(d_005_admission, .pages_min = 2, .affinity_pages_max = 2, .affinity_main_max = 1),
    CASE(d_006_admission_cancelled, .pages_min = 2, .affinity_pages_max = 2,
         .affinity_main_max = 1),
    CASE(d_007_admission_time, .pages_min = 2, .affinity_main_max = 1),
    CASE(d_008_nested_is_not_admitted, .pages_min = 2, .affinity_main_max = 1),
    CASE(d_011_four_of_five, .pages_min = 4, .affinity_pages_max = 5, .affinity_main_max = 4),
    CASE(d_013_clamped_to_pages, .pages_min = 3, .affinity_pages_max = 2, .affinity_main_max = 99),
    CASE(pool_of_one, .pages_min = 1, .affinity_pages_max = 1),
    CASE(inherited_rank, .pages_min = 1),
    CASE(d_022_priorities_that_wait, .pages_min = 1),
    CASE(n_009_auth_change_under_a_lease, .pages_min = 3),
};

int main(void)
{
    return pool_table_run("pool: nested renders", cases, sizeof cases / sizeof *cases);
}
