/* program.c: see program.h.
 *
 * The programs themselves are looked for, not the scripts in /usr/bin: those stay in the
 * process list as the parent of the browser. */
#include "cdp/program.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const candidates[] = {
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib/chromium/chromium",
};

#define CANDIDATES_COUNT (sizeof candidates / sizeof candidates[0])

/* Long enough for every entry that nsswitch modules are known to return. */
#define PASSWD_BYTES 16384

static bool is_program(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static int find_path(const char *wanted, struct program *program, char *error)
{
    if (*wanted != '\0') {
        if (realpath(wanted, program->path) == NULL || !is_program(program->path)) {
            (void)snprintf(error, PROGRAM_ERROR_BYTES,
                           "browser.path: %.200s is not an executable file", wanted);
            return -ENOENT;
        }
        return 0;
    }
    for (size_t i = 0; i < CANDIDATES_COUNT; i++) {
        if (is_program(candidates[i])) {
            (void)snprintf(program->path, sizeof program->path, "%s", candidates[i]);
            return 0;
        }
    }
    (void)snprintf(error, PROGRAM_ERROR_BYTES,
                   "no browser found: install the package chromium-headless-shell or chromium, or "
                   "set browser.path or browser.websocket_url");
    return -ENOENT;
}

/* Looks up browser.user. Root itself will not do: Chromium does not start its sandbox as
 * root, and pages are not to be rendered with root's rights without one either. */
static int look_up(const char *name, struct program *program, char *error)
{
    char buffer[PASSWD_BYTES];
    struct passwd entry, *found = NULL;

    assert(*name != '\0');
    int code = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (code != 0 || found == NULL) {
        (void)snprintf(error, PROGRAM_ERROR_BYTES,
                       "browser.user: there is no user %.100s; set browser.user to an "
                       "unprivileged user for the browser to run as",
                       name);
        return -ENOENT;
    }
    if (found->pw_uid == 0) {
        (void)snprintf(error, PROGRAM_ERROR_BYTES,
                       "browser.user: %.100s is root, as whom no browser is started; set "
                       "browser.user to an unprivileged user",
                       name);
        return -EPERM;
    }
    program->changes_user = true;
    program->uid = found->pw_uid;
    program->gid = found->pw_gid;
    return 0;
}

int program_find_user(const struct browser_config *config, struct program *ret,
                      char error[PROGRAM_ERROR_BYTES])
{
    ret->uid = geteuid();
    ret->gid = getegid();
    ret->changes_user = false;
    if (ret->uid != 0) {
        return 0;
    }
    return look_up(*config->user != '\0' ? config->user : "nobody", ret, error);
}

int program_find(const struct browser_config *config, struct program *ret,
                 char error[PROGRAM_ERROR_BYTES])
{
    struct program program = {.changes_user = false};

    int code = find_path(config->path, &program, error);
    if (code == 0) {
        code = program_find_user(config, &program, error);
    }
    if (code != 0) {
        return code;
    }
    const char *name = strrchr(program.path, '/');
    program.is_headless_shell = name != NULL && strstr(name, "headless") != NULL;
    program.is_batch = config->batch;
    *ret = program;
    return 0;
}
