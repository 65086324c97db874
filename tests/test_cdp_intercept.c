/* test_cdp_intercept.c: what a render asks of its requests, against a real browser: headers
 * and credentials reach their scope and no further, the main document is asked for with
 * method and body, requests are blocked and rewritten; and the next render on the same page
 * is as if nothing had been asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

#define TEXT(literal) (char *)(uintptr_t)(literal)

static struct param_pair secret[] = {{TEXT("X-Secret"), TEXT("s3")}, {TEXT("accept"), TEXT("*/*")}};

static void set_headers(struct render_params *params, enum headers_scope scope)
{
    params->page.headers = (struct param_records){secret, 2};
    params->page.headers_scope = scope;
}

static void scope_document(struct render_params *params)
{
    set_headers(params, HEADERS_DOCUMENT);
}

static void scope_origin(struct render_params *params)
{
    set_headers(params, HEADERS_ORIGIN);
}

static void scope_all(struct render_params *params)
{
    set_headers(params, HEADERS_ALL);
}

static void with_credentials(struct render_params *params)
{
    params->page.username = TEXT("Aladdin");
    params->page.password = TEXT("open sesame");
}

/* `%` stands for the origin under the name localhost, which is another origin. */
static const struct {
    void (*tune)(struct render_params *);
    const char *path, *shows;
} scopes[] = {
    {NULL, "/heard", "GET||none|none|none|"},
    {scope_document, "/heard", "GET||none|s3|none|"},
    {scope_document, "/to?/heard", "GET||none|s3|none|"},
    {scope_document, "/to?%/heard", "GET||none|none|none|"},
    {scope_document, "/asks?/heard", "GET||none|none|none|"},
    {scope_origin, "/heard", "GET||none|s3|none|"},
    {scope_origin, "/asks?/heard", "GET||none|s3|none|"},
    {scope_origin, "/asks?%/heard", "GET||none|none|none|"},
    {scope_origin, "/asks?/to?%/heard", "GET||none|none|none|"},
    {scope_origin, "/to?%/heard", "GET||none|none|none|"},
    {scope_origin, "/to?%/asks?/heard", "GET||none|none|none|"},
    {scope_all, "/asks?/heard", "GET||none|s3|none|"},
    {scope_all, "/asks?%/heard", "GET||none|s3|none|"},
    {scope_all, "/to?%/heard", "GET||none|s3|none|"},
    {with_credentials, "/heard", "GET||none|none|Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|"},
    {with_credentials, "/asks?/heard", "GET||none|none|Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|"},
    {with_credentials, "/asks?%/heard", "GET||none|none|none|"},
    {with_credentials, "/to?%/heard", "GET||none|none|none|"},
};

/* The path with the other origin filled in. */
static const char *full_path(const char *path, char ret[128])
{
    const char *mark = strchr(path, '%');

    if (mark == NULL)
        return path;
    (void)snprintf(ret, 128, "%.*shttp://localhost:%u%s", (int)(mark - path), path,
                   cdp_origin_port(stage.origin), mark + 1);
    return ret;
}

START_TEST(headers_keep_to_their_scope)
{
    uint64_t page = open_page();
    char path[128];
    struct answer answer =
        RENDER(page, .path = full_path(scopes[_i].path, path), .tune = scopes[_i].tune);

    check_complete(&answer);
    ck_shows(answer, scopes[_i].shows);
    done(&answer);
    answer = RENDER(page, .path = "/asks?/heard");
    check_complete(&answer);
    ck_shows(answer, "GET||none|none|none|");
    done(&answer);
    close_page(page);
}
END_TEST

/* The spelling of the URL does not matter. */
START_TEST(origin_is_that_of_the_browser)
{
    uint64_t page = open_page();
    char url[64];

    (void)snprintf(url, sizeof url, "HTTP://LocalHost:0%u/heard", cdp_origin_port(stage.origin));
    struct answer answer = RENDER(page, .path = url, .tune = scope_origin);
    check_complete(&answer);
    ck_shows(answer, "|s3|");
    done(&answer);
    close_page(page);
}
END_TEST

static void post(struct render_params *params)
{
    params->method = METHOD_POST;
    params->body = TEXT("a=1&b=2");
    params->body_bytes = strlen(params->body);
}

