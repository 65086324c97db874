/* test_render_settle.c: the render machine in tables: virtual time, frames and looks. */
#include "tests/render_case.h"
#include "tests/suite.h"

/* A page without a script: nothing to wait for after the load event. Its clock is 500 ms
 * ahead when it begins, as in all tables. */
static const struct step static_page[] = {
    BEGIN,
    {12, PARSED(A), ""},
    {13, LOADED(A), "look > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 70, 9), "measure > capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "> done"},
    {17, EXPIRED(), ""},
};

/* What is left of a grant would be spent on the next document: it is taken back. */
static const struct step grant_is_taken_back[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 70, 9), "measure > capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "pause > done"},
};

/* A refresh without a script still needs its time to pass. */
static const struct step refresh_is_awaited[] = {
    BEGIN,
    {12, SCHEDULED(), ""},
    {13, LOADED(A), "look > settling"},
    {14, EXPIRED(), ""},
    {16, LOOKED(1000, 70, 9), "grant 2000"},
    {19, STARTED(B), ""},
    {20, EXPIRED(), ""},
    {22, COMMITTED(B), "prepare, grant 500 > loading"},
    {23, LOADED(B), "look > settling"},
    {24, LOOKED(1400, 70, 9), "measure > capturing"},
    {24, MEASURED(B, 200, 100), "capture"},
    {25, CAPTURED(B), "pause > done"},
};

/* After the first slice, and the slice that comes with it is all that is left. */
static const struct step script_owes_a_frame[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    {16, EXPIRED(), "look"},
    {17, LOOKED(1000, 910, 9), "frame"},
    {30, FRAMED(A), "grant 1600"},
    {31, EXPIRED(), "look, measure"},
    {32, LOOKED(2600, 910, 9), "> capturing"},
    {32, MEASURED(A, 200, 100), "capture"},
    {33, CAPTURED(A), "> done"},
};

/* What was left of a slice at the load event belongs to settling. */
static const struct step load_within_a_slice[] = {
    BEGIN,
    {13, LOADED_AT(A, 520), "look > settling"},
    {14, EXPIRED(), ""},
    {15, LOOKED(1000, 900, 9), "frame"},
    {30, FRAMED(A), "grant 1520"},
};

/* A clock that has fallen behind while the page loaded begins with what it is behind. */
static const struct step load_behind[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {900, LOADED_AT(A, 600), "look > settling"},
    {901, EXPIRED(), ""},
    {902, LOOKED(1000, 900, 9), "frame"},
    {920, FRAMED(A), "grant 1902"},
};

/* What moves the page owes it another frame, up to the last moment. */
static const struct step work_owes_frames[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {14, LOOKED(1000, 900, 9), ""},
    {15, EXPIRED(), "look"},
    {16, LOOKED(1000, 2000, 9), "frame"},
    {30, FRAMED(A), "grant 2000"},
    {31, EXPIRED(), "look, measure"},
    {32, LOOKED(3000, 3000, 9), "frame"},
    {32, MEASURED(A, 200, 110), ""},
    {48, FRAMED(A), "grant 500"},
    {49, EXPIRED(), "look, measure"},
    {50, LOOKED(3500, 3010, 12), "frame"},
    {50, MEASURED(A, 200, 120), ""},
    {66, FRAMED(A), "grant 500"},
    {67, EXPIRED(), "look, measure"},
    {68, LOOKED(4000, 3020, 12), "> capturing"},
    {68, MEASURED(A, 200, 130), "capture"},
    {69, CAPTURED(A), "> done"},
};

/* Frames are late while the page's clock is behind: slices come first. The time that the
 * load took in real time is not counted as settling. */
static const struct step clock_behind[] = {
    BEGIN,
    {1400, LOADED(A), "look > settling"},
    {1401, EXPIRED(), ""},
    {1403, LOOKED(500, 900, 9), "grant 2903"},
    {1404, EXPIRED(), "look"},
    {1405, LOOKED(3403, 900, 9), "frame"},
    {1420, FRAMED(A), "grant 500"},
};

/* The clock stands still, and the page waits: twice in a row that is looked at. */
#define STANDS_STILL                                                                               \
    {163, TICK(), "look"}, {164, LOOKED(600, 910, 9), ""}, {313, TICK(), "look"},                  \
    {                                                                                              \
        314, LOOKED(600, 910, 9), "inspect"                                                        \
    }

/* A fetch holds the slice; it is waited for, and looked at. */
static const struct step slow_fetch[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    {162, TICK(), ""},
    STANDS_STILL,
    {340, STREAMS(false), ""},
    {463, TICK(), "look"},
    {464, LOOKED(600, 910, 9), ""},
    {700, EXPIRED(), "look"},
    {701, LOOKED(1000, 910, 9), "frame"},
};

