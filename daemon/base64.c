/* base64.c: see base64.h. */
#include "daemon/base64.h"

#include <assert.h>
#include <stdint.h>

/* The six bits of a character; 255: it has none. */
static uint8_t bits_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    return c == '+' ? 62 : (c == '/' ? 63 : 255);
}

static void table_fill(uint8_t table[256])
{
    for (unsigned c = 0; c < 256; c++)
        table[c] = bits_of((unsigned char)c);
}

bool base64_decode(char *text, size_t bytes, size_t *ret_bytes)
{
    uint8_t table[256];
    const unsigned char *in = (const unsigned char *)text;
    unsigned char *out = (unsigned char *)text;
    size_t padding = 0;

    while (padding < 2 && padding < bytes && text[bytes - 1 - padding] == '=')
        padding++;
    if (bytes % 4 != 0)
        return false;
    table_fill(table);
    for (size_t i = 0; i < bytes; i += 4) {
        size_t chars = i + 4 == bytes ? 4 - padding : 4;
        uint32_t word = 0;
        uint8_t seen = 0;
        for (size_t j = 0; j < 4; j++) {
            uint8_t bits = j < chars ? table[in[i + j]] : 0;
            seen |= bits;
            word = word << 6 | (bits & 63);
        }
        if (seen > 63)
            return false;
        *out++ = (unsigned char)(word >> 16);
        if (chars > 2)
            *out++ = (unsigned char)(word >> 8);
        if (chars > 3)
            *out++ = (unsigned char)word;
    }
    *ret_bytes = (size_t)(out - (unsigned char *)text);
    assert(*ret_bytes <= bytes);
    return true;
}
