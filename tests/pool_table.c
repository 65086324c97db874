/* pool_table.c: runs step tables; see pool_table.h. */
#include "tests/pool_table.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/pool_text.h"
#include "tests/suite.h"

#define TEXT_BYTES 16384

/* What a case that is not about that knob gets. */
static void default_u32(uint32_t *knob, uint32_t value)
{
    if (*knob == 0)
        *knob = value;
}

/* In a table OFF means 0, since 0 means the default here. */
static void settle_off(uint32_t *knob)
{
    if (*knob == UINT32_MAX)
        *knob = 0;
}

static struct pool_config settled(const struct pool_case *test)
{
    struct pool_config config = test->config;
    default_u32(&config.pages_min, 2);
    default_u32(&config.pages_max, config.pages_min);
    default_u32(&config.pages_high_priority_max, config.pages_max);
    default_u32(&config.high_priority_threshold, UINT32_MAX);
    default_u32(&config.standbys_min, 1);
    default_u32(&config.orphan_contexts_max, 4);
    default_u32(&config.affinity_pages_max, 5);
    default_u32(&config.affinity_main_max, 4);
    default_u32(&config.queue_max, 100);
    default_u32(&config.warm_bypass_max, 4);
    default_u32(&config.contraction_idle_ms, 60000);
    default_u32(&config.affinity_idle_ms, 43200000);
    default_u32(&config.batch_owner_ttl_ms, 600000);
    default_u32(&config.open_timeout_ms, 30000);
    default_u32(&config.close_timeout_ms, 2000);
    default_u32(&config.kill_timeout_ms, 2000);
    default_u32(&config.recycle_timeout_ms, 120000);
    default_u32(&config.backoff_min_ms, 250);
    default_u32(&config.backoff_max_ms, 8000);
    settle_off(&config.standbys_min);
    settle_off(&config.orphan_contexts_max);
    settle_off(&config.warm_bypass_max);
    return config;
}

static uint64_t waits_sum(const struct pool_waits *waits)
{
    return waits->permit_ms + waits->admission_ms + waits->slot_ms + waits->open_ms +
           waits->probe_ms;
}

/* A first grant has waited since its arrival, whatever the buckets say. */
static void check_waits(const struct pool_case *test, const struct pool_actions *actions,
                        uint64_t now_ms)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct pool_action *action = &actions->items[i];
        if (action->type != POOL_GRANT || action->grant.attempt != 1)
            continue;
        for (size_t row = 0; row < test->rows_count; row++) {
            const struct pool_event *event = &test->rows[row].event;
            if (event->type == POOL_REQUEST && event->request.id == action->request)
                ck_assert_uint_eq(waits_sum(&action->grant.waits), now_ms - test->rows[row].now_ms);
        }
    }
}

static void look(const struct pool *pool, char *text, size_t bytes)
{
    struct pool_affinity affinity;
    size_t cursor = 0, used = 0;
    text[0] = '\0';
    while (pool_next_affinity(pool, &cursor, &affinity)) {
        int written = snprintf(text + used, bytes - used,
                               "%s%.*s %s%s pages %" PRIu32 "/%" PRIu32 " contexts %" PRIu32,
                               used == 0 ? "" : ", ", (int)affinity.key_bytes, affinity.key,
                               affinity.live      ? "live"
                               : affinity.warming ? "warming"
                                                  : "cold",
                               affinity.idle ? " idle" : "", affinity.pages_idle, affinity.pages,
                               affinity.contexts);
        ck_assert_int_gt(written, 0);
        used += (size_t)written;
        if (affinity.has_waiting)
            used += (size_t)snprintf(text + used, bytes - used, " waiting %" PRIu32 " max %" PRIu32,
                                     affinity.waiting, affinity.priority_waiting_max);
        if (affinity.batch != 0)
            used += (size_t)snprintf(text + used, bytes - used, " batch %" PRIu64, affinity.batch);
        ck_assert_uint_lt(used, bytes);
    }
}

static void look_at_stats(const struct pool *pool, char *text, size_t bytes)
{
    struct pool_stats stats;
    pool_get_stats(pool, &stats);
    int written = snprintf(text, bytes,
                           "cap %" PRIu32 " running %" PRIu32 "+%" PRIu32 " waiting %" PRIu32
                           "+%" PRIu32 " stale %" PRIu64,
                           stats.cap, stats.running_main, stats.running_nested, stats.waiting_main,
                           stats.waiting_nested, stats.stale);
    ck_assert(written > 0 && (size_t)written < bytes);
}

static void run_case(const struct pool_case *test)
{
    struct pool_config config = settled(test);
    void *memory = calloc(1, pool_bytes(&config));
    ck_assert_ptr_nonnull(memory);
    struct pool *pool = pool_init(memory, &config, test->rows[0].now_ms);
    char got[TEXT_BYTES];
    for (size_t i = 0; i < test->rows_count; i++) {
        const struct pool_step_row *row = &test->rows[i];
        if (row->event.type == LOOK_TYPE) {
            look(pool, got, sizeof got);
        } else if (row->event.type == STATS_TYPE) {
            look_at_stats(pool, got, sizeof got);
        } else {
            struct pool_actions actions = pool_step(pool, row->now_ms, &row->event);
            pool_check(pool);
            check_waits(test, &actions, row->now_ms);
            pool_actions_text(&actions, got, sizeof got);
        }
        ck_assert_msg(strcmp(got, row->want) == 0,
                      "%s step %zu at %" PRIu64 " ms:\n    want \"%s\"\n    got  \"%s\"",
                      test->name, i, row->now_ms, row->want, got);
    }
    free(memory);
}

/* Check passes a loop index, not a pointer: the cases of the running suite. */
static const struct pool_case *suite_cases;

START_TEST(table)
{
    run_case(&suite_cases[_i]);
}
END_TEST

int pool_table_run(const char *suite_name, const struct pool_case *cases, size_t cases_count)
{
    suite_cases = cases;
    Suite *suite = suite_create(suite_name);
    TCase *test_case = tcase_create("tables");
    tcase_add_loop_test(test_case, table, 0, (int)cases_count);
    suite_add_tcase(suite, test_case);
    return suite_run(suite, SUITE_IS_ONE);
}
