/* switches.c: see switches.h. */
#include "cdp/switches.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const fixed[] = {
    /* A lifeline: a browser that runs ends when our end of it is closed, whatever has ended
     * us. It is commanded through a port, see below. */
    "--remote-debugging-pipe",
    /* No page that nobody asked for. */
    "--no-startup-window",
    "--no-first-run",
    "--no-default-browser-check",
    /* Pages that are not looked at must run like those that are. */
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    /* Nobody is there to answer, to hear, or to use what a desktop browser fetches. */
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-prompt-on-repost",
    "--disable-sync",
    "--deny-permission-prompts",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-pings",
    "--noerrdialogs",
    "--password-store=basic",
    /* Pictures that do not depend on the machine. */
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    /* WebRTC would go around proxies and reveal addresses. Without "force" in its name
     * the switch has no effect. */
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
};

#define FIXED_COUNT (sizeof fixed / sizeof fixed[0])

/* RenderDocument alone halves the time of a warm navigation; the others keep pages alive
 * that nobody asked for, or ask the network or a user about things. */
static const char disabled_features[] = "RenderDocument,BackForwardCache,Prerender2,"
                                        "MediaRouter,OptimizationHints,Translate,"
                                        "AutofillServerCommunication,DialMediaRouteProvider";

/* Chromium's shared memory wants at least this; containers often come with 64 MiB. */
#define SHARED_MEMORY_BYTES_MIN (128ull * 1024 * 1024)

/* Has the kernel kill the browser when we die, in whatever moment of its start: only a
 * browser that has started looks at its lifeline. The shell gives up if we died before the
 * kernel was told; then it becomes the browser. All this runs as the browser's user
 * already, since a change of user would undo it. setpriv is part of util-linux, which every
 * Debian system has; others do without. */
static const char *const keeper[] = {
    "/usr/bin/setpriv",
    "--pdeathsig",
    "KILL",
    "--",
    "/bin/sh",
    "-c",
    "[ \"$PPID\" = \"$0\" ] && exec \"$@\"",
};

#define KEEPER_COUNT (sizeof keeper / sizeof keeper[0])

struct list {
    char **items;
    size_t count, capacity;
    bool has_failed;
};

/* Takes `item`; NULL stands for memory that has run out. */
static void list_take(struct list *list, char *item)
{
    if (item == NULL || list->has_failed) {
        list->has_failed = true;
        free(item);
        return;
    }
    if (list->count + 1 >= list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        char **grown = realloc(list->items, capacity * sizeof *grown);
        if (grown == NULL) {
            list->has_failed = true;
            free(item);
            return;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

static void list_add(struct list *list, const char *item)
{
    list_take(list, strdup(item));
}

static void list_add_pair(struct list *list, const char *name, const char *value)
{
    char *item = NULL;

    list_take(list, asprintf(&item, "%s%s", name, value) < 0 ? NULL : item);
}

static char **list_finish(struct list *list)
{
    if (list->has_failed) {
        switches_free(list->items);
        return NULL;
    }
    assert(list->items != NULL && list->items[list->count] == NULL);
    return list->items;
}

static bool has_little_shared_memory(void)
{
    struct statvfs status;

    return statvfs("/dev/shm", &status) != 0 ||
           (unsigned long long)status.f_blocks * status.f_frsize < SHARED_MEMORY_BYTES_MIN;
}

/* A switch of which Chromium honours only the last: what browser.args says in it is put
 * behind ours. */
struct joined {
    const char *name;
    char *value; /* NULL: memory has run out. */
};

static void join(struct joined *joined, const char *given)
{
    char *longer = NULL;

    if (joined->value == NULL ||
        asprintf(&longer, "%s%s%s", joined->value, joined->value[0] != '\0' ? "," : "", given) < 0)
        longer = NULL;
    free(joined->value);
    joined->value = longer;
}

/* Adds the switches of browser.args, less those that are to be joined. */
static void add_given(struct list *list, const char *args, struct joined *joined, size_t count)
{
    for (const char *at = args + strspn(args, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " "), i = 0;
        char *item = strndup(at, bytes);
        at += bytes;
        while (item != NULL && i < count &&
               strncmp(item, joined[i].name, strlen(joined[i].name)) != 0)
            i++;
        if (item == NULL || i == count) {
            list_take(list, item);
        } else {
            join(&joined[i], item + strlen(joined[i].name));
            free(item);
        }
    }
}

/* The switches of browser.args, and those of ours that go with them. */
static void add_joined(struct list *list, const char *args, const struct ports *denied)
{
    struct joined joined[] = {
        {"--disable-features=", strdup(disabled_features)},
        {"--host-resolver-rules=", denied != NULL ? ports_rules(denied) : strdup("")},
    };
    const size_t count = sizeof joined / sizeof joined[0];

    add_given(list, args, joined, count);
    for (size_t i = 0; i < count; i++) {
        if (joined[i].value == NULL)
            list->has_failed = true;
        else if (joined[i].value[0] != '\0')
            list_add_pair(list, joined[i].name, joined[i].value);
        free(joined[i].value);
    }
}

static void add_keeper(struct list *list)
{
    char *pid = NULL;

    if (access(keeper[0], X_OK) != 0) {
        return;
    }
    for (size_t i = 0; i < KEEPER_COUNT; i++) {
        list_add(list, keeper[i]);
    }
    /* The shell's $0, against which it holds the process id of its parent. */
    list_take(list, asprintf(&pid, "%d", (int)getpid()) < 0 ? NULL : pid);
}

char **switches_new(const struct browser_config *config, const struct browser_ports *ports,
                    const struct program *program, const char *profile)
{
    struct list list = {.items = NULL};
    char port[8];

    add_keeper(&list);
    list_add(&list, program->path);
    if (!program->is_headless_shell) {
        list_add(&list, "--headless=new");
    }
    for (size_t i = 0; i < FIXED_COUNT; i++) {
        list_add(&list, fixed[i]);
    }
    list_add_pair(&list, "--user-data-dir=", profile);
    if (config->sandbox == SANDBOX_OFF) {
        list_add(&list, "--no-sandbox");
    }
    if (has_little_shared_memory()) {
        list_add(&list, "--disable-dev-shm-usage");
    }
    add_joined(&list, config->args, ports->denied);
    (void)snprintf(port, sizeof port, "%u", (unsigned)ports->own);
    list_add_pair(&list, "--remote-debugging-port=", port);
    return list_finish(&list);
}

static void add_ours(struct list *list, const char *name)
{
    const char *value = getenv(name);

    if (value == NULL) {
        return;
    }
    char *item = NULL;
    list_take(list, asprintf(&item, "%s=%s", name, value) < 0 ? NULL : item);
}

char **switches_environment(const char *profile)
{
    static const char *const passed[] = {
        "LANG",       "LANGUAGE",    "LC_ALL",   "TZ",         "LD_LIBRARY_PATH", "FONTCONFIG_FILE",
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",     "NO_PROXY",
    };
    struct list list = {.items = NULL};

    list_add(&list, "PATH=/usr/local/bin:/usr/bin:/bin");
    list_add_pair(&list, "HOME=", profile);
    list_add_pair(&list, "TMPDIR=", profile);
    list_add_pair(&list, "XDG_CONFIG_HOME=", profile);
    list_add_pair(&list, "XDG_CACHE_HOME=", profile);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        add_ours(&list, passed[i]);
    }
    return list_finish(&list);
}

void switches_free(char **items)
{
    if (items == NULL) {
        return;
    }
    for (char **item = items; *item != NULL; item++) {
        free(*item);
    }
    free(items);
}
