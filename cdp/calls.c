/* calls.c: the pending calls of one connection, see calls.h.
 *
 * A node is in exactly one of three places: free; pending (found by id in a bucket, and by
 * deadline in the tree); or ending (taken out, its `done` still to run). Whatever ends
 * calls first fixes the set by moving nodes to `ending`, and only then runs `done`, which
 * may therefore add, end and forget calls as it likes. */
#include "cdp/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <bsd/sys/tree.h>

struct call {
    uint64_t id; /* 0: lost before it could be sent, so that it never had one. */
    uint64_t session, deadline_ms, tag;
    const char *label;
    call_done *done;
    void *owner;
    enum call_end end;           /* While ending. */
    struct cdp_message *message; /* While ending: REPLIED, REFUSED. */
    RB_ENTRY(call) by_deadline;  /* While pending. */
    LIST_ENTRY(call) by_id;      /* While pending. */
    STAILQ_ENTRY(call) next;     /* While free or ending. */
    bool is_extra;               /* malloc()ed beyond `nodes`, see calls_add_lost(). */
};

RB_HEAD(deadline_tree, call);
LIST_HEAD(bucket, call);
STAILQ_HEAD(call_list, call);

struct calls {
    uint64_t last_id;
    uint32_t pending_count; /* Nodes that are pending or ending. */
    uint32_t bucket_mask;
    bool is_ending; /* Some caller further up runs the `done` of all that are ending. */
    struct deadline_tree tree;
    struct call_list ending, free;
    struct bucket *buckets;
    struct call *nodes;
};

