/* metrics.c: counters and their text; see metrics.h. */
#include "daemon/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Upper ends of the buckets. Renders take from tens of milliseconds to the two minutes
 * that a request may ask for, turns of the loop from microseconds to what must not be. */
static const uint64_t phase_ends_us[] = {5000,   10000,   25000,   50000,    100000,   250000,
                                         500000, 1000000, 2500000, 10000000, 30000000, 120000000};
static const uint64_t turn_ends_us[] = {100,   500,   1000,   2500,   5000,   10000,
                                        20000, 50000, 100000, 250000, 500000, 1000000};
static_assert(sizeof phase_ends_us == METRIC_BUCKETS_MAX * sizeof(uint64_t), "one end each");
static_assert(sizeof turn_ends_us == METRIC_BUCKETS_MAX * sizeof(uint64_t), "one end each");

static const char *const outcome_names[METRIC_OUTCOMES] = {
    [METRIC_COMPLETE] = "complete", [METRIC_PARTIAL] = "partial",     [METRIC_FAILED] = "failed",
    [METRIC_REFUSED] = "refused",   [METRIC_CANCELLED] = "cancelled",
};

static const char *const phase_names[PHASES] = {
    [PHASE_PERMIT] = "permit",   [PHASE_ADMISSION] = "admission", [PHASE_SLOT] = "slot",
    [PHASE_OPEN] = "open",       [PHASE_PROBE] = "probe",         [PHASE_NAVIGATE] = "navigate",
    [PHASE_LOAD] = "load",       [PHASE_SETTLE] = "settle",       [PHASE_CAPTURE] = "capture",
    [PHASE_PROCESS] = "process", [PHASE_TOTAL] = "total",
};

const char *phase_name(enum phase phase)
{
    assert(phase < PHASES);
    return phase_names[phase];
}

static void observe(struct histogram *histogram, const uint64_t *ends_us, uint64_t us)
{
    size_t at = 0;
    while (at < METRIC_BUCKETS_MAX && us > ends_us[at])
        at++;
    histogram->buckets[at]++;
    histogram->count++;
    histogram->sum_us += us;
}

void metrics_count_outcome(struct metrics *metrics, enum metric_outcome outcome)
{
    assert(outcome < METRIC_OUTCOMES);
    metrics->renders[outcome]++;
}

void metrics_count_phases(struct metrics *metrics, const struct phases *phases)
{
    for (size_t i = 0; i < PHASES; i++)
        observe(&metrics->phases[i], phase_ends_us, phases->ms[i] * 1000);
}

void metrics_count_turn(struct metrics *metrics, uint64_t us, bool has_heartbeat)
{
    observe(&metrics->turns, turn_ends_us, us);
    if (has_heartbeat)
        observe(&metrics->heartbeat_turns, turn_ends_us, us);
}

void metrics_count_finished(struct metrics *metrics, const struct http_finished *finished)
{
    assert(finished->route < HTTP_ROUTES);
    assert(finished->status >= 0 && finished->status < METRIC_STATUSES);
    metrics->requests[finished->route][finished->status]++;
    metrics->response_bytes += finished->body_bytes;
}

/* What a row of the table is written from. */
struct source {
    FILE *stream;
    const char *name;
    const struct metrics *metrics;
    const struct metrics_state *state;
};

static void write_number(const struct source *to, uint64_t value)
{
    (void)fprintf(to->stream, "%s %llu\n", to->name, (unsigned long long)value);
}

static void write_labelled(const struct source *to, const char *label, const char *value,
                           uint64_t number)
{
    (void)fprintf(to->stream, "%s{%s=\"%s\"} %llu\n", to->name, label, value,
                  (unsigned long long)number);
}

static void write_seconds(FILE *stream, uint64_t us)
{
    (void)fprintf(stream, "%llu.%06llu", (unsigned long long)(us / 1000000),
                  (unsigned long long)(us % 1000000));
}

