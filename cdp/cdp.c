/* cdp.c: the face of cdp/: lives, routing, and the queue of events; see cdp.h. */
#include "cdp/cdp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/cdp_state.h"
#include "cdp/page.h"
#include "cdp/target.h"

static void on_event(void *owner, struct browser *, uint64_t now_ms, struct cdp_message *);
static void life_down(struct life *, const char *why);

void *cdp_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);

    assert(memory != NULL && "out of memory");
    return memory;
}

void cdp_queue(struct cdp *cdp, const struct cdp_event *event)
{
    if (cdp->events_count == cdp->events_capacity) {
        size_t capacity = cdp->events_capacity == 0 ? 64 : cdp->events_capacity * 2;
        struct cdp_event *grown = realloc(cdp->events, capacity * sizeof *grown);
        assert(grown != NULL && "out of memory");
        cdp->events = grown;
        cdp->events_capacity = capacity;
    }
    cdp->events[cdp->events_count++] = *event;
}

bool span_copy(struct cdp_span span, char *ret, size_t ret_bytes)
{
    if (span.at == NULL || span.bytes == 0 || span.bytes >= ret_bytes)
        return false;
    memcpy(ret, span.at, span.bytes);
    ret[span.bytes] = '\0';
    return true;
}

bool span_text(struct cdp_span body, const char *key, char *ret, size_t ret_bytes)
{
    struct cdp_span span;

    return message_member(body, key, &span) && span_copy(span, ret, ret_bytes);
}

bool span_is(struct cdp_span span, const char *text)
{
    return span.at != NULL && strlen(text) == span.bytes && memcmp(span.at, text, span.bytes) == 0;
}

/* FNV-1a. */
uint64_t text_number(const char *text, size_t bytes)
{
    uint64_t number = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < bytes; i++)
        number = (number ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return number;
}

struct cdp *cdp_new(uv_loop_t *loop, const struct config *config, cdp_emit *emit, void *owner)
{
    struct cdp *cdp = calloc(1, sizeof *cdp);

    if (cdp == NULL)
        return NULL;
    cdp->loop = loop;
    cdp->config = config;
    cdp->emit = emit;
    cdp->owner = owner;
    return cdp;
}

void cdp_deny_port(struct cdp *cdp, uint16_t port)
{
    ports_deny(&cdp->ports, port);
}

void cdp_set_trace(struct cdp *cdp, cdp_trace *trace, void *owner)
{
    cdp->trace = trace;
    cdp->trace_owner = owner;
}

static struct life *life_find(const struct cdp *cdp, uint64_t id)
{
    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        if (cdp->lives[i].state != LIFE_NONE && cdp->lives[i].id == id)
            return (struct life *)&cdp->lives[i];
    }
    return NULL;
}

void life_call(struct life *life, uint64_t now_ms, const char *method, json_t *params,
               uint64_t timeout_ms, call_done *done, uint64_t tag)
{
    browser_call(life->browser, now_ms, method, params, NULL, 0, timeout_ms, done, life, tag);
}

void cdp_close_all(struct cdp *cdp)
{
    cdp->is_closing = true;
}

bool cdp_is_closed(const struct cdp *cdp)
{
    if (!cdp->is_closing)
        return false;
    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        if (cdp->lives[i].state != LIFE_NONE)
            return false;
    }
    return true;
}

void cdp_free(struct cdp *cdp)
{
    if (cdp == NULL)
        return;
    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++)
        assert(cdp->lives[i].state == LIFE_NONE);
    assert(cdp->pages == NULL && cdp->contexts == NULL);
    for (size_t i = 0; i < cdp->events_count; i++)
        render_result_free(cdp->events[i].result);
    free(cdp->events);
    ports_done(&cdp->ports);
    free(cdp);
}

static void queue_life(struct cdp *cdp, enum cdp_event_type type, uint64_t life, const char *text)
{
    struct cdp_event event = {.type = type, .life = life};

    (void)snprintf(event.text, sizeof event.text, "%s", text);
    cdp_queue(cdp, &event);
}

