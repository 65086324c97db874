/* test_render_wait.c: the render machine in tables: the page's flag, conditions, delay. */
#include "tests/render_case.h"
#include "tests/suite.h"

#define NO_FLAG RENDER_FLAG_NONE
#define DOWN RENDER_FLAG_FALSE
#define UP RENDER_FLAG_TRUE

/* The check goes out with the look. A page that has no flag is not held up by it. */
static const struct step no_flag[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 70, 9), "measure > capturing"},
    {15, CHECKED(A, true, NO_FLAG), ""},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "> done"},
};

/* A look is out already when the page has loaded: the check goes out without one, and nothing is
 * held up by its absence. */
static const struct step look_is_out[] = {
    BEGIN,
    {158, TICK(), "look"},
    {160, LOADED(A), "check > settling"},
    {161, LOOKED(800, 900, 9), ""},
    {162, CHECKED(A, true, NO_FLAG), ""},
    {163, EXPIRED(), "look"},
    {164, LOOKED(1000, 900, 9), "frame"},
    {180, FRAMED(A), "grant 1800"},
    {181, EXPIRED(), "look, check, measure"},
    {182, LOOKED(2800, 900, 9), ""},
    {182, CHECKED(A, true, NO_FLAG), "> capturing"},
    {183, MEASURED(A, 200, 100), "capture"},
    {184, CAPTURED(A), "> done"},
};

/* False holds the page beyond its settling; true ends it, a grace later. */
static const struct step flag_holds[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {14, EXPIRED(), ""},
    {16, LOOKED(1000, 900, 9), ""},
    {16, CHECKED(A, true, DOWN), "frame"},
    {30, FRAMED(A), "grant 500"},
    {31, EXPIRED(), "look, check"},
    {32, LOOKED(5000, 900, 9), ""},
    {32, CHECKED(A, true, DOWN), "grant 500"},
    {33, EXPIRED(), "look, check"},
    {34, LOOKED(5500, 900, 9), ""},
    {34, CHECKED(A, true, UP), "grant 500"},
    {35, EXPIRED(), "look, check, measure"},
    {38, LOOKED(6000, 900, 9), ""},
    {38, CHECKED(A, true, UP), "> capturing"},
    {39, MEASURED(A, 200, 100), "capture"},
    {40, CAPTURED(A), "> done"},
};

/* True from the start: the page's own word ends the settling early. */
static const struct step flag_hastens[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {14, EXPIRED(), ""},
    {16, LOOKED(1000, 900, 9), ""},
    {16, CHECKED(A, true, UP), "frame"},
    {30, FRAMED(A), "grant 500"},
    {31, EXPIRED(), "look, check, measure"},
    {32, LOOKED(1500, 900, 9), ""},
    {32, CHECKED(A, true, UP), "> capturing"},
    {33, MEASURED(A, 200, 100), "capture"},
    {34, CAPTURED(A), "> done"},
};

/* A condition that does not hold: the deadline names it. */
static const struct step unmet[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {15, LOOKED(600, 70, 9), ""},
    {15, CHECKED(A, false, NO_FLAG), ""},
    {9000, TICK(), "pause, measure, survey, look > capturing"},
    {9001, MEASURED(A, 200, 100), "capture"},
    {9002, CAPTURED(A), "> done"},
};

static const struct step unmet_is_an_error[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {15, LOOKED(600, 70, 9), ""},
    {15, CHECKED(A, false, NO_FLAG), ""},
    {9970, TICK(), "> done"},
};

/* A condition that holds ends the settling, though a request is pending. */
static const struct step met_while_pending[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {15, LOOKED(600, 70, 9), ""},
    {15, CHECKED(A, false, NO_FLAG), ""},
    {163, TICK(), "look, check"},
    {164, LOOKED(600, 70, 9), ""},
    {164, CHECKED(A, true, NO_FLAG), "measure > capturing"},
    {165, MEASURED(A, 200, 100), "capture"},
    {166, CAPTURED(A), "pause > done"},
};

/* After another milestone there is no settling but for what is asked. */
static const struct step load_and_condition[] = {
    BEGIN,
    {13, LOADED(A), "look, check, measure > settling"},
    {14, EXPIRED(), ""},
    {15, MEASURED(A, 200, 100), ""},
    {15, LOOKED(1000, 70, 9), ""},
    {15, CHECKED(A, false, NO_FLAG), "grant 500"},
    {16, EXPIRED(), "look, check"},
    {17, LOOKED(1500, 70, 9), ""},
    {17, CHECKED(A, true, NO_FLAG), "capture > capturing"},
    {18, CAPTURED(A), "> done"},
};

/* A delay on the page's clock, without any check. */
static const struct step delay[] = {
    BEGIN,
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, MEASURED(A, 200, 100), ""},
    {17, LOOKED(799, 70, 9), "grant 500"},
    {18, EXPIRED(), "look, measure"},
    {19, LOOKED(1299, 70, 9), "> capturing"},
    {19, MEASURED(A, 200, 100), "capture"},
};

