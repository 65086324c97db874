/* test_cli.c: the command line of `prerenderd render`, what it writes, and what it says. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/cli.h"
#include "daemon/progress.h"
#include "daemon/save.h"
#include "tests/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARGUMENTS_MAX 8

static char error[CLI_ERROR_BYTES];

static int parse(struct cli *cli, const char *const *arguments)
{
    int count = 0;
    while (arguments[count] != NULL)
        count++;
    error[0] = '\0';
    return cli_parse(count, (char *const *)(uintptr_t)arguments, cli, error);
}

/* What a valid command comes to; NULL or 0 where a case is not about it. */
static const struct {
    const char *arguments[ARGUMENTS_MAX];
    const char *params, *target, *knob;
    uint32_t jobs;
    size_t urls;
    bool many, json;
} valid[] = {
    {{"http://a/"}, .params = "{}", .urls = 1, .knob = "--pool.pages_max=1"},
    {{"http://a/", "-o", "x.html"}, .target = "x.html", .urls = 1},
    {{"--json", "http://a/"}, .json = true, .urls = 1},
    {{"--wait.until=load", "http://a/"}, .params = "{\"wait\":{\"until\":\"load\"}}", .urls = 1},
    {{"--wait.until", "load", "http://a/"}, .params = "{\"wait\":{\"until\":\"load\"}}", .urls = 1},
    {{"--timeout-ms", "500", "http://a/"}, .params = "{\"timeoutMs\":500}", .urls = 1},
    {{"--wait.selector=a > b&c", "http://a/"},
     .params = "{\"wait\":{\"selector\":{\"selector\":\"a > b&c\"}}}",
     .urls = 1},
    {{"--document.stripScripts", "http://a/"},
     .params = "{\"document\":{\"stripScripts\":true}}",
     .urls = 1},
    {{"--document.strip-scripts=false", "http://a/"},
     .params = "{\"document\":{\"stripScripts\":false}}",
     .urls = 1},
    {{"--network.blockUrls=*.png", "--network.blockUrls=*.gif", "http://a/"},
     .params = "{\"network\":{\"blockUrls\":[\"*.png\",\"*.gif\"]}}",
     .urls = 1},
    {{"--network.blockUrls=[\"a\",\"b\"]", "http://a/"},
     .params = "{\"network\":{\"blockUrls\":[\"a\",\"b\"]}}",
     .urls = 1},
    {{"--timeoutMs=soon", "http://a/"}, .params = "{\"timeoutMs\":\"soon\"}", .urls = 1},
    {{"--pdf", "http://a/"}, .params = "{\"output\":[\"pdf\"]}", .urls = 1},
    {{"--screenshot", "http://a/", "--screenshot.fullPage"},
     .params = "{\"output\":[\"png\"],\"screenshot\":{\"fullPage\":true}}",
     .urls = 1},
    {{"--browser.path=/x", "http://a/"}, .params = "{}", .knob = "--browser.path=/x", .urls = 1},
    {{"--browser.path", "/x", "http://a/"}, .knob = "/x", .urls = 1},
    {{"--pool.pages_max=3", "http://a/"}, .knob = "--pool.pages_max=3", .urls = 1},
    {{"--jobs=3", "--json", "http://a/", "http://b/"},
     .knob = "--pool.pages_max=3",
     .jobs = 3,
     .json = true,
     .many = true,
     .urls = 2},
    {{"-o", "out", "http://a/", "http://b/"}, .target = "out", .many = true, .urls = 2},
    {{"--", "http://a/"}, .urls = 1},
};

static bool has_knob(const struct cli *cli, const char *knob)
{
    for (int i = 0; i < cli->knobs_count; i++) {
        if (strcmp(cli->knobs[i], knob) == 0)
            return true;
    }
    return false;
}

