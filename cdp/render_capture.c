/* render_capture.c: what is made of the document, one output after the other; see render.h.
 *
 *   expression -> measure -> html, text, links, mhtml, png, jpeg, webp, pdf -> confirm -> DONE
 *
 * The expression comes first, so that all the others show what it has done. The document is
 * measured, and refused by its size, before it is asked for. Images and PDF are made outside
 * of the page's process, whose replies are not ordered with the news of a navigation; so the
 * document is measured once more after them: if it is still there, it is what they show.
 *
 * The page's clock stands still meanwhile, except for what waits for it: an expression may
 * await a timer or an answer, and Chromium makes no MHTML of a page whose clock stands.
 *
 * At the soft deadline an expression that has not answered is given up, and at the hard one
 * what there is becomes the partial result. */
#include <assert.h>

#include "cdp/render_state.h"

/* Made by the browser's process. */
#define OUTPUTS_OUTSIDE (OUTPUT_IMAGES | OUTPUT_BIT(OUTPUT_PDF))

/* One grant for the sake of MHTML. */
#define MHTML_SLICE_VIRTUAL_MS 100

static void capture_next(struct render *, uint64_t now_ms, struct render_commands *);

static void capture_measure(struct render *render, struct render_commands *ret)
{
    if (render->is_measuring)
        return;
    render->is_measuring = true;
    render_do(ret, RENDER_DO_MEASURE);
}

static bool capture_lacks(const struct render *render, enum output output)
{
    uint32_t settled = render->outputs_made | render->outputs_given_up;

    return (render->plan.outputs & ~settled & OUTPUT_BIT(output)) != 0;
}

/* Only while such an output is being made does the clock go on. */
static bool capture_needs_clock(const struct render *render)
{
    return render->is_capturing &&
           (render->output == OUTPUT_EXPRESSION || render->output == OUTPUT_MHTML);
}

static void capture_grant(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(capture_needs_clock(render));
    if (render->output == OUTPUT_EXPRESSION) {
        render_grant(render, now_ms, RENDER_SLICE_VIRTUAL_MS, ret);
        return;
    }
    if (render->plan.wait.is_real)
        return; /* It goes on by itself. */
    /* It is made of what has loaded, whatever has not. */
    render->is_granted = true;
    render->granted_ms = now_ms;
    render->paced_ms = 0;
    render_do_virtual(ret, RENDER_DO_ADVANCE, MHTML_SLICE_VIRTUAL_MS);
}

/* A promise that never settles must not send the clock into the far future. */
static void capture_expired(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->is_granted = false;
    if (!capture_needs_clock(render))
        return;
    render->slices_capturing++;
    if (render->slices_capturing < RENDER_SLICES_HELD_MAX)
        capture_grant(render, now_ms, ret);
    else
        render->paced_ms = now_ms + RENDER_SLICE_VIRTUAL_MS;
}

static void capture_ask(struct render *render, uint64_t now_ms, enum output output,
                        struct render_commands *ret)
{
    assert(!render->is_capturing);
    render->is_capturing = true;
    render->output = output;
    render->is_repainting = false;
    if ((OUTPUT_BIT(output) & OUTPUT_IMAGES) != 0)
        render->repaint_ms = now_ms + RENDER_REPAINT_MS;
    render_do_output(ret, output);
    if (capture_needs_clock(render) && !render->is_granted && !render->is_partial)
        capture_grant(render, now_ms, ret);
}

/* False: the verdict is out. */
static bool capture_judge(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    /* An error status often has no body and then no type; as text it is still its answer. */
    bool is_text = render->kind == RENDER_KIND_TEXT && render->measure.status < 400;
    bool is_truncated = render->measure.is_incomplete && render->is_loaded && !render->is_stuck &&
                        !render->is_partial;

    if (is_text)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_NOT_A_DOCUMENT, ret);
    else if (is_truncated)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_TRUNCATED, ret);
    else if (render->measure.bytes > render->plan.output_bytes_max &&
             capture_lacks(render, OUTPUT_HTML))
        render_finish(render, now_ms, RENDER_FAILED, RENDER_OUTPUT_TOO_LARGE, ret);
    return render->state != RENDER_DONE;
}

