/* agent.c: see agent.h. */
#include "cdp/agent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_BYTES 32
#define MODEL_BYTES 64

static const struct device devices[] = {
    [DEVICE_DEFAULT] = {.width = VIEWPORT_WIDTH, .height = VIEWPORT_HEIGHT, .scale = 1},
    [DEVICE_DESKTOP] =
        {
            .width = 1920,
            .height = 1080,
            .scale = 1,
            .before = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                      "Chrome/",
            .after = " Safari/537.36",
        },
    [DEVICE_MOBILE] =
        {
            .width = 412,
            .height = 915,
            .scale = 2.625,
            .mobile = true,
            .touch = true,
            .before = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                      "Chrome/",
            .after = " Mobile Safari/537.36",
        },
    [DEVICE_GOOGLEBOT_MOBILE] =
        {
            .width = 412,
            .height = 732,
            .scale = 2.625,
            .mobile = true,
            .touch = true,
            .before = "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) "
                      "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
            .after = " Mobile Safari/537.36 (compatible; Googlebot/2.1; "
                     "+http://www.google.com/bot.html)",
            .has_whole_version = true,
        },
};

/* Systems by a word of the user agent; the first that is there counts. */
static const struct system {
    const char *word, *hint, *platform, *architecture, *bitness;
} systems[] = {
    {"Windows NT", "Windows", "Win32", "x86", "64"},
    {"Android", "Android", "Linux armv81", "", ""},
    {"CrOS", "Chrome OS", "Linux x86_64", "x86", "64"},
    {"iPhone", "iOS", "iPhone", "", ""},
    {"iPad", "iOS", "iPad", "", ""},
    {"Macintosh", "macOS", "MacIntel", "x86", "64"},
    {"Linux", "Linux", "Linux x86_64", "x86", "64"},
};

/* Brands by the product that names them; the first that is there counts. */
static const struct brand {
    const char *product, *name;
} brands[] = {
    {"Edg/", "Microsoft Edge"},
    {"EdgA/", "Microsoft Edge"},
    {"OPR/", "Opera"},
    {"HeadlessChrome/", "HeadlessChrome"},
    {"Chrome/", "Google Chrome"},
};

const struct device *device_find(enum device_kind kind)
{
    assert(kind < sizeof devices / sizeof devices[0]);
    return &devices[kind];
}

/* The version behind `product` ("Chrome/") in the text, "" if there is none. */
static void version_of(const char *text, const char *product, char ret[VERSION_BYTES])
{
    const char *at = strstr(text, product);

    at = at != NULL ? at + strlen(product) : "";
    (void)snprintf(ret, VERSION_BYTES, "%.*s", (int)strspn(at, "0123456789."), at);
}

static int major_bytes(const char *version)
{
    return (int)strcspn(version, ".");
}

void device_agent(const struct device *device, const char *product, char ret[AGENT_BYTES_MAX])
{
    char version[VERSION_BYTES];

    ret[0] = '\0';
    if (device->before == NULL)
        return;
    version_of(product, "/", version);
    if (device->has_whole_version)
        (void)snprintf(ret, AGENT_BYTES_MAX, "%s%s%s", device->before, version, device->after);
    else
        (void)snprintf(ret, AGENT_BYTES_MAX, "%s%.*s.0.0.0%s", device->before, major_bytes(version),
                       version, device->after);
}

static const struct system *system_of(const char *agent)
{
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (strstr(agent, systems[i].word) != NULL)
            return &systems[i];
    }
    return NULL;
}

/* "6.0.1" and "Nexus 5X" of "(Linux; Android 6.0.1; Nexus 5X Build/MMB29P)". The model K is
 * what browsers say that keep theirs to themselves. */
static void read_android(const char *agent, char ret_version[VERSION_BYTES],
                         char ret_model[MODEL_BYTES])
{
    version_of(agent, "Android ", ret_version);
    const char *at = strstr(agent, "Android ");
    const char *model = at != NULL ? strstr(at, "; ") : NULL;
    size_t bytes = model != NULL ? strcspn(model + 2, ";)") : 0;
    const char *build = model != NULL ? memmem(model + 2, bytes, " Build/", 7) : NULL;
    if (build != NULL)
        bytes = (size_t)(build - (model + 2));
    if (bytes == 1 && model[2] == 'K')
        bytes = 0;
    (void)snprintf(ret_model, MODEL_BYTES, "%.*s", (int)bytes, bytes > 0 ? model + 2 : "");
}