START_TEST(valid_commands)
{
    struct cli cli;
    ck_assert_msg(parse(&cli, valid[_i].arguments) == 0, "%s", error);
    ck_assert_uint_eq(cli.urls_count, valid[_i].urls);
    ck_assert_int_eq(cli.has_many, valid[_i].many);
    ck_assert_int_eq(cli.json, valid[_i].json);
    ck_assert_uint_eq(cli.jobs, valid[_i].jobs);
    if (valid[_i].params != NULL) {
        char *params = json_dumps(cli.params, JSON_COMPACT);
        ck_assert_str_eq(params, valid[_i].params);
        free(params);
    }
    ck_assert_pstr_eq(cli.target, valid[_i].target);
    if (valid[_i].knob != NULL)
        ck_assert_msg(has_knob(&cli, valid[_i].knob), "%s is not passed on", valid[_i].knob);
    ck_assert_ptr_null(cli.knobs[cli.knobs_count]);
    cli_free(&cli);
}
END_TEST

/* A pool that the command line sizes is not sized again. */
START_TEST(pages_of_the_command_line_stay)
{
    struct cli cli;
    const char *const arguments[] = {"--pool.pages_max=3", "--jobs=2", "http://a/", NULL};
    ck_assert_int_eq(parse(&cli, arguments), 0);
    ck_assert(!has_knob(&cli, "--pool.pages_max=2"));
    cli_free(&cli);
}
END_TEST

static const struct {
    const char *arguments[ARGUMENTS_MAX];
    const char *text; /* In the sentence. */
} wrong[] = {
    {{NULL}, "no URL is given"},
    {{"http://a/", "http://b/"}, "-o DIRECTORY"},
    {{"--wait.utnil=load", "http://a/"}, "did you mean --wait.until?"},
    {{"--job=3", "http://a/"}, "did you mean --jobs?"},
    {{"--jobs=0", "http://a/"}, "--jobs is \"0\""},
    {{"--jobs=", "http://a/"}, "--jobs is \"\""},
    {{"--jobs=-1", "http://a/"}, "--jobs is \"-1\""},
    {{"--jobs=1025", "http://a/"}, "from 1 to 1024"},
    {{"http://a/", "--jobs"}, "--jobs needs a value"},
    {{"http://a/", "--wait.until"}, "--wait.until needs a value"},
    {{"http://a/", "--wait.until", "--json"}, "--wait.until needs a value"},
    {{"http://a/", "-o"}, "-o needs a value"},
    {{"http://a/", "-o", ""}, "must name a file"},
    {{"http://a/", "-o", "x", "-o", "y"}, "given twice"},
    {{"--wait.until=load", "--wait.until=load", "http://a/"}, "--wait.until is given twice"},
    {{"--wait.expression=\xff", "http://a/"}, "--wait.expression is not valid UTF-8"},
    {{"--json=yes", "http://a/"}, "--json takes no value"},
    {{"--pdf=yes", "http://a/"}, "--pdf takes no value"},
    {{"--pdf", "--screenshot", "http://a/"}, "only one of --pdf, --screenshot and --output"},
    {{"--screenshot", "--output=jpeg", "http://a/"}, "only one of --pdf, --screenshot and"},
    {{"--output=pdf", "--pdf", "http://a/"}, "only one of --pdf, --screenshot and --output"},
    {{"--pfd", "http://a/"}, "did you mean --pdf?"},
    {{"-x", "http://a/"}, "unknown option -x"},
    {{"--urls", "/nowhere/list"}, "/nowhere/list: No such file"},
};

START_TEST(wrong_commands)
{
    struct cli cli;
    ck_assert_int_eq(parse(&cli, wrong[_i].arguments), -EINVAL);
    ck_assert_msg(strstr(error, wrong[_i].text) != NULL, "%s", error);
    ck_assert_ptr_null(cli.urls);
}
END_TEST

START_TEST(help_is_given_whatever_follows)
{
    struct cli cli;
    const char *const arguments[] = {"--help", "--nonsense", NULL};
    ck_assert_int_eq(parse(&cli, arguments), 0);
    ck_assert(cli.wants_help);
    cli_free(&cli);
}
END_TEST

