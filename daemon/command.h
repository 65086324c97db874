/* command.h: `prerenderd render`: from its command line to its exit status. */
#ifndef DAEMON_COMMAND_H
#define DAEMON_COMMAND_H

/* Distinct, so that a script can tell them apart; of several URLs the worst counts, in the
 * order FAILED, TIMED_OUT, PARTIAL. A signal adds its number to 128, as shells do. */
enum command_exit {
    COMMAND_COMPLETE = 0,
    COMMAND_FAILED = 1, /* There is no document, or it could not be written. */
    COMMAND_USAGE = 2,
    COMMAND_PARTIAL = 3,
    COMMAND_TIMED_OUT = 4,
    COMMAND_CONFIG = 78, /* sysexits.h: EX_CONFIG, of which systemd shows the name. */
};

/* argv begins after "prerenderd render". Returns the exit status. */
int command_render(int argc, char *const *argv, char *const *environ_);

#endif
