/* own_hosts.c: see own_hosts.h. */
#include "cdp/own_hosts.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/glob.h"
#include "config/config.h"
#include "config/forms.h"

/* What is this machine to every machine. The addresses in brackets are those of IPv4 as IPv6
 * writes them, and the unspecified ones lead to loopback. A pattern that
 * also has names, "127.example", is none the worse. */
static const char *const everywhere[] = {
    "localhost", "localhost.", "*.localhost", "*.localhost.",   "127.*",
    "0.0.0.0",   "[::]",       "[::1]",       "[::ffff:7f*:*]", "[::ffff:0:0]",
};

/* Chromium writes names in lower case. */
static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool add(struct own_hosts *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False: memory is out. */
static bool add(struct own_hosts *hosts, const char *format, ...)
{
    char text[OWN_HOST_BYTES];
    va_list arguments;

    if (hosts->count == OWN_HOSTS_MAX)
        return true;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        return true; /* Longer than any name that can be looked up. */
    lower(text);
    hosts->patterns[hosts->count] = strdup(text);
    if (hosts->patterns[hosts->count] == NULL)
        return false;
    hosts->count++;
    return true;
}

static bool add_four(struct own_hosts *hosts, const struct in_addr *address)
{
    char text[INET_ADDRSTRLEN];
    uint32_t number = ntohl(address->s_addr);

    return inet_ntop(AF_INET, address, text, sizeof text) == NULL ||
           (add(hosts, "%s", text) &&
            add(hosts, "[::ffff:%x:%x]", (unsigned)(number >> 16), (unsigned)(number & 0xffff)));
}

static bool add_address(struct own_hosts *hosts, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];

    if (address == NULL)
        return true;
    if (address->sa_family == AF_INET)
        return add_four(hosts, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    if (address->sa_family != AF_INET6)
        return true;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    /* A link-local address needs a zone, which no URL has. */
    return IN6_IS_ADDR_LINKLOCAL(six) || inet_ntop(AF_INET6, six, text, sizeof text) == NULL ||
           add(hosts, "[%s]", text);
}

/* Without them the others hold all the same. */
static bool add_interfaces(struct own_hosts *hosts)
{
    struct ifaddrs *list = NULL;
    bool good = true;

    if (getifaddrs(&list) != 0)
        return true;
    for (const struct ifaddrs *item = list; item != NULL && good; item = item->ifa_next)
        good = add_address(hosts, item->ifa_addr);
    freeifaddrs(list);
    return good;
}

/* A name is the same with a dot at its end; an address may be given in its place. */
static bool add_name(struct own_hosts *hosts, const char *name, size_t bytes)
{
    char text[OWN_HOST_BYTES];
    struct in_addr four;

    if (bytes == 0 || bytes >= sizeof text)
        return true;
    memcpy(text, name, bytes);
    text[bytes] = '\0';
    if (inet_pton(AF_INET, text, &four) == 1)
        return add_four(hosts, &four);
    if (text[0] == '[')
        return add(hosts, "%s", text);
    if (text[bytes - 1] == '.')
        text[bytes - 1] = '\0';
    return add(hosts, "%s", text) && add(hosts, "%s.", text);
}

static bool add_names(struct own_hosts *hosts, const struct config *config)
{
    const char *url = config->manager.advertise_url, *list = config->http.allowed_hosts;
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    size_t bytes = 1;
    bool good = true;

    if (host != NULL) {
        host += strlen("://");
        good =
            add_name(hosts, host, host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#"));
    }
    while (good && list != NULL && bytes > 0) {
        const char *item = form_next_item(&list, &bytes);
        good = add_name(hosts, item, bytes); /* Past the end: nothing. */
    }
    return good;
}

bool own_hosts_learn(struct own_hosts *hosts, const struct config *config)
{
    bool good = true;

    own_hosts_free(hosts);
    hosts->patterns = calloc(OWN_HOSTS_MAX, sizeof *hosts->patterns);
    if (hosts->patterns == NULL)
        return false;
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0] && good; i++)
        good = add(hosts, "%s", everywhere[i]);
    return good && add_names(hosts, config) && add_interfaces(hosts);
}

bool own_hosts_have(const struct own_hosts *hosts, const char *host, size_t bytes)
{
    char text[OWN_HOST_BYTES];

    if (bytes >= sizeof text)
        return false;
    memcpy(text, host, bytes);
    text[bytes] = '\0';
    lower(text);
    for (size_t i = 0; i < hosts->count; i++) {
        if (glob_matches(hosts->patterns[i], text))
            return true;
    }
    return false;
}

void own_hosts_free(struct own_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        free(hosts->patterns[i]);
    free(hosts->patterns);
    *hosts = (struct own_hosts){.count = 0};
}
