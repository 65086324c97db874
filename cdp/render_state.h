/* render_state.h: what the files of the render machine share, and nobody else. */
#ifndef CDP_RENDER_STATE_H
#define CDP_RENDER_STATE_H

#include "cdp/deadline.h"
#include "cdp/render.h"

/* Virtual time of one grant. A single large grant can be used up before a deferred script
 * has even started. */
#define RENDER_SLICE_VIRTUAL_MS 500

/* Slices granted at once before the load event; further ones follow in real time, so
 * that a document that never loads does not send its clock into the far future. */
#define RENDER_SLICES_FREE_MAX 20

/* A frame is awaited only while the page's clock is this far ahead of the real one. */
#define RENDER_AHEAD_MIN_MS 50.0

/* Slices granted at once to a page that is held; further ones follow in real time. */
#define RENDER_SLICES_HELD_MAX 20

/* Slices granted to a transition before it is thought to wait for a frame. */
#define RENDER_SLICES_FRAMELESS 3

/* Looks that judge a standing clock are this far apart. */
#define RENDER_STANDSTILL_LOOK_MS 150

/* A page whose tasks took less than this share of that time waits for something; what for is
 * looked at when so many looks in a row have shown that. */
#define RENDER_WAITING_TASK_SHARE 4
#define RENDER_WAITING_LOOKS 2

/* Frames awaited for one document: a bound for endless animations. The larger one is for
 * pages whose work goes on in real time: workers, and requests that no longer count. */
#define RENDER_FRAMES_MAX 12
#define RENDER_FRAMES_PATIENT_MAX 60

/* Looks in a row that must bring nothing new before such a page counts as settled. */
#define RENDER_QUIET_LOOKS_PATIENT 6

/* A frame that we ask for takes 4 to 17 us of script time; what moves a page takes more. */
#define RENDER_SCRIPT_NOISE_US 25.0

/* Documents followed before the capture, the first included. */
#define RENDER_DOCUMENTS_MAX 3

/* How long the error page of a host that was not found is waited for. */
#define RENDER_UNRESOLVED_MS 500

/* Page.navigate per render: the first, a retry, one from about:blank. */
#define RENDER_NAVIGATIONS_MAX 4

/* A capture that failed because its document went away is asked for again. */
#define RENDER_CAPTURES_FAILED_MAX 5
#define RENDER_CAPTURE_RETRY_MS 20

/* An image that does not come within this is asked for again, and then given this once more. */
#define RENDER_REPAINT_MS 1000

/* A script that does not let us capture is ended again and again: a timer restarts it. */
#define RENDER_TERMINATE_FIRST_MS 250
#define RENDER_TERMINATE_AGAIN_MS 60

/* What is injected before the capture has this much time for each of its scripts. */
#define RENDER_INJECT_MS 1000

/* How long the clock may stand still for requests that nobody waits for: long enough for
 * the start of another one to be told. */
#define RENDER_CALM_MS 100

/* Conditions are looked at that often under the real clock. */
#define RENDER_REAL_CHECK_MS 50

/* When nothing is to be captured, the last look is taken so long before the end. */
#define RENDER_PROBE_MS 200

/* The verdict comes this much before the request's deadline, to be sent in time. */
#define RENDER_MARGIN_MS 30

void render_set_state(struct render *, uint64_t now_ms, enum render_state);
void render_do(struct render_commands *, enum render_command_type);
void render_do_output(struct render_commands *, enum output);
void render_do_virtual(struct render_commands *, enum render_command_type, uint32_t virtual_ms);
void render_finish(struct render *, uint64_t now_ms, enum render_outcome, enum render_code,
                   struct render_commands *);
void render_fail_net(struct render *, uint64_t now_ms, const char *net_error,
                     struct render_commands *);

/* render_clock.c */
/* Sends a look. */
void render_do_look(struct render *, uint64_t now_ms, struct render_commands *);
/* It has been answered. The page tells in the order in which things happen to it, so what
 * expired before the answer came was over when the look was taken. */