/* In the order of the file comment. A page at its deadline may hang in the expression, so
 * that comes last then. */
static bool capture_ask_next(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    static const enum output order[] = {OUTPUT_HTML,  OUTPUT_TEXT, OUTPUT_LINKS,
                                        OUTPUT_MHTML, OUTPUT_PNG,  OUTPUT_JPEG,
                                        OUTPUT_WEBP,  OUTPUT_PDF,  OUTPUT_EXPRESSION};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (capture_lacks(render, order[i])) {
            capture_ask(render, now_ms, order[i], ret);
            return true;
        }
    }
    return false;
}

/* Nothing is left to ask for. */
static void capture_over(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if ((render->outputs_made & OUTPUTS_OUTSIDE) != 0 && !render->is_confirmed) {
        render->is_confirming = true;
        capture_measure(render, ret);
    } else if (render->outputs_made == 0) {
        render_finish(render, now_ms, RENDER_FAILED,
                      render->is_spent ? RENDER_BUDGET_EXCEEDED : RENDER_TIMEOUT, ret);
    } else {
        render_finish(render, now_ms, render->is_partial ? RENDER_PARTIAL : RENDER_COMPLETE,
                      RENDER_OK, ret);
    }
}

static void capture_next(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(!render->is_capturing);
    if (transit_is_one(render)) {
        /* Its value is refused by its size where it is made. */
        if (!capture_ask_next(render, now_ms, ret))
            capture_over(render, now_ms, ret);
    } else if (!render->is_partial && render->inject_ms == 0 &&
               capture_lacks(render, OUTPUT_EXPRESSION)) {
        capture_ask(render, now_ms, OUTPUT_EXPRESSION, ret);
    } else if (!render->has_measure) {
        capture_measure(render, ret);
    } else if (capture_judge(render, now_ms, ret) && !capture_ask_next(render, now_ms, ret)) {
        capture_over(render, now_ms, ret);
    }
}

void capture_enter(struct render *render, uint64_t now_ms, bool is_partial,
                   struct render_commands *ret)
{
    bool is_late = is_partial && now_ms >= render->soft_ms;

    if (is_late)
        late_note(render, now_ms);
    render_set_state(render, now_ms, RENDER_CAPTURING);
    render->terminate_ms = render->paced_ms = 0;
    if (is_late) {
        uint64_t patience_ms = (render->hard_ms - now_ms) / 4;
        render->terminate_ms =
            now_ms +
            (patience_ms < RENDER_TERMINATE_FIRST_MS ? patience_ms : RENDER_TERMINATE_FIRST_MS);
    }
    if (is_partial) {
        render->is_partial = true;
        render->has_measure = false;
        /* A timer that spins must not fire again before the capture. */
        render_pause(render, ret);
    }
    render->reason = wait_reason(render, is_partial);
    if (render->is_stuck && !is_partial)
        render_do(ret, RENDER_DO_SURVEY);
    if (render->plan.has_injects) {
        render->has_measure = false;
        render->inject_ms = now_ms + RENDER_INJECT_MS;
        render_do(ret, RENDER_DO_INJECT);
    }
    capture_next(render, now_ms, ret);
    if (is_late)
        late_probe(render, now_ms, ret);
}

/* Its document went away, or is about to. The expression is not evaluated again in it. */
static void capture_failed(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->captures_failed++;
    render->has_measure = render->is_confirming = render->is_confirmed = false;
    render->is_capturing = false;
    render->outputs_made &= OUTPUT_BIT(OUTPUT_EXPRESSION);
    render->output_bytes = 0;
    if (render->captures_failed > RENDER_CAPTURES_FAILED_MAX)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_INTERNAL, ret);
    else
        render->retry_ms = now_ms + RENDER_CAPTURE_RETRY_MS;
}

