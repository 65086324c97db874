/* action.c: the list of what the caller has to do. */
#include "pool/parts.h"

#include <string.h>

struct pool_action *pool_emit(struct pool *pool, enum pool_action_type type)
{
    assert(pool->actions_count < pool->actions_max);
    struct pool_action *action = &pool->actions[pool->actions_count++];
    memset(action, 0, sizeof *action);
    action->type = type;
    return action;
}

void pool_emit_request(struct pool *pool, enum pool_action_type type, const struct request *request,
                       enum pool_reason reason)
{
    struct pool_action *action = pool_emit(pool, type);
    action->request = request->node.id;
    action->reason = reason;
    if (request->page != NULL) {
        action->page = request->page->node.id;
        action->life = request->page->life->id;
    }
}
