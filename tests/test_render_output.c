/* test_render_output.c: the render machine in tables: several outputs of one visit, in order,
 * of one document, within their bounds and their time. */
#include "tests/render_case.h"
#include "tests/suite.h"

#define SET(a, b, c) (OUTPUT_BIT(a) | OUTPUT_BIT(b) | OUTPUT_BIT(c))
#define HTML OUTPUT_HTML
#define TEXT OUTPUT_TEXT
#define PNG OUTPUT_PNG
#define MHTML OUTPUT_MHTML
#define VALUE OUTPUT_EXPRESSION

#define SURVEYED()                                                                                 \
    {                                                                                              \
        .type = RENDER_FACT_SURVEYED, .ok = true                                                   \
    }
#define NOT_FRAMED(id)                                                                             \
    {                                                                                              \
        .type = RENDER_FACT_FRAMED, .loader = (id)                                                 \
    }

/* The expression first, then what the page makes, then what is made of it, and the page is
 * asked whether it is still there. */
static const struct step in_order[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "capture expression > capturing"},
    {14, EXPIRED(), "grant 500"},
    {15, MADE(A, VALUE, 10), "pause, measure"},
    {16, MEASURED(A, 200, 100), "capture"},
    {17, CAPTURED(A), "capture png"},
    {18, MADE(A, PNG, 100), "measure"},
    {19, MEASURED(A, 200, 100), "> done"},
};

/* What was made of the old document is made again, whatever is still to come of it. */
static const struct step begins_again[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture text"},
    {16, MADE(A, TEXT, 100), "capture png"},
    {17, COMMITTED(B), "prepare, grant 500 > loading"},
    {18, MADE(A, PNG, 100), ""},
    {19, LOADED(B), "measure > capturing"},
    {20, MEASURED(B, 200, 100), "capture"},
    {21, CAPTURED(B), "capture text"},
    {22, MADE(B, PNG, 100), ""},
    {23, MADE(B, TEXT, 100), "capture png"},
    {24, MADE(B, PNG, 100), "measure"},
    {25, MEASURED(B, 200, 100), "pause > done"},
};

/* The image may be of another document: all is made again. */
static const struct step unconfirmed[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {16, MADE(A, PNG, 100), "measure"},
    {17, NOT_MEASURED(A), ""},
    {37, TICK(), "prepare, measure"},
    {38, MEASURED(A, 200, 100), "capture"},
    {39, CAPTURED(A), "capture png"},
    {40, MADE(A, PNG, 100), "measure"},
    {41, MEASURED(A, 200, 100), "pause > done"},
};

/* The bound is for all of them together. */
static const struct step too_much[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, MADE(A, HTML, 600), "capture text"},
    {16, MADE(A, TEXT, 401), "pause > done"},
};

static const struct step cannot_be_made[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {16, NOT_MADE(A, PNG, RENDER_OUTPUT_FAILED), "pause > done"},
};

/* MHTML needs the clock to go on, whatever is pending, and leaves it standing. */
static const struct step needs_the_clock[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, EXPIRED(), ""},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "capture mhtml, advance 100"},
    {17, EXPIRED(), "advance 100"},
    {18, MADE(A, MHTML, 100), "pause, capture png"},
    {19, MADE(A, PNG, 100), "measure"},
    {20, MEASURED(A, 200, 100), "> done"},
};

/* A promise that never settles is given up at the soft deadline, and its clock is paced. */
static const struct step never_settles[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "capture expression > capturing"},
    {14, EXPIRED(), "grant 500"},
    {9000, TICK(), "pause, terminate, measure"},
    {9001, MADE(A, VALUE, 5), ""},
    {9002, MEASURED(A, 200, 100), "capture"},
    {9003, CAPTURED(A), "> done"},
};

/* There is nothing else to answer with. */
static const struct step value_alone[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "capture expression > capturing"},
    {9970, TICK(), "> done"},
};

/* At the hard deadline what is there is the result, but for what nobody has confirmed. */
static const struct step out_of_time[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {9970, MADE(A, PNG, 100), "> done"},
};

/* An image that does not come is asked for again: its frame was lost. */
static const struct step frame_is_lost[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {1015, TICK(), "capture png, frame, survey"},
    {1016, SURVEYED(), ""},
    {1020, MADE(A, PNG, 100), "measure"},
    {1021, MEASURED(A, 200, 100), "pause > done"},
};

/* A page that answers and has no frame will never have one: it is given up. */
static const struct step frames_are_over[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {1015, TICK(), "capture png, frame, survey"},
    {1016, SURVEYED(), ""},
    {1515, NOT_FRAMED(A), ""},
    {2015, TICK(), "abandon"},
};

