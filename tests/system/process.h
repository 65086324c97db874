/* process.h: what the system tests want to know about other processes, read from /proc.
 *
 * A browser is started as the leader of its own session, which all its children stay in,
 * also when their parents are gone: the session finds what a walk from parent to child
 * would miss. */
#ifndef TESTS_SYSTEM_PROCESS_H
#define TESTS_SYSTEM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESSES_MAX 512
#define PROCESS_COMMAND_BYTES 8192

struct process {
    pid_t pid, parent, group, session;
    char state; /* As in /proc/PID/stat; Z is gone for our purposes. */
};

/* False when there is no such process. */
bool process_get(pid_t, struct process *ret);
/* Exists and is no zombie. */
bool process_is_alive(pid_t);
/* The command line, its arguments joined with blanks; "" when the process is gone. */
void process_command(pid_t, char ret[PROCESS_COMMAND_BYTES]);
/* The living processes of a session. Returns how many, at most PROCESSES_MAX. */
size_t process_list_session(pid_t session, pid_t ret[PROCESSES_MAX]);
/* The living processes whose command line contains `text`, without the caller itself. */
size_t process_list_command(const char *text, pid_t ret[PROCESSES_MAX]);
/* The living renderers in the session of that browser. */
size_t process_list_renderers(pid_t browser, pid_t ret[PROCESSES_MAX]);
/* A number from a line "Name:  12 kB" of /proc/PID/status; -1 when there is none. */
int64_t process_status_number(pid_t, const char *name);
/* Processor time used so far; 0 when the process is gone. */
uint64_t process_cpu_ms(pid_t);
/* How many descriptors the process has open. */
size_t process_descriptors(pid_t);

#endif
