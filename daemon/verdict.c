/* verdict.c: see verdict.h. */
#include "daemon/verdict.h"

#include <stdio.h>
#include <string.h>

const char *verdict_outcome(enum render_outcome outcome)
{
    return outcome == RENDER_COMPLETE ? "complete"
                                      : (outcome == RENDER_PARTIAL ? "partial" : "failed");
}

const char *verdict_reason(enum render_reason reason)
{
    switch (reason) {
    case RENDER_SETTLED:
        return "settled";
    case RENDER_READY_FLAG:
        return "ready-flag";
    case RENDER_CONDITION:
        return "condition";
    case RENDER_DEADLINE:
        return "deadline";
    case RENDER_BUDGET:
        return "budget";
    }
    return "settled";
}

const char *verdict_warmth(enum pool_warmth warmth)
{
    switch (warmth) {
    case POOL_WARM:
        return "warm";
    case POOL_COLD:
        return "cold";
    case POOL_FRESH:
        return "fresh";
    }
    return "fresh";
}

enum http_code verdict_code(enum render_code code)
{
    switch (code) {
    case RENDER_NAVIGATION_FAILED:
        return HTTP_NAVIGATION_FAILED;
    case RENDER_URL_DENIED:
        return HTTP_URL_DENIED;
    case RENDER_TOO_MANY_REDIRECTS:
        return HTTP_TOO_MANY_REDIRECTS;
    case RENDER_REDIRECT_STORM:
        return HTTP_REDIRECT_STORM;
    case RENDER_TRUNCATED:
        return HTTP_TRUNCATED_DOCUMENT;
    case RENDER_NOT_A_DOCUMENT:
        return HTTP_NOT_A_DOCUMENT;
    case RENDER_OUTPUT_TOO_LARGE:
        return HTTP_OUTPUT_TOO_LARGE;
    case RENDER_BUDGET_EXCEEDED:
        return HTTP_BUDGET_EXCEEDED;
    case RENDER_FAIL_ON:
        return HTTP_FAIL_ON;
    case RENDER_OUTPUT_FAILED:
        return HTTP_OUTPUT_FAILED;
    case RENDER_WAIT_UNMET:
        return HTTP_WAIT_UNMET;
    case RENDER_TIMEOUT:
        return HTTP_RENDER_TIMEOUT;
    case RENDER_UNRESPONSIVE:
        return HTTP_PAGE_UNRESPONSIVE;
    case RENDER_PARAM_REFUSED:
        return HTTP_INVALID_PARAM;
    case RENDER_OK:
    case RENDER_SCRIPT_FAILED: /* Told in the dialect only, by its text. */
    case RENDER_INTERNAL:
        break;
    }
    return HTTP_INTERNAL;
}

/* What a code says of itself; NULL: more must be told. */
static const char *detail_text(enum render_code code)
{
    switch (code) {
    case RENDER_URL_DENIED:
        return "The URL leads to a port of the daemon or of its browser, which no page may reach.";
    case RENDER_TOO_MANY_REDIRECTS:
        return "The URL redirected more than 20 times.";
    case RENDER_REDIRECT_STORM:
        return "The page replaced itself by another document more than 3 times.";
    case RENDER_TRUNCATED:
        return "The connection broke before the end of the document; what has come of it is not "
               "answered as if it were whole.";
    case RENDER_NOT_A_DOCUMENT:
        return "The answer to this URL is no document: a download, an empty answer, or a type that "
               "a page cannot show.";
    case RENDER_WAIT_UNMET:
        return "The page loaded, but not every condition of \"wait\" held before the deadline; "
               "allow more with timeoutMs, or accept what is there with onTimeout partial.";
    case RENDER_TIMEOUT:
        return "The page was not ready before its deadline; allow more with timeoutMs, or accept "
               "what is there with onTimeout partial.";
    case RENDER_UNRESPONSIVE:
        return "The page's main thread did not answer before the deadline: a script that does not "
               "end, or a blocking request.";
    case RENDER_OK:
    case RENDER_INTERNAL:
        return "The browser answered in a way that is not understood.";
    case RENDER_NAVIGATION_FAILED:
    case RENDER_OUTPUT_TOO_LARGE:
    case RENDER_BUDGET_EXCEEDED:
    case RENDER_FAIL_ON:
    case RENDER_OUTPUT_FAILED:
    case RENDER_PARAM_REFUSED:
    case RENDER_SCRIPT_FAILED:
        break;
    }
    return NULL;
}

static void refused_detail(const struct render_result *result, char *text, size_t text_bytes)
{
    if (strcmp(result->param, "page.cookies") == 0)
        (void)snprintf(text, text_bytes,
                       "The browser refuses one of \"page.cookies\": a name that begins with "
                       "__Host- or __Secure- needs secure (and for __Host- no domain and the path "
                       "/), and a domain must be one.");
    else
        (void)snprintf(text, text_bytes,
                       "\"%s\" is \"%s\", which the browser does not know; use %s.", result->param,
                       result->param_value,
                       strcmp(result->param, "page.timezone") == 0
                           ? "a name of the IANA time zone database, such as Europe/Vienna"
                           : "a language tag, such as de-AT");
}

const char *verdict_detail(const struct config *config, const struct render_result *result,
                           char *text, size_t text_bytes)
{
    const char *fixed = detail_text(result->code);

    if (fixed != NULL)
        (void)snprintf(text, text_bytes, "%s", fixed);
    else if (result->code == RENDER_NAVIGATION_FAILED)
        (void)snprintf(text, text_bytes, "The navigation failed with %s.",
                       result->net_error[0] != '\0' ? result->net_error : "no response");
    else if (result->code == RENDER_OUTPUT_TOO_LARGE)
        (void)snprintf(text, text_bytes,
                       "What was asked for is larger than render.output_bytes_max (%llu bytes; of "
                       "an image: pixels).",
                       (unsigned long long)config->render.output_bytes_max);
    else if (result->code == RENDER_BUDGET_EXCEEDED)
        (void)snprintf(text, text_bytes,
                       "The page wants more of the network than \"%s\" allows; raise it, or accept "
                       "what is there with onTimeout partial.",
                       result->param);
    else if (result->code == RENDER_FAIL_ON)
        (void)snprintf(text, text_bytes, "The page rendered, but hits %s with %s.",
                       result->fail_rule, result->fail_url);
    else if (result->code == RENDER_PARAM_REFUSED)
        refused_detail(result, text, text_bytes);
    else
        (void)snprintf(text, text_bytes, "%s", result->error);
    return text;
}
