/* test_metrics.c: the text of /metrics is what a Prometheus server can read: every line is
 * parsed here by the rules of the exposition format. */
#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/metrics.h"
#include "tests/suite.h"

#define FAMILIES_MAX 64
#define SERIES_MAX 1024
#define NAME_BYTES 96
#define LABELS_BYTES 160

struct family {
    char name[NAME_BYTES], type[16];
};

struct series {
    char name[NAME_BYTES], labels[LABELS_BYTES], le[32]; /* Labels without le. */
    double value;
};

struct scrape {
    struct family families[FAMILIES_MAX];
    size_t families_count;
    struct series series[SERIES_MAX];
    size_t series_count;
};

static size_t name_length(const char *at)
{
    ck_assert_msg(isalpha((unsigned char)*at) || *at == '_', "no name: %s", at);
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == ':')
        length++;
    ck_assert_uint_lt(length, NAME_BYTES);
    return length;
}

static const struct family *find_family(const struct scrape *scrape, const char *name, size_t bytes)
{
    for (size_t i = 0; i < scrape->families_count; i++) {
        const struct family *family = &scrape->families[i];
        if (strlen(family->name) == bytes && memcmp(family->name, name, bytes) == 0)
            return family;
    }
    return NULL;
}

/* "# HELP name text" opens a family, "# TYPE name type" must be the next line. */
static const char *parse_family(struct scrape *scrape, const char *at)
{
    static const char help[] = "# HELP ", type[] = "# TYPE ";
    ck_assert_msg(strncmp(at, help, strlen(help)) == 0, "not HELP: %.60s", at);
    at += strlen(help);
    size_t length = name_length(at);
    ck_assert_msg(!find_family(scrape, at, length), "family twice: %.60s", at);
    ck_assert_uint_lt(scrape->families_count, FAMILIES_MAX);
    struct family *family = &scrape->families[scrape->families_count++];
    memcpy(family->name, at, length);
    ck_assert_int_eq(at[length], ' ');
    at = strchr(at, '\n') + 1;
    ck_assert_msg(strncmp(at, type, strlen(type)) == 0, "not TYPE: %.60s", at);
    at += strlen(type);
    ck_assert_uint_eq(name_length(at), length);
    ck_assert_int_eq(memcmp(at, family->name, length), 0);
    at += length + 1;
    size_t bytes = strcspn(at, "\n");
    ck_assert_uint_lt(bytes, sizeof family->type);
    memcpy(family->type, at, bytes);
    ck_assert(strcmp(family->type, "counter") == 0 || strcmp(family->type, "gauge") == 0 ||
              strcmp(family->type, "histogram") == 0);
    return at + bytes + 1;
}

static const char *parse_labels(struct series *series, const char *at)
{
    if (*at != '{')
        return at;
    at++;
    while (*at != '}') {
        const char *label = at;
        size_t length = name_length(at);
        at += length;
        ck_assert_msg(at[0] == '=' && at[1] == '"', "no value: %.60s", at);
        at += 2;
        size_t bytes = strcspn(at, "\"\\\n");
        ck_assert_int_eq(at[bytes], '"');
        if (length == 2 && memcmp(label, "le", 2) == 0) {
            ck_assert_uint_lt(bytes, sizeof series->le);
            memcpy(series->le, at, bytes);
        } else {
            size_t used = strlen(series->labels), pair = (size_t)(at + bytes + 1 - label);
            ck_assert_uint_lt(used + pair + 1, LABELS_BYTES);
            memcpy(series->labels + used, label, pair);
        }
        at += bytes + 1;
        if (*at == ',')
            at++;
        else
            ck_assert_int_eq(*at, '}');
    }
    return at + 1;
}

static bool ends_in(const char *name, size_t bytes, const char *end)
{
    return bytes > strlen(end) && memcmp(name + bytes - strlen(end), end, strlen(end)) == 0;
}

