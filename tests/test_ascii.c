/* test_ascii.c: documents in UTF-8 in, documents in ASCII out. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "document/ascii.h"
#include "tests/suite.h"

#define E "\xc3\xa9"             /* U+E9 */
#define EURO "\xe2\x82\xac"      /* U+20AC */
#define SMILE "\xf0\x9f\x98\x80" /* U+1F600 */
#define LAST "\xf4\x8f\xbf\xbf"  /* U+10FFFF */
#define NO_BREAK "\xc2\xa0"      /* U+A0 */
#define JSON_LD "<script type=\"application/ld+json\">"

static const struct ascii_case {
    const char *name, *html, *want;
} cases[] = {
    {"ASCII", "<p title=\"a\">b &amp; c</p>", "<p title=\"a\">b &amp; c</p>"},
    {"nothing", "", ""},
    {"text", "<p>" E EURO SMILE LAST "</p>" E, "<p>&#xe9;&#x20ac;&#x1f600;&#x10ffff;</p>&#xe9;"},
    {"the longest of two bytes", "\xdf\xbf\xdf\xbf\xdf\xbf", "&#x7ff;&#x7ff;&#x7ff;"},
    {"titles", "<title>" E "</title><textarea>" E "</textarea>",
     "<title>&#xe9;</title><textarea>&#xe9;</textarea>"},
    {"attributes", "<p title=\"a > " E "\" lang='" EURO "' id=x" E " class = " E ">b</p>",
     "<p title=\"a > &#xe9;\" lang='&#x20ac;' id=x&#xe9; class = &#xe9;>b</p>"},
    {"names", "<p " E "=\"" E "\"><x-" E " a=1 " E ">" E "</x-" E ">",
     "<p " E "=\"&#xe9;\"><x-" E " a=1 " E ">&#xe9;</x-" E ">"},
    {"comments", "<!--<p " E ">--><p>" E, "<!--<p &#xe9;>--><p>&#xe9;"},
    {"no tags", "a < " E " <3 " E "<", "a < &#xe9; <3 &#xe9;<"},
    {"JSON", JSON_LD "{\"a\":\"" E SMILE NO_BREAK "</p>\"}</script>" E,
     JSON_LD "{\"a\":\"\\u00e9\\ud83d\\ude00\\u00a0</p>\"}</script>&#xe9;"},
    {"JavaScript", "<script>x='" E SMILE "' // <p " E ">\n</script>",
     "<script>x='\\u00e9\\ud83d\\ude00' // <p \\u00e9>\n</script>"},
    {"white space of JavaScript", "<script type=module>let" NO_BREAK "x='" E "'</script>",
     "<script type=module>let" NO_BREAK "x='\\u00e9'</script>"},
    {"escaped in JavaScript", "<script>'\\" E "\\\\" E "\\" SMILE "'</script>",
     "<script>'\\u00e9\\\\\\u00e9\\ud83d\\ude00'</script>"},
    {"templates", "<script type=\"text/x-template\"><b>" E "</b></script>",
     "<script type=\"text/x-template\"><b>&#xe9;</b></script>"},
    {"import maps", "<SCRIPT async TYPE='importmap'>{\"" NO_BREAK "\":1}</SCRIPT >" E,
     "<SCRIPT async TYPE='importmap'>{\"\\u00a0\":1}</SCRIPT >&#xe9;"},
    {"style", "<style>." E "a::before{content:'" EURO "\\" E "\\\\" E "b'}</style>" E,
     "<style>.\\e9 a::before{content:'\\20ac \\e9 \\\\\\e9 b'}</style>&#xe9;"},
    {"foreign", "<svg><style>" E "</style><script>" E "</script></svg><style>" E "</style>",
     "<svg><style>&#xe9;</style><script>&#xe9;</script></svg><style>\\e9 </style>"},
    {"HTML within",
     "<svg><foreignObject><math></math><style>" E "</style></foreignObject><style>" E "</style>",
     "<svg><foreignObject><math></math><style>\\e9 </style></foreignObject><style>&#xe9;</style>"},
    {"noscript", "<noscript><img alt=\"" E "\">" E "</noscript>",
     "<noscript><img alt=\"&#xe9;\">&#xe9;</noscript>"},
    {"xmp", "<xmp><p>" E "</xmp>" E, "<xmp><p>" E "</xmp>&#xe9;"},
    {"shadow trees", "<template shadowrootmode=\"open\"><style>" E "</style>" E "</template>",
     "<template shadowrootmode=\"open\"><style>\\e9 </style>&#xe9;</template>"},
    {"cut off in a tag", "<p title=\"" E, "<p title=\"&#xe9;"},
    {"cut off in a script", "<script>" E, "<script>\\u00e9"},
    {"cut off in a comment", "<!--" E, "<!--&#xe9;"},
};

START_TEST(documents)
{
    const struct ascii_case *want = &cases[_i];
    size_t count = strlen(want->html), max = ascii_bytes_max(want->html, count);
    char *bytes = malloc(count > 0 ? count : 1),
         *out = malloc(max + 1); /* No NUL ends the input. */
    memcpy(bytes, want->html, count);
    size_t written = ascii_write(bytes, count, out);
    ck_assert_uint_le(written, max);
    ck_assert_msg(written == strlen(want->want) && memcmp(out, want->want, written) == 0,
                  "%s: want \"%s\", got \"%.*s\"", want->name, want->want, (int)written, out);
    free(bytes);
    free(out);
}
END_TEST

START_TEST(ascii_does_not_grow)
{
    ck_assert_uint_eq(ascii_bytes_max("<p>a</p>", 8), 8);
    ck_assert_uint_gt(ascii_bytes_max("<p>" E "</p>", 9), 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ascii");
    TCase *tests = tcase_create("documents");
    tcase_add_loop_test(tests, documents, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, ascii_does_not_grow);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
