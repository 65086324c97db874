/* render_settle.c: after the load event: slices of virtual time, looks, frames.
 *
 * A round is slice, look, and a frame when a script has run since the last one: callbacks of
 * frames, intersections and idle time come with frames, and what they begin (timers,
 * fetches) needs a slice again. What a page fetches first it mostly fetches without a frame,
 * so a frame before the first slice would be one too many: it comes after that. The second
 * slice is all that is left. */
#include <assert.h>

#include "cdp/render_state.h"

/* Such a page works in real time, and the virtual clock does not show it. An open stream
 * is no work: it has had its grace, and the clock now moves without it. */
static bool is_patient(const struct render *render)
{
    return (render->is_stuck && !render->has_streams) || render->look.workers > 0;
}

static uint32_t frames_max(const struct render *render)
{
    return is_patient(render) ? RENDER_FRAMES_PATIENT_MAX : RENDER_FRAMES_MAX;
}

/* The page's clock, at a guess when slices have expired since the last look. */
static double virtual_now_ms(const struct render *render)
{
    return render->look.virtual_ms + (double)render->unlooked_ms;
}

static bool is_time_over(const struct render *render)
{
    return virtual_now_ms(render) >= render->settled_virtual_ms;
}

static bool do_frames_come(const struct render *render, uint64_t now_ms)
{
    return virtual_now_ms(render) - render->plan.clock_base_ms - (double)now_ms >=
           RENDER_AHEAD_MIN_MS;
}

static void settle_look_only(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render_do_look(render, now_ms, ret);
    wait_do_check(render, ret);
}

/* Measures as well: if the look brings nothing new, the capture can follow at once, unless
 * it changes the document first. */
static void settle_look(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    settle_look_only(render, now_ms, ret);
    if (!render->is_measuring && !transit_is_one(render) && !render->plan.has_injects) {
        render->is_measuring = true;
        render->has_measure = false;
        render_do(ret, RENDER_DO_MEASURE);
    }
}

/* Virtual time to be settled. The other milestones come here only for conditions. */
static double settling_ms(const struct render *render)
{
    return render->plan.until == WAIT_AUTO ? render->plan.settle_virtual_ms : 0;
}

void settle_enter(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(render->next_loader == 0);
    render_set_state(render, now_ms, RENDER_SETTLING);
    render->has_look = false;
    render->paced_ms = 0;
    if (render->plan.wait.is_real)
        real_enter(render, now_ms, ret);
    else if (render->is_looking)
        wait_do_check(render, ret); /* A look is out since before, without one. */
    else if (settling_ms(render) > 0)
        settle_look_only(render, now_ms, ret); /* The capture is far. */
    else
        settle_look(render, now_ms, ret);
}

static void settle_frame(struct render *render, struct render_commands *ret)
{
    assert(!render->is_framing && render->frames < frames_max(render));
    render->is_framing = true;
    render->is_frame_owed = false;
    render_do(ret, RENDER_DO_FRAME);
}

/* Something beside the time that is over does not let the page be captured. */
static bool is_held(const struct render *render)
{
    return wait_is_held(render) || quiet_is_held(render, virtual_now_ms(render));
}

/* The first slice is small, that frames come early; the second one is all that is left. What
 * is waited for is looked for as often as ever. */
static uint32_t slice_ms(const struct render *render)
{
    double left_ms = render->settled_virtual_ms - virtual_now_ms(render);

    /* Waiting in real time must not send the clock far ahead. */
    if (is_patient(render) && is_time_over(render) &&
        !quiet_is_held(render, virtual_now_ms(render)))
        return RENDER_SLICE_VIRTUAL_MS / 10;
    if (is_patient(render) || wait_is_asked(render) || is_held(render) || !render->is_sliced ||
        left_ms < RENDER_SLICE_VIRTUAL_MS)
        return RENDER_SLICE_VIRTUAL_MS;
    /* Rounded up: a part of a millisecond would cost a slice of its own. */
    return (uint32_t)left_ms + (left_ms > (uint32_t)left_ms ? 1 : 0);
}

static void settle_grant(struct render *render, uint64_t now_ms, uint32_t virtual_ms,
                         struct render_commands *ret)
{
    if (is_time_over(render) && is_held(render)) {
        render->slices_held++;
        if (render->slices_held > RENDER_SLICES_HELD_MAX) {
            render->paced_ms = now_ms + RENDER_SLICE_VIRTUAL_MS;
            return;
        }
    }
    render_grant(render, now_ms, virtual_ms, ret);
}

static bool is_settled(const struct render *render)
{
    if (!is_time_over(render) || is_held(render) || render->is_frame_owed)
        return false;
    return !is_patient(render) || render->plan.until == WAIT_NETWORKIDLE ||
           render->quiet_looks >= RENDER_QUIET_LOOKS_PATIENT ||
           render->frames >= frames_max(render);
}

/* What was waited for is there. Frames matter to documents that are captured. */
static bool is_hastened(const struct render *render)
{
    return render->is_hastened && (!render->is_frame_owed || transit_is_one(render)) &&
           is_time_over(render) && !is_held(render);
}

