/* result.c: see result.h. */
#include "cdp/result.h"

#include <stdlib.h>

void render_result_free(struct render_result *result)
{
    if (result == NULL)
        return;
    free(result->final_url);
    free(result->title);
    free(result->html);
    free(result);
}
