/* origin_routes.h: between the origin server and its routes; private to them. */
#ifndef TESTS_SYSTEM_ORIGIN_ROUTES_H
#define TESTS_SYSTEM_ORIGIN_ROUTES_H

#include <microhttpd.h>
#include <stdbool.h>
#include "tests/system/origin.h"

/* Answers a request; in the thread of its connection. */
enum MHD_Result origin_answer(void *origin, struct MHD_Connection *, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **own);
/* Blocks this connection's thread for that long, or until the origin stops. */
void origin_hold(struct origin *, uint64_t ms);
/* Blocks it until the test opens the gate, or the origin stops. */
void origin_pass_gate(struct origin *, const char *name);
bool origin_is_gate_open(struct origin *, const char *name);
const char *origin_renderer(struct origin *);
/* The URL of a path, written to `ret`; in any thread. */
void origin_write_url(struct origin *, char *ret, size_t ret_bytes, const char *path);

#endif
