/* test_render_quiet.c: the machine waits for a quiet network, and under the real clock. */
#include "tests/render_case.h"
#include "tests/suite.h"

#define TRAFFIC(now_active, now_pending)                                                           \
    {                                                                                              \
        .type = RENDER_FACT_TRAFFIC, .active = (now_active), .pending = (now_pending)              \
    }
#define PREFIX                                                                                     \
    {0, TRAFFIC(1, 1), ""}, {5, NAVIGATED(A), ""},                                                 \
        {8, COMMITTED(A), "prepare, grant 500 > loading"},                                         \
    {                                                                                              \
        8, TRAFFIC(1, 1), ""                                                                       \
    }

/* Quiet is counted from the first look that finds it, and a look confirms its end. */
static const struct step quiet[] = {
    PREFIX,
    {9, TRAFFIC(0, 0), ""},
    {10, LOADED(A), "look, measure > settling"},
    {11, LOOKED(20, 70, 5), ""},
    {12, MEASURED(A, 200, 100), ""},
    {12, EXPIRED(), "look, measure"},
    {13, LOOKED(520, 70, 5), "> capturing"},
};

/* A request that starts meanwhile begins it anew; the clock waits for that one itself. */
static const struct step interrupted[] = {
    PREFIX,
    {9, TRAFFIC(0, 0), ""},
    {10, LOADED(A), "look, measure > settling"},
    {11, LOOKED(20, 70, 5), ""},
    {12, TRAFFIC(1, 1), ""},
    {40, TRAFFIC(0, 0), ""},
    {41, EXPIRED(), "look"},
    {42, LOOKED(520, 70, 5), "grant 500"},
    {43, EXPIRED(), "look"},
    {44, LOOKED(1020, 70, 5), "> capturing"},
};

/* What may be active stops the clock all the same, so that it is granted regardless. */
static const struct step allowed[] = {
    PREFIX,
    {10, LOADED(A), "look, measure > settling"},
    {11, LOOKED(20, 70, 5), ""},
    {110, TICK(), ""},
    {111, TICK(), "advance"},
};

/* An ignored request holds neither the load event of `auto` nor its clock for long. But
 * while another one is active nothing is granted over its head. */
static const struct step ignored[] = {
    PREFIX,
    {9, TRAFFIC(0, 1), ""},
    {10, PARSED(A), ""},
    {110, TICK(), "look > settling"},
    {111, LOOKED(20, 90, 5), "advance 500"},
    {112, EXPIRED(), "look"},
};

static const struct step ignored_and_active[] = {
    PREFIX,
    {10, LOADED(A), "look, measure > settling"},
    {11, LOOKED(20, 70, 5), ""},
    {12, TRAFFIC(1, 2), ""},
    {3012, TICK(), ""}, /* Stuck, says the clock; the traffic knows better. */
    {3014, TRAFFIC(0, 1), "advance"},
};

/* Nothing is granted; the end of the quiet is a matter of time. */
static const struct step real[] = {
    {0, TRAFFIC(1, 1), ""},
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare > loading"},
    {9, TRAFFIC(0, 0), ""},
    {100, LOADED(A), "> settling"},
    {200, TRAFFIC(1, 1), ""},
    {700, TRAFFIC(0, 0), ""},
    {1199, TICK(), ""},
    {1200, TICK(), "measure > capturing"},
};

/* A load event that something endless holds back is done without. */
static const struct step real_stuck[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare > loading"},
    {8, TRAFFIC(1, 1), ""},
    {9, PARSED(A), ""},
    {3008, TRAFFIC(0, 1), ""},
    {3507, TICK(), ""},
    {3508, TICK(), "survey, measure > capturing"},
};

/* Conditions are looked at again and again; one that holds ends `auto` before the quiet. */
static const struct step real_condition[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare > loading"},
    {8, TRAFFIC(1, 1), ""},
    {100, LOADED(A), "check > settling"},
    {102, CHECKED(A, false, RENDER_FLAG_NONE), ""},
    {149, TICK(), ""},
    {150, TICK(), "check"},
    {151, CHECKED(A, true, RENDER_FLAG_NONE), "measure > capturing"},
};

/* The delay is one of the clock on the wall. */
static const struct step real_delay[] = {
    {5, NAVIGATED(A), ""}, {8, COMMITTED(A), "prepare > loading"}, {100, LOADED(A), "> settling"},
    {399, TICK(), ""},     {400, TICK(), "measure > capturing"},
};

/* Not quiet in time: partial, and nothing to pause. */
static const struct step real_late[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare > loading"},
    {8, TRAFFIC(1, 1), ""},
    {100, LOADED(A), "> settling"},
    {9000, TICK(), "measure, survey, look > capturing"},
    {9002, MEASURED(A, 200, 100), "capture"},
    {9003, LOOKED(9000, 70, 5), ""},
    {9010, CAPTURED(A), "> done"},
};

#define QUIET(ms, allowed_count) .quiet = {.is_awaited = true, ms, allowed_count}

static const struct render_case cases[] = {
    WAITING(quiet, WAIT_NETWORKIDLE, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0)),
    WAITING(interrupted, WAIT_NETWORKIDLE, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0)),
    WAITING(allowed, WAIT_NETWORKIDLE, ON_TIMEOUT_PARTIAL, "", QUIET(500, 2)),
    WAITING(ignored, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "", QUIET(0, 0)),
    WAITING(ignored_and_active, WAIT_NETWORKIDLE, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0)),
    WAITING(real, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0), .is_real = true),
    WAITING(real_stuck, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0), .is_real = true),
    WAITING(real_condition, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "", QUIET(500, 0), .is_real = true,
            .has_conditions = true, .is_hastening = true),
    WAITING(real_delay, WAIT_LOAD, ON_TIMEOUT_PARTIAL, "", .is_real = true, .delay_ms = 300),
    WAITING(real_late, WAIT_NETWORKIDLE, ON_TIMEOUT_PARTIAL, "partial ok 200, 8 92 8900 10, bad",
            QUIET(500, 0), .is_real = true),
};

START_TEST(tables)
{
    run_case(&cases[_i]);
}
END_TEST

/* What is told of a render that ran out of time. */
START_TEST(late_renders_say_where)
{
    struct render render;
    struct render_commands commands;
    struct render_result result = {.outcome = RENDER_FAILED};
    const struct render_wait wait = {.delay_ms = 0};
    static const struct step steps[] = {
        {5, NAVIGATED(A), ""},
        {9769, TICK(), ""},
        {9770, TICK(), "survey, look"},
        {9771, LOOKED(100, 90, 5), ""},
        {9771, {.type = RENDER_FACT_SURVEYED, .ok = true}, ""},
        {9970, TICK(), "> done"},
    };

    start(&render, WAIT_AUTO, ON_TIMEOUT_PARTIAL, &wait, 0, &commands);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char got[256];
        enum render_state before = render.state;
        ck_assert_uint_le(steps[i].now_ms, 9970);
        render_step(&render, steps[i].now_ms, &steps[i].fact, &commands);
        render_check(&render);
        describe(&commands, &render, before, got);
        ck_assert_str_eq(got, steps[i].want);
    }
    render_verdict(&render, &result);
    ck_assert_str_eq(result.late.phase, "navigate");
    ck_assert_uint_eq(result.late.phase_age_ms, 9970);
    ck_assert(result.late.is_main_thread_answering);
    ck_assert(result.late.has_times);
    ck_assert_double_eq_tol(result.late.script_ms, 0.02, 0.0001);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render quiet");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, late_renders_say_where);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
