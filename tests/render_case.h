/* render_case.h: tables that drive the render machine: one fact per row, and the commands
 * it must answer with. No browser, no clock: a row says what time it is, and what the
 * page's own clock shows where a look is taken. */
#ifndef TESTS_RENDER_CASE_H
#define TESTS_RENDER_CASE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/render.h"

/* One fact, and every command the machine must answer with, in order, then its state when
 * that changed: "prepare, grant 500 > loading". "" is silence. */
struct step {
    uint64_t now_ms;
    struct render_fact fact;
    const char *want;
};

#define A UINT64_C(0xa1)
#define B UINT64_C(0xb2)
#define C UINT64_C(0xc3)
#define D UINT64_C(0xd4)

#define NAVIGATED(id)                                                                              \
    {                                                                                              \
        .type = RENDER_FACT_NAVIGATED, .loader = (id)                                              \
    }
#define REFUSED(error)                                                                             \
    {                                                                                              \
        .type = RENDER_FACT_NAVIGATED, .loader = A, .net_error = (error)                           \
    }
#define DOWNLOAD()                                                                                 \
    {                                                                                              \
        .type = RENDER_FACT_NAVIGATED, .loader = A, .is_download = true,                           \
        .net_error = "net::ERR_ABORTED"                                                            \
    }
#define STARTED(id)                                                                                \
    {                                                                                              \
        .type = RENDER_FACT_STARTED, .loader = (id)                                                \
    }
#define SCHEDULED()                                                                                \
    {                                                                                              \
        .type = RENDER_FACT_SCHEDULED                                                              \
    }
#define COMMITTED(id)                                                                              \
    {                                                                                              \
        .type = RENDER_FACT_COMMITTED, .loader = (id)                                              \
    }
#define COMMITTED_AS(id, what)                                                                     \
    {                                                                                              \
        .type = RENDER_FACT_COMMITTED, .loader = (id), .kind = (what)                              \
    }
#define PARSED(id)                                                                                 \
    {                                                                                              \
        .type = RENDER_FACT_PARSED, .loader = (id)                                                 \
    }
/* At that time of the page's clock; 0: unknown. */
#define LOADED_AT(id, virtual)                                                                     \
    {                                                                                              \
        .type = RENDER_FACT_LOADED, .loader = (id), .virtual_ms = (virtual)                        \
    }
#define LOADED(id) LOADED_AT(id, 0)
#define STOPPED()                                                                                  \
    {                                                                                              \
        .type = RENDER_FACT_STOPPED                                                                \
    }
#define EXPIRED()                                                                                  \
    {                                                                                              \
        .type = RENDER_FACT_EXPIRED                                                                \
    }
#define FRAMED(id)                                                                                 \
    {                                                                                              \
        .type = RENDER_FACT_FRAMED, .loader = (id), .ok = true                                     \
    }
#define TICK()                                                                                     \
    {                                                                                              \
        .type = RENDER_FACT_TICK                                                                   \
    }
#define CAPTURED(id)                                                                               \
    {                                                                                              \
        .type = RENDER_FACT_CAPTURED, .loader = (id), .ok = true                                   \
    }
/* An output of so many bytes. */
#define MADE(id, what, size)                                                                       \
    {                                                                                              \
        .type = RENDER_FACT_CAPTURED, .loader = (id), .ok = true, .output = (what),                \
        .bytes = (size)                                                                            \
    }
#define NOT_MADE(id, what, why)                                                                    \
    {                                                                                              \
        .type = RENDER_FACT_CAPTURED, .loader = (id), .output = (what), .code = (why)              \
    }
#define NOT_CAPTURED(id)                                                                           \
    {                                                                                              \
        .type = RENDER_FACT_CAPTURED, .loader = (id)                                               \
    }
#define NOT_MEASURED(id)                                                                           \
    {                                                                                              \
        .type = RENDER_FACT_MEASURED, .loader = (id)                                               \
    }
#define STREAMS(is)                                                                                \
    {                                                                                              \
        .type = RENDER_FACT_STREAMS, .ok = (is)                                                    \
    }
#define HEARD()                                                                                    \
    {                                                                                              \
        .type = RENDER_FACT_HEARD                                                                  \
    }