/* Equal deadlines end in the order in which they were added. */
static int call_compare(const struct call *a, const struct call *b)
{
    if (a->deadline_ms != b->deadline_ms) {
        return a->deadline_ms < b->deadline_ms ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The _STATIC forms of these macros want a BSD compiler's __unused. */
RB_PROTOTYPE_INTERNAL(deadline_tree, call, by_deadline, call_compare,
                      __attribute__((__unused__)) static)
RB_GENERATE_INTERNAL(deadline_tree, call, by_deadline, call_compare,
                     __attribute__((__unused__)) static)

static uint32_t bucket_count_for(uint32_t calls_max)
{
    uint32_t count = 16;

    while (count < calls_max && count < (UINT32_C(1) << 20)) {
        count *= 2;
    }
    return count;
}

struct calls *calls_new(uint32_t calls_max)
{
    assert(calls_max > 0);
    uint32_t bucket_count = bucket_count_for(calls_max);
    struct calls *calls = calloc(1, sizeof *calls);
    if (calls == NULL) {
        return NULL;
    }
    calls->buckets = calloc(bucket_count, sizeof *calls->buckets);
    calls->nodes = calloc(calls_max, sizeof *calls->nodes);
    if (calls->buckets == NULL || calls->nodes == NULL) {
        calls_free(calls);
        return NULL;
    }
    calls->bucket_mask = bucket_count - 1;
    RB_INIT(&calls->tree);
    STAILQ_INIT(&calls->ending);
    STAILQ_INIT(&calls->free);
    for (uint32_t i = 0; i < calls_max; i++) {
        STAILQ_INSERT_TAIL(&calls->free, &calls->nodes[i], next);
    }
    return calls;
}

static struct bucket *bucket_of(struct calls *calls, uint64_t id)
{
    /* Ids are consecutive, so the low bits spread them perfectly. */
    return &calls->buckets[id & calls->bucket_mask];
}

static void call_release(struct calls *calls, struct call *call)
{
    assert(calls->pending_count > 0);
    calls->pending_count--;
    if (call->is_extra) {
        free(call);
    } else {
        STAILQ_INSERT_HEAD(&calls->free, call, next);
    }
}

void calls_free(struct calls *calls)
{
    if (calls == NULL) {
        return;
    }
    assert(!calls->is_ending);
    while (calls->nodes != NULL && !STAILQ_EMPTY(&calls->ending)) {
        struct call *call = STAILQ_FIRST(&calls->ending);
        STAILQ_REMOVE_HEAD(&calls->ending, next);
        call_release(calls, call);
    }
    free(calls->nodes);
    free(calls->buckets);
    free(calls);
}

static struct call *call_take_free(struct calls *calls)
{
    struct call *call = STAILQ_FIRST(&calls->free);

    if (call != NULL) {
        assert(!call->is_extra);
        STAILQ_REMOVE_HEAD(&calls->free, next);
        memset(call, 0, sizeof *call);
        calls->pending_count++;
    }
    return call;
}

uint64_t calls_add(struct calls *calls, const char *label, uint64_t session, uint64_t deadline_ms,
                   call_done *done, void *owner, uint64_t tag)
{
    assert(label != NULL && *label != '\0');
    /* Chromium reads ids as 32 bits with a sign. A connection that has used them all
     * loses every further call, its probes included, and is replaced. */
    if (calls->last_id == INT32_MAX) {
        return 0;
    }
    struct call *call = call_take_free(calls);
    if (call == NULL) {
        return 0;
    }
    call->id = ++calls->last_id;
    call->label = label;
    call->session = session;
    call->deadline_ms = deadline_ms;
    call->done = done;
    call->owner = owner;
    call->tag = tag;
    LIST_INSERT_HEAD(bucket_of(calls, call->id), call, by_id);
    RB_INSERT(deadline_tree, &calls->tree, call);
    return call->id;
}

void calls_add_lost(struct calls *calls, const char *label, uint64_t session, call_done *done,
                    void *owner, uint64_t tag)
{
    struct call *call = call_take_free(calls);

    if (call == NULL) {
        call = calloc(1, sizeof *call);
        assert(call != NULL);
        call->is_extra = true;
        calls->pending_count++;
    }
    call->label = label;
    call->session = session;
    call->done = done;
    call->owner = owner;
    call->tag = tag;
    call->end = CALL_LOST;
    STAILQ_INSERT_TAIL(&calls->ending, call, next);
}

static struct call *call_find(struct calls *calls, uint64_t id)
{
    struct call *call;

    LIST_FOREACH(call, bucket_of(calls, id), by_id)
    {
        if (call->id == id) {
            break;
        }
    }
    return call;
}

static void call_unlink(struct calls *calls, struct call *call)
{
    assert(call->id != 0);
    LIST_REMOVE(call, by_id);
    RB_REMOVE(deadline_tree, &calls->tree, call);
}

/* Moves a pending call to those whose `done` runs next. */
static void call_move_to_ending(struct calls *calls, struct call *call, enum call_end end)
{
    call_unlink(calls, call);
    call->end = end;
    STAILQ_INSERT_TAIL(&calls->ending, call, next);
}

/* Runs `done` of all that are ending, unless a caller further up is at it already. */
static void run_ending(struct calls *calls, uint64_t now_ms)
{
    if (calls->is_ending) {
        return;
    }
    calls->is_ending = true;
    while (!STAILQ_EMPTY(&calls->ending)) {
        struct call *call = STAILQ_FIRST(&calls->ending);
        STAILQ_REMOVE_HEAD(&calls->ending, next);
        struct call_reply reply = {call->end, call->label, call->message};
        call_done *done = call->done;
        void *owner = call->owner;
        uint64_t tag = call->tag;
        /* Free first: `done` often sends the next command. */
        call_release(calls, call);
        if (done != NULL) {
            done(owner, tag, now_ms, &reply);
        }
    }
    calls->is_ending = false;
}

void calls_lose(struct calls *calls, uint64_t id)
{
    struct call *call = call_find(calls, id);

    assert(call != NULL);
    call_move_to_ending(calls, call, CALL_LOST);
}

bool calls_reply(struct calls *calls, uint64_t now_ms, struct cdp_message *message)
{
    assert(message->id != 0);
    /* A message is borrowed for this call only, so its `done` cannot be put off. */
    assert(!calls->is_ending);
    struct call *call = call_find(calls, message->id);
    if (call == NULL) {
        return false;
    }
    call->message = message;
    call_move_to_ending(calls, call, message->is_error ? CALL_REFUSED : CALL_REPLIED);
    run_ending(calls, now_ms);
    return true;
}

void calls_fail_all(struct calls *calls, uint64_t now_ms)
{
    struct call *call, *next;

    RB_FOREACH_SAFE(call, deadline_tree, &calls->tree, next)
    {
        call_move_to_ending(calls, call, CALL_LOST);
    }
    run_ending(calls, now_ms);
}

void calls_tick(struct calls *calls, uint64_t now_ms)
{
    struct call *call, *next;

    for (call = RB_MIN(deadline_tree, &calls->tree); call != NULL && call->deadline_ms <= now_ms;
         call = next) {
        next = RB_NEXT(deadline_tree, &calls->tree, call);
        call_move_to_ending(calls, call, CALL_LATE);
    }
    run_ending(calls, now_ms);
}

uint64_t calls_deadline_ms(const struct calls *calls)
{
    if (!STAILQ_EMPTY(&calls->ending)) {
        return 0;
    }
    /* The tree is not written to; its macros only know unconst heads. */
    struct deadline_tree tree = calls->tree;
    const struct call *first = RB_MIN(deadline_tree, &tree);
    return first != NULL ? first->deadline_ms : UINT64_MAX;
}

static void forget_ending(struct calls *calls, uint64_t session)
{
    struct call_list kept = STAILQ_HEAD_INITIALIZER(kept);

    while (!STAILQ_EMPTY(&calls->ending)) {
        struct call *call = STAILQ_FIRST(&calls->ending);
        STAILQ_REMOVE_HEAD(&calls->ending, next);
        if (call->session == session) {
            call_release(calls, call);
        } else {
            STAILQ_INSERT_TAIL(&kept, call, next);
        }
    }
    STAILQ_CONCAT(&calls->ending, &kept);
}

void calls_forget_session(struct calls *calls, uint64_t session)
{
    struct call *call, *next;

    RB_FOREACH_SAFE(call, deadline_tree, &calls->tree, next)
    {
        if (call->session == session) {
            call_unlink(calls, call);
            call_release(calls, call);
        }
    }
    forget_ending(calls, session);
}

uint32_t calls_pending_count(const struct calls *calls)
{
    return calls->pending_count;
}
