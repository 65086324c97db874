/* proc.h: what /proc tells about processes. */
#ifndef CDP_PROC_H
#define CDP_PROC_H

#include <stdbool.h>
#include <stdint.h>

/* When the process started, in clock ticks since boot: together with the process id it
 * names one process for as long as the machine runs. False when there is none. */
bool proc_start_time(int pid, uint64_t *ret);
/* True while a process of that group lives; a zombie does not. */
bool proc_group_is_alive(int group);

/* True when the process runs under a seccomp filter, as Chromium's sandbox has it, or is
 * gone: who has exited does no harm. */
bool proc_has_seccomp(int pid);

#endif