static void put_json(struct render_params *params)
{
    params->method = METHOD_PUT;
    params->body = TEXT("{}");
    params->body_bytes = 2;
    params->content_type = TEXT("application/json");
    set_headers(params, HEADERS_DOCUMENT);
}

static void remove_it(struct render_params *params)
{
    params->method = METHOD_DELETE;
}

#define FORM "application/x-www-form-urlencoded"

static const struct {
    void (*tune)(struct render_params *);
    const char *path, *shows;
} methods[] = {
    {post, "/heard", "POST|a=1&amp;b=2|" FORM "|none|none|"},
    {put_json, "/heard", "PUT|{}|application/json|s3|none|"},
    {remove_it, "/heard", "DELETE||none|none|none|"},
    /* 302 ends in a GET, 307 repeats method and body. */
    {post, "/to?/heard", "GET||none|none|none|"},
    {post, "/again?/heard", "POST|a=1&amp;b=2|" FORM "|none|none|"},
    /* Only the document. */
    {post, "/asks?/heard", "GET||none|none|none|"},
    /* The page shows the same URL already: there is nothing to load but for the method. */
    {post, "/heard#x", "POST|a=1&amp;b=2|" FORM "|none|none|"},
};

START_TEST(document_is_asked_for_with_method_and_body)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/heard");

    done(&answer);
    answer = RENDER(page, .path = methods[_i].path, .tune = methods[_i].tune);
    check_complete(&answer);
    ck_shows(answer, methods[_i].shows);
    done(&answer);
    answer = RENDER(page, .path = "/heard");
    ck_shows(answer, "GET||none|none|none|");
    done(&answer);
    close_page(page);
}
END_TEST

static char *patterns[] = {TEXT("*/api*"), TEXT("*127.0.0.1*/api?n"), TEXT("*/other"),
                           TEXT("*/a?i*"), TEXT("http://127.0.0.1*"), TEXT("*\\api*")};

static void block_url(struct render_params *params, size_t index)
{
    params->network.block_urls = (struct param_strings){&patterns[index], 1};
}

static void block_path(struct render_params *params)
{
    block_url(params, 0);
}

static void block_host(struct render_params *params)
{
    block_url(params, 1);
}

static void block_other(struct render_params *params)
{
    block_url(params, 2);
}

/* A question mark stands for itself, and so does a backslash. */
static void block_letter(struct render_params *params)
{
    block_url(params, 3);
}

static void block_slash(struct render_params *params)
{
    block_url(params, 5);
}

static void block_everything(struct render_params *params)
{
    block_url(params, 4);
}

static void allow_path(struct render_params *params)
{
    params->network.allow_urls = (struct param_strings){&patterns[0], 1};
}

static void allow_other(struct render_params *params)
{
    params->network.allow_urls = (struct param_strings){&patterns[2], 1};
}

static struct param_rewrite rewritten[1];
static char rewrite_to[128];

static void rewrite_path(struct render_params *params)
{
    (void)snprintf(rewrite_to, sizeof rewrite_to, "http://localhost:%u/heard?*",
                   cdp_origin_port(stage.origin));
    rewritten[0] = (struct param_rewrite){TEXT("*/api?*"), rewrite_to};
    params->network.rewrites = (struct param_records){rewritten, 1};
    set_headers(params, HEADERS_ORIGIN);
}

static void rewrite_document(struct render_params *params)
{
    (void)snprintf(rewrite_to, sizeof rewrite_to, "http://127.0.0.1:%u/static",
                   cdp_origin_port(stage.origin));
    rewritten[0] = (struct param_rewrite){TEXT("*/missing"), rewrite_to};
    params->network.rewrites = (struct param_records){rewritten, 1};
}

static const struct {
    void (*tune)(struct render_params *);
    const char *path, *shows;
} urls[] = {
    {block_path, "/asks", ">refused<"},
    {block_host, "/asks", ">refused<"},
    {block_other, "/asks", ">fetched<"},
    {block_letter, "/asks", ">fetched<"},
    {block_slash, "/asks", ">fetched<"},
    {block_everything, "/asks", ">refused<"},
    {allow_path, "/asks", ">fetched<"},
    {allow_other, "/asks", ">refused<"},
    {allow_other, "/static", "hello"},
    /* The header goes by where the request really goes. */
    {rewrite_path, "/asks", "GET||none|none|none|"},
    {rewrite_document, "/missing", "hello"},
};

