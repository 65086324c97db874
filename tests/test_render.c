/* test_render.c: the render machine in tables: navigation, milestones, deadlines, capture;
 * and its invariants under random facts. */
#include "tests/render_case.h"
#include "tests/suite.h"

/* The wait `load` goes on to its deadline instead, and is partial. */
static const struct step load_is_late[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {12, PARSED(A), ""},
    {8999, TICK(), ""},
    {9000, TICK(), "pause, measure, survey, look > capturing"},
    {9001, MEASURED(A, 200, 100), "capture"},
    {9002, CAPTURED(A), "> done"},
};

static const struct step load_is_an_error[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9000, TICK(), ""},
    {9970, TICK(), "> done"},
};

static const struct step until_load[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9, EXPIRED(), "grant 500"},
    {12, PARSED(A), ""},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 404, 100), "capture"},
    {15, CAPTURED(A), "pause > done"},
};

static const struct step until_parsed[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {12, PARSED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, CAPTURED(A), "pause > done"},
};

static const struct step until_committed[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, measure > capturing"},
    {9, MEASURED(A, 200, 100), "capture"},
    {10, CAPTURED(A), "> done"},
};

/* A document that commits before its reply, and one that belongs to an earlier render. */
static const struct step commit_before_reply[] = {
    {3, COMMITTED(D), ""}, {4, LOADED(D), ""},
    {5, COMMITTED(A), ""}, {6, NAVIGATED(A), "prepare, grant 500 > loading"},
    {7, LOADED(D), ""},    {8, LOADED(A), "look > settling"},
};

/* A script that never lets go: nothing is answered, it is ended, again and again. */
static const struct step spinning[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {308, TICK(), "look"},
    {3008, TICK(), "> settling"},
    {9000, TICK(), "pause, measure, survey > capturing"},
    {9242, TICK(), "terminate"},
    {9302, TICK(), "terminate"},
    {9306, LOOKED(500, 70, 9), ""},
    {9307, MEASURED(A, 200, 100), "capture"},
    {9308, CAPTURED(A), "> done"},
};

static const struct step unresponsive[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9000, TICK(), "pause, measure, survey, look > capturing"},
    {9242, TICK(), "terminate"},
    {9970, TICK(), "> done"},
    {9981, MEASURED(A, 200, 100), ""},
};

/* A page that spins when it is already being captured. */
static const struct step spins_at_capture[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {9000, TICK(), "pause, terminate"},
    {9060, TICK(), "terminate"},
    {9061, MEASURED(A, 200, 100), "capture"},
    {9062, CAPTURED(A), "> done"},
};

static const struct step never_answers[] = {
    {9000, TICK(), ""},
    {9970, TICK(), "> done"},
};

/* What commits after the soft deadline is captured at once. */
static const struct step late_commit[] = {
    {9100, NAVIGATED(A), ""},
    {9200, COMMITTED(A), "prepare, pause, measure, survey, look > capturing"},
    {9210, MEASURED(A, 200, 100), "capture"},
    {9220, CAPTURED(A), "> done"},
};

/* The error page of a failed navigation is nobody's document. */
static const struct step refused[] = {
    {5, REFUSED("net::ERR_CONNECTION_REFUSED"), "> done"},
    {8, COMMITTED_AS(A, RENDER_KIND_ERROR), ""},
};

static const struct step too_many_redirects[] = {
    {5, REFUSED("net::ERR_TOO_MANY_REDIRECTS"), "> done"},
};

/* A port that no page may reach has no host: its error page tells whose URL that was. */
#define UNRESOLVED REFUSED("net::ERR_NAME_NOT_RESOLVED")
static const struct step unresolved[] = {
    {5, UNRESOLVED, ""},
    {8, COMMITTED_AS(A, RENDER_KIND_ERROR), "> done"},
};

static const struct step unresolved_denied[] = {
    {5, UNRESOLVED, ""},
    {6, COMMITTED_AS(B, RENDER_KIND_DENIED), ""},
    {8, COMMITTED_AS(A, RENDER_KIND_DENIED), "> done"},
};

static const struct step unresolved_early[] = {
    {4, COMMITTED_AS(A, RENDER_KIND_DENIED), ""},
    {5, UNRESOLVED, "> done"},
};

static const struct step unresolved_without_page[] = {
    {5, UNRESOLVED, ""},
    {504, TICK(), ""},
    {505, TICK(), "> done"},
};

