/* test_output.c: what is made of a page, as a client gets it. That each parameter has its
 * effect in the browser is shown by test_cdp_output.c and test_cdp_pdf.c; here it is in the
 * bytes of the answer, with its type and length, or as a problem that names what is wrong. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base64.h"
#include "tests/system/image.h"
#include "tests/system/stage.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const small_pool[] = {"--pool.pages_min=1", "--pool.pages_max=1", NULL};

/* Renders `url` with further members of the body: "\"output\":\"png\"". */
static void ask(const struct stage *stage, const char *url, const char *members,
                struct client_reply *ret)
{
    char body[1024];
    int length = snprintf(body, sizeof body, "{\"url\":\"%s\",%s}", url, members);
    ck_assert_int_lt(length, (int)sizeof body);
    const struct client_request request = {.path = "/render", .body = body};
    client_perform(stage->harness->address, &request, ret);
}

/* One output, complete, as what it is: type and length say so. */
static void expect_itself(const struct client_reply *reply, const char *members, const char *type)
{
    char length[32];
    demand(reply->status == 200, "%s: status %ld: %s%.400s", members, reply->status, reply->error,
           reply->body);
    snprintf(length, sizeof length, "%zu", reply->body_bytes);
    expect_header(reply, "Content-Type", type);
    expect_header(reply, "Content-Length", length);
    expect_header(reply, "X-Prerenderd-Outcome", "complete");
    demand(client_header(reply, "Content-Encoding") == NULL, "%s is packed", members);
}

START_TEST(images)
{
    static const struct {
        const char *members, *type;
        uint32_t width, height;
        bool has_alpha;
    } rows[] = {
        {"\"output\":\"png\"", "image/png", 1280, 800, false},
        {"\"output\":[\"jpeg\"]", "image/jpeg", 1280, 800, false},
        {"\"output\":\"webp\"", "image/webp", 1280, 800, false},
        {"\"output\":\"png\",\"screenshot\":{\"fullPage\":true}", "image/png", 1280, 2100, false},
        {"\"output\":\"jpeg\",\"screenshot\":{\"fullPage\":true,\"quality\":30}", "image/jpeg",
         1280, 2100, false},
        {"\"output\":\"png\",\"screenshot\":{\"clip\":{\"x\":10,\"y\":1000,\"width\":300,"
         "\"height\":150}}",
         "image/png", 300, 150, false},
        {"\"output\":\"jpeg\",\"screenshot\":{\"clip\":{\"x\":0,\"y\":0,\"width\":33,"
         "\"height\":44}}",
         "image/jpeg", 33, 44, false},
        {"\"output\":\"png\",\"screenshot\":{\"selector\":\"#box\"}", "image/png", 120, 50, false},
        {"\"output\":\"webp\",\"screenshot\":{\"selector\":\"#box\",\"quality\":100}", "image/webp",
         120, 50, false},
        {"\"output\":\"png\",\"screenshot\":{\"omitBackground\":true}", "image/png", 1280, 800,
         true},
        {"\"output\":\"webp\",\"screenshot\":{\"omitBackground\":true}", "image/webp", 1280, 800,
         true},
        {"\"output\":\"png\",\"page\":{\"viewport\":{\"width\":400,\"height\":300,"
         "\"deviceScaleFactor\":2}}",
         "image/png", 800, 600, false},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    struct image image;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&stage, origin_url(stage.origin, "/prints"), rows[i].members, &reply);
        expect_itself(&reply, rows[i].members, rows[i].type);
        demand(image_read(reply.body, reply.body_bytes, &image), "%s: no image", rows[i].members);
        ck_assert_str_eq(image.type, rows[i].type);
        demand(image.width == rows[i].width && image.height == rows[i].height, "%s: %u x %u",
               rows[i].members, image.width, image.height);
        demand(image.has_alpha == rows[i].has_alpha, "%s: alpha is %d", rows[i].members,
               image.has_alpha);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

static size_t count_of(const struct client_reply *reply, const char *text)
{
    const char *at = reply->body, *end = reply->body + reply->body_bytes;
    size_t count = 0;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
        at += strlen(text);
        count++;
    }
    return count;
}

