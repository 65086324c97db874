/* test_message.c: messages are found, refused, unescaped and put together. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/message.h"
#include "tests/suite.h"

static struct cdp_span span_of(char *text)
{
    return (struct cdp_span){text, strlen(text)};
}

static void expect_span(struct cdp_span span, const char *want)
{
    if (want == NULL) {
        ck_assert_ptr_null(span.at);
        return;
    }
    ck_assert_ptr_nonnull(span.at);
    ck_assert_uint_eq(span.bytes, strlen(want));
    ck_assert_mem_eq(span.at, want, span.bytes);
}

/* Scans a copy of exactly `bytes` bytes, so that reading past them is seen by ASan. */
static int scan_copy(const char *text, size_t bytes, struct cdp_message *ret)
{
    char *copy = malloc(bytes > 0 ? bytes : 1);

    memcpy(copy, text, bytes);
    int code = message_scan(copy, bytes, ret);
    free(copy);
    return code;
}

struct good {
    const char *text;
    uint64_t id;
    bool is_error;
    const char *method, *session, *body;
};

static const struct good goods[] = {
    {"{\"id\":1,\"result\":{}}", 1, false, NULL, NULL, "{}"},
    {"{\"id\":7,\"result\":{\"a\":[1,{\"b\":\"}\"}]},\"sessionId\":\"S\"}", 7, false, NULL, "S",
     "{\"a\":[1,{\"b\":\"}\"}]}"},
    {"{\"id\":2,\"error\":{\"code\":-32000,\"message\":\"no\"}}", 2, true, NULL, NULL,
     "{\"code\":-32000,\"message\":\"no\"}"},
    {"{\"method\":\"A.b\",\"params\":{\"x\":null}}", 0, false, "A.b", NULL, "{\"x\":null}"},
    {"{\"method\":\"A.b\"}", 0, false, "A.b", NULL, NULL},
    {" {\t\"sessionId\" : \"\" ,\r\n \"method\": \"A\" , \"params\" : { } } \n", 0, false, "A", "",
     "{ }"},
    /* Quotes that are escaped, backslashes that are, and both in a row. */
    {"{\"method\":\"A\",\"params\":{\"s\":\"\\\"\\\\\"}}", 0, false, "A", NULL,
     "{\"s\":\"\\\"\\\\\"}"},
    {"{\"method\":\"A\",\"params\":{\"s\":\"\\\\\\\"}]\"}}", 0, false, "A", NULL,
     "{\"s\":\"\\\\\\\"}]\"}"},
    {"{\"other\":[[],{}],\"id\":3,\"result\":{}}", 3, false, NULL, NULL, "{}"},
    {"{\"id\":999999999999999999,\"result\":{}}", 999999999999999999, false, NULL, NULL, "{}"},
};

START_TEST(finds_the_parts)
{
    struct cdp_message message;
    const struct good *good = &goods[_i];
    char *text = strdup(good->text);

    ck_assert_int_eq(message_scan(text, strlen(text), &message), 0);
    ck_assert_uint_eq(message.id, good->id);
    ck_assert_int_eq(message.is_error, good->is_error);
    expect_span(message.method, good->method);
    expect_span(message.session, good->session);
    expect_span(message.body, good->body);
    free(text);
}
END_TEST

static const char *const bads[] = {
    "",
    " ",
    "{",
    "{}",
    "[]",
    "null",
    "\"a\"",
    "{\"id\":1}",               /* A reply to nothing. */
    "{\"id\":0,\"result\":{}}", /* We never send 0. */
    "{\"id\":-1,\"result\":{}}",
    "{\"id\":1.5,\"result\":{}}",
    "{\"id\":1e3,\"result\":{}}",
    "{\"id\":\"1\",\"result\":{}}",
    "{\"id\":null,\"result\":{}}",
    "{\"id\":[1],\"result\":{}}",
    "{\"id\":18446744073709551617,\"result\":{}}",
    "{\"id\":1,\"result\":{}",
    "{\"id\":1,\"result\":{}}x",
    "{\"id\":1,\"result\":{}}{}",
    "{\"id\":1,\"result\":{},}",
    "{\"id\":1 \"result\":{}}",
    "{,\"id\":1,\"result\":{}}",
    "{\"id\":1,\"result\":[]}",
    "{\"id\":1,\"result\":null}",
    "{\"id\":1,\"result\":\"{\"}",
    "{\"id\":1,\"result\":{]}",
    "{\"id\":1,\"result\":{\"a\":[}]}",
    "{\"id\":1,\"result\":{\"a}}",
    "{\"id\":1,\"result\":{},\"error\":{}}",
    "{\"id\":1,\"id\":2,\"result\":{}}",
    "{\"id\":1,\"method\":\"A\",\"params\":{}}", /* Neither a reply nor an event. */
    "{\"method\":\"\"}",
    "{\"method\":1}",
    "{\"method\":\"A\",\"method\":\"B\"}",
    "{\"method\":\"A\",\"sessionId\":1}",
    "{\"method\":\"A\",\"params\":}",
    "{\"error\":{\"code\":-32700,\"message\":\"JSON\"}}",
    "{\"method\":\"A\\\"}",
    "{method:\"A\"}",
};

