/* test_cdp_storage.c: cookies and localStorage that a render brings along, in a real browser:
 * the origin and the page see them from the first request and the first script on; another
 * context never does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"

#define TEXT(literal) (char *)(uintptr_t)(literal)
#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])
#define NAMED .name = TEXT("brought"), .value = TEXT("b c")

static struct param_cookie cookie;

static void bring_cookie(struct render_params *params)
{
    params->page.cookies = (struct param_records){&cookie, 1};
}

/* /cookie shows what was sent, /cookie-js what scripts see. 0.0.0.0 leads here too, but is no
 * host that Chromium takes for secure without TLS. */
static const struct {
    struct param_cookie cookie;
    const char *path, *shows;
} cookies[] = {
    {{NAMED}, "/cookie", "cookies: brought=b c<"},
    {{NAMED}, "/cookie-js", ">brought=b c<"},
    {{NAMED, .http_only = true}, "/cookie", "cookies: brought=b c<"},
    {{NAMED, .http_only = true}, "/cookie-js", "><"},
    {{NAMED, .path = TEXT("/cookie")}, "/cookie", "cookies: brought=b c<"},
    {{NAMED, .path = TEXT("/other")}, "/cookie", "cookies: none<"},
    {{NAMED, .domain = TEXT("127.0.0.1")}, "/cookie", "cookies: brought=b c<"},
    {{NAMED, .domain = TEXT("example.test")}, "/cookie", "cookies: none<"},
    {{NAMED, .url = TEXT("http://127.0.0.1/")}, "/cookie", "cookies: brought=b c<"},
    {{NAMED, .url = TEXT("http://localhost/")}, "/cookie", "cookies: none<"},
    {{NAMED, .url = TEXT("http://0.0.0.0/")}, "http://0.0.0.0", "cookies: brought=b c<"},
    {{NAMED, .url = TEXT("http://0.0.0.0/"), .secure = true}, "http://0.0.0.0", "cookies: none<"},
    {{NAMED, .expires_s = 4102444800u}, "/cookie", "cookies: brought=b c<"},
    {{NAMED, .expires_s = 1}, "/cookie", "cookies: none<"},
};

START_TEST(cookies_are_sent)
{
    uint64_t page = open_page(), other = open_page();

    cookie = cookies[_i].cookie;
    bool is_path = cookies[_i].path[0] == '/';
    struct answer answer =
        RENDER(page, .path = is_path ? cookies[_i].path : "/cookie",
               .host = is_path ? NULL : cookies[_i].path + 7, .tune = bring_cookie);
    check_complete(&answer);
    ck_shows(answer, cookies[_i].shows);
    done(&answer);
    answer = RENDER(other, .path = "/cookie");
    ck_shows(answer, "cookies: none<");
    done(&answer);
    close_page(page);
    close_page(other);
}
END_TEST

/* In its context a cookie stays, until that is cleared. */
START_TEST(cookies_stay_in_their_context)
{
    uint64_t page = open_page();

    cookie = (struct param_cookie){NAMED};
    struct answer answer = RENDER(page, .path = "/static", .tune = bring_cookie);
    done(&answer);
    answer = RENDER(page, .path = "/cookie", .clear_storage = true);
    ck_shows(answer, "brought=b c");
    done(&answer);
    answer = RENDER(page, .path = "/cookie");
    ck_shows(answer, "cookies: none<");
    done(&answer);
    close_page(page);
}
END_TEST

/* A page of another site leads here: that is what a strict cookie does not survive. */
START_TEST(same_site_is_kept)
{
    static const struct {
        enum same_site same_site;
        const char *shows;
    } table[] = {{SAME_SITE_UNSET, "cookies: brought=b c<"},
                 {SAME_SITE_LAX, "cookies: brought=b c<"},
                 {SAME_SITE_STRICT, "cookies: none<"}};
    char path[96];

    (void)snprintf(path, sizeof path, "/goes?http://127.0.0.1:%u/cookie",
                   cdp_origin_port(stage.origin));
    for (int i = 0; i < COUNT(table); i++) {
        uint64_t page = open_page();
        cookie = (struct param_cookie){NAMED, .url = TEXT("http://127.0.0.1/"),
                                       .same_site = table[i].same_site};
        struct answer answer =
            RENDER(page, .path = path, .host = "localhost", .tune = bring_cookie);
        ck_shows(answer, table[i].shows);
        done(&answer);
        close_page(page);
    }
}
END_TEST

