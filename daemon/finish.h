/* finish.h: the last phase of a render: from what was captured to what is sent.
 *
 * Editing, decoding and compressing something large takes longer than the loop may be held
 * up, so that runs in a thread of libuv's pool, on a struct that nobody else touches
 * meanwhile. Its end comes back through the inbox. */
#ifndef DAEMON_FINISH_H
#define DAEMON_FINISH_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>
#include "cdp/result.h"
#include "daemon/phases.h"
#include "daemon/requests.h"
#include "document/document.h"

struct daemon;

struct finish_body {
    char *bytes; /* Owned. */
    size_t count;
    bool is_gzipped;
};

/* What another request gets of the same result: see share.h. */
struct finish_follower {
    uint64_t id;
    struct http_request http; /* Owns nothing; .params are those of the first. */
    struct finish_body body;
};

struct finish {
    uv_work_t work;
    struct daemon *daemon;
    struct request request; /* A copy: the request may be over before its answer is ready. */
    struct render_result *result;
    struct phases phases;              /* Until here. */
    struct document_result document;   /* Status and headers that the page set by metas. */
    struct finish_body body;           /* What is sent. */
    struct finish_follower *followers; /* Owned. */
    size_t followers_count;
    int error; /* Negative errno. */
};

/* Takes the result, copies the request. Large work ends with INBOX_FINISHED, small work
 * is done at once; either way reply_finished() is called with it. */
void finish_start(struct daemon *, const struct request *, const struct phases *,
                  struct render_result *);
/* The one output that is answered as itself. */
enum output finish_output(const struct finish *);
void finish_free(struct finish *);

#endif
