/* test_document.c: documents in, documents out. What is not removed stays as it is. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/selector.h"
#include "document/document.h"
#include "document/metas.h"
#include "tests/suite.h"

#define HEAD "<!DOCTYPE html><html><head>"

static const struct edit_case {
    const char *name, *html, *want;
} strip_cases[] = {
    {"nothing to do", HEAD "<TITLE>a & b</TITLE></head><body  class='x'>t</body></html>\n",
     HEAD "<TITLE>a & b</TITLE></head><body  class='x'>t</body></html>\n"},
    {"scripts go", HEAD "<script src=\"a.js\"></script></head><body>1<script>x()</script>2</body>",
     HEAD "</head><body>12</body>"},
    {"json-ld stays",
     HEAD "<script type=\"application/ld+json\">{\"a\":\"<b>\"}</script></head><body></body>",
     HEAD "<script type=\"application/ld+json\">{\"a\":\"<b>\"}</script></head><body></body>"},
    {"json-ld in any case",
     "<script type=' Application/LD+JSON ; charset=utf-8'>1</script><script type=module>2</script>",
     "<script type=' Application/LD+JSON ; charset=utf-8'>1</script>"},
    {"a script in text is text",
     "<p>&lt;script&gt;x&lt;/script&gt;</p><textarea><script></textarea>",
     "<p>&lt;script&gt;x&lt;/script&gt;</p><textarea><script></textarea>"},
    {"comments stay", "<!--<script>a</script>--><p>b</p>", "<!--<script>a</script>--><p>b</p>"},
    {"attributes stay", "<p title=\"<script>x</script>\">b</p>",
     "<p title=\"<script>x</script>\">b</p>"},
    {"scripts that write scripts",
     "<script>document.write('<script>1<\\/script>')</script ><p>b</p>", "<p>b</p>"},
    {"escaped scripts", "<script><!--<script>a</script>--></script><p>b</p>", "<p>b</p>"},
    {"an open script", "<p>a</p><script>b", "<p>a</p>"},
    {"in templates", "<div><template shadowrootmode=\"open\"><script>a</script>b</template></div>",
     "<div><template shadowrootmode=\"open\">b</template></div>"},
    {"in svg", "<svg><script>a</script><g></g></svg><p>b</p>", "<svg><g></g></svg><p>b</p>"},
    {"svg, closed by itself", "<svg><script/><g></g></svg><p>b</p>", "<svg><g></g></svg><p>b</p>"},
    {"svg, never closed", "<svg><script>a</svg><p>b</p>", "<svg></svg><p>b</p>"},
    {"out of a table", "<table><tr><td>1<script>a</script></td></tr><script>b</script></table>",
     "<table><tr><td>1</td></tr></table>"},
    {"noscript stays", "<noscript><script>a</script><img src=x></noscript><p>b</p>",
     "<noscript><script>a</script><img src=x></noscript><p>b</p>"},
    {"imports go", HEAD "<link rel=\"x Import\" href=a><link rel=stylesheet href=b></head>",
     HEAD "<link rel=stylesheet href=b></head>"},
    {"bytes beyond ASCII", "<p>\xe4\xbd\xa0</p><script>\xe5</script><p>\xf0\x9f\x98\x80</p>",
     "<p>\xe4\xbd\xa0</p><p>\xf0\x9f\x98\x80</p>"},
    {"empty", "", ""},
};

static struct document_result edit(const char *html, const struct document_options *options)
{
    struct document_result result;
    ck_assert_int_eq(document_edit(html, strlen(html), options, &result), 0);
    return result;
}

START_TEST(scripts_are_stripped)
{
    const struct document_options options = {.strip_scripts = true};
    struct document_result result = edit(strip_cases[_i].html, &options);
    ck_assert_msg(result.bytes_count == strlen(strip_cases[_i].want) &&
                      memcmp(result.bytes, strip_cases[_i].want, result.bytes_count) == 0,
                  "%s: %.*s", strip_cases[_i].name, (int)result.bytes_count, result.bytes);
    document_result_free(&result);
}
END_TEST

static const struct meta_case {
    const char *html;
    int status;
    const char *headers; /* "Name=value" lines. */
    const char *want;    /* The document; NULL: as it was. */
} meta_cases[] = {
    {HEAD "<meta name=\"prerender-status-code\" content=\"404\"></head><body>x</body>", 404, "",
     HEAD "</head><body>x</body>"},
    {HEAD "<meta content='301' name='prerender-status-code'>"
          "<meta name=prerender-header content=\"Location: https://a/?b&amp;c\"></head>",
     301, "Location=https://a/?b&c\n", HEAD "</head>"},
    {HEAD
     "<meta content='X-A:1' name='Prerender-Header'><meta name=prerender-header content='X-A: 2'>",
     0, "X-A=1\nX-A=2\n", HEAD},
    /* Only the first status counts; a broken one is removed and counts for nothing. */
    {HEAD "<meta name=prerender-status-code content=4040>"
          "<meta name=prerender-status-code content=' 410 '>"
          "<meta name=prerender-status-code content=200></head>",
     410, "", HEAD "</head>"},
    {HEAD "<meta name=prerender-header content='no colon'>"
          "<meta name=prerender-header content='A: x&#10;B: y'></head>",
     0, "", HEAD "</head>"},
    {HEAD "</head><body><meta name=prerender-status-code content=404></body>", 0, "", NULL},
    {HEAD "<!--<meta name=prerender-status-code content=404>--></head>", 0, "", NULL},
    {HEAD "<title><meta name=prerender-status-code content=404></title></head>", 0, "", NULL},
    {HEAD "<template><meta name=prerender-status-code content=404></template></head>", 0, "", NULL},
    /* The parser has scripts off, where an image in <noscript> would end the head. */
    {HEAD "<noscript><img src=\"pixel\"></noscript>"
          "<meta name=prerender-status-code content=404></head>",
     404, "", HEAD "<noscript><img src=\"pixel\"></noscript></head>"},
    {HEAD "<noscript><meta name=prerender-status-code content=404></noscript></head>", 0, "", NULL},
};

