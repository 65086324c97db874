/* test_cdp_own.c: documents, scripts and styles that come with the request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/diagnostics.h"
#include "tests/cdp_stage.h"

#define TEXT(text) (char *)(uintptr_t)(text)
#define JS(text)                                                                                   \
    {                                                                                              \
        .js = TEXT(text)                                                                           \
    }
#define CSS(text)                                                                                  \
    {                                                                                              \
        .css = TEXT(text)                                                                          \
    }
#define LATE_JS(text)                                                                              \
    {                                                                                              \
        .js = TEXT(text), .when = INJECT_BEFORE_CAPTURE                                            \
    }
#define LATE_CSS(text)                                                                             \
    {                                                                                              \
        .css = TEXT(text), .when = INJECT_BEFORE_CAPTURE                                           \
    }
#define UNTOUCHED ">none rgb(0, 0, 0) undefined<"

static struct answer inject(uint64_t page, const char *path, const struct inject_params *injects,
                            size_t count)
{
    return RENDER(page, .path = path, .injects = injects, .injects_count = count);
}

static void check_injected(const char *path, const struct inject_params *injects, size_t count,
                           const char *text)
{
    uint64_t page = open_page();
    struct answer answer = inject(page, path, injects, count);

    check_complete(&answer);
    ck_shows(answer, text);
    done(&answer);
    answer = RENDER(page, .path = "/styled");
    check_complete(&answer);
    ck_shows(answer, UNTOUCHED);
    done(&answer);
    close_page(page);
}

/* Before the page's own scripts: what it overrides later holds up neither script nor style. */
START_TEST(injected_at_start)
{
    const struct inject_params injects[] = {
        JS("window.early='first'"), CSS("#x { color: rgb(1, 2, 3) }"), JS("early+='-second'")};

    check_injected("/styled", injects, 3, ">first-second rgb(1, 2, 3) undefined<");
}
END_TEST

/* After everything the page does by itself, and in order; the policy of the page forbids
 * styles and scripts, but not these. */
START_TEST(injected_before_capture)
{
    const struct inject_params timers[] = {LATE_JS("x.textContent+=' and more'")};
    const struct inject_params strict[] = {
        LATE_CSS("#x { color: rgb(4, 5, 6) }"),
        LATE_JS("x.textContent=getComputedStyle(x).color; let done = 1")};

    check_injected("/chain", timers, 1, ">slow done and more<");
    check_injected("/strict", strict, 2, ">rgb(4, 5, 6)");
}
END_TEST

/* Errors do not end the render; those beside them run all the same. */
START_TEST(injected_errors)
{
    const struct inject_params injects[] = {JS("throw Error('early')"), JS("this is no script"),
                                            LATE_JS("throw Error('late')"), LATE_JS("x.y.z"),
                                            LATE_JS("x.textContent='good'")};

    check_injected("/styled", injects, 5, ">good<");
}
END_TEST

/* They are told where the page's own are, by their place in the request. */
START_TEST(injected_errors_are_told)
{
    static const char *const told[][2] = {
        {"Error: early", "page.inject[0]"},
        {"Error: late", "page.inject[2]"},
        {"TypeError: Cannot read properties of undefined (reading 'z')", "page.inject[3]"},
        {"thrown", "page.inject[4]"},
    };
    const struct inject_params injects[] = {
        JS("throw Error('early')"), LATE_JS("x.textContent='good'"),
        LATE_JS("\nthrow Error('late')"), LATE_JS("x.y.z"), LATE_JS("throw 'thrown'")};
    uint64_t page = open_page();
    struct answer answer =
        RENDER(page, .path = "/styled", .injects = injects, .injects_count = 5, .diagnose = true);
    const struct diagnostics *diagnostics = answer.result->diagnostics;

    check_complete(&answer);
    ck_shows(answer, ">good<");
    ck_assert_uint_eq(diagnostics->exceptions_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(diagnostics->exceptions[i].text, told[i][0]);
        ck_assert_uint_ge(diagnostics->exceptions[i].frames_count, 1);
        ck_assert_str_eq(diagnostics->exceptions[i].frames[0].url, told[i][1]);
    }
    ck_assert_uint_eq(diagnostics->exceptions[1].frames[0].line, 2);
    done(&answer);
    close_page(page);
}
END_TEST

/* A script that does not end is ended before its render, and the next one runs; the page does
 * not serve again. */