/* Nothing is granted, nothing is out, and the last look is fresh. */
static void settle_go_on(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    bool wants_frame = render->is_frame_owed && (render->is_sliced || is_time_over(render));
    bool is_quieting = is_patient(render) && render->frames < frames_max(render);

    if (is_settled(render))
        capture_enter(render, now_ms, false, ret);
    else if ((wants_frame || is_quieting) && do_frames_come(render, now_ms))
        settle_frame(render, ret);
    else
        settle_grant(render, now_ms, slice_ms(render), ret);
}

void settle_next(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (render->next_loader != 0 || render->is_framing || render->is_looking ||
        render->is_checking || !render->has_look || render->paced_ms != 0)
        return;
    if (is_hastened(render))
        capture_enter(render, now_ms, false, ret); /* Also while something is pending. */
    else if (render->is_granted)
        return;
    else if (render->unlooked_ms == 0)
        settle_go_on(render, now_ms, ret);
    else if (is_settled(render))
        settle_look(render, now_ms, ret);
    else if (wait_is_asked(render) || render->flag != RENDER_FLAG_NONE)
        settle_look_only(render, now_ms, ret);
    else
        render_do_look(render, now_ms, ret); /* A flag that has come since shows at the end. */
}

static bool has_moved(const struct render_look *old, const struct render_look *new)
{
    return new->script_us - old->script_us > RENDER_SCRIPT_NOISE_US || new->nodes != old->nodes ||
           new->listeners != old->listeners || new->documents != old->documents ||
           new->requests != old->requests;
}

/* Whether any script has run since the render began. A new renderer counts from zero. */
static bool has_script_run(const struct render *render)
{
    double before_us = render->plan.look.script_us;

    if (render->look.script_us < before_us)
        before_us = 0;
    return render->look.script_us > before_us;
}

/* A transition that waits for a condition is asked for it with every slice; frames are
 * awaited only when some slices have not brought it about. */
static bool wants_frames(const struct render *render)
{
    return !transit_is_one(render) || !render->plan.wait.has_conditions ||
           render->slices_held >= RENDER_SLICES_FRAMELESS;
}

/* Resources that the garbage collector takes are no progress. */
static bool has_progressed(const struct render_look *old, const struct render_look *new)
{
    return new->virtual_ms > old->virtual_ms || new->requests > old->requests;
}

/* Whether the page waits, by the look that judges a standing clock. One that works would
 * only be held up by the inspection. */
static bool is_waiting(const struct render *render, const struct render_look *look)
{
    return render->judged_ms != 0 && !has_progressed(&render->look, look) &&
           look->task_us - render->look.task_us <
               (double)render->judged_ms * 1000 / RENDER_WAITING_TASK_SHARE;
}

static void settle_inspect(struct render *render, const struct render_fact *fact,
                           struct render_commands *ret)
{
    render->waiting_looks =
        fact->ok && is_waiting(render, &fact->look) ? render->waiting_looks + 1 : 0;
    if (render->waiting_looks >= RENDER_WAITING_LOOKS && !render->is_inspected) {
        render->is_inspected = true;
        render_do(ret, RENDER_DO_INSPECT);
    }
    render->judged_ms = 0;
}

/* When settling began, by the page's clock: at the load event, which is mostly before the end of
 * the slice in which it came; by the real clock, if that is ahead. */
static double begun_virtual_ms(const struct render *render, uint64_t now_ms)
{
    double real_ms = render->plan.clock_base_ms + (double)now_ms;
    double begun_ms =
        render->load_virtual_ms > 0 ? render->load_virtual_ms : render->look.virtual_ms;

    return begun_ms > real_ms ? begun_ms : real_ms;
}

static void settle_looked(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                          struct render_commands *ret)
{
    struct render_look old = render->look;

    settle_inspect(render, fact, ret);
    render_looked(render);
    if (!fact->ok) {
        capture_enter(render, now_ms, false, ret);
        return;
    }
    if (has_progressed(&old, &fact->look))
        render->progress_ms = now_ms;
    render->look = fact->look;
    quiet_looked(render, fact->look.virtual_ms);
    if (!render->has_look) {
        double begun_ms = begun_virtual_ms(render, now_ms);
        render->has_look = true;
        render->settled_virtual_ms = begun_ms + settling_ms(render);
        wait_begin(render, begun_ms);
        if (has_script_run(render)) {
            render->is_frame_owed = wants_frames(render);
        } else if (!render->is_scheduled && !is_patient(render) && !wait_is_asked(render)) {
            /* Without a script and a refresh no passing of time changes the document. */
            if (render->next_loader == 0)
                capture_enter(render, now_ms, false, ret);
            return;
        }
    } else if (has_moved(&old, &fact->look)) {
        render->is_frame_owed = wants_frames(render) && render->frames < frames_max(render);
        render->quiet_looks = 0;
        render->has_measure = false;
    } else {
        render->quiet_looks++;
    }
    settle_next(render, now_ms, ret);
}

