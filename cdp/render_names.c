/* render_names.c: names of the render machine's values, for logs, traces and tests. */
#include <assert.h>
#include <stddef.h>

#include "cdp/render.h"

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof(names)[0], (size_t)(value))

static const char *name_of(const char *const *names, size_t count, size_t value)
{
    assert(value < count && names[value] != NULL);
    return names[value];
}

const char *render_state_name(enum render_state state)
{
    static const char *const names[] = {
        [RENDER_IDLE] = "idle",           [RENDER_NAVIGATING] = "navigating",
        [RENDER_LOADING] = "loading",     [RENDER_SETTLING] = "settling",
        [RENDER_CAPTURING] = "capturing", [RENDER_DONE] = "done",
    };
    return NAME_OF(names, state);
}

const char *render_fact_name(enum render_fact_type type)
{
    static const char *const names[] = {
        [RENDER_FACT_NAVIGATED] = "navigated", [RENDER_FACT_STARTED] = "started",
        [RENDER_FACT_SCHEDULED] = "scheduled", [RENDER_FACT_COMMITTED] = "committed",
        [RENDER_FACT_PARSED] = "parsed",       [RENDER_FACT_LOADED] = "loaded",
        [RENDER_FACT_STOPPED] = "stopped",     [RENDER_FACT_EXPIRED] = "expired",
        [RENDER_FACT_LOOKED] = "looked",       [RENDER_FACT_FRAMED] = "framed",
        [RENDER_FACT_MEASURED] = "measured",   [RENDER_FACT_CAPTURED] = "captured",
        [RENDER_FACT_HEARD] = "heard",         [RENDER_FACT_STREAMS] = "streams",
        [RENDER_FACT_CHECKED] = "checked",     [RENDER_FACT_TRANSITED] = "transited",
        [RENDER_FACT_SURVEYED] = "surveyed",   [RENDER_FACT_SPENT] = "spent",
        [RENDER_FACT_TRAFFIC] = "traffic",     [RENDER_FACT_TICK] = "tick",
    };
    return NAME_OF(names, type);
}

const char *render_command_name(enum render_command_type type)
{
    static const char *const names[] = {
        [RENDER_DO_NAVIGATE] = "navigate", [RENDER_DO_BLANK] = "blank",
        [RENDER_DO_PREPARE] = "prepare",   [RENDER_DO_GRANT] = "grant",
        [RENDER_DO_ADVANCE] = "advance",   [RENDER_DO_PAUSE] = "pause",
        [RENDER_DO_LOOK] = "look",         [RENDER_DO_CHECK] = "check",
        [RENDER_DO_FRAME] = "frame",       [RENDER_DO_MEASURE] = "measure",
        [RENDER_DO_CAPTURE] = "capture",   [RENDER_DO_INSPECT] = "inspect",
        [RENDER_DO_TRANSIT] = "transit",   [RENDER_DO_INJECT] = "inject",
        [RENDER_DO_SURVEY] = "survey",     [RENDER_DO_TERMINATE] = "terminate",
        [RENDER_DO_ABANDON] = "abandon",
    };
    return NAME_OF(names, type);
}

const char *render_code_name(enum render_code code)
{
    static const char *const names[] = {
        [RENDER_OK] = "ok",
        [RENDER_NAVIGATION_FAILED] = "navigation_failed",
        [RENDER_URL_DENIED] = "url_denied",
        [RENDER_TOO_MANY_REDIRECTS] = "too_many_redirects",
        [RENDER_REDIRECT_STORM] = "redirect_storm",
        [RENDER_TRUNCATED] = "truncated_document",
        [RENDER_NOT_A_DOCUMENT] = "not_a_document",
        [RENDER_OUTPUT_TOO_LARGE] = "output_too_large",
        [RENDER_OUTPUT_FAILED] = "output_failed",
        [RENDER_WAIT_UNMET] = "wait_unmet",
        [RENDER_BUDGET_EXCEEDED] = "budget_exceeded",
        [RENDER_FAIL_ON] = "fail_on",
        [RENDER_TIMEOUT] = "render_timeout",
        [RENDER_UNRESPONSIVE] = "page_unresponsive",
        [RENDER_PARAM_REFUSED] = "invalid_param",
        [RENDER_SCRIPT_FAILED] = "script_failed",
        [RENDER_INTERNAL] = "internal",
    };
    return NAME_OF(names, code);
}
