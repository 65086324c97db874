/* print.c: the knobs as a file, and the text of --help. */
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "config/knobs.h"

#define COMMENT_COLUMNS 92

/* Writes words as comment lines, broken between words. */
static void print_comment(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t bytes = strcspn(text, " ");
        if (column > 0 && column + 1 + bytes > COMMENT_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        fputs(column == 0 ? "# " : " ", out);
        fwrite(text, 1, bytes, out);
        column += 1 + bytes;
        text += bytes;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_explanation(const struct knob *knob, FILE *out)
{
    char range[KNOB_RANGE_BYTES], initial[KNOB_RANGE_BYTES];
    char text[2 * KNOB_RANGE_BYTES + 32];
    knob_range(knob, range, sizeof range);
    knob_default(knob, initial, sizeof initial);
    snprintf(text, sizeof text, "Valid: %s; default: %s.", range, initial);
    print_comment(knob->meaning, out);
    print_comment(text, out);
}

/* Writes "[section]" when the row begins one, else a blank line; answers the key. */
static const char *print_section(const struct knob *knob, const char *before, FILE *out)
{
    const char *dot = strrchr(knob->name, '.');
    assert(dot);
    size_t bytes = (size_t)(dot - knob->name) + 1;
    if (!before || strncmp(before, knob->name, bytes) != 0) {
        fputs("\n[", out);
        for (const char *c = knob->name; c < dot; c++) {
            fputc(*c == '.' ? ' ' : *c, out);
        }
        fputs("]\n", out);
    } else {
        fputc('\n', out);
    }
    return dot + 1;
}

static void print_head(const char *title, FILE *out)
{
    fprintf(
        out,
        "# prerenderd.conf: %s\n"
        "#\n"
        "# The environment (PRERENDERD_POOL_PAGES_MAX for pages_max of [pool]) and the command\n"
        "# line (--pool.pages_max=4) are stronger than this file. Comments are lines of their\n"
        "# own. Times are in milliseconds, sizes in bytes.\n",
        title);
}

void config_print(const struct config *config, FILE *out)
{
    assert(config);
    assert(out);
    char *value = malloc(KNOB_VALUE_BYTES);
    if (!value) {
        return;
    }
    print_head("the knobs in effect.", out);
    for (size_t i = 0; i < knobs_count; i++) {
        const char *key = print_section(&knobs[i], i > 0 ? knobs[i - 1].name : NULL, out);
        print_explanation(&knobs[i], out);
        knob_value(&knobs[i], config, value, KNOB_VALUE_BYTES);
        /* A blank value is not valid: what is unset is left to its default. */
        fprintf(out, value[0] != '\0' ? "%s = %s\n" : "#%s =%s\n", key, value);
    }
    free(value);
}

void config_print_defaults(FILE *out)
{
    assert(out);
    char value[KNOB_RANGE_BYTES];
    print_head("every knob at its default.", out);
    for (size_t i = 0; i < knobs_count; i++) {
        const char *key = print_section(&knobs[i], i > 0 ? knobs[i - 1].name : NULL, out);
        print_explanation(&knobs[i], out);
        knob_default(&knobs[i], value, sizeof value);
        fprintf(out, knobs[i].computed ? "#%s =\n" : "#%s = %s\n", key, value);
    }
}

static const char usage[] =
    "usage: prerenderd [--KNOB=VALUE ...]\n"
    "       prerenderd render [OPTION ...] URL ...   (prerenderd render --help)\n"
    "\n"
    "Serves finished HTML of URLs over HTTP, from a pool of warm headless-browser pages.\n"
    "\n"
    "  --help           this text\n"
    "  --version        the version\n"
    "  --check-config   read the configuration, report, exit\n"
    "  --print-config   print the knobs in effect as a file, exit\n"
    "  --config=FILE    read FILE; else PRERENDERD_CONFIG, else, if it exists,\n"
    "                   /etc/prerenderd/prerenderd.conf\n"
    "\n"
    "Every knob may be set in the file (pages_max = 4 in [pool]), stronger in the environment\n"
    "(PRERENDERD_POOL_PAGES_MAX=4), strongest on the command line (--pool.pages_max=4):\n"
    "\n";

/* The first clause of a meaning: enough for one line. */
static size_t clause_bytes(const char *meaning)
{
    for (const char *c = meaning; *c != '\0'; c++) {
        if (strchr(".:;", *c) && (c[1] == ' ' || c[1] == '\0')) {
            return (size_t)(c - meaning);
        }
    }
    return strlen(meaning);
}

void config_help(FILE *out)
{
    assert(out);
    char initial[KNOB_RANGE_BYTES];
    fputs(usage, out);
    for (size_t i = 0; i < knobs_count; i++) {
        knob_default(&knobs[i], initial, sizeof initial);
        fprintf(out, "  --%-32s %.*s [%s]\n", knobs[i].name, (int)clause_bytes(knobs[i].meaning),
                knobs[i].meaning, initial);
    }
}
