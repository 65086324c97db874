/* test_process.c: browsers as processes: how they are started, what is said about their
 * ends, and that nothing of them stays, whatever ends them or us. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cdp/proc.h"
#include "tests/browser_rig.h"
#include "tests/suite.h"

/* `root` holds the profiles, `place` is where scripts may write. */
static char root[64], place[80], script[96];
static uint32_t ended_count, event_count;
static enum call_end ended_as;

static bool has_ended(void *argument)
{
    (void)argument;
    return ended_count > 0;
}

static bool has_event(void *argument)
{
    (void)argument;
    return event_count > 0;
}

static void on_event(void *owner, struct browser *from, uint64_t now_ms,
                     struct cdp_message *message)
{
    (void)owner;
    (void)from;
    (void)now_ms;
    (void)message;
    event_count++;
}

static void on_done(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    (void)owner;
    (void)tag;
    (void)now_ms;
    ended_count++;
    ended_as = reply->end;
}

static uint32_t count_profiles(void)
{
    uint32_t count = 0;
    DIR *list = opendir(root);

    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += strncmp(entry->d_name, "prerenderd-", 11) == 0;
    }
    (void)closedir(list);
    return count;
}

static void setup(void)
{
    (void)snprintf(root, sizeof root, "/tmp/prerenderd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chmod(root, 0755), 0);
    (void)snprintf(place, sizeof place, "%s/place", root);
    ck_assert_int_eq(mkdir(place, 0700), 0);
    ck_assert_int_eq(chmod(place, 0777), 0);
    (void)snprintf(script, sizeof script, "%s/script", place);
    ended_count = event_count = 0;
    open_browser_rig();
    config.browser.profile_root = root;
}

static void start(void)
{
    start_browser(on_event, NULL);
}

/* Starts a script as the browser: of the shell, unless it names another interpreter. */
static void start_script(const char *text)
{
    FILE *file = fopen(script, "we");

    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "%s%s\n", text[0] == '#' ? "" : "#!/bin/sh\n", text);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(script, 0755), 0);
    config.browser.path = script;
    start();
}

/* Starts a script that says it listens where the fake browser does, and then `rest`. */
static void start_fronted(const char *rest)
{
    char text[1024];

    config.browser.sandbox = SANDBOX_OFF;
    (void)snprintf(text, sizeof text, "echo 'DevTools listening on %s' >&2\n%s", fake.url, rest);
    start_script(text);
}

static void start_up(void)
{
    start();
    expect_up();
}

/* No process, no directory, no handle is left. */
static void teardown(void)
{
    int pid = browser_pid(browser);

    close_browser_rig();
    ck_assert(pid == 0 || !proc_group_is_alive(pid));
    ck_assert_uint_eq(count_profiles(), 0);
    (void)unlink(script);
    ck_assert_int_eq(rmdir(place), 0);
    ck_assert_int_eq(rmdir(root), 0);
}

/* What is said about an end may get better until it is gone. */
static void expect_last_error(const char *want)
{
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    expect_error(want);
}

struct ending {
    const char *script, *want;
};

static const struct ending endings[] = {
    {"exit 3", "the browser exited with status 3"},
    {"echo 'something is wrong' >&2; exit 1", "exited with status 1: something is wrong"},
    {"echo 'no newline' | tr -d '\\n' >&2; exit 1", "exited with status 1: no newline"},
    {"echo '[1:2:0101/000000.1:ERROR:x.cc(1)] the reason' >&2\n"
     "echo '[1:2:0101/000000.1:ERROR:dbus/bus.cc(1)] no bus' >&2; exit 1",
     "exited with status 1: the reason"},
    {"echo '[1:1:0101/0.1:FATAL:x.cc(1)] the cause' >&2\necho 'Trace:' >&2\n"
     "echo '#0 0x55' >&2\nkill -6 $$",
     "was killed by signal 6: the cause"},
    {"kill -9 $$", "was killed by signal 9"},
    {"#!/nonexistent", "not found"},
    {"echo 'No usable sandbox!' >&2; exit 1", "browser.sandbox=off"},
    {"echo 'No usable sandbox!' >&2; exit 1", "browser.user"},
    {"echo 'DevTools listening on nothing' >&2; sleep 100", "nothing is not of the form"},
    {"echo 'DevTools listening on ws://127.0.0.1:1/x' >&2; sleep 100", "refused the connection"},
    {"head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2; exit 1",
     "exited with status 1: end"},
};

START_TEST(ends_are_explained)
{
    start_script(endings[_i].script);
    expect_error(endings[_i].want);
}
END_TEST

