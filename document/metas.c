/* metas.c: the grammar of the metas by which a page sets its answer; see metas.h. */
#include "document/metas.h"

#include <assert.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n\f");
}

static size_t trimmed_length(const char *at)
{
    size_t length = strlen(at);
    while (length > 0 && strchr(" \t\r\n\f", at[length - 1]))
        length--;
    return length;
}

int meta_status(const char *content)
{
    content = skip_blanks(content);
    if (trimmed_length(content) != 3 || strspn(content, "0123456789") < 3)
        return 0;
    int status = (content[0] - '0') * 100 + (content[1] - '0') * 10 + (content[2] - '0');
    return status >= 200 && status <= 599 ? status : 0;
}

static bool has_control(const char *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

bool meta_header_parse(const char *content, struct meta_header *ret)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *name = skip_blanks(content);
    size_t name_bytes = strspn(name, token);
    const char *colon = skip_blanks(name + name_bytes);
    if (name_bytes == 0 || name_bytes > META_NAME_BYTES_MAX || *colon != ':')
        return false;
    const char *value = skip_blanks(colon + 1);
    size_t value_bytes = trimmed_length(value);
    if (value_bytes == 0 || value_bytes > META_VALUE_BYTES_MAX || has_control(value, value_bytes))
        return false;
    *ret = (struct meta_header){name, value, name_bytes, value_bytes};
    return true;
}
