/* test_render_transit.c: the render machine in tables: a document that is shown already and
 * is brought to what is asked for by a script. */
#include "tests/render_case.h"
#include "tests/suite.h"

#define TRANSITED(id)                                                                              \
    {                                                                                              \
        .type = RENDER_FACT_TRANSITED, .loader = (id), .ok = true                                  \
    }
#define THREW(fact_type)                                                                           \
    {                                                                                              \
        .type = (fact_type), .loader = A, .code = RENDER_SCRIPT_FAILED                             \
    }
#define IS_READY(id) CHECKED(id, true, RENDER_FLAG_NONE)
#define IS_NOT(id) CHECKED(id, false, RENDER_FLAG_NONE)

/* What is awaited by the script holds the page; its clock goes on. Then the condition is
 * asked for, and when it holds nothing else is waited for: no frame, no slice. */
static const struct step until_ready[] = {
    {2, LOOKED(600, 900, 9), "grant 500"},
    {10, EXPIRED(), "look"},
    {11, LOOKED(1100, 1900, 12), "grant 500"},
    {12, TRANSITED(A), "check"},
    {13, IS_NOT(A), ""},
    {21, EXPIRED(), "look, check"},
    {22, LOOKED(1600, 2900, 12), ""},
    {22, IS_READY(A), "capture > capturing"},
    {25, CAPTURED(A), "> done"},
};

/* When slices do not bring it about, frames may. */
static const struct step needs_frames[] = {
    {1, TRANSITED(A), "check"},       {2, LOOKED(600, 900, 9), ""},
    {2, IS_NOT(A), "grant 500"},      {3, EXPIRED(), "look, check"},
    {4, LOOKED(1100, 1900, 12), ""},  {4, IS_NOT(A), "grant 500"},
    {5, EXPIRED(), "look, check"},    {6, LOOKED(1600, 2900, 12), ""},
    {6, IS_NOT(A), "grant 500"},      {7, EXPIRED(), "look, check"},
    {8, LOOKED(2100, 3900, 12), ""},  {8, IS_NOT(A), "frame"},
    {16, FRAMED(A), "grant 500"},     {17, EXPIRED(), "look, check"},
    {18, LOOKED(2600, 4900, 12), ""}, {18, IS_READY(A), "capture > capturing"},
    {19, CAPTURED(A), "> done"},
};

/* It may be ready with the end of its script. */
static const struct step at_once[] = {
    {1, TRANSITED(A), "check"},
    {2, LOOKED(100, 900, 9), ""},
    {2, IS_READY(A), "capture > capturing"},
    {3, CAPTURED(A), "> done"},
};

/* Without a condition it settles as a document that was navigated to. */
static const struct step settles[] = {
    {1, TRANSITED(A), ""},
    {2, LOOKED(600, 900, 9), "grant 500"},
    {3, EXPIRED(), "look"},
    {4, LOOKED(1100, 900, 9), "frame"},
    {12, FRAMED(A), "grant 500"},
    {13, EXPIRED(), "look"},
    {14, LOOKED(2600, 900, 9), "capture > capturing"},
    {15, CAPTURED(A), "> done"},
};

/* An exception is the answer, and the page is as good as before. */
static const struct step throws[] = {
    {2, LOOKED(600, 900, 9), "grant 500"},
    {3, THREW(RENDER_FACT_TRANSITED), "pause > done"},
};

static const struct step result_throws[] = {
    {1, TRANSITED(A), "check"},
    {2, LOOKED(100, 900, 9), ""},
    {2, IS_READY(A), "capture > capturing"},
    {3, THREW(RENDER_FACT_CAPTURED), "> done"},
};

/* The script navigates: what it awaited is lost, and the new document is waited for. */
static const struct step navigates[] = {
    {1, STARTED(B), ""},
    {2, LOOKED(100, 900, 9), ""},
    {5, COMMITTED(B), "prepare, grant 500 > loading"},
    {6, TRANSITED(A), ""},
    {9, LOADED(B), "look, check > settling"},
    {10, LOOKED(200, 990, 9), ""},
    {11, IS_READY(B), "capture > capturing"},
    {12, CAPTURED(B), "pause > done"},
};

/* The result went away with its document; that of the next one is asked for. */
static const struct step navigates_late[] = {
    {1, TRANSITED(A), "check"},
    {2, LOOKED(100, 900, 9), ""},
    {2, IS_READY(A), "capture > capturing"},
    {3, NOT_CAPTURED(A), ""},
    {23, TICK(), "prepare, capture"},
    {24, CAPTURED(A), "> done"},
};

/* At the deadline there is nothing to answer, whatever held it. */
static const struct step never_ready[] = {
    {1, TRANSITED(A), "check"},
    {2, LOOKED(600, 900, 9), ""},
    {2, IS_NOT(A), "grant 500"},
    {9970, TICK(), "> done"},
};

static const struct step never_back[] = {
    {2, LOOKED(600, 900, 9), "grant 500"},
    {9970, TICK(), "> done"},
};

/* An image is made of what the script has brought, and is confirmed like any other. */
static const struct step with_an_image[] = {
    {1, TRANSITED(A), "check"},
    {2, LOOKED(100, 900, 9), ""},
    {2, IS_READY(A), "capture > capturing"},
    {3, CAPTURED(A), "capture png"},
    {4, MADE(A, OUTPUT_PNG, 100), "measure"},
    {5, MEASURED(A, 200, 100), "> done"},
};

#define UNTIL(table, verdict)                                                                      \
    WAITING(table, WAIT_LOAD, ON_TIMEOUT_ERROR, verdict, .has_conditions = true,                   \
            .is_hastening = true)

static const struct render_case cases[] = {
    UNTIL(until_ready, "complete ok 0, 0 0 22 3, good"),
    UNTIL(needs_frames, "complete ok 0, 0 0 18 1, good"),
    UNTIL(at_once, "complete ok 0, 0 0 2 1, good"),
    CASE(settles, WAIT_AUTO, ON_TIMEOUT_ERROR, "complete ok 0, 0 0 14 1, good"),
    UNTIL(throws, "failed script_failed 0, 0 0 3 0, good"),
    UNTIL(result_throws, "failed script_failed 0, 0 0 2 1, good"),
    UNTIL(navigates, "complete ok 0, 0 4 7 1, good"),
    UNTIL(navigates_late, "complete ok 0, 0 0 2 22, good"),
    {"with_an_image",
     with_an_image,
     sizeof with_an_image / sizeof with_an_image[0],
     WAIT_LOAD,
     ON_TIMEOUT_ERROR,
     "complete ok 200, 0 0 2 3, good",
     {.has_conditions = true, .is_hastening = true},
     OUTPUT_BIT(OUTPUT_HTML) | OUTPUT_BIT(OUTPUT_PNG)},
    UNTIL(never_ready, "failed render_timeout 0, 0 0 9970 0, bad"),
    UNTIL(never_back, "failed render_timeout 0, 0 0 9970 0, bad"),
};

START_TEST(tables)
{
    run_transit_case(&cases[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render transit");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