START_TEST(start_has_a_deadline_and_leaves_nothing)
{
    config.browser.start_timeout_ms = 300;
    start_script("trap '' TERM INT HUP\n(trap '' TERM; touch child; sleep 1000) &\nsleep 1000");
    expect_error("not ready within 300 ms");
}
END_TEST

START_TEST(exit_of_the_process_ends_it)
{
    char text[256];

    (void)snprintf(text, sizeof text, "while [ -e %s ]; do sleep 0.05; done; exit 7", script);
    start_fronted(text);
    expect_up();
    ck_assert_int_eq(unlink(script), 0);
    browser_call(browser, rig_now_ms(), "A.b", NULL, NULL, 1, 60000, on_done, NULL, 0);
    expect_error("exited with status 7");
}
END_TEST

START_TEST(loss_of_the_connection_ends_the_process)
{
    start_fronted("sleep 1000");
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
    fake_hang_up(&fake);
    expect_error("closed the connection");
    expect_last_error("closed the connection");
}
END_TEST

/* A child that moves into a session of its own cannot be found by group. It may delay the
 * removal of the profile, not prevent it. */
START_TEST(late_writers_do_not_keep_the_profile)
{
    start_fronted("setsid sh -c 'i=0; while [ $i -lt 40 ]; do mkdir \"$HOME/late\" 2>/dev/null; "
                  "touch \"$HOME/late/$i\" 2>/dev/null; i=$((i+1)); sleep 0.005; done' &\n"
                  "sleep 1000");
    ck_assert(rig_until(&rig, is_settled, NULL, LIMIT_MS));
}
END_TEST

