/* test_faults.c: pages that do not end, processes that die, clients that leave. A fault
 * costs the request that met it at most; every other one is answered as if nothing was. */
#include <check.h>
#include <signal.h>
#include <string.h>
#include "tests/system/process.h"
#include "tests/system/stage.h"

static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};
static const char *const five_pages[] = {"--pool.pages_min=5", "--pool.pages_max=5",
                                         "--pool.contraction_idle_ms=600000", NULL};

static pid_t browser_pid(const struct stage *stage)
{
    struct pool_view view;
    harness_view(stage->harness, &view);
    demand(view.browser > 1, "no browser is up");
    return view.browser;
}

static bool is_gone(void *pid)
{
    return !process_is_alive(*(pid_t *)pid);
}

/* The renderer that has used most of the processor. */
static pid_t busiest_renderer(pid_t browser)
{
    pid_t pids[PROCESSES_MAX], busiest = 0;
    uint64_t most_ms = 0;
    size_t count = process_list_renderers(browser, pids);
    for (size_t i = 0; i < count; i++) {
        uint64_t ms = process_cpu_ms(pids[i]);
        if (ms >= most_ms) {
            most_ms = ms;
            busiest = pids[i];
        }
    }
    return busiest;
}

#define SPIN_MS 5000

/* A script that does not end is answered at its deadline; ten others beside it are right
 * and done before that; five seconds later nothing spins any more. */
static void render_spinner(const char *path, const char *until_name)
{
    struct stage stage = stage_open(five_pages);
    struct flight *spinner = flight_new(stage.harness->address);
    struct flight *others = flight_new(stage.harness->address);
    flight_render(spinner, "{s:s, s:s, s:i, s:{s:s}}", "url", origin_url(stage.origin, "%s", path),
                  "affinity", "spinner", "timeoutMs", SPIN_MS, "wait", "until", until_name);
    for (int i = 0; i < 10; i++) {
        flight_render(others, "{s:s, s:s}", "url", origin_url(stage.origin, "/static?n=%d", i),
                      "affinity", i % 2 == 0 ? "even" : "odd");
    }
    demand(flight_wait_all(others, 60000), "the others wait for the spinner");
    for (size_t i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof(text), "page %zu</p>", i);
        expect_reply(flight_reply(others, i), 200, text);
    }
    flight_pump(spinner, 0);
    demand(!flight_is_done(spinner, 0), "the spinner was answered first");
    pid_t renderer = busiest_renderer(browser_pid(&stage));
    demand(flight_wait_all(spinner, 20000), "the spinner is not answered");
    const struct client_reply *reply = flight_reply(spinner, 0);
    demand(reply_ms(reply) < SPIN_MS + 1000, "answered after %llu of %d ms",
           (unsigned long long)reply_ms(reply), SPIN_MS);
    demand(reply->status == 200 || reply->status == 504, "status %ld: %s", reply->status,
           reply->body);
    if (reply->status == 200) {
        expect_header(reply, "X-Prerenderd-Outcome", "partial");
    }
    demand(until(is_gone, &renderer, 5000), "renderer %d still runs", (int)renderer);
    flight_free(spinner);
    flight_free(others);
    stage_close(&stage);
}

START_TEST(endless_script)
{
    render_spinner("/spin", "load");
}
END_TEST

START_TEST(endless_script_in_virtual_time)
{
    render_spinner("/spin", "auto");
}
END_TEST

START_TEST(endless_script_after_load)
{
    render_spinner("/spin-later", "auto");
}
END_TEST

struct leaving {
    struct origin *origin;
    size_t count;
};

static bool is_left(void *context)
{
    const struct leaving *leaving = context;
    return origin_count(leaving->origin, "/beacon?left") >= leaving->count;
}

/* A page that was good at its answer and hangs afterwards, when it is left, does not serve
 * again. It is left for the next document, and does not let go of it in time, or for none,
 * because nobody comes; then its probe fails. The request gets another page either way. */
