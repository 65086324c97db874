/* test_incident.c: one stuck page costs its own slot and nothing else. The same at length,
 * with times that are compared, is bench/incident. */
#include <check.h>
#include <stdio.h>
#include "tests/system/incident.h"

#define RENDERS 200
#define PER_SECOND 8.0
#define STUCK_TIMEOUT_MS 4000

/* While a page that never settles is rendered again and again, five other affinities get
 * every document; the slot of each retired page comes back, and the affinity renders again
 * once its page is well. */
START_TEST(stuck_page)
{
    static const struct incident_plan plan = {.renders = RENDERS,
                                              .per_second = PER_SECOND,
                                              .has_stuck = true,
                                              .stuck_timeout_ms = STUCK_TIMEOUT_MS,
                                              .gate = "fixed"};
    struct stage stage = stage_open(incident_knobs);
    struct incident incident;
    incident_run(&stage, &plan, &incident);
    uint64_t fixed_ms = incident_fix(&stage, plan.gate);
    printf("# %u retirements, a standby after %llu ms at most; contexts with a page <= %u, "
           "contexts <= %u; fixed page in %llu ms\n",
           incident.retirements, (unsigned long long)incident.back_max_ms,
           incident.recorded.occupied_max, incident.recorded.contexts_max,
           (unsigned long long)fixed_ms);
    ck_assert_uint_ge(incident.retirements, 2);
    ck_assert_uint_gt(incident.recorded.samples, 100);
    ck_assert_uint_ge(incident.recorded.occupied_max, 3);
    incident_free(&incident);
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    struct pool_view view;
    harness_view(stage.harness, &view);
    ck_assert_int_eq(view.cap, INCIDENT_PAGES);
    ck_assert_int_ge(view.standby, 1);
    ck_assert_int_le(view.standby + view.idle, INCIDENT_PAGES + 1);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("incident");
    suite_add(suite, stuck_page, 300);
    return suite_run(suite, SUITE_FORKS);
}
