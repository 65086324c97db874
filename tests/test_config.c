/* test_config.c: every knob has the default and the range that is promised, whichever
 * source sets it, and whatever is wrong is refused with a sentence that says so. */
#include "config/config.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include "config/knobs.h"
#include "tests/config_case.h"
#include "tests/suite.h"

#define DAYS_30 2592000000ULL

/* The promise, written down independently of the table. `initial` "*": computed. */
struct wanted {
    const char *name;
    const char *initial;
    uint64_t min, max;
    const char *words; /* Valid words, by spaces; "": any text of some form. NULL: numbers. */
    const char *text;  /* A valid text. */
};

/* Any text that can be read will do for a script. */
#define SCRIPT "/proc/self/comm"
#define RECIPE(route)                                                                              \
    {"recipe." route ".standby_url", "", 0, 0, "", "http://app.example/_standby"},                 \
        {"recipe." route ".standby_selector", "", 0, 0, "", "main .ready"},                        \
        {"recipe." route ".before_file", "", 0, 0, "", SCRIPT},                                    \
        {"recipe." route ".transition_file", "", 0, 0, "", SCRIPT},                                \
        {"recipe." route ".ready_expression_file", "", 0, 0, "", SCRIPT},                          \
        {"recipe." route ".result_file", "", 0, 0, "", SCRIPT},                                    \
    {                                                                                              \
        "recipe." route ".timeout_ms", "*", 100, 3600000, NULL, NULL                               \
    }

static const struct wanted wanted[] = {
    {"pool.pages_min", "2", 1, 1024, NULL, NULL},
    {"pool.pages_max", "*", 1, 1024, NULL, NULL},
    {"pool.pages_high_priority_max", "*", 1, 1024, NULL, NULL},
    {"pool.high_priority_threshold", "off", 0, 1000000, NULL, NULL},
    {"pool.standbys_min", "1", 0, 64, NULL, NULL},
    {"pool.orphan_contexts_max", "*", 0, 4096, NULL, NULL},
    {"pool.affinity_pages_max", "5", 1, 1024, NULL, NULL},
    {"pool.affinity_main_max", "4", 1, 1024, NULL, NULL},
    {"pool.queue_max", "1000", 1, 1000000, NULL, NULL},
    {"pool.warm_bypass_max", "4", 0, 1000, NULL, NULL},
    {"pool.priority_aging_ms", "0", 0, 3600000, NULL, NULL},
    {"pool.contraction_idle_ms", "60000", 100, 86400000, NULL, NULL},
    {"pool.affinity_idle_ms", "43200000", 1000, DAYS_30, NULL, NULL},
    {"pool.batch_owner_ttl_ms", "600000", 1000, DAYS_30, NULL, NULL},
    {"pool.open_timeout_ms", "30000", 100, 600000, NULL, NULL},
    {"pool.probe_timeout_ms", "3000", 50, 60000, NULL, NULL},
    {"pool.close_timeout_ms", "2000", 100, 60000, NULL, NULL},
    {"pool.kill_timeout_ms", "2000", 100, 60000, NULL, NULL},
    {"pool.evict_retains", "yes", 0, 0, "yes no", NULL},
    {"browser.path", "", 0, 0, "", "/opt/chromium"},
    {"browser.websocket_url", "", 0, 0, "", "ws://127.0.0.1:9222/devtools/browser/1"},
    {"browser.args", "", 0, 0, "", "--lang=en --mute-audio"},
    {"browser.user", "*", 0, 0, "", "www-data"},
    {"browser.profile_root", "", 0, 0, "", "/var/tmp/profiles"},
    {"browser.sandbox", "on", 0, 0, "on off", NULL},
    {"browser.batch", "yes", 0, 0, "yes no", NULL},
    {"browser.start_timeout_ms", "30000", 1000, 600000, NULL, NULL},
    {"browser.call_timeout_ms", "10000", 100, 600000, NULL, NULL},
    {"browser.probe_interval_ms", "2000", 100, 600000, NULL, NULL},
    {"browser.recycle_renders", "5000", 0, 1000000000, NULL, NULL},
    {"browser.page_recycle_renders", "500", 0, 1000000000, NULL, NULL},
    {"browser.recycle_age_ms", "21600000", 0, DAYS_30, NULL, NULL},
    {"browser.recycle_timeout_ms", "120000", 1000, DAYS_30, NULL, NULL},
    {"browser.backoff_min_ms", "250", 1, 600000, NULL, NULL},
    {"browser.backoff_max_ms", "8000", 1, 600000, NULL, NULL},
    {"render.timeout_ms", "30000", 100, 120000, NULL, NULL},
    {"render.timeout_ms_max", "120000", 100, 120000, NULL, NULL},
    {"render.settle_virtual_ms", "5000", 0, 60000, NULL, NULL},
    {"render.stuck_request_ms", "5000", 100, 60000, NULL, NULL},
    {"render.idle_ms", "500", 0, 60000, NULL, NULL},
    {"render.capture_reserve_ms", "1000", 0, 10000, NULL, NULL},
    {"render.clock_skew_max_ms", "30000", 1000, 600000, NULL, NULL},
    {"render.output_bytes_max", "20971520", 65536, 94371840, NULL, NULL},
    {"http.listen", "127.0.0.1:4221", 0, 0, "", "127.0.0.1:0 [::1]:80 unix:/run/x"},
    {"http.allowed_hosts", "", 0, 0, "", "render.example.com, *.example.org"},
    {"http.allowed_origins", "", 0, 0, "", "https://example.com http://a.test:8080"},
    {"http.tokens_file", "", 0, 0, "", "/etc/prerenderd/tokens"},
    {"http.allow_unauthenticated", "no", 0, 0, "yes no", NULL},
    {"http.url_bytes_max", "8192", 256, 8192, NULL, NULL},
    {"http.body_bytes_max", "1048576", 1024, 67108864, NULL, NULL},
    {"http.output_memory_bytes_max", "536870912", 1048576, 68719476736, NULL, NULL},
    {"http.connections_max", "4096", 1, 65536, NULL, NULL},
    {"http.head_timeout_ms", "5000", 100, 3600000, NULL, NULL},
    {"http.body_timeout_ms", "10000", 100, 3600000, NULL, NULL},
    {"http.write_timeout_ms", "30000", 100, 3600000, NULL, NULL},
    {"http.keep_alive_ms", "60000", 100, 3600000, NULL, NULL},
    {"prerender_io.url_decoding", "auto", 0, 0, "auto raw once", NULL},
    {"prerender_io.partial_status", "0", 200, 599, NULL, NULL},
    {"manager.url", "", 0, 0, "", "http://127.0.0.1:4222"},
    {"manager.advertise_url", "", 0, 0, "", "http://renderer-1:4221"},
    {"manager.allow_from", "", 0, 0, "", "10.0.0.0/8 ::1"},
    {"manager.heartbeat_interval_ms", "5000", 1000, 3600000, NULL, NULL},
    {"manager.render_timeout_ms", "60000", 100, 3600000, NULL, NULL},
    {"manager.request_timeout_ms", "120000", 100, 3600000, NULL, NULL},
    RECIPE("visit"),
    RECIPE("module"),
    RECIPE("command"),
    RECIPE("screenshot"),
    {"daemon.drain_grace_ms", "10000", 0, 600000, NULL, NULL},
    {"log.level", "info", 0, 0, "error warning info debug", NULL},
    {"log.format", "auto", 0, 0, "auto text logfmt", NULL},
    {"log.full_urls", "no", 0, 0, "yes no", NULL},
    {"log.queue_snapshot_interval_ms", "30000", 1000, 86400000, NULL, NULL},
};

