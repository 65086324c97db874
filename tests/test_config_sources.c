/* test_config_sources.c: the grammar of each source, and the rules between knobs. */
#include "config/config.h"

#include <check.h>
#include <errno.h>
#include "config/forms.h"
#include "config/knobs.h"
#include "tests/config_case.h"
#include "tests/suite.h"

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

/* Each must fail with a sentence that holds all of `wants`. FILE stands for the file. */
static const struct {
    const char *argument, *second, *variable, *file;
    const char *wants[3];
} refused[] = {
    {"--pool.page_max=3",
     NULL,
     NULL,
     NULL,
     {"unknown knob pool.page_max (command line)", "pool.pages_max?"}},
    {"--pages_max=3", NULL, NULL, NULL, {"unknown knob pages_max", "did you mean pool.pages_max?"}},
    {"--pool.pages_max", NULL, NULL, NULL, {"--pool.pages_max", "needs a value"}},
    {"--pool.pages_max", "--http.listen=127.0.0.1:1", NULL, NULL, {"needs a value"}},
    {"--pool.pages_max", "-3", NULL, NULL, {"pool.pages_max is \"-3\" (command line)"}},
    {"pool.pages_max=3", NULL, NULL, NULL, {"unknown argument \"pool.pages_max=3\""}},
    {"-x", NULL, NULL, NULL, {"unknown argument \"-x\""}},
    {"--", NULL, NULL, NULL, {"unknown argument \"--\""}},
    {"--=3", NULL, NULL, NULL, {"unknown argument"}},
    {"--config=", NULL, NULL, NULL, {"--config is \"\"", "must name a file"}},
    {"--config=/nonexistent/p.conf",
     NULL,
     NULL,
     NULL,
     {"cannot read", "/nonexistent/p.conf", "No such file"}},
    {"--config=/tmp", NULL, NULL, NULL, {"cannot read", "/tmp", "directory"}},
    {NULL,
     NULL,
     "PRERENDERD_POOL_PAGE_MAX=3",
     NULL,
     {"unknown knob PRERENDERD_POOL_PAGE_MAX (environment)", "PRERENDERD_POOL_PAGES_MAX?"}},
    {NULL, NULL, "PRERENDERD_=3", NULL, {"unknown knob PRERENDERD_ (environment)"}},
    {NULL, NULL, "PRERENDERD_POOL_PAGES_MAX=", NULL, {"pool.pages_max is \"\" (environment)"}},
    {NULL, NULL, "PRERENDERD_POOL_PAGES_MAX= \t", NULL, {"pool.pages_max is \"\" (environment)"}},
    {NULL, NULL, "PRERENDERD_CONFIG=", NULL, {"PRERENDERD_CONFIG", "must name a file"}},
    {NULL,
     NULL,
     NULL,
     "[pool]\npage_max = 3\n",
     {"unknown knob pool.page_max (FILE:2)", "pool.pages_max?"}},
    {NULL, NULL, NULL, "pages_max = 3\n", {"unknown knob pages_max (FILE:1)"}},
    {NULL, NULL, NULL, "[pol]\npages_max = 3\n", {"unknown knob pol.pages_max (FILE:2)"}},
    {NULL, NULL, NULL, "[pool]\n\n# c\npages_max =\n", {"pool.pages_max is \"\" (FILE:4)"}},
    {NULL, NULL, NULL, "[pool]\npages_max = 4 ; four\n", {"is \"4 ; four\" (FILE:2)"}},
    {NULL, NULL, NULL, "[pool]\npages_max = 4\n  5\n", {"FILE:3: a line must be"}},
    {NULL,
     NULL,
     NULL,
     "[pool]\npages_max = 4\npages_max = 4\n",
     {"pool.pages_max is set twice", "lines 2 and 3"}},
    {NULL,
     NULL,
     NULL,
     "listen = 127.0.0.1:1\n[http]\nlisten = 127.0.0.1:1\n",
     {"http.listen is set twice", "lines 1 and 3"}},
    {NULL, NULL, NULL, "[pool\npages_max = 4\n", {"FILE:1: a line must be"}},
    {NULL, NULL, NULL, "\n\nnonsense\n", {"FILE:3: a line must be"}},
    {NULL, NULL, NULL, "[pool]\nqueue_max = 0\nnonsense\n", {"pool.queue_max is \"0\" (FILE:2)"}},

    {"--pool.pages_min=9",
     "--pool.pages_max=3",
     NULL,
     NULL,
     {"pool.pages_min is 9 (command line)", "at most pool.pages_max, which is 3 (command line)"}},
    {"--pool.pages_high_priority_max=2",
     "--pool.pages_max=3",
     NULL,
     NULL,
     {"pool.pages_max is 3", "at most pool.pages_high_priority_max, which is 2"}},
    {"--browser.backoff_min_ms=9000",
     NULL,
     NULL,
     NULL,
     {"browser.backoff_min_ms is 9000", "browser.backoff_max_ms, which is 8000 (default)"}},
    {"--render.timeout_ms=9000",
     "--render.timeout_ms_max=8000",
     NULL,
     NULL,
     {"render.timeout_ms is 9000", "render.timeout_ms_max, which is 8000"}},
    {"--http.output_memory_bytes_max=1048576",
     NULL,
     NULL,
     NULL,
     {"render.output_bytes_max is 20971520 (default)", "which is 1048576"}},
    {"--listen=0.0.0.0:4221",
     NULL,
     NULL,
     NULL,
     {"0.0.0.0:4221", "http.tokens_file", "http.allow_unauthenticated"}},
    {"--listen=127.0.0.1:1, [::]:2", NULL, NULL, NULL, {"[::]:2", "http.tokens_file"}},
    {"--manager.url=http://10.1.2.3:4222",
     NULL,
     NULL,
     NULL,
     {"manager.url is \"http://10.1.2.3:4222\"", "http.listen is \"127.0.0.1:4221\""}},
};

