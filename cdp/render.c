/* render.c: start, navigation, state changes and verdict; see render.h. */
#include "cdp/render.h"

#include <assert.h>
#include <string.h>

#include "cdp/render_state.h"

static void navigate_fact(struct render *, uint64_t now_ms, const struct render_fact *,
                          struct render_commands *);
static void note_milestones(struct render *, uint64_t now_ms, const struct render_fact *);

/* The soft and the hard deadline of what is left of the budget. */
static void set_deadlines(struct render *render, uint64_t now_ms)
{
    const struct render_plan *plan = &render->plan;
    uint64_t budget_ms = plan->deadline_ms > now_ms ? plan->deadline_ms - now_ms : 0;
    uint64_t margin_ms = budget_ms / 4 < RENDER_MARGIN_MS ? budget_ms / 4 : RENDER_MARGIN_MS;
    uint64_t reserve_ms =
        plan->capture_reserve_ms < budget_ms / 2 ? plan->capture_reserve_ms : budget_ms / 2;

    render->hard_ms = now_ms + budget_ms - margin_ms;
    /* Without a partial result there is nothing to reserve time for. */
    render->soft_ms = render->hard_ms;
    if (plan->on_timeout == ON_TIMEOUT_PARTIAL && reserve_ms > margin_ms)
        render->soft_ms = now_ms + budget_ms - reserve_ms;
}

void render_start(struct render *render, uint64_t now_ms, const struct render_plan *plan,
                  struct render_commands *ret)
{
    memset(render, 0, sizeof *render);
    memset(ret, 0, sizeof *ret);
    assert(plan->until != WAIT_NETWORKIDLE || plan->wait.quiet.is_awaited);
    render->plan = *plan;
    render->started_ms = render->entered_ms = now_ms;
    set_deadlines(render, now_ms);
    if (transit_is_one(render)) {
        transit_start(render, now_ms, ret);
        return;
    }
    render_set_state(render, now_ms, RENDER_NAVIGATING);
    render->navigations = 1;
    render_do(ret, RENDER_DO_NAVIGATE);
}

void render_shorten(struct render *render, uint64_t now_ms, uint64_t deadline_ms)
{
    if (render->state == RENDER_DONE || deadline_ms >= render->plan.deadline_ms)
        return;
    render->plan.deadline_ms = deadline_ms;
    set_deadlines(render, now_ms);
}

/* The end of all time, and nothing could be captured or was to be. */
static void render_time_out(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    enum render_code code = render->terminations > 0 ? RENDER_UNRESPONSIVE : RENDER_TIMEOUT;

    late_note(render, now_ms);
    if (render->state == RENDER_CAPTURING) {
        capture_time_out(render, now_ms, ret);
        return;
    }
    render->reason = RENDER_DEADLINE;
    if (render->state == RENDER_SETTLING) {
        render->reason = wait_reason(render, true);
        if (render->reason == RENDER_CONDITION && !transit_is_one(render))
            code = RENDER_WAIT_UNMET;
    }
    render_finish(render, now_ms, RENDER_FAILED, code, ret);
}

void render_step(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                 struct render_commands *ret)
{
    assert(render->state != RENDER_IDLE);
    assert(now_ms >= render->entered_ms);
    memset(ret, 0, sizeof *ret);
    if (render->state == RENDER_DONE)
        return;
    if (now_ms >= render->hard_ms) {
        render_time_out(render, now_ms, ret);
        return;
    }
    note_milestones(render, now_ms, fact);
    if (now_ms >= late_probe_ms(render))
        late_probe(render, now_ms, ret);
    if (fact->type == RENDER_FACT_SPENT) {
        budget_spent(render, now_ms, ret);
        return;
    }
    switch (render->state) {
    case RENDER_NAVIGATING:
        navigate_fact(render, now_ms, fact, ret);
        break;
    case RENDER_LOADING:
        load_fact(render, now_ms, fact, ret);
        break;
    case RENDER_SETTLING:
        if (render->plan.wait.is_real)
            real_fact(render, now_ms, fact, ret);
        else
            settle_fact(render, now_ms, fact, ret);
        break;
    case RENDER_CAPTURING:
        capture_fact(render, now_ms, fact, ret);
        break;
    case RENDER_IDLE:
    case RENDER_DONE:
        assert(false);
        break;
    }
}

