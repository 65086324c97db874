/* test_render_budget.c: the machine is told that the page has used up its budget. */
#include "tests/render_case.h"
#include "tests/suite.h"

#define SPENT()                                                                                    \
    {                                                                                              \
        .type = RENDER_FACT_SPENT                                                                  \
    }
#define PREFIX                                                                                     \
    {5, NAVIGATED(A), ""},                                                                         \
    {                                                                                              \
        8, COMMITTED(A), "prepare, grant 500 > loading"                                            \
    }

/* What is there is captured at once, and once. No script is ended: there is time. */
static const struct step loading[] = {
    PREFIX,
    {9, SPENT(), "pause, measure > capturing"},
    {10, SPENT(), ""},
    {500, MEASURED(A, 200, 100), "capture"},
    {501, CAPTURED(A), "> done"},
};

/* A measure that is out already is not the one that counts. */
static const struct step settling[] = {
    PREFIX,
    {10, LOADED(A), "look > settling"},
    {11, SPENT(), "pause, measure > capturing"},
    {12, MEASURED(A, 200, 100), "capture"},
    {13, CAPTURED(A), "> done"},
};

/* There is nothing yet; its commit is the end, and no other document is followed for long. */
static const struct step navigating[] = {
    {5, SPENT(), ""},
    {6, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, pause, measure > capturing"},
    {9, COMMITTED(B), "prepare, pause, measure"},
    {10, MEASURED(B, 200, 100), "capture"},
    {11, CAPTURED(B), "> done"},
};

/* The document that is being captured is what there is. */
static const struct step capturing[] = {
    PREFIX,
    {10, LOADED(A), "measure > capturing"},
    {11, MEASURED(A, 200, 100), "capture"},
    {12, SPENT(), ""},
    {13, CAPTURED(A), "> done"},
};

/* An expression that asks for too much is given up; the document is made all the same. */
static const struct step evaluating[] = {
    PREFIX,
    {10, LOADED(A), "capture expression > capturing"},
    {12, SPENT(), "pause, terminate, measure"},
    {13, MADE(A, OUTPUT_EXPRESSION, 7), ""},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "> done"},
};

/* Without a document nothing is left. */
static const struct step evaluating_only[] = {
    PREFIX,
    {10, LOADED(A), "capture expression > capturing"},
    {12, SPENT(), "pause, terminate, measure"},
    {14, MEASURED(A, 200, 100), "> done"},
};

/* A page that does not answer is a matter of the deadline, whose end is that of a budget. */
static const struct step spinning[] = {
    PREFIX,
    {9, SPENT(), "pause, measure > capturing"},
    {8999, TICK(), ""},
    {9000, TICK(), "pause, terminate"},
    {9001, MEASURED(A, 200, 100), "capture"},
    {9002, CAPTURED(A), "> done"},
};

/* onTimeout error. */
static const struct step failing[] = {PREFIX, {9, SPENT(), "> done"}};
static const struct step failing_early[] = {{5, SPENT(), "> done"}};
static const struct step failing_late[] = {
    PREFIX,
    {10, LOADED(A), "measure > capturing"},
    {11, SPENT(), "> done"},
};

#define BOTH (OUTPUT_BIT(OUTPUT_HTML) | OUTPUT_BIT(OUTPUT_EXPRESSION))
#define FAILS(table, end) CASE(table, WAIT_LOAD, ON_TIMEOUT_ERROR, "failed budget_exceeded " end)

static const struct render_case cases[] = {
    AUTO(loading, "partial ok 200, 8 1 0 492, bad"),
    AUTO(settling, "partial ok 200, 8 2 1 2, bad"),
    AUTO(navigating, "partial ok 200, 8 0 0 3, bad"),
    LOAD(capturing, "partial ok 200, 8 2 0 3, bad"),
    MAKING(evaluating, BOTH, ON_TIMEOUT_PARTIAL, "partial ok 200, 8 2 0 5, bad"),
    MAKING(evaluating_only, OUTPUT_BIT(OUTPUT_EXPRESSION), ON_TIMEOUT_PARTIAL,
           "failed budget_exceeded 200, 8 2 0 4, bad"),
    AUTO(spinning, "partial ok 200, 8 1 0 8993, bad"),
    FAILS(failing, "0, 8 1 0 0, bad"),
    FAILS(failing_early, "0, 5 0 0 0, bad"),
    FAILS(failing_late, "0, 8 2 0 1, bad"),
};

START_TEST(tables)
{
    struct render render;
    struct render_result result = {.outcome = RENDER_FAILED};

    run_case_in(&cases[_i], &render);
    render_verdict(&render, &result);
    ck_assert_int_eq(result.reason, RENDER_BUDGET);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render budget");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
