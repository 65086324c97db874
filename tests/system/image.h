/* image.h: what the bytes of a PNG, JPEG or WebP say of the image; pixels are not decoded. */
#ifndef TESTS_SYSTEM_IMAGE_H
#define TESTS_SYSTEM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
    const char *type; /* As in Content-Type. */
    uint32_t width, height;
    bool has_alpha;
};

/* False: it is none of these, or its end is missing. */
bool image_read(const void *bytes, size_t count, struct image *ret);

#endif