START_TEST(injected_loop)
{
    const struct inject_params injects[] = {LATE_JS("while(1){}"), LATE_JS("while(1){}"),
                                            LATE_JS("x.textContent='good'")};
    uint64_t page = open_page();
    struct answer answer = inject(page, "/styled", injects, 3);

    ck_assert_int_eq(answer.result->outcome, RENDER_COMPLETE);
    ck_shows(answer, ">good<");
    ck_assert(!answer.ok);
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

/* A navigation makes another document; both kinds are there again. */
START_TEST(injected_after_navigation)
{
    const struct inject_params injects[] = {
        JS("window.early='again'"),
        LATE_JS("document.body.append(' '+early+' '+location.pathname)")};

    check_injected("/moves", injects, 2, "</p> again /static");
}
END_TEST

#define DOCUMENT                                                                                   \
    "<!DOCTYPE html><title>Own \xe2\x82\xac</title><p id=x>0</p><script>x.textContent="            \
    "[origin,document.baseURI,document.characterSet,'\xe2\x82\xac'].join(' ');"                    \
    "fetch('/api').then(r=>r.text(),()=>'refused').then(t=>document.body.append(t))</script>"

/* As if it had come from there: origin, base and fetches are those of the URL, which nobody
 * is asked for. */
START_TEST(html_with_base)
{
    char expected[200];
    uint64_t page = open_page();

    for (int i = 0; i < 2; i++) {
        size_t count = cdp_origin_count(stage.origin);
        struct answer answer = RENDER(page, .path = "/no/such?page", .html = DOCUMENT);
        unsigned port = cdp_origin_port(stage.origin);
        check_complete(&answer);
        (void)snprintf(expected, sizeof expected,
                       ">http://127.0.0.1:%u http://127.0.0.1:%u/no/such?page UTF-8 "
                       "\xe2\x82\xac<",
                       port, port);
        ck_shows(answer, expected);
        ck_shows(answer, "fetched</body>");
        ck_assert_int_eq(answer.result->status, 200);
        ck_assert_str_eq(answer.result->title, "Own \xe2\x82\xac");
        ck_assert_str_eq(strchr(answer.result->final_url + 7, '/'), "/no/such?page");
        ck_assert_uint_eq(cdp_origin_count(stage.origin), count + 1);
        done(&answer);
        answer = RENDER(page, .path = "/static"); /* Not answered from here any more. */
        check_complete(&answer);
        ck_shows(answer, "<p>hello</p>");
        done(&answer);
    }
    close_page(page);
}
END_TEST

/* It has no origin; what it leads to is followed as ever. */
START_TEST(html_without_base)
{
    char document[300];
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "", .html = DOCUMENT);

    check_complete(&answer);
    ck_shows(answer, ">null data:text/html;charset=utf-8;base64,");
    ck_shows(answer, "refused</body>");
    ck_assert_str_eq(answer.result->final_url, "about:blank");
    done(&answer);
    (void)snprintf(document, sizeof document,
                   "<script>setTimeout(()=>location='http://127.0.0.1:%u/static',700)</script>",
                   cdp_origin_port(stage.origin));
    answer = RENDER(page, .path = "", .html = document);
    check_complete(&answer);
    ck_shows(answer, "<p>hello</p>");
    done(&answer);
    close_page(page);
}
END_TEST

/* A large one, and the ports that no page may be shown from. */
START_TEST(html_bounds)
{
    size_t bytes = HTML_BYTES_MAX;
    char *document = malloc(bytes + 1), url[64];
    uint64_t page = open_page();

    ck_assert_ptr_nonnull(document);
    memset(document, 'a', bytes);
    memcpy(document, "<!DOCTYPE html><script type=x>", 30);
    document[bytes] = '\0';
    struct answer answer = RENDER(page, .path = "", .html = document);
    check_complete(&answer);
    ck_assert_uint_gt(answer.result->html_bytes, bytes);
    done(&answer);
    free(document);
    cdp_deny_port(stage.cdp, 4);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:4/");
    answer = RENDER(page, .path = url, .html = "<p>mine");
    check_failed(&answer, RENDER_URL_DENIED);
    done(&answer);
    close_page(page);
}
END_TEST

static void ignore_shadow(struct render_params *params)
{
    params->shadow_dom = SHADOW_DOM_IGNORE;
}

/* What is in a shadow tree comes along, or does not; what is slotted into it stays. */
START_TEST(shadow_trees_in_the_document)
{
    static const char document[] =
        "<!DOCTYPE html><p id=x><i>light</i></p><script>"
        "x.attachShadow({mode:'open'}).innerHTML='<b>shade</b><slot></slot>'</script>";
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "", .html = document);

    check_complete(&answer);
    ck_shows(answer, "<template shadowrootmode=\"open\"><b>shade</b><slot></slot></template>");
    done(&answer);
    answer = RENDER(page, .path = "", .html = document, .tune = ignore_shadow);
    check_complete(&answer);
    ck_shows(answer, "<p id=\"x\"><i>light</i></p>");
    ck_assert(!shows(&answer, "<template"));
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp own");
    TCase *tcase = stage_tcase("own");

    tcase_add_test(tcase, injected_at_start);
    tcase_add_test(tcase, injected_before_capture);
    tcase_add_test(tcase, injected_errors);
    tcase_add_test(tcase, injected_errors_are_told);
    tcase_add_test(tcase, injected_loop);
    tcase_add_test(tcase, injected_after_navigation);
    tcase_add_test(tcase, html_with_base);
    tcase_add_test(tcase, html_without_base);
    tcase_add_test(tcase, html_bounds);
    tcase_add_test(tcase, shadow_trees_in_the_document);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
