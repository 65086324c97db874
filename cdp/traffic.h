/* traffic.h: the requests of one render, as the Network domain tells of them.
 *
 *   (unknown) --started--> WAITING --answered--> ANSWERED --ended--> (counted, forgotten)
 *   a redirect starts a request anew under its id
 *
 * Who waits for quiet asks how many requests are active: those that are pending and count.
 * Streams, media and pings do not, nor does what the caller ignores, nor what has made no
 * progress for stuck_ms: they may never end. Times are real ones: the timestamps of the
 * events mix the page's clock and the browser's.
 *
 * Pure, and bounded: what starts while TRAFFIC_PENDING_MAX requests are pending is counted
 * but not followed. */
#ifndef CDP_TRAFFIC_H
#define CDP_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/params.h"

/* A page with more requests pending at once waits for itself. */
#define TRAFFIC_PENDING_MAX 256
/* URLs in diagnostics are cut to that many characters. */
#define TRAFFIC_URL_BYTES 200

/* Chromium's resource types, in its own order. */
enum traffic_type {
    TRAFFIC_DOCUMENT,
    TRAFFIC_STYLESHEET,
    TRAFFIC_IMAGE,
    TRAFFIC_MEDIA,
    TRAFFIC_FONT,
    TRAFFIC_SCRIPT,
    TRAFFIC_TEXT_TRACK,
    TRAFFIC_XHR,
    TRAFFIC_FETCH,
    TRAFFIC_PREFETCH,
    TRAFFIC_EVENT_SOURCE,
    TRAFFIC_WEB_SOCKET,
    TRAFFIC_MANIFEST,
    TRAFFIC_PING,
    TRAFFIC_PREFLIGHT,
    TRAFFIC_OTHER, /* And every type that is not known here. */
    TRAFFIC_TYPES,
};

/* "document", "textTrack": as the interface writes it. */
const char *traffic_type_name(enum traffic_type);
/* By Chromium's name: "Document", "TextTrack". */
enum traffic_type traffic_type_of(const char *text, size_t bytes);

struct traffic_totals {
    uint32_t count;           /* Started; each hop of a redirect is one. */
    uint32_t failed, blocked; /* Ended so; what the page gave up itself is neither. */
    uint64_t bytes;           /* Received over the network, headers and coding included. */
    uint32_t by_type[TRAFFIC_TYPES];
};

struct traffic_request {
    uint64_t id, loader; /* Of the document that asked, or of the one that it is. */
    enum traffic_type type;
    bool is_counted; /* It holds back who waits for quiet ... */
    bool is_stuck;   /* ... but not any more, as of the last count. */
    uint64_t started_ms, progress_ms;
    int status;     /* 0: not answered. */
    uint64_t bytes; /* Received so far. */
    char url[TRAFFIC_URL_BYTES + 1];
};

/* What makes a render fail, and the first request that did; see failOn. */
enum traffic_fault { TRAFFIC_NO_FAULT, TRAFFIC_BAD_STATUS, TRAFFIC_FAILED };

/* Set by who begins; the statuses are borrowed as long as the traffic lives. */
struct traffic_rules {
    const struct param_integers *bad_statuses; /* Of all but the main document. */
    bool is_failure_bad;
    uint32_t stuck_ms;
    uint64_t requests_max, bytes_max; /* The budget of the page; 0: none. */
};

struct traffic {
    struct traffic_rules rules;
    struct traffic_totals totals;
    uint32_t pending_count;
    struct traffic_request pending[TRAFFIC_PENDING_MAX]; /* By start. */
    enum traffic_fault fault;
    int fault_status;
    char fault_url[TRAFFIC_URL_BYTES + 1];
};

struct traffic_start {
    uint64_t id, loader;
    enum traffic_type type;
    bool is_ignored; /* The caller does not want it waited for. */
    const char *url; /* Valid UTF-8, borrowed. */
};

/* How a request ended. */
enum traffic_end {
    TRAFFIC_FINISHED,
    TRAFFIC_ABORTED, /* The page gave it up: a navigation, an abort. */
    TRAFFIC_BROKEN,
    TRAFFIC_BLOCKED, /* By the caller's own rules, or by the page's. */
};

/* *traffic need not be initialised. */
void traffic_begin(struct traffic *, const struct traffic_rules *);
/* The document of `loader` is shown now: forgets what others have asked for. */
void traffic_committed(struct traffic *, uint64_t loader);
/* An id that is pending has been redirected. */
void traffic_started(struct traffic *, uint64_t now_ms, const struct traffic_start *);
void traffic_answered(struct traffic *, uint64_t now_ms, uint64_t id, int status,
                      bool is_main_document);
/* Some of a body has come; not of a request that nobody has seen start. */
void traffic_received(struct traffic *, uint64_t now_ms, uint64_t id, uint64_t bytes);
/* `bytes`: all that came, by the last word of the network; 0: as received. */
void traffic_ended(struct traffic *, uint64_t id, enum traffic_end, uint64_t bytes);

/* The parameter whose budget is exceeded, or NULL; static. */
const char *traffic_overspent(const struct traffic *);
/* Requests that hold back who waits for quiet. */
uint32_t traffic_active_count(struct traffic *, uint64_t now_ms);
/* When that number falls although nothing happens; UINT64_MAX: never. It is in the past
 * until traffic_active_count() has been asked at that time. */
uint64_t traffic_deadline_ms(const struct traffic *);

#endif
