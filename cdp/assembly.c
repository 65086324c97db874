/* assembly.c: see assembly.h. */
#include "cdp/assembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_over(const struct assembly *assembly, size_t more, size_t expected)
{
    size_t left = assembly->bytes_max - assembly->bytes;

    assert(assembly->bytes <= assembly->bytes_max);
    return more > left || expected > left - more;
}

/* Keeps the start, and gives the memory of the rest back at once. */
static void cut(struct assembly *assembly)
{
    assembly->is_cut = true;
    if (assembly->bytes > WIRE_CUT_BYTES)
        assembly->bytes = WIRE_CUT_BYTES;
    if (assembly->capacity <= WIRE_CUT_BYTES + 1)
        return;
    char *shrunk = realloc(assembly->text, WIRE_CUT_BYTES + 1);
    if (shrunk != NULL) {
        assembly->text = shrunk;
        assembly->capacity = WIRE_CUT_BYTES + 1;
    }
}

/* Room for that many more, and a NUL. */
static bool reserve(struct assembly *assembly, size_t more)
{
    size_t need = assembly->bytes + more + 1, max = assembly->bytes_max;

    if (need <= assembly->capacity)
        return true;
    /* Messages in many fragments must not be copied once per fragment. */
    size_t doubled = assembly->capacity < max / 2 ? assembly->capacity * 2 : max + 1;
    size_t capacity = assembly->capacity == 0 || need > doubled ? need : doubled;
    char *grown = realloc(assembly->text, capacity);
    if (grown == NULL)
        return false;
    assembly->text = grown;
    assembly->capacity = capacity;
    return true;
}

bool assembly_add(struct assembly *assembly, const void *in, size_t bytes, size_t expected)
{
    if (!assembly->is_cut && is_over(assembly, bytes, expected))
        cut(assembly);
    if (assembly->is_cut) {
        size_t room = WIRE_CUT_BYTES - assembly->bytes;
        bytes = bytes < room ? bytes : room;
        expected = 0;
    }
    if (!reserve(assembly, bytes + expected))
        return false;
    if (bytes > 0)
        memcpy(assembly->text + assembly->bytes, in, bytes);
    assembly->bytes += bytes;
    return true;
}

struct wire_message assembly_take(struct assembly *assembly)
{
    struct wire_message message = {assembly->text, assembly->bytes, assembly->is_cut};

    assert(assembly->text != NULL);
    assembly->text[assembly->bytes] = '\0';
    *assembly = (struct assembly){.bytes_max = assembly->bytes_max};
    return message;
}
