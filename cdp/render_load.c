/* render_load.c: from the commit of a document to its milestone; see render.h. */
#include <assert.h>

#include "cdp/render_state.h"

/* What belonged to the document before does not hold for this one. */
static void load_reset(struct render *render, uint64_t now_ms, uint64_t loader,
                       enum render_kind kind)
{
    render->loader = loader;
    render->kind = kind;
    render->next_loader = 0;
    render->is_loaded = render->is_scheduled = false;
    render->is_granted = render->is_framing = render->is_measuring = false;
    render->is_stuck = render->is_inspected = render->has_streams = false;
    render->has_look = render->is_frame_owed = render->has_measure = render->is_sliced = false;
    render->judged_ms = render->waiting_looks = 0;
    render->heard_ms = 0;
    render->progress_ms = render->granted_ms = now_ms;
    render->paced_ms = render->retry_ms = render->inject_ms = 0;
    render->repaint_ms = 0;
    render->slices = render->unlooked_ms = render->frames = render->quiet_looks = 0;
    render->parsed_ms = render->loaded_ms = 0;
    render->load_virtual_ms = 0;
    render->is_transiting = false;
    render->is_checking = render->has_check = render->is_met = render->is_hastened = false;
    render->flag = RENDER_FLAG_NONE;
    render->slices_held = 0;
    render->is_quiet = false;
    render->outputs_made = render->outputs_given_up = 0;
    render->is_capturing = render->is_confirming = render->is_confirmed = false;
    render->output_bytes = 0;
    render->slices_capturing = 0;
}

void load_enter(struct render *render, uint64_t now_ms, uint64_t loader, enum render_kind kind,
                struct render_commands *ret)
{
    assert(loader != 0 && loader != render->loader);
    render_set_state(render, now_ms, RENDER_LOADING);
    load_reset(render, now_ms, loader, kind);
    render->documents++;
    if (render->documents > RENDER_DOCUMENTS_MAX) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_REDIRECT_STORM, ret);
    } else if (kind == RENDER_KIND_ERROR) {
        /* A navigation by the page itself: no reply names the cause. */
        render_fail_net(render, now_ms, "net::ERR_FAILED", ret);
    } else if (kind == RENDER_KIND_DENIED) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_URL_DENIED, ret);
    } else if (kind == RENDER_KIND_OTHER) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_NOT_A_DOCUMENT, ret);
    } else {
        bool is_over = now_ms >= render->soft_ms || render->is_spent;
        render_do(ret, RENDER_DO_PREPARE);
        if (!is_over && render->plan.until == WAIT_NONE && wait_is_asked(render))
            settle_enter(render, now_ms, ret);
        else if (is_over || render->plan.until == WAIT_NONE)
            capture_enter(render, now_ms, is_over, ret);
        else
            render_grant(render, now_ms, RENDER_SLICE_VIRTUAL_MS, ret);
    }
}

void load_follow(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                 struct render_commands *ret)
{
    assert(fact->type == RENDER_FACT_COMMITTED);
    if (fact->loader != render->loader && fact->loader != 0)
        load_enter(render, now_ms, fact->loader, fact->kind, ret);
}

/* There is no settling, unless conditions are still to hold. */
static void load_over(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (wait_is_asked(render))
        settle_enter(render, now_ms, ret);
    else
        capture_enter(render, now_ms, false, ret);
}

/* The document has reached `milestone`. While it navigates away it is not captured. */
static void load_reached(struct render *render, uint64_t now_ms, enum wait_until milestone,
                         struct render_commands *ret)
{
    if (render->next_loader != 0)
        return;
    switch (render->plan.until) {
    case WAIT_AUTO:
        if (milestone == WAIT_LOAD)
            settle_enter(render, now_ms, ret);
        break;
    case WAIT_LOAD:
        if (milestone == WAIT_LOAD)
            load_over(render, now_ms, ret);
        break;
    case WAIT_NETWORKIDLE:
        if (milestone == WAIT_LOAD)
            settle_enter(render, now_ms, ret);
        break;
    case WAIT_DOMCONTENTLOADED:
        load_over(render, now_ms, ret);
        break;
    case WAIT_NONE:
        assert(false);
        break;
    }
}

static void load_expired(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    render->is_granted = false;
    render->progress_ms = now_ms;
    render->slices++;
    render->unlooked_ms += render->grant_ms;
    if (render->slices < RENDER_SLICES_FREE_MAX)
        render_grant(render, now_ms, RENDER_SLICE_VIRTUAL_MS, ret);
    else
        render->paced_ms = now_ms + RENDER_SLICE_VIRTUAL_MS;
}