/* Notes what is noted in every state: milestones of the document, and navigations. */
static void note_milestones(struct render *render, uint64_t now_ms, const struct render_fact *fact)
{
    uint64_t since_ms = now_ms - render->started_ms;
    bool is_ours = fact->loader != 0 && fact->loader == render->loader;

    if (since_ms == 0)
        since_ms = 1;
    if (fact->type == RENDER_FACT_PARSED && is_ours && render->parsed_ms == 0)
        render->parsed_ms = since_ms;
    if (fact->type == RENDER_FACT_LOADED && is_ours && render->loaded_ms == 0) {
        render->loaded_ms = since_ms;
        render->load_virtual_ms = fact->virtual_ms;
    }
    if (fact->type == RENDER_FACT_TRAFFIC)
        quiet_traffic(render, now_ms, fact);
    if (fact->type == RENDER_FACT_LOOKED && fact->ok && render->late.is_probed)
        render->late.look = fact->look;
    if (fact->type == RENDER_FACT_SURVEYED)
        render->late.is_answered = fact->ok && render->terminations == 0;
    if (fact->type == RENDER_FACT_STREAMS)
        render->has_streams = fact->ok;
    if (fact->type == RENDER_FACT_HEARD)
        render->heard_ms = now_ms;
    if (fact->type == RENDER_FACT_SCHEDULED)
        render->is_scheduled = true;
    if (fact->type == RENDER_FACT_STARTED)
        render->last_loader = fact->loader;
    if (fact->type == RENDER_FACT_STARTED && render->loader != 0 && fact->loader != render->loader)
        render->next_loader = fact->loader;
}

/* The error page of a host that was not found has come, or does not come. A port that no
 * page may reach is kept from it by letting it have no host; the error page has the URL. */
static void navigate_unresolved(struct render *render, uint64_t now_ms, enum render_kind kind,
                                struct render_commands *ret)
{
    if (kind == RENDER_KIND_DENIED)
        render_finish(render, now_ms, RENDER_FAILED, RENDER_URL_DENIED, ret);
    else
        render_fail_net(render, now_ms, "net::ERR_NAME_NOT_RESOLVED", ret);
}

static void navigate_failed(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                            struct render_commands *ret)
{
    const char *error = fact->net_error;

    if (fact->is_download) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_NOT_A_DOCUMENT, ret);
    } else if (strcmp(error, "net::ERR_ABORTED") == 0) {
        /* An answer without a document (204, 205), or the renderer is crashing: then the
         * look is not answered, and the crash is reported within milliseconds. */
        render->is_aborted = true;
        render->reply_loader = fact->loader;
        if (!render->is_looking)
            render_do_look(render, now_ms, ret);
    } else if (strcmp(error, "net::ERR_TOO_MANY_REDIRECTS") == 0) {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_TOO_MANY_REDIRECTS, ret);
    } else if (render->navigations == 1 && (strcmp(error, "net::ERR_CERT_VERIFIER_CHANGED") == 0 ||
                                            strcmp(error, "net::ERR_NETWORK_CHANGED") == 0)) {
        /* A browser just started, or an interface came or went: the next try succeeds. */
        render->navigations++;
        render_do(ret, RENDER_DO_NAVIGATE);
    } else if (strcmp(error, "net::ERR_NAME_NOT_RESOLVED") == 0 && fact->loader != 0) {
        render->reply_loader = fact->loader;
        render->unresolved_ms = now_ms + RENDER_UNRESOLVED_MS;
        if (render->early_loader == fact->loader)
            navigate_unresolved(render, now_ms, render->early_kind, ret);
    } else {
        render_fail_net(render, now_ms, error, ret);
    }
}

