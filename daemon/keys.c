/* keys.c: key spaces and the origin of a URL. The URL was validated by http/: it has a
 * scheme, "://" and a non-empty host. */
#include "daemon/keys.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include "config/caller.h"

/* The end of scheme://host:port. */
static size_t origin_bytes(const char *url)
{
    const char *authority = strstr(url, "://");
    assert(authority != NULL);
    authority += 3;
    return (size_t)(authority - url) + strcspn(authority, "/?#\\");
}

/* FNV-1a, 64 bit: the key is not secret and the table behind it is small. */
static uint64_t hash_bytes(uint64_t hash, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        hash ^= (unsigned char)text[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

/* An origin longer than a key is named by its hash; a host name ends at 255 bytes, so
 * only URLs that lead nowhere get there. */
static size_t key_of_origin(const char *url, char key[POOL_KEY_BYTES_MAX])
{
    size_t bytes = origin_bytes(url);
    key[0] = KEY_ORIGIN;
    if (bytes > POOL_KEY_BYTES_MAX - 1) {
        uint64_t hash = hash_bytes(0xcbf29ce484222325u, url, bytes);
        memcpy(key + 1, &hash, sizeof hash);
        return 1 + sizeof hash;
    }
    for (size_t i = 0; i < bytes; i++)
        key[1 + i] = (char)tolower((unsigned char)url[i]);
    return 1 + bytes;
}

size_t key_of_request(uint64_t id, const struct render_params *params, char key[POOL_KEY_BYTES_MAX])
{
    switch (caller_isolation(params)) {
    case ISOLATION_AFFINITY:
        assert(params->affinity != NULL && params->affinity_bytes <= AFFINITY_KEY_BYTES_MAX);
        key[0] = KEY_CLIENT;
        memcpy(key + 1, params->affinity, params->affinity_bytes);
        return 1 + params->affinity_bytes;
    case ISOLATION_FRESH:
        key[0] = KEY_FRESH;
        memcpy(key + 1, &id, sizeof id);
        return 1 + sizeof id;
    case ISOLATION_ORIGIN:
    case ISOLATION_DEFAULT:
        break;
    }
    return key_of_origin(params->url, key);
}

uint64_t key_site(const char *url)
{
    if (strstr(url, "://") == NULL)
        return 1; /* about:blank. */
    size_t bytes = origin_bytes(url);
    size_t scheme = strcspn(url, ":");
    for (size_t i = bytes; i > scheme + 3; i--) {
        if (url[i - 1] == ':') { /* A site has no port. */
            bytes = i - 1;
            break;
        }
        if (url[i - 1] == ']' || url[i - 1] == '.')
            break;
    }
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, url, bytes);
    return hash != 0 ? hash : 1;
}
