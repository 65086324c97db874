/* rules.c: rules between parameters; see rules.h. */
#include "http/rules.h"

#include <string.h>

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
    if ((params->auth || params->batch) && !params->affinity)
        return fault_set(fault, HTTP_INVALID_PARAM, params->auth ? "auth" : "batch",
                         "\"%s\" is about the context of an \"affinity\", which is missing.",
                         params->auth ? "auth" : "batch");
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

/* What is rendered: a URL, or a document that comes with the request. */
static bool subject_check(const struct render_params *params, struct fault *fault)
{
    if (!params->url && !params->html)
        return fault_set(fault, HTTP_INVALID_PARAM, "url",
                         "\"url\" is missing; it names the page to render, such as "
                         "\"https://example.com/\". \"html\" may be given in its place.");
    if (params->url && params->html)
        return fault_set(fault, HTTP_INVALID_PARAM, "html",
                         "\"html\" and \"url\" are both given; leave one of them out. To say "
                         "where the document comes from, use \"baseUrl\".");
    if (params->base_url && !params->html)
        return fault_set(fault, HTTP_INVALID_PARAM, "baseUrl",
                         "\"baseUrl\" is given without \"html\", the document that it is for.");
    if (params->html && !params->base_url && strlen(params->html) > HTML_BYTES_MAX)
        return fault_set(fault, HTTP_INVALID_PARAM, "html",
                         "\"html\" is %zu bytes long; without \"baseUrl\" it may be %d at most.",
                         strlen(params->html), HTML_BYTES_MAX);
    if (params->html && params->method != METHOD_GET)
        return fault_set(fault, HTTP_INVALID_PARAM, "method",
                         "\"method\" is about a request for the document, but \"html\" is the "
                         "document.");
    return true;
}

static bool inject_check(const struct render_params *params, struct fault *fault)
{
    const struct inject_params *injects = params->page.inject.items;
    for (size_t i = 0; i < params->page.inject.count; i++) {
        if (!injects[i].js == !injects[i].css)
            return fault_set(fault, HTTP_INVALID_PARAM, "page.inject",
                             "\"page.inject[%zu]\" must have either \"js\" or \"css\".", i);
    }
    return true;
}

bool rules_check(const struct render_params *params, struct fault *fault)
{
    if (params->queue_timeout_ms > params->timeout_ms)
        return fault_set(fault, HTTP_INVALID_PARAM, "queueTimeoutMs",
                         "\"queueTimeoutMs\" is %u; it must be at most \"timeoutMs\" (%u), which "
                         "includes the queue.",
                         params->queue_timeout_ms, params->timeout_ms);
    return subject_check(params, fault) && selector_check(params, fault) &&
           affinity_check(params, fault) && inject_check(params, fault) &&
           rules_network_check(params, fault);
}