START_TEST(papers)
{
    static const struct {
        const char *members, *box;
        size_t sheets;
    } rows[] = {
        {"\"output\":\"pdf\"", "/MediaBox [0 0 612 792]", 3},
        {"\"output\":\"pdf\",\"pdf\":{\"pageRanges\":\"2\"}", "/MediaBox [0 0 612 792]", 1},
        {"\"output\":\"pdf\",\"pdf\":{\"pageRanges\":\"1, 3\"}", "/MediaBox [0 0 612 792]", 2},
        {"\"output\":\"pdf\",\"pdf\":{\"landscape\":true}", "/MediaBox [0 0 792 612]", 3},
        {"\"output\":\"pdf\",\"pdf\":{\"paperWidth\":10,\"paperHeight\":20.5}",
         "/MediaBox [0 0 720 1476]", 3},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&stage, origin_url(stage.origin, "/prints"), rows[i].members, &reply);
        expect_itself(&reply, rows[i].members, "application/pdf");
        demand(strncmp(reply.body, "%PDF-1.", 7) == 0, "%s: no PDF", rows[i].members);
        demand(memmem(reply.body + reply.body_bytes - 8, 8, "%%EOF", 5) != NULL, "%s: no end",
               rows[i].members);
        demand(count_of(&reply, "/Type /Page\n") == rows[i].sheets &&
                   count_of(&reply, rows[i].box) == rows[i].sheets,
               "%s: %zu sheets, %zu of them %s", rows[i].members, count_of(&reply, "/Type /Page\n"),
               count_of(&reply, rows[i].box), rows[i].box);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* %s is where the origin serves. */
START_TEST(texts_and_values)
{
    static const struct {
        const char *members, *type, *want, *absent;
    } rows[] = {
        {"\"output\":\"text\"", "text/plain; charset=utf-8", "second sheet\n", "not seen"},
        {"\"output\":\"links\"", "application/json",
         "[{\"href\":\"%s/next?a=b#c\",\"text\":\"onward\"}]", "sheet"},
        {"\"output\":\"mhtml\"", "multipart/related", "second sheet", NULL},
        {"\"output\":\"mhtml\"", "multipart/related", "Snapshot-Content-Location: %s/prints\r\n",
         NULL},
        {"\"output\":\"mhtml\"", "multipart/related", "MIME-Version: 1.0\r\n", NULL},
        {"\"output\":\"expression\",\"expression\":\"({n:[1,null,true],"
         "t:document.querySelector('section+section').textContent})\"",
         "application/json", "{\"n\":[1,null,true],\"t\":\"second sheet\"}", NULL},
        {"\"output\":\"expression\",\"expression\":\"Promise.resolve('\xc3\xbc')\"",
         "application/json", "\"\xc3\xbc\"", NULL},
        {"\"output\":\"html\"", "text/html; charset=utf-8", "<i hidden=\"\">not seen</i>", NULL},
        {"\"document\":{\"removeSelectors\":[\"i\"]}", "text/html; charset=utf-8",
         "<section>second sheet</section>", "not seen"},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    char origin[64], want[256];
    snprintf(origin, sizeof origin, "%s", origin_url(stage.origin, "/"));
    *strrchr(origin, '/') = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *hole = strstr(rows[i].want, "%s");
        size_t before = hole != NULL ? (size_t)(hole - rows[i].want) : 0;
        snprintf(want, sizeof want, "%.*s%s%s", (int)before, rows[i].want,
                 hole != NULL ? origin : "", rows[i].want + (hole != NULL ? before + 2 : 0));
        ask(&stage, origin_url(stage.origin, "/prints"), rows[i].members, &reply);
        expect_itself(&reply, rows[i].members, rows[i].type);
        expect_reply(&reply, 200, want);
        if (strcmp(rows[i].type, "application/json") == 0)
            ck_assert_str_eq(reply.body, want);
        if (rows[i].absent != NULL)
            expect_absent(&reply, rows[i].absent);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

/* What a member of `outputs` has packed, which the caller frees. */
static char *unpacked(const json_t *outputs, const char *name, size_t *ret_bytes)
{
    const char *text = json_string_value(json_object_get(outputs, name));
    demand(text != NULL, "%s is no string", name);
    char *bytes = strdup(text);
    demand(base64_decode(bytes, strlen(bytes), ret_bytes), "%s is no base64", name);
    return bytes;
}

static void check_packed(const json_t *outputs)
{
    static const char *const names[] = {"png", "jpeg", "webp"};
    struct image image;
    size_t count;
    char *bytes;
    for (size_t i = 0; i < COUNT(names); i++) {
        bytes = unpacked(outputs, names[i], &count);
        demand(image_read(bytes, count, &image), "%s is no image", names[i]);
        ck_assert_str_eq(strchr(image.type, '/') + 1, names[i]);
        ck_assert_uint_eq(image.width, 200);
        ck_assert_uint_eq(image.height, 100);
        free(bytes);
    }
    bytes = unpacked(outputs, "pdf", &count);
    ck_assert_mem_eq(bytes, "%PDF-", 5);
    ck_assert_ptr_nonnull(memmem(bytes + count - 8, 8, "%%EOF", 5));
    free(bytes);
}

/* All that there is, of one document: the page writes another number at every visit, and the
 * origin was asked once. */
START_TEST(all_of_one_visit)
{
    static const char *const texts[] = {"html", "text", "mhtml"};
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    ask(&stage, origin_url(stage.origin, "/prints?all"),
        "\"output\":[\"html\",\"text\",\"links\",\"png\",\"jpeg\",\"webp\",\"pdf\",\"mhtml\","
        "\"expression\"],\"screenshot\":{\"clip\":{\"x\":0,\"y\":0,\"width\":200,\"height\":100}},"
        "\"expression\":\"document.getElementById('visit').textContent\"",
        &reply);
    expect_itself(&reply, "all outputs", "application/json");
    json_t *tree = client_json(&reply);
    const json_t *outputs = json_object_get(tree, "outputs");
    ck_assert_uint_eq(json_object_size(outputs), 9);
    check_packed(outputs);
    const char *visit = json_string_value(json_object_get(outputs, "expression"));
    demand(visit != NULL && strncmp(visit, "visit", 5) == 0, "the expression is %s", visit);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = json_string_value(json_object_get(outputs, texts[i]));
        demand(text != NULL && strstr(text, visit) != NULL,
               "%s is of another visit than %s: %.400s", texts[i], visit, text);
    }
    const json_t *link = json_array_get(json_object_get(outputs, "links"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(link, "text")), "onward");
    ck_assert_uint_eq(origin_count(stage.origin, "/prints?all"), 1);
    json_decref(tree);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* An expression without an end: what else was asked for is there, and null in its place. */
START_TEST(partial_without_the_value)
{
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    ask(&stage, origin_url(stage.origin, "/prints"),
        "\"output\":[\"html\",\"png\",\"expression\"],\"expression\":\"new Promise(()=>{})\","
        "\"timeoutMs\":3000",
        &reply);
    expect_reply(&reply, 200, "third sheet");
    expect_header(&reply, "X-Prerenderd-Outcome", "partial");
    json_t *tree = client_json(&reply);
    const json_t *outputs = json_object_get(tree, "outputs");
    ck_assert(json_is_null(json_object_get(outputs, "expression")));
    ck_assert(json_is_string(json_object_get(outputs, "html")));
    json_decref(tree);
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* The GET form, and HEAD with the head of its answer. */
START_TEST(head_of_outputs)
{
    static const struct {
        const char *query, *type;
    } rows[] = {
        {"output=text", "text/plain; charset=utf-8"},
        {"output=links", "application/json"},
        {"output=png&screenshot.clip.x=400&screenshot.clip.y=0&screenshot.clip.width=60"
         "&screenshot.clip.height=70",
         "image/png"},
        {"output=expression&expression=document.title", "application/json"},
    };
    struct stage stage = stage_open(small_pool);
    const char *address = stage.harness->address;
    struct client_reply get, head;
    char path[512];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(path, sizeof path, "/render?url=%s&%s",
                 origin_url(stage.origin, "/static%%3Fn=head"), rows[i].query);
        client_perform(address, &(struct client_request){.path = path}, &get);
        expect_itself(&get, rows[i].query, rows[i].type);
        ck_assert_uint_gt(get.body_bytes, 0);
        client_perform(address, &(struct client_request){.method = "HEAD", .path = path}, &head);
        demand(head.status == 200 && head.body_bytes == 0, "%s: status %ld, %zu bytes",
               rows[i].query, head.status, head.body_bytes);
        expect_header(&head, "Content-Type", rows[i].type);
        expect_header(&head, "Content-Length", client_header(&get, "Content-Length"));
        client_reply_free(&get);
        client_reply_free(&head);
    }
    stage_close(&stage);
}
END_TEST

/* Accept chooses between an output and the envelope, and may leave out both. */
START_TEST(accepted_forms)
{
    static const struct {
        const char *accept, *output, *type; /* NULL: 406. */
    } rows[] = {
        {"Accept: image/*", "\"png\"", "image/png"},
        {"Accept: application/pdf, */*;q=0.1", "\"pdf\"", "application/pdf"},
        {"Accept: application/json", "\"png\"", "application/json"},
        {"Accept: application/json;q=0.5, text/plain", "[\"text\"]", "text/plain; charset=utf-8"},
        {"Accept: image/webp", "\"png\"", NULL},
        {"Accept: text/html", "\"pdf\"", NULL},
        {"Accept: text/html", "[\"html\",\"text\"]", NULL},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    char body[256], target[32];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(target, sizeof target, "/static?n=accept-%zu", i);
        snprintf(body, sizeof body, "{\"url\":\"%s\",\"output\":%s}",
                 origin_url(stage.origin, "%s", target), rows[i].output);
        const struct client_request request = {
            .path = "/render", .body = body, .headers = {rows[i].accept}};
        client_perform(stage.harness->address, &request, &reply);
        if (rows[i].type != NULL)
            expect_itself(&reply, rows[i].accept, rows[i].type);
        else
            expect_problem(&reply, 406, "not_acceptable", "application/json");
        ck_assert_uint_eq(origin_count(stage.origin, target), rows[i].type != NULL);
        client_reply_free(&reply);
    }
    stage_close(&stage);
}
END_TEST

static void expect_param(const struct client_reply *reply, const char *param)
{
    json_t *problem = client_json(reply);
    const char *found = json_string_value(json_object_get(problem, "param"));
    demand(found != NULL && strcmp(found, param) == 0, "\"%s\" is not what is named: %s", param,
           reply->body);
    json_decref(problem);
}

/* Of this page it cannot be made; the next one is served by the same browser page. */
START_TEST(outputs_that_cannot_be_made)
{
    static const struct {
        const char *members, *param, *detail;
    } rows[] = {
        {"\"output\":\"png\",\"screenshot\":{\"selector\":\"#none\"}", "screenshot.selector",
         "matches nothing"},
        {"\"output\":\"webp\",\"screenshot\":{\"selector\":\"p[\"}", "screenshot.selector",
         "no valid CSS selector"},
        {"\"output\":[\"html\",\"jpeg\"],\"screenshot\":{\"selector\":\"i\"}",
         "screenshot.selector", "not shown"},
        {"\"output\":\"expression\",\"expression\":\"nothing.here\"", "expression",
         "ReferenceError"},
        {"\"output\":[\"text\",\"expression\"],\"expression\":\"throw 'no price'\"", "expression",
         "The expression threw: no price"},
        {"\"output\":\"expression\",\"expression\":\"'x'.repeat(2e6)\"", "expression",
         "more than 1 MiB"},
        {"\"output\":\"pdf\",\"pdf\":{\"pageRanges\":\"7-9\"}", "pdf.pageRanges", "age range"},
        {"\"output\":[\"html\",\"pdf\"],\"pdf\":{\"pageRanges\":\"3-1\"}", "pdf.pageRanges",
         "age range"},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&stage, origin_url(stage.origin, "/prints"), rows[i].members, &reply);
        expect_problem(&reply, 422, "output_failed", rows[i].detail);
        expect_param(&reply, rows[i].param);
        client_reply_free(&reply);
    }
    ask(&stage, origin_url(stage.origin, "/static?n=next"), "\"output\":\"text\"", &reply);
    expect_reply(&reply, 200, "page next");
    client_reply_free(&reply);
    stage_close(&stage);
}
END_TEST

/* What cannot be meant is refused before any page is asked for. */
START_TEST(combinations_that_are_refused)
{
    static const struct {
        const char *members, *code, *param, *detail;
    } rows[] = {
        {"\"output\":[]", "invalid_param", "output", "html"},
        {"\"output\":\"gif\"", "invalid_param", "output", "webp"},
        {"\"output\":[\"html\",7]", "invalid_param", "output", "mhtml"},
        {"\"output\":\"expression\"", "invalid_param", "expression", "no \"expression\""},
        {"\"expression\":\"1\"", "invalid_param", "output", "add expression"},
        {"\"screenshot\":{\"fullPage\":true}", "invalid_param", "screenshot.fullPage",
         "none of png, jpeg and webp"},
        {"\"output\":\"pdf\",\"screenshot\":{\"selector\":\"p\"}", "invalid_param",
         "screenshot.selector", "none of png, jpeg and webp"},
        {"\"output\":\"png\",\"screenshot\":{\"clip\":{\"x\":0,\"y\":0,\"width\":9}}",
         "invalid_param", "screenshot.clip.height", "needs x, y, width and height"},
        {"\"output\":\"png\",\"screenshot\":{\"clip\":{\"x\":0,\"y\":0,\"width\":0,"
         "\"height\":9}}",
         "invalid_param", "screenshot.clip.width", "more than 0"},
        {"\"output\":\"png\",\"screenshot\":{\"clip\":[0,0,9,9]}", "invalid_param",
         "screenshot.clip", "object"},
        {"\"output\":\"png\",\"screenshot\":{\"fullPage\":true,\"selector\":\"p\"}",
         "invalid_param", "screenshot.fullPage", "leave the others out"},
        {"\"output\":\"png\",\"screenshot\":{\"selector\":\"p\",\"clip\":{\"x\":0,\"y\":0,"
         "\"width\":9,\"height\":9}}",
         "invalid_param", "screenshot.selector", "leave the others out"},
        {"\"output\":\"png\",\"screenshot\":{\"quality\":50}", "invalid_param",
         "screenshot.quality", "jpeg and webp"},
        {"\"output\":\"jpeg\",\"screenshot\":{\"quality\":101}", "invalid_param",
         "screenshot.quality", "100"},
        {"\"output\":\"jpeg\",\"screenshot\":{\"omitBackground\":true}", "invalid_param",
         "screenshot.omitBackground", "png or webp"},
        {"\"output\":\"png\",\"screenshot\":{\"fullpage\":true}", "unknown_param",
         "screenshot.fullpage", "screenshot.fullPage"},
        {"\"pdf\":{\"landscape\":true}", "invalid_param", "pdf.landscape", "no pdf"},
        {"\"output\":\"pdf\",\"pdf\":{\"scale\":2.5}", "invalid_param", "pdf.scale", "2"},
        {"\"output\":\"pdf\",\"pdf\":{\"landscpe\":true}", "unknown_param", "pdf.landscpe",
         "pdf.landscape"},
        {"\"document\":{\"shadowDom\":\"open\"}", "invalid_param", "document.shadowDom",
         "declarative"},
        {"\"document\":{\"charset\":\"latin1\"}", "invalid_param", "document.charset", "ascii"},
    };
    struct stage stage = stage_open(small_pool);
    struct client_reply reply;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&stage, origin_url(stage.origin, "/prints?refused"), rows[i].members, &reply);
        expect_problem(&reply, 400, rows[i].code, rows[i].detail);
        expect_param(&reply, rows[i].param);
        client_reply_free(&reply);
    }
    ck_assert_uint_eq(origin_count(stage.origin, "/prints?refused"), 0);
    stage_close(&stage);
}
END_TEST

