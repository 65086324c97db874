/* page_override.c: what a request changes of a page's surroundings, and its undoing.
 *
 * Only what differs from an idle page is sent, and only that is undone. A session carries
 * out its commands in order, so neither is awaited: the navigation follows the one, and
 * whatever the page does next follows the other. A page whose render did not end well is
 * closed instead. The params are gone when the result is, so undoing asks no params.
 *
 * A viewport is undone by emulating that of an idle page, and stays emulated. Lifting the
 * emulation would bring back the size that the renderer was last told of by the browser
 * process, and it is not told another while it owes a frame for the one before: the next
 * document's scripts may then see the old size. What is emulated takes effect in order. */
#include <assert.h>
#include "cdp/page.h"
#include "cdp/target.h"

#define OVERRIDE_VIEWPORT 1u
#define OVERRIDE_TOUCH 2u
#define OVERRIDE_USER_AGENT 4u
#define OVERRIDE_MEDIA 8u
#define OVERRIDE_SCRIPTS 16u
#define OVERRIDE_BLOCKS 32u

const struct page_viewport page_viewport_idle = {.width = VIEWPORT_WIDTH,
                                                 .height = VIEWPORT_HEIGHT};

static uint32_t asked(const struct render_params *params)
{
    const struct page_params *page = &params->page;
    uint32_t set = 0;

    if (page->width != VIEWPORT_WIDTH || page->height != VIEWPORT_HEIGHT || page->mobile)
        set |= OVERRIDE_VIEWPORT;
    if (page->touch)
        set |= OVERRIDE_TOUCH;
    if (page->user_agent != NULL)
        set |= OVERRIDE_USER_AGENT;
    if (page->media_type != MEDIA_SCREEN || page->color_scheme != COLOR_SCHEME_LIGHT ||
        page->reduced_motion != REDUCED_MOTION_NO_PREFERENCE)
        set |= OVERRIDE_MEDIA;
    if (!page->javascript)
        set |= OVERRIDE_SCRIPTS;
    if (params->network.block_urls.count > 0)
        set |= OVERRIDE_BLOCKS;
    return set;
}

static void override(struct page *page, uint64_t now_ms, const char *method, json_t *params)
{
    target_call(page->target, now_ms, method, params,
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

void page_override_viewport(struct page *page, uint64_t now_ms,
                            const struct page_viewport *viewport)
{
    override(page, now_ms, "Emulation.setDeviceMetricsOverride",
             json_pack("{s:I, s:I, s:i, s:b}", "width", (json_int_t)viewport->width, "height",
                       (json_int_t)viewport->height, "deviceScaleFactor", viewport->scale, "mobile",
                       viewport->is_mobile));
}

/* "" undoes one. */
static json_t *media_json(const char *type, const char *scheme, const char *motion)
{
    return json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "media", type, "features", "name",
                     "prefers-color-scheme", "value", scheme, "name", "prefers-reduced-motion",
                     "value", motion);
}

/* Blocking needs the domain, which costs about a millisecond for each subresource. */
static void block(struct page *page, uint64_t now_ms, const struct param_strings *patterns)
{
    json_t *urls = json_array();

    for (size_t i = 0; i < patterns->count; i++)
        json_array_append_new(urls, json_string(patterns->items[i]));
    if (patterns->count > 0)
        override(page, now_ms, "Network.enable", NULL);
    override(page, now_ms, "Network.setBlockedURLs", json_pack("{s:o}", "urls", urls));
}

void page_override_apply(struct page *page, uint64_t now_ms)
{
    const struct page_params *params = &page->render.params->page;
    uint32_t set = asked(page->render.params);

    assert(page->render.overrides == 0);
    page->render.overrides = set;
    if (set & OVERRIDE_VIEWPORT)
        page_override_viewport(page, now_ms,
                               &(struct page_viewport){.width = params->width,
                                                       .height = params->height,
                                                       .is_mobile = params->mobile});
    if (set & OVERRIDE_TOUCH)
        override(page, now_ms, "Emulation.setTouchEmulationEnabled",
                 json_pack("{s:b}", "enabled", 1));
    if (set & OVERRIDE_USER_AGENT)
        override(page, now_ms, "Emulation.setUserAgentOverride",
                 json_pack("{s:s}", "userAgent", params->user_agent));
    if (set & OVERRIDE_MEDIA)
        override(page, now_ms, "Emulation.setEmulatedMedia",
                 media_json(params->media_type == MEDIA_PRINT ? "print" : "",
                            params->color_scheme == COLOR_SCHEME_DARK ? "dark" : "",
                            params->reduced_motion == REDUCED_MOTION_REDUCE ? "reduce" : ""));
    if (set & OVERRIDE_SCRIPTS)
        override(page, now_ms, "Emulation.setScriptExecutionDisabled",
                 json_pack("{s:b}", "value", 1));
    if (set & OVERRIDE_BLOCKS)
        block(page, now_ms, &page->render.params->network.block_urls);
}

void page_override_undo(struct page *page, uint64_t now_ms)
{
    uint32_t set = page->render.overrides;

    page->render.overrides = 0;
    if (set & OVERRIDE_VIEWPORT)
        page_override_viewport(page, now_ms, &page_viewport_idle);
    if (set & OVERRIDE_TOUCH)
        override(page, now_ms, "Emulation.setTouchEmulationEnabled",
                 json_pack("{s:b}", "enabled", 0));
    if (set & OVERRIDE_USER_AGENT)
        override(page, now_ms, "Emulation.setUserAgentOverride",
                 json_pack("{s:s}", "userAgent", ""));
    if (set & OVERRIDE_MEDIA)
        override(page, now_ms, "Emulation.setEmulatedMedia", media_json("", "", ""));
    if (set & OVERRIDE_SCRIPTS)
        override(page, now_ms, "Emulation.setScriptExecutionDisabled",
                 json_pack("{s:b}", "value", 0));
    if (set & OVERRIDE_BLOCKS) {
        block(page, now_ms, &(struct param_strings){.count = 0});
        override(page, now_ms, "Network.disable", NULL);
    }
}
