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

/* Every host at that port: names, addresses in any spelling, and whatever the scheme. A
 * name that a page controls may stand for the loopback address as well. */
#define RULE_FORMAT "MAP *:%u ~NOTFOUND,"
#define RULE_BYTES_MAX sizeof "MAP *:65535 ~NOTFOUND,"

void ports_deny(struct ports *ports, uint16_t number)
{
    if (ports->denied_count < PORTS_DENIED_MAX)
        ports->denied[ports->denied_count++] = number;
}

bool ports_has(const struct ports *ports, uint32_t number)
{
    for (uint32_t i = 0; i < ports->denied_count; i++) {
        if (ports->denied[i] == number)
            return true;
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
}

/* Adds the rule of one port behind `text`, and returns the new end. */
static char *add_rule(char *text, uint16_t number)
{
    return number == 0 ? text
                       : text + snprintf(text, RULE_BYTES_MAX, RULE_FORMAT, (unsigned)number);
}

char *ports_rules(const struct ports *ports)
{
    char *text = calloc(PORTS_DENIED_MAX + BROWSER_LIVES_MAX, RULE_BYTES_MAX);
    char *end = text;

    if (text == NULL)
        return NULL;
    for (uint32_t i = 0; i < ports->denied_count; i++)
        end = add_rule(end, ports->denied[i]);
    for (uint32_t i = 0; i < BROWSER_LIVES_MAX; i++)
        end = add_rule(end, ports->browsers[i].number);
    if (end > text)
        end[-1] = '\0'; /* The last comma. */
    return text;
}
