/* finish.c: from what was captured to what is sent; see finish.h. */
#include "daemon/finish.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "config/selector.h"
#include "daemon/base64.h"
#include "daemon/daemon.h"
#include "daemon/envelope.h"
#include "daemon/gzip.h"
#include "document/ascii.h"

/* What is done at once: about a millisecond of parsing or compressing. */
#define INLINE_BYTES_MAX 32768

static bool wants_edit(const struct render_params *params)
{
    return params->meta_status || params->strip_scripts || params->base != NULL ||
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
        .metas = params->meta_status,
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

static int to_ascii(struct render_result *result)
{
    size_t bytes_max = ascii_bytes_max(result->html, result->html_bytes);
    if (bytes_max == result->html_bytes)
        return 0;
    char *html = malloc(bytes_max);
    if (html == NULL)
        return -ENOMEM;
    result->html_bytes = ascii_write(result->html, result->html_bytes, html);
    free(result->html);
    result->html = html;
    return 0;
}

static void compress(struct finish_body *body)
{
    size_t bytes;
    if (body->count < GZIP_BYTES_MIN)
        return;
    char *packed = gzip_bytes(body->bytes, body->count, &bytes);
    if (packed == NULL)
        return; /* It is sent as it is. */
    free(body->bytes);
    body->bytes = packed;
    body->count = bytes;
    body->is_gzipped = true;
}

enum output finish_output(const struct finish *finish)
{
    unsigned output = 0;
    while ((finish->request.http.params.outputs & OUTPUT_BIT(output)) == 0)
        output++;
    assert(output < OUTPUTS);
    return (enum output)output;
}

static bool is_base64(enum output output)
{
    return (OUTPUT_BIT(output) & (OUTPUT_IMAGES | OUTPUT_BIT(OUTPUT_PDF))) != 0;
}

/* Only the page has said that this is JSON. */
static bool is_json(const struct render_output *output)
{
    json_t *tree = json_loadb(output->bytes, output->bytes_count,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(tree);
    return tree != NULL;
}

static int check_expression(const struct finish *finish)
{
    const struct render_result *result = finish->result;
    bool is_made = (result->outputs_made & OUTPUT_BIT(OUTPUT_EXPRESSION)) != 0;
    return !is_made || is_json(&result->outputs[OUTPUT_EXPRESSION]) ? 0 : -EBADMSG;
}

/* The one output, as bytes of its own. The last answer takes it instead of copying it. */
static char *output_bytes(struct finish *finish, bool is_last, size_t *ret_bytes)
{
    enum output which = finish_output(finish);
    struct render_result *result = finish->result;
    char **from = which == OUTPUT_HTML ? &result->html : &result->outputs[which].bytes;
    size_t bytes = which == OUTPUT_HTML ? result->html_bytes : result->outputs[which].bytes_count;
    char *copy = is_last ? *from : malloc(bytes + 1);
    if (is_last)
        *from = NULL;
    else if (copy != NULL)
        memcpy(copy, *from, bytes);
    *ret_bytes = bytes;
    return copy;
}

/* The envelope names the request that it answers; the output is the same for all. */
static int make_body(struct finish *finish, const struct http_request *http, bool is_last,
                     struct finish_body *ret)
{
    struct request request = finish->request;
    request.http = *http;
    bool is_packed = http->accept == HTTP_ACCEPT_DOCUMENT && is_base64(finish_output(finish));
    switch (http->accept) {
    case HTTP_ACCEPT_ENVELOPE:
        ret->bytes = envelope_text(&request, finish->result, &finish->document, &finish->phases,
                                   &ret->count);
        break;
    case HTTP_ACCEPT_DATA:
        ret->bytes = envelope_data_text(finish->result, &ret->count);
        break;
    case HTTP_ACCEPT_DOCUMENT:
        ret->bytes = output_bytes(finish, is_last, &ret->count);
        break;
    }
    if (ret->bytes == NULL)
        return -ENOMEM;
    if (is_packed && !base64_decode(ret->bytes, ret->count, &ret->count))
        return -EBADMSG;
    if (http->gzip && !is_packed)
        compress(ret);
    return 0;
}

/* Runs in any thread. */
static void run(struct finish *finish)
{
    const struct http_request *http = &finish->request.http;
    if (wants_edit(&http->params) && finish->result->html != NULL)
        finish->error = read_and_edit(finish);
    if (finish->error == 0 && http->params.charset == CHARSET_ASCII && finish->result->html != NULL)
        finish->error = to_ascii(finish->result);
    if (finish->error == 0)
        finish->error = check_expression(finish);
    for (size_t i = 0; i < finish->followers_count && finish->error == 0; i++) {
        struct finish_follower *follower = &finish->followers[i];
        finish->error = make_body(finish, &follower->http, false, &follower->body);
    }
    if (finish->error == 0)
        finish->error = make_body(finish, http, true, &finish->body);
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

static size_t bytes_of(const struct render_result *result)
{
    size_t bytes = result->html_bytes;
    for (size_t i = 0; i < OUTPUTS; i++)
        bytes += result->outputs[i].bytes_count;
    return bytes;
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
    bool is_plain = !wants_edit(params) && params->charset == CHARSET_UTF8 && !request->http.gzip &&
                    finish->followers_count == 0 && request->http.accept == HTTP_ACCEPT_DOCUMENT &&
                    params->outputs == OUTPUT_BIT(OUTPUT_HTML);
    if (!is_plain && bytes_of(result) > INLINE_BYTES_MAX) {
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
        free(finish->followers[i].body.bytes);
    free(finish->followers);
    render_params_free(&finish->request.http.params);
    render_result_free(finish->result);
    document_result_free(&finish->document);
    free(finish->body.bytes);
    free(finish);
}