/* The version of the system, in the form of its hint. */
static void read_system(const char *agent, const struct system *system,
                        char ret_version[VERSION_BYTES], char ret_model[MODEL_BYTES])
{
    ret_version[0] = ret_model[0] = '\0';
    if (strcmp(system->word, "Android") == 0)
        read_android(agent, ret_version, ret_model);
    else if (strcmp(system->word, "Windows NT") == 0)
        version_of(agent, "Windows NT ", ret_version);
    else if (strcmp(system->word, "Macintosh") == 0)
        (void)snprintf(ret_version, VERSION_BYTES, "10.15.7"); /* As every macOS is called. */
}

/* A user agent tells the major version only; of the browser itself we know the rest. */
static void read_version(const char *agent, const char *product, char ret[VERSION_BYTES])
{
    char own[VERSION_BYTES];

    version_of(agent, "Chrome/", ret);
    version_of(product, "/", own);
    if (major_bytes(own) == major_bytes(ret) && strncmp(own, ret, (size_t)major_bytes(ret)) == 0)
        memcpy(ret, own, VERSION_BYTES);
}

/* One list of brands: with major or with whole versions. The odd one is for servers that
 * must not rely on knowing every brand. */
static json_t *brands_json(const char *agent, const char *version, bool is_whole)
{
    const struct brand *brand = brands;
    char own[VERSION_BYTES];

    while (strstr(agent, brand->product) == NULL)
        brand++;
    version_of(agent, brand->product, own);
    if (strstr(brand->product, "Chrome/") != NULL)
        (void)snprintf(own, sizeof own, "%s", version);
    if (is_whole)
        return json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "brand", "Not:A-Brand", "version",
                         "8.0.0.0", "brand", "Chromium", "version", version, "brand", brand->name,
                         "version", own);
    return json_pack("[{s:s, s:s}, {s:s, s:s%}, {s:s, s:s%}]", "brand", "Not:A-Brand", "version",
                     "8", "brand", "Chromium", "version", version, (size_t)major_bytes(version),
                     "brand", brand->name, "version", own, (size_t)major_bytes(own));
}

/* The client hints, or NULL for a user agent that has none. */
static json_t *hints_json(const char *agent, const struct system *system, const char *product)
{
    char version[VERSION_BYTES], system_version[VERSION_BYTES], model[MODEL_BYTES];

    if (strstr(agent, "Chrome/") == NULL || system == NULL)
        return NULL;
    read_version(agent, product, version);
    read_system(agent, system, system_version, model);
    bool is_mobile = strstr(agent, " Mobile") != NULL;
    const char *form =
        is_mobile ? "Mobile" : (strcmp(system->hint, "Android") == 0 ? "Tablet" : "Desktop");
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:b, s:[s]}", "brands",
                     brands_json(agent, version, false), "fullVersionList",
                     brands_json(agent, version, true), "fullVersion", version, "platform",
                     system->hint, "platformVersion", system_version, "architecture",
                     system->architecture, "model", model, "mobile", is_mobile, "bitness",
                     system->bitness, "wow64", 0, "formFactors", form);
}

/* "de-AT" is asked for as "de-AT,de": Chromium adds the weights. */
static json_t *languages_json(const char *locale)
{
    size_t language_bytes = strcspn(locale, "-");

    if (locale[language_bytes] == '\0')
        return json_string(locale);
    return json_sprintf("%s,%.*s", locale, (int)language_bytes, locale);
}

json_t *agent_override(const char *agent, const char *locale, const char *product)
{
    const struct system *system = system_of(agent);
    json_t *params = json_pack("{s:s}", "userAgent", agent);
    json_t *hints = hints_json(agent, system, product);

    if (locale != NULL)
        (void)json_object_set_new(params, "acceptLanguage", languages_json(locale));
    if (system != NULL)
        (void)json_object_set_new(params, "platform", json_string(system->platform));
    if (hints != NULL)
        (void)json_object_set_new(params, "userAgentMetadata", hints);
    return params;
}
