/* test_config_print.c: what is printed of the knobs can be read again, and the shipped file
 * is in step with the table. With "--conf" it prints that file instead. */
#include "config/config.h"

#include <check.h>
#include "config/knobs.h"
#include "tests/config_case.h"
#include "tests/suite.h"

static void expect_reprinted(struct config_case *test)
{
    config_case_load(test);
    ck_assert_msg(test->rc == 0, "%s", test->error);
    char *printed = config_case_print(&test->config);
    struct config_case again = {.file = printed};
    config_case_load(&again);
    ck_assert_msg(again.rc == 0, "%s", again.error);
    char *reprinted = config_case_print(&again.config);
    ck_assert_str_eq(printed, reprinted);
    free(printed);
    free(reprinted);
    config_case_end(&again);
    config_case_end(test);
}

START_TEST(printed_configuration_reads_the_same)
{
    static char arguments[4100];
    struct config_case plain = {0};
    expect_reprinted(&plain);
    snprintf(arguments, sizeof arguments, "--browser.args=; #--x=[y]; \"z\" ");
    size_t used = strlen(arguments);
    memset(arguments + used, 'x', 3900);
    struct config_case changed = {.arguments = {arguments, "--pool.pages_max=9",
                                                "--pool.high_priority_threshold=7",
                                                "--pool.evict_retains=no", "--log.level=debug",
                                                "--http.listen=127.0.0.1:0 unix:/run/a;b#c"}};
    expect_reprinted(&changed);
}
END_TEST

/* The shipped file is what the table says, and as it stands sets nothing. */
START_TEST(shipped_file_is_in_step_with_the_table)
{
    static char shipped[65536];
    FILE *stream = fopen("config/prerenderd.conf", "r");
    ck_assert_msg(stream != NULL, "run from the root of the project");
    size_t bytes = fread(shipped, 1, sizeof shipped - 1, stream);
    fclose(stream);
    shipped[bytes] = '\0';
    char *wanted = config_case_print(NULL);
    ck_assert_msg(strcmp(shipped, wanted) == 0, "config/prerenderd.conf is old: run make conf");
    struct config_case test = {.file = shipped}, plain = {0};
    config_case_load(&test);
    config_case_load(&plain);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    char *left = config_case_print(&test.config), *right = config_case_print(&plain.config);
    ck_assert_str_eq(left, right);
    free(left);
    free(right);
    free(wanted);
    config_case_end(&test);
    config_case_end(&plain);
}
END_TEST

START_TEST(help_has_a_line_for_every_knob)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    config_help(stream);
    fclose(stream);
    for (size_t i = 0; i < knobs_count; i++) {
        char start[128];
        snprintf(start, sizeof start, "\n  --%s ", knobs[i].name);
        ck_assert_msg(strstr(text, start) != NULL, "no line for %s", knobs[i].name);
    }
    free(text);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--conf") == 0) {
        config_print_defaults(stdout);
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("config_print");
    TCase *tests = tcase_create("print");
    tcase_add_test(tests, printed_configuration_reads_the_same);
    tcase_add_test(tests, shipped_file_is_in_step_with_the_table);
    tcase_add_test(tests, help_has_a_line_for_every_knob);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
