/* batch.c: the renders of one command line; see batch.h. */
#include "daemon/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "daemon/daemon.h"
#include "daemon/save.h"

/* A document on its way to its file. Writing may take as long as the reader likes, so that
 * runs in a thread; its end comes back through the inbox. */
struct save {
    uv_work_t work;
    struct daemon *daemon;
    struct finish *finish; /* Owned. */
    char *path;            /* Owned; NULL: standard output. */
    bool newline;
    int error; /* Negative errno. */
};

void batch_open(struct daemon *daemon, struct batch *batch, const struct cli *cli)
{
    *batch = (struct batch){
        .cli = cli,
        .jobs = cli->jobs != 0 ? cli->jobs : daemon->config.pool.pages_max,
        .progress.total = cli->urls_count,
        .is_terminal = isatty(STDERR_FILENO) != 0,
    };
    daemon->batch = batch;
}

static void clear_line(struct batch *batch)
{
    if (batch->is_shown)
        (void)fputs("\r\033[K", stderr);
    batch->is_shown = false;
}

/* One sentence about one URL; of a single one the command line already tells which. */
static void tell(struct daemon *daemon, const struct request *request, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct daemon *daemon, const struct request *request, const char *format, ...)
{
    va_list arguments;
    clear_line(daemon->batch);
    (void)fputs("prerenderd: ", stderr);
    if (daemon->batch->cli->has_many)
        (void)fprintf(stderr, "%s: ", request->http.params.url);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

/* One of them is over; `count` is how it ended. */
static void count(struct batch *batch, size_t *counter)
{
    assert(batch->running > 0);
    batch->running--;
    ++*counter;
}

static void begin(struct daemon *daemon)
{
    struct batch *batch = daemon->batch;
    struct http_request http;
    char error[CLI_ERROR_BYTES];
    uint64_t id = ++batch->next;
    batch->running++;
    if (!cli_request(batch->cli, &daemon->config, id - 1, &http, error)) {
        /* It was right before the browser was started: memory is out. */
        (void)fprintf(stderr, "prerenderd: %s\n", error);
        count(batch, &batch->progress.failed);
        return;
    }
    struct inbox_event event = {.type = INBOX_HTTP_REQUEST, .as.request = request_new(id, &http)};
    if (event.as.request == NULL)
        abort(); /* So it is for a page's worth of memory. */
    inbox_push(&daemon->inbox, &event);
}

static size_t columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - 1U : 79;
}

static uint64_t due_ms(const struct daemon *daemon)
{
    const struct batch *batch = daemon->batch;
    if (!batch->is_terminal)
        return UINT64_MAX;
    return batch->shown_ms == 0 ? daemon->started_ms + PROGRESS_AFTER_MS
                                : batch->shown_ms + PROGRESS_INTERVAL_MS;
}

static void draw(struct daemon *daemon)
{
    struct batch *batch = daemon->batch;
    char text[PROGRESS_TEXT_BYTES];
    progress_line(&batch->progress, daemon->now_ms - daemon->started_ms, columns(), text);
    (void)fprintf(stderr, "\r%s\033[K", text);
    (void)fflush(stderr);
    batch->is_shown = true;
    batch->shown_ms = daemon->now_ms;
}

void batch_turn(struct daemon *daemon)
{
    struct batch *batch = daemon->batch;
    if (batch == NULL || daemon->state != DAEMON_SERVING)
        return;
    while (batch->running < batch->jobs && batch->next < batch->cli->urls_count)
        begin(daemon);
    if (batch_is_over(daemon))
        clear_line(batch);
    else if (daemon->now_ms >= due_ms(daemon))
        draw(daemon);
}

uint64_t batch_deadline_ms(const struct daemon *daemon)
{
    bool runs = daemon->batch != NULL && daemon->state == DAEMON_SERVING;
    return runs ? due_ms(daemon) : UINT64_MAX;
}

bool batch_is_over(const struct daemon *daemon)
{
    const struct batch *batch = daemon->batch;
    return batch != NULL && batch->running == 0 && batch->next == batch->cli->urls_count;
}

void batch_interrupt(struct daemon *daemon, int signal)
{
    clear_line(daemon->batch);
    daemon->batch->signal = signal;
}

void batch_problem(struct daemon *daemon, const struct request *request, enum http_code code,
                   const char *detail)
{
    struct progress *progress = &daemon->batch->progress;
    bool late =
        code == HTTP_QUEUE_TIMEOUT || code == HTTP_RENDER_TIMEOUT || code == HTTP_PAGE_UNRESPONSIVE;
    if (code == HTTP_QUEUE_TIMEOUT && daemon->life_error[0] != '\0')
        tell(daemon, request, "%s: no browser was running: %s", http_code_name(code),
             daemon->life_error);
    else
        tell(daemon, request, "%s: %s", http_code_name(code), detail);
    count(daemon->batch, late ? &progress->timed_out : &progress->failed);
}

static void on_work(uv_work_t *work)
{
    struct save *save = work->data;
    const struct finish *finish = save->finish;
    save->error = save->path != NULL
                      ? save_file(save->path, finish->body.bytes, finish->body.count)
                      : save_stdout(finish->body.bytes, finish->body.count, save->newline);
}

static void on_worked(uv_work_t *work, int status)
{
    struct save *save = work->data;
    const struct inbox_event event = {.type = INBOX_SAVED, .as.save = save};
    (void)status; /* Nobody cancels it. */
    inbox_push(&save->daemon->inbox, &event);
}

void batch_save(struct daemon *daemon, struct finish *finish)
{
    const struct cli *cli = daemon->batch->cli;
    struct save *save = calloc(1, sizeof *save);
    if (save == NULL)
        abort(); /* The document would be lost without a word. */
    save->work.data = save;
    save->daemon = daemon;
    save->finish = finish;
    save->newline = cli->json;
    if (cli->target != NULL) {
        save->path = cli_path(cli, finish->request.id - 1, cli_extension(&finish->request.http));
        if (save->path == NULL)
            abort();
    }
    int error = uv_queue_work(&daemon->loop, &save->work, on_work, on_worked);
    assert(error == 0);
}

void batch_saved(struct daemon *daemon, struct save *save)
{
    struct progress *progress = &daemon->batch->progress;
    const struct request *request = &save->finish->request;
    const struct render_result *result = save->finish->result;
    if (save->error != 0) {
        tell(daemon, request, "cannot write %s: %s",
             save->path != NULL ? save->path : "standard output", strerror(-save->error));
        count(daemon->batch, &progress->failed);
    } else if (result->outcome == RENDER_PARTIAL) {
        tell(daemon, request, "partial: %s, %u requests pending",
             result->reason == RENDER_CONDITION ? "not every condition of wait held in time"
                                                : "the deadline came first",
             result->pending);
        count(daemon->batch, &progress->partial);
    } else {
        count(daemon->batch, &progress->complete);
    }
    batch_save_free(save);
}

void batch_save_free(struct save *save)
{
    finish_free(save->finish);
    free(save->path);
    free(save);
}
