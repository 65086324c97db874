/* cli.c: reads the command line of `prerenderd render`; see cli.h. */
#include "daemon/cli.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "config/nearest.h"
#include "http/body.h"
#include "http/outputs.h"
#include "http/problem.h"

/* One option, taken apart. */
struct option {
    const char *given;    /* As it stands, for messages. */
    char name[128];       /* Without dashes and value. */
    const char *attached; /* After "="; NULL: there is none. */
    const char *next;     /* The following argument, if it can be a value; else NULL. */
    int used;             /* How many arguments it took. */
};

/* What goes on while argv is read. */
struct reading {
    struct cli *cli;
    const char *list; /* --urls. */
    bool has_pages;   /* pool.pages_max is among the knobs. */
    char *error;
};

static int fail(char *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, CLI_ERROR_BYTES, format, arguments);
    va_end(arguments);
    for (char *c = error; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c))
            *c = '?';
    }
    return code;
}

static int add_url(struct cli *cli, const char *url, size_t bytes, char *error)
{
    if (cli->urls_count == CLI_URLS_MAX)
        return fail(error, -E2BIG, "more than %d URLs; split the list", CLI_URLS_MAX);
    if ((cli->urls_count & (cli->urls_count - 1)) == 0) { /* Grows at every power of two. */
        size_t capacity = cli->urls_count == 0 ? 1 : 2 * cli->urls_count;
        char **urls = realloc(cli->urls, capacity * sizeof *urls);
        if (urls == NULL)
            return fail(error, -ENOMEM, "out of memory");
        cli->urls = urls;
    }
    char *copy = strndup(url, bytes);
    if (copy == NULL)
        return fail(error, -ENOMEM, "out of memory");
    cli->urls[cli->urls_count++] = copy;
    return 0;
}

int cli_read_urls(struct cli *cli, FILE *list, const char *name, char error[CLI_ERROR_BYTES])
{
    char *line = NULL;
    size_t size = 0;
    ssize_t bytes;
    int code = 0;
    while (code == 0 && (bytes = getline(&line, &size, list)) >= 0) {
        const char *url = line;
        while (bytes > 0 && isspace((unsigned char)line[bytes - 1]))
            bytes--;
        for (; bytes > 0 && isspace((unsigned char)*url); url++)
            bytes--;
        if (bytes > 0 && *url != '#')
            code = add_url(cli, url, (size_t)bytes, error);
    }
    if (code == 0 && ferror(list))
        code = fail(error, -EIO, "cannot read %.200s: %s", name, strerror(errno));
    free(line);
    return code;
}

static int read_list(struct cli *cli, const char *name, char *error)
{
    if (strcmp(name, "-") == 0)
        return cli_read_urls(cli, stdin, "standard input", error);
    FILE *list = fopen(name, "re");
    if (list == NULL)
        return fail(error, -EINVAL, "cannot read --urls %.200s: %s", name, strerror(errno));
    int code = cli_read_urls(cli, list, name, error);
    (void)fclose(list);
    return code;
}

/* "timeout-ms" is "timeoutMs" to those who are used to options. */
static void join_dashes(const char *name, char *ret)
{
    bool upper = false;
    for (; *name != '\0'; name++) {
        if (*name == '-')
            upper = true;
        else {
            *ret++ = upper ? (char)toupper((unsigned char)*name) : *name;
            upper = false;
        }
    }
    *ret = '\0';
}

/* The value of an option that must have one; NULL, with the sentence written. */
static const char *take_value(struct option *option, char *error)
{
    if (option->attached != NULL)
        return option->attached;
    if (option->next == NULL) {
        (void)fail(error, -EINVAL, "%.80s needs a value", option->given);
        return NULL;
    }
    option->used = 2;
    return option->next;
}

static int read_jobs(struct cli *cli, const char *text, char *error)
{
    char *end;
    unsigned long jobs = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || jobs < 1 || jobs > POOL_PAGES_LIMIT)
        return fail(error, -EINVAL, "--jobs is \"%.40s\", but must be an integer from 1 to %d",
                    text, POOL_PAGES_LIMIT);
    cli->jobs = (uint32_t)jobs;
    return 0;
}

static int read_switch(struct option *option, bool *ret, char *error)
{
    if (option->attached != NULL)
        return fail(error, -EINVAL, "--%s takes no value", option->name);
    *ret = true;
    return 0;
}

static int read_valued(struct reading *reading, struct option *option)
{
    const char *value = take_value(option, reading->error);
    if (value == NULL)
        return -EINVAL;
    if (strcmp(option->name, "jobs") == 0)
        return read_jobs(reading->cli, value, reading->error);
    if (value[0] == '\0')
        return fail(reading->error, -EINVAL, "%.80s is \"\", but must name a file", option->given);
    const char **member = option->name[0] == 'o' ? &reading->cli->target : &reading->list;
    if (*member != NULL)
        return fail(reading->error, -EINVAL, "%.80s is given twice", option->given);
    *member = value;
    return 0;
}