static void load_defaults(struct config *ret)
{
    char *arguments[] = {(char *)"prerenderd", NULL};
    char *environment[] = {(char *)"PRERENDERD_LOG_LEVEL=info", NULL};
    enum config_verb verb;
    ck_assert_int_eq(config_load(1, arguments, environment, ret, &verb, error), 0);
}

START_TEST(requests_are_those_of_the_interface)
{
    struct config config;
    struct cli cli;
    struct http_request request;
    load_defaults(&config);
    const char *const arguments[] = {"--wait.selector=#a & b", "--json", "http://a/?x=1&y=2%20",
                                     "ftp://b/", NULL};
    ck_assert_int_eq(parse(&cli, arguments), 0);
    ck_assert(cli_request(&cli, &config, 0, &request, error));
    ck_assert_str_eq(request.params.url, "http://a/?x=1&y=2%20");
    ck_assert_str_eq(request.params.wait.selector, "#a & b");
    ck_assert_str_eq(request.request_id, "1");
    ck_assert_int_eq(request.accept, HTTP_ACCEPT_ENVELOPE);
    render_params_free(&request.params);
    ck_assert(!cli_request(&cli, &config, 1, &request, error));
    ck_assert_msg(strncmp(error, "URL 2: \"url\" is \"ftp://b/\"", 26) == 0, "%s", error);
    cli_free(&cli);
    config_free(&config);
}
END_TEST

START_TEST(list_of_urls)
{
    static const char text[] = "# comment\n\n  http://a/ \r\nhttp://b/#c\nhttp://d/";
    struct cli cli = {.urls = NULL};
    FILE *list = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
    ck_assert_int_eq(cli_read_urls(&cli, list, "list", error), 0);
    (void)fclose(list);
    ck_assert_uint_eq(cli.urls_count, 3);
    ck_assert_str_eq(cli.urls[0], "http://a/");
    ck_assert_str_eq(cli.urls[1], "http://b/#c");
    ck_assert_str_eq(cli.urls[2], "http://d/");
    cli_free(&cli);
}
END_TEST

START_TEST(files_are_named_after_pages)
{
    struct cli cli = {.target = "out", .has_many = true};
    static const char text[] = "https://a.example:80/x/y.html?q=1\nhttp://b/../é/\nhttp://"
                               "c\n4\n5\n6\n7\n8\n9\nhttp://d/e/";
    static const struct {
        size_t index;
        const char *extension, *path;
    } paths[] = {
        {0, "html", "out/01-a.example-80-x-y.html"},
        {1, "pdf", "out/02-b-..---.pdf"},
        {2, "json", "out/03-c.json"},
        {9, "html", "out/10-d-e.html"},
    };
    FILE *list = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
    ck_assert_int_eq(cli_read_urls(&cli, list, "list", error), 0);
    (void)fclose(list);
    for (size_t i = 0; i < COUNT(paths); i++) {
        char *path = cli_path(&cli, paths[i].index, paths[i].extension);
        ck_assert_str_eq(path, paths[i].path);
        free(path);
    }
    cli_free(&cli);
}
END_TEST

/* An extension is true of what is written. */
START_TEST(extensions_are_those_of_outputs)
{
    static const struct {
        const char *option, *extension;
    } outputs[] = {
        {"--timeoutMs=1000", "html"},  {"--pdf", "pdf"},
        {"--screenshot", "png"},       {"--output=text", "txt"},
        {"--output=jpeg", "jpg"},      {"--output=links", "json"},
        {"--output=webp", "webp"},     {"--output=mhtml", "mhtml"},
        {"--output=html,pdf", "json"}, {"--json", "json"},
    };
    struct config config;
    load_defaults(&config);
    for (size_t i = 0; i < COUNT(outputs); i++) {
        struct cli cli;
        struct http_request request;
        const char *const arguments[] = {outputs[i].option, "http://a/", NULL};
        ck_assert_int_eq(parse(&cli, arguments), 0);
        ck_assert_msg(cli_request(&cli, &config, 0, &request, error), "%s", error);
        ck_assert_str_eq(cli_extension(&request), outputs[i].extension);
        render_params_free(&request.params);
        cli_free(&cli);
    }
    config_free(&config);
}
END_TEST

