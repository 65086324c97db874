/* init.h: what PID 1 of a container has to do besides its work. */
#ifndef DAEMON_INIT_H
#define DAEMON_INIT_H

/* As PID 1: forks, and the parent becomes an init that forwards signals to the child,
 * reaps every process that the kernel hands to it (the browser's helpers, when their
 * parent was killed), and exits with the child's status. Returns in the child only. As any
 * other process: returns at once. */
void init_become_if_first(void);

#endif
