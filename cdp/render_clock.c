/* render_clock.c: what moves the page's clock, and what tells of it; see render.h. */
#include <assert.h>

#include "cdp/render_state.h"

void render_do_look(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(!render->is_looking);
    render->is_looking = true;
    render->looked_ms = now_ms;
    render_do(ret, RENDER_DO_LOOK);
}

void render_looked(struct render *render)
{
    render->is_looking = false;
    render->unlooked_ms = 0;
}

/* What is pending is not waited for; a network to be awaited decides that by itself. */
static bool is_regardless(const struct render *render)
{
    return render->is_stuck && (!render->plan.wait.quiet.is_awaited ||
                                render->active <= render->plan.wait.quiet.connections);
}

void render_grant(struct render *render, uint64_t now_ms, uint32_t virtual_ms,
                  struct render_commands *ret)
{
    assert(virtual_ms > 0);
    if (render->plan.wait.is_real)
        return; /* Nothing to give. */
    render->is_granted = true;
    render->grant_ms = virtual_ms;
    render->granted_ms = now_ms;
    render->paced_ms = 0;
    render_do_virtual(ret, is_regardless(render) ? RENDER_DO_ADVANCE : RENDER_DO_GRANT, virtual_ms);
}

void render_advance(const struct render *render, struct render_commands *ret)
{
    assert(render->is_granted && !render->plan.wait.is_real);
    if (is_regardless(render))
        render_do(ret, RENDER_DO_ADVANCE);
}

void render_pause(const struct render *render, struct render_commands *ret)
{
    if (!render->plan.wait.is_real)
        render_do(ret, RENDER_DO_PAUSE);
}
