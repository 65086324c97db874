/* page_scripts.c: scripts that run in every new document of a page, before its own.
 *
 * They are added before the navigation, and nothing waits for that: a session carries out
 * its commands in order. Their names come with the replies, and each must be known when the
 * render is over: what cannot be removed would run in the next render too. */
#include <assert.h>
#include "cdp/page.h"
#include "cdp/target.h"

static void on_added(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_scripts *scripts = &((struct target *)owner)->page->render.scripts;
    char *name = scripts->names[scripts->known];
    (void)tag;
    (void)now_ms;

    assert(scripts->known < scripts->added);
    if (reply->end == CALL_REPLIED &&
        span_text(reply->message->body, "identifier", name, PAGE_SCRIPT_NAME_BYTES))
        scripts->known++;
}

void page_scripts_add(struct page *page, uint64_t now_ms, const char *source, const char *world)
{
    struct page_scripts *scripts = &page->render.scripts;
    json_t *params = json_pack("{s:s}", "source", source);

    assert(scripts->added < PAGE_SCRIPTS_MAX);
    scripts->added++;
    if (world != NULL)
        (void)json_object_set_new(params, "worldName", json_string(world));
    page_call(page, now_ms, "Page.addScriptToEvaluateOnNewDocument", params, on_added, 0);
}

bool page_scripts_undo(struct page *page, uint64_t now_ms)
{
    struct page_scripts *scripts = &page->render.scripts;

    if (scripts->known < scripts->added)
        return false;
    for (uint32_t i = 0; i < scripts->known; i++)
        target_call(page->target, now_ms, "Page.removeScriptToEvaluateOnNewDocument",
                    json_pack("{s:s}", "identifier", scripts->names[i]),
                    page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
    scripts->added = scripts->known = 0;
    return true;
}
