/* test_cli.c: `prerenderd render` as it is run from a shell, with the real browser. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/system/process.h"
#include "tests/system/stage.h"

#define ARGUMENTS_MAX 16
/* Past the start of a browser on a busy machine. */
#define COMMAND_MS 60000

/* One command with the files that it writes to. Its harness runs no daemon. */
struct command {
    struct harness *harness;
    struct origin *origin;
    char directory[160], output[192], errors[192];
};

static struct command command_open(void)
{
    struct command command = {.harness = harness_new(), .origin = origin_new()};
    const char *directory = command.harness->directory;
    (void)snprintf(command.directory, sizeof command.directory, "%s/out", directory);
    (void)snprintf(command.output, sizeof command.output, "%s/stdout", directory);
    (void)snprintf(command.errors, sizeof command.errors, "%s/stderr", directory);
    return command;
}

static bool has_no_process(void *harness)
{
    return !harness_has_process(harness);
}

static void command_close(struct command *command)
{
    demand(until(has_no_process, command->harness, SOON_MS), "a browser outlived the command");
    ck_assert_uint_eq(harness_profiles_count(command->harness), 0);
    harness_free(command->harness);
    origin_free(command->origin);
}

static void redirect(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
}

static _Noreturn void run_child(const struct command *command, const char *const *arguments)
{
    char binary[PATH_MAX], profiles[200];
    const char *all[ARGUMENTS_MAX] = {binary, "render", profiles};
    size_t count = 3;
    const char *given = getenv("TEST_PRERENDERD");
    if (given != NULL)
        (void)snprintf(binary, sizeof binary, "%s", given);
    else
        harness_find_above("prerenderd", binary);
    (void)snprintf(profiles, sizeof profiles, "--browser.profile_root=%s",
                   command->harness->profiles);
    for (size_t i = 0; arguments[i] != NULL && count + 1 < ARGUMENTS_MAX; i++)
        all[count++] = arguments[i];
    (void)unsetenv("NOTIFY_SOCKET");
    (void)execv(binary, (char *const *)(uintptr_t)all);
    _exit(127);
}

static pid_t command_start(const struct command *command, const char *input,
                           const char *const *arguments)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    demand(pid >= 0, "fork: %s", strerror(errno));
    if (pid != 0)
        return pid;
    int in = open(input, O_RDONLY | O_CLOEXEC);
    if (in < 0 || dup2(in, 0) < 0)
        _exit(126);
    redirect(command->output, 1);
    redirect(command->errors, 2);
    run_child(command, arguments);
}

struct exit_wait {
    pid_t pid;
    int status;
};

static bool has_exited(void *wait_)
{
    struct exit_wait *wait = wait_;
    return waitpid(wait->pid, &wait->status, WNOHANG) == wait->pid;
}

static int command_wait(pid_t pid)
{
    struct exit_wait wait = {.pid = pid};
    demand(until(has_exited, &wait, COMMAND_MS), "the command does not end");
    demand(WIFEXITED(wait.status), "it ended with wait status %x", (unsigned)wait.status);
    return WEXITSTATUS(wait.status);
}

/* Runs it to its end; its exit status. */
static int command_run(const struct command *command, const char *const *arguments)
{
    return command_wait(command_start(command, "/dev/null", arguments));
}

/* A whole file, which the caller frees. */
static char *content(const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    int c;
    FILE *file = fopen(path, "re");
    demand(file != NULL, "%s: %s", path, strerror(errno));
    FILE *memory = open_memstream(&text, &bytes);
    while ((c = getc(file)) != EOF)
        (void)putc(c, memory);
    (void)fclose(memory);
    (void)fclose(file);
    return text;
}

static void expect_file(const char *path, const char *wanted)
{
    char *text = content(path);
    demand(strstr(text, wanted) != NULL, "\"%s\" is not in %s: %.400s", wanted, path, text);
    free(text);
}

