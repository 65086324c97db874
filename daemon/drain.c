/* drain.c: signals, and the way to the exit.
 *
 *   SERVING --SIGTERM, SIGINT--> DRAINING --nothing runs--> FLUSHING --answers sent--> CLOSING
 *   any --second signal--> CLOSING       FLUSHING, CLOSING --late--> on by force
 *   SERVING --batch over, or any signal to one--> CLOSING
 *
 * While draining the listeners stay open: a client gets a typed refusal, never a refused
 * connection that it cannot tell from a dead daemon. SIGHUP reads tokens and log level
 * again, and names the first knob whose new value takes a restart; SIGUSR1 logs the state of the
 * pool; SIGPIPE is ignored from main.c on. */
#include "daemon/daemon.h"

#include <assert.h>
#include <signal.h>

/* How long the last answers may take to be sent, and handles to close. */
#define FLUSH_MS 1000
#define CLOSE_MS 3000
/* How much longer than the last answers the manager may take to hear of the end. */
#define UNREGISTER_MS 3000

static const char *const state_names[] = {"serving", "draining", "flushing", "closing"};

static void set_state(struct daemon *daemon, enum daemon_state state, uint64_t deadline_ms)
{
    assert(state > daemon->state);
    daemon->state = state;
    daemon->state_deadline_ms = deadline_ms;
}

static void start_closing(struct daemon *daemon)
{
    set_state(daemon, DAEMON_CLOSING, daemon->now_ms + CLOSE_MS);
    http_close(daemon->http);
    cdp_close_all(daemon->cdp);
    heartbeat_close(daemon);
}

/* What runs beyond the grace ends as at a deadline of its own: with what is there, or with
 * a timeout. The pool's end of the grace would only cut it off. */
static void shorten_renders(struct daemon *daemon, uint64_t deadline_ms)
{
    struct request *request, *next;
    HASH_ITER(hh, daemon->requests.by_id, request, next)
    {
        if (request->state == REQUEST_RUNNING)
            cdp_shorten(daemon->cdp, daemon->now_ms, request->page, deadline_ms);
    }
}

static void start_draining(struct daemon *daemon)
{
    uint64_t grace_ms = daemon->config.daemon.drain_grace_ms;
    set_state(daemon, DAEMON_DRAINING, daemon->now_ms + grace_ms);
    LOG(&daemon->log, LOG_INFO, "draining", LOG_U64("grace_ms", grace_ms));
    notify_stopping(daemon);
    heartbeat_drain(daemon);
    shorten_renders(daemon, daemon->state_deadline_ms);
    struct pool_event event = {.type = POOL_DRAIN, .deadline_ms = daemon->state_deadline_ms};
    daemon_step(daemon, &event);
}

static void handle_stop_signal(struct daemon *daemon)
{
    if (daemon->batch != NULL) {
        if (daemon->state == DAEMON_SERVING) {
            batch_interrupt(daemon, daemon->stop_signal);
            start_closing(daemon);
        }
        return;
    }
    if (daemon->state == DAEMON_SERVING) {
        start_draining(daemon);
        return;
    }
    LOG(&daemon->log, LOG_WARNING, "second signal, stopping at once",
        LOG_STR("state", state_names[daemon->state]));
    if (daemon->state != DAEMON_CLOSING) {
        daemon->exit_status = 1;
        start_closing(daemon);
    }
}

/* Other knobs and the scripts of recipes stay as they are: what is warm was made with them,
 * and a render must not see two versions of its recipe. */
