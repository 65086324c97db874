/* test_config_recipe.c: sections of recipes, the scripts they name, and what of a configuration
 * that is read again takes a restart. */
#include <check.h>
#include <sys/stat.h>
#include "tests/config_case.h"
#include "tests/suite.h"

/* A file for scripts; `bytes` may hold NUL. */
static void write_script(const char *path, const char *bytes, size_t count)
{
    FILE *stream = fopen(path, "we");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, count, stream), count);
    ck_assert_int_eq(fclose(stream), 0);
}

static char folder[64], script[96], other[96];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/prerenderd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(script, sizeof script, "%s/script.js", folder);
    snprintf(other, sizeof other, "%s/other.js", folder);
    write_script(script, "r => app.show(r)\n", 17);
}

static void remove_folder(void)
{
    unlink(script);
    unlink(other);
    rmdir(folder);
}

START_TEST(is_read_with_its_scripts)
{
    char text[512];
    snprintf(text, sizeof text,
             "[recipe visit]\nstandby_url = http://app/s\ntransition_file = %s\nresult_file = %s\n"
             "timeout_ms = 900\n",
             script, script);
    struct config_case test = {.file = text};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    const struct recipe *visit = &test.config.recipes[RECIPE_VISIT];
    ck_assert(recipe_is_set(visit));
    ck_assert_str_eq(visit->standby_url, "http://app/s");
    ck_assert_str_eq(visit->transition, "r => app.show(r)\n");
    ck_assert_str_eq(visit->result, "r => app.show(r)\n");
    ck_assert_ptr_null(visit->before);
    ck_assert_ptr_null(visit->ready);
    ck_assert_uint_eq(visit->timeout_ms, 900);
    ck_assert(!recipe_is_set(&test.config.recipes[RECIPE_MODULE]));
    ck_assert_uint_eq(test.config.recipes[RECIPE_MODULE].timeout_ms,
                      test.config.manager.render_timeout_ms);
    char *printed = config_case_print(&test.config);
    ck_assert_ptr_nonnull(strstr(printed, "[recipe visit]"));
    free(printed);
    config_case_end(&test);
}
END_TEST

/* On the command line and in the environment its words are joined by dots. */
START_TEST(has_the_other_sources)
{
    char transition[160], result[160];
    snprintf(transition, sizeof transition, "--recipe.command.transition_file=%s", script);
    snprintf(result, sizeof result, "PRERENDERD_RECIPE_COMMAND_RESULT_FILE=%s", script);
    struct config_case test = {
        .arguments = {"--recipe.command.standby_url=http://app/", transition},
        .variables = {result},
    };
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert(recipe_is_set(&test.config.recipes[RECIPE_COMMAND]));
    config_case_end(&test);
}
END_TEST

static void expect_failure(const char *key, const char *path, const char *reason)
{
    char text[1024], want[512];
    snprintf(text, sizeof text,
             "[recipe module]\nstandby_url = http://app/\ntransition_file = %s\nresult_file = %s\n"
             "%s = %s\n",
             strcmp(key, "transition_file") == 0 ? "" : script, script, key, path);
    char *blank = strstr(text, "transition_file = \n");
    if (blank)
        memmove(blank, blank + 19, strlen(blank + 19) + 1);
    struct config_case test = {.file = text};
    config_case_load(&test);
    snprintf(want, sizeof want, "recipe.module.%s is \"%s\", %s", key, path, reason);
    ck_assert_int_ne(test.rc, 0);
    ck_assert_str_eq(test.error, want);
    config_case_end(&test);
}

START_TEST(names_the_knob_and_the_file)
{
    static char large[300000];
    expect_failure("before_file", "/nowhere/x.js",
                   "which cannot be read: No such file or directory");
    expect_failure("transition_file", folder, "which cannot be read: Is a directory");
    write_script(other, " \n", 2);
    expect_failure("ready_expression_file", other, "but a script must hold an expression");
    write_script(other, "a\0b", 3);
    expect_failure("before_file", other, "but a script must be UTF-8 without NUL bytes");
    write_script(other, "'\xed\xa0\x80'", 5);
    expect_failure("before_file", other, "but a script must be UTF-8 without NUL bytes");
    write_script(other, "'\xe2\x82", 3);
    expect_failure("before_file", other, "but a script must be UTF-8 without NUL bytes");
    memset(large, 'x', sizeof large);
    write_script(other, large, sizeof large);
    expect_failure("before_file", other, "but a script may have at most 262144 bytes");
}
END_TEST

