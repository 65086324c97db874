/* selftest.c: see selftest.h. A table of steps, each one or two calls. */
#include "cdp/selftest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "cdp/proc.h"

/* Holds what encoders get wrong: quotes, text beyond ASCII, and a pair of surrogates. */
#define MARKER "<p title=\"a &amp; b\">prerenderd \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80</p>"

struct step {
    const char *method;
    uint32_t count; /* Sent so often, with n from 0. */
    bool is_for_page;
    json_t *(*params)(const struct selftest *, uint64_t n);
    /* Reads the result. NULL when all is well, or what is wrong. */
    const char *(*check)(struct selftest *, uint64_t n, const json_t *result);
};

static bool copy_string(char *to, size_t to_bytes, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL || *text == '\0' || strlen(text) >= to_bytes) {
        return false;
    }
    (void)snprintf(to, to_bytes, "%s", text);
    return true;
}

static const char *check_version(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    bool fine = copy_string(test->product, sizeof test->product, result, "product");
    return fine ? NULL : "it does not say what it is";
}

static json_t *context_params(const struct selftest *test, uint64_t n)
{
    (void)test;
    (void)n;
    return json_pack("{s:b}", "disposeOnDetach", 1);
}

static const char *check_context(struct selftest *test, uint64_t n, const json_t *result)
{
    bool fine = copy_string(test->context[n], SELFTEST_ID_BYTES, result, "browserContextId");
    return fine ? NULL : "no context was made";
}

static json_t *cookie_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    return json_pack("{s:s, s:[{s:s, s:s, s:s}]}", "browserContextId", test->context[0], "cookies",
                     "name", "prerenderd", "value", "1", "url", "http://selftest.invalid/");
}

static json_t *context_id_params(const struct selftest *test, uint64_t n)
{
    return json_pack("{s:s}", "browserContextId", test->context[n]);
}

static const char *check_cookies(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)test;
    size_t count = json_array_size(json_object_get(result, "cookies"));

    if (n == 0) {
        return count == 1 ? NULL : "a cookie was not kept";
    }
    return count == 0 ? NULL : "contexts are not isolated: one sees the other's cookie";
}

static json_t *target_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    return json_pack("{s:s, s:s}", "url", "about:blank", "browserContextId", test->context[0]);
}

static const char *check_target(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    bool fine = copy_string(test->target, sizeof test->target, result, "targetId");
    return fine ? NULL : "no page was opened";
}

static json_t *attach_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    return json_pack("{s:s, s:b}", "targetId", test->target, "flatten", 1);
}

static const char *check_attach(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    bool fine = copy_string(test->session, sizeof test->session, result, "sessionId");
    return fine ? NULL : "no session was opened";
}

static json_t *target_id_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    return json_pack("{s:s}", "targetId", test->target);
}

static const char *check_home(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    const json_t *info = json_object_get(result, "targetInfo");
    const char *context = json_string_value(json_object_get(info, "browserContextId"));
    bool fine = context != NULL && strcmp(context, test->context[0]) == 0;
    return fine ? NULL : "a page opened in another context than it was meant for";
}

static json_t *content_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    /* The id of a page's main frame is that of its target. */
    return json_pack("{s:s, s:s}", "frameId", test->target, "html", "<!DOCTYPE html>" MARKER);
}

static json_t *root_params(const struct selftest *test, uint64_t n)
{
    (void)test;
    (void)n;
    return json_pack("{s:i}", "depth", 0);
}

static const char *check_root(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    const json_t *root = json_object_get(result, "root");
    json_int_t node = json_integer_value(json_object_get(root, "nodeId"));
    test->node = node > 0 ? (uint64_t)node : 0;
    return test->node > 0 ? NULL : "a page has no document";
}

static json_t *capture_params(const struct selftest *test, uint64_t n)
{
    (void)n;
    return json_pack("{s:I}", "nodeId", (json_int_t)test->node);
}

static const char *check_capture(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)test;
    (void)n;
    const char *html = json_string_value(json_object_get(result, "outerHTML"));
    bool fine = html != NULL && strstr(html, "<!DOCTYPE html>") == html &&
                strstr(html, "<body>" MARKER) != NULL;
    return fine ? NULL : "a document did not come back as it was put in";
}

/* The process id of an entry if it is the process of a page, or 0. */
static int renderer_pid(const json_t *info)
{
    const char *type = json_string_value(json_object_get(info, "type"));
    json_int_t pid = json_integer_value(json_object_get(info, "id"));
    bool is_renderer = type != NULL && strcmp(type, "renderer") == 0;

    return is_renderer && pid > 0 && pid <= INT32_MAX ? (int)pid : 0;
}

