/* envelope.c: see envelope.h. */
#include "daemon/envelope.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "daemon/diagnosis.h"
#include "daemon/json_text.h"
#include "daemon/keys.h"
#include "daemon/verdict.h"

/* Text from a page is valid UTF-8 by the contract of cdp/; NULL stays null. */
static json_t *text_or_null(const char *text)
{
    json_t *value = text != NULL ? json_string(text) : NULL;
    return value != NULL ? value : json_null();
}

static json_t *timings_json(const struct phases *phases)
{
    json_t *timings = json_object();
    for (size_t i = 0; i < PHASES; i++)
        (void)json_object_set_new(timings, phase_name((enum phase)i),
                                  json_integer((json_int_t)phases->ms[i]));
    return timings;
}

static json_t *affinity_json(const struct request *request)
{
    const struct render_params *params = &request->http.params;
    json_t *key = request->key[0] == KEY_CLIENT
                      ? json_stringn(params->affinity, params->affinity_bytes)
                      : json_null();
    return json_pack("{s:o, s:s}", "key", key, "context", verdict_warmth(request->grant.warmth));
}

/* Names in lower case. Cookies are the context's, and not told. */
static json_t *headers_json(const struct render_result *result)
{
    json_t *object = json_object();
    for (size_t i = 0; i < result->headers_count; i++) {
        const struct render_header *header = &result->headers[i];
        char name[256];
        size_t bytes = strlen(header->name);
        if (bytes >= sizeof name || strcasecmp(header->name, "Set-Cookie") == 0)
            continue;
        for (size_t j = 0; j <= bytes; j++)
            name[j] = (char)tolower((unsigned char)header->name[j]);
        const char *before = json_string_value(json_object_get(object, name));
        json_t *value = before != NULL ? json_sprintf("%s, %s", before, header->value)
                                       : json_string(header->value);
        if (value != NULL)
            (void)json_object_set_new(object, name, value);
    }
    return object;
}

/* Everything but the outputs; NULL when memory is out. */
static json_t *facts_json(const struct request *request, const struct render_result *result,
                          const struct phases *phases)
{
    return json_pack(
        "{s:s, s:s, s:s, s:i, s:o, s:o, s:i, s:o, s:{s:I, s:I}, s:i, s:{s:I}, s:o, s:I, s:o}",
        "requestId", request->http.request_id, "outcome", verdict_outcome(result->outcome),
        "reason", verdict_reason(result->reason), "status", result->status, "finalUrl",
        text_or_null(result->final_url), "title", text_or_null(result->title), "pendingCount",
        (int)result->pending, "timings", timings_json(phases), "milestones", "domContentLoaded",
        (json_int_t)result->dom_content_loaded_ms, "load", (json_int_t)result->loaded_ms,
        "attempts", (int)request->grant.attempt, "page", "id", (json_int_t)request->page,
        "affinity", affinity_json(request), "clockSkewMs", (json_int_t)result->clock_skew_ms,
        "headers", headers_json(result));
}

static const char *const output_names[OUTPUTS] = {
    [OUTPUT_HTML] = "html", [OUTPUT_TEXT] = "text",   [OUTPUT_LINKS] = "links",
    [OUTPUT_PNG] = "png",   [OUTPUT_JPEG] = "jpeg",   [OUTPUT_WEBP] = "webp",
    [OUTPUT_PDF] = "pdf",   [OUTPUT_MHTML] = "mhtml", [OUTPUT_EXPRESSION] = "expression",
};

/* What is JSON or base64 already is copied as it stands. */
static bool put_output(FILE *out, const struct render_result *result, enum output output)
{
    const struct render_output *made = &result->outputs[output];

    switch (output) {
    case OUTPUT_HTML:
        return json_text_string(out, result->html, result->html_bytes);
    case OUTPUT_TEXT:
    case OUTPUT_MHTML:
        return json_text_string(out, made->bytes, made->bytes_count);
    case OUTPUT_LINKS:
    case OUTPUT_EXPRESSION:
        return fwrite(made->bytes, 1, made->bytes_count, out) == made->bytes_count;
    case OUTPUT_PNG:
    case OUTPUT_JPEG:
    case OUTPUT_WEBP:
    case OUTPUT_PDF:
        return fprintf(out, "\"%s\"", made->bytes) > 0;
    case OUTPUTS:
        break;
    }
    return false;
}

