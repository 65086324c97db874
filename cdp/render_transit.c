/* render_transit.c: a document that is shown is brought to what is asked for by a script.
 *
 * While the script runs the page is held, as by a condition that does not hold: its clock
 * goes on, so what the script awaits may use timers and fetches. Then the conditions hold
 * it, and when there are none it settles. A script may also navigate: then the new document
 * is loaded, and waited for in the same way. */
#include <assert.h>

#include "cdp/render_state.h"

bool transit_is_one(const struct render *render)
{
    return render->plan.shown_loader != 0;
}

void transit_start(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    assert(transit_is_one(render));
    assert(render->plan.on_timeout == ON_TIMEOUT_ERROR);
    render->loader = render->last_loader = render->plan.shown_loader;
    render->kind = RENDER_KIND_HTML;
    render->documents = 1;
    render->is_loaded = render->is_transiting = true;
    render->progress_ms = render->granted_ms = now_ms;
    if ((render->plan.outputs & OUTPUT_IMAGES) != 0)
        render_do(ret, RENDER_DO_PREPARE); /* A value needs no hold of the document. */
    render_do(ret, RENDER_DO_TRANSIT);
    settle_enter(render, now_ms, ret);
}

void transit_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                  struct render_commands *ret)
{
    assert(render->is_transiting);
    assert(fact->ok == (fact->code == RENDER_OK));
    render->is_transiting = false;
    if (!fact->ok) {
        render_finish(render, now_ms, RENDER_FAILED, fact->code, ret);
        return;
    }
    wait_do_check(render, ret);
    settle_next(render, now_ms, ret);
}