/* Switches for the outputs that are asked for most. */
static const struct {
    const char *name, *output;
} output_switches[] = {{"pdf", "pdf"}, {"screenshot", "png"}};

/* A boolean needs no value, so that it never takes the URL that follows it. */
static int read_parameter(struct reading *reading, struct option *option,
                          const struct param_row *row)
{
    const char *value = option->attached;
    if (value == NULL && row->type == PARAM_BOOLEAN)
        value = "true";
    if (value == NULL)
        value = take_value(option, reading->error);
    if (value == NULL)
        return -EINVAL;
    switch (cli_set_parameter(reading->cli->params, row, value)) {
    case 0:
        return 0;
    case -EEXIST:
        if (strcmp(row->name, "output") == 0)
            return fail(reading->error, -EINVAL,
                        "only one of --pdf, --screenshot and --output can be given; several "
                        "outputs are, for example, --output=html,pdf");
        return fail(reading->error, -EINVAL, "--%s is given twice", option->name);
    case -EILSEQ:
        return fail(reading->error, -EINVAL, "--%s is not valid UTF-8", option->name);
    default:
        return fail(reading->error, -ENOMEM, "out of memory");
    }
}

static int read_knob(struct reading *reading, struct option *option)
{
    struct cli *cli = reading->cli;
    if (strcmp(option->name, "pool.pages_max") == 0)
        reading->has_pages = true;
    cli->knobs[cli->knobs_count++] = (char *)(uintptr_t)option->given;
    if (option->attached == NULL && option->next != NULL) {
        cli->knobs[cli->knobs_count++] = (char *)(uintptr_t)option->next;
        option->used = 2;
    }
    return 0;
}

static int read_output_switch(struct reading *reading, struct option *option, const char *output)
{
    bool is_on;
    int code = read_switch(option, &is_on, reading->error);
    if (code != 0)
        return code;
    option->attached = output;
    return read_parameter(reading, option, param_find("output"));
}

static const char *const own_options[] = {"json", "help", "jobs", "urls", "pdf", "screenshot"};

static int unknown_option(const struct option *option, char *error)
{
    const char *best = param_nearest(option->name);
    for (size_t i = 0; i < sizeof own_options / sizeof own_options[0]; i++) {
        if (nearest_distance(option->name, own_options[i]) < nearest_distance(option->name, best))
            best = own_options[i];
    }
    return fail(error, -EINVAL,
                "unknown option %.80s, did you mean --%s? See prerenderd render --help",
                option->given, best);
}

static int read_option(struct reading *reading, struct option *option)
{
    static const char *const valued[] = {"o", "jobs", "urls"};
    char joined[sizeof option->name];
    if (strcmp(option->name, "help") == 0 || strcmp(option->name, "h") == 0)
        return read_switch(option, &reading->cli->wants_help, reading->error);
    if (strcmp(option->name, "json") == 0)
        return read_switch(option, &reading->cli->json, reading->error);
    for (size_t i = 0; i < sizeof valued / sizeof valued[0]; i++) {
        if (strcmp(option->name, valued[i]) == 0)
            return read_valued(reading, option);
    }
    for (size_t i = 0; i < sizeof output_switches / sizeof output_switches[0]; i++) {
        if (strcmp(option->name, output_switches[i].name) == 0)
            return read_output_switch(reading, option, output_switches[i].output);
    }
    join_dashes(option->name, joined);
    const struct param_row *row = param_find(joined);
    if (row != NULL)
        return read_parameter(reading, option, row);
    if (strcmp(option->name, "config") == 0 || config_has_knob(option->name))
        return read_knob(reading, option);
    return unknown_option(option, reading->error);
}

/* "-o FILE" and "-h" have one dash; everything else has two. */
static bool split_option(const char *argument, const char *next, struct option *ret)
{
    bool is_short = strcmp(argument, "-o") == 0 || strcmp(argument, "-h") == 0;
    if (!is_short && (strncmp(argument, "--", 2) != 0 || argument[2] == '\0'))
        return false;
    const char *name = argument + (is_short ? 1 : 2);
    size_t bytes = strcspn(name, "=");
    *ret = (struct option){.given = argument, .used = 1};
    /* What does not fit is longer than any name; it is cut for the search of the nearest. */
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", (int)(bytes < 120 ? bytes : 120), name);
    ret->attached = name[bytes] == '=' ? name + bytes + 1 : NULL;
    ret->next = next != NULL && strncmp(next, "--", 2) != 0 ? next : NULL;
    return true;
}