/* A series belongs to the family that was opened last. */
static void check_family(const struct scrape *scrape, const char *name)
{
    const struct family *family = &scrape->families[scrape->families_count - 1];
    size_t bytes = strlen(family->name);
    ck_assert_msg(strncmp(name, family->name, bytes) == 0, "%s is no %s", name, family->name);
    const char *rest = name + bytes;
    if (strcmp(family->type, "histogram") == 0)
        ck_assert_msg(strcmp(rest, "_bucket") == 0 || strcmp(rest, "_sum") == 0 ||
                          strcmp(rest, "_count") == 0,
                      "%s", name);
    else
        ck_assert_str_eq(rest, "");
    if (strcmp(family->type, "counter") == 0)
        ck_assert_msg(ends_in(name, strlen(name), "_total"), "%s", name);
}

static const char *parse_series(struct scrape *scrape, const char *at)
{
    ck_assert_uint_lt(scrape->series_count, SERIES_MAX);
    ck_assert_uint_gt(scrape->families_count, 0);
    struct series *series = &scrape->series[scrape->series_count];
    size_t length = name_length(at);
    memcpy(series->name, at, length);
    check_family(scrape, series->name);
    at = parse_labels(series, at + length);
    ck_assert_int_eq(*at, ' ');
    char *end;
    series->value = strtod(at + 1, &end);
    ck_assert_msg(end > at + 1 && *end == '\n', "no number: %.60s", at);
    ck_assert(series->value >= 0);
    for (size_t i = 0; i < scrape->series_count; i++) {
        const struct series *other = &scrape->series[i];
        bool same = strcmp(other->name, series->name) == 0 &&
                    strcmp(other->labels, series->labels) == 0 &&
                    strcmp(other->le, series->le) == 0;
        ck_assert_msg(!same, "series twice: %s{%s}", series->name, series->labels);
    }
    scrape->series_count++;
    return end + 1;
}

static struct scrape *parse(const char *text, size_t bytes)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    ck_assert_ptr_nonnull(scrape);
    ck_assert_uint_gt(bytes, 0);
    ck_assert_int_eq(text[bytes - 1], '\n');
    const char *at = text;
    while (at < text + bytes)
        at = *at == '#' ? parse_family(scrape, at) : parse_series(scrape, at);
    ck_assert_ptr_eq(at, text + bytes);
    return scrape;
}

static double value_of(const struct scrape *scrape, const char *name, const char *labels,
                       const char *le)
{
    for (size_t i = 0; i < scrape->series_count; i++) {
        const struct series *series = &scrape->series[i];
        if (strcmp(series->name, name) == 0 && strcmp(series->labels, labels) == 0 &&
            strcmp(series->le, le) == 0)
            return series->value;
    }
    ck_abort_msg("there is no %s{%s} le=%s", name, labels, le);
    return 0;
}

static struct scrape *scrape_of(const struct metrics *metrics, const struct metrics_state *state)
{
    size_t bytes = 0;
    char *text = metrics_text(metrics, state, &bytes);
    ck_assert_ptr_nonnull(text);
    struct scrape *scrape = parse(text, bytes);
    free(text);
    return scrape;
}

/* Buckets rise, the last is +Inf, and it equals the count. */
static void check_buckets(const struct scrape *scrape)
{
    size_t histograms = 0;
    double last = 0, last_end = 0;
    for (size_t i = 0; i < scrape->series_count; i++) {
        const struct series *series = &scrape->series[i];
        if (!ends_in(series->name, strlen(series->name), "_bucket"))
            continue;
        double end = strtod(series->le, NULL); /* Reads +Inf as well. */
        bool first = i == 0 || strcmp(scrape->series[i - 1].name, series->name) != 0 ||
                     strcmp(scrape->series[i - 1].labels, series->labels) != 0;
        ck_assert(first || (end > last_end && series->value >= last));
        last = series->value;
        last_end = end;
        if (strcmp(series->le, "+Inf") == 0) {
            char name[NAME_BYTES + 16];
            snprintf(name, sizeof name, "%.*s_count", (int)(strlen(series->name) - 7),
                     series->name);
            ck_assert(value_of(scrape, name, series->labels, "") == last);
            histograms++;
        }
    }
    ck_assert_uint_eq(histograms, PHASES + 2); /* One per phase, the total, turns of two kinds. */
}

