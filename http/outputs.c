/* outputs.c: see outputs.h. One output is answered as what it is, unless JSON is preferred;
 * several only fit into the JSON envelope. */
#include "http/outputs.h"

#include <assert.h>
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

bool outputs_settle(struct http_request *request, struct fault *fault)
{
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
