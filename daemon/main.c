/* main.c: command line, configuration, exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "daemon/command.h"
#include "daemon/daemon.h"
#include "daemon/init.h"

extern char **environ;

static int serve(struct daemon *daemon)
{
    init_become_if_first();
    (void)signal(SIGPIPE, SIG_IGN); /* A client that left is an error of write(2). */
    return daemon_run(daemon);
}

/* Before there is a log: what it looks like is part of what is being read. */
static void on_warning(void *owner, const char *sentence)
{
    (void)owner;
    (void)fprintf(stderr, "prerenderd: warning: %s\n", sentence);
}

static int serve_or_answer(int argc, char **argv)
{
    char error[CONFIG_ERROR_BYTES];
    enum config_verb verb;
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        return 1;
    if (config_load_with_warnings(argc, argv, environ, on_warning, NULL, &daemon->config, &verb,
                                  error) != 0) {
        (void)fprintf(stderr, "prerenderd: %s\n", error);
        free(daemon);
        return COMMAND_CONFIG;
    }
    daemon->argc = argc;
    daemon->argv = argv;
    daemon->environ_ = environ;
    int status = 0;
    switch (verb) {
    case CONFIG_SERVE:
        status = serve(daemon);
        break;
    case CONFIG_HELP:
        config_help(stdout);
        break;
    case CONFIG_VERSION:
        (void)printf("prerenderd %s\n", PRERENDERD_VERSION);
        break;
    case CONFIG_CHECK:
        (void)printf("configuration ok\n");
        break;
    case CONFIG_PRINT:
        config_print(&daemon->config, stdout);
        break;
    }
    config_free(&daemon->config);
    free(daemon);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "render") == 0)
        return command_render(argc - 2, argv + 2, environ);
    return serve_or_answer(argc, argv);
}
