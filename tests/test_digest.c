/* test_digest.c: large replies are read by a thread, see cdp/digest.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/digest.h"
#include "tests/suite.h"

/* More than is read at once. */
#define LARGE_BYTES 300000

/* A text with a large filling between two parts. */
static struct wire_message text_of(const char *head, const char *tail)
{
    size_t head_bytes = strlen(head), tail_bytes = strlen(tail);
    size_t bytes = head_bytes + LARGE_BYTES + tail_bytes;
    char *text = malloc(bytes + 1);

    ck_assert_ptr_nonnull(text);
    memcpy(text, head, head_bytes);
    memset(text + head_bytes, 'x', LARGE_BYTES);
    memcpy(text + head_bytes + LARGE_BYTES, tail, tail_bytes + 1);
    return (struct wire_message){.text = text, .bytes = bytes};
}

/* Offers the text, which must be taken, and waits until it has been read. */
static struct cdp_message *digest(uv_loop_t *loop, struct digests *digests,
                                  const struct wire_message *text)
{
    ck_assert(digests_offer(digests, text));
    ck_assert(!digests_is_idle(digests));
    ck_assert_ptr_null(digests_next(digests));
    ck_assert_int_eq(uv_run(loop, UV_RUN_DEFAULT), 0);
    return digests_next(digests);
}

START_TEST(reads_a_large_document)
{
    uv_loop_t *loop = uv_default_loop();
    struct digests *digests = digests_new(loop);
    const struct wire_message text =
        text_of("{\"id\":7,\"result\":{\"outerHTML\":\"<p class=\\\"\\u00e9\\\">\\u0000\\ud800",
                "</p>\"},\"sessionId\":\"S\"}");
    struct cdp_message *message = digest(loop, digests, &text);

    ck_assert_ptr_nonnull(message);
    ck_assert_uint_eq(message->id, 7);
    ck_assert(!message->is_error);
    /* The quotes and é are unescaped, NUL is gone, the lone surrogate is U+FFFD. */
    static const char head[] = "<p class=\"\xc3\xa9\">\xef\xbf\xbdxxx";
    ck_assert_int_eq(memcmp(message->document, head, sizeof head - 1), 0);
    ck_assert_uint_eq(message->document_bytes, sizeof head - 1 - 3 + LARGE_BYTES + 4);
    ck_assert_uint_eq(strlen(message->document), message->document_bytes);
    /* Who takes it keeps it. */
    char *document = message->document;
    message->document = NULL;
    digests_drop(digests);
    ck_assert(digests_is_idle(digests));
    ck_assert_str_eq(document + strlen(document) - 7, "xxx</p>");
    free(document);
    digests_free(digests);
}
END_TEST

/* What has no document, or one that is malformed, keeps its parts. */
START_TEST(reads_other_large_replies)
{
    uv_loop_t *loop = uv_default_loop();
    struct digests *digests = digests_new(loop);
    const struct wire_message value = text_of("{\"id\":8,\"result\":{\"value\":\"", "\"}}");
    struct cdp_message *message = digest(loop, digests, &value);
    struct cdp_span span;

    ck_assert_uint_eq(message->id, 8);
    ck_assert_ptr_null(message->document);
    ck_assert(message_member(message->body, "value", &span));
    ck_assert_uint_eq(span.bytes, LARGE_BYTES);
    digests_drop(digests);

    const struct wire_message broken = text_of("{\"id\":9,\"result\":{\"outerHTML\":\"\\u", "\"}}");
    message = digest(loop, digests, &broken);
    ck_assert_uint_eq(message->id, 9);
    ck_assert_ptr_null(message->document);
    ck_assert_ptr_nonnull(message->body.at);
    digests_drop(digests);

    const struct wire_message refused = text_of("{\"id\":10,\"error\":{\"outerHTML\":\"", "\"}}");
    message = digest(loop, digests, &refused);
    ck_assert(message->is_error);
    ck_assert_ptr_null(message->document);
    digests_drop(digests);
    digests_free(digests);
}
END_TEST

START_TEST(drops_what_is_no_message)
{
    uv_loop_t *loop = uv_default_loop();
    struct digests *digests = digests_new(loop);
    const struct wire_message text = text_of("{\"id\":8,\"result\":{\"value\":\"", "");

    ck_assert_ptr_null(digest(loop, digests, &text));
    ck_assert(digests_is_idle(digests));
    digests_free(digests);
}
END_TEST

/* Events stay in their order, and small replies are read at once. */
START_TEST(leaves_events_and_small_replies)
{
    struct digests *digests = digests_new(uv_default_loop());
    const struct wire_message event = text_of("{\"method\":\"A.b\",\"params\":{\"c\":\"", "\"}}");
    char small[] = "{\"id\":8,\"result\":{}}";
    const struct wire_message reply = {.text = small, .bytes = sizeof small - 1};

    ck_assert(!digests_offer(digests, &event));
    ck_assert(!digests_offer(digests, &reply));
    ck_assert(digests_is_idle(digests));
    free(event.text);
    digests_free(digests);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("digest");

    tcase_add_test(tests, reads_a_large_document);
    tcase_add_test(tests, reads_other_large_replies);
    tcase_add_test(tests, drops_what_is_no_message);
    tcase_add_test(tests, leaves_events_and_small_replies);
    Suite *suite = suite_create("digest");
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