#define WANTED_COUNT (int)(sizeof wanted / sizeof wanted[0])

static bool is_number(const struct wanted *row)
{
    return !row->words;
}

/* The value of a knob as text, from the member its row points at. */
static void get_value(const struct config *config, const char *name, char *ret, size_t ret_bytes)
{
    const struct knob *knob = knob_find(name);
    ck_assert_msg(knob != NULL, "no knob %s", name);
    knob_value(knob, config, ret, ret_bytes);
}

START_TEST(table_has_exactly_the_wanted_rows)
{
    ck_assert_uint_eq(knobs_count, WANTED_COUNT);
    for (size_t i = 0; i < knobs_count; i++) {
        ck_assert_str_eq(knobs[i].name, wanted[i].name);
        for (size_t j = 0; j < i; j++) {
            ck_assert_uint_ne(knobs[i].offset, knobs[j].offset);
        }
    }
}
END_TEST

START_TEST(default_of_every_knob)
{
    struct config_case test = {0};
    char value[512];
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_int_eq(test.verb, CONFIG_SERVE);
    ck_assert_str_eq(test.warnings, "");
    get_value(&test.config, wanted[_i].name, value, sizeof value);
    if (strcmp(wanted[_i].initial, "*") != 0) {
        ck_assert_str_eq(value, wanted[_i].initial);
    }
    config_case_end(&test);
}
END_TEST

/* Loads with one knob set on the command line; what else it needs to be accepted comes from
 * the file, so that the knob alone decides. */
static void load_one(struct config_case *test, const char *name, const char *value)
{
    static char word[8192];
    snprintf(word, sizeof word, "--%s=%s", name, value);
    test->arguments[0] = word;
    config_case_load(test);
}

