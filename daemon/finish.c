/* finish.c: from what was captured to what is sent; see finish.h. */
#include "daemon/finish.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "config/selector.h"
#include "daemon/daemon.h"
#include "daemon/envelope.h"
#include "daemon/gzip.h"

/* What is done at once: about a millisecond of parsing or compressing. */
#define INLINE_BYTES_MAX 32768

static bool wants_edit(const struct render_params *params)
{
    return params->path_mode || params->strip_scripts || params->base != NULL ||
           params->remove_selectors.count > 0;
}

/* Puts the edited document into the place of the captured one. One that nests too deep is
 * sent as it is: nobody can say where its scripts are. */
static int edit(struct finish *finish, const struct selector *removed, size_t removed_count)
{
    const struct render_params *params = &finish->request.http.params;
    struct render_result *result = finish->result;
    const struct document_options options = {
        .removed = removed,
        .removed_count = removed_count,
        .strip_scripts = params->strip_scripts,
        .metas = params->path_mode,
        .base = params->base,
    };
    int error = document_edit(result->html, result->html_bytes, &options, &finish->document);
    if (error == -E2BIG)
        return 0;
    if (error == 0) {
        free(result->html);
        result->html = finish->document.bytes;
        result->html_bytes = finish->document.bytes_count;
        finish->document.bytes = NULL;
    }
    return error;
}

/* The selectors were read once already, when the request came. */
static int read_and_edit(struct finish *finish)
{
    const struct param_strings *texts = &finish->request.http.params.remove_selectors;
    struct selector *removed = NULL;
    if (texts->count > 0) {
        removed = calloc(texts->count, sizeof *removed);
        if (removed == NULL)
            return -ENOMEM;
    }
    for (size_t i = 0; i < texts->count; i++) {
        size_t at;
        const char *error =
            selector_parse(texts->items[i], strlen(texts->items[i]), &removed[i], &at);
        assert(error == NULL);
    }
    int error = edit(finish, removed, texts->count);
    free(removed);
    return error;
}

static void compress(char **body, size_t *body_bytes, bool *is_gzipped)
{
    size_t bytes;
    if (*body_bytes < GZIP_BYTES_MIN)
        return;
    char *packed = gzip_bytes(*body, *body_bytes, &bytes);
    if (packed == NULL)
        return; /* It is sent as it is. */
    free(*body);
    *body = packed;
    *body_bytes = bytes;
    *is_gzipped = true;
}

static char *copy_html(const struct render_result *result)
{
    char *copy = malloc(result->html_bytes + 1);
    if (copy != NULL)
        memcpy(copy, result->html, result->html_bytes);
    return copy;
}

/* The envelope names the request that it answers; the document is the same for all. */
static int make_follower_body(struct finish *finish, struct finish_follower *follower)
{
    if (follower->http.accept == HTTP_ACCEPT_ENVELOPE) {
        struct request request = finish->request;
        request.http = follower->http;
        follower->body = envelope_text(&request, finish->result, &finish->phases);
        follower->body_bytes = follower->body != NULL ? strlen(follower->body) : 0;
    } else {
        follower->body = copy_html(finish->result);
        follower->body_bytes = finish->result->html_bytes;
    }
    if (follower->body == NULL)
        return -ENOMEM;
    if (follower->http.gzip)
        compress(&follower->body, &follower->body_bytes, &follower->is_gzipped);
    return 0;
}

static int make_body(struct finish *finish)
{
    const struct http_request *http = &finish->request.http;
    if (http->accept == HTTP_ACCEPT_ENVELOPE) {
        finish->body = envelope_text(&finish->request, finish->result, &finish->phases);
        finish->body_bytes = finish->body != NULL ? strlen(finish->body) : 0;
        if (finish->body == NULL)
            return -ENOMEM;
    } else {
        finish->body = finish->result->html;
        finish->body_bytes = finish->result->html_bytes;
        finish->result->html = NULL;
    }
    if (http->gzip && finish->body != NULL)
        compress(&finish->body, &finish->body_bytes, &finish->is_gzipped);
    return 0;
}

/* Runs in any thread. The first is last: it may take the document itself. */
static void run(struct finish *finish)
{
    if (wants_edit(&finish->request.http.params))
        finish->error = read_and_edit(finish);
    for (size_t i = 0; i < finish->followers_count && finish->error == 0; i++)
        finish->error = make_follower_body(finish, &finish->followers[i]);
    if (finish->error == 0)
        finish->error = make_body(finish);
}

static void on_work(uv_work_t *work)
{
    run(work->data);
}

static void on_worked(uv_work_t *work, int status)
{
    struct finish *finish = work->data;
    const struct inbox_event event = {.type = INBOX_FINISHED, .as.finish = finish};
    (void)status; /* Nobody cancels it. */
    inbox_push(&finish->daemon->inbox, &event);
}

/* The requests themselves may be over before their answers are ready. */
static void copy_followers(struct finish *finish, const struct request *leader)
{
    const struct request *follower;
    size_t count = 0;
    TAILQ_FOREACH(follower, &leader->followers, follower_entry)
    count++;
    TAILQ_INIT(&finish->request.followers);
    if (count == 0)
        return;
    finish->followers = calloc(count, sizeof *finish->followers);
    if (finish->followers == NULL)
        abort();
    TAILQ_FOREACH(follower, &leader->followers, follower_entry)
    {
        struct finish_follower *copy = &finish->followers[finish->followers_count++];
        copy->id = follower->id;
        copy->http = follower->http;
        copy->http.params = finish->request.http.params;
    }
}

void finish_start(struct daemon *daemon, const struct request *request, const struct phases *phases,
                  struct render_result *result)
{
    struct finish *finish = calloc(1, sizeof *finish);
    if (finish == NULL)
        abort(); /* The client would never be answered. */
    const struct render_params *params = &request->http.params;
    finish->work.data = finish;
    finish->daemon = daemon;
    finish->request = *request;
    if (!render_params_copy(params, &finish->request.http.params))
        abort();
    copy_followers(finish, request);
    finish->phases = *phases;
    finish->result = result;
    bool is_plain = !wants_edit(params) && !request->http.gzip && finish->followers_count == 0 &&
                    request->http.accept == HTTP_ACCEPT_DOCUMENT;
    if (!is_plain && result->html_bytes > INLINE_BYTES_MAX) {
        int error = uv_queue_work(&daemon->loop, &finish->work, on_work, on_worked);
        assert(error == 0);
        return;
    }
    run(finish);
    reply_finished(daemon, finish);
}

void finish_free(struct finish *finish)
{
    for (size_t i = 0; i < finish->followers_count; i++)
        free(finish->followers[i].body);
    free(finish->followers);
    render_params_free(&finish->request.http.params);
    render_result_free(finish->result);
    document_result_free(&finish->document);
    free(finish->body);
    free(finish);
}
