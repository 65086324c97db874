/* status_page.c: see status_page.h. */
#include "daemon/status_page.h"

#include <stdio.h>
#include <stdlib.h>

/* Its own style and no script: the page is whole without a further request. */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<title>prerenderd</title>\n"
    "<style>body{font:1rem/1.5 sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
    "dt{font-weight:bold}pre{overflow:auto;padding:.5rem;background:#eee}</style>\n"
    "<h1>prerenderd</h1>\n";

static const char links[] =
    "<pre>curl -d '{\"url\":\"https://example.com\"}' .../render</pre>\n"
    "<p><a href=\"/openapi.json\">OpenAPI document</a>, <a href=\"/healthz\">health</a>,\n"
    "<a href=\"/readyz\">readiness</a>, <a href=\"/version\">version</a>,\n"
    "<a href=\"/affinities\">affinities</a>, <a href=\"/metrics\">metrics</a></p>\n";

static void write_escaped(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", stream);
            break;
        case '&':
            (void)fputs("&amp;", stream);
            break;
        default:
            (void)fputc(*text, stream);
        }
    }
}

static void write_fact(FILE *stream, const char *name, const char *value)
{
    (void)fprintf(stream, "<dt>%s</dt><dd>", name);
    write_escaped(stream, value);
    (void)fputs("</dd>\n", stream);
}

char *status_page(const struct status_facts *facts, size_t *ret_bytes)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, ret_bytes);
    if (stream == NULL)
        return NULL;
    (void)fprintf(stream, "%s<dl>\n", head);
    write_fact(stream, "state", facts->state);
    write_fact(stream, "version", facts->version);
    write_fact(stream, "browser", facts->product != NULL ? facts->product : "none is up");
    (void)fprintf(stream, "</dl>\n%s</html>\n", links);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
