/* tap.h: a proxy between a daemon and a browser that records their websocket messages.
 *
 * It listens on a port of its own, passes every byte on unchanged, and reads the frames
 * (RFC 6455) that pass. It runs in a thread. */
#ifndef BENCH_TAP_H
#define BENCH_TAP_H

#include "bench/tape.h"

#define TAP_URL_BYTES 256

struct tap;

/* `url` is the browser's; the one to connect to instead is written to `ret_url`. */
struct tap *tap_start(const char *url, char ret_url[TAP_URL_BYTES]);
/* When the latest message passed, on the clock of clock_ns(). */
uint64_t tap_latest_ns(struct tap *);
/* Ends the thread and hands over what was recorded; the caller frees the tape. */
void tap_stop(struct tap *, struct tape *ret);

#endif