START_TEST(metas_are_read_and_removed)
{
    const struct meta_case *want = &meta_cases[_i];
    const struct document_options options = {.metas = true};
    struct document_result result = edit(want->html, &options);
    char headers[1024] = "";
    for (size_t i = 0; i < result.headers_count; i++) {
        size_t used = strlen(headers);
        snprintf(headers + used, sizeof headers - used, "%s=%s\n", result.headers[i].name,
                 result.headers[i].value);
    }
    const char *html = want->want ? want->want : want->html;
    ck_assert_int_eq(result.status, want->status);
    ck_assert_str_eq(headers, want->headers);
    ck_assert_msg(result.bytes_count == strlen(html) &&
                      memcmp(result.bytes, html, result.bytes_count) == 0,
                  "%.*s", (int)result.bytes_count, result.bytes);
    document_result_free(&result);
}
END_TEST

START_TEST(base_is_inserted_once)
{
    const struct document_options options = {.base = "https://a/?x=\"1\"&<y>"};
    struct document_result result = edit(HEAD "<title>t</title></head>", &options);
    static const char want[] =
        HEAD "<base href=\"https://a/?x=&quot;1&quot;&amp;&lt;y&gt;\"><title>t</title></head>";
    ck_assert_uint_eq(result.bytes_count, strlen(want));
    ck_assert_int_eq(memcmp(result.bytes, want, result.bytes_count), 0);
    document_result_free(&result);
    static const char own[] = HEAD "<base href=\"/b\"></head>";
    result = edit(own, &options);
    ck_assert_uint_eq(result.bytes_count, strlen(own));
    ck_assert_int_eq(memcmp(result.bytes, own, result.bytes_count), 0);
    document_result_free(&result);
}
END_TEST

START_TEST(depth_is_bounded)
{
    const struct document_options options = {.strip_scripts = true};
    struct document_result result;
    size_t count = 4000000, bytes = count * 5;
    char *html = malloc(bytes);
    ck_assert_ptr_nonnull(html);
    for (size_t i = 0; i < count; i++)
        memcpy(html + 5 * i, "<div>", 5);
    ck_assert_int_eq(document_edit(html, bytes, &options, &result), -E2BIG);
    ck_assert_int_eq(document_edit(html, (DOCUMENT_DEPTH_MAX - 1) * 5, &options, &result), 0);
    document_result_free(&result);
    free(html);
}
END_TEST

#define PAGE                                                                                       \
    "<body><div id=a class=\"x y\"><p>1</p><P lang=en-GB>2</P><b>3</b></div>"                      \
    "<div class=Y><my-tag data-v=\"a b\">4</my-tag><template shadowrootmode=open><p>5</p>"         \
    "</template></div><svg><g id=z>6</g></svg></body>"

/* Removed is "<...>N</...>" for the digits listed. */
static const struct selector_case {
    const char *selector, *left; /* The digits that stay. */
} selector_cases[] = {
    {"p", "346"},
    {"P", "346"},
    {"*", ""}, /* The root stays, what is in it goes. */
    {"#a", "456"},
    {"#A", "123456"},
    {".x", "456"},
    {".x.y", "456"},
    {".y", "456"},
    {".Y", "1236"},
    {"[lang]", "13456"},
    {"[lang=en-gb]", "123456"},
    {"[lang=en-gb i]", "13456"},
    {"[lang|=en]", "13456"},
    {"[lang|=e]", "123456"},
    {"[lang^='en-']", "13456"},
    {"[lang$=GB]", "13456"},
    {"[lang*=n-G]", "13456"},
    {"[lang*='']", "123456"},
    {"[data-v~=b]", "12356"},
    {"[data-v~='a b']", "123456"},
    {"[ data-v = 'a b' ]", "12356"},
    {"my-tag", "12356"},
    {"div p", "346"},
    {"div > p", "3456"},
    {"body p", "346"},
    {"body > p", "123456"},
    {"p + p", "13456"},
    {"p + b", "12456"},
    {"p ~ b", "12456"},
    {"b ~ p", "123456"},
    {"p~p,my-tag", "1356"},
    {"div.x > p ~ b", "12456"},
    {"body div > template p", "12346"},
    {"html body > div + div my-tag", "12356"},
    {"svg #z", "12345"},
    {"#\\7a", "12345"},
    {"#\\00007A, .\\79", "45"},
    {".none, b", "12456"},
};

