/* diagnostics.h: what is told of a render beside its outputs: what its page said, what it
 * asked of the network, and what it was still waiting for. Plain data, bounded. */
#ifndef CDP_DIAGNOSTICS_H
#define CDP_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cdp/traffic.h"

#define DIAGNOSTICS_PENDING_MAX 20
#define DIAGNOSTICS_MESSAGES_MAX 50
#define DIAGNOSTICS_EXCEPTIONS_MAX 20
#define DIAGNOSTICS_FRAMES_MAX 10
/* Chromium follows 20 redirects. */
#define DIAGNOSTICS_REDIRECTS_MAX 21
/* What a page says is cut there. */
#define DIAGNOSTICS_TEXT_BYTES 1000

struct diagnostics_request {
    enum traffic_type type;
    bool has_age; /* Without: it was found pending, and nobody saw it start. */
    uint64_t age_ms;
    char url[TRAFFIC_URL_BYTES + 1];
};

/* A place in a script; line and column count from 1, 0: unknown. */
struct diagnostics_place {
    char url[TRAFFIC_URL_BYTES + 1];
    char function[64];
    uint32_t line, column;
};

struct diagnostics_message {
    char level[16]; /* "log", "warning", "error", ... */
    char text[DIAGNOSTICS_TEXT_BYTES + 1];
    struct diagnostics_place place;
};

struct diagnostics_exception {
    uint64_t id;
    bool is_revoked; /* A handler came after it had been reported. */
    char text[DIAGNOSTICS_TEXT_BYTES + 1];
    struct diagnostics_place frames[DIAGNOSTICS_FRAMES_MAX];
    size_t frames_count;
};

/* A hop of the main document. */
struct diagnostics_redirect {
    int status;
    char url[TRAFFIC_URL_BYTES + 1]; /* That redirected. */
};

/* A list holds what came first; its count goes no further than its bound. */
struct diagnostics {
    bool has_traffic; /* .resources and .redirects were watched. */
    bool has_console; /* .messages and .exceptions were. */
    struct traffic_totals resources;
    struct diagnostics_redirect redirects[DIAGNOSTICS_REDIRECTS_MAX];
    size_t redirects_count;
    struct diagnostics_request pending[DIAGNOSTICS_PENDING_MAX];
    size_t pending_count;
    struct diagnostics_message *messages; /* Owned, each. */
    size_t messages_count;
    struct diagnostics_exception *exceptions; /* Owned, as above. */
    size_t exceptions_count;
};

/* Zeroed. Ends the program when memory is out. */
struct diagnostics *diagnostics_new(void);
/* NULL is fine. */
void diagnostics_free(struct diagnostics *);
/* The next one to be filled in, zeroed; NULL when the list is full. */
struct diagnostics_message *diagnostics_add_message(struct diagnostics *);
struct diagnostics_exception *diagnostics_add_exception(struct diagnostics *);
struct diagnostics_request *diagnostics_add_pending(struct diagnostics *);
struct diagnostics_redirect *diagnostics_add_redirect(struct diagnostics *);
/* The handler of that exception came late. */
void diagnostics_revoke(struct diagnostics *, uint64_t exception);
/* The first exception that stands, or NULL. */
const struct diagnostics_exception *diagnostics_uncaught(const struct diagnostics *);

#endif
