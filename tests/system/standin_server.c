/* standin_server.c: connections, script and ledger of the stand-in browser; see standin.h. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/system/harness.h"
#include "tests/system/peer.h"
#include "tests/system/standin_state.h"

#define CONNECTIONS_MAX 16

struct standin {
    int listener;
    pthread_t thread;
    pthread_t threads[CONNECTIONS_MAX]; /* One per connection; of the listener's thread. */
    pthread_mutex_t mutex;              /* Guards what follows. */
    struct standin_script script;
    struct standin_ledger ledger;
};

struct context_of *standin_context(struct browser_of *browser, const char *id)
{
    for (size_t i = 0; i < CONTEXTS_MAX; i++) {
        if (browser->contexts[i].exists && strcmp(browser->contexts[i].id, id) == 0) {
            return &browser->contexts[i];
        }
    }
    return NULL;
}

static bool has_page(const struct browser_of *browser, const struct context_of *context)
{
    for (size_t i = 0; i < PAGES_MAX; i++) {
        if (browser->pages[i].exists && strcmp(browser->pages[i].context, context->id) == 0) {
            return true;
        }
    }
    return false;
}

void standin_count(struct browser_of *browser)
{
    uint32_t contexts = 0, occupied = 0;
    for (size_t i = 0; i < CONTEXTS_MAX; i++) {
        const struct context_of *context = &browser->contexts[i];
        contexts += context->exists;
        occupied += context->exists && has_page(browser, context);
    }
    struct standin *standin = browser->standin;
    pthread_mutex_lock(&standin->mutex);
    struct standin_ledger *ledger = &standin->ledger;
    ledger->contexts_max = contexts > ledger->contexts_max ? contexts : ledger->contexts_max;
    ledger->occupied_max = occupied > ledger->occupied_max ? occupied : ledger->occupied_max;
    pthread_mutex_unlock(&standin->mutex);
}

/* Uses up one of a number of omissions. With the mutex held. */
static bool take_one(struct standin *standin, uint32_t *left)
{
    bool takes = *left > 0;
    *left -= takes;
    standin->ledger.left_out += takes;
    return takes;
}

bool standin_leaves_out_close(struct browser_of *browser)
{
    struct standin *standin = browser->standin;
    pthread_mutex_lock(&standin->mutex);
    bool leaves_out = browser->is_discovering && take_one(standin, &standin->script.closes);
    pthread_mutex_unlock(&standin->mutex);
    return leaves_out;
}

bool standin_leaves_out_disposal(struct browser_of *browser, struct context_of *context)
{
    struct standin *standin = browser->standin;
    pthread_mutex_lock(&standin->mutex);
    if (browser->is_discovering && !context->is_left_out) {
        context->is_left_out = take_one(standin, &standin->script.disposals);
    }
    bool is_deaf = standin->script.is_deaf && browser->index == 0;
    pthread_mutex_unlock(&standin->mutex);
    return context->is_left_out && (!context->has_crashed || is_deaf);
}

void standin_note_crash(struct browser_of *browser, struct context_of *context)
{
    demand(context != NULL, "a page without a context");
    context->has_crashed = true;
    pthread_mutex_lock(&browser->standin->mutex);
    browser->standin->ledger.crashes++;
    pthread_mutex_unlock(&browser->standin->mutex);
}

void standin_set_script(struct standin *standin, const struct standin_script *script)
{
    pthread_mutex_lock(&standin->mutex);
    standin->script = *script;
    pthread_mutex_unlock(&standin->mutex);
}

void standin_get_ledger(struct standin *standin, struct standin_ledger *ret)
{
    pthread_mutex_lock(&standin->mutex);
    *ret = standin->ledger;
    pthread_mutex_unlock(&standin->mutex);
}

static void *serve(void *browser_)
{
    struct browser_of *browser = browser_;
    pthread_mutex_lock(&browser->standin->mutex);
    uint32_t latency_ms = browser->standin->script.latency_ms;
    pthread_mutex_unlock(&browser->standin->mutex);
    struct delay *delay = latency_ms > 0 ? delay_new(browser, latency_ms) : NULL;
    if (peer_accept(browser->fd)) {
        for (char *text; (text = peer_read(browser->fd)) != NULL;) {
            if (delay != NULL) {
                delay_put(delay, text);
            } else {
                standin_handle(browser, text);
                free(text);
            }
        }
    }
    if (delay != NULL) {
        delay_free(delay);
    }
    close(browser->fd);
    free(browser);
    return NULL;
}

static void *listen_on(void *standin_)
{
    struct standin *standin = standin_;
    unsigned count = 0;
    for (int fd; (fd = accept(standin->listener, NULL, NULL)) >= 0;) {
        int on = 1;
        demand(count < CONNECTIONS_MAX, "too many connections to the stand-in");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct browser_of *browser = calloc(1, sizeof(*browser));
        demand(browser != NULL, "no memory for a browser");
        *browser = (struct browser_of){.standin = standin, .fd = fd, .index = count};
        demand(pthread_create(&standin->threads[count++], NULL, serve, browser) == 0, "no thread");
        pthread_mutex_lock(&standin->mutex);
        standin->ledger.connections = count;
        pthread_mutex_unlock(&standin->mutex);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(standin->threads[i], NULL);
    }
    return NULL;
}

struct standin *standin_start(char *ret_url, size_t ret_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    struct standin *standin = calloc(1, sizeof(*standin));
    demand(standin != NULL, "no memory for a stand-in");
    pthread_mutex_init(&standin->mutex, NULL);
    standin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(bind(standin->listener, (struct sockaddr *)&address, bytes) == 0 &&
               listen(standin->listener, 8) == 0 &&
               getsockname(standin->listener, (struct sockaddr *)&address, &bytes) == 0,
           "the stand-in cannot listen");
    snprintf(ret_url, ret_bytes, "ws://127.0.0.1:%u/devtools/browser/standin",
             (unsigned)ntohs(address.sin_port));
    demand(pthread_create(&standin->thread, NULL, listen_on, standin) == 0, "no thread");
    return standin;
}

void standin_stop(struct standin *standin)
{
    shutdown(standin->listener, SHUT_RDWR); /* Ends accept(). */
    pthread_join(standin->thread, NULL);
    close(standin->listener);
    pthread_mutex_destroy(&standin->mutex);
    free(standin);
}
