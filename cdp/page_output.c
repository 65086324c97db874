/* page_output.c: what is made of a document beside its HTML; see page.h.
 *
 * Scripts about the document run in the isolated world, on what the page cannot override.
 * Elements are read through getters of their prototypes where a form could hide them behind
 * its fields. The expression runs in the page's own world, since what it wants is the page's;
 * what it yields is bounded there before it is sent, because one message over the limit of
 * the connection would end the renders of everybody. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Of the value of an expression, as JSON. */
#define EXPRESSION_BYTES_MAX 1048576

/* Text as a reader sees it: what is not shown is left out. null: more than `max` bytes. */
static const char text_script[] =
    "function(max){"
    "const e=this.body||this.documentElement,"
    "get=(p,k)=>Object.getOwnPropertyDescriptor(p,k).get.call(e);"
    "const t=(!e?'':e instanceof HTMLElement?get(HTMLElement.prototype,'innerText')"
    ":get(Node.prototype,'textContent')).toWellFormed().replace(/\\0/g,'');"
    "return t.length*3>max&&new TextEncoder().encode(t).length>max?null:t}";

/* In the order of the document. */
static const char links_script[] =
    "function(max){"
    "const list=[];let room=max;"
    "for(const e of Document.prototype.querySelectorAll.call(this,'a[href],area[href]')){"
    "let href=e.href;"
    "if(typeof href!=='string'){try{href=new URL(href.baseVal,this.baseURI).href}catch{continue}}"
    "const text=(e.innerText||e.textContent||e.getAttribute('aria-label')||e.alt||'')"
    ".replace(/\\s+/g,' ').trim().slice(0,200).toWellFormed().replace(/\\0/g,'');"
    "room-=href.length+text.length+24;"
    "if(href.length>8192||list.length>=10000||room<0)break;"
    "list.push({href,text})}"
    "return list}";

/* Takes the source of the expression and the limit. The answer begins with what it is: "v"
 * for a value, "u" for none, "e" for an exception, "l" for one that is too large. A page that has
 * replaced what is called here harms its own answer only: the last line bounds it. */
static const char expression_script[] =
    "(async(source,max)=>{let r;"
    "try{const value=await(0,eval)(source),text=JSON.stringify(value);"
    "r=typeof text!=='string'?'u':text.length>max?'l':'v'+text}"
    "catch(e){let text;try{text=`${e}`}catch{text='an exception'}"
    "r='e'+text.slice(0,200)}"
    "return typeof r==='string'&&r.length<=max+1?r:'l'})";

static struct page *page_of(void *owner)
{
    return ((struct target *)owner)->page;
}

/* Whether a reply is about what is shown. */
static bool is_shown(const struct page *page, uint64_t tag)
{
    return tag == page->render.loader && page->render.result != NULL;
}

static struct render_fact fact_of(const struct page *page, uint64_t tag)
{
    return (struct render_fact){
        .type = RENDER_FACT_CAPTURED, .loader = tag, .output = page->render.output};
}

void page_output_made(struct page *page, uint64_t now_ms, uint64_t tag, uint64_t bytes)
{
    struct render_fact fact = fact_of(page, tag);

    fact.ok = true;
    fact.bytes = bytes;
    page_render_step(page, now_ms, &fact);
}

void page_output_lost(struct page *page, uint64_t now_ms, uint64_t tag)
{
    const struct render_fact fact = fact_of(page, tag);

    page_render_step(page, now_ms, &fact);
}

void page_output_too_large(struct page *page, uint64_t now_ms, uint64_t tag)
{
    struct render_fact fact = fact_of(page, tag);

    fact.code = RENDER_OUTPUT_TOO_LARGE;
    page_render_step(page, now_ms, &fact);
}