/* `label` is "" or ends in a comma. */
static void write_histogram(const struct source *to, const char *label, const uint64_t *ends_us,
                            const struct histogram *histogram)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < METRIC_BUCKETS_MAX; i++) {
        sum += histogram->buckets[i];
        (void)fprintf(to->stream, "%s_bucket{%sle=\"", to->name, label);
        write_seconds(to->stream, ends_us[i]);
        (void)fprintf(to->stream, "\"} %llu\n", (unsigned long long)sum);
    }
    sum += histogram->buckets[METRIC_BUCKETS_MAX];
    assert(sum == histogram->count);
    (void)fprintf(to->stream, "%s_bucket{%sle=\"+Inf\"} %llu\n", to->name, label,
                  (unsigned long long)sum);
    (void)fprintf(to->stream, "%s_sum{%s} ", to->name, label);
    write_seconds(to->stream, histogram->sum_us);
    (void)fprintf(to->stream, "\n%s_count{%s} %llu\n", to->name, label, (unsigned long long)sum);
}

static void write_build(const struct source *to)
{
    write_labelled(to, "version", to->state->version, 1);
}

static void write_uptime(const struct source *to)
{
    (void)fprintf(to->stream, "%s ", to->name);
    write_seconds(to->stream, to->state->uptime_ms * 1000);
    (void)fprintf(to->stream, "\n");
}

static void write_renders(const struct source *to)
{
    for (size_t i = 0; i < METRIC_OUTCOMES; i++)
        write_labelled(to, "outcome", outcome_names[i], to->metrics->renders[i]);
}

static void write_phases(const struct source *to)
{
    char label[48];
    for (size_t i = 0; i < PHASE_TOTAL; i++) {
        (void)snprintf(label, sizeof label, "phase=\"%s\",", phase_names[i]);
        write_histogram(to, label, phase_ends_us, &to->metrics->phases[i]);
    }
}

static void write_total(const struct source *to)
{
    write_histogram(to, "", phase_ends_us, &to->metrics->phases[PHASE_TOTAL]);
}

static void write_waiting(const struct source *to)
{
    write_labelled(to, "lane", "main", to->state->pool.waiting_main);
    write_labelled(to, "lane", "nested", to->state->pool.waiting_nested);
}

static void write_running(const struct source *to)
{
    write_labelled(to, "lane", "main", to->state->pool.running_main);
    write_labelled(to, "lane", "nested", to->state->pool.running_nested);
}

static void write_pages(const struct source *to)
{
    const struct pool_stats *pool = &to->state->pool;
    write_labelled(to, "state", "opening", pool->pages_opening);
    write_labelled(to, "state", "standby", pool->pages_standby);
    write_labelled(to, "state", "idle", pool->pages_idle);
    write_labelled(to, "state", "probing", pool->pages_probing);
    write_labelled(to, "state", "leased", pool->pages_leased);
    write_labelled(to, "state", "doomed", pool->pages_doomed);
    write_labelled(to, "state", "closing", pool->pages_closing);
    write_labelled(to, "state", "killing", pool->pages_killing);
    write_labelled(to, "state", "zombie", pool->pages_zombie);
}

static void write_cap(const struct source *to)
{
    write_number(to, to->state->pool.cap);
}

static void write_orphans(const struct source *to)
{
    write_number(to, to->state->pool.contexts_orphan);
}

static void write_affinities(const struct source *to)
{
    write_number(to, to->state->pool.affinities);
}

static void write_page_events(const struct source *to)
{
    const struct pool_stats *pool = &to->state->pool;
    write_labelled(to, "event", "opened", pool->opened);
    write_labelled(to, "event", "evicted", pool->evicted);
    write_labelled(to, "event", "expired", pool->expired);
    write_labelled(to, "event", "zombie", pool->zombies);
}

static void write_crashes(const struct source *to)
{
    write_number(to, to->state->pool.crashed);
}

static void write_requeued(const struct source *to)
{
    write_number(to, to->state->pool.requeued);
}

static void write_stale(const struct source *to)
{
    write_number(to, to->state->pool.stale);
}

static void write_browser_up(const struct source *to)
{
    write_number(to, to->state->pool.life != 0 ? 1 : 0);
}

static void write_launches(const struct source *to)
{
    write_number(to, to->state->pool.lives);
}