START_TEST(progress_tells_how_far)
{
    char text[PROGRESS_TEXT_BYTES];
    struct progress one = {.total = 1};
    struct progress many = {.total = 40, .complete = 8, .failed = 1, .timed_out = 1};
    ck_assert_str_eq(progress_line(&one, 3999, 79, text), "rendering, 3 s");
    ck_assert_str_eq(progress_line(&many, 5000, 79, text),
                     "[#######.......................] 10 of 40, 2 without a document, 5 s");
    ck_assert_str_eq(progress_line(&many, 5000, 10, text), "[#######..");
    ck_assert_str_eq(progress_summary(&many, 5150, text),
                     "40 URLs in 5.1 s: 8 complete, 0 partial, "
                     "1 failed, 1 timed out, 30 not rendered");
    many.complete = 38;
    ck_assert_str_eq(progress_line(&many, 5000, 32, text), "[##############################]");
    ck_assert_str_eq(progress_summary(&many, 60000, text),
                     "40 URLs in 60.0 s: 38 complete, 0 partial, 1 failed, 1 timed out");
}
END_TEST

static char directory[64], path[96], linked[96];

static void setup(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/prerenderd-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/file", directory);
    (void)snprintf(linked, sizeof linked, "%s/link", directory);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)unlink(linked);
    ck_assert_int_eq(rmdir(directory), 0); /* Nothing else was left in it. */
}

static void expect_content(const char *name, const char *content)
{
    char text[64] = "";
    FILE *file = fopen(name, "re");
    ck_assert_ptr_nonnull(file);
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    text[bytes] = '\0';
    (void)fclose(file);
    ck_assert_str_eq(text, content);
}

START_TEST(files_are_replaced_whole)
{
    struct stat status;
    ck_assert_int_eq(save_file(path, "one", 3), 0);
    expect_content(path, "one");
    ck_assert_int_eq(chmod(path, 0640), 0);
    FILE *reader = fopen(path, "re");
    ck_assert_ptr_nonnull(reader);
    ck_assert_int_eq(symlink("file", linked), 0);
    ck_assert_int_eq(save_file(linked, "two", 3), 0);
    expect_content(path, "two");
    ck_assert(lstat(linked, &status) == 0 && S_ISLNK(status.st_mode));
    ck_assert(stat(path, &status) == 0 && (status.st_mode & 0777) == 0640);
    char old[8] = "";
    /* Who had it open still reads the old one. */
    ck_assert_uint_eq(fread(old, 1, 7, reader), 3);
    (void)fclose(reader);
    ck_assert_str_eq(old, "one");
}
END_TEST

START_TEST(files_that_cannot_be_written)
{
    struct stat status;
    char below[128];
    (void)snprintf(below, sizeof below, "%s/none/file", directory);
    ck_assert_int_eq(save_file(below, "x", 1), -ENOENT);
    ck_assert_int_eq(save_file(directory, "x", 1), -EISDIR);
    ck_assert_int_eq(save_file("/dev/full", "x", 1), -ENOSPC);
    ck_assert_int_eq(save_file("/dev/null", "x", 1), 0);
    ck_assert(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli");
    TCase *tests = tcase_create("cli");
    tcase_add_loop_test(tests, valid_commands, 0, COUNT(valid));
    tcase_add_loop_test(tests, wrong_commands, 0, COUNT(wrong));
    tcase_add_test(tests, pages_of_the_command_line_stay);
    tcase_add_test(tests, help_is_given_whatever_follows);
    tcase_add_test(tests, requests_are_those_of_the_interface);
    tcase_add_test(tests, list_of_urls);
    tcase_add_test(tests, files_are_named_after_pages);
    tcase_add_test(tests, extensions_are_those_of_outputs);
    tcase_add_test(tests, progress_tells_how_far);
    suite_add_tcase(suite, tests);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_add_test(files, files_are_replaced_whole);
    tcase_add_test(files, files_that_cannot_be_written);
    suite_add_tcase(suite, files);
    return suite_run(suite, SUITE_FORKS);
}