static int read_arguments(struct reading *reading, int argc, char *const *argv)
{
    bool options_end = false;
    int used = 1, code = 0;
    for (int i = 0; i < argc && code == 0 && !reading->cli->wants_help; i += used) {
        struct option option;
        used = 1;
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end &&
                   split_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, &option)) {
            code = read_option(reading, &option);
            used = option.used;
        } else if (!options_end && argv[i][0] == '-') {
            code = fail(reading->error, -EINVAL, "unknown option %.80s, options have two dashes",
                        argv[i]);
        } else {
            code = add_url(reading->cli, argv[i], strlen(argv[i]), reading->error);
        }
    }
    return code;
}

static void add_own_knob(struct cli *cli, size_t slot, const char *name, uint32_t number)
{
    (void)snprintf(cli->own_knobs[slot], sizeof cli->own_knobs[slot], "--%s=%u", name, number);
    cli->knobs[cli->knobs_count++] = cli->own_knobs[slot];
}

/* As many pages as there are renders at once: a file that was written for a server must not
 * make a command wait for pages that it does not need. */
static void size_pool(struct reading *reading)
{
    struct cli *cli = reading->cli;
    uint32_t pages = cli->jobs != 0 ? cli->jobs : !cli->has_many;
    if (pages == 0 || reading->has_pages)
        return;
    add_own_knob(cli, 1, "pool.pages_min", 1);
    add_own_knob(cli, 2, "pool.pages_max", pages);
    add_own_knob(cli, 3, "pool.pages_high_priority_max", pages);
}

static int check(struct reading *reading)
{
    struct cli *cli = reading->cli;
    int code = 0;
    if (reading->list != NULL)
        code = read_list(cli, reading->list, reading->error);
    if (code != 0)
        return code;
    cli->has_many = reading->list != NULL || cli->urls_count > 1;
    if (cli->urls_count == 0)
        return fail(reading->error, -EINVAL, "no URL is given, see prerenderd render --help");
    if (cli->has_many && cli->target == NULL && !cli->json)
        return fail(reading->error, -EINVAL,
                    "several URLs need -o DIRECTORY, or --json for one line each on standard "
                    "output");
    size_pool(reading);
    return 0;
}

int cli_parse(int argc, char *const *argv, struct cli *ret, char error[CLI_ERROR_BYTES])
{
    struct reading reading = {.cli = ret, .error = error};
    assert(argc >= 0);
    *ret = (struct cli){
        .params = json_object(),
        .knobs = calloc((size_t)argc + 2 + CLI_KNOBS_OWN, sizeof *ret->knobs),
    };
    if (ret->knobs == NULL || ret->params == NULL) {
        cli_free(ret);
        return fail(error, -ENOMEM, "out of memory");
    }
    ret->knobs[ret->knobs_count++] = (char *)(uintptr_t) "prerenderd";
    (void)snprintf(ret->own_knobs[0], sizeof ret->own_knobs[0], "--log.level=warning");
    ret->knobs[ret->knobs_count++] = ret->own_knobs[0]; /* Weaker than what follows. */
    int code = read_arguments(&reading, argc, argv);
    if (code == 0 && !ret->wants_help)
        code = check(&reading);
    if (code != 0)
        cli_free(ret);
    return code;
}

void cli_free(struct cli *cli)
{
    for (size_t i = 0; i < cli->urls_count; i++)
        free(cli->urls[i]);
    free(cli->urls);
    json_decref(cli->params);
    free(cli->knobs);
    *cli = (struct cli){.urls = NULL};
}

/* The body for one URL, from malloc(); NULL when memory is out or the URL is no UTF-8. */
static char *body_of(const struct cli *cli, size_t index)
{
    json_t *params = json_copy(cli->params);
    char *text = NULL;
    if (json_object_set_new(params, "url", json_string(cli->urls[index])) == 0)
        text = json_dumps(params, JSON_COMPACT);
    json_decref(params);
    return text;
}

bool cli_request(const struct cli *cli, const struct config *config, size_t index,
                 struct http_request *ret, char error[CLI_ERROR_BYTES])
{
    struct fault fault;
    char number[32] = "";
    assert(index < cli->urls_count);
    fault_init(&fault);
    *ret = (struct http_request){
        .route = HTTP_RENDER,
        .forms = outputs_forms(cli->json ? "application/json" : ""),
    };
    (void)snprintf(ret->request_id, sizeof ret->request_id, "%zu", index + 1);
    char *body = body_of(cli, index);
    if (cli->has_many)
        (void)snprintf(number, sizeof number, "URL %zu: ", index + 1);
    if (body == NULL) {
        (void)fail(error, -EINVAL, "%sit is not valid UTF-8, or memory is out", number);
        return false;
    }
    bool valid =
        body_parse(config, body, strlen(body), &ret->params, &fault) && outputs_settle(ret, &fault);
    free(body);
    if (!valid)
        (void)fail(error, -EINVAL, "%s%s", strcmp(fault.param, "url") == 0 ? number : "",
                   fault.detail);
    return valid;
}
