/* replay.c: plays scripts to a browser; see replay.h. */
#include "bench/replay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "bench/ids.h"
#include "cdp/browser.h"
#include "config/config.h"
#include "tests/system/harness.h"

#define TICK_MS 5
#define CALL_TIMEOUT_MS 20000
#define PLAY_TIMEOUT_MS 30000
/* How long events of the recording may take to come again once all replies are there. */
#define EVENTS_TIMEOUT_MS 400
/* A step whose cause does not come again is sent after so long, and the play is unclean. */
#define PATIENCE_MS 300
#define SESSION_NUMBER 1

/* One playing of a script. */
struct play {
    const struct script *script;
    bool *is_replied; /* Per step. */
    size_t seen[SCRIPT_EVENT_NAMES_MAX];
    size_t next;      /* The step to be sent next. */
    uint64_t sent_ms; /* When the latest was. */
    size_t forced;    /* Steps whose cause did not come. */
    uint64_t start_ns, document_ns;
};

struct replay {
    uv_loop_t loop;
    uv_timer_t tick;
    struct config config;
    struct browser *browser;
    char session[SCRIPT_NAME_BYTES], context[SCRIPT_NAME_BYTES];
    struct ids ids;
    struct play *play; /* NULL: none. */
    bool has_answer;   /* Of ask(). */
    json_t *answer;
};

static void on_tick(uv_timer_t *tick)
{
    (void)tick; /* It only wakes the loop, so that deadlines are looked at. */
}

static void turn(struct replay *replay)
{
    uv_run(&replay->loop, UV_RUN_ONCE);
    browser_turn(replay->browser, clock_ms());
}

static void on_event(void *replay_, struct browser *browser, uint64_t now_ms,
                     struct cdp_message *message)
{
    (void)browser;
    (void)now_ms;
    struct replay *replay = replay_;
    struct play *play = replay->play;
    if (play == NULL || message->session.bytes != strlen(replay->session) ||
        memcmp(message->session.at, replay->session, message->session.bytes) != 0) {
        return;
    }
    size_t name = script_name(play->script, message->method.at, message->method.bytes);
    if (name == SCRIPT_NONE) {
        return;
    }
    play->seen[name]++;
    for (size_t i = 0; i < play->script->events_count; i++) {
        const struct script_event *event = &play->script->events[i];
        if (event->name == name && event->occurrence == play->seen[name]) {
            json_t *params = message_tree(message->body);
            ids_learn(&replay->ids, event->params, params);
            json_decref(params);
            return;
        }
    }
}

static void note_document(struct play *play)
{
    bool awaits = false;
    for (size_t i = 0; i < play->script->count; i++) {
        if (play->script->steps[i].is_awaited) {
            awaits = true;
            if (!play->is_replied[i]) {
                return;
            }
        }
    }
    if (awaits && play->document_ns == 0) {
        play->document_ns = clock_ns();
    }
}

static void on_reply(void *replay_, uint64_t index, uint64_t now_ms, const struct call_reply *reply)
{
    (void)now_ms;
    struct replay *replay = replay_;
    struct play *play = replay->play;
    assert(play != NULL && index < play->script->count);
    const struct step *step = &play->script->steps[index];
    play->is_replied[index] = true;
    note_document(play);
    if (reply->end == CALL_REPLIED && step->reply != NULL) {
        json_t *result = message_tree(reply->message->body);
        ids_learn(&replay->ids, step->reply, result);
        json_decref(result);
    }
}

static bool is_due(const struct play *play, const struct step *step)
{
    const struct script_event *event;
    switch (step->trigger) {
    case TRIGGER_START:
        return true;
    case TRIGGER_REPLY:
        return play->is_replied[step->trigger_index];
    case TRIGGER_EVENT:
        event = &play->script->events[step->trigger_index];
        return play->seen[event->name] >= event->occurrence;
    }
    return false;
}

static void send_next(struct replay *replay)
{
    struct play *play = replay->play;
    const struct step *step = &play->script->steps[play->next];
    json_t *params = step->params == NULL ? NULL : ids_apply(&replay->ids, step->params);
    play->sent_ms = clock_ms();
    browser_call(replay->browser, play->sent_ms, step->method, params,
                 step->on_page ? replay->session : NULL, SESSION_NUMBER, CALL_TIMEOUT_MS, on_reply,
                 replay, play->next);
    play->next++;
}

static void send_due(struct replay *replay)
{
    struct play *play = replay->play;
    const struct script *script = play->script;
    while (play->next < script->count && is_due(play, &script->steps[play->next])) {
        send_next(replay);
    }
    if (play->next < script->count && clock_ms() > play->sent_ms + PATIENCE_MS) {
        play->forced++;
        send_next(replay);
    }
}

static bool has_all_replies(const struct play *play)
{
    for (size_t i = 0; i < play->script->count; i++) {
        if (play->script->steps[i].is_answered && !play->is_replied[i]) {
            return false;
        }
    }
    return play->next == play->script->count;
}

static bool has_all_events(const struct play *play)
{
    for (size_t i = 0; i < play->script->names_count; i++) {
        if (play->seen[i] < play->script->occurrences[i]) {
            return false;
        }
    }
    return true;
}

