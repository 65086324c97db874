/* turn.c: the loop turn. The only place that reads the clock, and the only caller of the
 * adapters' turns and of the pool's tick.
 *
 * uv_prepare and uv_check run it before and after libuv waits for input: the first sees
 * what timers and close callbacks left behind, the second what sockets and processes
 * did. Within a turn the adapters first translate what their callbacks collected, then
 * the inbox is drained into the pool; that repeats until nothing is left, because an
 * action may fail at once and comes back as an event. One timer wakes the loop at the
 * earliest deadline of anybody.
 *
 * A heartbeat to the fleet manager has a turn to itself: it lists all that is warm, and must
 * not come on top of whatever else has piled up. The next turn follows at once. */
#include "daemon/daemon.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rounds within one turn before the loop gets to look at sockets again. Work that is
 * left over is found by the next turn, which a timer of 0 ms starts at once. */
#define TURN_ROUNDS_MAX 16

static uint64_t clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void inbox_grow(struct inbox *inbox)
{
    size_t capacity = inbox->capacity == 0 ? 256 : inbox->capacity * 2;
    assert(capacity <= INBOX_EVENTS_MAX);
    struct inbox_event *events = malloc(capacity * sizeof *events);
    if (events == NULL)
        abort(); /* Losing an event would break the books of the pool. */
    for (size_t i = 0; i < inbox->count; i++)
        events[i] = inbox->events[(inbox->head + i) % inbox->capacity];
    free(inbox->events);
    inbox->events = events;
    inbox->capacity = capacity;
    inbox->head = 0;
}

void inbox_push(struct inbox *inbox, const struct inbox_event *event)
{
    if (inbox->count == inbox->capacity)
        inbox_grow(inbox);
    inbox->events[(inbox->head + inbox->count) % inbox->capacity] = *event;
    inbox->count++;
}

static bool inbox_pop(struct inbox *inbox, struct inbox_event *ret)
{
    if (inbox->count == 0)
        return false;
    *ret = inbox->events[inbox->head];
    inbox->head = (inbox->head + 1) % inbox->capacity;
    inbox->count--;
    return true;
}

void inbox_free(struct inbox *inbox)
{
    struct inbox_event event;
    while (inbox_pop(inbox, &event)) {
        if (event.type == INBOX_CDP)
            render_result_free(event.as.cdp.result);
        if (event.type == INBOX_FINISHED)
            finish_free(event.as.finish);
        if (event.type == INBOX_SAVED)
            batch_save_free(event.as.save);
        if (event.type == INBOX_HTTP_REQUEST)
            request_free(event.as.request);
    }
    free(inbox->events);
    memset(inbox, 0, sizeof *inbox);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t turn_deadline_ms(const struct daemon *daemon)
{
    uint64_t due_ms = pool_deadline_ms(daemon->pool);
    due_ms = min_u64(due_ms, cdp_deadline_ms(daemon->cdp));
    due_ms = min_u64(due_ms, http_deadline_ms(daemon->http));
    due_ms = min_u64(due_ms, drain_deadline_ms(daemon));
    due_ms = min_u64(due_ms, notify_deadline_ms(daemon));
    due_ms = min_u64(due_ms, heartbeat_deadline_ms(daemon));
    due_ms = min_u64(due_ms, batch_deadline_ms(daemon));
    return min_u64(due_ms, daemon->snapshot_ms);
}

static void drain_inbox(struct daemon *daemon)
{
    struct inbox_event event;
    while (inbox_pop(&daemon->inbox, &event))
        daemon_handle(daemon, &event);
    if (daemon->now_ms >= pool_deadline_ms(daemon->pool)) {
        struct pool_event tick = {.type = POOL_TICK};
        daemon_step(daemon, &tick);
    }
}

static void snapshot_if_due(struct daemon *daemon)
{
    if (daemon->now_ms < daemon->snapshot_ms)
        return;
    report_snapshot(daemon);
    daemon->snapshot_ms = daemon->now_ms + daemon->config.log.queue_snapshot_interval_ms;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer; /* It only wakes the loop; uv_prepare runs the turn. */
}

static void arm_timer(struct daemon *daemon, uint64_t due_ms)
{
    if (due_ms == UINT64_MAX) {
        (void)uv_timer_stop(&daemon->timer);
        return;
    }
    /* libuv counts from its own cached time, which may be older than now_ms. */
    uv_update_time(&daemon->loop);
    uint64_t wait_ms = due_ms > daemon->now_ms ? due_ms - daemon->now_ms : 0;
    int error = uv_timer_start(&daemon->timer, on_timer, wait_ms, 0);
    assert(error == 0);
}

static void run_rounds(struct daemon *daemon)
{
    uint64_t due_ms = 0;
    for (int round = 0; round < TURN_ROUNDS_MAX && due_ms <= daemon->now_ms; round++) {
        if (round > 0 && heartbeat_is_due(daemon))
            break;
        http_turn(daemon->http, daemon->now_ms);
        cdp_turn(daemon->cdp, daemon->now_ms);
        drain_inbox(daemon);
        batch_turn(daemon);
        drain_turn(daemon);
        heartbeat_turn(daemon);
        notify_turn(daemon);
        snapshot_if_due(daemon);
        due_ms = daemon->inbox.count > 0 ? 0 : turn_deadline_ms(daemon);
    }
    if (daemon->state == DAEMON_CLOSING && cdp_is_closed(daemon->cdp) &&
        http_is_closed(daemon->http) && heartbeat_is_closed(daemon)) {
        turn_stop(daemon);
        return;
    }
    arm_timer(daemon, due_ms);
}

static void turn(struct daemon *daemon)
{
    uint64_t start_ns = uv_hrtime();
    daemon->now_ms = start_ns / 1000000;
    bool has_heartbeat = heartbeat_is_due(daemon);
    if (has_heartbeat) {
        heartbeat_send(daemon);
        arm_timer(daemon, daemon->now_ms);
    } else {
        run_rounds(daemon);
    }
    metrics_count_turn(&daemon->metrics, (uv_hrtime() - start_ns) / 1000, has_heartbeat);
}

static void on_prepare(uv_prepare_t *handle)
{
    turn(handle->data);
}

static void on_check(uv_check_t *handle)
{
    turn(handle->data);
}

void turn_start(struct daemon *daemon)
{
    daemon->now_ms = clock_ms();
    daemon->started_ms = daemon->now_ms;
    daemon->snapshot_ms = daemon->now_ms + daemon->config.log.queue_snapshot_interval_ms;
    (void)uv_timer_init(&daemon->loop, &daemon->timer);
    (void)uv_prepare_init(&daemon->loop, &daemon->prepare);
    (void)uv_check_init(&daemon->loop, &daemon->check);
    daemon->prepare.data = daemon;
    daemon->check.data = daemon;
    (void)uv_prepare_start(&daemon->prepare, on_prepare);
    (void)uv_check_start(&daemon->check, on_check);
}

void turn_stop(struct daemon *daemon)
{
    if (uv_is_closing((uv_handle_t *)&daemon->timer))
        return;
    uv_close((uv_handle_t *)&daemon->timer, NULL);
    uv_close((uv_handle_t *)&daemon->prepare, NULL);
    uv_close((uv_handle_t *)&daemon->check, NULL);
    drain_close_signals(daemon);
}