void page_output_failed(struct page *page, uint64_t now_ms, uint64_t tag, const char *param,
                        const char *why)
{
    struct render_fact fact = fact_of(page, tag);
    struct render_result *result = page->render.result;

    fact.code = RENDER_OUTPUT_FAILED;
    if (is_shown(page, tag)) {
        result->param = param;
        (void)snprintf(result->error, sizeof result->error, "%s", why);
    }
    page_render_step(page, now_ms, &fact);
}

void page_output_refusal(const struct call_reply *reply, char *ret, size_t ret_bytes)
{
    struct cdp_span span;

    (void)snprintf(ret, ret_bytes, "the browser gave no reason");
    if (reply->end == CALL_REFUSED && message_member(reply->message->body, "message", &span)) {
        size_t bytes = message_unescape(span.at, span.bytes);
        if (bytes != SIZE_MAX && bytes > 0)
            (void)snprintf(ret, ret_bytes, "%.*s", (int)(bytes < 200 ? bytes : 200), span.at);
    }
}

void page_output_clear(struct page *page)
{
    render_outputs_clear(page->render.result);
}

/* Bytes that so much base64 stands for. */
static uint64_t decoded_bytes(struct cdp_span base64)
{
    uint64_t bytes = base64.bytes / 4 * 3;

    for (size_t i = base64.bytes; i > 0 && base64.at[i - 1] == '='; i--)
        bytes--;
    return bytes;
}

void page_output_store(struct page *page, uint64_t now_ms, uint64_t tag, struct cdp_span span,
                       bool is_base64)
{
    struct render_output *output = &page->render.result->outputs[page->render.output];

    assert(is_shown(page, tag));
    free(output->bytes);
    output->bytes = malloc(span.bytes + 1);
    if (output->bytes == NULL) {
        page_output_lost(page, now_ms, tag);
        return;
    }
    memcpy(output->bytes, span.at, span.bytes);
    output->bytes[span.bytes] = '\0';
    output->bytes_count = span.bytes;
    page_output_made(page, now_ms, tag, is_base64 ? decoded_bytes(span) : span.bytes);
}

/* The value of a script's reply, still escaped if it is a string. False: it threw, or the
 * document is gone. */
static bool script_value(const struct call_reply *reply, struct cdp_span *ret)
{
    struct cdp_span result;

    return reply->end == CALL_REPLIED &&
           !message_member(reply->message->body, "exceptionDetails", &result) &&
           message_member(reply->message->body, "result", &result) &&
           message_member(result, "value", ret);
}

static bool unescape(struct cdp_span *span)
{
    size_t bytes = message_unescape(span->at, span->bytes);

    span->bytes = bytes;
    return bytes != SIZE_MAX;
}

static void on_text(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = page_of(owner);
    struct cdp_span value;

    if (!is_shown(page, tag))
        return;
    if (!script_value(reply, &value))
        page_output_lost(page, now_ms, tag);
    else if (value.at[-1] != '"') /* null */
        page_output_too_large(page, now_ms, tag);
    else if (!unescape(&value))
        page_output_lost(page, now_ms, tag);
    else
        page_output_store(page, now_ms, tag, value, false);
}

/* The value is JSON as it stands in the message. */
static void on_links(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = page_of(owner);
    struct cdp_span value;

    if (!is_shown(page, tag))
        return;
    if (script_value(reply, &value))
        page_output_store(page, now_ms, tag, value, false);
    else
        page_output_lost(page, now_ms, tag);
}

/* Runs a script on the document with the size limit of outputs. */
static void run_script(struct page *page, uint64_t now_ms, const char *script, call_done *done)
{
    page_call(page, now_ms, "Runtime.callFunctionOn",
              json_pack("{s:s, s:s, s:[{s:I}], s:b}", "objectId", page->render.document,
                        "functionDeclaration", script, "arguments", "value",
                        (json_int_t)page->life->cdp->config->render.output_bytes_max,
                        "returnByValue", 1),
              done, page->render.loader);
}