static void describe_stuck(const struct play *play)
{
    fprintf(stderr, "stuck at step %zu of %zu:\n", play->next, play->script->count);
    for (size_t i = 0; i < play->script->count && i <= play->next; i++) {
        const struct step *step = &play->script->steps[i];
        const char *event =
            step->trigger == TRIGGER_EVENT
                ? play->script->names[play->script->events[step->trigger_index].name]
                : "";
        fprintf(stderr, "  %zu %s %s, after %s %zu %s\n", i, step->method,
                play->is_replied[i] ? "replied" : "-",
                step->trigger == TRIGGER_REPLY ? "reply" : "event", step->trigger_index, event);
    }
}

uint64_t replay_play(struct replay *replay, const struct script *script, bool *ret_clean)
{
    struct play play = {.script = script, .is_replied = calloc(script->count + 1, sizeof(bool))};
    demand(play.is_replied != NULL && replay->play == NULL, "no memory to play a script");
    replay->play = &play;
    uint64_t end_ms = clock_ms() + PLAY_TIMEOUT_MS;
    play.start_ns = clock_ns();
    play.sent_ms = clock_ms();
    send_due(replay);
    while (!has_all_replies(&play)) {
        turn(replay);
        send_due(replay);
        if (clock_ms() >= end_ms) {
            describe_stuck(&play);
            demand(false, "the browser does not follow the recording");
        }
    }
    end_ms = clock_ms() + EVENTS_TIMEOUT_MS;
    while (!has_all_events(&play) && clock_ms() < end_ms) {
        turn(replay);
    }
    *ret_clean = play.forced == 0 && has_all_events(&play);
    replay->play = NULL;
    free(play.is_replied);
    return play.document_ns == 0 ? 0 : play.document_ns - play.start_ns;
}

static void on_answer(void *replay_, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    (void)tag;
    (void)now_ms;
    struct replay *replay = replay_;
    demand(reply->end == CALL_REPLIED, "%s failed", reply->label);
    replay->answer = message_tree(reply->message->body);
    replay->has_answer = true;
}

/* Sends one command of the browser's session and waits for its result. */
static json_t *ask(struct replay *replay, const char *method, json_t *params)
{
    replay->has_answer = false;
    browser_call(replay->browser, clock_ms(), method, params, NULL, SESSION_NUMBER, CALL_TIMEOUT_MS,
                 on_answer, replay, 0);
    while (!replay->has_answer) {
        turn(replay);
    }
    return replay->answer;
}

struct replay *replay_new(const char *directory)
{
    char root[200], error[CONFIG_ERROR_BYTES];
    enum config_verb verb;
    snprintf(root, sizeof(root), "--browser.profile_root=%s", directory);
    char program[] = "replay", probes[] = "--browser.probe_interval_ms=60000";
    char *const arguments[] = {program, root, probes, NULL};
    char *const environment[] = {NULL};
    const struct browser_ports ports = {.denied = NULL};
    struct replay *replay = calloc(1, sizeof(*replay));
    demand(replay != NULL, "no memory for a bare client");
    demand(config_load(3, arguments, environment, &replay->config, &verb, error) == 0, "%s", error);
    uv_loop_init(&replay->loop);
    uv_timer_init(&replay->loop, &replay->tick);
    uv_timer_start(&replay->tick, on_tick, TICK_MS, TICK_MS);
    replay->browser =
        browser_new(&replay->loop, &replay->config, &ports, clock_ms(), on_event, replay);
    demand(replay->browser != NULL, "no memory for a browser");
    while (browser_get_state(replay->browser) < BROWSER_UP) {
        turn(replay);
    }
    demand(browser_get_state(replay->browser) == BROWSER_UP, "no bare browser: %s",
           browser_error(replay->browser));
    return replay;
}

const char *replay_url(const struct replay *replay)
{
    return browser_websocket_url(replay->browser);
}

static void copy_text(const json_t *tree, const char *name, char ret[SCRIPT_NAME_BYTES])
{
    const char *text = json_string_value(json_object_get(tree, name));
    demand(text != NULL, "the browser gives no %s", name);
    snprintf(ret, SCRIPT_NAME_BYTES, "%s", text);
}

void replay_open(struct replay *replay, const struct tape_page *page)
{
    char target[SCRIPT_NAME_BYTES];
    json_t *result = ask(replay, "Target.createBrowserContext", NULL);
    copy_text(result, "browserContextId", replay->context);
    json_decref(result);
    result =
        ask(replay, "Target.createTarget",
            json_pack("{s:s, s:s}", "url", "about:blank", "browserContextId", replay->context));
    copy_text(result, "targetId", target);
    json_decref(result);
    result = ask(replay, "Target.attachToTarget",
                 json_pack("{s:s, s:b}", "targetId", target, "flatten", 1));
    copy_text(result, "sessionId", replay->session);
    json_decref(result);
    ids_set(&replay->ids, "targetId", page->target, target);
    ids_set(&replay->ids, "sessionId", page->session, replay->session);
    ids_set(&replay->ids, "browserContextId", page->context, replay->context);
}

void replay_close(struct replay *replay)
{
    json_decref(ask(replay, "Target.disposeBrowserContext",
                    json_pack("{s:s}", "browserContextId", replay->context)));
    ids_free(&replay->ids);
}

void replay_free(struct replay *replay)
{
    browser_kill(replay->browser, clock_ms());
    while (browser_get_state(replay->browser) != BROWSER_GONE) {
        turn(replay);
    }
    browser_free(replay->browser);
    uv_close((uv_handle_t *)&replay->tick, NULL);
    uv_run(&replay->loop, UV_RUN_DEFAULT);
    demand(uv_loop_close(&replay->loop) == 0, "the bare client's loop does not close");
    config_free(&replay->config);
    ids_free(&replay->ids);
    free(replay);
}
