/* command.c: renders what a command line names, with the daemon that serves otherwise: only
 * that nobody can reach it, and that its requests come from the command; see batch.h. */
#include "daemon/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "daemon/batch.h"
#include "daemon/daemon.h"
#include "daemon/init.h"

static void on_warning(void *owner, const char *sentence)
{
    (void)owner;
    (void)fprintf(stderr, "prerenderd: warning: %s\n", sentence);
}

/* What a server's configuration says about its callers does not concern a command, which
 * may not even be allowed to read the tokens. */
static void isolate(struct config *config)
{
    config->http.listen[0] = '\0';
    config->http.tokens_file[0] = '\0';
    config->manager.url[0] = '\0';
}

/* Whatever can be known to be wrong is told before a browser is started. */
static int check_urls(const struct cli *cli, const struct config *config)
{
    char error[CLI_ERROR_BYTES];
    for (size_t i = 0; i < cli->urls_count; i++) {
        struct http_request http;
        if (!cli_request(cli, config, i, &http, error)) {
            (void)fprintf(stderr, "prerenderd: %s\n", error);
            return COMMAND_USAGE;
        }
        render_params_free(&http.params);
    }
    return 0;
}

static int make_directory(const struct cli *cli)
{
    struct stat status;
    if (!cli->has_many || cli->target == NULL)
        return 0;
    int code = mkdir(cli->target, 0777) == 0 || errno == EEXIST ? 0 : errno;
    if (code == 0 && stat(cli->target, &status) == 0 && !S_ISDIR(status.st_mode))
        code = ENOTDIR;
    if (code == 0)
        return 0;
    (void)fprintf(stderr, "prerenderd: cannot use -o %s for several URLs: %s\n", cli->target,
                  strerror(code));
    return COMMAND_USAGE;
}

static int exit_status(const struct batch *batch)
{
    const struct progress *progress = &batch->progress;
    if (batch->signal != 0)
        return 128 + batch->signal;
    if (progress->failed > 0 || progress_done(progress) < progress->total)
        return COMMAND_FAILED;
    if (progress->timed_out > 0)
        return COMMAND_TIMED_OUT;
    return progress->partial > 0 ? COMMAND_PARTIAL : COMMAND_COMPLETE;
}

static int run(struct daemon *daemon, const struct cli *cli)
{
    struct batch batch;
    char text[PROGRESS_TEXT_BYTES];
    init_become_if_first();
    (void)signal(SIGPIPE, SIG_IGN); /* A reader that left is an error of write(2). */
    batch_open(daemon, &batch, cli);
    int status = daemon_run(daemon);
    if (status == 0 && cli->has_many)
        (void)fprintf(stderr, "prerenderd: %s\n",
                      progress_summary(&batch.progress, daemon->now_ms - daemon->started_ms, text));
    return status != 0 ? COMMAND_FAILED : exit_status(&batch);
}

static int load(const struct cli *cli, char *const *environ_, struct config *ret)
{
    char error[CONFIG_ERROR_BYTES];
    enum config_verb verb;
    if (config_load_with_warnings(cli->knobs_count, cli->knobs, environ_, on_warning, NULL, ret,
                                  &verb, error) == 0)
        return 0;
    (void)fprintf(stderr, "prerenderd: %s\n", error);
    return COMMAND_CONFIG;
}

static int render(const struct cli *cli, char *const *environ_)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        return COMMAND_FAILED;
    int status = load(cli, environ_, &daemon->config);
    if (status != 0) {
        free(daemon);
        return status;
    }
    isolate(&daemon->config);
    status = check_urls(cli, &daemon->config);
    if (status == 0)
        status = make_directory(cli);
    if (status == 0)
        status = run(daemon, cli);
    config_free(&daemon->config);
    free(daemon);
    return status;
}

int command_render(int argc, char *const *argv, char *const *environ_)
{
    struct cli cli;
    char error[CLI_ERROR_BYTES];
    int status = COMMAND_COMPLETE;
    int code = cli_parse(argc, argv, &cli, error);
    if (code != 0) {
        (void)fprintf(stderr, "prerenderd: %s\n", error);
        return code == -ENOMEM ? COMMAND_FAILED : COMMAND_USAGE;
    }
    if (cli.wants_help)
        cli_help(stdout);
    else
        status = render(&cli, environ_);
    cli_free(&cli);
    return status;
}
