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

/* The first row given whose name starts so; NULL: none. */
static const char *given_below(const struct render_params *params, const char *prefix)
{
    for (size_t i = 0; i < param_rows_count; i++) {
        if (params->given[i] && strncmp(param_rows[i].name, prefix, strlen(prefix)) == 0)
            return param_rows[i].name;
    }
    return NULL;
}

static bool expression_check(const struct render_params *params, struct fault *fault)
{
    bool is_output = (params->outputs & OUTPUT_BIT(OUTPUT_EXPRESSION)) != 0;
    if (is_output && !params->expression)
        return fault_set(fault, HTTP_INVALID_PARAM, "expression",
                         "\"output\" has expression, but there is no \"expression\" to evaluate.");
    if (!is_output && params->expression)
        return fault_set(fault, HTTP_INVALID_PARAM, "output",
                         "\"output\" has no expression, so the value of \"expression\" would be "
                         "lost; add expression to it.");
    return true;
}

/* The answer of prerender.io has room for one value and the document. */
static bool javascript_check(const struct render_params *params, struct fault *fault)
{
    if (!params->javascript)
        return true;
    if (params->expression)
        return fault_set(
            fault, HTTP_INVALID_PARAM, "javascript",
            "\"javascript\" and \"expression\" are both given; leave one of them out.");
    if (params->outputs != OUTPUT_BIT(OUTPUT_HTML))
        return fault_set(fault, HTTP_INVALID_PARAM, "javascript",
                         "\"javascript\" is answered with the document as \"content\", so "
                         "\"output\" must be html; for other outputs use \"expression\".");
    return true;
}

static bool clip_check(const struct render_params *params, struct fault *fault)
{
    static const char *const sides[] = {"screenshot.clip.x", "screenshot.clip.y",
                                        "screenshot.clip.width", "screenshot.clip.height"};
    if (!given_below(params, "screenshot.clip."))
        return true;
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        if (!param_is_given(params, sides[i]))
            return fault_set(fault, HTTP_INVALID_PARAM, sides[i],
                             "\"%s\" is missing; a clip needs x, y, width and height.", sides[i]);
    }
    if (params->screenshot.clip_width > 0 && params->screenshot.clip_height > 0)
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM,
                     params->screenshot.clip_width > 0 ? sides[3] : sides[2],
                     "\"screenshot.clip\" is empty; its width and height must be more than 0.");
}

static bool screenshot_check(const struct render_params *params, struct fault *fault)
{
    const struct screenshot_params *image = &params->screenshot;
    const char *given = given_below(params, "screenshot.");
    uint32_t lossy = OUTPUT_BIT(OUTPUT_JPEG) | OUTPUT_BIT(OUTPUT_WEBP);
    if (given && (params->outputs & OUTPUT_IMAGES) == 0)
        return fault_set(fault, HTTP_INVALID_PARAM, given,
                         "\"%s\" is about an image, but \"output\" has none of png, jpeg and webp.",
                         given);
    if (!clip_check(params, fault))
        return false;
    if (image->full_page + (image->selector != NULL) + (image->clip_width > 0) > 1)
        return fault_set(fault, HTTP_INVALID_PARAM,
                         image->full_page ? "screenshot.fullPage" : "screenshot.selector",
                         "An image shows one of \"screenshot.fullPage\", \"screenshot.selector\" "
                         "and \"screenshot.clip\"; leave the others out.");
    if (param_is_given(params, "screenshot.quality") && (params->outputs & lossy) == 0)
        return fault_set(
            fault, HTTP_INVALID_PARAM, "screenshot.quality",
            "\"screenshot.quality\" is about jpeg and webp, and \"output\" has neither.");
    if (image->omit_background && (params->outputs & OUTPUT_IMAGES) == OUTPUT_BIT(OUTPUT_JPEG))
        return fault_set(fault, HTTP_INVALID_PARAM, "screenshot.omitBackground",
                         "\"screenshot.omitBackground\" makes what is transparent, which jpeg "
                         "cannot be; ask for png or webp.");
    return true;
}

static bool pdf_check(const struct render_params *params, struct fault *fault)
{
    const char *given = given_below(params, "pdf.");
    if (!given || (params->outputs & OUTPUT_BIT(OUTPUT_PDF)) != 0)
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, given,
                     "\"%s\" is about a PDF, but \"output\" has no pdf.", given);
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
           rules_network_check(params, fault) && expression_check(params, fault) &&
           javascript_check(params, fault) && screenshot_check(params, fault) &&
           pdf_check(params, fault);
}
