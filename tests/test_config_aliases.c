/* test_config_aliases.c: the environment names of other servers, and what becomes of them. */
#include "config/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/knobs.h"
#include "tests/config_case.h"
#include "tests/suite.h"

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

/* The ancestor's names: what a knob becomes, and the one warning, if any. */
static const struct {
    const char *variables[3], *knob, *value, *warning;
} aliased[] = {
    {{"PRERENDER_PAGE_POOL_MIN=1"}, "pool.pages_min", "1", ""},
    {{"PRERENDER_PAGE_POOL_MAX=9"}, "pool.pages_max", "9", ""},
    {{"PRERENDER_PAGE_POOL_MAX= 9 "}, "pool.pages_max", "9", ""},
    {{"PRERENDER_PAGE_POOL_INITIAL=3"}, "pool.pages_min", "2", "no counterpart"},
    {{"PRERENDER_PAGE_POOL_HIGH_PRIORITY_MAX=99"}, "pool.pages_high_priority_max", "99", ""},
    {{"PRERENDER_HIGH_PRIORITY_THRESHOLD=10"}, "pool.high_priority_threshold", "10", ""},
    {{"PRERENDER_POOL_IDLE_CONTRACTION_MS=500"}, "pool.contraction_idle_ms", "500", ""},
    {{"PRERENDER_AFFINITY_TAB_MAX=9"}, "pool.affinity_pages_max", "9", ""},
    {{"PRERENDER_AFFINITY_FILE_CONCURRENCY=2"}, "pool.affinity_main_max", "2", ""},
    {{"PRERENDER_SHARED_CONTEXT_CAP=77"}, "pool.orphan_contexts_max", "77", ""},
    {{"PRERENDER_TAB_HEALTH_PROBE_MS=0"}, "pool.probe_timeout_ms", "0", ""},
    {{"PRERENDER_TAB_HEALTH_PROBE_MS=9"}, "pool.probe_timeout_ms", "50", "taking 50"},
    {{"PRERENDER_STANDBY_TIMEOUT_MS=700"}, "pool.open_timeout_ms", "700", ""},
    {{"PRERENDER_AFFINITY_IDLE_EVICT_MS=7000"}, "pool.affinity_idle_ms", "7000", ""},
    {{"RENDER_TIMEOUT_MS=7000"}, "manager.render_timeout_ms", "7000", ""},
    {{"PRERENDER_MANAGER_URL=http://127.0.0.1:4222"}, "manager.url", "http://127.0.0.1:4222", ""},
    {{"PRERENDER_MANAGER_URL=nonsense"}, "manager.url", "", "ignoring it"},
    {{"PRERENDER_MANAGER_URL="}, "manager.url", "", "ignoring it"},
    {{"PRERENDER_HEARTBEAT_INTERVAL_MS=1"}, "manager.heartbeat_interval_ms", "1000", "taking 1000"},
    {{"PRERENDER_SHUTDOWN_GRACE_MS=7000"}, "daemon.drain_grace_ms", "7000", ""},
    {{"PRERENDER_QUEUE_SNAPSHOT_INTERVAL_MS=7000"}, "log.queue_snapshot_interval_ms", "7000", ""},
    {{"WAIT_AFTER_LAST_REQUEST=700"}, "render.idle_ms", "700", ""},
    {{"PAGE_LOAD_TIMEOUT=7000"}, "render.timeout_ms", "7000", ""},
    {{"BROWSER_TRY_RESTART_PERIOD=70000"}, "browser.recycle_age_ms", "70000", ""},
    {{"TIMEOUT_STATUS_CODE=504"}, "prerender_io.partial_status", "504", ""},
    {{"TIMEOUT_STATUS_CODE=42"}, "prerender_io.partial_status", "200", "taking 200"},
    {{"PORT=3000"}, "http.listen", "127.0.0.1:4221", ""},
    {{"HOSTNAME=box"}, "manager.advertise_url", "http://box:4221", ""},
    {{"HOSTNAME=no host"}, "manager.advertise_url", "", "HOSTNAME"},
    {{"HOSTNAME="}, "manager.advertise_url", "", ""},
    /* Blank, 0 and what is no number count as not given. */
    {{"PRERENDER_AFFINITY_TAB_MAX="}, "pool.affinity_pages_max", "5", "ignoring it"},
    {{"PRERENDER_AFFINITY_TAB_MAX=0"}, "pool.affinity_pages_max", "5", "ignoring it"},
    {{"PRERENDER_AFFINITY_TAB_MAX=five"}, "pool.affinity_pages_max", "5", "ignoring it"},
    {{"PRERENDER_AFFINITY_TAB_MAX=-5"}, "pool.affinity_pages_max", "5", "ignoring it"},
    {{"PRERENDER_AFFINITY_TAB_MAX=5000"}, "pool.affinity_pages_max", "1024", "taking 1024"},
    {{"PRERENDER_AFFINITY_TAB_MAX=99999999999999999999999"},
     "pool.affinity_pages_max",
     "1024",
     "taking 1024"},
    /* What contradicts itself is clamped. */
    {{"PRERENDER_PAGE_POOL_MIN=9", "PRERENDER_PAGE_POOL_MAX=3"},
     "pool.pages_min",
     "3",
     "taking 3 for both"},
    {{"PRERENDER_PAGE_POOL_HIGH_PRIORITY_MAX=2", "PRERENDER_PAGE_POOL_MAX=3"},
     "pool.pages_high_priority_max",
     "3",
     "taking 3 for both"},
    /* An own name is stronger, in any order. */
    {{"PRERENDERD_POOL_QUEUE_MAX=3", "PRERENDERD_POOL_PAGES_MAX=3", "PRERENDER_PAGE_POOL_MAX=9"},
     "pool.pages_max",
     "3",
     ""},
};

