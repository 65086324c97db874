/* log.h: one line per fact worth an operator's attention, on stderr.
 *
 * Text on a terminal, logfmt otherwise. Only daemon/ logs; the other folders return
 * errors and emit events. A line has a message (a constant) and typed fields. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "config/config.h"

enum log_field_type { LOG_STRING, LOG_BYTES, LOG_NUMBER };

struct log_field {
    const char *name;
    enum log_field_type type;
    const char *text; /* LOG_STRING: NUL-terminated; NULL leaves the field out. LOG_BYTES. */
    uint64_t number;  /* LOG_NUMBER: the value. LOG_BYTES: the length of text. */
};

#define LOG_STR(field_name, value) ((struct log_field){(field_name), LOG_STRING, (value), 0})
#define LOG_KEY(field_name, value, bytes)                                                          \
    ((struct log_field){(field_name), LOG_BYTES, (value), (bytes)})
#define LOG_U64(field_name, value) ((struct log_field){(field_name), LOG_NUMBER, NULL, (value)})

struct log {
    FILE *stream;
    enum log_level level;
    enum log_format format; /* Never LOG_AUTO. */
};

/* Resolves LOG_AUTO by looking at stderr. */
void log_init(struct log *, const struct log_config *);
/* Writes one line if `level` is wanted. */
void log_write(const struct log *, enum log_level level, const char *message,
               const struct log_field *fields, size_t fields_count);

/* LOG(&log, LOG_INFO, "listening", LOG_STR("address", "...")): at least one field. */
#define LOG(log, level, message, ...)                                                              \
    log_write((log), (level), (message), (const struct log_field[]){__VA_ARGS__},                  \
              sizeof(const struct log_field[]){__VA_ARGS__} / sizeof(struct log_field))

#endif
