/* page_recipe.c: the scripts of a recipe as calls: transition, readiness, result; and the
 * image of what is shown. The scripts run in the world of the page, where its application
 * lives. What they are called with travels as text, which the page parses: as source text a
 * member named __proto__ would be no member. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Wraps a script: "(async r=>{...})(request)". */
static const char call_script[] = "const f=v=>typeof v==='function'?v(r):v;";

/* Text of an expression that is longer than one of its parts; NULL: out of memory. */
static char *joined(const char *const *parts, size_t count)
{
    char *text;
    size_t bytes = 0, at = 0;

    for (size_t i = 0; i < count; i++)
        bytes += strlen(parts[i]);
    text = malloc(bytes + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t part_bytes = strlen(parts[i]);
        memcpy(text + at, parts[i], part_bytes);
        at += part_bytes;
    }
    text[at] = '\0';
    return text;
}

/* `head`, then the body, then the request as its argument. The number of the request is
 * unique in this process, so scripts may tell late answers from their own. */
static char *wrapped(const struct page *page, const char *head, const char *body, const char *tail)
{
    char *input = page_quoted(page->render.params->input);
    char nonce[32], *text = NULL;

    (void)snprintf(nonce, sizeof nonce, "{nonce:%llu}", (unsigned long long)page->render.request);
    if (input != NULL) {
        const char *const parts[] = {head,  body, tail,  "})(Object.assign(JSON.parse(",
                                     input, "),", nonce, "))"};
        text = joined(parts, sizeof parts / sizeof parts[0]);
    }
    free(input);
    return text;
}

static void evaluate(struct page *page, uint64_t now_ms, char *expression, call_done *done)
{
    page_call(page, now_ms, "Runtime.evaluate",
              json_pack("{s:s, s:b, s:b}", "expression", expression != NULL ? expression : "",
                        "awaitPromise", 1, "returnByValue", 1),
              done, page->render.loader);
    free(expression);
}

/* What was thrown: the message of an error without its stack, or the value itself. */
static void take_error(struct render_result *result, struct cdp_span details)
{
    json_t *tree = message_tree(details);
    const json_t *exception = json_object_get(tree, "exception");
    const char *text = json_string_value(json_object_get(exception, "description"));

    if (text == NULL)
        text = json_string_value(json_object_get(exception, "value"));
    if (text == NULL)
        text = json_string_value(json_object_get(tree, "text"));
    text = text != NULL ? text : "a script of the recipe failed";
    size_t bytes = strcspn(text, "\n");
    if (bytes >= sizeof result->error)
        bytes = sizeof result->error - 1;
    while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80)
        bytes--; /* Not within a character. */
    memcpy(result->error, text, bytes);
    result->error[bytes] = '\0';
    json_decref(tree);
}

/* Takes what the script threw; false: nothing. */
static bool has_thrown(struct page *page, const struct call_reply *reply)
{
    struct cdp_span details;

    if (reply->end != CALL_REPLIED ||
        !message_member(reply->message->body, "exceptionDetails", &details))
        return false;
    take_error(page->render.result, details);
    return true;
}

static void on_transited(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct render_fact fact = {.type = RENDER_FACT_TRANSITED, .loader = tag};

    /* Refused: its document went away, and another one commits. */
    if (reply->end != CALL_REPLIED)
        return;
    fact.ok = !has_thrown(page, reply);
    fact.code = fact.ok ? RENDER_OK : RENDER_SCRIPT_FAILED;
    page_render_step(page, now_ms, &fact);
}

void page_transit(struct page *page, uint64_t now_ms)
{
    const struct recipe *recipe = page->render.params->recipe;
    const char *before = recipe->before != NULL ? recipe->before : "null";
    const char *const parts[] = {"await f((\n", before, "\n));await f((\n", recipe->transition,
                                 "\n))"};
    char *body = joined(parts, sizeof parts / sizeof parts[0]);

    evaluate(page, now_ms, wrapped(page, "(async r=>{", call_script, body != NULL ? body : ""),
             on_transited);
    free(body);
}

char *page_ready_expression(const struct page *page)
{
    const struct recipe *recipe = page->render.params->recipe;
    const char *const parts[] = {"return f((\n", recipe->ready, "\n))"};
    char *body = joined(parts, sizeof parts / sizeof parts[0]);
    char *text = body != NULL ? wrapped(page, "(r=>{", call_script, body) : NULL;

    free(body);
    return text;
}

static bool take_string(struct cdp_span span, char **ret, size_t *ret_bytes)
{
    size_t bytes = message_unescape(span.at, span.bytes);
    char *text = bytes != SIZE_MAX ? malloc(bytes + 1) : NULL;

    if (text == NULL)
        return false;
    memcpy(text, span.at, bytes);
    text[bytes] = '\0';
    free(*ret);
    *ret = text;
    *ret_bytes = bytes;
    return true;
}

/* What stays of it must be sent, so it is an object, and not larger than a document. */
static enum render_code take_value(struct page *page, const struct call_reply *reply)
{
    struct render_result *result = page->render.result;
    struct cdp_span object, value;
    size_t bytes;

    if (!message_member(reply->message->body, "result", &object) ||
        !message_member(object, "value", &value) || span_is(value, "null"))
        return RENDER_OUTPUT_TOO_LARGE;
    if (!take_string(value, &result->value, &bytes))
        return RENDER_INTERNAL;
    if (bytes > page->life->cdp->config->render.output_bytes_max)
        return RENDER_OUTPUT_TOO_LARGE;
    return RENDER_OK;
}

static void on_value(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct render_fact fact = {.type = RENDER_FACT_CAPTURED, .loader = tag};

    if (tag != page->render.loader)
        return;
    if (has_thrown(page, reply))
        fact.code = RENDER_SCRIPT_FAILED;
    else if (reply->end == CALL_REPLIED)
        fact.code = take_value(page, reply);
    fact.ok = reply->end == CALL_REPLIED && fact.code == RENDER_OK;
    page_render_step(page, now_ms, &fact);
}

/* Text of the value, without what JSON cannot carry; null when it is too long. */
static const char value_script[] =
    "if(o===null||typeof o!=='object'||Array.isArray(o))"
    "throw new TypeError('the result of the recipe is no object');"
    "const s=JSON.stringify(o,(k,v)=>typeof v==='string'?v.toWellFormed().replaceAll('\\0',''):v);"
    "return s.length>";

void page_value(struct page *page, uint64_t now_ms)
{
    const struct recipe *recipe = page->render.params->recipe;
    char max[32];
    (void)snprintf(max, sizeof max, "%llu",
                   (unsigned long long)page->life->cdp->config->render.output_bytes_max);
    const char *const parts[] = {
        "const o=await f((\n", recipe->result, "\n));", value_script, max, "?null:s"};
    char *body = joined(parts, sizeof parts / sizeof parts[0]);

    evaluate(page, now_ms, wrapped(page, "(async r=>{", call_script, body != NULL ? body : ""),
             on_value);
    free(body);
}
