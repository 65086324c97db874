/* test_daemon.c: the daemon as a process: signals, sudden death, systemd, the sandbox. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/system/process.h"
#include "tests/system/sockets.h"
#include "tests/system/stage.h"

static const char *const one_page[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

static void render_static(const struct stage *stage)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s}", "url",
                  origin_url(stage->origin, "/static?n=ok"));
    expect_reply(&reply, 200, "page ok");
    client_reply_free(&reply);
}

/* Starts a render that waits at the gate "hold". */
static void hold_render(struct stage *stage, struct flight *flight)
{
    flight_render(flight, "{s:s, s:s}", "url", origin_url(stage->origin, "/gate?name=hold"),
                  "affinity", "held");
    demand(origin_wait_gate(stage->origin, "hold", 1, SOON_MS), "the render does not start");
}

static void send_signal(const struct stage *stage, int number)
{
    demand(kill(stage->harness->pid, number) == 0, "kill: %s", strerror(errno));
}

static void expect_no_leftover(const struct stage *stage)
{
    demand(!harness_has_process(stage->harness), "a process outlived the daemon");
    ck_assert_uint_eq(harness_profiles_count(stage->harness), 0);
}

/* SIGTERM: what waits is refused and what comes too, what runs is finished and answered,
 * then the daemon ends with status 0 and its browser with it. */
START_TEST(drain)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    hold_render(&stage, flight);
    flight_render(flight, "{s:s}", "url", origin_url(stage.origin, "/static?n=queued"));
    demand(harness_wait_load(stage.harness, 1, 1), "the second does not wait");
    send_signal(&stage, SIGTERM);
    demand(flight_wait(flight, 1, SOON_MS), "the waiting request is not refused");
    expect_problem(flight_reply(flight, 1), 503, "draining", "");
    demand(client_header(flight_reply(flight, 1), "Retry-After") != NULL, "no Retry-After");
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s}", "url",
                  origin_url(stage.origin, "/static?n=late"));
    expect_problem(&reply, 503, "draining", "");
    client_reply_free(&reply);
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/readyz"), 503);
    demand(!flight_is_done(flight, 0), "the running render was cut off");
    origin_open_gate(stage.origin, "hold");
    demand(flight_wait(flight, 0, SOON_MS), "the running render is not answered");
    expect_reply(flight_reply(flight, 0), 200, "page hold");
    int status = harness_wait_exit(stage.harness, STOP_TIMEOUT_MS);
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %x", (unsigned)status);
    expect_no_leftover(&stage);
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=queued"), 0);
    ck_assert_uint_eq(origin_count(stage.origin, "/static?n=late"), 0);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* What still runs when the grace is over ends as at its own deadline. */
START_TEST(drain_grace)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--daemon.drain_grace_ms=2000", NULL};
    struct stage stage = stage_open(knobs);
    struct flight *flight = flight_new(stage.harness->address);
    flight_render(flight, "{s:s, s:{s:s}}", "url", origin_url(stage.origin, "/hang"), "wait",
                  "until", "load");
    demand(harness_wait_load(stage.harness, 1, 0), "the render does not start");
    send_signal(&stage, SIGTERM);
    demand(flight_wait(flight, 0, SOON_MS), "the render is not answered");
    const struct client_reply *reply = flight_reply(flight, 0);
    demand(reply->status == 200, "status %ld %s: %s", reply->status, reply->error, reply->body);
    ck_assert_str_eq(client_header(reply, "X-Prerenderd-Outcome"), "partial");
    int status = harness_wait_exit(stage.harness, STOP_TIMEOUT_MS);
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %x", (unsigned)status);
    expect_no_leftover(&stage);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

/* A second signal does not wait for the running render, but still ends the browser. */
START_TEST(second_signal)
{
    struct stage stage = stage_open(one_page);
    struct flight *flight = flight_new(stage.harness->address);
    hold_render(&stage, flight);
    send_signal(&stage, SIGTERM);
    demand(harness_wait_output(stage.harness, "draining", SOON_MS), "the drain does not begin");
    send_signal(&stage, SIGTERM);
    harness_wait_exit(stage.harness, 4000);
    expect_no_leftover(&stage);
    flight_free(flight);
    stage_close(&stage);
}
END_TEST

struct killed {
    const struct harness *harness;
    pid_t sessions[PROCESSES_MAX]; /* Of the browsers that ran. */
    size_t sessions_count;
};

static bool nothing_lives(void *killed_)
{
    const struct killed *killed = killed_;
    pid_t pids[PROCESSES_MAX];
    for (size_t i = 0; i < killed->sessions_count; i++) {
        if (process_list_session(killed->sessions[i], pids) > 0) {
            return false;
        }
    }
    return !harness_has_process(killed->harness);
}

