/* requests.h: render requests by id, from arrival until their page is free again.
 *
 *   WAITING --grant--> RUNNING --answered--> ANSWERED --page free--> (gone)
 *   RUNNING --page fault, browser death: again--> WAITING
 *   WAITING, RUNNING --refused, failed, cancelled--> (gone)
 *   FOLLOWING: see share.h
 *
 * The pool knows what a request waits for; this is what the daemon needs to start its
 * render, to answer its client, and to write its line in the log. */
#ifndef DAEMON_REQUESTS_H
#define DAEMON_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>
#include "http/http.h"
#include "pool/pool.h"

enum request_state {
    REQUEST_WAITING,   /* In the queue of the pool. */
    REQUEST_RUNNING,   /* Has a page; its client waits. */
    REQUEST_FOLLOWING, /* Is answered with its leader. */
    REQUEST_ANSWERED,  /* The client has its answer; the page is still being cleaned. */
};

TAILQ_HEAD(request_list, request);

struct request {
    uint64_t id; /* Of its exchange. */
    enum request_state state;
    struct http_request http; /* Owns the strings of .params. */
    char key[POOL_KEY_BYTES_MAX];
    size_t key_bytes;
    uint64_t site;
    uint64_t arrival_ms, deadline_ms, granted_ms;
    uint64_t page, life; /* While it has a page. */
    struct pool_grant grant;
    bool clear_storage;
    bool retires; /* Its page serves nobody else, whatever cdp/ thinks of it. */
    char *canon;  /* Of a request that may be followed: what it asks for. Owned. */
    size_t canon_bytes;
    struct request_list followers;
    bool is_left;           /* Its client has gone, those of its followers have not. */
    struct request *leader; /* FOLLOWING. */
    TAILQ_ENTRY(request) follower_entry;
    UT_hash_handle hh, leader_hh;
};

struct requests {
    struct request *by_id;
    struct request *leaders; /* Those that may be followed, by .canon. */
};

/* Takes the strings of http->params. NULL when memory runs out: then nothing is taken. */
struct request *request_new(uint64_t id, struct http_request *http);
void request_free(struct request *);

void requests_add(struct requests *, struct request *); /* Takes it. */
struct request *requests_find(const struct requests *, uint64_t id);
/* The one that has the page, or NULL. */
struct request *requests_find_page(const struct requests *, uint64_t page);
/* Removes and frees, and its followers with it. */
void requests_remove(struct requests *, struct request *);

#endif
