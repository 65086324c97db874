/* render_late.c: what is known of a render that runs out of time: where it was, whether the
 * page's main thread answers, and where its time went; see render.h.
 *
 * It is gathered before the very end, once: when a partial document is captured, or, when
 * there will be none, shortly before the deadline. */
#include <assert.h>

#include "cdp/render_state.h"

uint64_t late_probe_ms(const struct render *render)
{
    uint64_t left_ms = render->hard_ms - render->started_ms;
    bool is_hopeless = render->soft_ms == render->hard_ms || render->state == RENDER_NAVIGATING;

    if (render->late.is_probed || !is_hopeless || left_ms < 2 * RENDER_PROBE_MS)
        return UINT64_MAX;
    return render->hard_ms - RENDER_PROBE_MS;
}

void late_note(struct render *render, uint64_t now_ms)
{
    struct render_late *late = &render->late;

    if (late->is_set)
        return;
    late->is_set = true;
    late->state = render->state;
    late->age_ms = now_ms - render->entered_ms;
}

void late_probe(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (render->late.is_probed)
        return;
    render->late.is_probed = true;
    render_do(ret, RENDER_DO_SURVEY);
    if (!render->is_looking)
        render_do_look(render, now_ms, ret);
}

static double since(double now_us, double before_us)
{
    /* A new renderer counts from zero. */
    return (now_us < before_us ? now_us : now_us - before_us) / 1000;
}

void late_verdict(const struct render *render, struct render_late_result *ret)
{
    static const char *const phases[] = {
        [RENDER_NAVIGATING] = "navigate",
        [RENDER_LOADING] = "load",
        [RENDER_SETTLING] = "settle",
        [RENDER_CAPTURING] = "capture",
    };
    const struct render_late *late = &render->late;

    if (!late->is_set)
        return;
    ret->phase = phases[late->state];
    ret->phase_age_ms = late->age_ms;
    ret->is_main_thread_answering = late->is_answered;
    const struct render_look *before = &render->plan.look;
    const struct render_look *now = late->look.virtual_ms > 0 ? &late->look : &render->look;
    if (now->virtual_ms > 0) {
        ret->has_times = true;
        ret->script_ms = since(now->script_us, before->script_us);
        ret->layout_ms = since(now->layout_us, before->layout_us);
        ret->task_ms = since(now->task_us, before->task_us);
    }
}
