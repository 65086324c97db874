/* keys.h: under which key of the pool a request's context lives.
 *
 * A key starts with one byte for its key space, so that a client's key can never name a
 * context that was made for something else. */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "config/params.h"

#define KEY_CLIENT 'a' /* An affinity key that a client gave. Reported to managers. */
#define KEY_ORIGIN 'o' /* The origin of the URL, shared by requests that carry nothing. */
#define KEY_FRESH 'f'  /* One request; its context is disposed afterwards. */

/* Writes the key into `key` and returns its length. */
size_t key_of_request(uint64_t id, const struct render_params *, char key[POOL_KEY_BYTES_MAX]);
/* Hash of scheme and host: what Chromium calls a site is coarser (it ends at the
 * registrable domain), so two hosts of one site count as two here, which costs at most a
 * renderer that could have been reused. Never 0. */
uint64_t key_site(const char *url);

#endif
