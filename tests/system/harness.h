/* harness.h: one daemon under test, from its start to its end.
 *
 * A harness owns a private directory (profiles, log, sockets) and at most one running
 * daemon. Whatever goes wrong, demand() ends the test program, and the guard then ends the
 * daemon and its browsers and removes the directory. The daemon is the file named by
 * TEST_PRERENDERD, else the one beside the test programs. */
#ifndef TESTS_SYSTEM_HARNESS_H
#define TESTS_SYSTEM_HARNESS_H

#include <check.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "tests/suite.h"
#include "tests/system/client.h"
#include "tests/system/guard.h"

/* How long a daemon may take to become ready, and to end: a sanitized one on a busy
 * machine is slow. */
#define START_TIMEOUT_MS 60000
#define STOP_TIMEOUT_MS 30000
/* How long something that happens "at once" may take before a test gives up on it. */
#define SOON_MS 10000

/* Ends the test program with that sentence unless `holds`. */
void demand(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

uint64_t clock_ns(void); /* Monotonic. */
uint64_t clock_ms(void);
/* Waits until holds(context), looking often at first, then every 40 ms. False when the time
 * was up. */
typedef bool until_holds(void *context);
bool until(until_holds *, void *context, uint64_t timeout_ms);

struct launch {
    const char *const *knobs;       /* "--pool.pages_max=3", NULL at the end; may be NULL. */
    const char *const *environment; /* "NAME=value" besides the inherited ones; may be NULL. */
    const char *const *wrapper;     /* A command that starts the daemon; may be NULL. */
    bool no_listen;                 /* Without --http.listen=127.0.0.1:0. */
};

struct harness {
    struct guard guard;
    char directory[128];
    char profiles[160]; /* browser.profile_root */
    char log[160];      /* What the daemon printed, of all its runs. */
    char address[256];  /* "http://127.0.0.1:PORT" of the running daemon, or set by the test. */
    pid_t pid;          /* 0: none runs. */
    off_t log_start;    /* Where the output of this run begins. */
};

/* The path of `name` in the nearest folder above the test program that has it. */
void harness_find_above(const char *name, char ret[PATH_MAX]);

struct harness *harness_new(void);
/* Stops the daemon if one runs (it must end in order) and removes the directory. */
void harness_free(struct harness *);

/* Starts the daemon and returns at once. */
void harness_launch(struct harness *, const struct launch *);
/* Starts it, finds its address, and waits until /readyz is 200. */
void harness_start(struct harness *, const char *const *knobs);
/* Finds the address in the daemon's output and waits until it is ready. */
void harness_wait_ready(struct harness *);
/* Finds the address if it is not known yet. */
bool harness_is_ready(struct harness *);
/* Waits for the end of the daemon; its wait status, see waitpid(2). */
int harness_wait_exit(struct harness *, uint64_t timeout_ms);
/* SIGTERM, and demands an exit with status 0 and nothing left behind. */
void harness_stop(struct harness *);
/* SIGKILL, and reaps it. */
void harness_kill(struct harness *);

/* What the daemon printed since harness_launch(); the caller frees it. */
char *harness_output(const struct harness *);
bool harness_output_contains(const struct harness *, const char *text);
/* Waits until the output of this run contains `text`. */
bool harness_wait_output(const struct harness *, const char *text, uint64_t timeout_ms);
/* Directories below the profile root. */
size_t harness_profiles_count(const struct harness *);
/* A command line that names the profile root, of the daemon or of a browser. */
bool harness_has_process(const struct harness *);

/* What GET /affinities says. */
struct pool_view {
    pid_t browser; /* 0: none. */
    int64_t cap, waiting, running;
    int64_t idle, standby, leased, opening, closing; /* Pages by state. */
    int64_t affinities;                              /* Listed ones. */
};
void harness_view(const struct harness *, struct pool_view *ret);
/* GET of a JSON document with status 200; the caller decrefs it. */
json_t *harness_get_json(const struct harness *, const char *path);
/* The status of a bodyless request. */
long harness_status(const struct harness *, const char *method, const char *path);
/* Waits until that many requests run and wait. */
bool harness_wait_load(const struct harness *, int64_t running, int64_t waiting);
/* Waits until nothing runs, waits, opens or closes. */
bool harness_wait_quiet(const struct harness *);
/* The websocket URL of the running browser, from its profile directory. */
bool harness_browser_url(const struct harness *, char *ret, size_t ret_bytes);

/* Adds one test as a case of its own name, so that CK_RUN_CASE can pick it. */
void suite_add(Suite *, const TTest *, int timeout_s);

#endif
