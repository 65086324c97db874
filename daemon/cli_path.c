/* cli_path.c: names of the files that `prerenderd render` writes. */
#include "daemon/cli.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What of the URL tells a person which page it was, in characters that every file system
 * has: its host and path. */
static void name_url(const char *url, char *ret, size_t ret_bytes)
{
    const char *slashes = strstr(url, "://");
    const char *from = slashes != NULL ? slashes + 3 : url;
    size_t count = strcspn(from, "?#"), at = 0;
    while (count > 0 && from[count - 1] == '/')
        count--;
    for (size_t i = 0; i < count && at + 1 < ret_bytes; i++) {
        bool plain = isalnum((unsigned char)from[i]) || strchr("-._", from[i]);
        ret[at++] = plain ? from[i] : '-';
    }
    ret[at] = '\0';
    if (at > 5 && strcmp(ret + at - 5, ".html") == 0)
        ret[at - 5] = '\0'; /* It gets an extension that is true of what is written. */
}

static size_t digits_of(size_t number)
{
    size_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

const char *cli_extension(const struct http_request *request)
{
    static const char *const extensions[OUTPUTS] = {
        [OUTPUT_HTML] = "html", [OUTPUT_TEXT] = "txt",        [OUTPUT_LINKS] = "json",
        [OUTPUT_PNG] = "png",   [OUTPUT_JPEG] = "jpg",        [OUTPUT_WEBP] = "webp",
        [OUTPUT_PDF] = "pdf",   [OUTPUT_EXPRESSION] = "json", [OUTPUT_MHTML] = "mhtml",
    };
    unsigned output = 0;
    if (request->accept != HTTP_ACCEPT_DOCUMENT)
        return "json";
    while ((request->params.outputs & OUTPUT_BIT(output)) == 0)
        output++;
    assert(request->params.outputs == OUTPUT_BIT(output));
    return extensions[output];
}

char *cli_path(const struct cli *cli, size_t index, const char *extension)
{
    char name[128];
    char *path = NULL;
    assert(index < cli->urls_count);
    if (cli->target == NULL)
        return NULL;
    if (!cli->has_many)
        return strdup(cli->target);
    name_url(cli->urls[index], name, sizeof name);
    int length = asprintf(&path, "%s/%0*zu-%s.%s", cli->target, (int)digits_of(cli->urls_count),
                          index + 1, name, extension);
    return length >= 0 ? path : NULL;
}