static void navigate_answered(struct render *render, uint64_t now_ms,
                              const struct render_fact *fact, struct render_commands *ret)
{
    if (render->is_blanking) {
        render->is_blanking = false;
        render->navigations++;
        render_do(ret, RENDER_DO_NAVIGATE);
    } else if (fact->net_error != NULL || fact->is_download) {
        navigate_failed(render, now_ms, fact, ret);
    } else if (fact->loader == 0) {
        /* Only the fragment differs from the URL that is shown: that would not load. */
        if (render->navigations >= RENDER_NAVIGATIONS_MAX) {
            render_finish(render, now_ms, RENDER_FAILED, RENDER_INTERNAL, ret);
            return;
        }
        render->is_blanking = true;
        render->navigations++;
        render_do(ret, RENDER_DO_BLANK);
    } else {
        render->reply_loader = fact->loader;
        if (render->early_loader == fact->loader)
            load_enter(render, now_ms, fact->loader, render->early_kind, ret);
    }
}

/* The renderer lives. Either there was no document, or what the page showed before has
 * navigated in between, and was quicker. */
static void navigate_aborted(struct render *render, uint64_t now_ms, struct render_commands *ret)
{
    bool is_overtaken = render->last_loader != 0 && render->last_loader != render->reply_loader;

    if (is_overtaken && render->navigations < RENDER_NAVIGATIONS_MAX) {
        render->is_aborted = false;
        render->reply_loader = render->last_loader = 0;
        render->navigations++;
        render_do(ret, RENDER_DO_NAVIGATE);
    } else {
        render_finish(render, now_ms, RENDER_FAILED, RENDER_NOT_A_DOCUMENT, ret);
    }
}

static void navigate_fact(struct render *render, uint64_t now_ms, const struct render_fact *fact,
                          struct render_commands *ret)
{
    switch (fact->type) {
    case RENDER_FACT_NAVIGATED:
        navigate_answered(render, now_ms, fact, ret);
        break;
    case RENDER_FACT_COMMITTED:
        /* The error page of an earlier navigation may still come. */
        if (fact->loader == render->reply_loader && render->unresolved_ms != 0) {
            navigate_unresolved(render, now_ms, fact->kind, ret);
        } else if (fact->loader == render->reply_loader && fact->loader != 0) {
            load_enter(render, now_ms, fact->loader, fact->kind, ret);
        } else {
            render->early_loader = fact->loader;
            render->early_kind = fact->kind;
        }
        break;
    case RENDER_FACT_LOOKED:
        render_looked(render);
        if (render->is_aborted)
            navigate_aborted(render, now_ms, ret);
        break;
    case RENDER_FACT_STARTED:
    case RENDER_FACT_SCHEDULED:
    case RENDER_FACT_PARSED:
    case RENDER_FACT_LOADED:
    case RENDER_FACT_STOPPED:
    case RENDER_FACT_EXPIRED:
    case RENDER_FACT_FRAMED:
    case RENDER_FACT_MEASURED:
    case RENDER_FACT_CAPTURED:
    case RENDER_FACT_STREAMS:
    case RENDER_FACT_HEARD:
    case RENDER_FACT_CHECKED:
    case RENDER_FACT_TRANSITED:
    case RENDER_FACT_SURVEYED:
    case RENDER_FACT_SPENT:
    case RENDER_FACT_TRAFFIC:
        break; /* Of the document before, or noted already. */
    case RENDER_FACT_TICK:
        if (render->unresolved_ms != 0 && now_ms >= render->unresolved_ms)
            navigate_unresolved(render, now_ms, RENDER_KIND_ERROR, ret);
        break;
    }
}

#define TO(state) (1u << (state))