static void settle_framed(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->is_framing = false;
    render->frames++;
    if (!render->is_granted && render->next_loader == 0)
        settle_grant(render, now_ms, slice_ms(render), ret);
}

static uint64_t settle_stuck_ms(const struct render *render)
{
    uint32_t limit_ms = render->plan.stuck_request_ms;
    uint64_t since_ms =
        render->progress_ms > render->granted_ms ? render->progress_ms : render->granted_ms;

    if (!render->is_granted || render->is_stuck || render->next_loader != 0)
        return UINT64_MAX;
    if (render->has_streams && limit_ms > render->plan.stream_grace_ms)
        limit_ms = render->plan.stream_grace_ms;
    if (quiet_is_calm(render) && limit_ms > RENDER_CALM_MS)
        limit_ms = RENDER_CALM_MS;
    if (render->has_streams && render->heard_ms != 0)
        return earlier_ms(since_ms + limit_ms, render->heard_ms + render->plan.stream_silence_ms);
    return since_ms + limit_ms;
}

static uint64_t settle_look_ms(const struct render *render)
{
    uint64_t since_ms =
        render->looked_ms > render->granted_ms ? render->looked_ms : render->granted_ms;

    if (!render->is_granted || render->is_looking)
        return UINT64_MAX;
    return since_ms + RENDER_STANDSTILL_LOOK_MS;
}

static void settle_checked(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                           struct render_commands *ret)
{
    if (!render->is_checking)
        return;
    wait_checked(render, virtual_now_ms(render), fact);
    if (!is_held(render))
        render->paced_ms = 0;
    settle_next(render, now_ms, ret);
}

/* A page that is held gets the next slice, and is looked at with it. */
static void settle_paced(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (!render->is_looking)
        settle_look_only(render, now_ms, ret);
    render_grant(render, now_ms, RENDER_SLICE_VIRTUAL_MS, ret);
}

static void settle_tick(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (now_ms >= render->soft_ms) {
        capture_enter(render, now_ms, true, ret);
    } else if (render->paced_ms != 0 && now_ms >= render->paced_ms) {
        settle_paced(render, now_ms, ret);
    } else if (now_ms >= settle_stuck_ms(render)) {
        render->is_stuck = true;
        render_advance(render, ret);
    } else if (now_ms >= settle_look_ms(render)) {
        render->judged_ms = now_ms - render->looked_ms;
        settle_look_only(render, now_ms, ret);
    }
}

/* What was active has ended: what is left is not waited for, and does not hold the clock. */
static void settle_traffic(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (!quiet_is_calm(render) && render->active > render->plan.wait.quiet.connections)
        return;
    render->paced_ms = 0;
    if (render->is_granted && render->is_stuck)
        render_advance(render, ret);
    else
        settle_next(render, now_ms, ret);
}

/* Conditions of the earlier milestones are waited for from before this. */
static void settle_loaded(struct render *render)
{
    if (!render->is_loaded)
        render->has_measure = false;
    render->is_loaded = true;
}

void settle_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                 struct render_commands *ret)
{
    bool is_ours = fact->loader == render->loader;

    switch (fact->type) {
    case RENDER_FACT_COMMITTED:
        load_follow(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_STOPPED:
        render->next_loader = 0;
        settle_loaded(render);
        settle_next(render, now_ms, ret);
        break;
    case RENDER_FACT_LOADED:
        if (is_ours)
            settle_loaded(render);
        break;
    case RENDER_FACT_EXPIRED:
        render->is_granted = false;
        render->is_sliced = true;
        render->unlooked_ms += render->grant_ms;
        render->progress_ms = now_ms;
        settle_next(render, now_ms, ret);
        break;
    case RENDER_FACT_LOOKED:
        settle_looked(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_FRAMED:
        if (is_ours && render->is_framing)
            settle_framed(render, now_ms, ret);
        break;
    case RENDER_FACT_MEASURED:
        if (is_ours && render->is_measuring) {
            render->is_measuring = false;
            render->has_measure = fact->ok;
            render->measure = fact->measure;
        }
        break;
    case RENDER_FACT_CHECKED:
        if (is_ours)
            settle_checked(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_TRANSITED:
        if (is_ours && render->is_transiting)
            transit_fact(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_TRAFFIC:
        settle_traffic(render, now_ms, ret);
        break;
    case RENDER_FACT_TICK:
        settle_tick(render, now_ms, ret);
        break;
    case RENDER_FACT_NAVIGATED:
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_PARSED:
    case RENDER_FACT_CAPTURED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_HEARD:
    case RENDER_FACT_SURVEYED:
    case RENDER_FACT_SPENT:
        break; /* Noted already, or of an earlier document. */
    }
}

uint64_t settle_deadline_ms(const struct render *render)
{
    return earlier_ms(earlier_if_set_ms(render->soft_ms, render->paced_ms),
                      earlier_ms(settle_stuck_ms(render), settle_look_ms(render)));
}
