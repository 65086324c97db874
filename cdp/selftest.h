/* selftest.h: proves, before a browser may serve, what everything rests on.
 *
 * Chromium silently ignores parameters it does not know, so that a context may turn out
 * to be shared and nobody notices. Two contexts are made and must not see each other's
 * cookies; a page must open in the context it was meant for; a document must come back as
 * it was put in; and, if a sandbox is wanted, the page's process must be in one. */
#ifndef CDP_SELFTEST_H
#define CDP_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>
#include "cdp/browser.h"

#define SELFTEST_CONTEXTS 2
#define SELFTEST_ID_BYTES 80

enum selftest_state {
    SELFTEST_RUNNING,
    SELFTEST_PASSED,
    SELFTEST_FAILED, /* .error says why. */
};

struct selftest {
    struct browser *browser;
    enum selftest_state state;
    uint32_t call_timeout_ms;
    bool wants_sandbox;
    size_t step;      /* Index into the table of steps. */
    uint32_t pending; /* Calls of this step that have no reply. */
    uint64_t node;
    char context[SELFTEST_CONTEXTS][SELFTEST_ID_BYTES];
    char target[SELFTEST_ID_BYTES];
    char session[SELFTEST_ID_BYTES];
    char product[64];
    char error[256];
};

/* Starts it. The calls go through browser_call(), so that it ends when the connection
 * does. `wants_sandbox`: the process of the page must be in Chromium's sandbox. */
void selftest_start(struct selftest *, struct browser *, uint64_t now_ms, uint32_t call_timeout_ms,
                    bool wants_sandbox);

#endif
