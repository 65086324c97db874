/* page_html.c: a document that came with its request, in place of one that is fetched.
 *
 * With a base URL the page navigates there as ever, and the request for the document is
 * answered here: origin, links and everything that the document fetches are as if it had
 * come from there, and nobody is asked for it. Without one it travels in a data: URL: it has
 * no origin, and relative links lead nowhere, as in about:blank. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/base64.h"
#include "cdp/page.h"
#include "cdp/target.h"

#define DATA_URL "data:text/html;charset=utf-8;base64,"

static char *encoded(const char *html)
{
    char *digits = base64_encode(html, strlen(html));

    if (digits == NULL)
        abort();
    return digits;
}

bool page_html_is_bare(const struct render_params *params)
{
    return params->html != NULL && params->base_url == NULL;
}

bool page_html_has_base(const struct render_params *params)
{
    return params->html != NULL && params->base_url != NULL;
}

char *page_html_url(const struct render_params *params)
{
    char *digits = encoded(params->html), *url = NULL;

    if (asprintf(&url, DATA_URL "%s", digits) < 0)
        abort();
    free(digits);
    return url;
}

bool page_html_is_shown(const struct page *page, struct cdp_span url)
{
    return page_html_is_bare(page->render.params) && url.bytes > sizeof DATA_URL - 1 &&
           memcmp(url.at, DATA_URL, sizeof DATA_URL - 1) == 0;
}

bool page_html_answer(struct page *page, uint64_t now_ms, const char *request)
{
    if (!page_html_has_base(page->render.params) || page->render.is_served)
        return false;
    page->render.is_served = true;
    char *digits = encoded(page->render.params->html);
    page_call(page, now_ms, "Fetch.fulfillRequest",
              json_pack("{s:s, s:i, s:[{s:s, s:s}], s:s}", "requestId", request, "responseCode",
                        200, "responseHeaders", "name", "Content-Type", "value",
                        "text/html; charset=utf-8", "body", digits),
              NULL, 0);
    free(digits);
    return true;
}