void cdp_launch(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct life *life = NULL;

    for (size_t i = 0; i < BROWSER_LIVES_MAX && life == NULL; i++) {
        if (cdp->lives[i].state == LIFE_NONE)
            life = &cdp->lives[i];
    }
    if (life == NULL || cdp->is_closing) {
        queue_life(cdp, CDP_LIFE_DOWN, id, "earlier browsers are still going");
        return;
    }
    int code = cdp->config->browser.websocket_url[0] == '\0' ? ports_hold(&cdp->ports) : 0;
    if (code != 0) {
        char why[128];
        (void)snprintf(why, sizeof why, "no port for the browser: %s", uv_strerror(code));
        queue_life(cdp, CDP_LIFE_DOWN, id, why);
        return;
    }
    if (!ports_learn(&cdp->ports, cdp->config)) {
        queue_life(cdp, CDP_LIFE_DOWN, id, "out of memory");
        return;
    }
    life->cdp = cdp;
    life->id = id;
    life->state = LIFE_STARTING;
    const struct browser_ports ports = {
        .own = cdp->ports.browsers[life - cdp->lives].number,
        .denied = &cdp->ports,
    };
    life->browser = browser_new(cdp->loop, cdp->config, &ports, now_ms, on_event, life);
    if (life->browser == NULL) {
        queue_life(cdp, CDP_LIFE_DOWN, id, "out of memory");
        memset(life, 0, sizeof *life);
    }
}

void cdp_kill_life(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct life *life = life_find(cdp, id);

    if (life == NULL)
        return;
    if (life->state == LIFE_STARTING || life->state == LIFE_UP)
        life->state = LIFE_ENDING;
    browser_kill(life->browser, now_ms);
}

static void on_discovered(void *owner, uint64_t tag, uint64_t now_ms,
                          const struct call_reply *reply)
{
    struct life *life = owner;
    (void)tag;

    if (life->state != LIFE_STARTING)
        return;
    if (reply->end != CALL_REPLIED) {
        browser_kill(life->browser, now_ms);
        return;
    }
    life->state = LIFE_UP;
    life->up_since_ms = now_ms;
    queue_life(life->cdp, CDP_LIFE_UP, life->id, "");
}

/* Everything of that life is gone at once, without a further event. */
static void life_forget(struct life *life)
{
    struct page *page, *next_page;
    struct context *context, *next_context;

    HASH_ITER(hh, life->cdp->pages, page, next_page)
    {
        if (page->life == life)
            page_free(page);
    }
    HASH_ITER(hh, life->cdp->contexts, context, next_context)
    {
        if (context->life == life)
            context_free(context);
    }
}

static void life_down(struct life *life, const char *why)
{
    life_forget(life);
    /* One that never came up may have found its port taken. */
    if (life->up_since_ms == 0)
        ports_release(&life->cdp->ports, (uint32_t)(life - life->cdp->lives));
    queue_life(life->cdp, CDP_LIFE_DOWN, life->id, why);
    life->state = LIFE_DOWN;
}

static void life_turn(struct life *life, uint64_t now_ms)
{
    enum browser_state before = browser_get_state(life->browser);

    browser_turn(life->browser, now_ms);
    enum browser_state state = browser_get_state(life->browser);
    if (state == BROWSER_UP && before != BROWSER_UP && life->state == LIFE_STARTING)
        target_discover(life, now_ms, on_discovered, 0);
    /* A browser that was not told to go leaves its requests to the next one at once. */
    if (state >= BROWSER_STOPPING && (life->state == LIFE_STARTING || life->state == LIFE_UP))
        life_down(life, browser_error(life->browser));
    if (state == BROWSER_GONE) {
        if (life->state != LIFE_DOWN)
            life_down(life, browser_error(life->browser));
        browser_free(life->browser);
        memset(life, 0, sizeof *life);
    }
}

static void emit_events(struct cdp *cdp)
{
    /* What is queued meanwhile comes in the next turn. */
    size_t count = cdp->events_count;
    struct cdp_event *events = cdp->events;

    cdp->events = NULL;
    cdp->events_count = cdp->events_capacity = 0;
    for (size_t i = 0; i < count; i++)
        cdp->emit(cdp->owner, &events[i]);
    free(events);
}

void cdp_turn(struct cdp *cdp, uint64_t now_ms)
{
    struct page *page, *next;

    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        struct life *life = &cdp->lives[i];
        if (life->state == LIFE_NONE)
            continue;
        if (cdp->is_closing && life->state != LIFE_ENDING && life->state != LIFE_DOWN)
            cdp_kill_life(cdp, now_ms, life->id);
        life_turn(life, now_ms);
    }
    HASH_ITER(hh, cdp->pages, page, next)
    {
        page_tick(page, now_ms);
    }
    emit_events(cdp);
}

uint64_t cdp_deadline_ms(const struct cdp *cdp)
{
    uint64_t deadline_ms = cdp->events_count > 0 ? 0 : UINT64_MAX;
    const struct page *page, *next;

    for (size_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        const struct life *life = &cdp->lives[i];
        uint64_t due_ms = UINT64_MAX;
        if (life->state != LIFE_NONE)
            due_ms = browser_deadline_ms(life->browser);
        if (cdp->is_closing && (life->state == LIFE_STARTING || life->state == LIFE_UP))
            due_ms = 0;
        if (due_ms < deadline_ms)
            deadline_ms = due_ms;
    }
    HASH_ITER(hh, cdp->pages, page, next)
    {
        uint64_t due_ms = page_deadline_ms(page);
        if (due_ms < deadline_ms)
            deadline_ms = due_ms;
    }
    return deadline_ms;
}

