/* test_profile.c: profile directories are private, removed whatever is in them, and swept
 * when their daemon is gone; nothing else is touched. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cdp/browser.h"
#include "cdp/proc.h"
#include "cdp/profile.h"
#include "cdp/remove.h"
#include "tests/suite.h"

static char root[64];
static struct config config;
static struct program program;
static char error[PROGRAM_ERROR_BYTES];
static char empty[] = "", nobody[] = "nobody", shell[] = "/bin/sh";

static void setup(void)
{
    (void)snprintf(root, sizeof root, "/tmp/prerenderd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chmod(root, 0755), 0);
    memset(&config, 0, sizeof config);
    config.browser.path = shell;
    config.browser.user = nobody;
    config.browser.profile_root = root;
    config.browser.websocket_url = config.browser.args = empty;
    ck_assert_int_eq(program_find(&config.browser, &program, error), 0);
}

static uint32_t count_entries(const char *path)
{
    uint32_t count = 0;
    DIR *list = opendir(path);

    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(list);
    return count;
}

static void teardown(void)
{
    ck_assert_msg(rmdir(root) == 0, "%s is not empty", root);
}

static struct profile make_profile(void)
{
    struct profile profile;

    int code = profile_new(&config.browser, &program, &profile, error);
    ck_assert_msg(code == 0, "%s", error);
    return profile;
}

static void remove_profile(struct profile *profile)
{
    ck_assert_int_eq(profile_remove(profile->directory), 0);
    profile_release(profile);
}

static const char *below(const char *directory, const char *name)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%.3000s/%.900s", directory, name);
    return path;
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, "x", 1), 1);
    (void)close(fd);
}

START_TEST(profiles_are_private)
{
    struct profile profile = make_profile();
    struct stat outer, inner;

    ck_assert_int_eq(stat(profile.directory, &outer), 0);
    ck_assert_int_eq(stat(profile.data, &inner), 0);
    ck_assert_uint_eq(outer.st_uid, geteuid());
    ck_assert_uint_eq(outer.st_mode & 0777, program.changes_user ? 0710 : 0700);
    ck_assert_uint_eq(inner.st_mode & 0777, 0700);
    ck_assert_uint_eq(inner.st_uid, program.uid);
    ck_assert_uint_ne(inner.st_uid, 0);
    ck_assert_int_ne(fcntl(profile.lock_fd, F_GETFD) & FD_CLOEXEC, 0);
    remove_profile(&profile);
    ck_assert_int_eq(access(profile.directory, F_OK), -1);
}
END_TEST

START_TEST(bad_roots_name_the_knob)
{
    struct profile profile;
    static char missing[] = "/nonexistent/place";

    config.browser.profile_root = missing;
    ck_assert_int_eq(profile_new(&config.browser, &program, &profile, error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error, "browser.profile_root"));
    ck_assert_ptr_nonnull(strstr(error, missing));
    config.browser.profile_root = root;
    if (program.changes_user) {
        ck_assert_int_eq(chmod(root, 0700), 0);
        ck_assert_int_eq(profile_new(&config.browser, &program, &profile, error), -EACCES);
        ck_assert_ptr_nonnull(strstr(error, root));
    }
    ck_assert_uint_eq(count_entries(root), 0);
}
END_TEST

START_TEST(roots_come_from_the_environment)
{
    config.browser.profile_root = empty;
    ck_assert_int_eq(setenv("RUNTIME_DIRECTORY", "/run/prerenderd", 1), 0);
    ck_assert_str_eq(profile_root(&config.browser), "/run/prerenderd");
    ck_assert_int_eq(setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1), 0);
    ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
    ck_assert_str_eq(profile_root(&config.browser), "/tmp");
    ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
    ck_assert_str_eq(profile_root(&config.browser), geteuid() == 0 ? "/tmp" : "/run/user/7");
    config.browser.profile_root = root;
    ck_assert_str_eq(profile_root(&config.browser), root);
}
END_TEST

/* A tree that is deeper than any path is long, links that lead out of it, odd files. */
START_TEST(removes_whatever_is_there)
{
    struct profile profile = make_profile();
    char outside[PATH_MAX];

    (void)snprintf(outside, sizeof outside, "%s", below(root, "outside"));
    ck_assert_int_eq(mkdir(outside, 0700), 0);
    make_file(below(outside, "precious"));
    ck_assert_int_eq(symlink(outside, below(profile.data, "link")), 0);
    ck_assert_int_eq(symlink("nowhere", below(profile.data, "dangling")), 0);
    ck_assert_int_eq(mkfifo(below(profile.data, "fifo"), 0600), 0);
    make_file(below(profile.data, "file"));
    ck_assert_int_eq(mkdir(below(profile.data, "removed-1"), 0700), 0);
    make_file(below(profile.data, "removed-1/file"));
    ck_assert_int_eq(mkdir(below(profile.data, "closed"), 0700), 0);
    make_file(below(profile.data, "closed/file"));
    ck_assert_int_eq(chmod(below(profile.data, "closed"), 0000), 0);
    int fd = open(profile.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 3000; i++) {
        ck_assert_int_eq(mkdirat(fd, "deep", 0700), 0);
        ck_assert_int_eq(symlinkat(outside, fd, "l"), 0);
        int next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        (void)close(fd);
        fd = next;
    }
    (void)close(fd);
    while (profile_remove(profile.directory) != 0) {
        /* Very deep trees take several calls; the case has a time limit. */
    }
    profile_release(&profile);
    ck_assert_int_eq(access(profile.directory, F_OK), -1);
    ck_assert_int_eq(access(below(outside, "precious"), F_OK), 0);
    ck_assert_int_eq(unlink(below(outside, "precious")), 0);
    ck_assert_int_eq(rmdir(outside), 0);
}
END_TEST

