/* standin.c: the commands of the stand-in browser; see standin.h. */
#include "tests/system/standin.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/system/harness.h"
#include "tests/system/peer.h"
#include "tests/system/standin_state.h"

void standin_say(struct browser_of *browser, const char *session, const char *method,
                 json_t *params)
{
    json_t *event = json_pack("{s:s, s:o}", "method", method, "params", params);
    if (session != NULL) {
        json_object_set_new(event, "sessionId", json_string(session));
    }
    char *text = json_dumps(event, JSON_COMPACT);
    peer_send(browser->fd, text);
    free(text);
    json_decref(event);
}

void standin_answer(const struct command *command, json_t *result)
{
    json_t *reply = json_pack("{s:O, s:o}", "id", command->id, "result", result);
    if (command->session != NULL) {
        json_object_set_new(reply, "sessionId", json_string(command->session));
    }
    char *text = json_dumps(reply, JSON_COMPACT);
    peer_send(command->browser->fd, text);
    free(text);
    json_decref(reply);
}

const char *standin_text(const struct command *command, const char *name)
{
    const char *text = json_string_value(json_object_get(command->params, name));
    demand(text != NULL, "%s without %s", command->method, name);
    return text;
}

struct page_of *standin_page(const struct command *command)
{
    for (size_t i = 0; command->session != NULL && i < PAGES_MAX; i++) {
        struct page_of *page = &command->browser->pages[i];
        if (page->exists && strcmp(page->session, command->session) == 0) {
            return page;
        }
    }
    demand(false, "%s for a session that does not exist", command->method);
    return NULL;
}

static json_t *target_info(const struct page_of *page)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "targetId", page->target, "type", "page",
                     "title", "", "url", page->url, "attached", 1, "browserContextId",
                     page->context);
}

static void on_version(const struct command *command)
{
    standin_answer(command, json_pack("{s:s}", "product", "Standin/1.0"));
}

static void on_context(const struct command *command)
{
    struct browser_of *browser = command->browser;
    for (size_t i = 0; i < CONTEXTS_MAX; i++) {
        struct context_of *context = &browser->contexts[i];
        if (!context->exists) {
            *context = (struct context_of){.exists = true};
            snprintf(context->id, ID_BYTES, "C%031u", ++browser->numbers);
            standin_count(browser);
            standin_answer(command, json_pack("{s:s}", "browserContextId", context->id));
            return;
        }
    }
    demand(false, "the stand-in has no room for another context");
}

static void on_target(const struct command *command)
{
    struct browser_of *browser = command->browser;
    const char *context = standin_text(command, "browserContextId");
    demand(standin_context(browser, context) != NULL, "a page in a context that does not exist");
    for (size_t i = 0; i < PAGES_MAX; i++) {
        struct page_of *page = &browser->pages[i];
        if (page->exists) {
            continue;
        }
        *page = (struct page_of){.exists = true};
        unsigned number = ++browser->numbers;
        snprintf(page->target, ID_BYTES, "T%031u", number);
        snprintf(page->session, ID_BYTES, "S%031u", number);
        snprintf(page->context, ID_BYTES, "%s", context);
        snprintf(page->url, sizeof(page->url), "about:blank");
        standin_count(browser);
        if (browser->is_discovering) {
            standin_say(browser, NULL, "Target.targetCreated",
                        json_pack("{s:o}", "targetInfo", target_info(page)));
        }
        standin_answer(command, json_pack("{s:s}", "targetId", page->target));
        return;
    }
    demand(false, "the stand-in has no room for another page");
}

static struct page_of *page_of_target(const struct command *command)
{
    const char *target = standin_text(command, "targetId");
    for (size_t i = 0; i < PAGES_MAX; i++) {
        struct page_of *page = &command->browser->pages[i];
        if (page->exists && strcmp(page->target, target) == 0) {
            return page;
        }
    }
    return NULL;
}

static void on_info(const struct command *command)
{
    const struct page_of *page = page_of_target(command);
    demand(page != NULL, "%s of no page", command->method);
    standin_answer(command, json_pack("{s:o}", "targetInfo", target_info(page)));
}

static void on_attach(const struct command *command)
{
    const struct page_of *page = page_of_target(command);
    demand(page != NULL, "%s of no page", command->method);
    standin_say(
        command->browser, NULL, "Target.attachedToTarget",
        json_pack("{s:s, s:o}", "sessionId", page->session, "targetInfo", target_info(page)));
    standin_answer(command, json_pack("{s:s}", "sessionId", page->session));
}

