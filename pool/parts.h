/* parts.h: what the files of pool/ offer each other. Private to pool/.
 *
 * Grouped by the file that defines it. A part changes a record of another part only
 * through the functions here. */
#ifndef POOL_PARTS_H
#define POOL_PARTS_H

#include "pool/state.h"

/* memory.c */
void *pool_arena_take(struct arena *);
void pool_arena_return(struct arena *, void *record);
void *pool_id_find(const struct id_table *, uint64_t id);
void pool_id_insert(struct id_table *, struct id_node *);
void pool_id_remove(struct id_table *, struct id_node *);

/* deadline.c */
/* Sets or moves the timer. */
void pool_timer_set(struct pool *, struct timer *, enum timer_kind, uint64_t due_ms);
void pool_timer_clear(struct pool *, struct timer *);
uint64_t pool_timer_after(const struct pool *, uint32_t delay_ms);
/* Handles what is due, up to STEP_BATCH_MAX timers. */
void pool_deadlines_run(struct pool *);

/* action.c */
struct pool_action *pool_emit(struct pool *, enum pool_action_type);
void pool_emit_request(struct pool *, enum pool_action_type, const struct request *,
                       enum pool_reason);

/* page.c */
void pool_page_set_state(struct pool *, struct page *, enum page_state);
/* Opens a page in the orphan, or in a new context when that is NULL. */
struct page *pool_page_open(struct pool *, struct context *orphan);
void pool_page_bind(struct pool *, struct page *, struct affinity *, uint64_t fingerprint);
/* Ends the page. Its context may stay if `retain` and the rules agree. */
void pool_page_close(struct pool *, struct page *, bool retain);
/* Frees the record and its slot; the context is gone too unless it was detached. */
void pool_page_gone(struct pool *, struct page *);
/* Ends the page at once in the books of its affinity; its lease goes on. */
void pool_page_doom(struct pool *, struct page *);
void pool_page_released(struct pool *, struct page *);
void pool_page_opened(struct pool *, struct page *);
void pool_page_open_failed(struct pool *, struct page *, bool transient);
void pool_page_closed(struct pool *, struct page *);
void pool_page_crashed(struct pool *, struct page *);
void pool_page_late(struct pool *, struct page *);

/* context.c */
void pool_context_set_state(struct pool *, struct context *, enum context_state);
struct context *pool_context_new(struct pool *, struct life *);
/* The affinity counts it as leaving until it is gone, a zombie, or an orphan. */
void pool_context_leave(struct pool *, struct context *);
bool pool_context_may_stay(const struct pool *, const struct page *);
/* The page is gone, its context stays: as the orphan, if there is room. */
void pool_context_keep(struct pool *, struct page *);
/* The page is gone; its slot now stands for the close of its context. */
void pool_context_dispose_in_slot(struct pool *, struct page *);
void pool_context_dispose_orphan(struct pool *, struct context *);
void pool_context_gone(struct pool *, struct context *);
void pool_context_reported_gone(struct pool *, struct context *);
void pool_context_late(struct pool *, struct context *);

/* affinity.c */
struct affinity *pool_affinity_find(const struct pool *, const char *key, size_t key_bytes);
struct affinity *pool_affinity_get(struct pool *, const struct pool_request *);
void pool_affinity_touch(struct pool *, struct affinity *);
uint32_t pool_affinity_routable(const struct affinity *);
bool pool_affinity_in_use(const struct affinity *);
uint32_t pool_affinity_tickets(const struct affinity *);
/* Pages and tickets that count towards its page limit. */
uint32_t pool_affinity_charge(const struct affinity *);
/* Counts a page into or out of its affinity, by its state. */
void pool_affinity_count(struct pool *, struct page *, int sign);
void pool_affinity_epoch_end(struct pool *, struct affinity *);
uint64_t pool_affinity_batch(const struct pool *, const struct affinity *);
/* Publishes the edges of the step and forgets affinities with nothing left. */
void pool_affinities_publish(struct pool *);

