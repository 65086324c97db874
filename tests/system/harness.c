/* harness.c: starts and ends the daemon under test; see harness.h. */
#include "tests/system/harness.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/system/process.h"

#define ARGUMENTS_MAX 64
#define POLL_INTERVAL_MS_MAX 40

extern char **environ;

void demand(bool holds, const char *format, ...)
{
    if (holds) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "demand failed: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ms(void)
{
    return clock_ns() / 1000000u;
}

bool until(until_holds *holds, void *context, uint64_t timeout_ms)
{
    uint64_t end_ms = clock_ms() + timeout_ms;
    int interval_ms = 1;
    while (!holds(context)) {
        if (clock_ms() >= end_ms) {
            return false;
        }
        poll(NULL, 0, interval_ms);
        interval_ms =
            interval_ms * 2 < POLL_INTERVAL_MS_MAX ? interval_ms * 2 : POLL_INTERVAL_MS_MAX;
    }
    return true;
}

struct harness *harness_new(void)
{
    struct harness *harness = calloc(1, sizeof(*harness));
    demand(harness != NULL, "no memory for a harness");
    const char *parent = getenv("TMPDIR");
    snprintf(harness->directory, sizeof(harness->directory), "%s/prerenderd-test.XXXXXX",
             parent != NULL ? parent : "/tmp");
    demand(mkdtemp(harness->directory) != NULL, "%s: %s", harness->directory, strerror(errno));
    /* The browser runs as another user when the daemon is root, and must get to its profile. */
    chmod(harness->directory, 0755);
    snprintf(harness->profiles, sizeof(harness->profiles), "%s/profiles", harness->directory);
    snprintf(harness->log, sizeof(harness->log), "%s/log", harness->directory);
    demand(mkdir(harness->profiles, 0755) == 0, "%s: %s", harness->profiles, strerror(errno));
    guard_start(&harness->guard, harness->directory, harness->log);
    return harness;
}

/* What a sanitizer or a failed assertion prints must never be in the output, whatever
 * the test was about. */
static void check_output(const struct harness *harness)
{
    static const char *const never[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                        "runtime error:", "Assertion `", "level=error"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        demand(!harness_output_contains(harness, never[i]), "the daemon printed \"%s\"", never[i]);
    }
}

void harness_free(struct harness *harness)
{
    if (harness == NULL) {
        return;
    }
    if (harness->pid != 0) {
        harness_stop(harness);
    }
    harness->log_start = 0;
    check_output(harness);
    guard_stop(&harness->guard);
    free(harness);
}

void harness_find_above(const char *name, char ret[PATH_MAX])
{
    ssize_t bytes = readlink("/proc/self/exe", ret, PATH_MAX - 64);
    demand(bytes > 0 && strlen(name) < 62, "/proc/self/exe: %s", strerror(errno));
    ret[bytes] = '\0';
    for (char *slash = strrchr(ret, '/'); slash != NULL; slash = strrchr(ret, '/')) {
        snprintf(slash, 64, "/%s", name);
        if (access(ret, F_OK) == 0) {
            return;
        }
        *slash = '\0';
    }
    demand(false, "there is no %s above the test program", name);
}

static void binary_path(char ret[PATH_MAX])
{
    const char *given = getenv("TEST_PRERENDERD");
    if (given != NULL) {
        snprintf(ret, PATH_MAX, "%s", given);
    } else {
        harness_find_above("prerenderd", ret);
    }
}

static size_t add_arguments(const char **to, size_t count, const char *const *from)
{
    for (size_t i = 0; from != NULL && from[i] != NULL; i++) {
        demand(count + 1 < ARGUMENTS_MAX, "too many arguments");
        to[count++] = from[i];
    }
    return count;
}

/* What a developer's shell may hold must not reach the daemon under test. */
static void clean_environment(void)
{
    static const char *const prefixes[] = {"PRERENDERD_", "PRERENDER_", "NOTIFY_SOCKET=", "LISTEN_",
                                           "WATCHDOG_"};
    for (size_t i = 0; environ[i] != NULL;) {
        bool unwanted = strcasestr(environ[i], "_proxy=") != NULL;
        for (size_t p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
            unwanted = unwanted || strncmp(environ[i], prefixes[p], strlen(prefixes[p])) == 0;
        }
        if (!unwanted) {
            i++;
            continue;
        }
        char name[256];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(environ[i], "="), environ[i]);
        unsetenv(name);
    }
}

