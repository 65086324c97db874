/* caller.h: what of a render belongs to its caller alone.
 *
 * Renders that carry nothing of their caller may share a context, and so its HTTP cache;
 * renders that change nothing at the origin may run again after a crash. Both rules name
 * the parameter that breaks them, for the messages of errors. */
#ifndef CONFIG_CALLER_H
#define CONFIG_CALLER_H

#include "config/params.h"

/* The parameter that puts something of the caller into the page, or NULL. */
const char *caller_carries(const struct render_params *);
/* The parameter that forbids to render a second time, or NULL. */
const char *caller_binds(const struct render_params *);
/* ISOLATION_DEFAULT resolved: never that value itself. */
enum isolation caller_isolation(const struct render_params *);

#endif
