/* standin_page.c: what the pages of the stand-in browser show; see standin.h. */
#include <stdio.h>
#include <string.h>
#include "tests/system/harness.h"
#include "tests/system/standin_state.h"

#define DOCTYPE "<!DOCTYPE html>"

static void say_milestone(const struct command *command, const char *method)
{
    standin_say(command->browser, standin_page(command)->session, method,
                json_pack("{s:f}", "timestamp", (double)clock_ns() / 1e9));
}

void standin_navigate(const struct command *command)
{
    struct page_of *page = standin_page(command);
    char loader[ID_BYTES];
    const char *url = standin_text(command, "url");
    if (strstr(url, "/stuck") != NULL) {
        return;
    }
    snprintf(page->url, sizeof(page->url), "%s", url);
    page->content[0] = '\0';
    /* Loaders are told apart by their first 16 digits. */
    snprintf(loader, sizeof(loader), "%016u%016u", ++command->browser->numbers, 0u);
    standin_answer(command, json_pack("{s:s, s:s}", "frameId", page->target, "loaderId", loader));
    standin_say(command->browser, page->session, "Page.frameNavigated",
                json_pack("{s:{s:s, s:s, s:s, s:s}}", "frame", "id", page->target, "loaderId",
                          loader, "url", url, "mimeType", "text/html"));
    say_milestone(command, "Page.domContentEventFired");
    say_milestone(command, "Page.loadEventFired");
    standin_say(command->browser, page->session, "Page.frameStoppedLoading",
                json_pack("{s:s}", "frameId", page->target));
}

void standin_set_content(const struct command *command)
{
    struct page_of *page = standin_page(command);
    const char *html = standin_text(command, "html");
    demand(strncmp(html, DOCTYPE, strlen(DOCTYPE)) == 0, "a document without its type: %s", html);
    snprintf(page->content, sizeof(page->content), "%s", html + strlen(DOCTYPE));
    standin_answer(command, json_object());
}

void standin_world(const struct command *command)
{
    standin_answer(command, json_pack("{s:i}", "executionContextId", 1));
}

void standin_evaluate(const struct command *command)
{
    bool is_document = strcmp(standin_text(command, "expression"), "document") == 0;
    standin_answer(
        command, is_document ? json_pack("{s:{s:s, s:s}}", "result", "type", "object", "objectId",
                                         "document")
                             : json_pack("{s:{s:s, s:i}}", "result", "type", "number", "value", 1));
}

/* The daemon's measure: status, bytes, is it incomplete, URL, title, is it empty, metas. */
void standin_call(const struct command *command)
{
    const struct page_of *page = standin_page(command);
    standin_answer(command, json_pack("{s:{s:s, s:[i, i, b, s, s, b, {}]}}", "result", "type",
                                      "object", "value", 200, 200, 0, page->url, "Standin", 0));
}

void standin_document(const struct command *command)
{
    standin_answer(command, json_pack("{s:{s:i}}", "root", "nodeId", 1));
}

void standin_outer_html(const struct command *command)
{
    const struct page_of *page = standin_page(command);
    char html[sizeof(page->url) + sizeof(page->content) + 128];
    snprintf(html, sizeof(html), DOCTYPE "<html><head></head><body>%s%s</body></html>",
             page->content, page->url);
    standin_answer(command, json_pack("{s:s}", "outerHTML", html));
}

/* No script ever runs here, and the clock is the real one. */
void standin_metrics(const struct command *command)
{
    standin_answer(command,
                   json_pack("{s:[{s:s, s:f}, {s:s, s:f}]}", "metrics", "name", "Timestamp",
                             "value", (double)clock_ns() / 1e9, "name", "Nodes", "value", 10.0));
}
