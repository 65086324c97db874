/* ticket.c: a ticket says that a request already waits for a certain slot.
 *
 * It reserves nothing: whoever ranks first takes what becomes free. It keeps its holder
 * from asking for another slot, and others from counting on the same one. */
#include "pool/parts.h"

enum ticket_kind pool_ticket_kind(const struct request *request)
{
    const struct page *page = request->ticket;
    if (page == NULL)
        return TICKET_NONE;
    if (page->state == PAGE_CLOSING)
        return TICKET_CLOSING;
    assert(page->state == PAGE_OPENING);
    return page->affinity == NULL ? TICKET_OPENING : TICKET_OWN;
}

void pool_ticket_give(struct pool *pool, struct request *request, struct page *page)
{
    assert(request->state == REQUEST_WAITING && request->ticket == NULL);
    assert(page->ticket == NULL && page->life == pool->serving);
    pool_affinity_touch(pool, request->affinity);
    pool_wait_settle(pool, request);
    pool_line_remove(pool, request);
    request->ticket = page;
    page->ticket = request;
    enum ticket_kind kind = pool_ticket_kind(request);
    if (kind == TICKET_CLOSING) {
        TAILQ_REMOVE(&page->life->closings, page, queue);
    } else if (kind == TICKET_OPENING) {
        TAILQ_REMOVE(&page->life->openings, page, queue);
        page->life->standby_openings--;
    }
    if (kind != TICKET_OWN)
        request->affinity->tickets[request->lane]++;
    pool->tickets++;
    pool_turn_add(pool, request);
    pool_line_add(request);
}

void pool_ticket_revoke(struct pool *pool, struct request *request)
{
    struct page *page = request->ticket;
    assert(request->state == REQUEST_WAITING && page != NULL && page->ticket == request);
    pool_affinity_touch(pool, request->affinity);
    pool_wait_settle(pool, request);
    pool_line_remove(pool, request);
    enum ticket_kind kind = pool_ticket_kind(request);
    if (kind == TICKET_CLOSING) {
        TAILQ_INSERT_TAIL(&page->life->closings, page, queue);
    } else if (kind == TICKET_OPENING) {
        TAILQ_INSERT_TAIL(&page->life->openings, page, queue);
        page->life->standby_openings++;
    }
    if (kind != TICKET_OWN)
        request->affinity->tickets[request->lane]--;
    pool->tickets--;
    pool_turn_remove(pool, request);
    request->ticket = NULL;
    page->ticket = NULL;
    pool_line_add(request);
}
