/* process.c: reads /proc; see process.h. */
#include "tests/system/process.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a file of /proc, which has no size, into `ret`. Returns the bytes read; the text
 * ends with a NUL. */
static size_t read_proc(pid_t pid, const char *name, char *ret, size_t ret_bytes)
{
    assert(ret_bytes > 1);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    ret[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    size_t bytes = fread(ret, 1, ret_bytes - 1, file);
    fclose(file);
    ret[bytes] = '\0';
    return bytes;
}

bool process_get(pid_t pid, struct process *ret)
{
    char text[1024];
    if (read_proc(pid, "stat", text, sizeof(text)) == 0) {
        return false;
    }
    /* The second field is the name in parentheses, and may hold any character. */
    const char *rest = strrchr(text, ')');
    int parent, group, session;
    char state;
    if (rest == NULL || sscanf(rest + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4) {
        return false;
    }
    *ret = (struct process){
        .pid = pid, .parent = parent, .group = group, .session = session, .state = state};
    return true;
}

bool process_is_alive(pid_t pid)
{
    struct process process;
    return process_get(pid, &process) && process.state != 'Z' && process.state != 'X';
}

void process_command(pid_t pid, char ret[PROCESS_COMMAND_BYTES])
{
    size_t bytes = read_proc(pid, "cmdline", ret, PROCESS_COMMAND_BYTES);
    for (size_t i = 0; i + 1 < bytes; i++) {
        if (ret[i] == '\0') {
            ret[i] = ' ';
        }
    }
}

typedef bool process_matches(const struct process *, const void *what);

static size_t list(process_matches *matches, const void *what, pid_t ret[PROCESSES_MAX])
{
    DIR *directory = opendir("/proc");
    assert(directory != NULL);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < PROCESSES_MAX;) {
        struct process process;
        if (!isdigit((unsigned char)entry->d_name[0]) ||
            !process_get((pid_t)strtol(entry->d_name, NULL, 10), &process) ||
            process.state == 'Z' || process.state == 'X') {
            continue;
        }
        if (matches(&process, what)) {
            ret[count++] = process.pid;
        }
    }
    closedir(directory);
    return count;
}

static bool is_in_session(const struct process *process, const void *session)
{
    return process->session == *(const pid_t *)session;
}

size_t process_list_session(pid_t session, pid_t ret[PROCESSES_MAX])
{
    assert(session > 1);
    return list(is_in_session, &session, ret);
}

static bool command_contains(const struct process *process, const void *text)
{
    char command[PROCESS_COMMAND_BYTES];
    process_command(process->pid, command);
    return process->pid != getpid() && strstr(command, text) != NULL;
}

size_t process_list_command(const char *text, pid_t ret[PROCESSES_MAX])
{
    assert(text[0] != '\0');
    return list(command_contains, text, ret);
}

static bool is_renderer(const struct process *process, const void *browser)
{
    char command[PROCESS_COMMAND_BYTES];
    process_command(process->pid, command);
    return process->session == *(const pid_t *)browser &&
           strstr(command, "--type=renderer") != NULL;
}

size_t process_list_renderers(pid_t browser, pid_t ret[PROCESSES_MAX])
{
    assert(browser > 1);
    return list(is_renderer, &browser, ret);
}

int64_t process_status_number(pid_t pid, const char *name)
{
    char text[8192];
    read_proc(pid, "status", text, sizeof(text));
    size_t name_bytes = strlen(name);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, name, name_bytes) == 0 && line[name_bytes] == ':') {
            return strtoll(line + name_bytes + 1, NULL, 10);
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return -1;
}

uint64_t process_cpu_ms(pid_t pid)
{
    char text[1024];
    unsigned long long user, kernel;
    read_proc(pid, "stat", text, sizeof(text));
    const char *rest = strrchr(text, ')');
    /* Fields 14 and 15; the third follows the parenthesis. */
    if (rest == NULL || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                               &user, &kernel) != 2) {
        return 0;
    }
    return (user + kernel) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK);
}

size_t process_descriptors(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return 0;
    }
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count;
}
