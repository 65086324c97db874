/* agent.h: user agents: the devices that a page may pass for, and what a user agent says of
 * itself elsewhere (client hints, navigator.platform). Pure.
 *
 * Everything is derived from the one string, so that nothing can contradict it. A user agent
 * of no Chromium has no client hints: none are sent then, and scripts see empty ones. */
#ifndef CDP_AGENT_H
#define CDP_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "config/params.h"

#define AGENT_BYTES_MAX 1024

struct device {
    uint32_t width, height;
    double scale;
    bool mobile, touch;
    /* The user agent around the version of Chromium; NULL: the browser's own. */
    const char *before, *after;
    bool has_whole_version; /* 156.0.8078.79; else 156.0.0.0, as browsers send it. */
};

const struct device *device_find(enum device_kind);
/* Its user agent as a browser of that product ("HeadlessChrome/156.0.8078.79") has it; "":
 * the browser's own. */
void device_agent(const struct device *, const char *product, char ret[AGENT_BYTES_MAX]);

/* The parameters of Emulation.setUserAgentOverride. `agent` "": the browser's own. `locale`
 * NULL: the browser's own languages. */
json_t *agent_override(const char *agent, const char *locale, const char *product);

#endif