START_TEST(removes_nothing_through_links)
{
    char outside[PATH_MAX], link[PATH_MAX];
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)snprintf(outside, sizeof outside, "%s", below(root, "outside"));
    (void)snprintf(link, sizeof link, "%s", below(root, "link"));
    ck_assert_int_eq(mkdir(outside, 0700), 0);
    make_file(below(outside, "precious"));
    ck_assert_int_eq(symlink(outside, link), 0);
    ck_assert_int_eq(remove_tree(fd, "link"), -ENOTDIR);
    ck_assert_int_eq(remove_tree(fd, "none"), -ENOENT);
    ck_assert_int_ne(profile_remove(link), 0);
    ck_assert_int_eq(access(below(outside, "precious"), F_OK), 0);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(remove_tree(fd, "outside"), 0);
    (void)close(fd);
}
END_TEST

START_TEST(sweeps_only_what_was_left_behind)
{
    struct profile held = make_profile();
    struct profile left = make_profile();
    struct profile bare = make_profile();

    make_file(below(left.data, "Cookies"));
    profile_release(&left);
    ck_assert_int_eq(rmdir(bare.data), 0);
    profile_release(&bare);
    /* Strangers: other names, a file, a link, another user's directory. */
    ck_assert_int_eq(mkdir(below(root, "prerenderd-other"), 0700), 0);
    ck_assert_int_eq(mkdir(below(root, "unrelated"), 0700), 0);
    make_file(below(root, "prerenderd-aaaaaa"));
    ck_assert_int_eq(symlink("unrelated", below(root, "prerenderd-cccccc")), 0);
    ck_assert_int_eq(mkdir(below(root, "prerenderd-dddddd"), 0700), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(below(root, "prerenderd-dddddd"), 1, 1), 0);
        /* The browser's own user is no stranger. */
        ck_assert_int_eq(mkdir(below(root, "prerenderd-eeeeee"), 0700), 0);
        ck_assert_int_eq(chown(below(root, "prerenderd-eeeeee"), program.uid, program.gid), 0);
    }
    int want = 3;
    ck_assert_int_eq(browser_sweep_profiles(&config), want);
    ck_assert_int_eq(browser_sweep_profiles(&config), 0);
    ck_assert_int_eq(access(left.directory, F_OK), -1);
    ck_assert_int_eq(access(held.data, F_OK), 0);
    remove_profile(&held);
    ck_assert_int_eq(rmdir(below(root, "prerenderd-other")), 0);
    ck_assert_int_eq(rmdir(below(root, "unrelated")), 0);
    ck_assert_int_eq(unlink(below(root, "prerenderd-aaaaaa")), 0);
    ck_assert_int_eq(unlink(below(root, "prerenderd-cccccc")), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(rmdir(below(root, "prerenderd-dddddd")), 0);
    }
}
END_TEST

