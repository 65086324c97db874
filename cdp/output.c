/* output.c: see output.h. */
#include "cdp/output.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char listening[] = "DevTools listening on ";

/* Chromium's words when its sandbox cannot start: as root; without user namespaces; with
 * neither them nor the setuid helper. */
static const char *const sandbox_words[] = {
    "no-sandbox",     "No usable sandbox", "SUID sandbox",
    "setuid sandbox", "namespace sandbox", "Zygote process exited prematurely",
};

static bool is_about_sandbox(const char *line)
{
    for (size_t i = 0; i < sizeof sandbox_words / sizeof sandbox_words[0]; i++) {
        if (strstr(line, sandbox_words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Addresses of a stack trace, and the complaints of every start about absent D-Bus and
 * graphics hardware, say nothing about an end. */
static bool is_noise(const char *line)
{
    return line[0] == '\0' || line[0] == '#' || strstr(line, "dbus/") != NULL ||
           strstr(line, ":WARNING:") != NULL || strstr(line, ":VERBOSE") != NULL;
}

/* Without the bracketed place in the source that the line begins with. */
static const char *without_place(const char *line)
{
    const char *end = line[0] == '[' ? strstr(line, "] ") : NULL;

    return end != NULL ? end + 2 : line;
}

static void note_words(struct output *output, const char *line)
{
    bool is_fatal = strstr(line, ":FATAL:") != NULL;

    if (is_noise(line) || (output->is_fatal && !is_fatal)) {
        return;
    }
    output->is_fatal = is_fatal;
    (void)snprintf(output->words, sizeof output->words, "%s", without_place(line));
}

static void note_line(struct output *output)
{
    const char *line = output->line;

    output->line[output->line_bytes] = '\0';
    output->line_bytes = 0;
    if (strncmp(line, listening, strlen(listening)) == 0) {
        (void)snprintf(output->endpoint, sizeof output->endpoint, "%s", line + strlen(listening));
        return;
    }
    output->is_about_sandbox = output->is_about_sandbox || is_about_sandbox(line);
    note_words(output, line);
}

void output_feed(struct output *output, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        assert(output->line_bytes < OUTPUT_LINE_BYTES_MAX);
        if (c == '\n') {
            note_line(output);
        } else if (output->line_bytes < OUTPUT_LINE_BYTES_MAX - 1 && c != '\r') {
            /* What ends up in a log must not steer a terminal. */
            output->line[output->line_bytes++] = c < ' ' || c > '~' ? '?' : (char)c;
        }
    }
}

void output_end(struct output *output)
{
    if (output->line_bytes > 0) {
        note_line(output);
    }
}
