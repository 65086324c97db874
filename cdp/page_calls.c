/* page_calls.c: carries out the commands of the render machine as CDP calls, and turns
 * their replies into facts. Every call of a render names the document it is meant for by
 * its loader's number; calls that are out when the render ends are forgotten. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* A frame that does not come within this is not waited for. */
#define FRAME_TIMEOUT_MS 500

/* Titles are cut here: what a page calls itself is no document. */
#define TITLE_UNITS_MAX "2048"

/* Metas of a document beyond this are left out. */
#define METAS_MAX "100"

/* Runs on the document, in an isolated world: nothing the page has overridden is seen.
 * The exact size in bytes is worked out only when the document may be too large. */
static const char measure_script[] =
    "function(max,empty,metas){"
    "const e=this.documentElement,h=e?e.outerHTML:'';let n=h.length;"
    "if(n*3>max)n=new TextEncoder().encode(h).length;"
    "const p=performance.getEntriesByType('navigation')[0];"
    "const clean=(t,max)=>t.slice(0,max).toWellFormed().replace(/\\0/g,''),"
    "all=Object.create(null);let left=metas?" METAS_MAX ":0;"
    "if(left)for(const m of Document.prototype.querySelectorAll.call(this,'meta')){"
    "const k=clean(m.getAttribute('name')||m.getAttribute('property')||'',128).toLowerCase(),"
    "v=m.getAttribute('content');"
    "if(k&&v!==null&&!(k in all)){all[k]=clean(v," TITLE_UNITS_MAX ");if(--left===0)break}}"
    "const u=this.URL;" /* A data: URL is the document itself, and as good as none. */
    "return[p?p.responseStatus:0,n,this.readyState==='loading',"
    "u.startsWith('data:')?'about:blank':u,clean(this.title," TITLE_UNITS_MAX "),"
    "empty&&(b=>!b||!b.innerText.trim()&&!b.querySelector('img,svg,canvas,video,iframe,object,'"
    "+'embed,input,button,select,textarea'))(this.body),all]}";

/* The callback is the promise's own: a function of ours would first be compiled, which counts
 * as script time of the page. */
static const char frame_script[] = "new Promise(requestAnimationFrame)";

uint64_t page_loader_number(struct cdp_span loader_id)
{
    uint64_t number = 0;

    for (size_t i = 0; i < loader_id.bytes && i < 16; i++) {
        char c = loader_id.at[i];
        uint64_t digit = (uint64_t)(c >= 'A' ? (c | 0x20) - 'a' + 10 : c - '0');
        number = number << 4 | (digit & 15);
    }
    return loader_id.bytes == 0 ? 0 : (number != 0 ? number : 1);
}

/* The machine's own deadlines come first; this one only keeps the table of calls clean. */
void page_call(struct page *page, uint64_t now_ms, const char *method, json_t *params,
               call_done *done, uint64_t tag)
{
    uint64_t deadline_ms = page->render.deadline_ms;
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

    target_call(page->target, now_ms, method, params, left_ms + 1000, done, tag);
}

static struct page_render *render_of(void *owner)
{
    return &((struct target *)owner)->page->render;
}

static void step(void *owner, uint64_t now_ms, const struct render_fact *fact)
{
    page_render_step(((struct target *)owner)->page, now_ms, fact);
}

static void on_navigated(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct render_fact fact = {.type = RENDER_FACT_NAVIGATED};
    struct cdp_span span;
    char error[64];
    (void)tag;

    /* With its session or browser the page is lost too, and that is told elsewhere. */
    if (reply->end == CALL_LOST || reply->end == CALL_LATE)
        return;
    if (reply->end == CALL_REFUSED) {
        /* Chromium could not even parse it. */
        fact.net_error = "net::ERR_INVALID_URL";
    } else {
        if (message_member(reply->message->body, "loaderId", &span))
            fact.loader = page_loader_number(span);
        fact.is_download =
            message_member(reply->message->body, "isDownload", &span) && span_is(span, "true");
        if (span_text(reply->message->body, "errorText", error, sizeof error))
            fact.net_error = error;
    }
    /* The next document is about to come, unless there is none, or it has come already. */
    if (fact.loader != 0 && fact.loader != render_of(owner)->loader && fact.net_error == NULL &&
        !fact.is_download)
        page_render_leave(((struct target *)owner)->page, now_ms);
    step(owner, now_ms, &fact);
}

static void do_navigate(struct page *page, uint64_t now_ms, const char *url)
{
    page_call(page, now_ms, "Page.navigate", json_pack("{s:s}", "url", url), on_navigated, 0);
}

/* To what the request asks for. */
static void do_navigate_there(struct page *page, uint64_t now_ms)
{
    const struct render_params *params = page->render.params;
    char *url = page_html_is_bare(params) ? page_html_url(params) : NULL;

    do_navigate(page, now_ms, url != NULL ? url : render_params_url(params));
    free(url);
}

