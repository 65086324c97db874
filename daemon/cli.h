/* cli.h: the command line of `prerenderd render`: what is rendered, how, and where to.
 *
 * An option is the command's own, or a parameter of the render by its name in the table
 * (--wait.until=load, also --wait.until load and --timeout-ms), or a knob of the daemon
 * (--browser.path=...). --pdf and --screenshot are short for parameters. Parameters end up in a
 * JSON body, so that they are judged by the same code, with the same sentences, as those of POST
 * /render. */
#ifndef DAEMON_CLI_H
#define DAEMON_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "config/config.h"
#include "http/http.h"

/* What one command renders at most: its list is held in memory. */
#define CLI_URLS_MAX 1000000
#define CLI_ERROR_BYTES 768

/* Further arguments that the knobs of a command may need; see cli.c. */
#define CLI_KNOBS_OWN 4

struct cli {
    char **urls; /* Owned, and so is each. */
    size_t urls_count;
    bool has_many;      /* Several were named, or a list of them. */
    json_t *params;     /* {"wait": {"until": "load"}}: what all of them have. Owned. */
    const char *target; /* A file, or a directory when has_many; NULL: standard output. */
    bool json;          /* The envelope instead of the document. */
    uint32_t jobs;      /* Renders at once; 0: as many as there are pages. */
    bool wants_help;    /* Nothing else holds then. */
    char **knobs;       /* For config_load(): argv[0], the knobs, NULL. Owned, but not the items. */
    int knobs_count;
    char own_knobs[CLI_KNOBS_OWN][64];
};

/* Reads argv after "prerenderd render". 0, or a negative errno (-EINVAL for what is wrong
 * with the command) with one sentence in `error` and *ret empty. Strings of argv are kept. */
int cli_parse(int argc, char *const *argv, struct cli *ret, char error[CLI_ERROR_BYTES]);
void cli_free(struct cli *);
/* Adds the URLs of a list: one a line, blank lines and those that begin with # left out. */
int cli_read_urls(struct cli *, FILE *, const char *name, char error[CLI_ERROR_BYTES]);
/* Sets one of the parameters from the text of an option: strings as they are, names of a set
 * joined by commas, anything else as JSON; an array of strings grows by one. 0, -EEXIST: it
 * has a value already, -EILSEQ: it is no UTF-8, -ENOMEM. (cli_params.c) */
int cli_set_parameter(json_t *params, const struct param_row *, const char *text);
/* The request for one of the URLs; its id is its number in the command, from 1. False, with
 * one sentence in `error`, when it is wrong. The receiver frees its parameters. */
bool cli_request(const struct cli *, const struct config *, size_t index, struct http_request *ret,
                 char error[CLI_ERROR_BYTES]);
/* What a file with the answer to that request ends in: "pdf". (cli_path.c) */
const char *cli_extension(const struct http_request *);
/* Where the answer for that URL is written: NULL is standard output, else from malloc(). Of
 * several files each gets the extension. (cli_path.c) */
char *cli_path(const struct cli *, size_t index, const char *extension);
void cli_help(FILE *);

#endif