START_TEST(urls_are_blocked_and_rewritten)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = urls[_i].path, .tune = urls[_i].tune);

    check_complete(&answer);
    ck_shows(answer, urls[_i].shows);
    done(&answer);
    answer = RENDER(page, .path = "/asks");
    check_complete(&answer);
    ck_shows(answer, ">fetched<");
    done(&answer);
    close_page(page);
}
END_TEST

static void rewrite_to_denied(struct render_params *params)
{
    rewritten[0] = (struct param_rewrite){TEXT("*/missing"), rewrite_to};
    (void)snprintf(rewrite_to, sizeof rewrite_to, "http://127.0.0.1:9/");
    params->network.rewrites = (struct param_records){rewritten, 1};
}

START_TEST(no_rewrite_to_a_denied_port)
{
    uint64_t page = open_page();

    cdp_deny_port(stage.cdp, 9);
    struct answer answer = RENDER(page, .path = "/missing", .tune = rewrite_to_denied);
    check_failed(&answer, RENDER_NAVIGATION_FAILED);
    ck_assert_str_eq(answer.result->net_error, "net::ERR_BLOCKED_BY_CLIENT");
    done(&answer);
    close_page(page);
}
END_TEST

static unsigned blocked_types;

static void block_types(struct render_params *params)
{
    params->network.block_types = blocked_types;
}

static const struct {
    unsigned types;
    const char *came;
} types[] = {
    {0, ">ISFYXE<"},
    {1u << RESOURCE_IMAGE, ">SFYXE<"},
    {1u << RESOURCE_SCRIPT, ">IFYXE<"},
    {1u << RESOURCE_FRAME, ">ISYXE<"},
    {1u << RESOURCE_STYLESHEET, ">ISFXE<"},
    {1u << RESOURCE_XHR, ">ISFYE<"},
    {1u << RESOURCE_EVENTSOURCE, ">ISFYX<"},
    {1u << RESOURCE_IMAGE | 1u << RESOURCE_XHR | 1u << RESOURCE_FONT | 1u << RESOURCE_MEDIA,
     ">SFYE<"},
};

START_TEST(types_are_blocked)
{
    uint64_t page = open_page();

    blocked_types = types[_i].types;
    struct answer answer = RENDER(page, .path = "/types", .tune = block_types);
    ck_assert_int_eq(answer.result->code, RENDER_OK);
    ck_shows(answer, types[_i].came);
    done(&answer);
    close_page(page);
}
END_TEST

static void stay(struct render_params *params)
{
    params->network.follow_redirects = false;
}

START_TEST(redirects_are_followed_or_told)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/to?/static", .tune = stay);

    check_complete(&answer);
    ck_assert_int_eq(answer.result->status, 302);
    ck_assert_int_eq(answer.result->origin_status, 302);
    ck_assert(!shows(&answer, "hello"));
    done(&answer);
    answer = RENDER(page, .path = "/static", .tune = stay);
    ck_assert_int_eq(answer.result->status, 200);
    ck_shows(answer, "hello");
    done(&answer);
    answer = RENDER(page, .path = "/status?204", .tune = stay);
    check_failed(&answer, RENDER_NOT_A_DOCUMENT);
    done(&answer);
    answer = RENDER(page, .path = "/to?/static");
    ck_assert_int_eq(answer.result->status, 200);
    ck_shows(answer, "hello");
    done(&answer);
    close_page(page);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *suite = suite_create("cdp intercept");
    TCase *tcase = stage_tcase("intercept");

    tcase_add_loop_test(tcase, headers_keep_to_their_scope, 0, COUNT(scopes));
    tcase_add_test(tcase, origin_is_that_of_the_browser);
    tcase_add_loop_test(tcase, document_is_asked_for_with_method_and_body, 0, COUNT(methods));
    tcase_add_loop_test(tcase, urls_are_blocked_and_rewritten, 0, COUNT(urls));
    tcase_add_test(tcase, no_rewrite_to_a_denied_port);
    tcase_add_loop_test(tcase, types_are_blocked, 0, COUNT(types));
    tcase_add_test(tcase, redirects_are_followed_or_told);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