/* A whole recipe, of which the knob is then one. */
static const char *recipe_for(const char *name)
{
    static char text[512];
    snprintf(text, sizeof text,
             "[recipe %.*s]\nstandby_url = http://app/\ntransition_file = " SCRIPT
             "\nresult_file = " SCRIPT "\n",
             (int)strcspn(name + 7, "."), name + 7);
    return text;
}

/* Other knobs that make room for the ends of a range. */
static const char *room_for(const char *name)
{
    if (strcmp(name, "pool.pages_min") == 0) {
        return "pool.pages_max = 1024\n";
    }
    if (strcmp(name, "pool.affinity_main_max") == 0) {
        return "pool.affinity_pages_max = 1024\n";
    }
    if (strcmp(name, "pool.pages_high_priority_max") == 0) {
        return "pool.pages_max = 1\n";
    }
    if (strcmp(name, "browser.backoff_min_ms") == 0) {
        return "browser.backoff_max_ms = 600000\n";
    }
    if (strcmp(name, "browser.backoff_max_ms") == 0) {
        return "browser.backoff_min_ms = 1\n";
    }
    if (strcmp(name, "http.output_memory_bytes_max") == 0) {
        return "render.output_bytes_max = 65536\n";
    }
    return strncmp(name, "recipe.", 7) == 0 ? recipe_for(name) : NULL;
}

static void expect_accepted(const char *name, const char *value)
{
    struct config_case test = {.file = room_for(name)};
    char got[8192];
    load_one(&test, name, value);
    ck_assert_msg(test.rc == 0, "%s=%s: %s", name, value, test.error);
    get_value(&test.config, name, got, sizeof got);
    ck_assert_str_eq(got, value);
    config_case_end(&test);
}

static void expect_refused(const char *name, const char *value)
{
    struct config_case test = {.file = room_for(name)};
    char start[512], range[KNOB_RANGE_BYTES];
    load_one(&test, name, value);
    ck_assert_msg(test.rc == -EINVAL, "%s=%s was not refused", name, value);
    knob_range(knob_find(name), range, sizeof range);
    snprintf(start, sizeof start, "%s is \"%.80s\" (command line), but must be %s", name, value,
             range);
    /* The sentence is one line whatever the value was. */
    for (char *c = start; *c != '\0'; c++) {
        *c = *c == '\001' ? '?' : *c;
    }
    ck_assert_str_eq(test.error, start);
    /* Untouched on failure. */
    ck_assert_int_eq(*(unsigned char *)&test.config, 0xa5);
    config_case_end(&test);
}

static void expect_number(const char *name, uint64_t number, bool is_valid)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    (is_valid ? expect_accepted : expect_refused)(name, text);
}

START_TEST(range_of_every_number)
{
    const struct wanted *row = &wanted[_i];
    if (!is_number(row)) {
        return;
    }
    expect_number(row->name, row->min, true);
    expect_number(row->name, row->max, true);
    expect_number(row->name, row->max + 1, false);
    if (row->min > 1) {
        expect_number(row->name, row->min - 1, false);
    }
    bool zero_is_off = strcmp(row->name, "pool.probe_timeout_ms") == 0 ||
                       strcmp(row->name, "prerender_io.partial_status") == 0 ||
                       strcmp(row->name, "log.queue_snapshot_interval_ms") == 0;
    expect_number(row->name, 0, row->min == 0 || zero_is_off);
}
END_TEST

static const char *const garbage[] = {
    "x",
    "-1",
    "+1",
    "1.5",
    "0x10",
    "1 1",
    "1e3",
    "10ms",
    "1,000",
    "18446744073709551616",
    "99999999999999999999999999",
    "\xc2\xb2",
    "yess",
    "On",
    "",
};

START_TEST(garbage_is_refused_by_every_knob_but_free_texts)
{
    const struct wanted *row = &wanted[_i];
    if (row->words && row->words[0] == '\0') {
        expect_refused(row->name, "");
        expect_refused(row->name, "a\001b");
        return;
    }
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        expect_refused(row->name, garbage[i]);
    }
    if (strcmp(row->initial, "off") != 0 && !row->words) {
        expect_refused(row->name, "off");
    }
}
END_TEST

START_TEST(words_and_texts_of_every_knob)
{
    const struct wanted *row = &wanted[_i];
    char words[128];
    if (row->text) {
        expect_accepted(row->name, row->text);
    }
    snprintf(words, sizeof words, "%s", row->words ? row->words : "");
    char *rest = words, *word;
    while ((word = strsep(&rest, " ")) && *word != '\0') {
        expect_accepted(row->name, word);
    }
}
END_TEST