/* The page's clock, the time its scripts have run so far, and the nodes it has. */
#define LOOKED(virtual, script, node_count)                                                        \
    {                                                                                              \
        .type = RENDER_FACT_LOOKED, .ok = true, .look = {                                          \
            .virtual_ms = (virtual),                                                               \
            .script_us = (script),                                                                 \
            .nodes = (node_count)                                                                  \
        }                                                                                          \
    }
/* All its tasks have taken `tasks` us so far. */
#define BUSY(virtual, script, node_count, tasks)                                                   \
    {                                                                                              \
        .type = RENDER_FACT_LOOKED, .ok = true, .look = {                                          \
            .virtual_ms = (virtual),                                                               \
            .script_us = (script),                                                                 \
            .nodes = (node_count),                                                                 \
            .task_us = (tasks)                                                                     \
        }                                                                                          \
    }
#define WORKING(virtual, script, node_count)                                                       \
    {                                                                                              \
        .type = RENDER_FACT_LOOKED, .ok = true, .look = {                                          \
            .virtual_ms = (virtual),                                                               \
            .script_us = (script),                                                                 \
            .nodes = (node_count),                                                                 \
            .workers = 1                                                                           \
        }                                                                                          \
    }
#define CHECKED(id, is_met, what)                                                                  \
    {                                                                                              \
        .type = RENDER_FACT_CHECKED, .loader = (id), .ok = (is_met), .flag = (what)                \
    }
#define MEASURED(id, code, size)                                                                   \
    {                                                                                              \
        .type = RENDER_FACT_MEASURED, .loader = (id), .ok = true, .measure = {                     \
            .status = (code),                                                                      \
            .bytes = (size)                                                                        \
        }                                                                                          \
    }
#define TRUNCATED(id)                                                                              \
    {                                                                                              \
        .type = RENDER_FACT_MEASURED, .loader = (id), .ok = true, .measure = {                     \
            .status = 200,                                                                         \
            .bytes = 10,                                                                           \
            .is_incomplete = true                                                                  \
        }                                                                                          \
    }

/* How nearly every table begins: a document has committed. */
#define BEGIN                                                                                      \
    {5, NAVIGATED(A), ""},                                                                         \
    {                                                                                              \
        8, COMMITTED(A), "prepare, grant 500 > loading"                                            \
    }

struct render_case {
    const char *name;
    const struct step *steps;
    size_t count;
    enum wait_until until;
    enum on_timeout on_timeout;
    const char *verdict; /* At the end: "" when it is not done. */
    struct render_wait wait;
    uint32_t outputs; /* 0: the document alone. */
};

#define CASE(table, wait, how, end)                                                                \
    {                                                                                              \
#table, table, sizeof(table) / sizeof((table)[0]), wait, how, end, {0 }, 0                 \
    }
#define WAITING(table, until, how, end, ...)                                                       \
    {                                                                                              \
#table, table, sizeof(table) / sizeof((table)[0]), until, how, end, {__VA_ARGS__ }, 0      \
    }
/* Under `load`, with those outputs. */
#define MAKING(table, set, how, end)                                                               \
    {                                                                                              \
#table, table, sizeof(table) / sizeof((table)[0]), WAIT_LOAD, how, end, {0 }, (set)        \
    }
#define AUTO(table, end) CASE(table, WAIT_AUTO, ON_TIMEOUT_PARTIAL, end)
#define LOAD(table, end) CASE(table, WAIT_LOAD, ON_TIMEOUT_PARTIAL, end)

static const char *const output_names[OUTPUTS] = {"html", "text", "links", "png",       "jpeg",
                                                  "webp", "pdf",  "mhtml", "expression"};

static inline void append(char *text, size_t bytes, const char *separator, const char *what)
{
    size_t at = strlen(text);

    (void)snprintf(text + at, bytes - at, "%s%s", at > 0 ? separator : "", what);
}

static inline void describe(const struct render_commands *commands, const struct render *render,
                            enum render_state before, char ret[256])
{
    char item[64];

    ret[0] = '\0';
    for (uint32_t i = 0; i < commands->count; i++) {
        (void)snprintf(item, sizeof item, commands->items[i].virtual_ms != 0 ? "%s %u" : "%s",
                       render_command_name(commands->items[i].type), commands->items[i].virtual_ms);
        if (commands->items[i].output != OUTPUT_HTML)
            (void)snprintf(item, sizeof item, "capture %s",
                           output_names[commands->items[i].output]);
        append(ret, 256, ", ", item);
    }
    bool is_reload = render->state == RENDER_LOADING && commands->count > 0 &&
                     commands->items[0].type == RENDER_DO_PREPARE;
    if (render->state != before || is_reload) {
        (void)snprintf(item, sizeof item, "> %s", render_state_name(render->state));
        append(ret, 256, " ", item);
    }
}

