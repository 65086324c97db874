/* requests.c: the table of render requests, and the context key each one gets. */
#include "daemon/requests.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/keys.h"
#include "daemon/share.h"

struct request *request_new(uint64_t id, struct http_request *http)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->id = id;
    request->state = REQUEST_WAITING;
    TAILQ_INIT(&request->followers);
    request->http = *http;
    http->params.url = NULL;
    http->params.affinity = NULL;
    http->params.base = NULL;
    const struct render_params *params = &request->http.params;
    request->key_bytes = key_of_request(id, params, request->key);
    request->site = key_site(render_params_url(params));
    request->clear_storage = request->key[0] == KEY_ORIGIN;
    return request;
}

void request_free(struct request *request)
{
    if (request == NULL)
        return;
    render_params_free(&request->http.params);
    free(request);
}

void requests_add(struct requests *requests, struct request *request)
{
    assert(requests_find(requests, request->id) == NULL);
    HASH_ADD(hh, requests->by_id, id, sizeof request->id, request);
}

struct request *requests_find(const struct requests *requests, uint64_t id)
{
    struct request *found = NULL;
    HASH_FIND(hh, requests->by_id, &id, sizeof id, found);
    return found;
}

/* Linear: only for the rare events that name a page and no request (a crash). */
struct request *requests_find_page(const struct requests *requests, uint64_t page)
{
    struct request *request, *next;
    HASH_ITER(hh, requests->by_id, request, next)
    {
        if (request->state != REQUEST_WAITING && request->page == page)
            return request;
    }
    return NULL;
}

void requests_remove(struct requests *requests, struct request *request)
{
    if (request->state == REQUEST_FOLLOWING)
        TAILQ_REMOVE(&request->leader->followers, request, follower_entry);
    else
        share_end(requests, request);
    HASH_DELETE(hh, requests->by_id, request);
    request_free(request);
}
