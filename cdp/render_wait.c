/* render_wait.c: the page's own flag and the conditions of the request; see render.h.
 *
 * Both are known from checks, which go out with the looks of settling, but for those that
 * cannot end it. The flag: false holds the page, true ends the settling after a grace.
 * Conditions: one that does not hold holds the page; when all hold, settling ends, unless they
 * are of the kind that may only delay. The delay is no condition of the page: it only moves the
 * end of settling. */
#include <assert.h>

#include "cdp/render_state.h"

bool wait_has_checks(const struct render *render)
{
    return render->plan.wait.has_flag || render->plan.wait.has_conditions;
}

bool wait_is_asked(const struct render *render)
{
    return render->plan.wait.has_conditions || render->plan.wait.delay_ms > 0 ||
           render->plan.wait.quiet.is_awaited || transit_is_one(render);
}

void wait_do_check(struct render *render, struct render_commands *ret)
{
    if (!wait_has_checks(render) || render->is_checking || render->is_transiting)
        return;
    render->is_checking = true;
    render_do(ret, RENDER_DO_CHECK);
}

void wait_begin(struct render *render, double virtual_ms)
{
    render->delayed_virtual_ms = virtual_ms + render->plan.wait.delay_ms;
    if (render->settled_virtual_ms < render->delayed_virtual_ms)
        render->settled_virtual_ms = render->delayed_virtual_ms;
}

/* Settling will be over then; the delay holds all the same. */
static void wait_end_at(struct render *render, double virtual_ms)
{
    render->settled_virtual_ms =
        virtual_ms > render->delayed_virtual_ms ? virtual_ms : render->delayed_virtual_ms;
}

void wait_checked(struct render *render, double virtual_ms, const struct render_fact *fact)
{
    const struct render_wait *wait = &render->plan.wait;
    bool is_raised = fact->flag == RENDER_FLAG_TRUE && render->flag != RENDER_FLAG_TRUE;
    bool is_now_met = fact->ok && !render->is_met;

    assert(render->is_checking);
    render->is_checking = false;
    render->has_check = true;
    render->flag = fact->flag;
    render->is_met = fact->ok;
    if (is_raised)
        wait_end_at(render, virtual_ms + wait->flag_grace_ms);
    else if (wait->is_hastening && is_now_met && fact->flag != RENDER_FLAG_FALSE)
        wait_end_at(render, virtual_ms);
    render->is_hastened = wait->is_hastening && render->is_met;
}

bool wait_is_held(const struct render *render)
{
    if (render->is_transiting)
        return true;
    if (!wait_has_checks(render))
        return false;
    return !render->has_check || render->flag == RENDER_FLAG_FALSE ||
           (render->plan.wait.has_conditions && !render->is_met);
}

enum render_reason wait_reason(const struct render *render, bool is_partial)
{
    bool was_held = render->has_check && wait_is_held(render);

    if (render->is_spent)
        return RENDER_BUDGET;
    if (is_partial)
        return was_held ? RENDER_CONDITION : RENDER_DEADLINE;
    if (render->flag == RENDER_FLAG_TRUE)
        return RENDER_READY_FLAG;
    return render->is_hastened ? RENDER_CONDITION : RENDER_SETTLED;
}