static void reload(struct daemon *daemon)
{
    struct config config;
    enum config_verb verb;
    char error[CONFIG_ERROR_BYTES];
    if (config_load(daemon->argc, daemon->argv, daemon->environ_, &config, &verb, error) != 0) {
        LOG(&daemon->log, LOG_ERROR, "configuration not read again", LOG_STR("reason", error));
        return;
    }
    const char *knob = config_restart_knob(&daemon->config, &config);
    daemon->log.level = config.log.level;
    config_free(&config);
    if (knob != NULL)
        LOG(&daemon->log, LOG_WARNING, "a change takes a restart", LOG_STR("knob", knob));
    int status = http_reload_tokens(daemon->http);
    if (status != 0)
        LOG(&daemon->log, LOG_ERROR, "tokens not read again, keeping the old ones",
            LOG_STR("reason", http_tokens_error(daemon->http)));
    LOG(&daemon->log, LOG_INFO, "reloaded tokens and log level",
        LOG_U64("level", (uint64_t)daemon->log.level));
}

/* Only notes what came: the turn that follows in the same iteration knows the time. The
 * terminal of a command that hangs up ends it. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    if (number == SIGHUP && daemon->batch == NULL) {
        daemon->wants_reload = true;
    } else if (number == SIGUSR1) {
        daemon->wants_dump = true;
    } else {
        daemon->stop_signals++;
        daemon->stop_signal = number;
    }
}

static void handle_signals(struct daemon *daemon)
{
    for (; daemon->stop_signals > 0; daemon->stop_signals--)
        handle_stop_signal(daemon);
    if (daemon->wants_reload)
        reload(daemon);
    if (daemon->wants_dump)
        report_dump(daemon);
    daemon->wants_reload = daemon->wants_dump = false;
}

int drain_watch_signals(struct daemon *daemon)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int error = uv_signal_init(&daemon->loop, &daemon->signals[i]);
        if (error != 0)
            return error;
        daemon->signals[i].data = daemon;
        error = uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

void drain_close_signals(struct daemon *daemon)
{
    for (size_t i = 0; i < sizeof daemon->signals / sizeof daemon->signals[0]; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
}

/* Telling the manager goes on while the last answers are sent, and may take longer. */
static uint64_t unregister_deadline_ms(const struct daemon *daemon)
{
    assert(daemon->state == DAEMON_FLUSHING);
    return daemon->state_deadline_ms + UNREGISTER_MS;
}

static bool pool_is_quiet(const struct daemon *daemon)
{
    struct pool_stats stats;
    pool_get_stats(daemon->pool, &stats);
    return stats.running_main + stats.running_nested + stats.waiting_main + stats.waiting_nested ==
           0;
}

void drain_turn(struct daemon *daemon)
{
    handle_signals(daemon);
    bool late = daemon->now_ms >= daemon->state_deadline_ms;
    switch (daemon->state) {
    case DAEMON_SERVING:
        if (batch_is_over(daemon))
            start_closing(daemon);
        break;
    case DAEMON_DRAINING:
        /* The pool ends what runs at the grace; the deadline here only backs it. */
        if (pool_is_quiet(daemon) || daemon->now_ms >= daemon->state_deadline_ms + FLUSH_MS) {
            set_state(daemon, DAEMON_FLUSHING, daemon->now_ms + FLUSH_MS);
            http_quiesce(daemon->http);
            heartbeat_unregister(daemon);
        }
        break;
    case DAEMON_FLUSHING:
        if ((http_open_count(daemon->http) == 0 || late) &&
            (heartbeat_is_over(daemon) || daemon->now_ms >= unregister_deadline_ms(daemon)))
            start_closing(daemon);
        break;
    case DAEMON_CLOSING:
        if (late) {
            LOG(&daemon->log, LOG_ERROR, "handles did not close in time, exiting",
                LOG_U64("ms", CLOSE_MS));
            uv_stop(&daemon->loop);
        }
        break;
    }
}

uint64_t drain_deadline_ms(const struct daemon *daemon)
{
    switch (daemon->state) {
    case DAEMON_SERVING:
        return UINT64_MAX;
    case DAEMON_DRAINING:
        return daemon->state_deadline_ms + FLUSH_MS;
    case DAEMON_FLUSHING:
        if (daemon->now_ms < daemon->state_deadline_ms)
            break;
        return unregister_deadline_ms(daemon);
    case DAEMON_CLOSING:
        break;
    }
    return daemon->state_deadline_ms;
}
