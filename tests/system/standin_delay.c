/* standin_delay.c: messages that reach the stand-in browser late, each by the same time and
 * in their order, however many are on their way. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/system/harness.h"
#include "tests/system/standin_state.h"

/* Messages on their way at once; a daemon that sends more has gone astray. */
#define ON_THEIR_WAY_MAX 65536

struct delay {
    struct browser_of *browser;
    uint32_t latency_ms;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t came;
    bool is_over;
    struct {
        char *text;
        uint64_t due_ns;
    } messages[ON_THEIR_WAY_MAX];
    size_t head, count;
};

/* The next message, once it is due; NULL: there will be none. */
static char *take(struct delay *delay)
{
    pthread_mutex_lock(&delay->mutex);
    while (delay->count == 0 && !delay->is_over)
        pthread_cond_wait(&delay->came, &delay->mutex);
    char *text = NULL;
    uint64_t due_ns = 0;
    if (delay->count > 0) {
        text = delay->messages[delay->head].text;
        due_ns = delay->messages[delay->head].due_ns;
        delay->head = (delay->head + 1) % ON_THEIR_WAY_MAX;
        delay->count--;
    }
    pthread_mutex_unlock(&delay->mutex);
    struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000u),
                           .tv_nsec = (long)(due_ns % 1000000000u)};
    if (text != NULL)
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    return text;
}

static void *deliver(void *delay_)
{
    struct delay *delay = delay_;
    for (char *text; (text = take(delay)) != NULL; free(text))
        standin_handle(delay->browser, text);
    return NULL;
}

struct delay *delay_new(struct browser_of *browser, uint32_t latency_ms)
{
    struct delay *delay = calloc(1, sizeof *delay);
    demand(delay != NULL, "no memory for messages");
    delay->browser = browser;
    delay->latency_ms = latency_ms;
    pthread_mutex_init(&delay->mutex, NULL);
    pthread_cond_init(&delay->came, NULL);
    demand(pthread_create(&delay->thread, NULL, deliver, delay) == 0, "no thread");
    return delay;
}

void delay_put(struct delay *delay, char *text)
{
    pthread_mutex_lock(&delay->mutex);
    demand(delay->count < ON_THEIR_WAY_MAX, "too many messages on their way");
    size_t at = (delay->head + delay->count++) % ON_THEIR_WAY_MAX;
    delay->messages[at].text = text;
    delay->messages[at].due_ns = clock_ns() + delay->latency_ms * UINT64_C(1000000);
    pthread_cond_signal(&delay->came);
    pthread_mutex_unlock(&delay->mutex);
}

void delay_free(struct delay *delay)
{
    pthread_mutex_lock(&delay->mutex);
    delay->is_over = true;
    pthread_cond_signal(&delay->came);
    pthread_mutex_unlock(&delay->mutex);
    pthread_join(delay->thread, NULL);
    pthread_cond_destroy(&delay->came);
    pthread_mutex_destroy(&delay->mutex);
    free(delay);
}