/* A browser that has just started: once more, and the error page of the first try is not
 * taken for the second's document. */
static const struct step transient[] = {
    {5, REFUSED("net::ERR_CERT_VERIFIER_CHANGED"), "navigate"},
    {6, COMMITTED_AS(A, RENDER_KIND_ERROR), ""},
    {9, NAVIGATED(B), ""},
    {12, COMMITTED(B), "prepare, grant 500 > loading"},
};

static const struct step transient_twice[] = {
    {5, REFUSED("net::ERR_NETWORK_CHANGED"), "navigate"},
    {9, REFUSED("net::ERR_NETWORK_CHANGED"), "> done"},
};

/* 204 and a crashing renderer look alike: only a living one answers the look. */
static const struct step no_content[] = {
    {1, STARTED(A), ""},
    {5, REFUSED("net::ERR_ABORTED"), "look"},
    {6, LOOKED(500, 70, 9), "> done"},
};

/* What the page showed before navigates by itself, and was quicker: ours is sent again. */
static const struct step overtaken[] = {
    {1, STARTED(A), ""},
    {2, STARTED(D), ""},
    {5, REFUSED("net::ERR_ABORTED"), "look"},
    {6, LOOKED(500, 70, 9), "navigate"},
    {7, STARTED(B), ""},
    {9, COMMITTED(D), ""},
    {12, NAVIGATED(B), ""},
    {14, COMMITTED(B), "prepare, grant 500 > loading"},
};

static const struct step download[] = {
    {5, DOWNLOAD(), "> done"},
};

/* Only the fragment differs: the document would not be loaded again. */
static const struct step same_document[] = {
    {5, NAVIGATED(0), "blank"},
    {8, NAVIGATED(B), "navigate"},
    {9, COMMITTED_AS(B, RENDER_KIND_DENIED), ""},
    {12, NAVIGATED(C), ""},
    {14, COMMITTED(C), "prepare, grant 500 > loading"},
};

static const struct step image[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED_AS(A, RENDER_KIND_OTHER), "> done"},
};

static const struct step denied[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED_AS(A, RENDER_KIND_DENIED), "> done"},
};

static const struct step plain_text[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED_AS(A, RENDER_KIND_TEXT), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "pause > done"},
};

static const struct step empty_error[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED_AS(A, RENDER_KIND_TEXT), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 404, 100), "capture"},
};

static const struct step too_large[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9, EXPIRED(), "grant 500"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 1001), "pause > done"},
};

/* The connection broke: the parser waits for what will not come. */
static const struct step truncated[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {40, STOPPED(), "measure > capturing"},
    {41, TRUNCATED(A), "pause > done"},
};

/* A page that stops its own loading is as complete as it wants to be. */
static const struct step stopped[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {40, STOPPED(), "measure > capturing"},
    {41, MEASURED(A, 200, 100), "capture"},
};

/* A navigation under way is waited for, whatever milestone the old document reaches. */
static const struct step client_redirect[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9, STARTED(B), ""},
    {10, LOADED(A), ""},
    {600, COMMITTED(B), "prepare, grant 500 > loading"},
    {601, LOADED(A), ""},
    {605, LOADED(B), "measure > capturing"},
    {606, MEASURED(B, 200, 100), "capture"},
    {607, CAPTURED(B), "pause > done"},
};

/* One that comes to nothing (a download, window.stop()) leaves the document. */
static const struct step redirect_to_nothing[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {9, STARTED(B), ""},
    {10, LOADED(A), ""},
    {50, STOPPED(), "measure > capturing"},
};

/* Another document during the capture: neither its measure nor the old document's markup
 * may be mixed with it. */
static const struct step moves_during_capture[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, STARTED(B), ""},
    {16, COMMITTED(B), "prepare, grant 500 > loading"},
    {17, CAPTURED(A), ""},
    {18, LOADED(B), "measure > capturing"},
    {18, MEASURED(A, 200, 100), ""},
    {19, MEASURED(B, 200, 100), "capture"},
    {20, CAPTURED(B), "pause > done"},
};

/* The markup came first: it is a whole, old document with its own URL and status. */
static const struct step captured_before_move[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, STARTED(B), ""},
    {16, CAPTURED(A), "pause > done"},
    {17, COMMITTED(B), ""},
};

