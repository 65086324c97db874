/* page_image.c: an image of the page: its box is found in the page, then it is painted. */
#include <assert.h>
#include <stdio.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Beyond this Chromium's compositor repeats what it has painted. */
#define SIDE_PIXELS_MAX 16384.0

/* Runs on the document, in the isolated world. Without a selector it is about the viewport or
 * the whole page. The box in CSS pixels of the page, and how many pixels one of those is. A
 * string says why there is none. */
static const char box_script[] =
    "function(selector,full){"
    "const r=devicePixelRatio,root=this.scrollingElement||this.documentElement;"
    "if(!selector)return full?[0,0,Math.max(root.scrollWidth,1),Math.max(root.scrollHeight,1),r]"
    ":[scrollX,scrollY,innerWidth,innerHeight,r];"
    "let e;try{e=Document.prototype.querySelector.call(this,selector)}"
    "catch{return'is no valid CSS selector'}"
    "if(!e)return'matches nothing';"
    "const b=Element.prototype.getBoundingClientRect.call(e);"
    "if(!(b.width>0&&b.height>0))return'matches an element that is not shown';"
    "return[b.x+scrollX,b.y+scrollY,b.width,b.height,r]}";

/* In CSS pixels. */
struct box {
    double x, y, width, height, scale;
};

static const char *format_name(enum output output)
{
    assert((OUTPUT_BIT(output) & OUTPUT_IMAGES) != 0);
    return output == OUTPUT_PNG ? "png" : (output == OUTPUT_JPEG ? "jpeg" : "webp");
}

static void background(struct page *page, uint64_t now_ms, bool is_transparent)
{
    json_t *params = is_transparent ? json_pack("{s:{s:i, s:i, s:i, s:i}}", "color", "r", 0, "g", 0,
                                                "b", 0, "a", 0)
                                    : NULL;

    page_call(page, now_ms, "Emulation.setDefaultBackgroundColorOverride", params, NULL, 0);
}

void page_image_undo(struct page *page, uint64_t now_ms)
{
    if (page->render.is_transparent)
        background(page, now_ms, false);
    page->render.is_transparent = page->render.is_imaging = false;
}

/* An image that was asked for twice may come twice: the first one is it. */
static bool is_awaited(const struct page *page, uint64_t tag)
{
    return tag == page->render.loader && page->render.is_imaging;
}

static void painted(struct page *page, enum output output, uint64_t tag, uint64_t now_ms,
                    const struct call_reply *reply)
{
    struct cdp_span data;

    if (!is_awaited(page, tag) || output != page->render.output)
        return;
    page_image_undo(page, now_ms);
    if (reply->end == CALL_REPLIED && message_member(reply->message->body, "data", &data))
        page_output_store(page, now_ms, tag, data, true);
    else
        page_output_lost(page, now_ms, tag);
}

static void on_png(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    painted(((struct target *)owner)->page, OUTPUT_PNG, tag, now_ms, reply);
}

static void on_jpeg(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    painted(((struct target *)owner)->page, OUTPUT_JPEG, tag, now_ms, reply);
}

static void on_webp(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    painted(((struct target *)owner)->page, OUTPUT_WEBP, tag, now_ms, reply);
}

static void paint(struct page *page, uint64_t now_ms, const struct box *box)
{
    static call_done *const done[OUTPUTS] = {
        [OUTPUT_PNG] = on_png, [OUTPUT_JPEG] = on_jpeg, [OUTPUT_WEBP] = on_webp};
    const struct screenshot_params *params = &page->render.params->screenshot;
    bool is_viewport = !params->full_page && params->selector == NULL && params->clip_width == 0;
    json_t *call = json_pack("{s:s}", "format", format_name(page->render.output));

    if (page->render.output != OUTPUT_PNG)
        (void)json_object_set_new(call, "quality", json_integer((json_int_t)params->quality));
    if (!is_viewport) {
        (void)json_object_set_new(call, "captureBeyondViewport", json_true());
        (void)json_object_set_new(call, "clip",
                                  json_pack("{s:f, s:f, s:f, s:f, s:i}", "x", box->x, "y", box->y,
                                            "width", box->width, "height", box->height, "scale",
                                            1));
    }
    if (params->omit_background) {
        page->render.is_transparent = true;
        background(page, now_ms, true);
    }
    page_call(page, now_ms, "Page.captureScreenshot", call, done[page->render.output],
              page->render.loader);
}

/* An image of noise takes all of its four bytes per pixel: one that could not be sent is not
 * even begun. */
static void paint_if_fitting(struct page *page, uint64_t now_ms, uint64_t tag,
                             const struct box *box)
{
    const struct screenshot_params *params = &page->render.params->screenshot;
    double width = box->width * box->scale, height = box->height * box->scale;
    char why[256];

    if (width > SIDE_PIXELS_MAX || height > SIDE_PIXELS_MAX) {
        (void)snprintf(why, sizeof why,
                       "The image would be %.0f x %.0f pixels; the browser paints at most %.0f on "
                       "a side, so name a part of it with \"screenshot.clip\".",
                       width, height, SIDE_PIXELS_MAX);
        page_output_failed(page, now_ms, tag,
                           params->full_page  ? "screenshot.fullPage"
                           : params->selector ? "screenshot.selector"
                                              : "screenshot.clip.height",
                           why);
    } else if (width * height > (double)page->life->cdp->config->render.output_bytes_max) {
        page_output_too_large(page, now_ms, tag);
    } else {
        paint(page, now_ms, box);
    }
}

/* Reads the box; a clip keeps only the scale of it. */
static bool read_box(const json_t *value, const struct screenshot_params *params, struct box *ret)
{
    if (json_array_size(value) != 5)
        return false;
    *ret = (struct box){
        .x = json_number_value(json_array_get(value, 0)),
        .y = json_number_value(json_array_get(value, 1)),
        .width = json_number_value(json_array_get(value, 2)),
        .height = json_number_value(json_array_get(value, 3)),
        .scale = json_number_value(json_array_get(value, 4)),
    };
    if (params->clip_width > 0) {
        ret->x = params->clip_x;
        ret->y = params->clip_y;
        ret->width = params->clip_width;
        ret->height = params->clip_height;
    }
    return true;
}

static void on_box(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct box box;
    char why[256];

    if (!is_awaited(page, tag))
        return;
    json_t *tree = reply->end == CALL_REPLIED ? message_tree(reply->message->body) : NULL;
    const json_t *value = json_object_get(json_object_get(tree, "result"), "value");
    if (json_is_string(value)) {
        (void)snprintf(why, sizeof why, "\"screenshot.selector\" %s.", json_string_value(value));
        page_output_failed(page, now_ms, tag, "screenshot.selector", why);
    } else if (read_box(value, &page->render.params->screenshot, &box)) {
        paint_if_fitting(page, now_ms, tag, &box);
    } else {
        page_output_lost(page, now_ms, tag);
    }
    json_decref(tree);
}

void page_image_make(struct page *page, uint64_t now_ms)
{
    const struct screenshot_params *params = &page->render.params->screenshot;
    const char *selector = params->selector != NULL ? params->selector : "";

    page->render.is_imaging = true;
    page_call(page, now_ms, "Runtime.callFunctionOn",
              json_pack("{s:s, s:s, s:[{s:s}, {s:b}], s:b}", "objectId", page->render.document,
                        "functionDeclaration", box_script, "arguments", "value", selector, "value",
                        params->full_page, "returnByValue", 1),
              on_box, page->render.loader);
}
