/* test_traffic.c: requests are counted, followed and forgotten as their events say. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/traffic.h"
#include "tests/suite.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define DOCUMENT UINT64_C(0xd0)
#define IGNORED UINT64_C(99)
#define STUCK_MS 1000

enum what { START, REDIRECT, ANSWER, BYTES, FINISH, ABORT, BREAK, BLOCK, COMMIT };

/* What happens, and what is known afterwards. */
struct step {
    uint64_t now_ms;
    enum what what;
    uint64_t id;
    enum traffic_type type; /* START, REDIRECT. */
    uint64_t number;        /* A status, bytes, or a loader. */
    uint32_t active;
    const char *totals; /* "count/failed/blocked/bytes, pending" */
};

/* A document and its image; the last word on bytes includes what came before. */
static const struct step plain[] = {
    {0, START, 1, TRAFFIC_DOCUMENT, 0, 1, "1/0/0/0, 1"},
    {5, ANSWER, 1, 0, 200, 1, "1/0/0/0, 1"},
    {6, BYTES, 1, 0, 300, 1, "1/0/0/300, 1"},
    {7, START, 2, TRAFFIC_IMAGE, 0, 2, "2/0/0/300, 2"},
    {8, FINISH, 1, 0, 450, 1, "2/0/0/450, 1"},
    {9, FINISH, 2, 0, 100, 0, "2/0/0/550, 0"},
    {9, FINISH, 2, 0, 100, 0, "2/0/0/550, 0"}, /* Known no more. */
};

/* What nobody has seen start is of the document before. */
static const struct step unseen[] = {
    {0, BYTES, 9, 0, 300, 0, "0/0/0/0, 0"},
    {1, START, 1, TRAFFIC_DOCUMENT, 0, 1, "1/0/0/0, 1"},
    {2, BYTES, 9, 0, 300, 1, "1/0/0/0, 1"},
    {3, BYTES, 1, 0, 300, 1, "1/0/0/300, 1"},
};

/* A redirect is one more request under the same id. */
static const struct step redirected[] = {
    {0, START, 1, TRAFFIC_FETCH, 0, 1, "1/0/0/0, 1"},
    {5, REDIRECT, 1, TRAFFIC_FETCH, 0, 1, "2/0/0/0, 1"},
    {8, FINISH, 1, 0, 0, 0, "2/0/0/0, 0"},
};

/* What the page gives up itself has not failed. */
static const struct step failing[] = {
    {0, START, 1, TRAFFIC_FETCH, 0, 1, "1/0/0/0, 1"},
    {0, START, 2, TRAFFIC_SCRIPT, 0, 2, "2/0/0/0, 2"},
    {0, START, 3, TRAFFIC_IMAGE, 0, 3, "3/0/0/0, 3"},
    {1, ABORT, 1, 0, 0, 2, "3/0/0/0, 2"},
    {2, BREAK, 2, 0, 0, 1, "3/1/0/0, 1"},
    {3, BLOCK, 3, 0, 0, 0, "3/1/1/0, 0"},
};

/* Streams, pings, media and what is ignored are pending, but nobody waits for them. */
static const struct step endless[] = {
    {0, START, 1, TRAFFIC_EVENT_SOURCE, 0, 0, "1/0/0/0, 1"},
    {0, START, 2, TRAFFIC_WEB_SOCKET, 0, 0, "2/0/0/0, 2"},
    {0, START, 3, TRAFFIC_PING, 0, 0, "3/0/0/0, 3"},
    {0, START, 4, TRAFFIC_MEDIA, 0, 0, "4/0/0/0, 4"},
    {0, START, IGNORED, TRAFFIC_FETCH, 0, 0, "5/0/0/0, 5"},
    {0, START, 6, TRAFFIC_XHR, 0, 1, "6/0/0/0, 6"},
};

/* Bytes are progress; without any a request counts no more. */
static const struct step stuck[] = {
    {0, START, 1, TRAFFIC_FETCH, 0, 1, "1/0/0/0, 1"},
    {900, BYTES, 1, 0, 1, 1, "1/0/0/1, 1"},
    {1800, START, 2, TRAFFIC_EVENT_SOURCE, 0, 1, "2/0/0/1, 2"},
    {1900, START, 3, TRAFFIC_EVENT_SOURCE, 0, 0, "3/0/0/1, 3"},
    {1901, ANSWER, 1, 0, 200, 1, "3/0/0/1, 3"},
};

/* What the document before has asked for is of no interest. */
static const struct step replaced[] = {
    {0, START, 1, TRAFFIC_FETCH, 0, 1, "1/0/0/0, 1"},
    {1, START, DOCUMENT, TRAFFIC_DOCUMENT, 0, 2, "2/0/0/0, 2"},
    {2, COMMIT, 0, 0, DOCUMENT, 1, "2/0/0/0, 1"},
    {3, FINISH, 1, 0, 9, 1, "2/0/0/0, 1"},
};

