/* json_text.c: see json_text.h. */
#include "daemon/json_text.h"

#include <jansson.h>

bool json_text_string(FILE *out, const char *bytes, size_t count)
{
    json_t *string = json_stringn_nocheck(bytes, count);
    bool good = string != NULL && json_dumpf(string, out, JSON_ENCODE_ANY) == 0;

    json_decref(string);
    return good;
}