static void on_discover(const struct command *command)
{
    command->browser->is_discovering = true;
    standin_answer(command, json_object());
}

static void on_cookies(const struct command *command)
{
    const struct context_of *context =
        standin_context(command->browser, standin_text(command, "browserContextId"));
    demand(context != NULL, "cookies of no context");
    standin_answer(command, context->has_cookie ? json_pack("{s:[{s:s}]}", "cookies", "name", "x")
                                                : json_pack("{s:[]}", "cookies"));
}

static void on_set_cookies(const struct command *command)
{
    struct context_of *context =
        standin_context(command->browser, standin_text(command, "browserContextId"));
    demand(context != NULL, "cookies of no context");
    context->has_cookie = true;
    standin_answer(command, json_object());
}

static void page_ends(struct browser_of *browser, struct page_of *page)
{
    standin_say(browser, NULL, "Target.detachedFromTarget",
                json_pack("{s:s, s:s}", "sessionId", page->session, "targetId", page->target));
    standin_say(browser, NULL, "Target.targetDestroyed",
                json_pack("{s:s}", "targetId", page->target));
    page->exists = false;
}

static void on_close(const struct command *command)
{
    struct page_of *page = page_of_target(command);
    if (page != NULL && (page->is_left_out || standin_leaves_out_close(command->browser))) {
        page->is_left_out = true;
        return;
    }
    standin_answer(command, json_pack("{s:b}", "success", 1));
    if (page != NULL) {
        page_ends(command->browser, page);
    }
}

static void on_dispose(const struct command *command)
{
    struct browser_of *browser = command->browser;
    struct context_of *context =
        standin_context(browser, standin_text(command, "browserContextId"));
    demand(context != NULL, "a context is disposed of that does not exist");
    if (standin_leaves_out_disposal(browser, context)) {
        return;
    }
    for (size_t i = 0; i < PAGES_MAX; i++) {
        struct page_of *page = &browser->pages[i];
        if (page->exists && strcmp(page->context, context->id) == 0) {
            page_ends(browser, page);
        }
    }
    context->exists = false;
    standin_answer(command, json_object());
}

/* Chromium does not answer this one. */
static void on_crash(const struct command *command)
{
    struct page_of *page = standin_page(command);
    standin_note_crash(command->browser, standin_context(command->browser, page->context));
    standin_say(command->browser, page->session, "Inspector.targetCrashed", json_object());
    standin_say(command->browser, NULL, "Target.targetCrashed",
                json_pack("{s:s, s:s, s:i}", "targetId", page->target, "status", "crashed",
                          "errorCode", 5));
}

static const struct {
    const char *method;
    void (*handle)(const struct command *);
} handlers[] = {
    {"Browser.getVersion", on_version},
    {"Target.createBrowserContext", on_context},
    {"Target.createTarget", on_target},
    {"Target.getTargetInfo", on_info},
    {"Target.attachToTarget", on_attach},
    {"Target.setDiscoverTargets", on_discover},
    {"Storage.getCookies", on_cookies},
    {"Storage.setCookies", on_set_cookies},
    {"Target.closeTarget", on_close},
    {"Target.disposeBrowserContext", on_dispose},
    {"Page.crash", on_crash},
    {"Page.navigate", standin_navigate},
    {"Page.setDocumentContent", standin_set_content},
    {"Page.createIsolatedWorld", standin_world},
    {"Runtime.evaluate", standin_evaluate},
    {"Runtime.callFunctionOn", standin_call},
    {"DOM.getDocument", standin_document},
    {"DOM.getOuterHTML", standin_outer_html},
    {"Performance.getMetrics", standin_metrics},
};

void standin_handle(struct browser_of *browser, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    demand(tree != NULL, "no JSON: %.200s", text);
    const struct command command = {
        .browser = browser,
        .id = json_object_get(tree, "id"),
        .method = json_string_value(json_object_get(tree, "method")),
        .session = json_string_value(json_object_get(tree, "sessionId")),
        .params = json_object_get(tree, "params"),
    };
    demand(command.id != NULL && command.method != NULL, "no command: %.200s", text);
    bool is_handled = false;
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]) && !is_handled; i++) {
        is_handled = strcmp(handlers[i].method, command.method) == 0;
        if (is_handled) {
            handlers[i].handle(&command);
        }
    }
    if (!is_handled) {
        standin_answer(&command, json_object());
    }
    json_decref(tree);
}