static void expect_magic(const char *path, const char *magic)
{
    char *text = content(path);
    demand(strncmp(text, magic, strlen(magic)) == 0, "%s begins otherwise: %.20s", path, text);
    free(text);
}

static void expect_empty(const char *path)
{
    char *text = content(path);
    demand(text[0] == '\0', "%s: %.400s", path, text);
    free(text);
}

/* No terminal, no trouble: the document on standard output, and not a word beside it. */
START_TEST(one_url)
{
    struct command command = command_open();
    const char *const arguments[] = {origin_url(command.origin, "/timers"), NULL};
    ck_assert_int_eq(command_run(&command, arguments), 0);
    expect_file(command.output, "<html");
    expect_file(command.output, "timers done");
    expect_empty(command.errors);
    command_close(&command);
}
END_TEST

START_TEST(into_a_file)
{
    struct command command = command_open();
    char *path = command.directory;
    const char *const arguments[] = {origin_url(command.origin, "/static?n=file"), "--json", "-o",
                                     path, NULL};
    ck_assert_int_eq(command_run(&command, arguments), 0);
    expect_empty(command.output);
    expect_file(path, "page file");
    expect_file(path, "{\"requestId\":\"1\",\"outcome\":\"complete\"");
    command_close(&command);
}
END_TEST

/* A failure leaves what was in the file. */
START_TEST(failure_leaves_the_file)
{
    struct command command = command_open();
    char *path = command.directory;
    FILE *file = fopen(path, "we");
    (void)fputs("before", file);
    (void)fclose(file);
    const char *const failing[] = {origin_url(command.origin, "/close"), "-o", path, NULL};
    ck_assert_int_eq(command_run(&command, failing), 1);
    expect_file(path, "before");
    expect_file(command.errors, "prerenderd: navigation_failed: ");
    command_close(&command);
}
END_TEST

START_TEST(outcomes)
{
    struct command command = command_open();
    const char *hang = origin_url(command.origin, "/hang");
    const char *const partial[] = {hang, "--wait.until=load", "--timeout-ms=10000", NULL};
    const char *const late[] = {hang, "--wait.until=load", "--timeout-ms=10000",
                                "--onTimeout=error", NULL};
    const char *const full[] = {origin_url(command.origin, "/static"), "-o", "/dev/full", NULL};
    ck_assert_int_eq(command_run(&command, partial), 3);
    expect_file(command.output, "<html");
    expect_file(command.errors, "prerenderd: partial: the deadline came first");
    ck_assert_int_eq(command_run(&command, late), 4);
    expect_empty(command.output);
    expect_file(command.errors, "prerenderd: render_timeout: ");
    ck_assert_int_eq(command_run(&command, full), 1);
    expect_file(command.errors, "cannot write /dev/full: No space left on device");
    command_close(&command);
}
END_TEST