/* Nobody knows the size of an archive before it is there: one that is over the limit of a
 * message is refused as it comes, and neither browser nor daemon are the worse for it. */
START_TEST(archive_over_the_limit)
{
    static const char *const knobs[] = {"--pool.pages_min=1", "--pool.pages_max=1",
                                        "--render.output_bytes_max=65536", NULL};
    static char body[] =
        "{\"html\":\"<p>one<iframe></iframe><script>"
        "frames[0].document.body.title='y'.repeat(3e6)</script>\",\"output\":\"mhtml\"}";
    struct pool_view before, after;
    struct client_reply reply;
    struct stage stage = stage_open(knobs);
    harness_view(stage.harness, &before);
    const struct client_request request = {.path = "/render", .body = body};
    client_perform(stage.harness->address, &request, &reply);
    expect_problem(&reply, 502, "output_too_large", "");
    client_reply_free(&reply);
    ask(&stage, origin_url(stage.origin, "/static?n=next"), "\"output\":\"mhtml\"", &reply);
    expect_reply(&reply, 200, "page next");
    client_reply_free(&reply);
    harness_view(stage.harness, &after);
    ck_assert_int_eq(before.browser, after.browser);
    stage_close(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    suite_add(suite, images, 120);
    suite_add(suite, papers, 120);
    suite_add(suite, texts_and_values, 120);
    suite_add(suite, all_of_one_visit, 120);
    suite_add(suite, partial_without_the_value, 120);
    suite_add(suite, head_of_outputs, 120);
    suite_add(suite, accepted_forms, 120);
    suite_add(suite, outputs_that_cannot_be_made, 120);
    suite_add(suite, combinations_that_are_refused, 120);
    suite_add(suite, archive_over_the_limit, 120);
    return suite_run(suite, SUITE_FORKS);
}