static char *read_whole(const char *name)
{
    char path[160];
    static char text[16384];

    (void)snprintf(path, sizeof path, "%s/%s", place, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s", path);
    ssize_t bytes = read(fd, text, sizeof text - 1);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    (void)close(fd);
    (void)unlink(path);
    return text;
}

static uint32_t count_lines_with(const char *text, const char *needle)
{
    uint32_t count = 0;

    for (const char *at = strstr(text, needle); at != NULL; at = strstr(at + 1, needle)) {
        count++;
    }
    return count;
}

/* What a browser is given: its switches, an environment without our secrets, no
 * descriptors but the five that are meant for it, another user, a group of its own. */
START_TEST(browsers_get_what_they_need_and_no_more)
{
    static char args[] = " --window-size=800,600  --disable-features=Mine "
                         "--host-resolver-rules=MINE --remote-debugging-port=1 ";
    struct ports denied = {.denied_count = 0};
    char want[160], text[1024];

    ck_assert_int_eq(setenv("PRERENDERD_SECRET", "1", 1), 0);
    config.browser.args = args;
    ports_deny(&denied, 4221);
    ports_deny(&denied, 65535);
    browser_ports = (struct browser_ports){.own = 4567, .denied = &denied};
    (void)snprintf(text, sizeof text,
                   "cd %s\nfor a in \"$@\"; do echo \"$a\"; done >args\nenv >env\nid -u >id\n"
                   "ls /proc/$$/fd >fds\nps -o pid=,pgid= -p $$ >group\nexit 5",
                   place);
    start_script(text);
    expect_error("exited with status 5");
    const char *found = read_whole("args");
    ck_assert_uint_eq(count_lines_with(found, "--disable-features="), 1);
    ck_assert_ptr_nonnull(strstr(found, "RenderDocument,"));
    ck_assert_ptr_nonnull(strstr(found, ",Mine\n"));
    ck_assert_ptr_nonnull(strstr(found, "--window-size=800,600\n"));
    ck_assert_ptr_nonnull(strstr(found, "--remote-debugging-pipe\n"));
    /* The last one counts. */
    ck_assert_ptr_nonnull(strstr(found, "--remote-debugging-port=4567\n"));
    ck_assert_ptr_null(strstr(strstr(found, "-port=4567\n") + 1, "-port="));
    ck_assert_uint_eq(count_lines_with(found, "--host-resolver-rules="), 1);
    ck_assert_ptr_nonnull(strstr(found, "--host-resolver-rules=MAP *:4221 ~NOTFOUND,"
                                        "MAP *:65535 ~NOTFOUND,MINE\n"));
    ck_assert_ptr_nonnull(strstr(found, "--headless=new\n"));
    ck_assert_ptr_null(strstr(found, "--no-sandbox"));
    (void)snprintf(want, sizeof want, "HOME=%s/prerenderd-", root);
    found = read_whole("env");
    ck_assert_ptr_nonnull(strstr(found, want));
    ck_assert_ptr_null(strstr(found, "PRERENDERD_SECRET"));
    ck_assert_str_ne(read_whole("id"), "0\n");
    found = read_whole("fds");
    ck_assert_msg(strncmp(found, "0\n1\n", 4) == 0, "%s", found);
    for (int fd = 5; fd < 9; fd++) {
        (void)snprintf(want, sizeof want, "\n%d\n", fd);
        ck_assert_msg(strstr(found, want) == NULL, "%s", found);
    }
    int pid = 0, group = 0;
    ck_assert_int_eq(sscanf(read_whole("group"), "%d %d", &pid, &group), 2);
    ck_assert_int_eq(pid, group);
    ck_assert_int_eq(pid, browser_pid(browser));
}
END_TEST

START_TEST(no_sandbox_only_when_told)
{
    char text[256];

    config.browser.sandbox = SANDBOX_OFF;
    (void)snprintf(text, sizeof text, "echo \"$@\" >%s/args; id -u >%s/id; exit 5", place, place);
    start_script(text);
    expect_error("exited with status 5");
    ck_assert_ptr_nonnull(strstr(read_whole("args"), " --no-sandbox "));
    ck_assert_str_ne(read_whole("id"), "0\n");
}
END_TEST

/* The policy that a browser reads of itself, and one of its children of its own. */
static void expect_policies(int want)
{
    char text[256];
    int of_browser = -1, of_child = -1;

    (void)snprintf(text, sizeof text,
                   "(cut -d' ' -f41 /proc/self/stat) >%s/child\n"
                   "cut -d' ' -f41 /proc/$$/stat >%s/own; exit 5",
                   place, place);
    start_script(text);
    expect_error("exited with status 5");
    ck_assert_int_eq(sscanf(read_whole("child"), "%d", &of_child), 1);
    ck_assert_int_eq(sscanf(read_whole("own"), "%d", &of_browser), 1);
    ck_assert_int_eq(of_child, want);
    ck_assert_int_eq(of_browser, want);
}

START_TEST(browsers_are_batch_work)
{
    expect_policies(SCHED_BATCH);
    ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
}
END_TEST

START_TEST(no_batch_work_when_told)
{
    config.browser.batch = false;
    expect_policies(SCHED_OTHER);
}
END_TEST

/* systemd's CPUSchedulingPolicy=idle, say. */
START_TEST(chosen_policy_is_kept)
{
    struct sched_param param = {.sched_priority = 0};

    ck_assert_int_eq(sched_setscheduler(0, SCHED_IDLE, &param), 0);
    expect_policies(SCHED_IDLE);
    ck_assert_int_eq(sched_getscheduler(0), SCHED_IDLE);
}
END_TEST

START_TEST(chromium_comes_up_and_goes)
{
    start_up();
    ck_assert_ptr_nonnull(strstr(browser_product(browser), "Chrome/"));
    ck_assert_int_gt(browser_pid(browser), 0);
    json_t *params = json_pack("{s:b}", "discover", 1);
    browser_call(browser, rig_now_ms(), "Target.setDiscoverTargets", params, NULL, 1, 5000, on_done,
                 NULL, 0);
    ck_assert(rig_until(&rig, has_ended, NULL, LIMIT_MS));
    ck_assert_int_eq(ended_as, CALL_REPLIED);
    /* The self-test has left no page behind, and there is none that nobody asked for. */
    ck_assert(!rig_until(&rig, has_event, NULL, 200));
    uint64_t start_ms = rig_now_ms();
    browser_kill(browser, start_ms);
    ck_assert(rig_until(&rig, is_gone, NULL, LIMIT_MS));
    ck_assert_uint_le(rig_now_ms() - start_ms, 2000);
}
END_TEST

/* Text that Chromium's parser or ours could stumble over. */
START_TEST(chromium_reads_what_we_write)
{
    static const char odd[] = "\x7f\x01\x1f\"\\/\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80";

    start_up();
    json_t *params = json_pack("{s:s, s:[{s:s, s:s, s:s}]}", "unknown", odd, "cookies", "name", "a",
                               "value", "b", "url", "http://a.invalid/");
    browser_call(browser, rig_now_ms(), "Storage.setCookies", params, NULL, 1, 5000, on_done, NULL,
                 0);
    ck_assert(rig_until(&rig, has_ended, NULL, LIMIT_MS));
    ck_assert_int_eq(ended_as, CALL_REPLIED);
}
END_TEST

START_TEST(kill_of_chromium_is_seen_at_once)
{
    start_up();
    browser_call(browser, rig_now_ms(), "Target.createTarget", json_pack("{s:s}", "url", "x:y"),
                 NULL, 1, 60000, on_done, NULL, 0);
    uint64_t start_ms = rig_now_ms();
    ck_assert_int_eq(kill(browser_pid(browser), SIGKILL), 0);
    ck_assert(rig_until(&rig, has_ended, NULL, LIMIT_MS));
    ck_assert_uint_le(rig_now_ms() - start_ms, 1000);
    ck_assert(rig_until(&rig, is_stopping, NULL, LIMIT_MS));
    expect_last_error("was killed by signal 9");
    ck_assert_uint_eq(ended_count, 1);
}
END_TEST

START_TEST(stopped_chromium_is_replaced)
{
    config.browser.probe_interval_ms = 150;
    start_up();
    uint64_t start_ms = rig_now_ms();
    ck_assert_int_eq(kill(browser_pid(browser), SIGSTOP), 0);
    expect_error("silent");
    ck_assert_uint_le(rig_now_ms() - start_ms, 2000);
}
END_TEST

/* The sandbox is not believed in, but looked for. */
START_TEST(missing_sandbox_is_found)
{
    static char args[] = "--no-sandbox";

    config.browser.args = args;
    start();
    expect_error("pages are not sandboxed");
    expect_error("browser.sandbox=off");
}
END_TEST

START_TEST(whole_chromium_works_too)
{
    static char path[] = "/usr/lib/chromium/chromium";

    if (access(path, X_OK) == 0) {
        config.browser.path = path;
    }
    start_up();
    ck_assert_ptr_nonnull(strstr(browser_product(browser), "Chrome/"));
}
END_TEST

/* Runs a browser until it is killed, and reports the process id of the browser. */
static void run_daemon(int report_fd)
{
    rig_open(&rig);
    start();
    int pid = browser_pid(browser);
    ssize_t ignored = write(report_fd, &pid, sizeof pid);
    (void)ignored;
    (void)rig_until(&rig, is_gone, NULL, 60000);
    _exit(1);
}

/* kill -9 of the daemon at any moment of the browser's start and after it: the browser is
 * gone within a second, and its profile after the next start. */
START_TEST(kill_of_the_daemon_leaves_no_browser)
{
    static const int delays_ms[] = {0, 5, 20, 40, 60, 80, 120, 200, 600};
    int ends[2], pid = 0;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t daemon_pid = fork();
    if (daemon_pid == 0) {
        run_daemon(ends[1]);
    }
    ck_assert_int_eq(read(ends[0], &pid, sizeof pid), sizeof pid);
    ck_assert_int_gt(pid, 0);
    (void)poll(NULL, 0, delays_ms[_i]);
    ck_assert_int_eq(kill(daemon_pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(daemon_pid, NULL, 0), daemon_pid);
    uint64_t start_ms = rig_now_ms();
    while (proc_group_is_alive(pid) && rig_now_ms() - start_ms < 3000) {
        (void)poll(NULL, 0, 5);
    }
    ck_assert_uint_le(rig_now_ms() - start_ms, 1000);
    ck_assert_uint_eq(count_profiles(), 1);
    ck_assert_int_eq(browser_sweep_profiles(&config), 1);
    ck_assert_uint_eq(count_profiles(), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    /* Something for the teardown to take down. */
    start_script("exit 0");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("process");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, ends_are_explained, 0, (int)(sizeof endings / sizeof endings[0]));
    tcase_add_test(tests, start_has_a_deadline_and_leaves_nothing);
    tcase_add_test(tests, exit_of_the_process_ends_it);
    tcase_add_test(tests, loss_of_the_connection_ends_the_process);
    tcase_add_test(tests, late_writers_do_not_keep_the_profile);
    tcase_add_test(tests, browsers_get_what_they_need_and_no_more);
    tcase_add_test(tests, no_sandbox_only_when_told);
    tcase_add_test(tests, browsers_are_batch_work);
    tcase_add_test(tests, no_batch_work_when_told);
    tcase_add_test(tests, chosen_policy_is_kept);
    tcase_add_test(tests, chromium_comes_up_and_goes);
    tcase_add_test(tests, chromium_reads_what_we_write);
    tcase_add_test(tests, kill_of_chromium_is_seen_at_once);
    tcase_add_test(tests, stopped_chromium_is_replaced);
    tcase_add_test(tests, missing_sandbox_is_found);
    tcase_add_test(tests, whole_chromium_works_too);
    tcase_add_loop_test(tests, kill_of_the_daemon_leaves_no_browser, 0, 9);
    Suite *suite = suite_create("process");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