/* It paints: the image is large, and takes its time. */
static const struct step image_is_slow[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {1015, TICK(), "capture png, frame, survey"},
    {1016, SURVEYED(), ""},
    {1200, FRAMED(A), ""},
    {2015, TICK(), ""},
    {7000, MADE(A, PNG, 100), "measure"},
    {7001, MEASURED(A, 200, 100), "pause > done"},
};

/* A page that does not even answer may be busy, and is dealt with at the soft deadline. */
static const struct step page_is_busy[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {1015, TICK(), "capture png, frame, survey"},
    {1515, NOT_FRAMED(A), ""},
    {2015, TICK(), ""},
    {9000, TICK(), "pause, terminate"},
    {9001, MADE(A, PNG, 100), "measure"},
    {9002, MEASURED(A, 200, 100), "> done"},
};

/* What comes of the next document is not held against the image of the one before. */
static const struct step leaves_its_image[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "capture png"},
    {1000, COMMITTED(B), "prepare, grant 500 > loading"},
    {1015, TICK(), ""},
    {1016, LOADED(B), "measure > capturing"},
    {1017, MEASURED(B, 200, 100), "capture"},
    {1018, CAPTURED(B), "capture png"},
    {2017, TICK(), ""},
    {2018, TICK(), "capture png, frame, survey"},
    {2019, MADE(B, PNG, 100), "measure"},
    {2020, MEASURED(B, 200, 100), "pause > done"},
};

/* A page that is late is asked for its value last: it may hang in it. */
static const struct step value_last[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9000, TICK(), "pause, measure, survey, look > capturing"},
    {9001, MEASURED(A, 200, 100), "capture"},
    {9002, CAPTURED(A), "capture expression"},
    {9003, MADE(A, VALUE, 5), "> done"},
};

static const struct render_case cases[] = {
    MAKING(in_order, SET(HTML, PNG, VALUE), ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 0 6, good"),
    MAKING(begins_again, SET(HTML, TEXT, PNG), ON_TIMEOUT_PARTIAL,
           "complete ok 200, 8 7 0 10, good"),
    MAKING(unconfirmed, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL, "complete ok 200, 8 5 0 28, good"),
    MAKING(too_much, SET(HTML, TEXT, TEXT), ON_TIMEOUT_PARTIAL,
           "failed output_too_large 200, 8 5 0 3, good"),
    MAKING(cannot_be_made, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL,
           "failed output_failed 200, 8 5 0 3, good"),
    MAKING(needs_the_clock, SET(HTML, MHTML, PNG), ON_TIMEOUT_PARTIAL,
           "complete ok 200, 8 5 0 7, good"),
    MAKING(never_settles, SET(HTML, VALUE, VALUE), ON_TIMEOUT_PARTIAL,
           "partial ok 200, 8 5 0 8990, bad"),
    MAKING(value_alone, SET(VALUE, VALUE, VALUE), ON_TIMEOUT_ERROR,
           "failed render_timeout 0, 8 5 0 9957, bad"),
    MAKING(out_of_time, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL, "partial ok 200, 8 5 0 9957, bad"),
    MAKING(frame_is_lost, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL,
           "complete ok 200, 8 5 0 1008, good"),
    MAKING(frames_are_over, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL, ""),
    MAKING(image_is_slow, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL,
           "complete ok 200, 8 5 0 6988, good"),
    MAKING(page_is_busy, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL,
           "partial ok 200, 8 5 0 8989, bad"),
    MAKING(leaves_its_image, SET(HTML, PNG, PNG), ON_TIMEOUT_PARTIAL,
           "complete ok 200, 8 21 0 1991, good"),
    MAKING(value_last, SET(HTML, VALUE, VALUE), ON_TIMEOUT_PARTIAL,
           "partial ok 200, 8 8992 0 3, bad"),
};

START_TEST(tables)
{
    run_case(&cases[_i]);
}
END_TEST

/* What a partial result lacks it does not claim to have. */
START_TEST(only_what_is_confirmed_is_made)
{
    struct render render;
    struct render_commands commands;
    struct render_result result = {.outcome = RENDER_FAILED};
    const struct render_wait wait = {.delay_ms = 0};

    start(&render, WAIT_LOAD, ON_TIMEOUT_PARTIAL, &wait, SET(HTML, PNG, VALUE), &commands);
    for (size_t i = 0; i < sizeof value_last / sizeof value_last[0] - 1; i++)
        render_step(&render, value_last[i].now_ms, &value_last[i].fact, &commands);
    const struct render_fact painted = MADE(A, PNG, 5), tick = TICK();
    render_step(&render, 9003, &painted, &commands);
    render_step(&render, 9970, &tick, &commands);
    ck_assert_int_eq(render.state, RENDER_DONE);
    render_verdict(&render, &result);
    ck_assert_int_eq(result.outcome, RENDER_PARTIAL);
    ck_assert_uint_eq(result.outputs_made, OUTPUT_BIT(HTML));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render outputs");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, only_what_is_confirmed_is_made);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
