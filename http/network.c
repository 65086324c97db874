/* network.c: see network.h. */
#include "http/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "http/text.h"

#define MAPPED_BITS 96

static struct address mapped(const struct in_addr *four)
{
    struct address address = {.known = true, .bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(address.bytes + 12, four, 4);
    return address;
}

struct address address_of(const struct sockaddr *socket_address)
{
    struct address address = {.known = false};
    if (socket_address && socket_address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, socket_address, sizeof(four));
        address = mapped(&four.sin_addr);
    } else if (socket_address && socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, socket_address, sizeof(six));
        address.known = true;
        memcpy(address.bytes, &six.sin6_addr, sizeof(address.bytes));
    }
    return address;
}

static bool is_same(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned char mask = (unsigned char)(0xff00 >> bits % 8);
    return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

/* Of one item, which was judged when the configuration was read. */
static bool network_has(const char *item, size_t count, const struct address *address)
{
    char copy[64];
    struct in_addr four;
    struct address network = {.known = true};
    if (count >= sizeof(copy))
        return false;
    memcpy(copy, item, count);
    copy[count] = '\0';
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    bool is_four = inet_pton(AF_INET, copy, &four) == 1;
    if (is_four)
        network = mapped(&four);
    else if (inet_pton(AF_INET6, copy, network.bytes) != 1)
        return false;
    unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : is_four ? 32 : 128;
    bits += is_four ? MAPPED_BITS : 0;
    return bits <= 128 && is_same(network.bytes, address->bytes, bits);
}

bool network_lists(const char *list, const struct address *address)
{
    const char *item;
    size_t count;
    while (address->known && text_list_next(&list, &item, &count)) {
        if (network_has(item, count, address))
            return true;
    }
    return false;
}

const char *address_text(const struct address *address, char *ret, size_t ret_bytes)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};
    bool is_four = memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
    const char *text = inet_ntop(is_four ? AF_INET : AF_INET6, address->bytes + (is_four ? 12 : 0),
                                 ret, (socklen_t)ret_bytes);
    return address->known && text ? text : "an unknown address";
}
