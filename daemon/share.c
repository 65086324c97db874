/* share.c: one render for several requests; see share.h. */
#include "daemon/share.h"

#include <assert.h>
#include <stdlib.h>

bool share_join(struct requests *requests, struct request *request)
{
    struct request *leader = NULL;
    size_t bytes;
    assert(request->state == REQUEST_WAITING && request->canon == NULL);
    if (!request->http.params.dedupe)
        return false;
    char *canon = render_params_canonical(&request->http.params, &bytes);
    if (canon == NULL)
        return false;
    HASH_FIND(leader_hh, requests->leaders, canon, bytes, leader);
    if (leader == NULL) {
        request->canon = canon;
        request->canon_bytes = bytes;
        HASH_ADD_KEYPTR(leader_hh, requests->leaders, request->canon, bytes, request);
        return false;
    }
    free(canon);
    request->state = REQUEST_FOLLOWING;
    request->leader = leader;
    TAILQ_INSERT_TAIL(&leader->followers, request, follower_entry);
    requests_add(requests, request);
    return true;
}

struct request *share_leave(struct requests *requests, struct request *request)
{
    if (request->state == REQUEST_FOLLOWING) {
        struct request *leader = request->leader;
        requests_remove(requests, request);
        bool unwanted = leader->is_left && TAILQ_EMPTY(&leader->followers);
        return unwanted ? leader : NULL;
    }
    if (TAILQ_EMPTY(&request->followers))
        return request;
    request->is_left = true;
    return NULL;
}

void share_end(struct requests *requests, struct request *leader)
{
    assert(leader->state != REQUEST_FOLLOWING);
    if (leader->canon != NULL) {
        HASH_DELETE(leader_hh, requests->leaders, leader);
        free(leader->canon);
        leader->canon = NULL;
    }
    while (!TAILQ_EMPTY(&leader->followers))
        requests_remove(requests, TAILQ_FIRST(&leader->followers));
}
