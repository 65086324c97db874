/* test_render_settle.c: the render machine in tables: virtual time, frames and looks. */
#include "tests/render_case.h"
#include "tests/suite.h"

/* A page without a script: nothing to wait for after the load event. Its clock is 500 ms
 * ahead when it begins, as in all tables. */
static const struct step static_page[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {12, PARSED(A), ""},
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 70, 9), "> capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "> done"},
    {17, EXPIRED(), ""},
};

/* What is left of a grant would be spent on the next document: it is taken back. */
static const struct step grant_is_taken_back[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {15, LOOKED(600, 70, 9), "> capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "pause > done"},
};

/* A refresh without a script still needs its time to pass. */
static const struct step refresh_is_awaited[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {12, SCHEDULED(), ""},
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 70, 9), "look, grant 500"},
    {16, MEASURED(A, 200, 100), ""},
    {16, LOOKED(1500, 70, 9), ""},
    {17, STARTED(B), ""},
    {18, EXPIRED(), ""},
    {20, COMMITTED(B), "prepare, grant 500 > loading"},
    {21, LOADED(B), "look, measure > settling"},
    {22, LOOKED(1400, 70, 9), "> capturing"},
    {22, MEASURED(B, 200, 100), "capture"},
    {23, CAPTURED(B), "pause > done"},
};

/* A script has run, so a frame is owed; it has brought nothing, so the rest are slices,
 * each judged one slice late, and a last look with nothing out. */
static const struct step script_owes_a_frame[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), "grant 500"},
    {31, EXPIRED(), "look, grant 500"},
    {32, LOOKED(2000, 910, 9), ""},
    {33, EXPIRED(), "look, grant 500"},
    {34, LOOKED(2500, 910, 9), ""},
    {35, EXPIRED(), "look, measure"},
    {36, LOOKED(3000, 910, 9), "> capturing"},
    {36, MEASURED(A, 200, 100), "capture"},
    {37, CAPTURED(A), "> done"},
};

/* What moves the page owes it another frame, up to the last moment. */
static const struct step work_owes_frames[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), "grant 500"},
    {31, EXPIRED(), "look, grant 500"},
    {32, LOOKED(2000, 2000, 9), "frame"},
    {33, EXPIRED(), ""},
    {48, FRAMED(A), "grant 500"},
    {49, EXPIRED(), "look, measure"},
    {50, LOOKED(3000, 2010, 12), "frame"},
    {50, MEASURED(A, 200, 120), ""},
    {66, FRAMED(A), "grant 500"},
    {67, EXPIRED(), "look, measure"},
    {68, LOOKED(3500, 2020, 12), "> capturing"},
    {68, MEASURED(A, 200, 130), "capture"},
    {69, CAPTURED(A), "> done"},
};

/* Frames are late while the page's clock is behind: slices come first. The time that the
 * load took in real time is not counted as settling. A slice after one that has brought
 * nothing is longer. */
static const struct step clock_behind[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {1400, LOADED(A), "look, measure > settling"},
    {1401, EXPIRED(), ""},
    {1402, LOOKED(500, 900, 9), "grant 500"},
    {1402, MEASURED(A, 200, 100), ""},
    {1403, EXPIRED(), "frame"},
    {1418, FRAMED(A), "grant 500"},
    {1419, EXPIRED(), "look, grant 500"},
    {1420, LOOKED(2000, 910, 9), ""},
    {1421, EXPIRED(), "look, grant 1000"},
    {1422, LOOKED(2500, 910, 9), ""},
    {1423, EXPIRED(), "look, measure"},
    {1424, LOOKED(3500, 910, 9), "> capturing"},
};

/* A fetch holds the slice; it is waited for, and looked at. */
static const struct step slow_fetch[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {15, LOOKED(600, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), ""},
    {312, TICK(), ""},
    {313, TICK(), "look, inspect"},
    {314, LOOKED(600, 910, 9), ""},
    {340, STREAMS(false), ""},
    {613, TICK(), "look"},
    {614, LOOKED(600, 910, 9), ""},
    {700, EXPIRED(), "look, grant 500"},
};

/* A request that does not end: after stuck_request_ms the rest is granted without regard
 * to it. Such a page works in real time, so it is given frames until it has been quiet. */