static void do_policy(struct page *page, uint64_t now_ms, const char *policy, uint32_t virtual_ms)
{
    json_t *params = virtual_ms == 0 ? json_pack("{s:s}", "policy", policy)
                                     : json_pack("{s:s, s:I}", "policy", policy, "budget",
                                                 (json_int_t)virtual_ms);

    assert(page->target->is_virtual);
    page_call(page, now_ms, "Emulation.setVirtualTimePolicy", params, NULL, 0);
}

static void on_looked(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct target *target = owner;
    struct render_fact fact = {.type = RENDER_FACT_LOOKED};
    (void)tag;

    fact.ok = target_read_look(reply, &fact.look);
    if (fact.ok)
        target->look = fact.look;
    step(owner, now_ms, &fact);
}

static void on_looked_later(void *owner, uint64_t tag, uint64_t now_ms,
                            const struct call_reply *reply)
{
    struct target *target = owner;
    (void)tag;
    (void)now_ms;

    (void)target_read_look(reply, &target->look);
}

void page_look_later(struct target *target, uint64_t now_ms)
{
    target_call(target, now_ms, "Performance.getMetrics", NULL,
                target->page->life->cdp->config->browser.call_timeout_ms, on_looked_later, 0);
}

static void on_framed(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct render_fact fact = {.type = RENDER_FACT_FRAMED, .loader = tag};

    fact.ok = reply->end == CALL_REPLIED;
    step(owner, now_ms, &fact);
}

static void do_frame(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;

    render->wants_frame = render->world == 0;
    if (render->wants_frame)
        return;
    target_call(page->target, now_ms, "Runtime.evaluate",
                json_pack("{s:s, s:I, s:b, s:b}", "expression", frame_script, "contextId",
                          (json_int_t)render->world, "awaitPromise", 1, "returnByValue", 1),
                FRAME_TIMEOUT_MS, on_framed, render->loader);
}

/* Takes title, metas and URL of the measured document over into the result. */
static void take_names(struct render_result *result, const json_t *value, bool wants_metas)
{
    const char *url = json_string_value(json_array_get(value, 3));
    const char *title = json_string_value(json_array_get(value, 4));

    free(result->final_url);
    free(result->title);
    free(result->metas);
    result->metas = wants_metas ? json_dumps(json_array_get(value, 6), JSON_COMPACT) : NULL;
    result->final_url = url != NULL ? strdup(url) : NULL;
    result->title = title != NULL ? strdup(title) : NULL;
}

static void on_measured(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_render *render = render_of(owner);
    struct render_fact fact = {.type = RENDER_FACT_MEASURED, .loader = tag};
    json_t *tree = reply->end == CALL_REPLIED ? message_tree(reply->message->body) : NULL;
    const json_t *value = json_object_get(json_object_get(tree, "result"), "value");

    fact.ok = json_array_size(value) == 7;
    if (fact.ok) {
        fact.measure.status = (int)json_integer_value(json_array_get(value, 0));
        fact.measure.bytes = (uint64_t)json_integer_value(json_array_get(value, 1));
        fact.measure.is_incomplete = json_is_true(json_array_get(value, 2));
        if (tag == render->loader)
            take_names(render->result, value, render->params->wants_envelope);
        render->result->has_empty_body = json_is_true(json_array_get(value, 5));
    }
    json_decref(tree);
    step(owner, now_ms, &fact);
}

/* Where something depends on it: it costs the page a layout. */
static bool asks_for_empty_body(const struct page_render *render)
{
    const struct render_params *params = render->params;

    return params->fail_on.empty_body || (params->path_mode && render->machine.is_partial);
}

static void do_measure(struct page *page, uint64_t now_ms)
{
    struct page_render *render = &page->render;
    uint64_t bytes_max = page->life->cdp->config->render.output_bytes_max;

    render->wants_measure = render->document[0] == '\0';
    if (render->wants_measure)
        return;
    page_call(page, now_ms, "Runtime.callFunctionOn",
              json_pack("{s:s, s:s, s:[{s:I}, {s:b}, {s:b}], s:b}", "objectId", render->document,
                        "functionDeclaration", measure_script, "arguments", "value",
                        (json_int_t)bytes_max, "value", asks_for_empty_body(render), "value",
                        render->params->wants_envelope, "returnByValue", 1),
              on_measured, render->loader);
}

/* The document of the reply: a large one has been read already. */
static bool take_document(struct render_result *result, const struct call_reply *reply)
{
    struct cdp_message *message = reply->message;
    struct cdp_span html;

    if (reply->end != CALL_REPLIED)
        return false;
    free(result->html);
    result->html = message->document;
    result->html_bytes = message->document_bytes;
    message->document = NULL;
    if (result->html == NULL && message_member(message->body, "outerHTML", &html))
        result->html = message_document(html, &result->html_bytes);
    return result->html != NULL;
}