START_TEST(names_of_the_ancestor)
{
    struct config_case test = {.variables = {aliased[_i].variables[0], aliased[_i].variables[1],
                                             aliased[_i].variables[2]}};
    char value[256];
    /* The defaults that depend on the machine are out of the way. */
    test.file = strstr(aliased[_i].variables[0], "_MIN=1") ? "[pool]\npages_max = 8\n" : NULL;
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    knob_value(knob_find(aliased[_i].knob), &test.config, value, sizeof value);
    ck_assert_str_eq(value, aliased[_i].value);
    if (aliased[_i].warning[0] == '\0') {
        ck_assert_str_eq(test.warnings, "");
    } else {
        ck_assert_ptr_nonnull(strstr(test.warnings, aliased[_i].warning));
        ck_assert_ptr_eq(strchr(test.warnings, '\n'), strrchr(test.warnings, '\n'));
    }
    config_case_end(&test);
}
END_TEST

/* Names that mean nothing here are told, each with what does. */
static const char *const meaningless[] = {
    "BROWSER_FORCE_RESTART_PERIOD",
    "BROWSER_DEBUGGING_PORT",
    "PAGE_DONE_CHECK_INTERVAL",
    "FOLLOW_REDIRECTS",
    "LOG_REQUESTS",
    "PRERENDER_LOG_REQUESTS",
    "PRERENDER_DEBUG_LOG",
    "CAPTURE_CONSOLE_LOG",
    "ENABLE_SERVICE_WORKER",
    "RENDERING_ERROR_STATUS_CODE",
    "PARSE_SHADOW_DOM",
    "ALLOWED_DOMAINS",
    "BLACKLISTED_DOMAINS",
    "BASIC_AUTH_USERNAME",
    "BASIC_AUTH_PASSWORD",
};

START_TEST(meaningless_names_are_told)
{
    char variable[64], want[96];
    snprintf(variable, sizeof variable, "%s=1", meaningless[_i]);
    snprintf(want, sizeof want, "%s has no counterpart here, ignoring it; ", meaningless[_i]);
    struct config_case test = {.variables = {variable}};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_msg(strstr(test.warnings, want), "%s", test.warnings);
    ck_assert_ptr_eq(strchr(test.warnings, '\n'), strrchr(test.warnings, '\n'));
    config_case_end(&test);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_aliases");
    TCase *tests = tcase_create("aliases");
    tcase_add_loop_test(tests, names_of_the_ancestor, 0, COUNT(aliased));
    tcase_add_loop_test(tests, meaningless_names_are_told, 0, COUNT(meaningless));
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
