/* page_locale.c: the locale and the time zone of one render.
 *
 * Which there are only the browser knows. It refuses an unknown locale, but takes an unknown
 * time zone for good and changes nothing; so the zone is looked at afterwards, in an isolated
 * world, where no page can have touched Intl. Both are settled before the navigation: what
 * the page is not shown as asked is not shown at all. The rest of a locale, the languages,
 * goes with the user agent; see agent.h. */
#include <assert.h>
#include <stdlib.h>
#include "cdp/page.h"
#include "cdp/target.h"

static const char zone_script[] =
    "function(z){const zone=o=>new Intl.DateTimeFormat('en',o).resolvedOptions().timeZone;"
    "try{return zone({timeZone:z})===zone({})}catch{return false}}";

static void set_timezone(struct page *, uint64_t now_ms);

/* Of a page that waits for this errand still, or NULL. */
static struct page *waiting(void *owner)
{
    struct page *page = ((struct target *)owner)->page;

    return page->state == PAGE_STARTING && page->errand == ERRAND_LOCALE ? page : NULL;
}

static void on_locale(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = waiting(owner);
    (void)tag;

    if (page == NULL)
        return;
    if (reply->end == CALL_REFUSED)
        page_render_located(page, now_ms, "page.locale", page->render.params->page.locale);
    else if (reply->end == CALL_REPLIED)
        set_timezone(page, now_ms);
}

static void on_zone(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = waiting(owner);
    struct cdp_span result, value;
    (void)tag;

    if (page == NULL)
        return;
    if (reply->end == CALL_REFUSED) {
        set_timezone(page, now_ms); /* What the page showed last has gone, and the world with it. */
    } else if (reply->end == CALL_REPLIED) {
        bool is_known = message_member(reply->message->body, "result", &result) &&
                        message_member(result, "value", &value) && span_is(value, "true");
        page_render_located(page, now_ms, is_known ? NULL : "page.timezone",
                            page->render.params->page.timezone);
    }
}

static void on_world(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = waiting(owner);
    char world[24];
    (void)tag;

    if (page == NULL)
        return;
    if (reply->end == CALL_REFUSED)
        set_timezone(page, now_ms);
    else if (reply->end == CALL_REPLIED &&
             span_text(reply->message->body, "executionContextId", world, sizeof world))
        page_call(page, now_ms, "Runtime.callFunctionOn",
                  json_pack("{s:I, s:s, s:[{s:s}], s:b}", "executionContextId",
                            (json_int_t)strtoll(world, NULL, 10), "functionDeclaration",
                            zone_script, "arguments", "value", page->render.params->page.timezone,
                            "returnByValue", 1),
                  on_zone, 0);
}

/* A call that is lost or late ends with the time of the render. */
static void set_timezone(struct page *page, uint64_t now_ms)
{
    const char *zone = page->render.params->page.timezone;

    if (zone == NULL) {
        page_render_located(page, now_ms, NULL, NULL);
        return;
    }
    page->render.has_timezone = true;
    page_call(page, now_ms, "Emulation.setTimezoneOverride", json_pack("{s:s}", "timezoneId", zone),
              NULL, 0);
    page_call(
        page, now_ms, "Page.createIsolatedWorld",
        json_pack("{s:s, s:s}", "frameId", page->target->target_id, "worldName", "prerenderd"),
        on_world, 0);
}

bool page_locale_start(struct page *page, uint64_t now_ms)
{
    const struct page_params *params = &page->render.params->page;

    assert(!page->render.has_locale && !page->render.has_timezone);
    if (params->locale != NULL) {
        page->render.has_locale = true;
        page_call(page, now_ms, "Emulation.setLocaleOverride",
                  json_pack("{s:s}", "locale", params->locale), on_locale, 0);
    } else if (params->timezone != NULL) {
        set_timezone(page, now_ms);
    }
    return params->locale != NULL || params->timezone != NULL;
}

void page_locale_undo(struct page *page, uint64_t now_ms)
{
    uint64_t timeout_ms = page->life->cdp->config->browser.call_timeout_ms;

    if (page->render.has_locale)
        target_call(page->target, now_ms, "Emulation.setLocaleOverride", json_object(), timeout_ms,
                    NULL, 0);
    if (page->render.has_timezone)
        target_call(page->target, now_ms, "Emulation.setTimezoneOverride",
                    json_pack("{s:s}", "timezoneId", ""), timeout_ms, NULL, 0);
    page->render.has_locale = page->render.has_timezone = false;
}