static const struct step stuck_fetch[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {15, LOOKED(600, 70, 9), "> capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "pause > done"},
};

static const struct step stuck_fetch_of_script[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {15, LOOKED(600, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), ""},
    {315, TICK(), "look, inspect"},
    {316, LOOKED(600, 910, 9), ""},
    {3015, TICK(), "advance 500"},
    {3016, EXPIRED(), "look"},
    {3017, LOOKED(1100, 910, 9), "advance 500"},
    {3018, EXPIRED(), "look"},
    {3019, LOOKED(3600, 910, 9), "frame"},
    {3034, FRAMED(A), "advance 50"},
    {3035, EXPIRED(), "look"},
    {3036, LOOKED(3650, 910, 9), "frame"},
};

/* A stream is known for what it is, and waited for less. Then the clock moves without it,
 * and no frame is awaited that no script calls for. */
static const struct step stream[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {15, LOOKED(600, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), ""},
    {315, TICK(), "look, inspect"},
    {316, LOOKED(600, 910, 9), ""},
    {340, STREAMS(true), ""},
    {1015, TICK(), "advance 500"},
    {1016, EXPIRED(), "look, advance 500"},
    {1017, LOOKED(1100, 910, 9), ""},
    {1018, EXPIRED(), "look, advance 1000"},
    {1019, LOOKED(1600, 910, 9), ""},
    {1020, EXPIRED(), "look, measure"},
    {1021, LOOKED(2600, 910, 9), "survey > capturing"},
};

/* An image that does not come holds the load event; `auto` goes on without it. */
static const struct step stuck_load[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {12, PARSED(A), ""},
    {308, TICK(), "look"},
    {309, LOOKED(500, 70, 9), ""},
    {608, TICK(), "look"},
    {609, LOOKED(500, 70, 9), ""},
    {3309, TICK(), "look, measure > settling"},
    {3310, LOOKED(500, 70, 9), "advance 500"},
};

/* Workers run in real time: frames until the page has been quiet for six looks, and hardly
 * any virtual time meanwhile. */
static const struct step worker[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "look, measure > settling"},
    {14, EXPIRED(), ""},
    {15, WORKING(2000, 900, 9), "frame"},
    {15, MEASURED(A, 200, 100), ""},
    {30, FRAMED(A), "grant 500"},
    {31, EXPIRED(), "look"},
    {32, WORKING(3000, 910, 9), "frame"},
    {48, FRAMED(A), "grant 500"},
    {49, EXPIRED(), "look"},
    {50, WORKING(4000, 910, 9), "frame"},
    {66, FRAMED(A), "grant 50"},
    {67, EXPIRED(), "look"},
    {68, WORKING(4050, 1910, 12), "frame"},
    {84, FRAMED(A), "grant 50"},
    {85, EXPIRED(), "look"},
    {86, WORKING(4100, 1920, 12), "frame"},
};

/* A document that neither loads nor waits for anything: after the free slices, its clock
 * goes by ours. */
static const struct step paced[] = {
    {5, NAVIGATED(A), ""},       {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {9, EXPIRED(), "grant 500"},
    {9, EXPIRED(), "grant 500"}, {10, EXPIRED(), ""},
    {509, TICK(), ""},           {510, TICK(), "grant 500"},
};

/* "outcome code status, phases: navigate load settle capture, page" */
static const struct render_case cases[] = {
    AUTO(static_page, "complete ok 200, 8 5 2 1, good"),
    AUTO(grant_is_taken_back, "complete ok 200, 8 5 2 1, good"),
    AUTO(refresh_is_awaited, "complete ok 200, 8 6 8 1, good"),
    AUTO(script_owes_a_frame, "complete ok 200, 8 5 23 1, good"),
    AUTO(work_owes_frames, "complete ok 200, 8 5 55 1, good"),
    AUTO(clock_behind, ""),
    AUTO(slow_fetch, ""),
    AUTO(stuck_fetch, "complete ok 200, 8 5 2 1, good"),
    AUTO(stuck_fetch_of_script, ""),
    AUTO(stream, ""),
    AUTO(stuck_load, ""),
    AUTO(worker, ""),
    AUTO(paced, ""),
};

START_TEST(tables)
{
    run_case(&cases[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render_settle");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
