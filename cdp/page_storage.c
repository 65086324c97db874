/* page_storage.c: cookies and localStorage that a render brings along.
 *
 * Cookies are set in the context before the navigation, and whether the browser takes them
 * is awaited; in the context of an affinity they stay, as all its cookies do. An entry of
 * localStorage can only be made by a document of its origin: a script in the isolated
 * world makes them before the first script of the page runs, and is gone once that
 * document is there, so that what the page itself stores later stays. */
#include <assert.h>
#include <stdlib.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Of the main frame alone: the first document of the origin is asked for by it. */
static const char store_script[] =
    "((url,pairs)=>{if(window===top&&new URL(url).origin===location.origin)"
    "for(const[name,value]of pairs)try{localStorage.setItem(name,value)}catch{}})";

static const char *same_site_name(enum same_site same_site)
{
    switch (same_site) {
    case SAME_SITE_STRICT:
        return "Strict";
    case SAME_SITE_LAX:
        return "Lax";
    case SAME_SITE_NONE:
        return "None";
    case SAME_SITE_UNSET:
        break;
    }
    return NULL;
}

static json_t *cookie_json(const struct param_cookie *cookie, const char *url)
{
    const char *same_site = same_site_name(cookie->same_site);
    json_t *json = json_pack("{s:s, s:s, s:b, s:b}", "name", cookie->name, "value", cookie->value,
                             "secure", cookie->secure, "httpOnly", cookie->http_only);

    if (cookie->domain != NULL)
        (void)json_object_set_new(json, "domain", json_string(cookie->domain));
    else
        (void)json_object_set_new(json, "url",
                                  json_string(cookie->url != NULL ? cookie->url : url));
    if (cookie->path != NULL)
        (void)json_object_set_new(json, "path", json_string(cookie->path));
    if (cookie->expires_s != 0)
        (void)json_object_set_new(json, "expires", json_integer((json_int_t)cookie->expires_s));
    if (same_site != NULL)
        (void)json_object_set_new(json, "sameSite", json_string(same_site));
    return json;
}

static void on_cookies(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    (void)tag;

    if (page->state != PAGE_STARTING || page->errand != ERRAND_COOKIES)
        return;
    /* A call that is lost or late ends with the time of the render. */
    if (reply->end == CALL_REFUSED)
        page_render_refuse(page, now_ms, "page.cookies", "");
    else if (reply->end == CALL_REPLIED)
        page_render_go(page, now_ms);
}

bool page_storage_cookies(struct page *page, uint64_t now_ms)
{
    const struct render_params *params = page->render.params;
    const struct param_records *cookies = &params->page.cookies;
    const struct param_cookie *items = cookies->items;

    if (cookies->count == 0 || page->render.has_cookies)
        return false;
    page->render.has_cookies = true;
    json_t *list = json_array();
    for (size_t i = 0; i < cookies->count; i++)
        (void)json_array_append_new(list, cookie_json(&items[i], render_params_url(params)));
    page_call(page, now_ms, "Network.setCookies", json_pack("{s:o}", "cookies", list), on_cookies,
              0);
    return true;
}

static void on_added(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_render *render = &((struct target *)owner)->page->render;
    (void)tag;
    (void)now_ms;

    if (reply->end == CALL_REPLIED &&
        span_text(reply->message->body, "identifier", render->storing, sizeof render->storing))
        render->is_storing = false;
}

void page_storage_start(struct page *page, uint64_t now_ms)
{
    const struct render_params *params = page->render.params;
    const struct param_records *storage = &params->page.local_storage;
    const struct param_pair *pairs = storage->items;

    if (storage->count == 0)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < storage->count; i++)
        (void)json_array_append_new(list, json_pack("[s, s]", pairs[i].name, pairs[i].value));
    json_t *arguments = json_pack("[s, o]", render_params_url(params), list);
    char *text = arguments != NULL ? json_dumps(arguments, JSON_ENSURE_ASCII) : NULL;
    json_decref(arguments);
    if (text == NULL)
        abort();
    page->render.is_storing = true;
    page_call(page, now_ms, "Page.addScriptToEvaluateOnNewDocument",
              json_pack("{s:s+++, s:s}", "source", store_script, "(...", text, ")", "worldName",
                        "prerenderd"),
              on_added, 0);
    free(text);
}

/* Chromium runs such scripts when the page's own world is made, which waits for its first
 * use. So the world is used before the script is removed. */
void page_storage_committed(struct page *page, uint64_t now_ms)
{
    if (page->render.storing[0] == '\0')
        return;
    page_call(page, now_ms, "Runtime.evaluate", json_pack("{s:s}", "expression", "0"), NULL, 0);
    (void)page_storage_stop(page, now_ms);
}

bool page_storage_stop(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;

    /* Without its name it cannot be removed. */
    if (render->is_storing)
        return false;
    if (render->storing[0] != '\0')
        target_call(page->target, now_ms, "Page.removeScriptToEvaluateOnNewDocument",
                    json_pack("{s:s}", "identifier", render->storing),
                    page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
    render->storing[0] = '\0';
    return true;
}
