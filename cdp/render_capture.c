/* render_capture.c: measure the document, refuse it by size, ask for it; see render.h. */
#include <assert.h>

#include "cdp/render_state.h"

/* The value of a transition is refused by its size where it is made. */
static void capture_measure(struct render *render, struct render_commands *ret)
{
    if (transit_is_one(render)) {
        render_do(ret, RENDER_DO_CAPTURE);
        return;
    }
    if (render->is_measuring)
        return;
    render->is_measuring = true;
    render_do(ret, RENDER_DO_MEASURE);
}

static void capture_document(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    /* An error status often has no body and then no type; as text it is still its answer. */
    bool is_text = render->kind == RENDER_KIND_TEXT && render->measure.status < 400;
    bool is_truncated = render->measure.is_incomplete && render->is_loaded && !render->is_stuck &&
                        !render->is_partial;

    if (is_text)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_NOT_A_DOCUMENT, ret);
    else if (is_truncated)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_TRUNCATED, ret);
    else if (render->measure.bytes > render->plan.output_bytes_max)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_OUTPUT_TOO_LARGE, ret);
    else
        render_do(ret, RENDER_DO_CAPTURE);
}

void capture_enter(struct render *render, uint64_t now_ms, bool is_partial,
                   struct render_commands *ret)
{
    if (is_partial)
        late_note(render, now_ms);
    render_set_state(render, now_ms, RENDER_CAPTURING);
    render->terminate_ms = 0;
    if (is_partial) {
        uint64_t patience_ms = (render->hard_ms - now_ms) / 4;
        render->is_partial = true;
        render->terminate_ms =
            now_ms +
            (patience_ms < RENDER_TERMINATE_FIRST_MS ? patience_ms : RENDER_TERMINATE_FIRST_MS);
        /* A timer that spins must not fire again before the capture. */
        render_pause(render, ret);
    }
    render->reason = wait_reason(render, is_partial);
    if (render->is_stuck && !is_partial)
        render_do(ret, RENDER_DO_SURVEY);
    if (render->plan.has_injects) {
        render->inject_ms = now_ms + RENDER_INJECT_MS;
        render_do(ret, RENDER_DO_INJECT);
    }
    if (render->has_measure && !is_partial)
        capture_document(render, now_ms, ret);
    else
        capture_measure(render, ret);
    if (is_partial)
        late_probe(render, now_ms, ret);
}

static void capture_failed(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->captures_failed++;
    render->has_measure = false;
    if (render->captures_failed > RENDER_CAPTURES_FAILED_MAX)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_INTERNAL, ret);
    else
        render->retry_ms = now_ms + RENDER_CAPTURE_RETRY_MS; /* Its document went away. */
}

static void capture_measured(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                             struct render_commands *ret)
{
    render->is_measuring = false;
    render->inject_ms = 0;
    if (!fact->ok) {
        capture_failed(render, now_ms, ret);
        return;
    }
    render->has_measure = true;
    render->measure = fact->measure;
    capture_document(render, now_ms, ret);
}

static void capture_captured(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                             struct render_commands *ret)
{
    assert(render->has_measure || transit_is_one(render));
    if (fact->code != RENDER_OK)
        render_finish(render, now_ms, RENDER_FAILED, fact->code, ret);
    else if (fact->ok)
        render_finish(render, now_ms, render->is_partial ? RENDER_PARTIAL : RENDER_COMPLETE,
                      RENDER_OK, ret);
    else
        capture_failed(render, now_ms, ret);
}

static void capture_tick(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (render->terminate_ms == 0 && now_ms >= render->soft_ms) {
        render->terminate_ms = now_ms;
        late_note(render, now_ms);
        render_pause(render, ret);
    }
    if (render->terminate_ms != 0 && now_ms >= render->terminate_ms) {
        render->is_partial = true;
        render->reason = RENDER_DEADLINE;
        render->terminations++;
        render->terminate_ms = now_ms + RENDER_TERMINATE_AGAIN_MS;
        render_do(ret, RENDER_DO_TERMINATE);
    }
    if (render->inject_ms != 0 && now_ms >= render->inject_ms) {
        /* The next one begins, or the measuring that ends this. */
        render->terminations++;
        render->inject_ms = now_ms + RENDER_INJECT_MS;
        render_do(ret, RENDER_DO_TERMINATE);
    }
    if (render->retry_ms != 0 && now_ms >= render->retry_ms) {
        render->retry_ms = 0;
        render_do(ret, RENDER_DO_PREPARE);
        capture_measure(render, ret);
    }
}

void capture_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                  struct render_commands *ret)
{
    bool is_ours = fact->loader == render->loader;

    switch (fact->type) {
    case RENDER_FACT_COMMITTED:
        load_follow(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_MEASURED:
        if (is_ours && render->is_measuring)
            capture_measured(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_CAPTURED:
        if (is_ours && (render->has_measure || transit_is_one(render)))
            capture_captured(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_STOPPED:
        render->next_loader = 0;
        break;
    case RENDER_FACT_EXPIRED:
        render->is_granted = false;
        break;
    case RENDER_FACT_LOOKED:
        render->is_looking = false;
        break;
    case RENDER_FACT_TICK:
        capture_tick(render, now_ms, ret);
        break;
    case RENDER_FACT_NAVIGATED:
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_PARSED:
    case RENDER_FACT_LOADED:
    case RENDER_FACT_FRAMED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_CHECKED:
    case RENDER_FACT_TRANSITED:
    case RENDER_FACT_SURVEYED:
    case RENDER_FACT_TRAFFIC:
        break; /* Noted already, or too late to matter. */
    }
}

uint64_t capture_deadline_ms(const struct render *render)
{
    uint64_t deadline_ms = render->terminate_ms != 0 ? render->terminate_ms : render->soft_ms;

    if (render->retry_ms != 0 && render->retry_ms < deadline_ms)
        deadline_ms = render->retry_ms;
    if (render->inject_ms != 0 && render->inject_ms < deadline_ms)
        deadline_ms = render->inject_ms;
    return deadline_ms;
}
