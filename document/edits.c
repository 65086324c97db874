/* edits.c: byte ranges to leave out and text to put in; see edits.h. */
#include "document/edits.h"

#include <assert.h>
#include <string.h>

size_t edits_bytes_max(size_t bytes_count, const struct edit *edits, size_t count)
{
    size_t bytes = bytes_count;
    for (size_t i = 0; i < count; i++)
        bytes += edits[i].text_bytes;
    return bytes;
}

size_t edits_apply(const char *bytes, size_t bytes_count, const struct edit *edits, size_t count,
                   char *ret)
{
    size_t from = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct edit *edit = &edits[i];
        assert(edit->start <= edit->end && edit->end <= bytes_count);
        assert(i == 0 || edits[i - 1].start <= edit->start);
        if (edit->start > from) {
            memcpy(ret + used, bytes + from, edit->start - from);
            used += edit->start - from;
            from = edit->start;
        }
        if (edit->text) {
            memcpy(ret + used, edit->text, edit->text_bytes);
            used += edit->text_bytes;
        }
        if (edit->end > from)
            from = edit->end;
    }
    assert(from <= bytes_count);
    memcpy(ret + used, bytes + from, bytes_count - from);
    return used + (bytes_count - from);
}
