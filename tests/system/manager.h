/* manager.h: a fleet manager for tests, written from the rules of its protocol: registry,
 * staleness, assignments, routing by vacancy, pruning, proxying. A process of its own.
 *
 *   POST /prerender-servers                   heartbeat
 *   DELETE /prerender-servers?url=            unregister
 *   DELETE /prerender-servers/affinities/KEY  notice: the affinity ended on ?url=
 *   POST /host-shell {"hash"}                 the token told with answers to heartbeats
 *   POST /behave {"delayMs", "status"}        how the first three are answered from now on
 *   GET /state    {"servers", "messages", "proxied", "pruned"}
 *   POST /release-batch                       handed to every server that held the affinity
 *                                             since the last one; 204
 *   any other POST is routed by its affinity and proxied, to another server when one has
 *                                             refused or failed; 503 when none is left, 502 for
 *                                             a command that may have run unanswered */
#ifndef TESTS_SYSTEM_MANAGER_H
#define TESTS_SYSTEM_MANAGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct manager {
    pid_t pid; /* 0: killed. */
    uint16_t port;
    char address[64];
};

/* Starts on a port of its own. Ends with the test program at the latest. */
void manager_start(struct manager *);
void manager_kill(struct manager *);
/* On the same port, knowing nothing. */
void manager_restart(struct manager *);
/* The document of GET /state; the caller decrefs it. */
json_t *manager_state(const struct manager *);
/* POST of that JSON; the status. */
long manager_post(const struct manager *, const char *path, const char *json);
/* Messages of that type ("heartbeat", "unregister", "notice", "release") from that server; NULL:
 * from any. The last one into *ret_last unless NULL; the caller decrefs it. */
size_t manager_count(const struct manager *, const char *type, const char *url, json_t **ret_last);

#endif
