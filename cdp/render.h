/* render.h: one render as a pure machine: protocol facts and ticks in, commands out.
 *
 * It does no I/O, formats no JSON, reads no clock and allocates nothing: page.c turns
 * commands into CDP calls, and replies and events into facts.
 *
 *   IDLE --start--> NAVIGATING --committed--> LOADING --load event--> SETTLING
 *   SETTLING --settled--> CAPTURING --captured--> DONE
 *   NAVIGATING, LOADING, SETTLING --soft deadline--> CAPTURING (partial)
 *   NAVIGATING --failed--> DONE      any --hard deadline--> DONE (timeout)
 *
 * Readiness `auto` settles in virtual time (Emulation.setVirtualTimePolicy): paused before
 * the navigation, then granted in slices that stand still while fetches are pending; slices
 * before the load event are free, after it settle_virtual_ms are counted with the virtual
 * clock itself. When virtual time has stood still for stuck_request_ms without progress,
 * the rest of the settling is granted without regard to fetches. */
#ifndef CDP_RENDER_H
#define CDP_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include "cdp/result.h"
#include "config/config.h"
#include "config/params.h"

enum render_state {
    RENDER_IDLE,       /* Not started. */
    RENDER_NAVIGATING, /* Page.navigate sent; its document has not committed. */
    RENDER_LOADING,    /* Committed; the awaited milestone has not come. */
    RENDER_SETTLING,   /* Loaded; virtual time runs in slices. */
    RENDER_CAPTURING,  /* Facts and document asked for. */
    RENDER_DONE,       /* The result is final; every further fact is stale. */
};

/* ... the facts, the commands and the functions are designed with the machine. */

#endif
