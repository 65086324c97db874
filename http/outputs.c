/* outputs.c: see outputs.h. One output is answered as what it is, unless JSON is preferred;
 * several only fit into the JSON envelope. */
#include "http/outputs.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/accept.h"

static const struct {
    const char *type, *subtype;
    const char *content_type;
} rows[OUTPUTS] = {
    [OUTPUT_HTML] = {"text", "html", "text/html; charset=utf-8"},
    [OUTPUT_TEXT] = {"text", "plain", "text/plain; charset=utf-8"},
    [OUTPUT_LINKS] = {"application", "json", "application/json"},
    [OUTPUT_PNG] = {"image", "png", "image/png"},
    [OUTPUT_JPEG] = {"image", "jpeg", "image/jpeg"},
    [OUTPUT_WEBP] = {"image", "webp", "image/webp"},
    [OUTPUT_PDF] = {"application", "pdf", "application/pdf"},
    [OUTPUT_MHTML] = {"multipart", "related", "multipart/related"},
    [OUTPUT_EXPRESSION] = {"application", "json", "application/json"},
};

const char *http_output_type(enum output output)
{
    assert(output < OUTPUTS);
    return rows[output].content_type;
}

struct http_forms outputs_forms(const char *accept)
{
    struct http_forms forms = {0};
    enum http_accept form;
    for (unsigned i = 0; i < OUTPUTS; i++) {
        if (!accept_choose(accept, rows[i].type, rows[i].subtype, &form))
            continue;
        forms.acceptable |= OUTPUT_BIT(i);
        if (form == HTTP_ACCEPT_DOCUMENT)
            forms.as_itself |= OUTPUT_BIT(i);
    }
    forms.envelope = accept_allows(accept, "application", "json");
    return forms;
}

/* Of a set of one. */
static enum output only_output(uint32_t set)
{
    unsigned output = 0;
    while ((set & OUTPUT_BIT(output)) == 0)
        output++;
    assert(set == OUTPUT_BIT(output));
    return (enum output)output;
}

/* The script itself does not say what is answered: it may leave that in window.prerenderData,
 * at once or when its promise is kept. NULL: out of memory. */
static char *data_expression(const char *javascript)
{
    json_t *source = json_string(javascript);
    char *text = source ? json_dumps(source, JSON_ENCODE_ANY) : NULL, *expression = NULL;
    if (text && asprintf(&expression,
                         "(async()=>{const value=await(0,eval)(%s);"
                         "return window.prerenderData??value??null})()",
                         text) < 0)
        expression = NULL;
    json_decref(source);
    free(text);
    return expression;
}

static bool settle_data(struct http_request *request, struct fault *fault)
{
    struct render_params *params = &request->params;
    assert(!params->expression && params->outputs == OUTPUT_BIT(OUTPUT_HTML)); /* rules.c */
    if (!request->forms.envelope)
        return fault_set(fault, HTTP_NOT_ACCEPTABLE, "Accept",
                         "Accept leaves out application/json, the form of an answer to "
                         "\"javascript\".");
    params->expression = data_expression(params->javascript);
    if (!params->expression)
        return fault_set(fault, HTTP_INTERNAL, NULL, "The server is out of memory.");
    params->outputs |= OUTPUT_BIT(OUTPUT_EXPRESSION);
    params->wants_envelope = params->dedupe;
    request->accept = HTTP_ACCEPT_DATA;
    return true;
}

bool outputs_settle(struct http_request *request, struct fault *fault)
{
    if (request->params.javascript)
        return settle_data(request, fault);
    uint32_t set = request->params.outputs;
    bool is_single = (set & (set - 1)) == 0;
    assert(set != 0);
    if (!is_single && !request->forms.envelope)
        return fault_set(fault, HTTP_NOT_ACCEPTABLE, "Accept",
                         "Accept leaves out application/json, the only form that more than one "
                         "output is answered in.");
    if (is_single && (set & request->forms.acceptable) == 0)
        return fault_set(fault, HTTP_NOT_ACCEPTABLE, "Accept",
                         "Accept leaves out both forms of this answer: %s and application/json.",
                         http_output_type(only_output(set)));
    request->accept = is_single && (set & request->forms.as_itself) != 0 ? HTTP_ACCEPT_DOCUMENT
                                                                         : HTTP_ACCEPT_ENVELOPE;
    /* A render may be shared with a request for the other form. */
    request->params.wants_envelope =
        request->accept == HTTP_ACCEPT_ENVELOPE || request->params.dedupe;
    return true;
}
