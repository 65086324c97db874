/* render_budget.c: a page that wants more of the network than it may have; see render.h.
 *
 * The budget is one of the render, not of a document: it is spent once and for all. With a
 * partial result the first document that is there is captured, and nothing is waited for; the
 * page is not used again, so what it still loads ends with it. */
#include <assert.h>

#include "cdp/render_state.h"

void budget_spent(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    if (render->is_spent)
        return;
    render->is_spent = true;
    if (render->plan.on_timeout == ON_TIMEOUT_ERROR) {
        render->reason = RENDER_BUDGET;
        render_finish(render, now_ms, RENDER_FAILED, RENDER_BUDGET_EXCEEDED, ret);
        return;
    }
    switch (render->state) {
    case RENDER_NAVIGATING:
        break; /* Nothing is there; the commit of a document will be its capture. */
    case RENDER_LOADING:
    case RENDER_SETTLING:
        capture_enter(render, now_ms, true, ret);
        break;
    case RENDER_CAPTURING:
        capture_cut(render, now_ms, ret);
        break;
    case RENDER_IDLE:
    case RENDER_DONE:
        assert(false);
        break;
    }
}