/* Kills the daemon, and demands that nothing of its browser lives `limit_ms` later. */
static void kill_daemon(struct harness *harness, uint64_t limit_ms)
{
    pid_t pids[PROCESSES_MAX];
    struct killed killed = {.harness = harness};
    size_t count = process_list_command(harness->profiles, pids);
    for (size_t i = 0; i < count; i++) {
        struct process process;
        if (process_get(pids[i], &process) && process.session == pids[i]) {
            killed.sessions[killed.sessions_count++] = pids[i];
        }
    }
    harness_kill(harness);
    bool is_clean = until(nothing_lives, &killed, limit_ms);
    for (size_t i = 0; !is_clean && i < process_list_command(harness->profiles, pids); i++) {
        char command[PROCESS_COMMAND_BYTES];
        process_command(pids[i], command);
        fprintf(stderr, "lives: %d %.300s\n", (int)pids[i], command);
    }
    demand(is_clean, "a browser lives %llu ms after its daemon", (unsigned long long)limit_ms);
}

/* Lives for that long: becomes ready if there is time, then renders. */
static void live(struct stage *stage, uint64_t moment_ms, uint64_t limit_ms)
{
    struct harness *harness = stage->harness;
    struct flight *flight = NULL;
    uint64_t end_ms = clock_ms() + moment_ms;
    harness_launch(harness, &(struct launch){.knobs = one_page});
    while (clock_ms() < end_ms) {
        if (flight != NULL) {
            flight_pump(flight, 5);
        } else if (harness_is_ready(harness)) {
            ck_assert_uint_eq(harness_profiles_count(harness), 1);
            flight = flight_new(harness->address);
            for (int i = 0; i < 6; i++) {
                flight_render(flight, "{s:s, s:s}", "url",
                              origin_url(stage->origin, "/slow?ms=30&n=%d", i), "affinity",
                              i % 2 == 0 ? "even" : "odd");
            }
        } else {
            poll(NULL, 0, 5);
        }
    }
    kill_daemon(harness, limit_ms);
    flight_free(flight);
}

/* How long a browser may outlive its daemon: a second. A browser that was hit while it
 * starts notices only when it has started, so a machine that needs more than a second for
 * a start gets more here. */
static uint64_t outlive_limit_ms(struct harness *harness)
{
    uint64_t start_ms = clock_ms();
    harness_start(harness, one_page);
    uint64_t took_ms = clock_ms() - start_ms;
    harness_kill(harness);
    uint64_t limit_ms = took_ms <= 1000 ? 1000 : 1000 + 3 * took_ms;
    printf("# a start takes %llu ms, a browser may outlive its daemon by %llu ms\n",
           (unsigned long long)took_ms, (unsigned long long)limit_ms);
    return limit_ms;
}

/* kill -9 at 20 random moments, from the first instruction to the middle of renders. The
 * seed is printed; PRERENDERD_TEST_SEED repeats a run. */
START_TEST(sudden_death)
{
    const char *given = getenv("PRERENDERD_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : clock_ns();
    printf("# PRERENDERD_TEST_SEED=%llu\n", (unsigned long long)seed);
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    uint64_t limit_ms = outlive_limit_ms(stage.harness);
    fflush(stdout);
    unsigned short state[3] = {(unsigned short)seed, (unsigned short)(seed >> 16),
                               (unsigned short)(seed >> 32)};
    for (int i = 0; i < 20; i++) {
        live(&stage, (uint64_t)(nrand48(state) % 1500), limit_ms);
    }
    harness_start(stage.harness, one_page);
    ck_assert_uint_eq(harness_profiles_count(stage.harness), 1);
    render_static(&stage);
    stage_close(&stage);
}
END_TEST

/* systemd hands over a listening socket and starts the daemon at the first connection. */
START_TEST(socket_activation)
{
    char address[64];
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)free_port());
    const char *const wrapper[] = {"systemd-socket-activate", "-l", address, NULL};
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    harness_launch(stage.harness, &(struct launch){.knobs = one_page, .wrapper = wrapper});
    snprintf(stage.harness->address, sizeof(stage.harness->address), "http://%s", address);
    harness_wait_ready(stage.harness);
    render_static(&stage);
    stage_close(&stage);
}
END_TEST

START_TEST(unix_socket)
{
    char knob[200];
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    snprintf(knob, sizeof(knob), "--http.listen=unix:%s/socket", stage.harness->directory);
    const char *const knobs[] = {knob, "--pool.pages_min=1", "--pool.pages_max=1", NULL};
    for (int i = 0; i < 2; i++) { /* The second finds the socket file of a killed one. */
        harness_launch(stage.harness, &(struct launch){.knobs = knobs, .no_listen = true});
        snprintf(stage.harness->address, sizeof(stage.harness->address), "unix:%s/socket",
                 stage.harness->directory);
        harness_wait_ready(stage.harness);
        render_static(&stage);
        if (i == 0) {
            harness_kill(stage.harness);
        }
    }
    stage_close(&stage);
}
END_TEST

