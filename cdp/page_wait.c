/* page_wait.c: the conditions of `wait` as calls; see page.h and render_wait.c.
 *
 * One check is a chain of up to three calls: the ready flag and the expression, in the
 * page's own world, where they live; then what the document shows, in the isolated world.
 * What the page may forge in the first two is the end of its own wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

#define READY_FLAG "prerenderReady"

/* Hears the event wherever it is dispatched: what is captured passes the window first. It
 * runs before any script of the document, in the isolated world that the checks use. */
static const char listen_script[] =
    "(n=>{const s={};Object.defineProperty(globalThis,'prerenderdHeard',{value:s});"
    "addEventListener(n,()=>{s.heard=true},{capture:true})})";

/* Runs on the document. Only own members of the global are looked at: elements with an id
 * show as inherited ones, even in an isolated world. */
static const char check_script[] =
    "function(q,state,least,stable,event){"
    "const own=k=>Object.hasOwn(globalThis,k)?globalThis[k]:null;"
    "if(event&&!own('prerenderdHeard')?.heard)return false;"
    "if(q){const all=[...Document.prototype.querySelectorAll.call(this,q)],"
    "seen=e=>e.checkVisibility({visibilityProperty:true})&&e.getClientRects().length>0;"
    "if(!(state===0?all.length>=least:state===1?all.filter(seen).length>=least:"
    "state===2?!all.some(seen):all.length===0))return false}"
    "if(stable){let s=own('prerenderdStable');if(!s){s={at:performance.now()};"
    "Object.defineProperty(globalThis,'prerenderdStable',{value:s});"
    "new MutationObserver(()=>{s.at=performance.now()}).observe(this,"
    "{subtree:true,childList:true,attributes:true,characterData:true})}"
    "if(performance.now()-s.at<stable)return false}"
    "return true}";

static bool asks_document(const struct wait_params *wait)
{
    return wait->selector != NULL || wait->event != NULL || wait->dom_stable_ms > 0;
}

static const char *flag_name(const struct render_params *params)
{
    if (params->until != WAIT_AUTO || params->recipe != NULL)
        return "";
    return params->wait.ready_flag != NULL ? params->wait.ready_flag : READY_FLAG;
}

static bool waits_for_recipe(const struct render_params *params)
{
    return params->recipe != NULL && params->recipe->ready != NULL;
}

uint32_t page_wait_stuck_ms(const struct page *page)
{
    uint32_t asked_ms = page->render.params->wait.stuck_request_ms;

    return asked_ms != 0 ? asked_ms : page->life->cdp->config->render.stuck_request_ms;
}

struct render_wait page_wait_plan(const struct page *page)
{
    const struct render_params *params = page->render.params;
    const struct wait_params *wait = &params->wait;

    return (struct render_wait){
        .is_real = wait->clock == CLOCK_REAL,
        .quiet = page_watch_quiet(page),
        .has_flag = flag_name(params)[0] != '\0',
        .has_conditions =
            asks_document(wait) || wait->expression != NULL || waits_for_recipe(params),
        .is_hastening = wait->selector != NULL || wait->event != NULL || wait->expression != NULL ||
                        waits_for_recipe(params),
        .flag_grace_ms = wait->ready_flag_grace_ms,
        .delay_ms = wait->delay_ms,
    };
}

char *page_quoted(const char *text)
{
    json_t *string = json_string(text);
    char *literal = string != NULL ? json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    json_decref(string);
    return literal;
}

void page_wait_listen(struct page *page, uint64_t now_ms)
{
    const char *event = page->render.params->wait.event;
    char *name = event != NULL ? page_quoted(event) : NULL, *source = NULL;

    if (name == NULL)
        return;
    if (asprintf(&source, "%s(%s)", listen_script, name) < 0)
        abort();
    page_scripts_add(page, now_ms, source, "prerenderd");
    free(source);
    free(name);
}

static void tell(struct page *page, uint64_t now_ms, uint64_t loader, bool are_met)
{
    const struct render_fact fact = {
        .type = RENDER_FACT_CHECKED, .loader = loader, .ok = are_met, .flag = page->render.flag};

    page_render_step(page, now_ms, &fact);
}