static void hang_when_left(bool is_idle)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--pool.probe_timeout_ms=500", NULL};
    struct stage stage = stage_open(knobs);
    struct client_reply reply;
    for (int i = 0; i < 3; i++) {
        client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                      origin_url(stage.origin, "/spin-leaving"), "affinity", "a");
        expect_reply(&reply, 200, "<p>loaded</p>");
        demand(reply_ms(&reply) < SOON_MS, "the page hung before its answer");
        client_reply_free(&reply);
        struct leaving leaving = {stage.origin, (size_t)i + 1};
        demand(!is_idle || until(is_left, &leaving, 5000), "the page is not left");
        client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                      origin_url(stage.origin, "/static?n=after"), "affinity", "a");
        expect_reply(&reply, 200, "page after");
        demand(reply_ms(&reply) >= 500, "the page has not hung");
        client_reply_free(&reply);
    }
    stage_close(&stage);
}

START_TEST(hang_before_the_next_document)
{
    hang_when_left(false);
}
END_TEST

START_TEST(hang_between_renders)
{
    hang_when_left(true);
}
END_TEST

/* Starts `running` renders of `path` that wait at the gate "hold", and `waiting` ones of
 * static pages behind them. */
static struct flight *load_up(struct stage *stage, const char *path, int running, int waiting)
{
    struct flight *flight = flight_new(stage->harness->address);
    for (int i = 0; i < running; i++) {
        char affinity[32];
        snprintf(affinity, sizeof(affinity), "running-%d", i);
        flight_render(flight, "{s:s, s:s, s:i}", "url",
                      origin_url(stage->origin, "%s?name=hold&n=%d", path, i), "affinity", affinity,
                      "timeoutMs", 90000);
    }
    demand(origin_wait_gate(stage->origin, "hold", (size_t)running, 30000),
           "the renders do not start");
    for (int i = 0; i < waiting; i++) {
        char affinity[32];
        snprintf(affinity, sizeof(affinity), "waiting-%d", i);
        flight_render(flight, "{s:s, s:s, s:i}", "url",
                      origin_url(stage->origin, "/static?n=%d", i), "affinity", affinity,
                      "timeoutMs", 90000);
    }
    demand(harness_wait_load(stage->harness, running, waiting), "the queue does not fill");
    return flight;
}

/* Every one is answered with its own document; the first `running`, which say `held`, took
 * two attempts. */
static void check_answers(struct stage *stage, struct flight *flight, size_t running,
                          const char *held)
{
    origin_open_gate(stage->origin, "hold");
    demand(flight_wait_all(flight, 100000), "not all were answered");
    for (size_t i = 0; i < flight_count(flight); i++) {
        char text[32];
        snprintf(text, sizeof(text), "page %zu</p>", i - running);
        expect_reply(flight_reply(flight, i), 200, i < running ? held : text);
        if (i < running) {
            expect_header(flight_reply(flight, i), "X-Prerenderd-Attempts", "2");
        }
    }
}

static bool is_replaced(void *stage_)
{
    const struct stage *stage = stage_;
    return harness_is_ready(stage->harness);
}

