/* page_override.c: what a request changes of a page's surroundings, and its undoing.
 *
 * Only what differs from an idle page is sent, and only that is undone. A session carries
 * out its commands in order, so neither is awaited: the navigation follows the one, and
 * whatever the page does next follows the other. A page whose render did not end well is
 * closed instead. The params are gone when the result is, so undoing asks no params.
 *
 * A viewport is emulated from the first, and undone by emulating that of an idle page. Lifting
 * the emulation would bring back the size that the renderer was last told of by the browser
 * process, and it is not told another while it owes a frame for the one before: the next
 * document's scripts may then see the old size. What is emulated takes effect in order.
 *
 * What is painted has a size of its own, Emulation.setVisibleSize, which no script sees. It is
 * next to nothing: every frame is painted, and nobody looks. Page.captureScreenshot makes it
 * that of its image, and what it was again, by itself. */
#include <assert.h>
#include <stdio.h>
#include "cdp/agent.h"
#include "cdp/page.h"
#include "cdp/target.h"

/* In pixels, on both sides. */
#define VISIBLE_SIZE 64

#define OVERRIDE_VIEWPORT 1u
#define OVERRIDE_TOUCH 2u
#define OVERRIDE_AGENT 4u
#define OVERRIDE_MEDIA 8u
#define OVERRIDE_SCRIPTS 16u

const struct page_viewport page_viewport_idle = {
    .width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT, .scale = 1};

/* What the page shall pass for: its device, but for what is given by itself. */
struct view {
    struct page_viewport port;
    bool touch;
    char agent[AGENT_BYTES_MAX]; /* "": the browser's own. */
};

static void view_fill(struct view *view, const struct render_params *params, const char *product)
{
    const struct page_params *page = &params->page;
    const struct device *device = device_find(page->device);
    bool is_own = page->device == DEVICE_DEFAULT;

    view->port = (struct page_viewport){page->width, page->height, page->scale, page->mobile};
    view->touch = page->touch;
    if (!is_own && !param_is_given(params, "page.viewport.width"))
        view->port.width = device->width;
    if (!is_own && !param_is_given(params, "page.viewport.height"))
        view->port.height = device->height;
    if (!is_own && !param_is_given(params, "page.viewport.deviceScaleFactor"))
        view->port.scale = device->scale;
    if (!is_own && !param_is_given(params, "page.viewport.mobile"))
        view->port.is_mobile = device->mobile;
    if (!is_own && !param_is_given(params, "page.viewport.touch"))
        view->touch = device->touch;
    if (page->user_agent != NULL)
        (void)snprintf(view->agent, sizeof view->agent, "%s", page->user_agent);
    else
        device_agent(device, product, view->agent);
}

static bool is_idle(const struct page_viewport *port)
{
    return port->width == page_viewport_idle.width && port->height == page_viewport_idle.height &&
           !port->is_mobile && port->scale >= 1 && port->scale <= 1;
}

static uint32_t asked(const struct render_params *params, const struct view *view)
{
    const struct page_params *page = &params->page;
    uint32_t set = 0;

    if (!is_idle(&view->port))
        set |= OVERRIDE_VIEWPORT;
    if (view->touch)
        set |= OVERRIDE_TOUCH;
    if (view->agent[0] != '\0' || page->locale != NULL)
        set |= OVERRIDE_AGENT;
    if (page->media_type != MEDIA_SCREEN || page->color_scheme != COLOR_SCHEME_LIGHT ||
        page->reduced_motion != REDUCED_MOTION_NO_PREFERENCE)
        set |= OVERRIDE_MEDIA;
    if (!page->javascript)
        set |= OVERRIDE_SCRIPTS;
    return set;
}

static void override(struct target *target, uint64_t now_ms, const char *method, json_t *params)
{
    target_call(target, now_ms, method, params,
                target->page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
}

void page_override_viewport(struct target *target, uint64_t now_ms,
                            const struct page_viewport *viewport)
{
    override(target, now_ms, "Emulation.setDeviceMetricsOverride",
             json_pack("{s:I, s:I, s:f, s:b, s:b}", "width", (json_int_t)viewport->width, "height",
                       (json_int_t)viewport->height, "deviceScaleFactor", viewport->scale, "mobile",
                       viewport->is_mobile, "dontSetVisibleSize", 1));
}

void page_override_prepare(struct target *target, uint64_t now_ms)
{
    page_override_viewport(target, now_ms, &page_viewport_idle);
    override(target, now_ms, "Emulation.setVisibleSize",
             json_pack("{s:i, s:i}", "width", VISIBLE_SIZE, "height", VISIBLE_SIZE));
}

/* "" undoes one. */
static json_t *media_json(const char *type, const char *scheme, const char *motion)
{
    return json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "media", type, "features", "name",
                     "prefers-color-scheme", "value", scheme, "name", "prefers-reduced-motion",
                     "value", motion);
}

void page_override_apply(struct page *page, uint64_t now_ms)
{
    const struct page_params *params = &page->render.params->page;
    const char *product = browser_product(page->life->browser);
    struct view view;

    view_fill(&view, page->render.params, product);
    uint32_t set = asked(page->render.params, &view);
    assert(page->render.overrides == 0);
    page->render.overrides = set;
    if (set & OVERRIDE_VIEWPORT)
        page_override_viewport(page->target, now_ms, &view.port);
    if (set & OVERRIDE_TOUCH)
        override(page->target, now_ms, "Emulation.setTouchEmulationEnabled",
                 json_pack("{s:b}", "enabled", 1));
    if (set & OVERRIDE_AGENT)
        override(page->target, now_ms, "Emulation.setUserAgentOverride",
                 agent_override(view.agent, params->locale, product));
    if (set & OVERRIDE_MEDIA)
        override(page->target, now_ms, "Emulation.setEmulatedMedia",
                 media_json(params->media_type == MEDIA_PRINT ? "print" : "",
                            params->color_scheme == COLOR_SCHEME_DARK ? "dark" : "",
                            params->reduced_motion == REDUCED_MOTION_REDUCE ? "reduce" : ""));
    if (set & OVERRIDE_SCRIPTS)
        override(page->target, now_ms, "Emulation.setScriptExecutionDisabled",
                 json_pack("{s:b}", "value", 1));
}

void page_override_undo(struct page *page, uint64_t now_ms)
{
    uint32_t set = page->render.overrides;

    page->render.overrides = 0;
    if (set & OVERRIDE_VIEWPORT)
        page_override_viewport(page->target, now_ms, &page_viewport_idle);
    if (set & OVERRIDE_TOUCH)
        override(page->target, now_ms, "Emulation.setTouchEmulationEnabled",
                 json_pack("{s:b}", "enabled", 0));
    if (set & OVERRIDE_AGENT)
        override(page->target, now_ms, "Emulation.setUserAgentOverride",
                 json_pack("{s:s}", "userAgent", ""));
    if (set & OVERRIDE_MEDIA)
        override(page->target, now_ms, "Emulation.setEmulatedMedia", media_json("", "", ""));
    if (set & OVERRIDE_SCRIPTS)
        override(page->target, now_ms, "Emulation.setScriptExecutionDisabled",
                 json_pack("{s:b}", "value", 0));
    page_locale_undo(page, now_ms);
}
