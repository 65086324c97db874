/* test_pool.c: the everyday life of the pool: standbys, affinities, waiting, release. */
#include <stdlib.h>
#include "tests/pool_table.h"

/* A cold start opens standbys up to the cap. A standby serves a first request at once,
 * and a replacement opens in the same step. A page then stays with its affinity: it is
 * preferred over a standby for the same key, and never given to another key. */
static const struct pool_step_row standby_then_affinity[] = {
    {0, TICK(), "launch l1"},
    {10, LIFE_UP(1), "open p1 c1, open p2 c2"},
    {40, OPENED(1), ""},
    {50, OPENED(2), ""},
    {100, REQUEST(1, "acme"), "grant r1 p1 fresh, started acme"},
    {900, DONE(1, 1), "rest p1"},
    {950, REQUEST(2, "acme"), "grant r2 p1 warm"},
    {960, DONE(2, 1), "rest p1"},
    {970, REQUEST(3, "zeta"), "grant r3 p2 fresh, open p3 c3, started zeta"},
};

static const struct pool_case cases[] = {
    CASE(standby_then_affinity, .pages_min = 2),
};

int main(void)
{
    return pool_table_run("pool", cases, sizeof cases / sizeof *cases);
}