/* Starts a process in a group of its own that does nothing. */
static pid_t start_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        /* A test that fails must not leave it behind. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setsid();
        (void)pause();
        _exit(0);
    }
    /* It must be a leader before anybody asks for its group. */
    for (int i = 0; i < 1000 && getpgid(pid) != pid; i++) {
        (void)poll(NULL, 0, 1);
    }
    ck_assert_int_eq(getpgid(pid), pid);
    return pid;
}

/* A browser that was stopped when its daemon died cannot notice, and lives on. */
START_TEST(sweep_ends_a_process_that_is_left)
{
    /* First: what is forked later would hold the lock as well. */
    pid_t pid = start_sleeper();
    struct profile profile = make_profile();
    int status = 0;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    profile_note_pid(&profile, pid);
    profile_release(&profile);
    ck_assert_int_eq(browser_sweep_profiles(&config), 1);
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

/* The same process id with another start time is another process. */
START_TEST(sweep_spares_other_processes)
{
    pid_t pid = start_sleeper();
    struct profile profile = make_profile();
    uint64_t start_time = 0;
    char text[64];

    ck_assert(proc_start_time(pid, &start_time));
    int fd =
        open(below(profile.directory, PROFILE_PROCESS_FILE), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int bytes =
        snprintf(text, sizeof text, "%d %llu\n", (int)pid, (unsigned long long)start_time - 1);
    ck_assert_int_eq(write(fd, text, (size_t)bytes), bytes);
    (void)close(fd);
    profile_release(&profile);
    ck_assert_int_eq(browser_sweep_profiles(&config), 1);
    ck_assert_int_eq(kill(pid, 0), 0);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    (void)waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(groups_of_zombies_are_dead)
{
    pid_t pid = start_sleeper();

    ck_assert(proc_group_is_alive(pid));
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 1000 && proc_group_is_alive(pid); i++) {
        (void)poll(NULL, 0, 1);
    }
    ck_assert(!proc_group_is_alive(pid));
    ck_assert_int_eq(kill(-pid, 0), 0);
    (void)waitpid(pid, NULL, 0);
    ck_assert(!proc_group_is_alive(pid));
}
END_TEST

START_TEST(finds_programs_and_users)
{
    static char missing[] = "/nonexistent", directory[] = "/usr", plain[] = "/etc/passwd";
    static char unknown[] = "no-such-user", user_root[] = "root";
    char *const bad[] = {missing, directory, plain};
    struct program found;

    for (size_t i = 0; i < 3; i++) {
        config.browser.path = bad[i];
        ck_assert_int_eq(program_find(&config.browser, &found, error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error, "browser.path"));
        ck_assert_ptr_nonnull(strstr(error, bad[i]));
    }
    config.browser.path = shell;
    if (geteuid() != 0) {
        return;
    }
    config.browser.user = unknown;
    ck_assert_int_eq(program_find(&config.browser, &found, error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error, "browser.user"));
    config.browser.user = user_root;
    ck_assert_int_eq(program_find(&config.browser, &found, error), -EPERM);
    config.browser.user = empty;
    ck_assert_int_eq(program_find(&config.browser, &found, error), 0);
    ck_assert(found.changes_user);
    ck_assert_uint_eq(found.uid, 65534);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("profile");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, profiles_are_private);
    tcase_add_test(tests, bad_roots_name_the_knob);
    tcase_add_test(tests, roots_come_from_the_environment);
    tcase_add_test(tests, removes_whatever_is_there);
    tcase_add_test(tests, removes_nothing_through_links);
    tcase_add_test(tests, sweeps_only_what_was_left_behind);
    tcase_add_test(tests, sweep_ends_a_process_that_is_left);
    tcase_add_test(tests, sweep_spares_other_processes);
    tcase_add_test(tests, groups_of_zombies_are_dead);
    tcase_add_test(tests, finds_programs_and_users);
    Suite *suite = suite_create("profile");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