/* Replaces FILE in a wanted text by the name of the file. */
static void expand(const char *text, const char *path, char *ret, size_t ret_bytes)
{
    const char *mark = strstr(text, "FILE");
    if (mark) {
        snprintf(ret, ret_bytes, "%.*s%s%s", (int)(mark - text), text, path, mark + 4);
    } else {
        snprintf(ret, ret_bytes, "%s", text);
    }
}

START_TEST(mistakes_are_refused_by_name)
{
    struct config_case test = {
        .arguments = {refused[_i].argument, refused[_i].second},
        .variables = {"PATH=/bin", refused[_i].variable},
        .file = refused[_i].file,
    };
    config_case_load(&test);
    ck_assert_int_eq(test.rc, -EINVAL);
    for (size_t i = 0; i < 3 && refused[_i].wants[i]; i++) {
        char want[512];
        expand(refused[_i].wants[i], test.path, want, sizeof want);
        ck_assert_msg(strstr(test.error, want) != NULL, "\"%s\" is not in \"%s\"", want,
                      test.error);
    }
    ck_assert_ptr_null(strchr(test.error, '\n'));
    config_case_end(&test);
}
END_TEST

START_TEST(both_forms_of_an_option)
{
    struct config_case test = {.arguments = {"--pool.pages_max=7", "--pool.queue_max", "8",
                                             "--listen", "[::1]:9", "--pool.queue_max=10"}};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_uint_eq(test.config.pool.pages_max, 7);
    ck_assert_uint_eq(test.config.pool.queue_max, 10); /* The last of two wins. */
    ck_assert_str_eq(test.config.http.listen, "[::1]:9");
    config_case_end(&test);
}
END_TEST

static const struct {
    const char *first, *second;
    enum config_verb verb;
} verbs[] = {
    {NULL, NULL, CONFIG_SERVE},
    {"--check-config", NULL, CONFIG_CHECK},
    {"--print-config", "--pool.pages_max=3", CONFIG_PRINT},
    {"--help", "--nonsense", CONFIG_HELP},
    {"--nonsense", "-h", CONFIG_HELP},
    {"nonsense", "--version", CONFIG_VERSION},
};

/* Help never fails, not even when every source is broken. */
START_TEST(verbs_are_found)
{
    bool is_asked = verbs[_i].verb == CONFIG_HELP || verbs[_i].verb == CONFIG_VERSION;
    struct config_case test = {.arguments = {verbs[_i].first, verbs[_i].second},
                               .variables = {is_asked ? "PRERENDERD_NONSENSE=1" : NULL}};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_int_eq(test.verb, verbs[_i].verb);
    config_case_end(&test);
}
END_TEST