START_TEST(refuses_what_is_no_message)
{
    struct cdp_message message = {.id = 77};

    ck_assert_int_eq(scan_copy(bads[_i], strlen(bads[_i]), &message), -EBADMSG);
    ck_assert_uint_eq(message.id, 77);
}
END_TEST

/* Every proper prefix of a message is no message: a connection may break anywhere. */
START_TEST(refuses_every_prefix)
{
    const char *text = "{\"method\":\"A.b\",\"params\":{\"a\":[\"\\u00e9\\\\\",{\"b\":1.5e3}]},"
                       "\"sessionId\":\"F00\"}";
    struct cdp_message message;

    for (size_t bytes = 0; bytes < strlen(text); bytes++) {
        ck_assert_int_eq(scan_copy(text, bytes, &message), -EBADMSG);
    }
    ck_assert_int_eq(scan_copy(text, strlen(text), &message), 0);
}
END_TEST

/* Nesting is bounded by a number, not by the stack. */
START_TEST(bounds_the_depth)
{
    struct cdp_message message;
    size_t depth = (size_t)_i;
    size_t bytes = depth * 2 + 64;
    char *text = calloc(1, bytes);
    const char *head = "{\"method\":\"A\",\"params\":{\"a\":";

    memcpy(text, head, strlen(head));
    memset(text + strlen(head), '[', depth);
    memset(text + strlen(head) + depth, ']', depth);
    memcpy(text + strlen(head) + depth * 2, "}}", 2);
    int code = message_scan(text, strlen(text), &message);
    ck_assert_int_eq(code, depth <= 511 ? 0 : -EBADMSG);
    free(text);
}
END_TEST

START_TEST(bounds_even_a_million_levels)
{
    size_t bytes = 1000000;
    char *text = malloc(bytes);
    struct cdp_message message;

    memset(text, '[', bytes);
    memcpy(text, "{\"a\":", 5);
    ck_assert_int_eq(message_scan(text, bytes, &message), -EBADMSG);
    free(text);
}
END_TEST

