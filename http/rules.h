/* rules.h: the rules that hold between the parameters of one render. Pure. */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include <stdbool.h>
#include "config/params.h"
#include "http/problem.h"

/* Once all are stored: true, or the fault that names the parameter to change. */
bool rules_check(const struct render_params *, struct fault *);
/* The part of it in rules_network.c. */
bool rules_network_check(const struct render_params *, struct fault *);

#endif