/* A page that works all the while is not held up by an inspection, which takes it tens of
 * milliseconds. */
static const struct step slow_script[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    {163, TICK(), "look"},
    {164, LOOKED(600, 910, 9), ""},
    {313, TICK(), "look"},
    {314, BUSY(600, 910, 9, 37500), ""},
    {463, TICK(), "look"},
    {464, BUSY(600, 910, 9, 74999), ""},
    {613, TICK(), "look"},
    {614, BUSY(600, 910, 9, 75000), "inspect"},
};

/* A request that does not end: after stuck_request_ms the rest is granted without regard
 * to it. Such a page works in real time, so it is given frames until it has been quiet. */
static const struct step stuck_fetch[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 70, 9), "measure > capturing"},
    {15, MEASURED(A, 200, 100), "capture"},
    {16, CAPTURED(A), "pause > done"},
};

static const struct step stuck_fetch_of_script[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    {163, TICK(), "look"},
    {164, LOOKED(600, 910, 9), ""},
    {3015, TICK(), "advance"},
    {3016, EXPIRED(), "look"},
    {3017, LOOKED(3200, 910, 9), "frame"},
    {3034, FRAMED(A), "advance 50"},
    {3035, EXPIRED(), "look"},
    {3036, LOOKED(3700, 910, 9), "frame"},
    {3052, FRAMED(A), "advance 50"},
    {3053, EXPIRED(), "look"},
    {3054, LOOKED(3750, 910, 9), "frame"},
};

/* A stream is known for what it is, and waited for less. Then the clock moves without it,
 * and no frame is awaited that no script calls for. */
static const struct step stream[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    STANDS_STILL,
    {340, STREAMS(true), ""},
    {463, TICK(), "look"},
    {464, LOOKED(600, 910, 9), ""},
    {514, TICK(), ""},
    {515, TICK(), "advance"},
    {516, EXPIRED(), "look"},
    {517, LOOKED(1100, 910, 9), "frame"},
    {530, FRAMED(A), "advance 1500"},
    {531, EXPIRED(), "look, measure"},
    {532, LOOKED(2600, 910, 9), "survey > capturing"},
};

/* Once it has brought what it had brought to the render before, it is waited for no longer
 * than a pause. */
static const struct step stream_heard[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {15, LOOKED(600, 900, 9), ""},
    {40, STREAMS(true), ""},
    {60, HEARD(), ""},
    {159, HEARD(), ""},
    {163, TICK(), "look"},
    {164, LOOKED(600, 910, 9), ""},
    {258, TICK(), ""},
    {259, TICK(), "advance"},
    {260, EXPIRED(), "look"},
};

/* What else is pending is waited for all the same. */
static const struct step stream_heard_before[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {14, HEARD(), ""},
    {15, LOOKED(600, 900, 9), ""},
    STANDS_STILL,
    {340, STREAMS(true), ""},
    {340, TICK(), "advance"},
};

/* An image that does not come holds the load event; `auto` goes on without it. */
static const struct step stuck_load[] = {
    BEGIN,
    {12, PARSED(A), ""},
    {158, TICK(), "look"},
    {159, LOOKED(500, 70, 9), ""},
    {308, TICK(), "look"},
    {309, LOOKED(500, 70, 9), ""},
    {3159, TICK(), "look > settling"},
    {3160, LOOKED(500, 70, 9), "advance 500"},
};

/* Workers run in real time: frames until the page has been quiet for six looks, and hardly
 * any virtual time meanwhile. */
static const struct step worker[] = {
    BEGIN,
    {13, LOADED(A), "look > settling"},
    {14, EXPIRED(), ""},
    {16, WORKING(2000, 900, 9), "frame"},
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
    AUTO(refresh_is_awaited, "complete ok 200, 8 6 10 1, good"),
    AUTO(script_owes_a_frame, "complete ok 200, 8 5 19 1, good"),
    AUTO(load_within_a_slice, ""),
    AUTO(load_behind, ""),
    AUTO(work_owes_frames, "complete ok 200, 8 5 55 1, good"),
    AUTO(clock_behind, ""),
    AUTO(slow_fetch, ""),
    AUTO(slow_script, ""),
    AUTO(stuck_fetch, "complete ok 200, 8 5 2 1, good"),
    AUTO(stuck_fetch_of_script, ""),
    AUTO(stream, ""),
    AUTO(stream_heard, ""),
    AUTO(stream_heard_before, ""),
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
