/* cli_help.c: the text of `prerenderd render --help`. */
#include "daemon/cli.h"

#include <string.h>

static const char usage[] =
    "usage: prerenderd render [OPTION ...] URL ...\n"
    "\n"
    "Renders once, without a server: the finished document goes to standard output.\n"
    "\n"
    "  -o FILE          write FILE, which is whole or not there; with several URLs a directory\n"
    "  --urls FILE      render every line of FILE, or of standard input for -; # begins a comment\n"
    "  --jobs N         renders at once (1 for one URL, else pool.pages_max)\n"
    "  --json           the JSON envelope of POST /render instead of the document; with several\n"
    "                   URLs and no -o one line each, whose requestId is the number of the URL\n"
    "  --pdf            a PDF instead of the document, as --output=pdf\n"
    "  --screenshot     an image instead of the document, as --output=png\n"
    "  --KNOB=VALUE     a knob of the daemon, see prerenderd --help\n"
    "  --PARAMETER=VALUE\n"
    "\n"
    "Exit status: 0 complete, 1 failed, 2 wrong command, 3 partial, 4 timed out, 78 wrong\n"
    "configuration, 128 and the signal's number when interrupted; of several URLs the worst:\n"
    "failed, then timed out, then partial.\n"
    "\n"
    "Parameters, by the names of POST /render:\n"
    "\n";

/* The first clause of a meaning: enough for one line. */
static int clause_bytes(const char *meaning)
{
    for (const char *c = meaning; *c != '\0'; c++) {
        if (strchr(".:;", *c) && (c[1] == ' ' || c[1] == '\0'))
            return (int)(c - meaning);
    }
    return (int)strlen(meaning);
}

void cli_help(FILE *out)
{
    (void)fputs(usage, out);
    for (size_t i = 0; i < param_rows_count; i++) {
        const struct param_row *row = &param_rows[i];
        if (strcmp(row->name, "url") != 0)
            (void)fprintf(out, "  --%-26s %.*s\n", row->shorthand ? row->shorthand : row->name,
                          clause_bytes(row->meaning), row->meaning);
    }
}