/* Stops the main thread alone: the others go on, so a watchdog that is fed from anywhere
 * but the loop would go on, too. */
static void block_turn(pid_t pid)
{
    int status;
    demand(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0, "ptrace: %s", strerror(errno));
    demand(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0, "ptrace: %s", strerror(errno));
    demand(waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status), "the thread goes on");
}

static void unblock_turn(pid_t pid)
{
    demand(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "ptrace: %s", strerror(errno));
}

/* READY=1 comes with the first browser, WATCHDOG=1 twice per interval as long as the loop
 * turns, STOPPING=1 with the signal. */
START_TEST(notify_and_watchdog)
{
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    char variable[200];
    int fd = notify_socket(stage.harness->directory, variable, sizeof(variable));
    const char *const environment[] = {variable, "WATCHDOG_USEC=1000000", NULL};
    harness_launch(stage.harness, &(struct launch){.knobs = one_page, .environment = environment});
    demand(notify_wait(fd, "READY=1", START_TIMEOUT_MS), "no READY=1");
    harness_wait_ready(stage.harness);
    for (int i = 0; i < 4; i++) {
        demand(notify_wait(fd, "WATCHDOG=1", 5000), "no WATCHDOG=1");
    }
    block_turn(stage.harness->pid);
    notify_discard(fd);
    demand(!notify_wait(fd, "WATCHDOG=1", 3000), "a blocked loop feeds the watchdog");
    unblock_turn(stage.harness->pid);
    demand(notify_wait(fd, "WATCHDOG=1", 5000), "the watchdog is not fed again");
    render_static(&stage);
    send_signal(&stage, SIGTERM);
    demand(notify_wait(fd, "STOPPING=1", 5000), "no STOPPING=1");
    int status = harness_wait_exit(stage.harness, STOP_TIMEOUT_MS);
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %x", (unsigned)status);
    close(fd);
    stage_close(&stage);
}
END_TEST

/* Every renderer runs under a seccomp filter, and as another user when the daemon is root. */
START_TEST(sandbox)
{
    struct stage stage = stage_open(one_page);
    render_static(&stage);
    struct pool_view view;
    harness_view(stage.harness, &view);
    pid_t pids[PROCESSES_MAX];
    size_t count = process_list_renderers(view.browser, pids);
    ck_assert_uint_ge(count, 1);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(process_status_number(pids[i], "Seccomp"), 2);
        ck_assert_int_eq(process_status_number(pids[i], "NoNewPrivs"), 1);
        ck_assert_int_ne(process_status_number(pids[i], "Uid"), 0);
    }
    char command[PROCESS_COMMAND_BYTES];
    process_command(view.browser, command);
    demand(strstr(command, "--no-sandbox") == NULL, "the sandbox is off: %s", command);
    ck_assert_int_ne(process_status_number(view.browser, "Uid"), 0);
    stage_close(&stage);
}
END_TEST

static long status_with_token(const struct stage *stage, const char *header, const char *path)
{
    struct client_reply reply;
    client_perform(stage->harness->address,
                   &(struct client_request){.path = path, .headers = {header}}, &reply);
    long status = reply.status;
    client_reply_free(&reply);
    return status;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    demand(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "%s: %s", path,
           strerror(errno));
}

/* SIGHUP reads the tokens and the log level again, and tells what takes a restart. */
START_TEST(reload)
{
    char tokens[200], config[200], tokens_knob[256], config_knob[256];
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    snprintf(tokens, sizeof(tokens), "%s/tokens", stage.harness->directory);
    snprintf(config, sizeof(config), "%s/prerenderd.conf", stage.harness->directory);
    snprintf(tokens_knob, sizeof(tokens_knob), "--http.tokens_file=%s", tokens);
    snprintf(config_knob, sizeof(config_knob), "--config=%s", config);
    write_file(tokens, "render one\nadmin boss\n");
    write_file(config, "[log]\nlevel = info\n[pool]\npages_min = 1\npages_max = 1\n");
    const char *const knobs[] = {config_knob, tokens_knob, NULL};
    harness_start(stage.harness, knobs);
    ck_assert_int_eq(status_with_token(&stage, NULL, "/version"), 401);
    ck_assert_int_eq(status_with_token(&stage, "Authorization: Bearer one", "/version"), 200);
    ck_assert_int_eq(status_with_token(&stage, "Authorization: Bearer one", "/affinities"), 401);
    ck_assert_int_eq(status_with_token(&stage, "X-Prerender-Token: boss", "/affinities"), 200);
    ck_assert_int_eq(status_with_token(&stage, NULL, "/healthz"), 200);
    demand(!harness_output_contains(stage.harness, "level=debug"), "debug lines at level info");
    write_file(tokens, "render two\nadmin chief\n");
    write_file(config, "[log]\nlevel = debug\n[pool]\npages_min = 1\npages_max = 1\n");
    send_signal(&stage, SIGHUP);
    demand(harness_wait_output(stage.harness, "reloaded", SOON_MS), "no word of the reload");
    ck_assert_int_eq(status_with_token(&stage, "Authorization: Bearer one", "/version"), 401);
    ck_assert_int_eq(status_with_token(&stage, "Authorization: Bearer two", "/version"), 200);
    demand(harness_wait_output(stage.harness, "level=debug", SOON_MS), "no debug lines");
    demand(!harness_output_contains(stage.harness, "chief"), "a token is in the log");
    demand(!harness_output_contains(stage.harness, "takes a restart"), "nothing else has changed");
    write_file(config, "[log]\nlevel = debug\n[pool]\npages_min = 1\npages_max = 2\n");
    send_signal(&stage, SIGHUP);
    demand(harness_wait_output(stage.harness, "knob=pool.pages_max", SOON_MS),
           "no word of what takes a restart");
    stage_close(&stage);
}
END_TEST