/* dispose.c */
void pool_affinity_dispose(struct pool *, struct affinity *, enum pool_strength);
void pool_dispose_requested(struct pool *, const struct pool_event *);
void pool_dispose_left(struct pool *, struct affinity *, const struct context *);
void pool_batch_released(struct pool *, const struct pool_event *);
void pool_affinities_expire(struct pool *);
uint64_t pool_affinities_expire_ms(const struct pool *);

/* request.c */
void pool_request_arrived(struct pool *, const struct pool_request *);
void pool_request_cancelled(struct pool *, struct request *);
void pool_request_late(struct pool *, struct request *);
/* Its page answered the probe, or needed none. */
void pool_request_grant(struct pool *, struct request *, struct page *);
void pool_request_probe(struct pool *, struct request *, struct page *);
/* A probe has concluded nothing, or against the page: back to its rank. */
void pool_request_return(struct pool *, struct request *);
/* Its page or browser is gone: back to its rank once per cause, or failed. */
void pool_request_fault(struct pool *, struct request *, enum pool_reason);
void pool_request_end(struct pool *, struct request *, enum request_state);
void pool_request_refuse(struct pool *, struct request *, enum pool_reason);
/* The pool ends the render itself: no lease waits for a report that may never come. */
void pool_render_end(struct pool *, struct request *, enum pool_reason);
void pool_render_done(struct pool *, const struct pool_event *);
uint32_t pool_retry_after_ms(const struct pool *);

/* wait.c */
void pool_wait_begin(struct pool *, struct request *);
void pool_wait_settle(struct pool *, struct request *);
uint64_t pool_admission_clock_ms(const struct pool *, const struct affinity *);

/* ticket.c */
enum ticket_kind pool_ticket_kind(const struct request *);
void pool_ticket_give(struct pool *, struct request *, struct page *);
void pool_ticket_revoke(struct pool *, struct request *);

/* turn.c */
void pool_turn_add(struct pool *, struct request *);
void pool_turn_remove(struct pool *, struct request *);
void pool_turns_settle(struct pool *, struct affinity *);
/* A permit would be left for it after all that rank before it. */
bool pool_has_turn(const struct pool *, const struct request *);

/* line.c */
bool pool_rank_before(const struct rank *, const struct rank *);
void pool_line_add(struct request *);
void pool_line_remove(struct pool *, struct request *);
/* The best ranked waiting request of that affinity and lane; NULL: none waits. */
struct request *pool_line_first(const struct affinity *, enum pool_lane);
struct rank pool_request_place(const struct request *);
/* Puts touched affinities back into the fronts and victim trees. */
void pool_lines_settle(struct pool *);
struct request *pool_front_head(const struct pool *, enum front, unsigned line);

/* permit.c */
uint32_t pool_running_in(const struct pool *, enum pool_lane);
uint32_t pool_main_bound(const struct pool *);
bool pool_gate_is_open(const struct pool *, enum pool_lane);
bool pool_affinity_gate_is_open(const struct pool *, const struct affinity *, enum pool_lane);
bool pool_below_page_limit(const struct pool *, const struct affinity *, enum pool_lane,
                           enum ticket_kind);
bool pool_can_grow(const struct pool *, enum tier);
bool pool_supply_is_on(const struct pool *);
uint32_t pool_slots_free(const struct pool *, const struct life *);
void pool_cap_set(struct pool *, uint32_t cap);

/* match.c */
void pool_match(struct pool *);
struct page *pool_victim_choose(const struct pool *, bool without_waiters);

/* refill.c */
/* True when something changed that pool_match() must see. */
bool pool_refill(struct pool *);
void pool_contraction_watch(struct pool *);
void pool_contraction_due(struct pool *);

/* life.c */
void pool_lives_keep(struct pool *);
void pool_life_up(struct pool *, uint64_t id);
void pool_life_down(struct pool *, uint64_t id);
void pool_life_recycle(struct pool *);
void pool_life_late(struct pool *, struct life *);
void pool_rearm_after_failure(struct pool *, struct life *, bool transient);

/* check_queue.c */
void pool_check_queue(const struct pool *);

/* drain.c */
void pool_drain_begin(struct pool *, uint64_t deadline_ms);
void pool_drain_refuse(struct pool *);
void pool_drain_grace_over(struct pool *);

#endif