static const struct {
    const char *name;
    const struct step *steps;
    int count;
} tables[] = {
    {"plain", plain, COUNT(plain)},
    {"unseen", unseen, COUNT(unseen)},
    {"redirected", redirected, COUNT(redirected)},
    {"failing", failing, COUNT(failing)},
    {"endless", endless, COUNT(endless)},
    {"stuck", stuck, COUNT(stuck)},
    {"replaced", replaced, COUNT(replaced)},
};

/* On behalf of one document. */
static void begin(struct traffic *traffic, uint64_t now_ms, uint64_t id, enum traffic_type type,
                  const char *url)
{
    const struct traffic_start start = {
        .id = id,
        .loader = id == DOCUMENT ? DOCUMENT : 7,
        .type = type,
        .is_ignored = id == IGNORED,
        .url = url,
    };

    traffic_started(traffic, now_ms, &start);
}

static void run(struct traffic *traffic, const struct step *step)
{
    char url[64];

    (void)snprintf(url, sizeof url, "http://h/%lu", (unsigned long)step->id);
    switch (step->what) {
    case START:
    case REDIRECT:
        begin(traffic, step->now_ms, step->id, step->type, url);
        break;
    case ANSWER:
        traffic_answered(traffic, step->now_ms, step->id, (int)step->number, false);
        break;
    case BYTES:
        traffic_received(traffic, step->now_ms, step->id, step->number);
        break;
    case FINISH:
        traffic_ended(traffic, step->id, TRAFFIC_FINISHED, step->number);
        break;
    case ABORT:
        traffic_ended(traffic, step->id, TRAFFIC_ABORTED, 0);
        break;
    case BREAK:
        traffic_ended(traffic, step->id, TRAFFIC_BROKEN, 0);
        break;
    case BLOCK:
        traffic_ended(traffic, step->id, TRAFFIC_BLOCKED, 0);
        break;
    case COMMIT:
        traffic_committed(traffic, step->number);
        break;
    }
}

START_TEST(events_are_counted)
{
    const struct traffic_rules rules = {.stuck_ms = STUCK_MS};
    struct traffic *traffic = malloc(sizeof *traffic);
    char got[64];

    traffic_begin(traffic, &rules);
    for (int i = 0; i < tables[_i].count; i++) {
        const struct step *step = &tables[_i].steps[i];
        run(traffic, step);
        const struct traffic_totals *totals = &traffic->totals;
        (void)snprintf(got, sizeof got, "%u/%u/%u/%lu, %u", totals->count, totals->failed,
                       totals->blocked, (unsigned long)totals->bytes, traffic->pending_count);
        ck_assert_msg(strcmp(got, step->totals) == 0, "%s step %d: want \"%s\", got \"%s\"",
                      tables[_i].name, i, step->totals, got);
        ck_assert_msg(traffic_active_count(traffic, step->now_ms) == step->active,
                      "%s step %d: %u are active", tables[_i].name, i,
                      traffic_active_count(traffic, step->now_ms));
    }
    free(traffic);
}
END_TEST

/* As many as it says are within it. */
START_TEST(budgets_are_exceeded)
{
    const struct traffic_rules rules = {.stuck_ms = STUCK_MS, .requests_max = 2, .bytes_max = 1000};
    struct traffic *traffic = malloc(sizeof *traffic);

    traffic_begin(traffic, &rules);
    begin(traffic, 0, 1, TRAFFIC_DOCUMENT, "http://h/1");
    begin(traffic, 0, 2, TRAFFIC_FETCH, "http://h/2");
    traffic_received(traffic, 0, 1, 1000);
    ck_assert_ptr_null(traffic_overspent(traffic));
    traffic_ended(traffic, 1, TRAFFIC_FINISHED, 1001);
    ck_assert_str_eq(traffic_overspent(traffic), "network.maxBytes");
    begin(traffic, 0, 2, TRAFFIC_FETCH, "http://h/redirected");
    ck_assert_str_eq(traffic_overspent(traffic), "network.maxRequests");
    traffic->rules.requests_max = traffic->rules.bytes_max = 0;
    ck_assert_ptr_null(traffic_overspent(traffic));
    free(traffic);
}
END_TEST

