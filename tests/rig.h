/* rig.h: a loop for tests, which turns until something holds or time is up.
 *
 * Like the daemon it gives its subject a turn before the loop waits and after it has
 * waited, and wakes up when the subject says that something is due. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct rig {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t due, limit;
    void *subject;
    void (*turn)(void *subject, uint64_t now_ms); /* May be NULL. */
    uint64_t (*deadline_ms)(void *subject);       /* May be NULL. */
    bool (*holds)(void *argument);                /* What rig_until() waits for. */
    void *argument;
    bool is_late;
};

static inline uint64_t rig_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static inline void rig_on_due(uv_timer_t *timer)
{
    (void)timer;
}

static inline void rig_on_limit(uv_timer_t *timer)
{
    struct rig *rig = timer->data;

    rig->is_late = true;
}

static inline void rig_give_turn(struct rig *rig)
{
    if (rig->turn == NULL) {
        return;
    }
    uint64_t now_ms = rig_now_ms();
    rig->turn(rig->subject, now_ms);
    uint64_t deadline_ms = rig->deadline_ms != NULL ? rig->deadline_ms(rig->subject) : UINT64_MAX;
    if (rig->holds != NULL && rig->holds(rig->argument)) {
        deadline_ms = now_ms; /* The loop must not wait for more. */
    }
    if (deadline_ms == UINT64_MAX) {
        (void)uv_timer_stop(&rig->due);
    } else {
        uv_update_time(&rig->loop);
        (void)uv_timer_start(&rig->due, rig_on_due, deadline_ms > now_ms ? deadline_ms - now_ms : 0,
                             0);
    }
}

static inline void rig_on_prepare(uv_prepare_t *handle)
{
    rig_give_turn(handle->data);
}

static inline void rig_on_check(uv_check_t *handle)
{
    rig_give_turn(handle->data);
}

static inline void rig_open(struct rig *rig)
{
    *rig = (struct rig){.is_late = false};
    int code = uv_loop_init(&rig->loop);
    assert(code == 0);
    (void)uv_prepare_init(&rig->loop, &rig->prepare);
    (void)uv_check_init(&rig->loop, &rig->check);
    (void)uv_timer_init(&rig->loop, &rig->due);
    (void)uv_timer_init(&rig->loop, &rig->limit);
    rig->prepare.data = rig->check.data = rig->due.data = rig->limit.data = rig;
    (void)uv_prepare_start(&rig->prepare, rig_on_prepare);
    (void)uv_check_start(&rig->check, rig_on_check);
}

/* Turns the loop until `holds` does. False when that takes longer than limit_ms. */
static inline bool rig_until(struct rig *rig, bool (*holds)(void *), void *argument,
                             uint64_t limit_ms)
{
    rig->is_late = false;
    rig->holds = holds;
    rig->argument = argument;
    uv_update_time(&rig->loop);
    (void)uv_timer_start(&rig->limit, rig_on_limit, limit_ms, 0);
    bool is_held = holds(argument);
    while (!is_held && !rig->is_late) {
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
        is_held = holds(argument);
    }
    (void)uv_timer_stop(&rig->limit);
    rig->holds = NULL;
    return is_held;
}

/* Closes the loop. Nothing but the rig's own handles may be left on it. */
static inline void rig_close(struct rig *rig)
{
    uv_close((uv_handle_t *)&rig->prepare, NULL);
    uv_close((uv_handle_t *)&rig->check, NULL);
    uv_close((uv_handle_t *)&rig->due, NULL);
    uv_close((uv_handle_t *)&rig->limit, NULL);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    int code = uv_loop_close(&rig->loop);
    assert(code == 0);
    (void)code;
}

#endif