static void capture_measured(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                             struct render_commands *ret)
{
    render->is_measuring = false;
    render->inject_ms = 0;
    if (render->is_capturing)
        return; /* Asked for before the expression was. */
    if (!fact->ok) {
        capture_failed(render, now_ms, ret);
        return;
    }
    render->has_measure = true;
    render->measure = fact->measure;
    render->is_confirmed = render->is_confirming;
    capture_next(render, now_ms, ret);
}

static void capture_captured(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                             struct render_commands *ret)
{
    bool had_clock = capture_needs_clock(render);
    /* What it threw may be our own end of it. */
    bool is_ended = render->output == OUTPUT_EXPRESSION && render->terminations > 0;

    render->is_capturing = false;
    render->paced_ms = render->repaint_ms = 0;
    if (!fact->ok && fact->code == RENDER_OK && !is_ended) {
        capture_failed(render, now_ms, ret);
        return;
    }
    if (fact->ok && fact->bytes > render->plan.output_bytes_max - render->output_bytes) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_OUTPUT_TOO_LARGE, ret);
        return;
    }
    if (!fact->ok && !is_ended) {
        render_finish(render, now_ms, RENDER_FAILED, fact->code, ret);
        return;
    }
    if (fact->ok) {
        render->output_bytes += fact->bytes;
        render->outputs_made |= OUTPUT_BIT(render->output);
    } else {
        render->outputs_given_up |= OUTPUT_BIT(render->output);
    }
    if (render->output == OUTPUT_EXPRESSION && !render->is_partial)
        render->has_measure = false; /* It may have changed the document. */
    if (had_clock && render->is_granted && render->outputs_made != render->plan.outputs) {
        render->is_granted = false;
        render_pause(render, ret);
    }
    capture_next(render, now_ms, ret);
}

/* What else was asked for can be made without it. */
static void capture_give_up(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(render->is_capturing && render->output == OUTPUT_EXPRESSION);
    render->is_capturing = false;
    render->paced_ms = 0;
    render->outputs_given_up |= OUTPUT_BIT(OUTPUT_EXPRESSION);
    capture_next(render, now_ms, ret);
}

void capture_cut(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(render->state == RENDER_CAPTURING);
    render->is_partial = true;
    render->reason = wait_reason(render, true);
    if (!render->is_capturing || render->output != OUTPUT_EXPRESSION)
        return;
    if (render->is_granted) {
        render->is_granted = false;
        render_pause(render, ret);
    }
    render->terminations++;
    render_do(ret, RENDER_DO_TERMINATE);
    capture_give_up(render, now_ms, ret);
}

/* An image does not come. Chromium may have lost the frame that it waits for, or a navigation
 * has left it without frames for good, though its scripts go on; nothing brings them back. So
 * the image is asked for again, whichever comes first will do, and the page for a sign of life
 * and a frame. A page that answers and has no frame is given up, while there is time for
 * another one. */
static void capture_repaint(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(render->is_capturing && (OUTPUT_BIT(render->output) & OUTPUT_IMAGES) != 0);
    if (render->is_repainting) {
        render->repaint_ms = 0;
        if (render->is_answering && now_ms < render->soft_ms)
            render_do(ret, RENDER_DO_ABANDON);
        return;
    }
    render->is_repainting = true;
    render->is_answering = false;
    render->repaint_ms = now_ms + RENDER_REPAINT_MS;
    render_do_output(ret, render->output);
    render_do(ret, RENDER_DO_FRAME);
    render_do(ret, RENDER_DO_SURVEY);
}