START_TEST(selected_elements_go)
{
    const struct selector_case *one = &selector_cases[_i];
    struct selector selector;
    size_t at;
    char left[16] = "";
    const char *error = selector_parse(one->selector, strlen(one->selector), &selector, &at);
    ck_assert_msg(error == NULL, "%s: at %zu %s", one->selector, at, error);
    const struct document_options options = {.removed = &selector, .removed_count = 1};
    struct document_result result = edit(PAGE, &options);
    for (size_t i = 0, n = 0; i < result.bytes_count; i++) {
        char c = result.bytes[i];
        if (c >= '1' && c <= '6' && n + 1 < sizeof left)
            left[n++] = c;
    }
    ck_assert_msg(strcmp(left, one->left) == 0, "%s leaves %s: %.*s", one->selector, left,
                  (int)result.bytes_count, result.bytes);
    document_result_free(&result);
}
END_TEST

static const struct {
    const char *selector;
    size_t at;
    const char *error; /* A part of it. */
} wrong_selectors[] = {
    {"", 0, "missing"},
    {"a,", 2, "missing"},
    {"> a", 0, "missing"},
    {"a >", 3, "missing"},
    {"a > > b", 4, "missing"},
    {"a:hover", 1, "pseudo-classes"},
    {"a::before", 1, "pseudo-classes"},
    {":not(a)", 0, "pseudo-classes"},
    {"svg|a", 3, "namespaces"},
    {"#1", 1, "digit"},
    {".-1", 1, "digit"},
    {"..a", 1, "name is missing"},
    {"[a", 2, "operator"},
    {"[a=", 3, "name is missing"},
    {"[a='b]", 6, "does not end"},
    {"[a=b", 4, "] is missing"},
    {"[a!=b]", 2, "operator"},
    {"a{}", 1, "no place"},
    {"a\\", 2, "backslash"},
};

START_TEST(wrong_selectors_are_told)
{
    struct selector selector;
    size_t at;
    const char *text = wrong_selectors[_i].selector;
    const char *error = selector_parse(text, strlen(text), &selector, &at);
    ck_assert_msg(error && strstr(error, wrong_selectors[_i].error), "%s: %s", text, error);
    ck_assert_msg(at == wrong_selectors[_i].at, "%s: at %zu", text, at);
}
END_TEST

/* What could take for ever if every way were tried. */
START_TEST(matching_is_bounded)
{
    struct selector selector;
    size_t at;
    static const char text[] = "x i i i i i i i i i i i i i i i i i i i b";
    char *html = malloc(8 * 1500), *end = html;
    for (int i = 0; i < 1500; i++)
        end += snprintf(end, 8, "<i>");
    (void)snprintf(end, 8, "<b>");
    ck_assert_ptr_null(selector_parse(text, strlen(text), &selector, &at));
    const struct document_options options = {.removed = &selector, .removed_count = 1};
    struct document_result result = edit(html, &options);
    ck_assert_uint_eq(result.bytes_count, strlen(html));
    document_result_free(&result);
    free(html);
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        const char *content;
        int status;
    } cases[] = {{"200", 200}, {"599", 599}, {"\n404 ", 404}, {"199", 0}, {"600", 0}, {"", 0},
                 {"40", 0},    {"4o4", 0},   {"404.0", 0},    {"-40", 0}, {"4 4", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(meta_status(cases[i].content) == cases[i].status, "%s", cases[i].content);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *tests = tcase_create("edit");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, scripts_are_stripped, 0, sizeof strip_cases / sizeof strip_cases[0]);
    tcase_add_loop_test(tests, metas_are_read_and_removed, 0,
                        sizeof meta_cases / sizeof meta_cases[0]);
    tcase_add_test(tests, base_is_inserted_once);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_loop_test(tests, selected_elements_go, 0,
                        sizeof selector_cases / sizeof selector_cases[0]);
    tcase_add_loop_test(tests, wrong_selectors_are_told, 0,
                        sizeof wrong_selectors / sizeof wrong_selectors[0]);
    tcase_add_test(tests, matching_is_bounded);
    tcase_add_test(tests, statuses);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
