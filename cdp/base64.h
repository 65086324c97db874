/* base64.h: RFC 4648, section 4. Pure. */
#ifndef CDP_BASE64_H
#define CDP_BASE64_H

#include <stddef.h>

/* With padding, NUL-terminated, from malloc(); NULL when memory is out. */
char *base64_encode(const char *bytes, size_t count);

#endif