static inline void describe_verdict(const struct render *render, char ret[256])
{
    static const char *const outcomes[] = {"complete", "partial", "failed"};
    struct render_result result = {.outcome = RENDER_FAILED};

    ret[0] = '\0';
    if (render->state != RENDER_DONE)
        return;
    render_verdict(render, &result);
    (void)snprintf(ret, 256, "%s %s%s%s %d, %lu %lu %lu %lu, %s", outcomes[result.outcome],
                   render_code_name(result.code), result.net_error[0] != '\0' ? " " : "",
                   result.net_error, result.status, (unsigned long)result.phases.navigate_ms,
                   (unsigned long)result.phases.load_ms, (unsigned long)result.phases.settle_ms,
                   (unsigned long)result.phases.capture_ms,
                   render_is_page_good(render) ? "good" : "bad");
}

/* shown_loader 0: a navigation; outputs 0: the document. */
static inline void start_with(struct render *render, uint64_t shown_loader, enum wait_until until,
                              enum on_timeout on_timeout, const struct render_wait *wait,
                              uint32_t outputs, struct render_commands *ret)
{
    const struct render_plan plan = {
        .until = until,
        .shown_loader = shown_loader,
        .wait = *wait,
        .on_timeout = on_timeout,
        .outputs = outputs != 0 ? outputs : OUTPUT_BIT(OUTPUT_HTML),
        .deadline_ms = 10000,
        .settle_virtual_ms = 2000,
        .stuck_request_ms = 3000,
        .stream_grace_ms = 500,
        .stream_silence_ms = 100,
        .capture_reserve_ms = 1000,
        .output_bytes_max = 1000,
        .look = {.script_us = 70},
        .clock_base_ms = 0,
    };

    render_start(render, 0, &plan, ret);
}

static inline void start(struct render *render, enum wait_until until, enum on_timeout on_timeout,
                         const struct render_wait *wait, uint32_t outputs,
                         struct render_commands *ret)
{
    start_with(render, 0, until, on_timeout, wait, outputs, ret);
}

static inline void run_steps(const struct render_case *test, struct render *render)
{
    struct render_commands commands;
    char got[256];

    for (size_t i = 0; i < test->count; i++) {
        const struct step *step = &test->steps[i];
        enum render_state before = render->state;
        render_step(render, step->now_ms, &step->fact, &commands);
        render_check(render);
        describe(&commands, render, before, got);
        ck_assert_msg(strcmp(got, step->want) == 0,
                      "%s step %zu at %lu ms (%s): want \"%s\", got \"%s\"", test->name, i,
                      (unsigned long)step->now_ms, render_fact_name(step->fact.type), step->want,
                      got);
    }
    describe_verdict(render, got);
    ck_assert_msg(strcmp(got, test->verdict) == 0, "%s: want \"%s\", got \"%s\"", test->name,
                  test->verdict, got);
}

/* Runs one table; every step and the verdict must be as wanted. Leaves the machine. */
static inline void run_case_in(const struct render_case *test, struct render *render)
{
    struct render_commands commands;

    start(render, test->until, test->on_timeout, &test->wait, test->outputs, &commands);
    render_check(render);
    ck_assert_uint_eq(commands.count, 1);
    ck_assert_int_eq(commands.items[0].type, RENDER_DO_NAVIGATE);
    run_steps(test, render);
}

static inline void run_case(const struct render_case *test)
{
    struct render render;

    run_case_in(test, &render);
}

/* The same for a document that is shown, A. */
static inline void run_transit_case(const struct render_case *test)
{
    struct render render;
    struct render_commands commands;
    char got[256];

    start_with(&render, A, test->until, test->on_timeout, &test->wait, test->outputs, &commands);
    render_check(&render);
    describe(&commands, &render, RENDER_IDLE, got);
    ck_assert_str_eq(got, (test->outputs & OUTPUT_IMAGES) != 0 ? "prepare, transit, look > settling"
                                                               : "transit, look > settling");
    run_steps(test, &render);
}

#endif