static void child_main(const struct harness *harness, const struct launch *launch,
                       const char *const *arguments)
{
    setpgid(0, 0);
    clean_environment();
    for (size_t i = 0; launch->environment != NULL && launch->environment[i] != NULL; i++) {
        putenv((char *)(uintptr_t)launch->environment[i]);
    }
    int log = open(harness->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
        _exit(126);
    }
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

void harness_launch(struct harness *harness, const struct launch *launch)
{
    assert(harness->pid == 0);
    static char binary[PATH_MAX];
    char profiles[200];
    const char *arguments[ARGUMENTS_MAX];
    binary_path(binary);
    snprintf(profiles, sizeof(profiles), "--browser.profile_root=%s", harness->profiles);
    size_t count = add_arguments(arguments, 0, launch->wrapper);
    arguments[count++] = binary;
    arguments[count++] = profiles;
    if (!launch->no_listen) {
        arguments[count++] = "--http.listen=127.0.0.1:0";
    }
    count = add_arguments(arguments, count, launch->knobs);
    arguments[count] = NULL;
    struct stat status;
    harness->log_start = stat(harness->log, &status) == 0 ? status.st_size : 0;
    harness->address[0] = '\0';
    fflush(NULL);
    pid_t pid = fork();
    demand(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        child_main(harness, launch, arguments);
    }
    harness->pid = pid;
}

char *harness_output(const struct harness *harness)
{
    FILE *file = fopen(harness->log, "re");
    char *text = NULL;
    size_t bytes = 0, read = 0;
    FILE *memory = open_memstream(&text, &bytes);
    demand(memory != NULL, "no memory for the daemon's output");
    if (file != NULL) {
        char piece[4096];
        fseek(file, harness->log_start, SEEK_SET);
        while ((read = fread(piece, 1, sizeof(piece), file)) > 0) {
            fwrite(piece, 1, read, memory);
        }
        fclose(file);
    }
    fclose(memory);
    return text;
}

bool harness_output_contains(const struct harness *harness, const char *text)
{
    char *output = harness_output(harness);
    bool contains = strstr(output, text) != NULL;
    free(output);
    return contains;
}

struct wanted_output {
    const struct harness *harness;
    const char *text;
};

static bool output_has(void *wanted_)
{
    const struct wanted_output *wanted = wanted_;
    return harness_output_contains(wanted->harness, wanted->text);
}

bool harness_wait_output(const struct harness *harness, const char *text, uint64_t timeout_ms)
{
    return until(output_has, &(struct wanted_output){harness, text}, timeout_ms);
}

/* The first "http://127.0.0.1:PORT" in the output. */
static void find_address(struct harness *harness)
{
    static const char prefix[] = "http://127.0.0.1:";
    char *output = harness_output(harness);
    const char *found = strstr(output, prefix);
    size_t digits = found == NULL ? 0 : strspn(found + sizeof(prefix) - 1, "0123456789");
    /* The line may be half written. */
    if (digits > 0 && found[sizeof(prefix) - 1 + digits] != '\0') {
        snprintf(harness->address, sizeof(harness->address), "%.*s",
                 (int)(sizeof(prefix) - 1 + digits), found);
    }
    free(output);
}

bool harness_is_ready(struct harness *harness)
{
    if (harness->address[0] == '\0') {
        find_address(harness);
    }
    return harness->address[0] != '\0' && harness_status(harness, "GET", "/readyz") == 200;
}

static bool is_ready_or_ended(void *harness_)
{
    struct harness *harness = harness_;
    return harness_is_ready(harness) || !process_is_alive(harness->pid);
}

void harness_wait_ready(struct harness *harness)
{
    until(is_ready_or_ended, harness, START_TIMEOUT_MS);
    demand(harness->address[0] != '\0', "the daemon printed no address");
    demand(harness_is_ready(harness), "the daemon did not become ready");
}

void harness_start(struct harness *harness, const char *const *knobs)
{
    harness_launch(harness, &(struct launch){.knobs = knobs});
    harness_wait_ready(harness);
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

int harness_wait_exit(struct harness *harness, uint64_t timeout_ms)
{
    assert(harness->pid != 0);
    struct exit_wait wait = {.pid = harness->pid};
    demand(until(has_exited, &wait, timeout_ms), "the daemon did not exit within %llu ms",
           (unsigned long long)timeout_ms);
    harness->pid = 0;
    return wait.status;
}

bool harness_has_process(const struct harness *harness)
{
    pid_t pids[PROCESSES_MAX];
    return process_list_command(harness->profiles, pids) > 0;
}

static bool has_no_process(void *harness)
{
    return !harness_has_process(harness);
}

void harness_stop(struct harness *harness)
{
    demand(kill(harness->pid, SIGTERM) == 0, "the daemon is gone already");
    int status = harness_wait_exit(harness, STOP_TIMEOUT_MS);
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the daemon ended with %s %d",
           WIFEXITED(status) ? "status" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    demand(until(has_no_process, harness, 1000), "a browser process outlived the daemon");
    demand(harness_profiles_count(harness) == 0, "a profile directory outlived the daemon");
}

void harness_kill(struct harness *harness)
{
    kill(harness->pid, SIGKILL);
    harness_wait_exit(harness, SOON_MS);
}

size_t harness_profiles_count(const struct harness *harness)
{
    DIR *directory = opendir(harness->profiles);
    demand(directory != NULL, "%s: %s", harness->profiles, strerror(errno));
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.' && entry->d_type == DT_DIR;
    }
    closedir(directory);
    return count;
}
