/* ports.c: see ports.h. */
#include "cdp/ports.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_of_websites(uint32_t number)
{
    return number == 80 || number == 443;
}

void ports_deny(struct ports *ports, uint16_t number)
{
    if (ports->denied_count < PORTS_DENIED_MAX)
        ports->denied[ports->denied_count++] = number;
}

bool ports_learn(struct ports *ports, const struct config *config)
{
    for (uint32_t i = 0; i < ports->denied_count; i++) {
        if (is_of_websites(ports->denied[i]))
            return own_hosts_learn(&ports->own, config);
    }
    return true;
}

bool ports_has(const struct ports *ports, const char *host, size_t host_bytes, uint32_t number)
{
    for (uint32_t i = 0; i < ports->denied_count; i++) {
        if (ports->denied[i] == number)
            return !is_of_websites(number) || own_hosts_have(&ports->own, host, host_bytes);
    }
    for (uint32_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        if (ports->browsers[i].number == number)
            return number != 0;
    }
    return false;
}

static int hold(struct port *port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;

    port->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (port->fd < 0)
        return -errno;
    if (setsockopt(port->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(port->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(port->fd, (struct sockaddr *)&address, &bytes) != 0) {
        int code = -errno;
        (void)close(port->fd);
        return code;
    }
    port->number = ntohs(address.sin_port);
    assert(port->number != 0);
    return 0;
}

int ports_hold(struct ports *ports)
{
    int code = 0;

    for (uint32_t i = 0; i < BROWSER_LIVES_MAX && code == 0; i++) {
        if (ports->browsers[i].number == 0)
            code = hold(&ports->browsers[i]);
    }
    return code;
}

void ports_release(struct ports *ports, uint32_t browser)
{
    struct port *port = &ports->browsers[browser];

    assert(browser < BROWSER_LIVES_MAX);
    if (port->number != 0)
        (void)close(port->fd);
    *port = (struct port){.number = 0};
}

void ports_done(struct ports *ports)
{
    for (uint32_t i = 0; i < BROWSER_LIVES_MAX; i++)
        ports_release(ports, i);
    own_hosts_free(&ports->own);
}

/* Names, addresses in any spelling, whatever the scheme. The first rule has no comma. */
static void put_rule(FILE *out, const char *host, uint16_t number)
{
    (void)fprintf(out, "%sMAP %s:%u ~NOTFOUND", ftell(out) > 0 ? "," : "", host, (unsigned)number);
}

static void put_denied(FILE *out, const struct ports *ports, uint16_t number)
{
    if (!is_of_websites(number))
        put_rule(out, "*", number);
    for (size_t i = 0; is_of_websites(number) && i < ports->own.count; i++)
        put_rule(out, ports->own.patterns[i], number);
}

char *ports_rules(const struct ports *ports)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    for (uint32_t i = 0; i < ports->denied_count; i++)
        put_denied(out, ports, ports->denied[i]);
    for (uint32_t i = 0; i < BROWSER_LIVES_MAX; i++) {
        if (ports->browsers[i].number != 0)
            put_rule(out, "*", ports->browsers[i].number);
    }
    bool good = ferror(out) == 0;
    good = fclose(out) == 0 && good;
    if (!good) {
        free(text);
        text = NULL;
    }
    return text;
}
