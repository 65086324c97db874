/* result.c: see result.h. */
#include "cdp/result.h"

#include <stdlib.h>
#include "cdp/diagnostics.h"

void render_headers_free(struct render_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(headers[i].name);
        free(headers[i].value);
    }
    free(headers);
}

void render_outputs_clear(struct render_result *result)
{
    free(result->html);
    result->html = NULL;
    result->html_bytes = 0;
    for (size_t i = 0; i < OUTPUTS; i++) {
        free(result->outputs[i].bytes);
        result->outputs[i] = (struct render_output){.bytes_count = 0};
    }
}

void render_result_free(struct render_result *result)
{
    if (result == NULL)
        return;
    free(result->final_url);
    free(result->title);
    free(result->value);
    diagnostics_free(result->diagnostics);
    free(result->metas);
    render_outputs_clear(result);
    render_headers_free(result->headers, result->headers_count);
    free(result);
}