/* The text of an exception may be cut within a character, and come from the page. */
static void expression_threw(struct page *page, uint64_t now_ms, uint64_t tag, struct cdp_span text)
{
    char why[256];

    for (size_t i = 0; i < text.bytes; i++) {
        if ((unsigned char)text.at[i] < ' ')
            text.at[i] = ' ';
    }
    (void)snprintf(why, sizeof why, "The expression threw: %.*s", (int)text.bytes, text.at);
    page_output_failed(page, now_ms, tag, "expression", why);
}

static void on_expression(void *owner, uint64_t tag, uint64_t now_ms,
                          const struct call_reply *reply)
{
    struct page *page = page_of(owner);
    const struct cdp_span none = {(char *)(uintptr_t) "null", 4};
    struct cdp_span value, rest;

    if (!is_shown(page, tag))
        return;
    if (!script_value(reply, &value) || !unescape(&value) || value.bytes == 0) {
        if (reply->end == CALL_REPLIED) /* It was ended from outside. */
            page_output_failed(page, now_ms, tag, "expression",
                               "The expression was ended before it had a value.");
        else
            page_output_lost(page, now_ms, tag);
        return;
    }
    rest = (struct cdp_span){value.at + 1, value.bytes - 1};
    if (value.at[0] == 'e') {
        expression_threw(page, now_ms, tag, rest);
    } else if (value.at[0] == 'l' || rest.bytes > EXPRESSION_BYTES_MAX) {
        page_output_failed(page, now_ms, tag, "expression",
                           "The value of the expression is more than 1 MiB of JSON.");
    } else if (value.at[0] == 'v') {
        message_repair(rest);
        page_output_store(page, now_ms, tag, rest, false);
    } else {
        page_output_store(page, now_ms, tag, none, false);
    }
}

static void make_expression(struct page *page, uint64_t now_ms)
{
    json_t *arguments = json_pack("[s, i]", page->render.params->expression, EXPRESSION_BYTES_MAX);
    char *list = arguments != NULL ? json_dumps(arguments, JSON_ENSURE_ASCII) : NULL;

    json_decref(arguments);
    if (list == NULL)
        abort(); /* The parameter is valid UTF-8. */
    page_call(page, now_ms, "Runtime.evaluate",
              json_pack("{s:s++++, s:b, s:b}", "expression", expression_script, "(...", list, ")",
                        "", "awaitPromise", 1, "returnByValue", 1),
              on_expression, page->render.loader);
    free(list);
}

static void on_snapshot(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = page_of(owner);
    struct cdp_span data;

    if (!is_shown(page, tag))
        return;
    if (reply->end == CALL_REPLIED && message_member(reply->message->body, "data", &data) &&
        unescape(&data))
        page_output_store(page, now_ms, tag, data, false);
    else if (reply->end == CALL_REFUSED && reply->message->is_cut)
        page_output_too_large(page, now_ms, tag);
    else
        page_output_lost(page, now_ms, tag);
}

void page_output_make(struct page *page, uint64_t now_ms, enum output output)
{
    page->render.output = output;
    switch (output) {
    case OUTPUT_TEXT:
        run_script(page, now_ms, text_script, on_text);
        break;
    case OUTPUT_LINKS:
        run_script(page, now_ms, links_script, on_links);
        break;
    case OUTPUT_PNG:
    case OUTPUT_JPEG:
    case OUTPUT_WEBP:
        page_image_make(page, now_ms);
        break;
    case OUTPUT_PDF:
        page_pdf_make(page, now_ms);
        break;
    case OUTPUT_MHTML:
        page_call(page, now_ms, "Page.captureSnapshot", json_pack("{s:s}", "format", "mhtml"),
                  on_snapshot, page->render.loader);
        break;
    case OUTPUT_EXPRESSION:
        make_expression(page, now_ms);
        break;
    case OUTPUT_HTML:
    case OUTPUTS:
        assert(false && "page_calls.c captures the document");
        break;
    }
}