/* Which states may follow which. LOADING follows itself when a document replaces one. */
static const uint32_t transitions[RENDER_DONE + 1] = {
    [RENDER_IDLE] = TO(RENDER_NAVIGATING) | TO(RENDER_SETTLING),
    [RENDER_NAVIGATING] = TO(RENDER_LOADING) | TO(RENDER_DONE),
    [RENDER_LOADING] =
        TO(RENDER_LOADING) | TO(RENDER_SETTLING) | TO(RENDER_CAPTURING) | TO(RENDER_DONE),
    [RENDER_SETTLING] = TO(RENDER_LOADING) | TO(RENDER_CAPTURING) | TO(RENDER_DONE),
    [RENDER_CAPTURING] = TO(RENDER_LOADING) | TO(RENDER_DONE),
    [RENDER_DONE] = 0,
};

void render_set_state(struct render *render, uint64_t now_ms, enum render_state state)
{
    assert(state <= RENDER_DONE);
    assert((transitions[render->state] & TO(state)) != 0);
    assert(now_ms >= render->entered_ms);
    render->phases_ms[render->state] += now_ms - render->entered_ms;
    render->entered_ms = now_ms;
    render->state = state;
}

void render_do(struct render_commands *commands, enum render_command_type type)
{
    render_do_virtual(commands, type, 0);
}

void render_do_output(struct render_commands *commands, enum output output)
{
    render_do(commands, RENDER_DO_CAPTURE);
    commands->items[commands->count - 1].output = output;
}

void render_do_virtual(struct render_commands *commands, enum render_command_type type,
                       uint32_t virtual_ms)
{
    assert(commands->count < RENDER_COMMANDS_MAX);
    commands->items[commands->count] =
        (struct render_command){.type = type, .virtual_ms = virtual_ms};
    commands->count++;
}

void render_finish(struct render *render, uint64_t now_ms, enum render_outcome outcome,
                   enum render_code code, struct render_commands *ret)
{
    assert((outcome == RENDER_FAILED) == (code != RENDER_OK));
    render->outcome = outcome;
    render->code = code;
    render_set_state(render, now_ms, RENDER_DONE);
    /* What is left of a grant would be spent on the next document. */
    if (render->is_granted && render_is_page_good(render))
        render_pause(render, ret);
}

void render_fail_net(struct render *render, uint64_t now_ms, const char *net_error,
                     struct render_commands *ret)
{
    size_t bytes = strnlen(net_error, sizeof render->net_error - 1);

    memcpy(render->net_error, net_error, bytes);
    render->net_error[bytes] = '\0';
    render_finish(render, now_ms, RENDER_FAILED, RENDER_NAVIGATION_FAILED, ret);
}

uint64_t render_deadline_ms(const struct render *render)
{
    uint64_t state_ms = UINT64_MAX;

    switch (render->state) {
    case RENDER_IDLE:
    case RENDER_DONE:
        return UINT64_MAX;
    case RENDER_NAVIGATING:
        if (render->unresolved_ms != 0)
            state_ms = render->unresolved_ms;
        break;
    case RENDER_LOADING:
        state_ms = load_deadline_ms(render);
        break;
    case RENDER_SETTLING:
        state_ms =
            render->plan.wait.is_real ? real_deadline_ms(render) : settle_deadline_ms(render);
        break;
    case RENDER_CAPTURING:
        state_ms = capture_deadline_ms(render);
        break;
    }
    return earlier_ms(state_ms, earlier_ms(render->hard_ms, late_probe_ms(render)));
}