/* Every life after the first replaces one: after a crash, or recycled. */
static void write_restarts(const struct source *to)
{
    uint64_t lives = to->state->pool.lives;
    write_number(to, lives > 0 ? lives - 1 : 0);
}

static void write_turns(const struct source *to)
{
    write_histogram(to, "", turn_ends_us, &to->metrics->turns);
}

static void write_heartbeat_turns(const struct source *to)
{
    write_histogram(to, "", turn_ends_us, &to->metrics->heartbeat_turns);
}

static void write_requests(const struct source *to)
{
    for (size_t route = 0; route < HTTP_ROUTES; route++) {
        for (size_t status = 0; status < METRIC_STATUSES; status++) {
            uint64_t count = to->metrics->requests[route][status];
            if (count > 0)
                (void)fprintf(to->stream, "%s{route=\"%s\",code=\"%zu\"} %llu\n", to->name,
                              http_route_name((enum http_route)route), status,
                              (unsigned long long)count);
        }
    }
}

static void write_response_bytes(const struct source *to)
{
    write_number(to, to->metrics->response_bytes);
}

static void write_open(const struct source *to)
{
    write_number(to, to->state->exchanges_open);
}

/* Every metric there is. */
static const struct metric_row {
    const char *name, *type, *help;
    void (*write)(const struct source *);
} rows[] = {
    {"prerenderd_build_info", "gauge", "Always 1; the label is the version.", write_build},
    {"prerenderd_uptime_seconds", "gauge", "Since the daemon started.", write_uptime},
    {"prerenderd_renders_total", "counter", "Requests for a render, by how they ended.",
     write_renders},
    {"prerenderd_render_seconds", "histogram", "From arrival to answer of renders that ran.",
     write_total},
    {"prerenderd_render_phase_seconds", "histogram", "The same time by phase; phases are disjoint.",
     write_phases},
    {"prerenderd_queue_waiting", "gauge", "Requests that wait for a page, by lane.", write_waiting},
    {"prerenderd_renders_running", "gauge", "Renders that have a page, by lane.", write_running},
    {"prerenderd_renders_requeued_total", "counter", "Renders started again after a crash.",
     write_requeued},
    {"prerenderd_pages", "gauge", "Pages by state.", write_pages},
    {"prerenderd_pages_cap", "gauge", "Pages that the pool allows itself now.", write_cap},
    {"prerenderd_page_events_total", "counter", "What happened to pages.", write_page_events},
    {"prerenderd_page_crashes_total", "counter", "Renderers that crashed.", write_crashes},
    {"prerenderd_contexts_orphan", "gauge", "Browser contexts kept without a page.", write_orphans},
    {"prerenderd_affinities", "gauge", "Affinities the pool knows.", write_affinities},
    {"prerenderd_events_stale_total", "counter", "Events about what the pool had forgotten.",
     write_stale},
    {"prerenderd_browser_up", "gauge", "1 while a browser serves.", write_browser_up},
    {"prerenderd_browser_launches_total", "counter", "Browsers started.", write_launches},
    {"prerenderd_browser_restarts_total", "counter", "Browsers started after the first one.",
     write_restarts},
    {"prerenderd_loop_turn_seconds", "histogram",
     "Duration of one turn of the loop: how long anything else had to wait.", write_turns},
    {"prerenderd_heartbeat_turn_seconds", "histogram",
     "The same of turns in which the manager was sent a heartbeat.", write_heartbeat_turns},
    {"prerenderd_http_requests_total", "counter",
     "HTTP requests by route and status; 0: the client left before its answer.", write_requests},
    {"prerenderd_http_response_bytes_total", "counter", "Bytes of bodies sent.",
     write_response_bytes},
    {"prerenderd_http_open", "gauge", "HTTP exchanges and connections that are open.", write_open},
};

char *metrics_text(const struct metrics *metrics, const struct metrics_state *state,
                   size_t *ret_bytes)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct source to = {stream, rows[i].name, metrics, state};
        (void)fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", to.name, rows[i].help, to.name,
                      rows[i].type);
        rows[i].write(&to);
    }
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed) {
        free(text);
        return NULL;
    }
    *ret_bytes = bytes;
    return text;
}
