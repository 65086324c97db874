/* cdp_stage.h: what the tests of cdp/ have in common: a browser, an origin server, a loop,
 * and the events that have come. begin() and end() are the fixture of a whole program. */
#ifndef TESTS_CDP_STAGE_H
#define TESTS_CDP_STAGE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cdp/cdp.h"
#include "cdp/render.h"
#include "cdp/result.h"
#include "tests/cdp_origin.h"
#include "tests/rig.h"

#define STAGE_EVENTS_MAX 256
#define STAGE_PAGES_MAX 16 /* Open at once. */

struct stage {
    struct rig rig;
    struct config config;
    struct cdp *cdp;
    struct cdp_origin *origin;
    struct cdp_event events[STAGE_EVENTS_MAX];
    size_t events_count;
    uint64_t page, request; /* The last ones. */
    uint64_t shift_ms;      /* The clock of cdp/ is this far ahead of the loop's. */
    struct stage_request {
        uint64_t id;
        struct render_params params;
        char url[1024];
        char *blocked[1];
    } requests[STAGE_PAGES_MAX]; /* By page. */
};

extern struct stage stage;

void begin(void); /* Life 1 is up afterwards. */
void end(void);

/* Waits for an event of that type (and page, unless 0) and takes it out. */
bool await(enum cdp_event_type, uint64_t page, uint64_t limit_ms, struct cdp_event *ret);
bool has_event(enum cdp_event_type);
void drop_events(void);
/* Lets that much time pass on the loop: for what must not happen. */
void pass(uint64_t ms);

/* Opens a page in a context of its own, which is numbered 1000 + the page. */
uint64_t open_page(void);
void close_page(uint64_t page);

struct ask {
    const char *path; /* Of the origin, or a whole URL. */
    enum wait_until until;
    enum on_timeout on_timeout;
    uint64_t timeout_ms; /* 0: 10000. */
    bool clear_storage, clear_cache, path_mode;
    const char *host; /* NULL: 127.0.0.1. */
    struct wait_params wait;
    struct fail_params fail_on;
    bool diagnose;
    const char *block_url;          /* NULL: none. */
    const struct page_params *page; /* NULL: the defaults. */
    const char *given[4];           /* Parameters that count as given. */
    const char *html;               /* NULL: what is at the path, its base unless "". */
    const struct inject_params *injects;
    size_t injects_count;
    void (*tune)(struct render_params *); /* Changes others; what it sets is not freed. */
};

struct answer {
    struct render_result *result;
    bool ok;
    uint64_t elapsed_ms; /* Until the result. */
};

/* The time that cdp/ is told. */
uint64_t stage_now_ms(void);

void start_render(uint64_t page, const struct ask *);
struct answer await_render(uint64_t page);
struct answer render(uint64_t page, const struct ask *);
void done(struct answer *);
bool shows(const struct answer *, const char *text);
void check_complete(const struct answer *);
void check_failed(const struct answer *, enum render_code);
/* After every fault another page must serve as if nothing had happened. */
void check_canary(void);
/* Runs the suite; one browser and one loop serve all its tests. Returns the exit status. */
int stage_main(Suite *);
TCase *stage_tcase(const char *name);

#define RENDER(page, ...) render(page, &(struct ask){__VA_ARGS__})
#define ck_shows(answer, text)                                                                     \
    ck_assert_msg(shows(&(answer), text), "no \"%s\" in: %.300s", text,                            \
                  (answer).result->html != NULL ? (answer).result->html : "(nothing)")

#endif