START_TEST(browser_killed)
{
    struct stage stage = stage_open(five_pages);
    struct flight *flight = load_up(&stage, "/gate", 5, 20);
    pid_t old = browser_pid(&stage);
    ck_assert_int_eq(kill(old, SIGKILL), 0);
    check_answers(&stage, flight, 5, "page hold");
    for (size_t i = 5; i < 25; i++) {
        expect_header(flight_reply(flight, i), "X-Prerenderd-Attempts", "1");
    }
    ck_assert_int_ne(browser_pid(&stage), old);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* A stopped browser keeps its connection open and says nothing. */
START_TEST(browser_silent)
{
    static const char *const knobs[] = {"--pool.pages_min=2", "--pool.pages_max=2",
                                        "--browser.probe_interval_ms=500", NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = load_up(&stage, "/gate", 2, 4);
    pid_t old = browser_pid(&stage);
    ck_assert_int_eq(kill(old, SIGSTOP), 0);
    demand(until(is_gone, &old, 30000), "the silent browser is not ended");
    check_answers(&stage, flight, 2, "page hold");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

static void kill_renderers(pid_t browser)
{
    pid_t pids[PROCESSES_MAX];
    size_t count = process_list_renderers(browser, pids);
    demand(count > 0, "there is no renderer");
    for (size_t i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
    }
}

/* A renderer that dies costs its render one attempt, and the browser goes on: before the
 * document has come, and while it is loading. */
static void lose_renderers(const char *path, const char *held)
{
    /* No standby: a retry that met a second dead renderer would be out of attempts. */
    static const char *const knobs[] = {"--pool.pages_min=5", "--pool.pages_max=5",
                                        "--pool.standbys_min=0", "--render.stuck_request_ms=60000",
                                        NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = load_up(&stage, path, 5, 5);
    pid_t browser = browser_pid(&stage);
    kill_renderers(browser);
    check_answers(&stage, flight, 5, held);
    ck_assert_int_eq(browser_pid(&stage), browser);
    flight_free(flight);
    stage_close(&stage);
}

START_TEST(renderers_killed_while_navigating)
{
    lose_renderers("/gate", "page hold");
}
END_TEST

START_TEST(renderers_killed_while_loading)
{
    lose_renderers("/gate-inside", "passed hold");
}
END_TEST

/* Without a retry the crash is the answer, at once and not at the deadline. */
START_TEST(crash_without_retry)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    flight_render(flight, "{s:s, s:s, s:b}", "url", origin_url(stage.origin, "/gate?name=hold"),
                  "affinity", "a", "retryOnCrash", 0);
    demand(origin_wait_gate(stage.origin, "hold", 1, SOON_MS), "the render does not start");
    kill_renderers(browser_pid(&stage));
    demand(flight_wait_all(flight, SOON_MS), "no answer");
    expect_problem(flight_reply(flight, 0), 502, "page_crashed", "");
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                  origin_url(stage.origin, "/static?n=after"), "affinity", "a");
    expect_reply(&reply, 200, "page after");
    client_reply_free(&reply);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* Ready goes away with the browser and comes back with the next one; the loop answers
 * throughout. */
START_TEST(readiness_follows_the_browser)
{
    struct stage stage = stage_open(one_page);
    pid_t browser = browser_pid(&stage);
    ck_assert_int_eq(kill(browser, SIGKILL), 0);
    demand(until(is_gone, &browser, SOON_MS), "SIGKILL does not end the browser");
    demand(harness_wait_output(stage.harness, "browser down", SOON_MS), "nobody noticed");
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    demand(until(is_replaced, &stage, START_TIMEOUT_MS), "no next browser");
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/static?n=after"));
    expect_reply(&reply, 200, "page after");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* A client that leaves the queue takes its request with it: it is never rendered. */
START_TEST(client_leaves_queue)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = load_up(&stage, "/gate", 1, 3);
    flight_drop(flight, 2);
    demand(harness_wait_load(stage.harness, 1, 2), "the request still waits");
    origin_open_gate(stage.origin, "hold");
    demand(flight_wait_all(flight, 60000), "not all were answered");
    expect_reply(flight_reply(flight, 0), 200, "page hold");
    expect_reply(flight_reply(flight, 1), 200, "page 0");
    expect_reply(flight_reply(flight, 3), 200, "page 2");
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=1"), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* A client that leaves while its page renders makes room for the next: the gate of the
 * first render stays closed until the second is answered. */
START_TEST(client_leaves_render)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = load_up(&stage, "/gate", 1, 1);
    flight_drop(flight, 0);
    demand(flight_wait(flight, 1, SOON_MS), "the next request is not served");
    expect_reply(flight_reply(flight, 1), 200, "page 0");
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults");
    suite_add(suite, endless_script, 120);
    suite_add(suite, endless_script_in_virtual_time, 120);
    suite_add(suite, endless_script_after_load, 120);
    suite_add(suite, hang_before_the_next_document, 120);
    suite_add(suite, hang_between_renders, 120);
    suite_add(suite, browser_killed, 240);
    suite_add(suite, browser_silent, 240);
    suite_add(suite, renderers_killed_while_navigating, 240);
    suite_add(suite, renderers_killed_while_loading, 240);
    suite_add(suite, crash_without_retry, 120);
    suite_add(suite, readiness_follows_the_browser, 180);
    suite_add(suite, client_leaves_queue, 120);
    suite_add(suite, client_leaves_render, 120);
    return suite_run(suite, SUITE_FORKS);
}