/* Those that were asked for; null is one that a partial render did not come to. */
static bool put_outputs(FILE *out, const struct request *request,
                        const struct render_result *result)
{
    uint32_t asked = request->http.params.outputs;
    const char *separator = "";

    for (unsigned i = 0; i < OUTPUTS; i++) {
        if ((asked & OUTPUT_BIT(i)) == 0)
            continue;
        (void)fprintf(out, "%s\"%s\":", separator, output_names[i]);
        separator = ",";
        if ((result->outputs_made & OUTPUT_BIT(i)) == 0)
            (void)fputs("null", out);
        else if (!put_output(out, result, (enum output)i))
            return false;
    }
    return true;
}

/* The object of the facts stays open for what may be large: that is written once, by hand. */
static bool put_envelope(FILE *out, const struct request *request,
                         const struct render_result *result, const char *facts)
{
    size_t bytes = strlen(facts);

    assert(bytes > 2 && facts[bytes - 1] == '}');
    (void)fprintf(out, "%.*s,\"metas\":%s,\"outputs\":{", (int)(bytes - 1), facts,
                  result->metas != NULL ? result->metas : "{}");
    return put_outputs(out, request, result) && fputs("}}", out) != EOF && ferror(out) == 0;
}

/* What the page set by metas, which are no longer in its document. */
static void add_metas(json_t *tree, const struct document_result *document)
{
    json_t *headers = json_array();
    for (size_t i = 0; i < document->headers_count; i++)
        (void)json_array_append_new(headers,
                                    json_pack("{s:s, s:s}", "name", document->headers[i].name,
                                              "value", document->headers[i].value));
    (void)json_object_set_new(tree, "metaStatus",
                              document->status != 0 ? json_integer(document->status) : json_null());
    (void)json_object_set_new(tree, "metaHeaders", headers);
}

char *envelope_text(const struct request *request, const struct render_result *result,
                    const struct document_result *document, const struct phases *phases,
                    size_t *ret_bytes)
{
    json_t *tree = facts_json(request, result, phases);
    if (tree != NULL && request->http.params.meta_status)
        add_metas(tree, document);
    if (tree != NULL)
        diagnosis_add(tree, result);
    char *facts = tree != NULL ? json_dumps(tree, JSON_COMPACT) : NULL;
    char *text = NULL;
    FILE *out = facts != NULL ? open_memstream(&text, ret_bytes) : NULL;
    bool good = out != NULL && put_envelope(out, request, result, facts);

    good = out != NULL && fclose(out) == 0 && good;
    if (!good) {
        free(text);
        text = NULL;
    }
    json_decref(tree);
    free(facts);
    return text;
}

char *envelope_data_text(const struct render_result *result, size_t *ret_bytes)
{
    static const struct render_output none = {.bytes = (char *)(uintptr_t) "null",
                                              .bytes_count = 4};
    bool is_made = (result->outputs_made & OUTPUT_BIT(OUTPUT_EXPRESSION)) != 0;
    const struct render_output *value = is_made ? &result->outputs[OUTPUT_EXPRESSION] : &none;
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_bytes);
    if (out == NULL)
        return NULL;
    (void)fputs("{\"prerenderData\":", out);
    (void)fwrite(value->bytes, 1, value->bytes_count, out);
    (void)fputs(",\"content\":", out);
    bool good = json_text_string(out, result->html, result->html_bytes) && fputc('}', out) != EOF &&
                ferror(out) == 0;
    good = fclose(out) == 0 && good;
    if (!good) {
        free(text);
        text = NULL;
    }
    return text;
}
