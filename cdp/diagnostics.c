/* diagnostics.c: see diagnostics.h. */
#include "cdp/diagnostics.h"

#include <stdlib.h>
#include <string.h>
#include "cdp/cdp_state.h"

struct diagnostics *diagnostics_new(void)
{
    return cdp_alloc(sizeof(struct diagnostics));
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    if (diagnostics == NULL)
        return;
    free(diagnostics->messages);
    free(diagnostics->exceptions);
    free(diagnostics);
}

/* Pages that say nothing are the rule: these lists come with their first item. */
struct diagnostics_message *diagnostics_add_message(struct diagnostics *diagnostics)
{
    if (diagnostics->messages == NULL)
        diagnostics->messages = cdp_alloc(DIAGNOSTICS_MESSAGES_MAX * sizeof *diagnostics->messages);
    if (diagnostics->messages_count == DIAGNOSTICS_MESSAGES_MAX)
        return NULL;
    return &diagnostics->messages[diagnostics->messages_count++];
}

struct diagnostics_exception *diagnostics_add_exception(struct diagnostics *diagnostics)
{
    if (diagnostics->exceptions == NULL)
        diagnostics->exceptions =
            cdp_alloc(DIAGNOSTICS_EXCEPTIONS_MAX * sizeof *diagnostics->exceptions);
    if (diagnostics->exceptions_count == DIAGNOSTICS_EXCEPTIONS_MAX)
        return NULL;
    return &diagnostics->exceptions[diagnostics->exceptions_count++];
}

struct diagnostics_request *diagnostics_add_pending(struct diagnostics *diagnostics)
{
    if (diagnostics->pending_count == DIAGNOSTICS_PENDING_MAX)
        return NULL;
    return &diagnostics->pending[diagnostics->pending_count++];
}

struct diagnostics_redirect *diagnostics_add_redirect(struct diagnostics *diagnostics)
{
    if (diagnostics->redirects_count == DIAGNOSTICS_REDIRECTS_MAX)
        return NULL;
    return &diagnostics->redirects[diagnostics->redirects_count++];
}

void diagnostics_revoke(struct diagnostics *diagnostics, uint64_t exception)
{
    for (size_t i = 0; i < diagnostics->exceptions_count; i++) {
        if (diagnostics->exceptions[i].id == exception)
            diagnostics->exceptions[i].is_revoked = true;
    }
}

const struct diagnostics_exception *diagnostics_uncaught(const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->exceptions_count; i++) {
        if (!diagnostics->exceptions[i].is_revoked)
            return &diagnostics->exceptions[i];
    }
    return NULL;
}