/* Its handles died with the old document: asked again a little later. */
static const struct step capture_fails[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {13, LOADED(A), "measure > capturing"},
    {14, MEASURED(A, 200, 100), "capture"},
    {15, NOT_CAPTURED(A), ""},
    {35, TICK(), "prepare, measure"},
    {36, NOT_MEASURED(A), ""},
    {56, TICK(), "prepare, measure"},
    {57, MEASURED(A, 200, 100), "capture"},
    {58, CAPTURED(A), "pause > done"},
};

static const struct step storm[] = {
    {5, NAVIGATED(A), ""},
    {8, COMMITTED(A), "prepare, grant 500 > loading"},
    {20, COMMITTED(B), "prepare, grant 500 > loading"},
    {30, COMMITTED(C), "prepare, grant 500 > loading"},
    {40, COMMITTED(D), "> done"},
};

/* "outcome code status, phases: navigate load settle capture, page" */
static const struct render_case cases[] = {
    LOAD(load_is_late, "partial ok 200, 8 8992 0 2, bad"),
    CASE(load_is_an_error, WAIT_LOAD, ON_TIMEOUT_ERROR, "failed render_timeout 0, 8 9962 0 0, bad"),
    LOAD(until_load, "complete ok 404, 8 5 0 2, good"),
    CASE(until_parsed, WAIT_DOMCONTENTLOADED, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 4 0 3, good"),
    CASE(until_committed, WAIT_NONE, ON_TIMEOUT_PARTIAL, "complete ok 200, 8 0 0 2, good"),
    AUTO(commit_before_reply, ""),
    AUTO(spinning, "partial ok 200, 8 3000 5992 308, bad"),
    LOAD(unresponsive, "failed page_unresponsive 0, 8 8992 0 970, bad"),
    LOAD(spins_at_capture, "partial ok 200, 8 5 0 9049, bad"),
    AUTO(never_answers, "failed render_timeout 0, 9970 0 0 0, bad"),
    AUTO(late_commit, "partial ok 200, 9200 0 0 20, bad"),
    AUTO(refused, "failed navigation_failed net::ERR_CONNECTION_REFUSED 0, 5 0 0 0, good"),
    AUTO(unresolved, "failed navigation_failed net::ERR_NAME_NOT_RESOLVED 0, 8 0 0 0, good"),
    AUTO(unresolved_denied, "failed url_denied 0, 8 0 0 0, good"),
    AUTO(unresolved_early, "failed url_denied 0, 5 0 0 0, good"),
    AUTO(unresolved_without_page,
         "failed navigation_failed net::ERR_NAME_NOT_RESOLVED 0, 505 0 0 0, good"),
    AUTO(too_many_redirects, "failed too_many_redirects 0, 5 0 0 0, good"),
    AUTO(transient, ""),
    AUTO(transient_twice, "failed navigation_failed net::ERR_NETWORK_CHANGED 0, 9 0 0 0, good"),
    AUTO(no_content, "failed not_a_document 0, 6 0 0 0, good"),
    AUTO(overtaken, ""),
    AUTO(download, "failed not_a_document 0, 5 0 0 0, good"),
    AUTO(same_document, ""),
    AUTO(image, "failed not_a_document 0, 8 0 0 0, good"),
    AUTO(denied, "failed url_denied 0, 8 0 0 0, good"),
    LOAD(plain_text, "failed not_a_document 200, 8 5 0 1, good"),
    LOAD(empty_error, ""),
    LOAD(too_large, "failed output_too_large 200, 8 5 0 1, good"),
    LOAD(truncated, "failed truncated_document 200, 8 32 0 1, good"),
    LOAD(stopped, ""),
    LOAD(client_redirect, "complete ok 200, 8 597 0 2, good"),
    LOAD(redirect_to_nothing, ""),
    LOAD(moves_during_capture, "complete ok 200, 8 7 0 5, good"),
    LOAD(captured_before_move, "complete ok 200, 8 5 0 3, good"),
    LOAD(capture_fails, "complete ok 200, 8 5 0 45, good"),
    AUTO(storm, "failed redirect_storm 0, 8 32 0 0, bad"),
};

START_TEST(tables)
{
    run_case(&cases[_i]);
}
END_TEST

/* The soft and the hard deadline lie within every budget, however small. */
START_TEST(small_budgets)
{
    for (uint64_t budget_ms = 0; budget_ms < 3000; budget_ms += 7) {
        struct render render;
        struct render_commands commands;
        struct render_plan plan = {.deadline_ms = 500 + budget_ms, .capture_reserve_ms = 1000};
        render_start(&render, 500, &plan, &commands);
        render_check(&render);
        ck_assert_uint_ge(render_deadline_ms(&render), 500);
        ck_assert_uint_le(render_deadline_ms(&render), 500 + budget_ms);
        const struct render_fact tick = TICK();
        render_step(&render, 500 + budget_ms, &tick, &commands);
        ck_assert_int_eq(render.state, RENDER_DONE);
        ck_assert_uint_eq(render_deadline_ms(&render), UINT64_MAX);
    }
}
END_TEST

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Any facts at any time: the checker holds, ticks end, and the end comes in time. */
START_TEST(random_facts)
{
    static const uint64_t loaders[] = {0, A, B, C, D};
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;

    for (int run = 0; run < 2000; run++) {
        struct render render;
        struct render_commands commands;
        uint64_t now_ms = 0;
        double virtual_ms = 0;
        enum wait_until until = (enum wait_until)(next(&seed) % (WAIT_NONE + 1));
        const struct render_wait wait = {
            .has_flag = next(&seed) % 2 == 0,
            .has_conditions = next(&seed) % 2 == 0,
            .is_hastening = next(&seed) % 2 == 0,
            .flag_grace_ms = (uint32_t)(next(&seed) % 2000),
            .delay_ms = (uint32_t)(next(&seed) % 3 * 1000),
            .is_real = next(&seed) % 4 == 0,
            .quiet =
                {
                    .is_awaited = until == WAIT_NETWORKIDLE || next(&seed) % 4 == 0,
                    .quiet_ms = (uint32_t)(next(&seed) % 3 * 300),
                    .connections = (uint32_t)(next(&seed) % 3),
                },
        };
        start(&render, until, (enum on_timeout)(next(&seed) % 2), &wait,
              (uint32_t)(next(&seed) % OUTPUT_BIT(OUTPUTS)), &commands);
        for (int i = 0; i < 400 && render.state != RENDER_DONE; i++) {
            struct render_fact fact = {
                .type = (enum render_fact_type)(next(&seed) % (RENDER_FACT_TICK + 1)),
                .loader = loaders[next(&seed) % 5],
                .kind =
                    next(&seed) % 16 == 0 ? (enum render_kind)(next(&seed) % 5) : RENDER_KIND_HTML,
                .ok = next(&seed) % 8 != 0,
                .output = (enum output)(next(&seed) % OUTPUTS),
                .code = next(&seed) % 16 == 0 ? RENDER_OUTPUT_FAILED : RENDER_OK,
                .bytes = next(&seed) % 400,
                .flag = (enum render_flag)(next(&seed) % 3),
                .net_error = next(&seed) % 16 == 0 ? "net::ERR_ABORTED" : NULL,
            };
            if (next(&seed) % 4 == 0)
                now_ms += next(&seed) % 100;
            virtual_ms += (double)(next(&seed) % 600);
            fact.look.virtual_ms = virtual_ms;
            fact.look.script_us = (double)(next(&seed) % 3000);
            fact.look.nodes = next(&seed) % 3;
            fact.look.workers = next(&seed) % 8 == 0 ? 1 : 0;
            fact.active = (uint32_t)(next(&seed) % 3);
            fact.pending = fact.active + (uint32_t)(next(&seed) % 3);
            fact.measure.bytes = next(&seed) % 1100;
            fact.measure.status = 200;
            render_step(&render, now_ms, &fact, &commands);
            render_check(&render);
        }
        const struct render_fact tick = TICK();
        for (int i = 0; i < 2000 && render.state != RENDER_DONE; i++) {
            uint64_t due_ms = render_deadline_ms(&render);
            ck_assert_uint_le(due_ms, 10000);
            now_ms = due_ms > now_ms ? due_ms : now_ms;
            render_step(&render, now_ms, &tick, &commands);
            render_check(&render);
        }
        ck_assert_int_eq(render.state, RENDER_DONE);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render");
    TCase *tcase = tcase_create("machine");

    tcase_add_loop_test(tcase, tables, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, small_budgets);
    tcase_add_loop_test(tcase, random_facts, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