START_TEST(finds_members)
{
    char text[] =
        "{\"a\":1,\"ab\":\"x\\\"y\",\"c\":{\"a\":2},\"d\":[\"a\",3],\"e\":true,\"f\":\"\"}";
    struct cdp_span value = {NULL, 0};
    static const struct {
        const char *key, *want;
    } rows[] = {
        {"a", "1"},         {"ab", "x\\\"y"}, {"c", "{\"a\":2}"},
        {"d", "[\"a\",3]"}, {"e", "true"},    {"f", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(message_member(span_of(text), rows[i].key, &value));
        expect_span(value, rows[i].want);
    }
    ck_assert(!message_member(span_of(text), "b", &value));
    ck_assert(!message_member(span_of(text), "", &value));
    ck_assert(!message_member((struct cdp_span){NULL, 0}, "a", &value));
    char list[] = "[\"a\",1]";
    ck_assert(!message_member(span_of(list), "a", &value));
    char broken[] = "{\"b\":{,\"a\":1}";
    ck_assert(!message_member(span_of(broken), "a", &value));
}
END_TEST

struct escape {
    const char *in, *want; /* NULL: malformed. */
    size_t want_bytes;
};

#define ESCAPE(in, want)                                                                           \
    {                                                                                              \
        in, want, sizeof want - 1                                                                  \
    }
#define MALFORMED(in)                                                                              \
    {                                                                                              \
        in, NULL, 0                                                                                \
    }

static const struct escape escapes[] = {
    ESCAPE("", ""),
    ESCAPE("plain text, longer than one word of eight",
           "plain text, longer than one word of eight"),
    ESCAPE("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"),
    ESCAPE("a\\u0041\\u007f\\u0080\\u00e9\\u07ff\\u0800\\u20AC\\uffff",
           "aA\x7f\xc2\x80\xc3\xa9\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf"),
    ESCAPE("x\\u0000y", "x\0y"),
    ESCAPE("\\ud83d\\ude00", "\xf0\x9f\x98\x80"),
    ESCAPE("\\uD800\\uDC00\\uDBFF\\uDFFF", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
    /* Halves without their other half: high alone, low alone, reversed, high before text. */
    ESCAPE("\\ud800", "\xef\xbf\xbd"),
    ESCAPE("\\udc00", "\xef\xbf\xbd"),
    ESCAPE("\\udc00\\ud800", "\xef\xbf\xbd\xef\xbf\xbd"),
    ESCAPE("\\ud800x", "\xef\xbf\xbdx"),
    ESCAPE("\\ud800\\n", "\xef\xbf\xbd\n"),
    ESCAPE("\\ud800\\u0041", "\xef\xbf\xbd"
                             "A"),
    ESCAPE("\\ud800\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"),
    /* Raw UTF-8 is not what Chromium sends, but it is JSON. */
    ESCAPE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"),
    MALFORMED("\\"),
    MALFORMED("\\x"),
    MALFORMED("\\u"),
    MALFORMED("\\u12"),
    MALFORMED("\\u12g4"),
    MALFORMED("\\ud800\\u12"),
    MALFORMED("ab\\ud800\\uzzzz"),
    MALFORMED("\xff"),
    MALFORMED("\xc3"),
    MALFORMED("\xc0\x80"),
    MALFORMED("\xe0\x9f\xbf"),
    MALFORMED("\xed\xa0\x80"),
    MALFORMED("\xf0\x8f\xbf\xbf"),
    MALFORMED("\xf4\x90\x80\x80"),
    MALFORMED("\xf5\x80\x80\x80"),
    MALFORMED("\xe2\x82\\n"),
    MALFORMED("12345678\x80"),
};

START_TEST(unescapes_in_place)
{
    const struct escape *escape = &escapes[_i];
    size_t bytes = strlen(escape->in);
    char *text = malloc(bytes > 0 ? bytes : 1);

    memcpy(text, escape->in, bytes);
    size_t got = message_unescape(text, bytes);
    if (escape->want == NULL) {
        ck_assert_uint_eq(got, SIZE_MAX);
    } else {
        ck_assert_uint_eq(got, escape->want_bytes);
        ck_assert_mem_eq(text, escape->want, got);
    }
    free(text);
}
END_TEST

/* All characters of Unicode survive escaping by jansson and unescaping by us. */
START_TEST(unescapes_all_of_unicode)
{
    for (uint32_t code = 1; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
        char text[64], want[5] = {0};
        if (code >= 0xd800 && code <= 0xdfff) {
            continue;
        }
        if (code < 0x10000) {
            (void)snprintf(text, sizeof text, "\\u%04x", code);
        } else {
            (void)snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                           0xdc00 + ((code - 0x10000) & 0x3ff));
        }
        char quoted[80];
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", text);
        json_t *tree = json_loads(quoted, JSON_DECODE_ANY, NULL);
        ck_assert_ptr_nonnull(tree);
        (void)snprintf(want, sizeof want, "%s", json_string_value(tree));
        json_decref(tree);
        size_t got = message_unescape(text, strlen(text));
        ck_assert_uint_eq(got, strlen(want));
        ck_assert_mem_eq(text, want, got);
    }
}
END_TEST

START_TEST(makes_trees)
{
    char fine[] = "{\"a\":\"\\u0000b\",\"c\":[1]}";
    char lone[] = "{\"a\":\"\\ud800\"}";
    char broken[] = "{\"a\":[}";
    json_t *tree = message_tree(span_of(fine));

    ck_assert_ptr_nonnull(tree);
    ck_assert_uint_eq(json_string_length(json_object_get(tree, "a")), 2);
    json_decref(tree);
    ck_assert_ptr_null(message_tree(span_of(lone)));
    ck_assert_ptr_null(message_tree(span_of(broken)));
    ck_assert_ptr_null(message_tree((struct cdp_span){NULL, 0}));
}
END_TEST

START_TEST(formats_commands)
{
    size_t bytes = 0;
    json_t *params = json_pack("{s:s}", "text", "\x7f\"\n\xc3\xa9");
    char *text = message_format(5, "A.b", params, "S1", &bytes);

    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(bytes, strlen(text));
    ck_assert_str_eq(text, "{\"id\":5,\"method\":\"A.b\",\"params\":{\"text\":"
                           "\"\x7f\\\"\\n\xc3\xa9\"},\"sessionId\":\"S1\"}");
    free(text);
    json_decref(params);
    text = message_format(INT32_MAX, "A.b", NULL, "", &bytes);
    ck_assert_str_eq(text, "{\"id\":2147483647,\"method\":\"A.b\"}");
    free(text);
    text = message_format(1, "A.b", NULL, NULL, &bytes);
    ck_assert_str_eq(text, "{\"id\":1,\"method\":\"A.b\"}");
    free(text);
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Applies everything that reads bytes to some; ASan watches. What the scan accepts must
 * have spans inside the text. */
static void read_everything(char *text, size_t bytes)
{
    struct cdp_message message;
    struct cdp_span value;

    if (message_scan(text, bytes, &message) != 0) {
        return;
    }
    const struct cdp_span *spans[] = {&message.method, &message.session, &message.body};
    for (size_t i = 0; i < 3; i++) {
        if (spans[i]->at != NULL) {
            ck_assert(spans[i]->at >= text && spans[i]->bytes <= bytes);
            ck_assert((size_t)(spans[i]->at - text) <= bytes - spans[i]->bytes);
        }
    }
    ck_assert(message.id != 0 || message.method.at != NULL);
    json_decref(message_tree(message.body));
    if (message_member(message.body, "a", &value) ||
        message_member(message.body, "targetInfo", &value)) {
        ck_assert(value.at >= text && value.at + value.bytes <= text + bytes);
        size_t out = message_unescape(value.at, value.bytes);
        ck_assert(out == SIZE_MAX || out <= value.bytes);
    }
}

/* Takes good messages and damages them: bytes changed, cut out, doubled. */
START_TEST(survives_damage)
{
    static const char alphabet[] = "{}[]\",:\\u0dD8e+-.1 \n\xff\x7fnt";
    uint64_t seed = 0x9e3779b97f4a7c15u + (uint64_t)_i;

    for (int round = 0; round < 20000; round++) {
        const char *source = goods[next_random(&seed) % (sizeof goods / sizeof goods[0])].text;
        size_t bytes = strlen(source);
        char *text = malloc(bytes * 2);
        memcpy(text, source, bytes);
        for (uint64_t n = next_random(&seed) % 4 + 1; n > 0 && bytes > 1; n--) {
            size_t at = next_random(&seed) % bytes;
            switch (next_random(&seed) % 3) {
            case 0:
                text[at] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, bytes - at - 1);
                bytes--;
                break;
            default:
                if (bytes < strlen(source) * 2) {
                    memmove(text + at + 1, text + at, bytes - at);
                    bytes++;
                }
            }
        }
        char *exact = malloc(bytes);
        memcpy(exact, text, bytes);
        read_everything(exact, bytes);
        free(exact);
        free(text);
    }
}
END_TEST

/* A string of nothing but escaped quotes must not cost the square of its length. */
START_TEST(is_linear)
{
    const size_t pairs = 8u * 1024 * 1024;
    const char *head = "{\"id\":1,\"result\":{\"value\":\"";
    size_t bytes = strlen(head) + pairs * 2 + 3;
    char *text = malloc(bytes);
    struct cdp_message message;
    struct cdp_span value;

    memcpy(text, head, strlen(head));
    for (size_t i = 0; i < pairs; i++) {
        memcpy(text + strlen(head) + i * 2, i % 2 == 0 ? "\\\\" : "\\\"", 2);
    }
    memcpy(text + bytes - 3, "\"}}", 3);
    ck_assert_int_eq(message_scan(text, bytes, &message), 0);
    ck_assert(message_member(message.body, "value", &value));
    ck_assert_uint_eq(value.bytes, pairs * 2);
    ck_assert_uint_eq(message_unescape(value.at, value.bytes), pairs);
    free(text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("message");

    tcase_add_loop_test(tests, finds_the_parts, 0, (int)(sizeof goods / sizeof goods[0]));
    tcase_add_loop_test(tests, refuses_what_is_no_message, 0, (int)(sizeof bads / sizeof bads[0]));
    tcase_add_test(tests, refuses_every_prefix);
    tcase_add_loop_test(tests, bounds_the_depth, 505, 520);
    tcase_add_test(tests, bounds_even_a_million_levels);
    tcase_add_test(tests, finds_members);
    tcase_add_loop_test(tests, unescapes_in_place, 0, (int)(sizeof escapes / sizeof escapes[0]));
    tcase_add_test(tests, unescapes_all_of_unicode);
    tcase_add_test(tests, makes_trees);
    tcase_add_test(tests, formats_commands);
    tcase_add_loop_test(tests, survives_damage, 0, 8);
    tcase_add_test(tests, is_linear);
    Suite *suite = suite_create("message");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
