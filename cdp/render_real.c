/* render_real.c: from the milestone to the capture under the real clock; see render.h.
 *
 * The page runs by itself, in a renderer whose clock nobody has touched. What is left is
 * to wait: for the network to be quiet, for the delay, and for conditions, which are
 * looked at again and again. The clock of render_wait.c is the real one here. */
#include <assert.h>

#include "cdp/render_state.h"

static uint64_t later(uint64_t time_ms, uint64_t now_ms)
{
    return time_ms > now_ms ? time_ms : UINT64_MAX;
}

/* The next time at which something may be over. */
static uint64_t wake_ms(const struct render *render, uint64_t now_ms)
{
    const struct render_quiet *quiet = &render->plan.wait.quiet;
    uint64_t wake = later((uint64_t)render->settled_virtual_ms, now_ms);

    if (quiet->is_awaited && render->is_quiet)
        wake = earlier_ms(wake, later((uint64_t)render->quiet_since_ms + quiet->quiet_ms, now_ms));
    if (wait_has_checks(render) && !render->is_checking)
        wake = earlier_ms(wake, render->looked_ms + RENDER_REAL_CHECK_MS);
    return wake;
}

static void real_next(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    double clock_ms = (double)now_ms;
    bool is_over = clock_ms >= render->settled_virtual_ms;

    if (render->next_loader == 0 && is_over && !wait_is_held(render) &&
        !quiet_is_held(render, clock_ms)) {
        capture_enter(render, now_ms, false, ret);
        return;
    }
    if (wait_has_checks(render) && !render->is_checking &&
        now_ms >= render->looked_ms + RENDER_REAL_CHECK_MS) {
        render->looked_ms = now_ms;
        wait_do_check(render, ret);
    }
    render->paced_ms = wake_ms(render, now_ms);
}

void real_enter(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(render->state == RENDER_SETTLING && !render->is_granted);
    render->settled_virtual_ms = (double)now_ms;
    render->looked_ms = 0;
    if (!render->is_quiet && render->active <= render->plan.wait.quiet.connections) {
        render->is_quiet = true;
        render->quiet_since_ms = (double)now_ms;
    }
    wait_begin(render, (double)now_ms);
    real_next(render, now_ms, ret);
}

void real_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
               struct render_commands *ret)
{
    bool is_ours = fact->loader == render->loader;

    switch (fact->type) {
    case RENDER_FACT_COMMITTED:
        load_follow(render, now_ms, fact, ret);
        return;
    case RENDER_FACT_CHECKED:
        if (is_ours && render->is_checking)
            wait_checked(render, (double)now_ms, fact);
        break;
    case RENDER_FACT_STOPPED:
        render->next_loader = 0;
        render->is_loaded = true;
        break;
    case RENDER_FACT_LOADED:
        render->is_loaded = render->is_loaded || is_ours;
        break;
    case RENDER_FACT_TICK:
        if (now_ms >= render->soft_ms) {
            capture_enter(render, now_ms, true, ret);
            return;
        }
        break;
    case RENDER_FACT_LOOKED:
        render_looked(render);
        if (fact->ok)
            render->look = fact->look;
        return;
    case RENDER_FACT_TRAFFIC:
        break;
    case RENDER_FACT_NAVIGATED:
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_PARSED:
    case RENDER_FACT_EXPIRED:
    case RENDER_FACT_FRAMED:
    case RENDER_FACT_MEASURED:
    case RENDER_FACT_CAPTURED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_HEARD:
    case RENDER_FACT_SURVEYED:
    case RENDER_FACT_SPENT:
    case RENDER_FACT_TRANSITED:
        return; /* Noted already, or of an earlier document. */
    }
    real_next(render, now_ms, ret);
}

uint64_t real_deadline_ms(const struct render *render)
{
    return earlier_ms(render->paced_ms, render->soft_ms);
}
