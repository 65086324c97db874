/* log.c: formats log lines. A line is built in one buffer and written by one call, so
 * that lines of several processes on one stderr do not mix. Values that do not fit are
 * cut, with a mark. */
#include "daemon/log.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line is cut here: PIPE_BUF, up to which a write to a pipe is atomic. */
#define LINE_BYTES_MAX 4096

struct line {
    char text[LINE_BYTES_MAX];
    size_t bytes;
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_init(struct log *log, const struct log_config *config)
{
    log->stream = stderr;
    log->level = config->level;
    log->format = config->format;
    if (log->format == LOG_AUTO)
        log->format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_LOGFMT;
}

static void line_put(struct line *line, const char *text, size_t bytes)
{
    /* One byte is kept for the newline. */
    size_t left = sizeof line->text - 1 - line->bytes;
    if (bytes > left)
        bytes = left;
    memcpy(line->text + line->bytes, text, bytes);
    line->bytes += bytes;
}

static void line_puts(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

static bool needs_quotes(const char *text, size_t bytes)
{
    if (bytes == 0)
        return true;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return true;
    }
    return false;
}

/* Control bytes never reach the log as they are: a value cannot forge a line. */
static void line_value(struct line *line, const char *text, size_t bytes)
{
    if (!needs_quotes(text, bytes)) {
        line_put(line, text, bytes);
        return;
    }
    line_puts(line, "\"");
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            line_put(line, escape, 2);
        } else if (c < ' ' || c == 0x7f) {
            int length = snprintf(escape, sizeof escape, "\\x%02x", c);
            line_put(line, escape, (size_t)length);
        } else {
            line_put(line, text + i, 1);
        }
    }
    line_puts(line, "\"");
}

static void line_field(struct line *line, const struct log_field *field)
{
    char number[24];
    if (field->type != LOG_NUMBER && field->text == NULL)
        return;
    line_puts(line, " ");
    line_puts(line, field->name);
    line_puts(line, "=");
    switch (field->type) {
    case LOG_STRING:
        line_value(line, field->text, strlen(field->text));
        break;
    case LOG_BYTES:
        line_value(line, field->text, (size_t)field->number);
        break;
    case LOG_NUMBER:
        line_put(
            line, number,
            (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)field->number));
        break;
    }
}

/* Wall time is for people who read the log; no decision depends on it. */
static void line_time(struct line *line)
{
    struct timespec wall;
    struct tm parts;
    char text[40];
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)gmtime_r(&wall.tv_sec, &parts);
    size_t bytes = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    line_put(line, text, bytes);
    int length = snprintf(text, sizeof text, ".%03ldZ", wall.tv_nsec / 1000000);
    line_put(line, text, (size_t)length);
}

void log_write(const struct log *log, enum log_level level, const char *message,
               const struct log_field *fields, size_t fields_count)
{
    assert(log->format != LOG_AUTO);
    if (level > log->level)
        return;
    struct line line = {.bytes = 0};
    bool logfmt = log->format == LOG_LOGFMT;
    if (logfmt)
        line_puts(&line, "time=");
    line_time(&line);
    line_puts(&line, logfmt ? " level=" : " ");
    line_puts(&line, level_names[level]);
    line_puts(&line, logfmt ? " msg=" : " ");
    if (logfmt)
        line_value(&line, message, strlen(message));
    else
        line_puts(&line, message);
    for (size_t i = 0; i < fields_count; i++)
        line_field(&line, &fields[i]);
    line.text[line.bytes++] = '\n';
    (void)fwrite(line.text, 1, line.bytes, log->stream);
    (void)fflush(log->stream);
}
