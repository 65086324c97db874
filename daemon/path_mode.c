/* path_mode.c: what an answer in path mode takes over from the origin; see path_mode.h. */
#include "daemon/path_mode.h"

#include <string.h>
#include <strings.h>

/* Hop by hop; about the bytes that the origin sent; ours to say. Cookies of the render are
 * no crawler's, and a policy for the original document forbids what was made of it. */
static const char *const denied[] = {
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-MD5",
    "Content-Range",
    "Content-Type",
    "Digest",
    "ETag",
    "Last-Modified",
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "Set-Cookie",
    "Set-Cookie2",
    "Date",
    "Server-Timing",
    "Status",
    "X-Request-Id",
    "X-Prerender-504-Reason",
    "X-Prerender-Mode",
    "X-Prerender-Request-ID",
};

bool path_mode_denies(const char *name)
{
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        if (strcasecmp(name, denied[i]) == 0)
            return true;
    }
    return strncasecmp(name, "X-Prerenderd-", strlen("X-Prerenderd-")) == 0;
}

/* A comma-separated list of names has this one. */
static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t bytes = strcspn(list, " \t,");
        if (bytes == length && strncasecmp(list, name, length) == 0)
            return true;
        list += bytes;
    }
    return false;
}

bool path_mode_passes(const struct render_result *result, size_t index,
                      const struct document_result *document)
{
    const char *name = result->headers[index].name;
    if (path_mode_denies(name))
        return false;
    if (result->outcome == RENDER_PARTIAL && strcasecmp(name, "Cache-Control") == 0)
        return false; /* Replaced by no-store. */
    for (size_t i = 0; i < result->headers_count; i++) {
        const struct render_header *header = &result->headers[i];
        if (strcasecmp(header->name, "Connection") == 0 && list_has(header->value, name))
            return false;
    }
    for (size_t i = 0; i < document->headers_count; i++) {
        if (strcasecmp(document->headers[i].name, name) == 0)
            return false;
    }
    return true;
}

bool path_mode_passes_own(const struct render_result *result, size_t index,
                          const struct document_result *document)
{
    const char *name = document->headers[index].name;
    bool is_replaced = result->outcome == RENDER_PARTIAL && strcasecmp(name, "Cache-Control") == 0;
    return !is_replaced && !path_mode_denies(name);
}

static int origin_status(const struct render_result *result)
{
    return result->origin_status != 0 ? result->origin_status : result->status;
}

int path_mode_status(const struct render_result *result, const struct document_result *document,
                     uint32_t partial_status)
{
    if (result->outcome == RENDER_PARTIAL && partial_status != 0)
        return (int)partial_status;
    int status = document->status != 0 ? document->status : origin_status(result);
    return status >= 200 && status <= 599 && status != 304 ? status : 200;
}

bool path_mode_is_vain(const struct render_result *result, uint32_t partial_status)
{
    int status = origin_status(result);
    return result->outcome == RENDER_PARTIAL && result->has_empty_body && partial_status == 0 &&
           status < 300;
}

bool path_mode_is_bodyless(const struct render_result *result)
{
    int status = result->origin_status;
    return status == 204 || status == 205 || status == 301 || status == 302 || status == 303 ||
           status == 307 || status == 308;
}