/* Anything at all that happened since the last look is progress while loading. */
static void load_looked(struct render *render, uint64_t now_ms, const struct render_fact *fact)
{
    const struct render_look *old = &render->look, *new = &fact->look;

    render_looked(render);
    if (!fact->ok)
        return;
    if (new->nodes != old->nodes || new->requests != old->requests ||
        new->documents != old->documents || new->script_us > old->script_us ||
        new->virtual_ms > old->virtual_ms)
        render->progress_ms = now_ms;
    render->look = *new;
}

/* These waits do without a load event that something endless holds back. */
static bool does_give_up(const struct render *render)
{
    return (render->plan.until == WAIT_AUTO || render->plan.until == WAIT_NETWORKIDLE) &&
           render->next_loader == 0;
}

static uint64_t load_stuck_ms(const struct render *render)
{
    bool is_calm = render->active == 0 && quiet_is_calm(render) && render->parsed_ms != 0;

    if (!does_give_up(render))
        return UINT64_MAX;
    if (render->plan.wait.is_real)
        return is_calm ? (uint64_t)render->quiet_since_ms + render->plan.wait.quiet.quiet_ms
                       : UINT64_MAX;
    if (!render->is_granted)
        return UINT64_MAX;
    if (is_calm && render->plan.stuck_request_ms > RENDER_CALM_MS)
        return render->progress_ms + RENDER_CALM_MS;
    return render->progress_ms + render->plan.stuck_request_ms;
}

static uint64_t load_look_ms(const struct render *render)
{
    uint64_t since_ms =
        render->looked_ms > render->granted_ms ? render->looked_ms : render->granted_ms;

    if (!does_give_up(render) || !render->is_granted || render->is_looking)
        return UINT64_MAX;
    return since_ms + RENDER_STANDSTILL_LOOK_MS;
}

static void load_tick(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (now_ms >= render->soft_ms) {
        capture_enter(render, now_ms, true, ret);
    } else if (render->paced_ms != 0 && now_ms >= render->paced_ms) {
        render_grant(render, now_ms, RENDER_SLICE_VIRTUAL_MS, ret);
    } else if (now_ms >= load_stuck_ms(render)) {
        /* A request that never ends holds the load event back. */
        render->is_stuck = render->is_loaded = true;
        render->is_granted = false;
        settle_enter(render, now_ms, ret);
    } else if (now_ms >= load_look_ms(render)) {
        render_do_look(render, now_ms, ret);
    }
}

void load_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
               struct render_commands *ret)
{
    bool is_ours = fact->loader == render->loader;

    switch (fact->type) {
    case RENDER_FACT_COMMITTED:
        load_follow(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_PARSED:
        render->progress_ms = now_ms;
        if (is_ours)
            load_reached(render, now_ms, WAIT_DOMCONTENTLOADED, ret);
        break;
    case RENDER_FACT_LOADED:
        if (is_ours) {
            render->is_loaded = true;
            load_reached(render, now_ms, WAIT_LOAD, ret);
        }
        break;
    case RENDER_FACT_STOPPED:
        /* Loaded; or the page stopped it, its navigation came to nothing, or the
         * connection broke: no load event will come. */
        render->next_loader = 0;
        render->is_loaded = true;
        load_reached(render, now_ms, WAIT_LOAD, ret);
        break;
    case RENDER_FACT_EXPIRED:
        load_expired(render, now_ms, ret);
        break;
    case RENDER_FACT_LOOKED:
        load_looked(render, now_ms, fact);
        break;
    case RENDER_FACT_TICK:
        load_tick(render, now_ms, ret);
        break;
    case RENDER_FACT_NAVIGATED:
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_FRAMED:
    case RENDER_FACT_MEASURED:
    case RENDER_FACT_CAPTURED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_HEARD:
    case RENDER_FACT_CHECKED:
    case RENDER_FACT_TRANSITED:
    case RENDER_FACT_SURVEYED:
    case RENDER_FACT_SPENT:
    case RENDER_FACT_TRAFFIC:
        break; /* Noted already, or of an earlier document. */
    }
}

uint64_t load_deadline_ms(const struct render *render)
{
    return earlier_ms(earlier_if_set_ms(render->soft_ms, render->paced_ms),
                      earlier_ms(load_stuck_ms(render), load_look_ms(render)));
}