static const struct {
    const char *file, *error;
} halves[] = {
    {"[recipe visit]\nstandby_url = http://app/\n",
     "recipe.visit.transition_file is not set, but must be, as recipe.visit.standby_url is"},
    {"[recipe screenshot]\nstandby_selector = p\n",
     "recipe.screenshot.standby_url is not set, but must be, as recipe.screenshot.standby_selector "
     "is"},
    {"[recipe visit]\nstandby_url = ftp://app/\n", "recipe.visit.standby_url is \"ftp://app/\" ("},
    {"[recipe page]\nstandby_url = http://app/\n", "unknown knob recipe.page.standby_url ("},
    {"[recipe visit]\nready = x\n", "unknown knob recipe.visit.ready ("},
};

START_TEST(refuses_half_a_recipe)
{
    struct config_case test = {.file = halves[_i].file};
    config_case_load(&test);
    ck_assert_int_ne(test.rc, 0);
    ck_assert_msg(strncmp(test.error, halves[_i].error, strlen(halves[_i].error)) == 0, "%s",
                  test.error);
    config_case_end(&test);
}
END_TEST

static const char recipe_text[] = "[recipe visit]\nstandby_url = http://app/s\n"
                                  "transition_file = %s\nresult_file = %s\n";

/* A script that was edited is told by the knob that names its file. */
START_TEST(tells_a_changed_script)
{
    char text[512];
    write_script(other, "r => 1", 6);
    snprintf(text, sizeof text, recipe_text, script, other);
    struct config_case before = {.file = text}, after = {.file = text};
    config_case_load(&before);
    config_case_load(&after);
    ck_assert_ptr_null(config_restart_knob(&before.config, &after.config));
    config_case_end(&after);
    write_script(other, "r => 2", 6);
    config_case_load(&after);
    ck_assert_str_eq(config_restart_knob(&before.config, &after.config),
                     "recipe.visit.result_file");
    config_case_end(&after);
    config_case_end(&before);
}
END_TEST

static const struct {
    const char *before, *after, *knob;
} changes[] = {
    {"", "", NULL},
    {"[pool]\npages_max = 9\n", "[pool]\npages_max = 9\n", NULL},
    {"[pool]\npages_max = 9\n", "[pool]\npages_max = 8\n", "pool.pages_max"},
    {"", "[http]\ntokens_file = /x\n", "http.tokens_file"},
    {"[http]\ntokens_file = /x\n", "", "http.tokens_file"},
    {"", "[log]\nlevel = debug\n", NULL},
    {"", "[log]\nfull_urls = yes\n", "log.full_urls"},
    /* Unset it is whatever the daemon has found. */
    {"[manager]\nadvertise_url = http://a:1\n", "", NULL},
    {"", "[manager]\nadvertise_url = http://a:1\n", "manager.advertise_url"},
};

START_TEST(tells_a_changed_knob)
{
    struct config_case before = {.file = changes[_i].before}, after = {.file = changes[_i].after};
    config_case_load(&before);
    config_case_load(&after);
    ck_assert_int_eq(before.rc, 0);
    ck_assert_int_eq(after.rc, 0);
    const char *knob = config_restart_knob(&before.config, &after.config);
    ck_assert_str_eq(knob ? knob : "none", changes[_i].knob ? changes[_i].knob : "none");
    config_case_end(&after);
    config_case_end(&before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config recipe");
    TCase *tcase = tcase_create("recipe");
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, is_read_with_its_scripts);
    tcase_add_test(tcase, has_the_other_sources);
    tcase_add_test(tcase, names_the_knob_and_the_file);
    tcase_add_loop_test(tcase, refuses_half_a_recipe, 0, (int)(sizeof halves / sizeof halves[0]));
    tcase_add_test(tcase, tells_a_changed_script);
    tcase_add_loop_test(tcase, tells_a_changed_knob, 0, (int)(sizeof changes / sizeof changes[0]));
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