/* Another document begins anew: what held for the first says nothing of it. */
static const struct step other_document[] = {
    BEGIN,
    {13, LOADED(A), "look, check > settling"},
    {14, STARTED(B), ""},
    {15, LOOKED(600, 70, 9), ""},
    {15, CHECKED(A, true, UP), ""},
    {20, COMMITTED(B), "prepare, grant 500 > loading"},
    {21, LOADED(B), "look, check > settling"},
    {22, CHECKED(A, true, UP), ""},
    {23, LOOKED(1000, 70, 9), ""},
    {23, CHECKED(B, false, NO_FLAG), ""},
};

#define FLAG .has_flag = true, .flag_grace_ms = 500
#define CONDITION .has_conditions = true, .is_hastening = true

static const struct render_case cases[] = {
    WAITING(no_flag, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 2 1, good", FLAG),
    WAITING(look_is_out, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 152 22 2, good", FLAG),
    WAITING(flag_holds, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 25 2, good", FLAG),
    WAITING(flag_hastens, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 19 2, good", FLAG),
    WAITING(unmet, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "partial ok 200, 8 5 8987 2, bad", CONDITION),
    WAITING(unmet_is_an_error, WAIT_AUTO, ON_TIMEOUT_ERROR, "failed wait_unmet 0, 8 5 9957 0, bad",
            CONDITION),
    WAITING(met_while_pending, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 151 2, good",
            CONDITION),
    WAITING(load_and_condition, WAIT_LOAD, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 4 1, good",
            CONDITION),
    WAITING(delay, WAIT_LOAD, ON_TIMEOUT_PARTIAL, "", .delay_ms = 500),
    WAITING(other_document, WAIT_AUTO, ON_TIMEOUT_PARTIAL, "", FLAG, CONDITION),
};

START_TEST(tables)
{
    run_case(&cases[_i]);
}
END_TEST

/* A page that is held gets a bounded number of slices at once, then one each half second. */
START_TEST(held_page_is_paced)
{
    const struct render_wait wait = {CONDITION};
    const struct render_fact facts[] = {NAVIGATED(A), COMMITTED(A), LOADED(A), EXPIRED()};
    const struct render_fact expired = EXPIRED(), unmet_check = CHECKED(A, false, NO_FLAG);
    const struct render_fact tick = TICK();
    struct render_commands commands;
    struct render render;
    uint64_t now_ms = 1;
    uint32_t granted_ms = 0;

    start(&render, WAIT_AUTO, ON_TIMEOUT_PARTIAL, &wait, 0, &commands);
    for (size_t i = 0; i < 4; i++)
        render_step(&render, now_ms, &facts[i], &commands);
    while (render.state == RENDER_SETTLING) {
        const struct render_fact looked = LOOKED(500 + granted_ms, 70, 9);
        const struct render_fact *fact = &tick;
        if (render.is_looking)
            fact = &looked;
        else if (render.is_checking)
            fact = &unmet_check;
        else if (render.is_granted)
            fact = &expired;
        else
            now_ms = render_deadline_ms(&render);
        render_step(&render, now_ms, fact, &commands);
        render_check(&render);
        for (uint32_t i = 0; i < commands.count; i++) {
            if (commands.items[i].type == RENDER_DO_GRANT)
                granted_ms += commands.items[i].virtual_ms;
        }
    }
    ck_assert_uint_eq(now_ms, 9000);
    ck_assert(render.is_partial && render.reason == RENDER_CONDITION);
    ck_assert_uint_gt(granted_ms, 15000);
    ck_assert_uint_lt(granted_ms, 25000);
}
END_TEST

/* What is injected before the capture comes before the measuring, which is not done ahead;
 * a script of it that does not end is ended, again for each, and the page is spent. */
START_TEST(injects_before_the_capture)
{
    static const struct step steps[] = {
        {5, NAVIGATED(A), ""},
        {8, COMMITTED(A), "prepare, grant 500 > loading"},
        {13, LOADED(A), "look > settling"},
        {15, LOOKED(600, 70, 9), "inject, measure > capturing"},
        {1014, TICK(), ""},
        {1015, TICK(), "terminate"},
        {2014, TICK(), ""},
        {2015, TICK(), "terminate"},
        {2020, MEASURED(A, 200, 100), "capture"},
        {3100, TICK(), ""},
        {3200, CAPTURED(A), "> done"},
    };
    struct render_case test = AUTO(steps, "complete ok 200, 8 5 2 3185, bad");
    struct render render;
    struct render_commands commands;

    start(&render, test.until, test.on_timeout, &test.wait, 0, &commands);
    render.plan.has_injects = true;
    run_steps(&test, &render);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render wait");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, held_page_is_paced);
    tcase_add_test(tcase, injects_before_the_capture);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
