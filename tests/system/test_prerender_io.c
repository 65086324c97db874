/* test_prerender_io.c: the knobs of the prerender.io dialect, seen from outside. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/system/stage.h"

/* What path mode answers for a page of the origin. */
static struct client_reply ask(const struct stage *stage, const char *page)
{
    char path[256];
    struct client_reply reply;
    (void)snprintf(path, sizeof path, "/%s", origin_url(stage->origin, "%s", page));
    client_perform(
        stage->harness->address,
        &(struct client_request){.path = path, .headers = {"X-Prerender-Int-Type: Node"}}, &reply);
    return reply;
}

static size_t count(const char *text, const char *word)
{
    size_t found = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        found++;
    return found;
}

/* A crawler must not keep what is partial, whatever the page says of itself. */
START_TEST(partial_answers_are_not_stored)
{
    static const char *const hanging[] = {"--render.timeout_ms=6000",
                                          "--render.stuck_request_ms=60000", NULL};
    struct stage stage = stage_open(hanging);
    struct client_reply reply = ask(&stage, "/hang-cached");
    expect_reply(&reply, 200, "here already");
    expect_header(&reply, "X-Prerenderd-Complete", "0");
    expect_header(&reply, "Cache-Control", "no-store");
    ck_assert_uint_eq(count(reply.head, "Cache-Control:"), 1);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* A partial page with nothing on it is no page to a crawler. */
START_TEST(partial_answers_show_something)
{
    static const char *const hanging[] = {"--render.timeout_ms=6000",
                                          "--render.stuck_request_ms=60000", NULL};
    struct stage stage = stage_open(hanging);
    struct client_reply reply = ask(&stage, "/hang-empty");
    expect_problem(&reply, 504, "render_timeout", "");
    demand(strncmp(client_header(&reply, "X-Prerender-504-Reason"), "render_timeout: ", 16) == 0,
           "no reason");
    expect_header(&reply, "Cache-Control", "no-store");
    client_reply_free(&reply);
    reply = ask(&stage, "/static?n=whole");
    expect_reply(&reply, 200, "page whole");
    expect_header(&reply, "X-Prerender-Mode", "CacheMiss");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(partial_status)
{
    static const char *const knobs[] = {"--render.timeout_ms=6000",
                                        "--render.stuck_request_ms=60000",
                                        "--prerender_io.partial_status=503", NULL};
    struct stage stage = stage_open(knobs);
    struct client_reply reply = ask(&stage, "/hang");
    expect_reply(&reply, 503, "here already");
    expect_header(&reply, "Cache-Control", "no-store");
    client_reply_free(&reply);
    reply = ask(&stage, "/hang-empty");
    expect_reply(&reply, 503, "<div id=\"app\">");
    client_reply_free(&reply);
    reply = ask(&stage, "/static?n=whole");
    expect_reply(&reply, 200, "page whole");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* What /render answers to a script, as JSON that the caller frees. */
static json_t *data_of(const struct stage *stage, const char *script)
{
    struct client_reply reply;
    client_render(stage->harness->address, &reply, "{s:s, s:s}", "url",
                  origin_url(stage->origin, "/static?n=data"), "javascript", script);
    expect_reply(&reply, 200, "page data</p>");
    expect_header(&reply, "Content-Type", "application/json");
    json_t *tree = client_json(&reply);
    client_reply_free(&reply);
    const char *content = json_string_value(json_object_get(tree, "content"));
    demand(json_object_size(tree) == 2 && content != NULL, "no content");
    json_t *data = json_incref(json_object_get(tree, "prerenderData"));
    json_decref(tree);
    return data;
}

/* The parameter `javascript` of /render as prerender.io knows it. */
START_TEST(javascript_changes_the_answer)
{
    static const struct {
        const char *script, *data;
    } rows[] = {
        {"window.prerenderData = {a: [1, \"b\"]}; 7 // no end", "{\"a\": [1, \"b\"]}"},
        {"setTimeout(() => 0); prerenderData = 'x'", "\"x\""},
        {"new Promise(end => setTimeout(() => { window.prerenderData = 3; end(); }, 50))", "3"},
        {"document.title.length", "9"},
        {"var nothing = 1", "null"},
    };
    struct stage stage = stage_open(NULL);
    struct client_reply reply;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *data = data_of(&stage, rows[i].script);
        char *text = json_dumps(data, JSON_ENCODE_ANY);
        ck_assert_str_eq(text, rows[i].data);
        free(text);
        json_decref(data);
    }
    client_render(stage.harness->address, &reply, "{s:s, s:s}", "url",
                  origin_url(stage.origin, "/static?n=data"), "javascript", "throw 'up'");
    expect_problem(&reply, 422, "output_failed", "up");
    client_reply_free(&reply);
    const struct client_request plain = {.path = "/render",
                                         .body = "{\"url\":\"http://a/\",\"javascript\":\"1\"}",
                                         .headers = {"Accept: text/html"}};
    client_perform(stage.harness->address, &plain, &reply);
    expect_problem(&reply, 406, "not_acceptable", "javascript");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

START_TEST(url_decoding)
{
    static const char *const decodings[] = {"raw", "once"};
    for (size_t i = 0; i < 2; i++) {
        char knob[64];
        (void)snprintf(knob, sizeof knob, "--prerender_io.url_decoding=%s", decodings[i]);
        struct stage stage = stage_open((const char *const[]){knob, NULL});
        struct client_reply reply = ask(&stage, "/static%3Fn=decoded");
        expect_header(&reply, "X-Prerenderd-URL-Decoding", decodings[i]);
        expect_header(
            &reply, "X-Prerenderd-Final-URL",
            origin_url(stage.origin, "%s", i == 0 ? "/static%3Fn=decoded" : "/static?n=decoded"));
        client_reply_free(&reply);
        stage_close(&stage);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prerender.io");
    suite_add(suite, partial_answers_are_not_stored, 60);
    suite_add(suite, partial_answers_show_something, 60);
    suite_add(suite, partial_status, 60);
    suite_add(suite, javascript_changes_the_answer, 60);
    suite_add(suite, url_decoding, 60);
    return suite_run(suite, SUITE_FORKS);
}
