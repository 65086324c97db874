/* save.h: bytes into a file that is whole or not there. May run in any thread. */
#ifndef DAEMON_SAVE_H
#define DAEMON_SAVE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes beside the file and renames: whoever reads it sees the old bytes or all of the new
 * ones. It is not made durable. What is no regular file (a device, a pipe) is written in
 * place. 0 or a negative errno; then the file is as it was. */
int save_file(const char *path, const char *bytes, size_t count);
/* Writes to standard output in one piece, with a newline after it when asked for. */
int save_stdout(const char *bytes, size_t count, bool newline);

#endif
