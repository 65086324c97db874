/* render_quiet.c: waiting for a quiet network; see render.h.
 *
 * The network is quiet while no more requests are active than may be. Since when, is told
 * by the page's clock: the real one at once, the virtual one by the next look, which comes
 * later, so that the quiet is never shorter than asked for. */
#include <assert.h>

#include "cdp/render_state.h"

static bool is_calm(const struct render *render)
{
    return render->active <= render->plan.wait.quiet.connections;
}

bool quiet_is_calm(const struct render *render)
{
    return render->plan.wait.quiet.is_awaited && is_calm(render) && render->pending > 0;
}

/* Under `auto` the page's own word, or the caller's condition, makes up for it. */
bool quiet_is_held(const struct render *render, double clock_ms)
{
    const struct render_quiet *quiet = &render->plan.wait.quiet;
    bool is_ended = render->is_hastened || render->flag == RENDER_FLAG_TRUE;

    if (!quiet->is_awaited || (render->plan.until == WAIT_AUTO && is_ended))
        return false;
    return !render->is_quiet || clock_ms < render->quiet_since_ms + quiet->quiet_ms;
}

static void begin(struct render *render, double clock_ms)
{
    if (render->is_quiet || !is_calm(render))
        return;
    render->is_quiet = true;
    render->quiet_since_ms = clock_ms;
}

void quiet_traffic(struct render *render, uint64_t now_ms, const struct render_fact *fact)
{
    assert(fact->active <= fact->pending);
    render->active = fact->active;
    render->pending = fact->pending;
    if (!is_calm(render))
        render->is_quiet = false;
    else if (render->plan.wait.is_real)
        begin(render, (double)now_ms);
}

void quiet_looked(struct render *render, double virtual_ms)
{
    begin(render, virtual_ms);
}