/* What is wrong is known before anything is started or asked for. */
START_TEST(wrong_commands)
{
    struct command command = command_open();
    const char *url = origin_url(command.origin, "/static?n=never");
    const char *const cases[][4] = {
        {NULL},
        {url, "--wait.until=later", NULL},
        {url, "--no-such-option=1", NULL},
        {url, "ftp://example.com/", "--json", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(command_run(&command, cases[i]), 2);
        expect_file(command.errors, "prerenderd: ");
        expect_empty(command.output);
    }
    const char *const knob[] = {url, "--pool.pages_max=none", NULL};
    ck_assert_int_eq(command_run(&command, knob), 78);
    expect_file(command.errors, "pool.pages_max");
    ck_assert_uint_eq(origin_count(command.origin, "/static?n=never"), 0);
    command_close(&command);
}
END_TEST

static void write_list(const char *path, struct origin *origin)
{
    FILE *list = fopen(path, "we");
    demand(list != NULL, "%s: %s", path, strerror(errno));
    (void)fputs("# three pages\n", list);
    (void)fprintf(list, "%s\n", origin_url(origin, "/static?n=first"));
    (void)fprintf(list, "%s\n\n", origin_url(origin, "/close"));
    (void)fprintf(list, "%s\n", origin_url(origin, "/static?n=third"));
    (void)fclose(list);
}

/* The path of the page that was the `number`th of the list. */
static void find_written(const struct command *command, int number, const char *extension,
                         char ret[PATH_MAX])
{
    const char *port = strrchr(origin_url(command->origin, "/"), ':') + 1;
    (void)snprintf(ret, PATH_MAX, "%s/%d-127.0.0.1-%lu-static.%s", command->directory, number,
                   strtoul(port, NULL, 10), extension);
}

/* One file each in a directory that the command makes; the worst outcome is its status. */
START_TEST(several_into_a_directory)
{
    struct command command = command_open();
    char list[200], path[PATH_MAX];
    (void)snprintf(list, sizeof list, "%s/list", command.harness->directory);
    write_list(list, command.origin);
    const char *const arguments[] = {"--urls", list, "-o", command.directory, "--jobs", "2", NULL};
    ck_assert_int_eq(command_run(&command, arguments), 1);
    find_written(&command, 1, "html", path);
    expect_file(path, "page first");
    find_written(&command, 3, "html", path);
    expect_file(path, "page third");
    expect_file(command.errors, "/close: navigation_failed: ");
    expect_file(command.errors, "3 URLs in ");
    expect_file(command.errors, ": 2 complete, 0 partial, 1 failed, 0 timed out");
    command_close(&command);
}
END_TEST

/* A PDF or an image, alone and of several, in files that are named after what they are. */
START_TEST(switches_for_outputs)
{
    static const struct {
        const char *option, *extension, *magic;
    } outputs[] = {{"--pdf", "pdf", "%PDF-"}, {"--screenshot", "png", "\x89PNG\r\n\x1a\n"}};
    struct command command = command_open();
    const char *first = origin_url(command.origin, "/static?n=first");
    const char *second = origin_url(command.origin, "/static?n=second");
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        const char *const one[] = {outputs[i].option, first, NULL};
        const char *const several[] = {first, second, outputs[i].option, "-o", command.directory,
                                       NULL};
        ck_assert_int_eq(command_run(&command, one), 0);
        expect_magic(command.output, outputs[i].magic);
        ck_assert_int_eq(command_run(&command, several), 0);
        for (int number = 1; number <= 2; number++) {
            find_written(&command, number, outputs[i].extension, path);
            expect_magic(path, outputs[i].magic);
        }
    }
    const char *const both[] = {"--pdf", "--screenshot", first, NULL};
    ck_assert_int_eq(command_run(&command, both), 2);
    expect_file(command.errors, "only one of --pdf, --screenshot and --output");
    expect_empty(command.output);
    command_close(&command);
}
END_TEST

/* A list on standard input, and one line for each that has a document. */
START_TEST(several_as_lines)
{
    struct command command = command_open();
    char list[200];
    (void)snprintf(list, sizeof list, "%s/list", command.harness->directory);
    write_list(list, command.origin);
    const char *const arguments[] = {"--urls=-", "--json", NULL};
    ck_assert_int_eq(command_wait(command_start(&command, list, arguments)), 1);
    bool seen[4] = {false};
    FILE *output = fopen(command.output, "re");
    char *line = NULL;
    size_t size = 0, lines = 0;
    while (getline(&line, &size, output) > 0) {
        json_t *envelope = json_loads(line, 0, NULL);
        const char *id = json_string_value(json_object_get(envelope, "requestId"));
        demand(id != NULL && id[0] >= '1' && id[0] <= '3' && id[1] == '\0', "line %s", line);
        seen[id[0] - '0'] = true;
        json_decref(envelope);
        lines++;
    }
    free(line);
    (void)fclose(output);
    demand(lines == 2 && seen[1] && seen[3], "%zu lines", lines);
    command_close(&command);
}
END_TEST

