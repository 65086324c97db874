/* switches.h: the command line and the environment of a browser. */
#ifndef CDP_SWITCHES_H
#define CDP_SWITCHES_H

#include "cdp/ports.h"
#include "cdp/program.h"
#include "config/config.h"

/* NULL-terminated argv, or NULL when memory runs out: the browser's, behind those of the
 * programs through which it is executed if it is to die with us. `profile` is the directory the
 * browser writes to. Free with switches_free(). */
char **switches_new(const struct browser_config *, const struct browser_ports *,
                    const struct program *, const char *profile);
/* NULL-terminated "NAME=value": what the browser needs of ours, and nothing else, since
 * ours may hold secrets. The home and the place of temporary files is `profile`. */
char **switches_environment(const char *profile);
void switches_free(char **);

#endif
