/* digest.c: see digest.h. */
#include "cdp/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* What is read at once: a tenth of a millisecond, and handing it over costs as much. */
#define INLINE_BYTES_MAX (64 * 1024)

/* How Chromium begins every reply, and no event. */
static const char reply_head[] = "{\"id\":";

struct digest {
    uv_work_t work;
    struct digests *digests;
    char *text; /* NULL: nothing but the document is left of it. */
    size_t bytes;
    struct cdp_message message;
    bool is_message;
    STAILQ_ENTRY(digest) next;
};

struct digests {
    uv_loop_t *loop;
    size_t out; /* Handed to a thread and not back yet. */
    STAILQ_HEAD(, digest) read;
};

struct digests *digests_new(uv_loop_t *loop)
{
    struct digests *digests = calloc(1, sizeof *digests);

    if (digests != NULL) {
        digests->loop = loop;
        STAILQ_INIT(&digests->read);
    }
    return digests;
}

/* Runs in a thread. A text whose document is out is of no more use: freeing it takes time
 * as well. */
static void on_work(uv_work_t *work)
{
    struct digest *digest = work->data;
    struct cdp_message *message = &digest->message;
    struct cdp_span html;

    digest->is_message = message_scan(digest->text, digest->bytes, message) == 0;
    if (!digest->is_message || message->is_error ||
        !message_member(message->body, "outerHTML", &html)) {
        return;
    }
    message->document = message_document(html, &message->document_bytes);
    if (message->document == NULL) {
        return;
    }
    message->session = message->body = (struct cdp_span){NULL, 0};
    free(digest->text);
    digest->text = NULL;
}

static void on_worked(uv_work_t *work, int status)
{
    struct digest *digest = work->data;

    (void)status; /* Nobody cancels it. */
    digest->digests->out--;
    STAILQ_INSERT_TAIL(&digest->digests->read, digest, next);
}

bool digests_offer(struct digests *digests, const struct wire_message *text)
{
    struct digest *digest;

    if (text->bytes <= INLINE_BYTES_MAX ||
        memcmp(text->text, reply_head, sizeof reply_head - 1) != 0) {
        return false;
    }
    digest = calloc(1, sizeof *digest);
    if (digest == NULL) {
        return false;
    }
    digest->work.data = digest;
    digest->digests = digests;
    digest->text = text->text;
    digest->bytes = text->bytes;
    digests->out++;
    int error = uv_queue_work(digests->loop, &digest->work, on_work, on_worked);
    assert(error == 0);
    return true;
}

static struct digest *first(const struct digests *digests)
{
    return STAILQ_FIRST(&digests->read);
}

struct cdp_message *digests_next(struct digests *digests)
{
    /* What is no message answers nobody. */
    while (first(digests) != NULL && !first(digests)->is_message) {
        digests_drop(digests);
    }
    return first(digests) != NULL ? &first(digests)->message : NULL;
}

void digests_drop(struct digests *digests)
{
    struct digest *digest = first(digests);

    assert(digest != NULL);
    STAILQ_REMOVE_HEAD(&digests->read, next);
    free(digest->text);
    free(digest->message.document);
    free(digest);
}

bool digests_is_idle(const struct digests *digests)
{
    return digests->out == 0 && first(digests) == NULL;
}

void digests_free(struct digests *digests)
{
    if (digests == NULL) {
        return;
    }
    assert(digests_is_idle(digests));
    free(digests);
}