static const char *check_sandbox(struct selftest *test, uint64_t n, const json_t *result)
{
    (void)n;
    uint32_t count = 0;
    size_t i = 0;
    const json_t *info = NULL;

    if (!test->wants_sandbox) {
        return NULL;
    }
    json_array_foreach(json_object_get(result, "processInfo"), i, info)
    {
        int pid = renderer_pid(info);
        if (pid != 0 && !proc_has_seccomp(pid)) {
            return "pages are not sandboxed; allow user namespaces or set browser.sandbox=off";
        }
        count += pid != 0;
    }
    return count > 0 ? NULL : "the process of a page cannot be found";
}

static const struct step steps[] = {
    {"Browser.getVersion", 1, false, NULL, check_version},
    {"Target.createBrowserContext", SELFTEST_CONTEXTS, false, context_params, check_context},
    {"Storage.setCookies", 1, false, cookie_params, NULL},
    {"Storage.getCookies", SELFTEST_CONTEXTS, false, context_id_params, check_cookies},
    {"Target.createTarget", 1, false, target_params, check_target},
    {"Target.getTargetInfo", 1, false, target_id_params, check_home},
    {"Target.attachToTarget", 1, false, attach_params, check_attach},
    {"Page.setDocumentContent", 1, true, content_params, NULL},
    {"DOM.getDocument", 1, true, root_params, check_root},
    {"DOM.getOuterHTML", 1, true, capture_params, check_capture},
    {"SystemInfo.getProcessInfo", 1, false, NULL, check_sandbox},
    {"Target.disposeBrowserContext", SELFTEST_CONTEXTS, false, context_id_params, NULL},
};

#define STEPS_COUNT (sizeof steps / sizeof steps[0])

static void fail(struct selftest *test, const char *why)
{
    assert(test->state == SELFTEST_RUNNING);
    test->state = SELFTEST_FAILED;
    (void)snprintf(test->error, sizeof test->error, "the self-test failed at %s: %s",
                   steps[test->step].method, why);
}

static void on_reply(void *owner, uint64_t n, uint64_t now_ms, const struct call_reply *reply);

static void send_step(struct selftest *test, uint64_t now_ms)
{
    const struct step *step = &steps[test->step];

    test->pending = step->count;
    for (uint32_t n = 0; n < step->count; n++) {
        browser_call(test->browser, now_ms, step->method,
                     step->params != NULL ? step->params(test, n) : NULL,
                     step->is_for_page ? test->session : NULL, BROWSER_OWN_SESSION,
                     test->call_timeout_ms, on_reply, test, n);
    }
}

/* What the browser answered instead of a result. */
static void fail_by_reply(struct selftest *test, const struct call_reply *reply)
{
    struct cdp_span text = {NULL, 0};
    char why[128];

    if (reply->end == CALL_REFUSED && message_member(reply->message->body, "message", &text)) {
        (void)snprintf(why, sizeof why, "%.*s", (int)(text.bytes < 120 ? text.bytes : 120),
                       text.at);
        fail(test, why);
    } else {
        fail(test, reply->end == CALL_LATE ? "no answer in time" : "the connection was lost");
    }
}

static void on_reply(void *owner, uint64_t n, uint64_t now_ms, const struct call_reply *reply)
{
    struct selftest *test = owner;
    const struct step *step = &steps[test->step];

    if (test->state != SELFTEST_RUNNING) {
        return;
    }
    if (reply->end != CALL_REPLIED) {
        fail_by_reply(test, reply);
        return;
    }
    json_t *result = message_tree(reply->message->body);
    const char *wrong = result == NULL        ? "the answer is malformed"
                        : step->check != NULL ? step->check(test, n, result)
                                              : NULL;
    json_decref(result);
    if (wrong != NULL) {
        fail(test, wrong);
        return;
    }
    assert(test->pending > 0);
    test->pending--;
    if (test->pending > 0) {
        return;
    }
    test->step++;
    if (test->step == STEPS_COUNT) {
        test->state = SELFTEST_PASSED;
    } else {
        send_step(test, now_ms);
    }
}

void selftest_start(struct selftest *test, struct browser *browser, uint64_t now_ms,
                    uint32_t call_timeout_ms, bool wants_sandbox)
{
    *test = (struct selftest){
        .browser = browser,
        .state = SELFTEST_RUNNING,
        .call_timeout_ms = call_timeout_ms,
        .wants_sandbox = wants_sandbox,
    };
    send_step(test, now_ms);
}