/* What a cluster says about a service of our name is no knob of ours, but all else is. */
static const struct {
    const char *variable;
    bool is_accepted;
} links[] = {
    {"PRERENDERD_SERVICE_HOST=10.0.0.1", true},
    {"PRERENDERD_SERVICE_PORT=4221", true},
    {"PRERENDERD_SERVICE_PORT_HTTP=4221", true},
    {"PRERENDERD_PORT=tcp://10.0.0.1:4221", true},
    {"PRERENDERD_PORT_4221_TCP=tcp://10.0.0.1:4221", true},
    {"PRERENDERD_PORT_4221_UDP_PROTO=udp", true},
    {"PRERENDERD_PORT=4221", false},
    {"PRERENDERD_PORT_TCP=1", false},
    {"PRERENDERD_PORT_4221=1", false},
    {"PRERENDERD_SERVICE=1", false},
    {"PRERENDERD_SERVICE_HOSTS=1", false},
};

START_TEST(service_links_are_no_knobs)
{
    struct config_case test = {.variables = {links[_i].variable}};
    config_case_load(&test);
    ck_assert_int_eq(test.rc, links[_i].is_accepted ? 0 : -EINVAL);
    config_case_end(&test);
}
END_TEST

START_TEST(file_grammar)
{
    struct config_case test = {
        .file = "\xef\xbb\xbf# comment\r\n; comment\n\nlog.level = debug\n[pool]\r\n"
                "  pages_max = 6  \r\nqueue_max=7\n\tstandbys_min : 3\n[browser]\n"
                "args = --a=b ; --c #d\n[log]\nfull_urls = yes"};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_int_eq(test.config.log.level, LOG_DEBUG);
    ck_assert_uint_eq(test.config.pool.pages_max, 6);
    ck_assert_uint_eq(test.config.pool.queue_max, 7);
    ck_assert_uint_eq(test.config.pool.standbys_min, 3);
    ck_assert_str_eq(test.config.browser.args, "--a=b ; --c #d");
    ck_assert(test.config.log.full_urls);
    config_case_end(&test);
}
END_TEST

/* inih alone cuts lines at 200 bytes and takes the rest for another line. */
START_TEST(long_lines_are_whole_or_refused)
{
    static char file[8192];
    size_t bytes = (size_t)_i;
    size_t used = (size_t)snprintf(file, sizeof file, "[browser]\nargs = ");
    memset(file + used, 'x', bytes);
    snprintf(file + used + bytes, sizeof file - used - bytes, "\n[pool]\nqueue_max = 5\n");
    struct config_case test = {.file = file};
    config_case_load(&test);
    if (bytes <= KNOB_TEXT_BYTES_MAX) {
        ck_assert_msg(test.rc == 0, "%s", test.error);
        ck_assert_uint_eq(strlen(test.config.browser.args), bytes);
        ck_assert_uint_eq(test.config.pool.queue_max, 5);
    } else {
        ck_assert_int_eq(test.rc, -EINVAL);
        ck_assert_ptr_nonnull(strstr(test.error, ":2"));
    }
    config_case_end(&test);
}
END_TEST

/* Pieces of files that are put together at random. */
static const char *const pieces[] = {
    "[pool]\n",
    "[",
    "]",
    "pages_max",
    "=",
    " = ",
    ":",
    "\n",
    "\r\n",
    "4",
    ";",
    "#",
    " ; ",
    "\t",
    "\"",
    "\xff",
    "\xef\xbb\xbf",
    "pool.",
    "queue_max = 5\n",
    "[http]\n",
    "listen = 127.0.0.1:1\n",
    "99999999999999999999",
    "-",
    "args",
    "[browser]\n",
    "%s%n",
    "\001",
};

/* Whatever is in a file, it is read or refused in one sentence. */
START_TEST(any_file_is_read_or_refused)
{
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)_i + 1);
    char file[1024] = "";
    for (size_t i = 0; i < 30; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t used = strlen(file);
        snprintf(file + used, sizeof file - used, "%s", pieces[random % (size_t)COUNT(pieces)]);
    }
    struct config_case test = {.file = file};
    config_case_load(&test);
    ck_assert(test.rc == 0 || test.rc == -EINVAL);
    ck_assert_int_eq(test.rc == 0, test.error[0] == '\0');
    for (const char *c = test.error; *c != '\0'; c++) {
        ck_assert_int_ge((unsigned char)*c, ' ');
    }
    config_case_end(&test);
}
END_TEST

