/* launch.c: see launch.h. */
#include "cdp/launch.h"

#include <stdio.h>
#include "cdp/program.h"
#include "cdp/switches.h"

/* With the program and the profile at hand. */
static struct process *start(uv_loop_t *loop, const struct browser_config *config,
                             const struct browser_ports *ports, const struct program *program,
                             const struct profile *profile, char *error)
{
    struct process *process = NULL;
    int code = 0;
    char **argv = switches_new(config, ports, program, profile->data);
    char **environment = switches_environment(profile->data);

    if (argv != NULL && environment != NULL) {
        process = process_new(loop, program, argv, environment, profile->data, &code);
    }
    switches_free(argv);
    switches_free(environment);
    if (process == NULL) {
        (void)snprintf(error, LAUNCH_ERROR_BYTES, "no memory to start %.200s", program->path);
    } else if (code != 0) {
        (void)snprintf(error, LAUNCH_ERROR_BYTES, "cannot start %.200s%s: %s", program->path,
                       program->changes_user ? " as the user of browser.user" : "",
                       uv_strerror(code));
    } else {
        profile_note_pid(profile, process_pid(process));
    }
    return process;
}

struct process *launch(uv_loop_t *loop, const struct browser_config *config,
                       const struct browser_ports *ports, struct profile *ret_profile,
                       char error[LAUNCH_ERROR_BYTES])
{
    struct program program;

    _Static_assert(LAUNCH_ERROR_BYTES >= PROGRAM_ERROR_BYTES, "errors are handed through");
    error[0] = '\0';
    ret_profile->lock_fd = -1;
    if (program_find(config, &program, error) != 0 ||
        profile_new(config, &program, ret_profile, error) != 0) {
        return NULL;
    }
    return start(loop, config, ports, &program, ret_profile, error);
}

void launch_describe_end(const struct process *process, char *ret, size_t ret_bytes)
{
    const struct output *output = process_output(process);
    bool has_words = output->words[0] != '\0';
    char how[64];

    process_describe_exit(process, how, sizeof how);
    (void)snprintf(ret, ret_bytes, "the browser %s%s%.160s%s", how, has_words ? ": " : "",
                   output->words,
                   output->is_about_sandbox
                       ? "; set browser.user to an unprivileged user, allow user namespaces or "
                         "install chromium-sandbox, or set browser.sandbox=off"
                       : "");
}