static void on_event(void *owner, struct browser *browser, uint64_t now_ms,
                     struct cdp_message *message)
{
    struct life *life = owner;
    struct target *target;
    (void)browser;

    if (life->state != LIFE_STARTING && life->state != LIFE_UP)
        return;
    if (message->session.at == NULL || message->session.bytes == 0) {
        target_on_event(life, now_ms, message);
        return;
    }
    /* A session that we have given up may still have something to say. */
    target = target_find_session(life->cdp, message->session);
    if (target != NULL && target->page->life == life)
        page_on_event(target, now_ms, message);
}

static void queue_page(struct cdp *cdp, enum cdp_event_type type, uint64_t page, uint64_t request)
{
    struct cdp_event event = {.type = type, .page = page, .request = request};

    cdp_queue(cdp, &event);
}

void cdp_open(struct cdp *cdp, uint64_t now_ms, uint64_t life_id, uint64_t page, uint64_t context,
              bool new_context, uint64_t deadline_ms)
{
    struct life *life = life_find(cdp, life_id);
    const struct context *old = new_context ? NULL : context_find(cdp, context);
    bool is_known = new_context || (old != NULL && old->life == life && old->page == NULL &&
                                    old->state == CONTEXT_READY);

    assert(page_find(cdp, page) == NULL);
    if (life == NULL || life->state != LIFE_UP || !is_known) {
        struct cdp_event event = {
            .type = CDP_OPEN_FAILED, .life = life_id, .page = page, .context = context};
        (void)snprintf(event.text, sizeof event.text, "%s",
                       is_known ? "its browser is gone" : "its context is gone");
        cdp_queue(cdp, &event);
        return;
    }
    page_open(life, now_ms, page, context, new_context, deadline_ms);
}

void cdp_probe(struct cdp *cdp, uint64_t now_ms, uint64_t id, uint64_t deadline_ms)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_probe(page, now_ms, deadline_ms);
    else
        queue_page(cdp, CDP_PROBED, id, 0);
}

void cdp_render(struct cdp *cdp, uint64_t now_ms, const struct cdp_render *render)
{
    struct page *page = page_find(cdp, render->page);

    if (page != NULL && page->state == PAGE_READY) {
        page_render(page, now_ms, render);
        return;
    }
    struct cdp_event event = {
        .type = CDP_RESULT, .page = render->page, .request = render->request, .ok = true};
    event.result = cdp_alloc(sizeof *event.result);
    event.result->outcome = RENDER_FAILED;
    event.result->code = RENDER_INTERNAL;
    cdp_queue(cdp, &event);
    queue_page(cdp, CDP_RENDER_DONE, render->page, render->request);
}

void cdp_shorten(struct cdp *cdp, uint64_t now_ms, uint64_t id, uint64_t deadline_ms)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_shorten(page, now_ms, deadline_ms);
}

void cdp_abort(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_abort(page, now_ms);
}

void cdp_rest(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_rest(page, now_ms);
}

void cdp_close(struct cdp *cdp, uint64_t now_ms, uint64_t id, bool retain_context)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_close(page, now_ms, retain_context);
    else
        queue_page(cdp, CDP_CLOSED, id, 0);
}

void cdp_kill(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct page *page = page_find(cdp, id);

    if (page != NULL)
        page_kill(page, now_ms);
    else
        queue_page(cdp, CDP_CLOSED, id, 0);
}

void cdp_dispose_context(struct cdp *cdp, uint64_t now_ms, uint64_t id)
{
    struct context *context = context_find(cdp, id);

    if (context != NULL) {
        context->is_asked = true;
        context_dispose(context, now_ms);
    } else {
        struct cdp_event event = {.type = CDP_CONTEXT_GONE, .context = id};
        cdp_queue(cdp, &event);
    }
}

bool cdp_get_life(const struct cdp *cdp, uint64_t id, struct cdp_life_info *ret)
{
    const struct life *life = life_find(cdp, id);

    if (life == NULL || life->state != LIFE_UP)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->life = id;
    ret->pid = browser_pid(life->browser);
    ret->up_since_ms = life->up_since_ms;
    (void)snprintf(ret->product, sizeof ret->product, "%s", browser_product(life->browser));
    (void)snprintf(ret->websocket_url, sizeof ret->websocket_url, "%s",
                   browser_websocket_url(life->browser));
    return true;
}
