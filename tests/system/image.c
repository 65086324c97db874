/* image.c: see image.h. */
#include "tests/system/image.h"

#include <string.h>

static uint32_t big_endian(const unsigned char *at, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | at[i];
    return value;
}

static uint32_t little_endian(const unsigned char *at, size_t count)
{
    uint32_t value = 0;
    for (size_t i = count; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

/* The signature, IHDR, and an empty IEND with its checksum at the end. */
static bool read_png(const unsigned char *bytes, size_t count, struct image *ret)
{
    if (count < 45 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0 ||
        memcmp(bytes + count - 8, "IEND\xae\x42\x60\x82", 8) != 0)
        return false;
    ret->type = "image/png";
    ret->width = big_endian(bytes + 16, 4);
    ret->height = big_endian(bytes + 20, 4);
    ret->has_alpha = (bytes[25] & 4) != 0; /* Colour type 4 or 6. */
    return true;
}

/* Segments up to the start of a frame: SOF0 to SOF15 less DHT, JPG and DAC. */
static bool read_jpeg(const unsigned char *bytes, size_t count, struct image *ret)
{
    if (count < 4 || memcmp(bytes, "\xff\xd8\xff", 3) != 0 ||
        memcmp(bytes + count - 2, "\xff\xd9", 2) != 0)
        return false;
    for (size_t at = 2; at + 9 <= count && bytes[at] == 0xff;) {
        unsigned char marker = bytes[at + 1];
        if ((marker & 0xf0) == 0xc0 && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
            ret->type = "image/jpeg";
            ret->height = big_endian(bytes + at + 5, 2);
            ret->width = big_endian(bytes + at + 7, 2);
            ret->has_alpha = false;
            return true;
        }
        at += 2 + big_endian(bytes + at + 2, 2);
    }
    return false;
}

/* A lossy one, one without loss, or one with a header of its own (alpha). */
static bool read_webp(const unsigned char *bytes, size_t count, struct image *ret)
{
    if (count < 30 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WEBP", 4) != 0 ||
        little_endian(bytes + 4, 4) + 8 != count)
        return false;
    ret->type = "image/webp";
    if (memcmp(bytes + 12, "VP8 ", 4) == 0) {
        ret->width = little_endian(bytes + 26, 2) & 0x3fff;
        ret->height = little_endian(bytes + 28, 2) & 0x3fff;
        ret->has_alpha = false;
        return true;
    }
    if (memcmp(bytes + 12, "VP8L", 4) == 0) {
        uint32_t bits = little_endian(bytes + 21, 4);
        ret->width = (bits & 0x3fff) + 1;
        ret->height = (bits >> 14 & 0x3fff) + 1;
        ret->has_alpha = (bits >> 28 & 1) != 0;
        return true;
    }
    ret->width = little_endian(bytes + 24, 3) + 1;
    ret->height = little_endian(bytes + 27, 3) + 1;
    ret->has_alpha = (bytes[20] & 0x10) != 0;
    return memcmp(bytes + 12, "VP8X", 4) == 0;
}

bool image_read(const void *bytes, size_t count, struct image *ret)
{
    return read_png(bytes, count, ret) || read_jpeg(bytes, count, ret) ||
           read_webp(bytes, count, ret);
}