/* What the browser does not take is an error of the request; the page is none the worse. */
START_TEST(refused_cookies)
{
    uint64_t page = open_page();

    cookie = (struct param_cookie){
        .name = TEXT("__Host-a"), .value = TEXT("b"), .domain = TEXT("127.0.0.1")};
    struct answer answer = RENDER(page, .path = "/cookie", .tune = bring_cookie);
    check_failed(&answer, RENDER_PARAM_REFUSED);
    ck_assert_str_eq(answer.result->param, "page.cookies");
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/cookie");
    check_complete(&answer);
    ck_shows(answer, "cookies: none<");
    done(&answer);
    close_page(page);
}
END_TEST

static struct param_pair entries[] = {{TEXT("v"), TEXT("a'\"</script>\xe2\x80\xa8")},
                                      {TEXT("__proto__"), TEXT("p")}};

static void bring_entries(struct render_params *params)
{
    params->page.local_storage = (struct param_records){entries, 2};
}

START_TEST(storage_is_there_first)
{
    uint64_t page = open_page(), other = open_page();
    struct answer answer = RENDER(page, .path = "/stores", .tune = bring_entries);

    check_complete(&answer);
    ck_shows(answer, "was a'\"&lt;/script&gt;\xe2\x80\xa8<");
    done(&answer);
    /* What the page has set stays: nothing is brought to the next render. */
    answer = RENDER(page, .path = "/stores");
    ck_shows(answer, "was set<");
    done(&answer);
    answer = RENDER(other, .path = "/stores");
    ck_shows(answer, "was undefined<");
    done(&answer);
    close_page(page);
    close_page(other);
}
END_TEST

/* Only the first document is filled, and no other origin. */
START_TEST(storage_is_filled_once)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/stores-twice", .tune = bring_entries);

    check_complete(&answer);
    ck_shows(answer, ">a'\"&lt;/script&gt;\xe2\x80\xa8,set,p<");
    done(&answer);
    close_page(page);
    page = open_page();
    char path[64];
    (void)snprintf(path, sizeof path, "/to?http://localhost:%u/stores",
                   cdp_origin_port(stage.origin));
    answer = RENDER(page, .path = path, .tune = bring_entries);
    ck_shows(answer, "was undefined<");
    done(&answer);
    close_page(page);
}
END_TEST

static void allow_workers(struct render_params *params)
{
    params->network.service_workers = SERVICE_WORKERS_ALLOW;
}

static void register_worker(uint64_t page)
{
    struct answer answer = RENDER(page, .path = "/registers", .tune = allow_workers,
                                  .wait = {.expression = TEXT("x.textContent==='ready'")});

    ck_shows(answer, ">ready<");
    done(&answer);
}

/* Whoever registered it: only a render that allows it is answered by it. */
START_TEST(service_workers_are_bypassed)
{
    uint64_t page = open_page();

    register_worker(page);
    struct answer answer = RENDER(page, .path = "/asks?/api", .tune = allow_workers);
    ck_shows(answer, ">from worker<");
    done(&answer);
    answer = RENDER(page, .path = "/asks?/api");
    check_complete(&answer);
    ck_shows(answer, ">fetched<");
    done(&answer);
    answer = RENDER(page, .path = "/asks?/api", .tune = allow_workers);
    ck_shows(answer, ">from worker<");
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp storage");
    TCase *tcase = stage_tcase("storage");

    tcase_add_loop_test(tcase, cookies_are_sent, 0, COUNT(cookies));
    tcase_add_test(tcase, cookies_stay_in_their_context);
    tcase_add_test(tcase, same_site_is_kept);
    tcase_add_test(tcase, refused_cookies);
    tcase_add_test(tcase, storage_is_there_first);
    tcase_add_test(tcase, storage_is_filled_once);
    tcase_add_test(tcase, service_workers_are_bypassed);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