/* The same knob in all sources: each prefix of them, strongest last, decides. */
START_TEST(stronger_sources_win)
{
    char variable[128], set_variable[160];
    const char *name = "pool.queue_max";
    knob_variable(knob_find(name), variable, sizeof variable);
    ck_assert_str_eq(variable, "PRERENDERD_POOL_QUEUE_MAX");
    snprintf(set_variable, sizeof set_variable, "%s=22", variable);
    struct config_case test = {0};
    if (_i & 1) {
        test.file = "[pool]\nqueue_max = 11\n";
    }
    if (_i & 2) {
        test.variables[0] = set_variable;
    }
    if (_i & 4) {
        test.arguments[0] = "--pool.queue_max=33";
    }
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_uint_eq(test.config.pool.queue_max, _i & 4 ? 33 : _i & 2 ? 22 : _i & 1 ? 11 : 1000);
    config_case_end(&test);
}
END_TEST

/* What is overruled must still be valid: it would surprise when the stronger source goes. */
START_TEST(overruled_values_are_judged)
{
    struct config_case test = {.file = "[pool]\nqueue_max = 0\n",
                               .arguments = {"--pool.queue_max=33"}};
    config_case_load(&test);
    ck_assert_int_eq(test.rc, -EINVAL);
    ck_assert_ptr_nonnull(strstr(test.error, ":2), but must be an integer from 1 to 1000000"));
    config_case_end(&test);
}
END_TEST

START_TEST(every_knob_has_its_variable)
{
    struct config_case test = {.file = room_for(wanted[_i].name)};
    char variable[128], word[300], got[512], want[128];
    knob_variable(knob_find(wanted[_i].name), variable, sizeof variable);
    if (wanted[_i].text) {
        snprintf(want, sizeof want, "%s", wanted[_i].text);
    } else if (is_number(&wanted[_i])) {
        snprintf(want, sizeof want, "%" PRIu64, wanted[_i].max);
    } else {
        snprintf(want, sizeof want, "%.*s", (int)strcspn(wanted[_i].words, " "), wanted[_i].words);
    }
    snprintf(word, sizeof word, "%s= %s\t", variable, want);
    test.variables[0] = word;
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s: %s", word, test.error);
    get_value(&test.config, wanted[_i].name, got, sizeof got);
    ck_assert_str_eq(got, want);
    config_case_end(&test);
}
END_TEST

/* Setting one knob changes that knob in the printed configuration, and what is computed
 * from it: no two rows share a member. */
START_TEST(a_knob_changes_nothing_else)
{
    const struct wanted *row = &wanted[_i];
    struct config_case before = {.file = room_for(row->name)}, after = {.file = before.file};
    char value[128];
    snprintf(value, sizeof value, "%s", row->text ? row->text : row->words ? "no" : "");
    if (is_number(row)) {
        snprintf(value, sizeof value, "%" PRIu64, row->max);
    } else if (strncmp(row->words, "on", 2) == 0) {
        snprintf(value, sizeof value, "off");
    } else if (strncmp(row->words, "auto raw", 8) == 0) {
        snprintf(value, sizeof value, "once");
    } else if (strchr(row->words, 'x')) {
        snprintf(value, sizeof value, "text");
    } else if (strchr(row->words, 'w')) {
        snprintf(value, sizeof value, "debug");
    }
    config_case_load(&before);
    load_one(&after, row->name, value);
    ck_assert_msg(before.rc == 0 && after.rc == 0, "%s%s", before.error, after.error);
    for (size_t i = 0; i < knobs_count; i++) {
        char was[512], is[512];
        get_value(&before.config, knobs[i].name, was, sizeof was);
        get_value(&after.config, knobs[i].name, is, sizeof is);
        if (strcmp(was, is) != 0 && strcmp(knobs[i].name, row->name) != 0) {
            ck_assert_msg(knobs[i].computed != NULL, "%s changed %s", row->name, knobs[i].name);
        }
    }
    config_case_end(&before);
    config_case_end(&after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("knobs");
    tcase_add_test(tests, table_has_exactly_the_wanted_rows);
    tcase_add_loop_test(tests, default_of_every_knob, 0, WANTED_COUNT);
    tcase_add_loop_test(tests, range_of_every_number, 0, WANTED_COUNT);
    tcase_add_loop_test(tests, garbage_is_refused_by_every_knob_but_free_texts, 0, WANTED_COUNT);
    tcase_add_loop_test(tests, words_and_texts_of_every_knob, 0, WANTED_COUNT);
    tcase_add_loop_test(tests, stronger_sources_win, 0, 8);
    tcase_add_test(tests, overruled_values_are_judged);
    tcase_add_loop_test(tests, every_knob_has_its_variable, 0, WANTED_COUNT);
    tcase_add_loop_test(tests, a_knob_changes_nothing_else, 0, WANTED_COUNT);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
