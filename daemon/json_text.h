/* json_text.h: JSON that is written to a stream rather than built as a tree first. */
#ifndef DAEMON_JSON_TEXT_H
#define DAEMON_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes valid UTF-8 as a string. False: memory is out. */
bool json_text_string(FILE *, const char *bytes, size_t count);

#endif