void render_verdict(const struct render *render, struct render_result *ret)
{
    static_assert(sizeof ret->net_error == sizeof render->net_error, "copied whole");
    assert(render->state == RENDER_DONE);
    ret->outcome = render->outcome;
    ret->reason = render->reason;
    ret->code = render->code;
    ret->status = render->measure.status;
    memcpy(ret->net_error, render->net_error, sizeof ret->net_error);
    ret->outputs_made = render->outputs_made;
    ret->pending = render->is_stuck || (render->is_partial && render->is_granted) ? 1 : 0;
    ret->phases.navigate_ms = render->phases_ms[RENDER_NAVIGATING];
    ret->phases.load_ms = render->phases_ms[RENDER_LOADING];
    ret->phases.settle_ms = render->phases_ms[RENDER_SETTLING];
    ret->phases.capture_ms = render->phases_ms[RENDER_CAPTURING];
    ret->phases.process_ms = 0;
    ret->dom_content_loaded_ms = render->parsed_ms;
    ret->loaded_ms = render->loaded_ms;
    late_verdict(render, &ret->late);
}

bool render_is_look_fresh(const struct render *render)
{
    assert(render->state == RENDER_DONE);
    return render->has_look && !render->is_granted && render->unlooked_ms == 0 &&
           render->slices_capturing == 0;
}

bool render_is_page_good(const struct render *render)
{
    assert(render->state == RENDER_DONE);
    switch (render->code) {
    case RENDER_OK:
        return render->outcome == RENDER_COMPLETE && render->terminations == 0;
    case RENDER_NAVIGATION_FAILED:
    case RENDER_URL_DENIED:
    case RENDER_TOO_MANY_REDIRECTS:
    case RENDER_TRUNCATED:
    case RENDER_NOT_A_DOCUMENT:
    case RENDER_OUTPUT_TOO_LARGE:
    case RENDER_SCRIPT_FAILED:
    case RENDER_OUTPUT_FAILED:
        return render->terminations == 0;
    case RENDER_REDIRECT_STORM:
    case RENDER_BUDGET_EXCEEDED:
    case RENDER_WAIT_UNMET:
    case RENDER_FAIL_ON: /* Not of this machine. */
    case RENDER_TIMEOUT:
    case RENDER_UNRESPONSIVE:
    case RENDER_PARAM_REFUSED:
    case RENDER_INTERNAL:
        return false;
    }
    return false;
}

void render_check(const struct render *render)
{
    uint64_t spent_ms = 0;

    assert(render->state <= RENDER_DONE);
    if (render->state == RENDER_IDLE)
        return;
    assert(render->started_ms <= render->entered_ms);
    assert(render->soft_ms <= render->hard_ms);
    assert(render->hard_ms <= render->plan.deadline_ms ||
           render->plan.deadline_ms < render->started_ms);
    for (int state = 0; state <= RENDER_DONE; state++)
        spent_ms += render->phases_ms[state];
    assert(spent_ms == render->entered_ms - render->started_ms);
    assert(render->phases_ms[RENDER_DONE] == 0);
    assert(render->documents <= RENDER_DOCUMENTS_MAX + 1);
    assert(transit_is_one(render) == (render->navigations == 0));
    assert(render->navigations <= RENDER_NAVIGATIONS_MAX + 1);
    assert(!render->is_transiting || render->loader == render->plan.shown_loader);
    assert((render->loader != 0) == (render->documents != 0));
    if (render->state == RENDER_NAVIGATING)
        assert(render->loader == 0 && !render->is_granted && !render->is_framing);
    if (render->state == RENDER_SETTLING)
        assert(render->plan.until == WAIT_AUTO ? render->is_loaded : wait_is_asked(render));
    if (render->plan.wait.is_real)
        assert(!render->is_granted);
    if (render->state != RENDER_DONE)
        assert(render_deadline_ms(render) <= render->hard_ms);
    assert(render->frames <= RENDER_FRAMES_PATIENT_MAX);
    assert((render->outputs_made & ~render->plan.outputs) == 0);
    assert((render->outputs_made & render->outputs_given_up) == 0);
    assert(render->output_bytes <= render->plan.output_bytes_max);
    if (render->is_capturing && render->state != RENDER_DONE)
        assert(render->state == RENDER_CAPTURING);
    assert((render->next_loader == 0) || render->next_loader != render->loader);
}