static void on_document_checked(void *owner, uint64_t tag, uint64_t now_ms,
                                const struct call_reply *reply)
{
    struct cdp_span result, value;

    tell(((struct target *)owner)->page, now_ms, tag,
         reply->end == CALL_REPLIED && message_member(reply->message->body, "result", &result) &&
             message_member(result, "value", &value) && span_is(value, "true"));
}

static void check_document(struct page *page, uint64_t now_ms, uint64_t loader)
{
    const struct wait_params *wait = &page->render.params->wait;

    if (!asks_document(wait)) {
        tell(page, now_ms, loader, true);
        return;
    }
    if (page->render.document[0] == '\0') {
        /* Not there yet. The answer must not come from within the question. */
        page_call(page, now_ms, "Runtime.evaluate", json_pack("{s:s}", "expression", "0"),
                  on_document_checked, loader);
        return;
    }
    page_call(page, now_ms, "Runtime.callFunctionOn",
              json_pack("{s:s, s:s, s:b, s:[{s:s?}, {s:i}, {s:I}, {s:I}, {s:b}]}", "objectId",
                        page->render.document, "functionDeclaration", check_script, "returnByValue",
                        1, "arguments", "value", wait->selector, "value", (int)wait->selector_state,
                        "value", (json_int_t)wait->selector_min_count, "value",
                        (json_int_t)wait->dom_stable_ms, "value", wait->event != NULL),
              on_document_checked, loader);
}

/* Whether JavaScript would take the remote object for true. */
static bool is_truthy(struct cdp_span body)
{
    static const char *const falsy[] = {"false", "0", "", "null"};
    static const char *const falsy_names[] = {"-0", "NaN", "0n"};
    struct cdp_span result, span;

    if (message_member(body, "exceptionDetails", &span) ||
        !message_member(body, "result", &result) || !message_member(result, "type", &span) ||
        span_is(span, "undefined"))
        return false;
    if (message_member(result, "subtype", &span) && span_is(span, "null"))
        return false;
    for (size_t i = 0; i < 3 && message_member(result, "unserializableValue", &span); i++) {
        if (span_is(span, falsy_names[i]))
            return false;
    }
    /* Strings are told from other values by their type: "false" is one of them. */
    bool is_string = message_member(result, "type", &span) && span_is(span, "string");
    if (!message_member(result, "value", &span))
        return true;
    for (size_t i = 0; i < 4; i++) {
        if (span_is(span, falsy[i]) && (!is_string || falsy[i][0] == '\0'))
            return false;
    }
    return true;
}

static void on_evaluated(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;

    if (reply->end == CALL_REPLIED && is_truthy(reply->message->body))
        check_document(page, now_ms, tag);
    else
        tell(page, now_ms, tag, false);
}

static void check_expression(struct page *page, uint64_t now_ms, uint64_t loader)
{
    const struct render_params *params = page->render.params;
    char *ready = waits_for_recipe(params) ? page_ready_expression(page) : NULL;
    const char *expression = ready != NULL ? ready : params->wait.expression;

    if (expression == NULL)
        check_document(page, now_ms, loader);
    else
        page_call(page, now_ms, "Runtime.evaluate",
                  json_pack("{s:s, s:b}", "expression", expression, "silent", 1), on_evaluated,
                  loader);
    free(ready);
}

static void on_flag(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct cdp_span result, type, value;

    if (reply->end == CALL_REPLIED && message_member(reply->message->body, "result", &result) &&
        message_member(result, "type", &type) && span_is(type, "boolean") &&
        message_member(result, "value", &value))
        page->render.flag = span_is(value, "true") ? RENDER_FLAG_TRUE : RENDER_FLAG_FALSE;
    check_expression(page, now_ms, tag);
}

void page_wait_check(struct page *page, uint64_t now_ms)
{
    const char *name = flag_name(page->render.params);
    uint64_t loader = page->render.loader;
    char *key = name[0] != '\0' ? page_quoted(name) : NULL;

    page->render.flag = RENDER_FLAG_NONE;
    if (key == NULL) {
        check_expression(page, now_ms, loader);
        return;
    }
    page_call(page, now_ms, "Runtime.evaluate",
              json_pack("{s:s++, s:b}", "expression", "globalThis[", key, "]", "silent", 1),
              on_flag, loader);
    free(key);
}