/* When the last one gets stuck, and never once it is. */
START_TEST(stuck_requests_have_a_time)
{
    const struct traffic_rules rules = {.stuck_ms = STUCK_MS};
    struct traffic *traffic = malloc(sizeof *traffic);

    traffic_begin(traffic, &rules);
    ck_assert_uint_eq(traffic_deadline_ms(traffic), UINT64_MAX);
    begin(traffic, 10, 1, TRAFFIC_FETCH, "http://h/1");
    begin(traffic, 20, 2, TRAFFIC_FETCH, "http://h/2");
    ck_assert_uint_eq(traffic_deadline_ms(traffic), 1010);
    ck_assert_uint_eq(traffic_active_count(traffic, 1010), 1);
    ck_assert_uint_eq(traffic_deadline_ms(traffic), 1020);
    ck_assert_uint_eq(traffic_active_count(traffic, 1020), 0);
    ck_assert_uint_eq(traffic_deadline_ms(traffic), UINT64_MAX);
    free(traffic);
}
END_TEST

/* The first fault stays, and the main document is no resource. */
START_TEST(faults_are_noted)
{
    uint32_t statuses[] = {404, 500};
    const struct param_integers bad = {.items = statuses, .count = 2};
    const struct traffic_rules rules = {
        .bad_statuses = &bad, .is_failure_bad = true, .stuck_ms = STUCK_MS};
    struct traffic *traffic = malloc(sizeof *traffic);

    traffic_begin(traffic, &rules);
    for (uint64_t id = 1; id < 5; id++) {
        char url[32];
        (void)snprintf(url, sizeof url, "http://h/%lu", (unsigned long)id);
        begin(traffic, 0, id, TRAFFIC_FETCH, url);
    }
    traffic_answered(traffic, 1, 1, 404, true);
    traffic_answered(traffic, 1, 2, 403, false);
    traffic_ended(traffic, 2, TRAFFIC_ABORTED, 0);
    ck_assert_int_eq(traffic->fault, TRAFFIC_NO_FAULT);
    traffic_answered(traffic, 1, 3, 500, false);
    traffic_ended(traffic, 4, TRAFFIC_BROKEN, 0);
    ck_assert_int_eq(traffic->fault, TRAFFIC_BAD_STATUS);
    ck_assert_int_eq(traffic->fault_status, 500);
    ck_assert_str_eq(traffic->fault_url, "http://h/3");
    traffic_begin(traffic, &rules);
    begin(traffic, 0, 9, TRAFFIC_FETCH, "http://h/9");
    traffic_ended(traffic, 9, TRAFFIC_BROKEN, 0);
    ck_assert_int_eq(traffic->fault, TRAFFIC_FAILED);
    ck_assert_str_eq(traffic->fault_url, "http://h/9");
    free(traffic);
}
END_TEST

/* URLs are cut at a character, and requests beyond the bound are counted only. */
START_TEST(everything_is_bounded)
{
    const struct traffic_rules rules = {.stuck_ms = STUCK_MS};
    struct traffic *traffic = malloc(sizeof *traffic);
    char url[TRAFFIC_URL_BYTES + 8];

    memset(url, 'a', sizeof url - 1);
    url[sizeof url - 1] = '\0';
    memcpy(url + TRAFFIC_URL_BYTES - 1, "\xc3\xa9", 2);
    traffic_begin(traffic, &rules);
    begin(traffic, 0, 1, TRAFFIC_FETCH, url);
    ck_assert_uint_eq(strlen(traffic->pending[0].url), TRAFFIC_URL_BYTES - 1);
    for (uint64_t id = 2; id < TRAFFIC_PENDING_MAX + 10; id++)
        begin(traffic, 0, id, TRAFFIC_FETCH, "http://h/");
    ck_assert_uint_eq(traffic->pending_count, TRAFFIC_PENDING_MAX);
    ck_assert_uint_eq(traffic->totals.count, TRAFFIC_PENDING_MAX + 9);
    traffic_ended(traffic, TRAFFIC_PENDING_MAX + 5, TRAFFIC_BROKEN, 7);
    ck_assert_uint_eq(traffic->totals.failed, 0);
    free(traffic);
}
END_TEST

START_TEST(types_have_names)
{
    ck_assert_int_eq(traffic_type_of("XHR", 3), TRAFFIC_XHR);
    ck_assert_int_eq(traffic_type_of("EventSource", 11), TRAFFIC_EVENT_SOURCE);
    ck_assert_int_eq(traffic_type_of("FedCM", 5), TRAFFIC_OTHER);
    for (int i = 0; i < TRAFFIC_TYPES; i++)
        ck_assert_ptr_nonnull(traffic_type_name((enum traffic_type)i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("traffic");
    TCase *tests = tcase_create("traffic");
    tcase_add_loop_test(tests, events_are_counted, 0, COUNT(tables));
    tcase_add_test(tests, budgets_are_exceeded);
    tcase_add_test(tests, stuck_requests_have_a_time);
    tcase_add_test(tests, faults_are_noted);
    tcase_add_test(tests, everything_is_bounded);
    tcase_add_test(tests, types_have_names);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