static void on_captured(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_render *render = render_of(owner);
    struct render_fact fact = {.type = RENDER_FACT_CAPTURED, .loader = tag};

    fact.ok = tag == render->loader && take_document(render->result, reply);
    fact.bytes = fact.ok ? render->result->html_bytes : 0;
    step(owner, now_ms, &fact);
}

static void do_capture(struct page *page, uint64_t now_ms)
{
    assert(page->render.document[0] != '\0');
    page_call(page, now_ms, "DOM.getOuterHTML",
              json_pack("{s:s, s:b}", "objectId", page->render.document, "includeShadowDOM",
                        page->render.params->shadow_dom == SHADOW_DOM_DECLARATIVE),
              on_captured, page->render.loader);
}

bool page_object_id(const struct call_reply *reply, const char *key, char *ret, size_t ret_bytes)
{
    struct cdp_span object;

    return reply->end == CALL_REPLIED && message_member(reply->message->body, key, &object) &&
           span_text(object, "objectId", ret, ret_bytes);
}

static void on_document(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_render *render = render_of(owner);
    struct render_fact fact = {.type = RENDER_FACT_MEASURED, .loader = tag};

    if (tag != render->loader)
        return;
    if (page_object_id(reply, "result", render->document, sizeof render->document)) {
        if (render->wants_measure)
            do_measure(((struct target *)owner)->page, now_ms);
    } else if (render->wants_measure) {
        render->wants_measure = false;
        step(owner, now_ms, &fact);
    }
}

static void on_world(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page_render *render = render_of(owner);
    struct page *page = ((struct target *)owner)->page;
    char number[24];

    if (tag != render->loader)
        return;
    if (reply->end == CALL_REPLIED &&
        span_text(reply->message->body, "executionContextId", number, sizeof number))
        render->world = strtoll(number, NULL, 10);
    page_call(
        page, now_ms, "Runtime.evaluate",
        json_pack("{s:s, s:I}", "expression", "document", "contextId", (json_int_t)render->world),
        on_document, tag);
    if (!render->wants_frame)
        return;
    if (render->world != 0) {
        do_frame(page, now_ms);
    } else {
        const struct render_fact fact = {.type = RENDER_FACT_FRAMED, .loader = tag};
        render->wants_frame = false;
        page_render_step(page, now_ms, &fact);
    }
}

static void do_prepare(struct page *page, uint64_t now_ms)
{
    page->render.world = 0;
    page->render.document[0] = '\0';
    page->render.wants_frame = page->render.wants_measure = false;
    page_call(
        page, now_ms, "Page.createIsolatedWorld",
        json_pack("{s:s, s:s}", "frameId", page->target->target_id, "worldName", "prerenderd"),
        on_world, page->render.loader);
}

void page_do(struct page *page, uint64_t now_ms, const struct render_command *command)
{
    uint32_t virtual_ms = command->virtual_ms;

    switch (command->type) {
    case RENDER_DO_NAVIGATE:
        do_navigate_there(page, now_ms);
        break;
    case RENDER_DO_INJECT:
        page_inject_finish(page, now_ms);
        break;
    case RENDER_DO_BLANK:
        do_navigate(page, now_ms, "about:blank");
        break;
    case RENDER_DO_PREPARE:
        do_prepare(page, now_ms);
        break;
    case RENDER_DO_GRANT:
        do_policy(page, now_ms, "pauseIfNetworkFetchesPending", virtual_ms);
        break;
    case RENDER_DO_ADVANCE:
        do_policy(page, now_ms, "advance", virtual_ms);
        break;
    case RENDER_DO_PAUSE:
        do_policy(page, now_ms, "pause", 0);
        break;
    case RENDER_DO_LOOK:
        page_call(page, now_ms, "Performance.getMetrics", NULL, on_looked, 0);
        break;
    case RENDER_DO_CHECK:
        page_wait_check(page, now_ms);
        break;
    case RENDER_DO_FRAME:
        do_frame(page, now_ms);
        break;
    case RENDER_DO_MEASURE:
        do_measure(page, now_ms);
        break;
    case RENDER_DO_CAPTURE:
        if (command->output != OUTPUT_HTML)
            page_output_make(page, now_ms, command->output);
        else if (page->render.params->recipe != NULL)
            page_value(page, now_ms);
        else
            do_capture(page, now_ms);
        break;
    case RENDER_DO_TRANSIT:
        page_transit(page, now_ms);
        break;
    case RENDER_DO_INSPECT:
        page_streams_inspect(page, now_ms);
        break;
    case RENDER_DO_SURVEY:
        page_watch_survey(page, now_ms);
        break;
    case RENDER_DO_TERMINATE:
        page_call(page, now_ms, "Runtime.terminateExecution", NULL, NULL, 0);
        break;
    case RENDER_DO_ABANDON:
        page_target_lost(page->target, now_ms, "it paints no more");
        break;
    }
}
