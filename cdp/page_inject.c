/* page_inject.c: scripts and styles of the request in the page; see params.h.
 *
 * Scripts run in the page's own world, and are named by their place in the request where
 * errors are told. Styles are adopted rather than inserted: no policy of the page holds them
 * back, and the document stays as the page made it. They are adopted from an isolated world,
 * where the page cannot have replaced what that takes. */
#include <stdio.h>
#include <stdlib.h>
#include "cdp/page.h"
#include "cdp/target.h"

#define WORLD "prerenderd"

static const char adopt_script[] =
    "(text=>{const sheet=new CSSStyleSheet();sheet.replaceSync(text);"
    "document.adoptedStyleSheets=[...document.adoptedStyleSheets,sheet]})";

/* From malloc(); the source with the name that its errors are told by. */
static char *named(const char *js, size_t index)
{
    char *source = NULL;

    if (asprintf(&source, "%s\n//# sourceURL=page.inject[%zu]", js, index) < 0)
        abort();
    return source;
}

/* From malloc(); the script that adopts the style. */
static char *adopting(const char *css)
{
    char *literal = page_quoted(css), *source = NULL;

    if (literal == NULL || asprintf(&source, "%s(%s)", adopt_script, literal) < 0)
        abort();
    free(literal);
    return source;
}

static char *source_of(const struct inject_params *inject, size_t index)
{
    return inject->js != NULL ? named(inject->js, index) : adopting(inject->css);
}

bool page_inject_waits(const struct render_params *params)
{
    const struct inject_params *injects = params->page.inject.items;

    for (size_t i = 0; i < params->page.inject.count; i++) {
        if (injects[i].when == INJECT_BEFORE_CAPTURE)
            return true;
    }
    return false;
}

void page_inject_start(struct page *page, uint64_t now_ms)
{
    const struct param_records *list = &page->render.params->page.inject;
    const struct inject_params *injects = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (injects[i].when != INJECT_DOCUMENT_START)
            continue;
        char *source = source_of(&injects[i], i);
        page_scripts_add(page, now_ms, source, injects[i].css != NULL ? WORLD : NULL);
        free(source);
    }
}

static void on_evaluated(void *owner, uint64_t loader, uint64_t now_ms,
                         const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    (void)now_ms;

    if (page->state == PAGE_RENDERING && page->render.loader == loader &&
        reply->end == CALL_REPLIED)
        page_console_evaluated(page, reply->message);
}

/* Not awaited, and no promise of theirs is: what follows on the session comes after them. One
 * that does not end is ended by the machine: Chromium's own timeout of an evaluation does not
 * come while the page's clock stands still. */
void page_inject_finish(struct page *page, uint64_t now_ms)
{
    const struct param_records *list = &page->render.params->page.inject;
    const struct inject_params *injects = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (injects[i].when != INJECT_BEFORE_CAPTURE)
            continue;
        char *source = source_of(&injects[i], i);
        json_t *params = json_pack("{s:s}", "expression", source);
        if (injects[i].css != NULL && page->render.world != 0)
            (void)json_object_set_new(params, "contextId",
                                      json_integer((json_int_t)page->render.world));
        page_call(page, now_ms, "Runtime.evaluate", params, on_evaluated, page->render.loader);
        free(source);
    }
}