/* A script keeps the page from answering, or the expression waits for what does not come. */
static void capture_overdue(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->is_partial = true;
    render->reason = render->is_spent ? RENDER_BUDGET : RENDER_DEADLINE;
    render->terminations++;
    render->terminate_ms = now_ms + RENDER_TERMINATE_AGAIN_MS;
    render_do(ret, RENDER_DO_TERMINATE);
    if (render->is_capturing && render->output == OUTPUT_EXPRESSION &&
        render->outputs_made != (render->plan.outputs & ~OUTPUT_BIT(OUTPUT_EXPRESSION)))
        capture_give_up(render, now_ms, ret);
}

static void capture_tick(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (render->terminate_ms == 0 && now_ms >= render->soft_ms) {
        render->terminate_ms = now_ms;
        late_note(render, now_ms);
        render_pause(render, ret);
    }
    if (render->terminate_ms != 0 && now_ms >= render->terminate_ms)
        capture_overdue(render, now_ms, ret);
    if (render->inject_ms != 0 && now_ms >= render->inject_ms) {
        /* The next one begins, or the measuring that ends this. */
        render->terminations++;
        render->inject_ms = now_ms + RENDER_INJECT_MS;
        render_do(ret, RENDER_DO_TERMINATE);
    }
    if (render->paced_ms != 0 && now_ms >= render->paced_ms)
        capture_grant(render, now_ms, ret);
    if (render->repaint_ms != 0 && now_ms >= render->repaint_ms)
        capture_repaint(render, now_ms, ret);
    if (render->retry_ms != 0 && now_ms >= render->retry_ms) {
        render->retry_ms = 0;
        render_do(ret, RENDER_DO_PREPARE);
        capture_next(render, now_ms, ret);
    }
}

void capture_time_out(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    /* What nobody has confirmed may be of another document. */
    if (!render->is_confirmed)
        render->outputs_made &= ~OUTPUTS_OUTSIDE;
    if (!render->is_partial)
        render->reason = RENDER_DEADLINE;
    if (render->plan.on_timeout == ON_TIMEOUT_PARTIAL && render->outputs_made != 0)
        render_finish(render, now_ms, RENDER_PARTIAL, RENDER_OK, ret);
    else if (render->terminations > 0 && render->output != OUTPUT_EXPRESSION)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_UNRESPONSIVE, ret);
    else
        render_finish(render, now_ms, RENDER_FAILED, RENDER_TIMEOUT, ret);
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
        if (is_ours && render->is_capturing && fact->output == render->output)
            capture_captured(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_STOPPED:
        render->next_loader = 0;
        break;
    case RENDER_FACT_EXPIRED:
        capture_expired(render, now_ms, ret);
        break;
    case RENDER_FACT_LOOKED:
        render_looked(render);
        break;
    case RENDER_FACT_SURVEYED:
        render->is_answering = fact->ok;
        break;
    case RENDER_FACT_FRAMED:
        if (is_ours && fact->ok)
            render->repaint_ms = 0; /* It paints; the image takes its time. */
        break;
    case RENDER_FACT_TICK:
        capture_tick(render, now_ms, ret);
        break;
    case RENDER_FACT_NAVIGATED:
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_PARSED:
    case RENDER_FACT_LOADED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_HEARD:
    case RENDER_FACT_CHECKED:
    case RENDER_FACT_TRANSITED:
    case RENDER_FACT_SPENT:
    case RENDER_FACT_TRAFFIC:
        break; /* Noted already, or too late to matter. */
    }
}

uint64_t capture_deadline_ms(const struct render *render)
{
    uint64_t deadline_ms = render->terminate_ms != 0 ? render->terminate_ms : render->soft_ms;

    deadline_ms = earlier_if_set_ms(deadline_ms, render->retry_ms);
    deadline_ms = earlier_if_set_ms(deadline_ms, render->repaint_ms);
    deadline_ms = earlier_if_set_ms(deadline_ms, render->inject_ms);
    return earlier_if_set_ms(deadline_ms, render->paced_ms);
}