START_TEST(variable_names_the_file_unless_an_option_does)
{
    struct config_case named = {.file = "[pool]\nqueue_max = 5\n"};
    struct config config;
    char variable[128], error[CONFIG_ERROR_BYTES];
    enum config_verb verb;
    config_case_load(&named);
    ck_assert_int_eq(named.rc, 0);
    snprintf(variable, sizeof variable, "PRERENDERD_CONFIG=%s", named.path);
    char *arguments[] = {(char *)"prerenderd", NULL, NULL};
    char *variables[] = {variable, NULL};
    ck_assert_int_eq(config_load(1, arguments, variables, &config, &verb, error), 0);
    ck_assert_uint_eq(config.pool.queue_max, 5);
    config_free(&config);
    arguments[1] = (char *)"--config=/dev/null";
    ck_assert_int_eq(config_load(2, arguments, variables, &config, &verb, error), 0);
    ck_assert_uint_eq(config.pool.queue_max, 1000);
    config_free(&config);
    config_case_end(&named);
}
END_TEST

START_TEST(computed_defaults_follow_their_knobs)
{
    struct config_case test = {.arguments = {"--pool.pages_max=1", "--pool.affinity_pages_max=3",
                                             "--render.timeout_ms_max=5000"}};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    ck_assert_uint_eq(test.config.pool.pages_min, 1);
    ck_assert_uint_eq(test.config.pool.pages_high_priority_max, 1);
    ck_assert_uint_eq(test.config.pool.orphan_contexts_max, 2);
    ck_assert_uint_eq(test.config.pool.affinity_main_max, 3);
    ck_assert_uint_eq(test.config.render.timeout_ms, 5000);
    ck_assert_str_eq(test.config.browser.user, geteuid() == 0 ? "nobody" : "");
    ck_assert_str_eq(test.warnings, "");
    config_case_end(&test);

    struct config_case plain = {0};
    config_case_load(&plain);
    ck_assert_int_eq(plain.rc, 0);
    ck_assert_uint_ge(plain.config.pool.pages_max, 2);
    ck_assert_uint_eq(plain.config.pool.pages_max % 2, 0);
    ck_assert_uint_eq(plain.config.pool.orphan_contexts_max, 2 * plain.config.pool.pages_max);
    config_case_end(&plain);
}
END_TEST

START_TEST(main_renders_are_clamped_to_pages)
{
    struct config_case test = {
        .arguments = {"--pool.affinity_pages_max=3", "--pool.affinity_main_max=9"}};
    config_case_load(&test);
    ck_assert_int_eq(test.rc, 0);
    ck_assert_uint_eq(test.config.pool.affinity_main_max, 3);
    ck_assert_ptr_nonnull(strstr(test.warnings, "pool.affinity_main_max is 9, taking 3"));
    config_case_end(&test);
}
END_TEST

static const struct {
    const char *arguments[2];
} exposed[] = {
    {{"--listen=0.0.0.0:1", "--http.tokens_file=/etc/tokens"}},
    {{"--listen=0.0.0.0:1", "--http.allow_unauthenticated=yes"}},
    {{"--listen=127.9.9.9:1 [::1]:0,unix:/run/p.sock", "--manager.url=http://localhost:1"}},
    {{"--manager.url=http://[::1]:1/base", "--listen=unix:/run/p.sock"}},
};

START_TEST(guarded_listeners_are_accepted)
{
    struct config_case test = {.arguments = {exposed[_i].arguments[0], exposed[_i].arguments[1]}};
    config_case_load(&test);
    ck_assert_msg(test.rc == 0, "%s", test.error);
    config_case_end(&test);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_sources");
    TCase *tests = tcase_create("sources");
    tcase_add_loop_test(tests, mistakes_are_refused_by_name, 0, COUNT(refused));
    tcase_add_test(tests, both_forms_of_an_option);
    tcase_add_loop_test(tests, verbs_are_found, 0, COUNT(verbs));
    tcase_add_loop_test(tests, service_links_are_no_knobs, 0, COUNT(links));
    tcase_add_test(tests, file_grammar);
    tcase_add_loop_test(tests, long_lines_are_whole_or_refused, 185, 205);
    tcase_add_loop_test(tests, long_lines_are_whole_or_refused, 3990, 4100);
    tcase_add_loop_test(tests, any_file_is_read_or_refused, 0, 300);
    tcase_add_test(tests, variable_names_the_file_unless_an_option_does);
    tcase_add_test(tests, computed_defaults_follow_their_knobs);
    tcase_add_test(tests, main_renders_are_clamped_to_pages);
    tcase_add_loop_test(tests, guarded_listeners_are_accepted, 0, COUNT(exposed));
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_IS_ONE);
}
