/* finish.c: from what was captured to what is sent; see finish.h. */
#include "daemon/finish.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/daemon.h"
#include "daemon/envelope.h"
#include "daemon/gzip.h"

/* What is done at once: about a millisecond of parsing or compressing. */
#define INLINE_BYTES_MAX 32768

static bool wants_edit(const struct render_params *params)
{
    return params->path_mode || params->strip_scripts || params->base != NULL;
}

/* Puts the edited document into the place of the captured one. One that nests too deep is
 * sent as it is: nobody can say where its scripts are. */
static int edit(struct finish *finish)
{
    const struct render_params *params = &finish->request.http.params;
    struct render_result *result = finish->result;
    const struct document_options options = {
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

static void compress(struct finish *finish)
{
    size_t bytes;
    if (finish->body == NULL || finish->body_bytes < GZIP_BYTES_MIN)
        return;
    char *packed = gzip_bytes(finish->body, finish->body_bytes, &bytes);
    if (packed == NULL)
        return; /* It is sent as it is. */
    free(finish->body);
    finish->body = packed;
    finish->body_bytes = bytes;
    finish->is_gzipped = true;
}

/* Runs in any thread. */
static void run(struct finish *finish)
{
    const struct http_request *http = &finish->request.http;
    if (wants_edit(&http->params))
        finish->error = edit(finish);
    if (finish->error != 0)
        return;
    if (http->accept == HTTP_ACCEPT_ENVELOPE) {
        finish->body = envelope_text(&finish->request, finish->result, &finish->phases);
        finish->body_bytes = finish->body != NULL ? strlen(finish->body) : 0;
        finish->error = finish->body != NULL ? 0 : -ENOMEM;
    } else {
        finish->body = finish->result->html;
        finish->body_bytes = finish->result->html_bytes;
        finish->result->html = NULL;
    }
    if (http->gzip)
        compress(finish);
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
    finish->phases = *phases;
    finish->result = result;
    bool is_plain =
        !wants_edit(params) && !request->http.gzip && request->http.accept == HTTP_ACCEPT_DOCUMENT;
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
    render_params_free(&finish->request.http.params);
    render_result_free(finish->result);
    document_result_free(&finish->document);
    free(finish->body);
    free(finish);
}