START_TEST(every_line_is_valid)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    struct metrics_state state = {.version = "1.2.3"};
    for (int route = 0; route < HTTP_ROUTES; route++) {
        struct http_finished finished = {.route = (enum http_route)route, .status = 200 + route};
        metrics_count_finished(metrics, &finished);
    }
    for (uint64_t ms = 1; ms < 1000000; ms *= 3) {
        struct phases phases;
        for (size_t i = 0; i < PHASES; i++)
            phases.ms[i] = ms + i;
        metrics_count_phases(metrics, &phases);
        metrics_count_turn(metrics, ms, ms > 10);
    }
    struct scrape *scrape = scrape_of(metrics, &state);
    check_buckets(scrape);
    free(scrape);
    free(metrics);
}
END_TEST

START_TEST(events_are_counted)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    struct metrics_state state = {
        .version = "1.2.3",
        .pool = {.pages_leased = 3, .waiting_nested = 2, .lives = 4, .crashed = 5, .life = 9},
        .uptime_ms = 1500,
    };
    struct http_finished finished = {.route = HTTP_RENDER, .status = 503, .body_bytes = 70};
    struct phases phases = {.ms = {[PHASE_SETTLE] = 40, [PHASE_TOTAL] = 1500}};
    metrics_count_finished(metrics, &finished);
    metrics_count_finished(metrics, &finished);
    finished = (struct http_finished){.route = HTTP_RENDER, .status = 0};
    metrics_count_finished(metrics, &finished);
    metrics_count_outcome(metrics, METRIC_PARTIAL);
    metrics_count_phases(metrics, &phases);
    struct scrape *scrape = scrape_of(metrics, &state);
    static const struct {
        const char *name, *labels, *le;
        double value;
    } wants[] = {
        {"prerenderd_http_requests_total", "route=\"/render\"code=\"503\"", "", 2},
        {"prerenderd_http_requests_total", "route=\"/render\"code=\"0\"", "", 1},
        {"prerenderd_http_response_bytes_total", "", "", 140},
        {"prerenderd_renders_total", "outcome=\"partial\"", "", 1},
        {"prerenderd_renders_total", "outcome=\"complete\"", "", 0},
        {"prerenderd_render_seconds_sum", "", "", 1.5},
        {"prerenderd_render_seconds_bucket", "", "1.000000", 0},
        {"prerenderd_render_seconds_bucket", "", "2.500000", 1},
        {"prerenderd_render_phase_seconds_bucket", "phase=\"settle\"", "0.025000", 0},
        {"prerenderd_render_phase_seconds_bucket", "phase=\"settle\"", "0.050000", 1},
        {"prerenderd_pages", "state=\"leased\"", "", 3},
        {"prerenderd_queue_waiting", "lane=\"nested\"", "", 2},
        {"prerenderd_browser_restarts_total", "", "", 3},
        {"prerenderd_page_crashes_total", "", "", 5},
        {"prerenderd_browser_up", "", "", 1},
        {"prerenderd_uptime_seconds", "", "", 1.5},
        {"prerenderd_build_info", "version=\"1.2.3\"", "", 1},
    };
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
        double value = value_of(scrape, wants[i].name, wants[i].labels, wants[i].le);
        ck_assert_msg(value == wants[i].value, "%s{%s}: %f", wants[i].name, wants[i].labels, value);
    }
    free(scrape);
    free(metrics);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, every_line_is_valid);
    tcase_add_test(tests, events_are_counted);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
