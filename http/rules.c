/* rules.c: rules between parameters; see rules.h. */
#include "http/rules.h"

static bool affinity_check(const struct render_params *params, struct fault *fault)
{
    bool other = params->isolation == ISOLATION_ORIGIN || params->isolation == ISOLATION_FRESH;
    if (params->isolation == ISOLATION_AFFINITY && !params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "isolation",
                         "\"isolation\" is \"affinity\", but there is no \"affinity\"; name the "
                         "key of the context to use.");
    if (other && params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "isolation",
                         "\"isolation\" is \"%s\", which cannot be combined with \"affinity\"; "
                         "leave one of them out.",
                         params->isolation == ISOLATION_ORIGIN ? "origin" : "fresh");
    if (params->lane == LANE_NESTED && !params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, "lane",
                         "\"lane\" is \"nested\", but there is no \"affinity\"; name that of the "
                         "render which waits for this one.");
    return true;
}

static bool selector_check(const struct render_params *params, struct fault *fault)
{
    const struct wait_params *wait = &params->wait;
    if (wait->selector ||
        (wait->selector_state == SELECTOR_ATTACHED && wait->selector_min_count == 1))
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, "wait.selector.selector",
                     "\"wait.selector.selector\" is missing; the other members of "
                     "\"wait.selector\" are about what it matches.");
}

bool rules_check(const struct render_params *params, struct fault *fault)
{
    if (!params->url)
        return fault_set(
            fault, HTTP_INVALID_PARAM, "url",
            "\"url\" is missing; it names the page to render, such as \"https://example.com/\".");
    if (params->queue_timeout_ms > params->timeout_ms)
        return fault_set(fault, HTTP_INVALID_PARAM, "queueTimeoutMs",
                         "\"queueTimeoutMs\" is %u; it must be at most \"timeoutMs\" (%u), which "
                         "includes the queue.",
                         params->queue_timeout_ms, params->timeout_ms);
    return selector_check(params, fault) && affinity_check(params, fault) &&
           rules_network_check(params, fault);
}
