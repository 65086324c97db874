/* rules_network.c: rules between the parameters that shape requests and contexts. */
#include <assert.h>
#include <string.h>
#include <strings.h>
#include "config/caller.h"
#include "http/rules.h"
#include "http/text.h"

/* Those that frame a message, belong to one connection, or have a parameter of their own. */
static const char *const denied_headers[] = {
    "Host",   "Content-Length",    "Connection", "Keep-Alive", "TE",         "Trailer",
    "Expect", "Transfer-Encoding", "Upgrade",    "Cookie",     "Set-Cookie", "Cookie2",
};

static bool header_is_denied(const char *name)
{
    if (strncasecmp(name, "Proxy-", 6) == 0)
        return true;
    for (size_t i = 0; i < sizeof denied_headers / sizeof denied_headers[0]; i++) {
        if (strcasecmp(denied_headers[i], name) == 0)
            return true;
    }
    return false;
}

static bool headers_check(const struct render_params *params, struct fault *fault)
{
    const struct param_records *headers = &params->page.headers;
    const struct param_pair *pairs = headers->items;
    char shown[TEXT_QUOTE_BYTES];

    for (size_t i = 0; i < headers->count; i++) {
        const char *name = pairs[i].name;
        if (header_is_denied(name))
            return fault_set(fault, HTTP_INVALID_PARAM, "page.headers",
                             "\"page.headers\" names \"%s\", which only the browser may send%s.",
                             text_quote(shown, name, strlen(name)),
                             strcasecmp(name, "Cookie") == 0 ? "; use \"page.cookies\"" : "");
        if (params->page.username && strcasecmp(name, "Authorization") == 0)
            return fault_set(fault, HTTP_INVALID_PARAM, "page.httpAuth.username",
                             "\"page.httpAuth\" makes an Authorization header, but "
                             "\"page.headers\" names one too; leave one of them out.");
    }
    return true;
}

static bool auth_check(const struct render_params *params, struct fault *fault)
{
    const char *username = params->page.username;

    if (!username && !params->page.password)
        return true;
    if (!username)
        return fault_set(fault, HTTP_INVALID_PARAM, "page.httpAuth.username",
                         "\"page.httpAuth.username\" is missing; the password is of no use "
                         "without it.");
    if (strchr(username, ':'))
        return fault_set(fault, HTTP_INVALID_PARAM, "page.httpAuth.username",
                         "\"page.httpAuth.username\" holds a colon, which ends a user name in an "
                         "Authorization header.");
    if (caller_isolation(params) == ISOLATION_AFFINITY)
        return fault_set(fault, HTTP_INVALID_PARAM, "page.httpAuth.username",
                         "\"page.httpAuth\" needs a context of its own, which \"affinity\" rules "
                         "out; leave one of them out.");
    return true;
}

static bool body_check(const struct render_params *params, struct fault *fault)
{
    if (params->body && params->method == METHOD_GET)
        return fault_set(fault, HTTP_INVALID_PARAM, "body",
                         "\"body\" needs a \"method\" other than GET.");
    if (params->content_type && !params->body)
        return fault_set(fault, HTTP_INVALID_PARAM, "contentType",
                         "\"contentType\" is about \"body\", which is missing.");
    return true;
}

static bool cookies_check(const struct render_params *params, struct fault *fault)
{
    const struct param_records *cookies = &params->page.cookies;
    const struct param_cookie *items = cookies->items;

    for (size_t i = 0; i < cookies->count; i++) {
        if (strchr(items[i].value, ';'))
            return fault_set(fault, HTTP_INVALID_PARAM, "page.cookies[].value",
                             "\"page.cookies[].value\" holds a semicolon, which ends a value.");
        if (items[i].domain && items[i].url)
            return fault_set(fault, HTTP_INVALID_PARAM, "page.cookies[].url",
                             "\"page.cookies[].url\" names the host of the cookie, and so does "
                             "its \"domain\"; leave one of them out.");
        if (items[i].same_site == SAME_SITE_NONE && !items[i].secure)
            return fault_set(fault, HTTP_INVALID_PARAM, "page.cookies[].sameSite",
                             "\"page.cookies[].sameSite\" is None, which needs \"secure\".");
        if (items[i].path && items[i].path[0] != '/')
            return fault_set(fault, HTTP_INVALID_PARAM, "page.cookies[].path",
                             "\"page.cookies[].path\" must begin with a slash.");
    }
    return true;
}

static size_t stars_of(const char *text)
{
    size_t stars = 0;
    for (; *text; text++)
        stars += *text == '*';
    return stars;
}

static bool rewrites_check(const struct render_params *params, struct fault *fault)
{
    const struct param_records *rewrites = &params->network.rewrites;
    const struct param_rewrite *items = rewrites->items;

    for (size_t i = 0; i < rewrites->count; i++) {
        if (stars_of(items[i].to) > stars_of(items[i].from))
            return fault_set(fault, HTTP_INVALID_PARAM, "network.rewrites[].to",
                             "\"network.rewrites[].to\" has more `*` than its \"from\", so nothing "
                             "stands for them.");
    }
    return true;
}

/* A context that others use as well may hold nothing of this caller. */
static bool sharing_check(const struct render_params *params, struct fault *fault)
{
    const char *name = caller_carries(params);

    if (params->isolation != ISOLATION_ORIGIN || !name)
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, "isolation",
                     "\"isolation\" is \"origin\", a context that other callers use too, but the "
                     "request carries \"%s\"; use \"fresh\", or an \"affinity\".",
                     name);
}

/* By default only what may be repeated is; to ask for more is an error. */
static bool repeat_check(const struct render_params *params, struct fault *fault)
{
    const char *name = caller_binds(params);

    if (!name || !params->retry_on_crash || !param_is_given(params, "retryOnCrash"))
        return true;
    return fault_set(fault, HTTP_INVALID_PARAM, "retryOnCrash",
                     "\"retryOnCrash\" is true, but a render with this \"%s\" must not run twice; "
                     "leave one of them out.",
                     name);
}

bool rules_network_check(const struct render_params *params, struct fault *fault)
{
    return headers_check(params, fault) && auth_check(params, fault) &&
           cookies_check(params, fault) && body_check(params, fault) &&
           rewrites_check(params, fault) && sharing_check(params, fault) &&
           repeat_check(params, fault);
}
