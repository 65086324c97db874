/* page_streams.c: whether a page holds a stream open: an EventSource, which never ends and
 * is not waited for.
 *
 * A render whose requests are watched knows it of them. Any other is inspected once, when
 * its clock stands still. That is dear, so the page remembers for which URL it found a
 * stream: the next render of that URL is watched from its start.
 *
 * A stream is waited for all the same, a little: others wait so long for an idle network,
 * and what a page shows often comes with the first messages. Once a watched render has told
 * how many came and when, the next one waits SILENCE_MS longer than for the last of them, and
 * less once as many have come: some pauses as long as the longest between them. One that
 * brings fewer teaches nothing. Without a watch an ordinary request may be pending as well. */
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* How long streams are waited for, at most; and after their last message, if that is known. */
#define GRACE_MS 500
#define SILENCE_MS (GRACE_MS / 2)

/* When all that is known of has come. */
#define PAUSES 2
#define SILENCE_MIN_MS 50

static uint64_t url_number(const struct page *page)
{
    const char *url = render_params_url(page->render.params);

    return text_number(url, strlen(url));
}

bool page_streams_are_likely(const struct page *page)
{
    return page->stream_url != 0 && page->stream_url == url_number(page);
}

/* What streams have brought to the render before. */
static bool is_known(const struct page *page)
{
    return page_streams_are_likely(page) && page->heard.messages > 0;
}

void page_streams_committed(struct page *page)
{
    page->render.has_streams = false;
    page->render.streams_ms = 0;
    page->render.heard = (struct page_heard){.messages = 0};
}

void page_streams_tell(struct page *page, uint64_t now_ms, bool are_open)
{
    const struct render_fact fact = {
        .type = RENDER_FACT_STREAMS, .loader = page->render.loader, .ok = are_open};

    if (page->state != PAGE_RENDERING || page->render.has_streams == are_open)
        return;
    page->render.has_streams = are_open;
    if (page->render.streams_ms == 0)
        page->render.streams_ms = now_ms;
    page_render_step(page, now_ms, &fact);
}

void page_streams_heard(struct page *page, uint64_t now_ms)
{
    const struct render_fact fact = {.type = RENDER_FACT_HEARD, .loader = page->render.loader};
    struct page_heard *heard = &page->render.heard;
    uint64_t since_ms = page->render.streams_ms;
    uint32_t at_ms = since_ms != 0 ? (uint32_t)(now_ms - since_ms) : 0;

    if (at_ms - heard->last_ms > heard->pause_ms)
        heard->pause_ms = at_ms - heard->last_ms;
    heard->messages++;
    heard->last_ms = at_ms;
    if (is_known(page) && heard->messages >= page->heard.messages)
        page_render_step(page, now_ms, &fact);
}

uint32_t page_streams_grace_ms(const struct page *page)
{
    uint32_t last_ms = page->heard.last_ms;

    return is_known(page) && last_ms < GRACE_MS - SILENCE_MS ? last_ms + SILENCE_MS : GRACE_MS;
}

uint32_t page_streams_silence_ms(const struct page *page)
{
    uint32_t silence_ms = PAUSES * page->heard.pause_ms;

    if (silence_ms < SILENCE_MIN_MS)
        return SILENCE_MIN_MS;
    return silence_ms < SILENCE_MS ? silence_ms : SILENCE_MS;
}

void page_streams_finish(struct page *page)
{
    const struct page_render *render = &page->render;
    bool is_less = is_known(page) && render->heard.messages < page->heard.messages;

    if (render->has_streams) {
        page->stream_url = url_number(page);
        page->heard = is_less ? (struct page_heard){.messages = 0} : render->heard;
    } else if (render->traffic != NULL) {
        page->stream_url = 0;
        page->heard = (struct page_heard){.messages = 0};
    }
}

static void on_streams(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct cdp_span result, value;

    if (tag == page->render.loader && reply->end == CALL_REPLIED &&
        message_member(reply->message->body, "result", &result) &&
        message_member(result, "value", &value))
        page_streams_tell(page, now_ms, span_is(value, "true"));
}

static void on_instances(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    char id[64];

    if (page_object_id(reply, "objects", id, sizeof id))
        page_call(page, now_ms, "Runtime.callFunctionOn",
                  json_pack("{s:s, s:s, s:b}", "objectId", id, "functionDeclaration",
                            "function(){return this.some(e=>e.readyState<2)}", "returnByValue", 1),
                  on_streams, tag);
}

static void on_prototype(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    char id[64];

    if (page_object_id(reply, "result", id, sizeof id))
        page_call(page, now_ms, "Runtime.queryObjects", json_pack("{s:s}", "prototypeObjectId", id),
                  on_instances, tag);
}

/* This collects and walks the page's heap (about 100 ms) and asks the page's own world: what
 * the page may forge here is how long it is waited for. */
void page_streams_inspect(struct page *page, uint64_t now_ms)
{
    if (page->render.traffic != NULL)
        return;
    page_call(page, now_ms, "Runtime.evaluate",
              json_pack("{s:s}", "expression", "EventSource.prototype"), on_prototype,
              page->render.loader);
}