/* SIGUSR1 logs the state of the pool; SIGPIPE is nothing. */
START_TEST(other_signals)
{
    struct stage stage = stage_open(one_page);
    send_signal(&stage, SIGUSR1);
    demand(harness_wait_output(stage.harness, "msg=state", SOON_MS), "no word of the pool");
    send_signal(&stage, SIGPIPE);
    render_static(&stage);
    stage_close(&stage);
}
END_TEST

/* Without a browser the daemon lives, says why it is not ready, and lets requests wait. */
START_TEST(no_browser)
{
    static const char *const knobs[] = {"--browser.path=/bin/false", NULL};
    struct stage stage = {.harness = harness_new(), .origin = origin_new()};
    harness_launch(stage.harness, &(struct launch){.knobs = knobs});
    demand(harness_wait_output(stage.harness, "browser down", START_TIMEOUT_MS), "no word of it");
    ck_assert(!harness_is_ready(stage.harness));
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/healthz"), 200);
    ck_assert_int_eq(harness_status(stage.harness, "GET", "/readyz"), 503);
    struct client_reply reply;
    client_render(stage.harness->address, &reply, "{s:s, s:i}", "url",
                  origin_url(stage.origin, "/static?n=1"), "timeoutMs", 2000);
    expect_problem(&reply, 503, "queue_timeout", "");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

struct wanted_descriptors {
    pid_t pid;
    size_t most;
};

static bool has_few_descriptors(void *wanted_)
{
    const struct wanted_descriptors *wanted = wanted_;
    return process_descriptors(wanted->pid) <= wanted->most;
}

/* Renders, clients that leave and a browser that is replaced: afterwards the daemon has
 * as many descriptors open as before. */
START_TEST(descriptors)
{
    struct stage stage = stage_open(one_page);
    render_static(&stage);
    demand(harness_wait_quiet(stage.harness), "the pool does not come to rest");
    struct wanted_descriptors wanted = {.pid = stage.harness->pid};
    wanted.most = process_descriptors(wanted.pid);
    struct flight *flight = flight_new(stage.harness->address);
    for (size_t i = 0; i < 20; i++) {
        flight_render(flight, "{s:s}", "url", origin_url(stage.origin, "/slow?ms=20"));
        if (i % 3 == 0) {
            flight_drop(flight, i);
        }
    }
    demand(flight_wait_all(flight, 60000), "not all were answered");
    flight_free(flight);
    struct pool_view view;
    harness_view(stage.harness, &view);
    kill(view.browser, SIGKILL);
    demand(harness_wait_output(stage.harness, "life=2", START_TIMEOUT_MS), "no next browser");
    harness_wait_ready(stage.harness);
    render_static(&stage);
    demand(until(has_few_descriptors, &wanted, SOON_MS), "%zu descriptors became %zu", wanted.most,
           process_descriptors(wanted.pid));
    ck_assert_uint_eq(harness_profiles_count(stage.harness), 1);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon");
    suite_add(suite, drain, 120);
    suite_add(suite, drain_grace, 120);
    suite_add(suite, second_signal, 120);
    suite_add(suite, sudden_death, 300);
    suite_add(suite, socket_activation, 120);
    suite_add(suite, unix_socket, 180);
    suite_add(suite, notify_and_watchdog, 180);
    suite_add(suite, sandbox, 120);
    suite_add(suite, reload, 120);
    suite_add(suite, other_signals, 120);
    suite_add(suite, no_browser, 120);
    suite_add(suite, descriptors, 180);
    return suite_run(suite, SUITE_FORKS);
}
