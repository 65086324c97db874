/* heartbeat.h: what this daemon tells its fleet manager. One connection, one message at a
 * time; courier.h has which one and when. A message that fails is counted and forgotten:
 * the next heartbeat carries the full state. */
#ifndef DAEMON_HEARTBEAT_H
#define DAEMON_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/courier.h"
#include "daemon/host_shell.h"
#include "http/client.h"

struct daemon;
struct pool_action;

struct heartbeat {
    struct http_client *client; /* NULL: no manager is configured. */
    struct courier courier;
    uint64_t sent, failed, notices_sent;
    struct host_shell shell;
};

/* False, with a sentence in the log, when there is a manager that cannot be talked to. */
bool heartbeat_open(struct daemon *);
/* True when a heartbeat is to be sent now. It has a turn to itself, see turn.c. */
bool heartbeat_is_due(const struct daemon *);
/* Only when it is due. */
void heartbeat_send(struct daemon *);
/* Takes what the manager has answered, and sends the other messages. */
void heartbeat_turn(struct daemon *);
uint64_t heartbeat_deadline_ms(const struct daemon *);
/* POOL_STARTED and POOL_ENDED of an affinity that a client named. */
void heartbeat_note_edge(struct daemon *, const struct pool_action *);
/* The daemon drains: tell at once. */
void heartbeat_drain(struct daemon *);
/* The listeners are closed: what was begun is finished, then the manager is told that this
 * daemon is gone. Bounded by the timeouts of two messages. */
void heartbeat_unregister(struct daemon *);
/* True when nothing more is to be sent. */
bool heartbeat_is_over(const struct daemon *);
void heartbeat_close(struct daemon *);
bool heartbeat_is_closed(const struct daemon *);
void heartbeat_free(struct daemon *);

#endif