void render_looked(struct render *);
/* Grants a slice, regardless of fetches when the render is stuck. */
void render_grant(struct render *, uint64_t now_ms, uint32_t virtual_ms, struct render_commands *);
/* Has what is granted go on regardless of fetches, when a grant would. A further grant would
 * come in addition: each ends with an event of its own. */
void render_advance(const struct render *, struct render_commands *);
/* Takes back what is granted; under the real clock there is nothing. */
void render_pause(const struct render *, struct render_commands *);

/* render_late.c */
/* When to look for the last time, if nothing will be captured; UINT64_MAX: not. */
uint64_t late_probe_ms(const struct render *);
/* The time is up, in the state the render is in. */
void late_note(struct render *, uint64_t now_ms);
/* Looks at the page for the last time, for the record. */
void late_probe(struct render *, uint64_t now_ms, struct render_commands *);
void late_verdict(const struct render *, struct render_late_result *ret);

/* render_load.c */
void load_enter(struct render *, uint64_t now_ms, uint64_t loader, enum render_kind,
                struct render_commands *);
void load_fact(struct render *, uint64_t now_ms, const struct render_fact *,
               struct render_commands *);
uint64_t load_deadline_ms(const struct render *);
/* Another document has committed, in any state after NAVIGATING. */
void load_follow(struct render *, uint64_t now_ms, const struct render_fact *,
                 struct render_commands *);

/* render_settle.c */
void settle_enter(struct render *, uint64_t now_ms, struct render_commands *);
/* Goes on when what is out allows it. */
void settle_next(struct render *, uint64_t now_ms, struct render_commands *);
void settle_fact(struct render *, uint64_t now_ms, const struct render_fact *,
                 struct render_commands *);
uint64_t settle_deadline_ms(const struct render *);

/* render_budget.c */
/* RENDER_FACT_SPENT, in any state but DONE. */
void budget_spent(struct render *, uint64_t now_ms, struct render_commands *);

/* render_quiet.c */
/* Nothing that is waited for is pending, but something else is. */
bool quiet_is_calm(const struct render *);
/* The page must not be captured yet, for the traffic; `clock_ms` is the page's clock. */
bool quiet_is_held(const struct render *, double clock_ms);
/* RENDER_FACT_TRAFFIC, in any state. */
void quiet_traffic(struct render *, uint64_t now_ms, const struct render_fact *);
/* Virtual time is that now, by a look. */
void quiet_looked(struct render *, double virtual_ms);

/* render_real.c: settling under the real clock. */
void real_enter(struct render *, uint64_t now_ms, struct render_commands *);
void real_fact(struct render *, uint64_t now_ms, const struct render_fact *,
               struct render_commands *);
uint64_t real_deadline_ms(const struct render *);

/* render_wait.c */
/* Something beside the milestone is waited for. */
bool wait_is_asked(const struct render *);
/* There is something to check. */
bool wait_has_checks(const struct render *);
/* Sends a check, if there is anything to check and none is out. */
void wait_do_check(struct render *, struct render_commands *);
/* Settling begins at that time of the page's clock. */
void wait_begin(struct render *, double virtual_ms);
/* RENDER_FACT_CHECKED, at that time of the page's clock. */
void wait_checked(struct render *, double virtual_ms, const struct render_fact *);
/* The page must not be captured yet. */
bool wait_is_held(const struct render *);
/* Why the page is captured now. */
enum render_reason wait_reason(const struct render *, bool is_partial);

/* render_transit.c */
bool transit_is_one(const struct render *);
void transit_start(struct render *, uint64_t now_ms, struct render_commands *);
void transit_fact(struct render *, uint64_t now_ms, const struct render_fact *,
                  struct render_commands *);

/* render_capture.c */
void capture_enter(struct render *, uint64_t now_ms, bool is_partial, struct render_commands *);
void capture_fact(struct render *, uint64_t now_ms, const struct render_fact *,
                  struct render_commands *);
/* The document is captured as a partial one now, and the expression not waited for. */
void capture_cut(struct render *, uint64_t now_ms, struct render_commands *);
/* The end of all time. */
void capture_time_out(struct render *, uint64_t now_ms, struct render_commands *);
uint64_t capture_deadline_ms(const struct render *);

#endif