/* No more than --jobs at once. */
START_TEST(jobs_bound_what_runs)
{
    struct command command = command_open();
    char list[200];
    (void)snprintf(list, sizeof list, "%s/list", command.harness->directory);
    FILE *file = fopen(list, "we");
    for (int i = 0; i < 5; i++)
        (void)fprintf(file, "%s\n", origin_url(command.origin, "/gate?name=jobs"));
    (void)fclose(file);
    const char *const arguments[] = {"--urls", list, "--jobs=2", "--json", "--isolation=fresh",
                                     NULL};
    pid_t pid = command_start(&command, "/dev/null", arguments);
    demand(origin_wait_gate(command.origin, "jobs", 2, COMMAND_MS), "not two at once");
    ck_assert_uint_eq(origin_count(command.origin, "/gate?name=jobs"), 2);
    origin_open_gate(command.origin, "jobs");
    ck_assert_int_eq(command_wait(pid), 0);
    ck_assert_uint_eq(origin_count(command.origin, "/gate?name=jobs"), 5);
    command_close(&command);
}
END_TEST

/* Ctrl-C: the browser goes with the command, and a file that was asked for is not there. */
START_TEST(interrupt)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct command command = command_open();
    const char *const arguments[] = {origin_url(command.origin, "/gate?name=held"), "-o",
                                     command.directory, NULL};
    pid_t pid = command_start(&command, "/dev/null", arguments);
    demand(origin_wait_gate(command.origin, "held", 1, COMMAND_MS), "the render does not start");
    demand(kill(pid, signals[_i]) == 0, "kill: %s", strerror(errno));
    ck_assert_int_eq(command_wait(pid), 128 + signals[_i]);
    demand(access(command.directory, F_OK) != 0, "there is a file");
    expect_empty(command.errors);
    command_close(&command);
}
END_TEST

static size_t read_until(int fd, const char *wanted, char *ret, size_t ret_bytes)
{
    size_t at = 0;
    ssize_t got;
    while (at + 1 < ret_bytes && (got = read(fd, ret + at, ret_bytes - at - 1)) > 0) {
        at += (size_t)got;
        ret[at] = '\0';
        if (wanted != NULL && strstr(ret, wanted) != NULL)
            break;
    }
    ret[at] = '\0';
    return at;
}

/* A person at a terminal sees a line while it takes long, and not once it is over. */
START_TEST(progress_on_a_terminal)
{
    struct command command = command_open();
    char text[8192];
    int terminal;
    const char *const arguments[] = {origin_url(command.origin, "/gate?name=slow"), "-o",
                                     command.directory, NULL};
    (void)fflush(NULL);
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    demand(pid >= 0, "forkpty: %s", strerror(errno));
    if (pid == 0)
        run_child(&command, arguments);
    read_until(terminal, "\rrendering, 1 s", text, sizeof text);
    demand(strstr(text, "\rrendering, 1 s") != NULL, "no progress: %s", text);
    origin_open_gate(command.origin, "slow");
    size_t bytes = read_until(terminal, NULL, text, sizeof text);
    demand(bytes >= 4 && strcmp(text + bytes - 4, "\r\033[K") == 0, "it ends in %s", text);
    ck_assert_int_eq(command_wait(pid), 0);
    (void)close(terminal);
    expect_file(command.directory, "page slow");
    command_close(&command);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli");
    suite_add(suite, one_url, 120);
    suite_add(suite, into_a_file, 120);
    suite_add(suite, failure_leaves_the_file, 120);
    suite_add(suite, outcomes, 240);
    suite_add(suite, wrong_commands, 120);
    suite_add(suite, several_into_a_directory, 120);
    suite_add(suite, switches_for_outputs, 240);
    suite_add(suite, several_as_lines, 120);
    suite_add(suite, jobs_bound_what_runs, 120);
    suite_add(suite, progress_on_a_terminal, 120);
    TCase *signals = tcase_create("interrupt");
    tcase_set_timeout(signals, 120);
    tcase_add_loop_test(signals, interrupt, 0, 3);
    suite_add_tcase(suite, signals);
    return suite_run(suite, SUITE_FORKS);
}
