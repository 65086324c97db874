/* gzip.c: compression of answers; see gzip.h. */
#include "daemon/gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

/* Of zlib: half of the time of its default, for a few per cent more bytes of HTML. */
#define LEVEL 4
/* 32 KiB of history, with the frame of gzip around it. */
#define WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

char *gzip_bytes(const char *bytes, size_t count, size_t *ret_count)
{
    z_stream stream = {0};
    assert(count <= UINT_MAX);
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return NULL;
    uLong bound = deflateBound(&stream, (uLong)count);
    char *packed = bound <= UINT_MAX ? malloc(bound) : NULL;
    if (packed != NULL) {
        stream.next_in = (z_const Bytef *)bytes;
        stream.avail_in = (uInt)count;
        stream.next_out = (Bytef *)packed;
        stream.avail_out = (uInt)bound;
        int status = deflate(&stream, Z_FINISH);
        assert(status == Z_STREAM_END);
        *ret_count = stream.total_out;
    }
    (void)deflateEnd(&stream);
    return packed;
}
