/* tap.c: the recording proxy and the tape it fills; see tap.h and tape.h. */
#include "bench/tap.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/system/harness.h"

#define PIECE_BYTES (256 * 1024)

void tape_add(struct tape *tape, bool sent, char *text, size_t bytes)
{
    if (tape->count == tape->capacity) {
        tape->capacity = tape->capacity * 2 + 256;
        tape->messages = realloc(tape->messages, tape->capacity * sizeof(tape->messages[0]));
        demand(tape->messages != NULL, "no memory for a tape");
    }
    tape->messages[tape->count++] =
        (struct tape_message){.sent = sent, .at_ns = clock_ns(), .text = text, .bytes = bytes};
}

void tape_free(struct tape *tape)
{
    for (size_t i = 0; i < tape->count; i++) {
        free(tape->messages[i].text);
    }
    free(tape->messages);
    *tape = (struct tape){0};
}

/* One direction of the connection: what has passed and is not read yet. */
struct lane {
    bool sent;        /* From the daemon. */
    bool is_upgraded; /* The head of the HTTP handshake has passed. */
    unsigned char *bytes;
    size_t count, capacity;
    char *message; /* Of the frames so far. */
    size_t message_bytes;
};

struct tap {
    pthread_t thread;
    int listener, browser_port, wake[2];
    pthread_mutex_t mutex; /* Guards the tape. */
    struct tape tape;
};

static void lane_free(struct lane *lane)
{
    free(lane->bytes);
    free(lane->message);
}

struct frame {
    unsigned opcode;
    bool is_final;
    const unsigned char *mask; /* NULL: not masked. */
    const unsigned char *payload;
    size_t payload_bytes, whole_bytes;
};

/* The frame at the beginning of the bytes; false while it is not complete. */
static bool frame_read(const unsigned char *bytes, size_t count, struct frame *ret)
{
    if (count < 2) {
        return false;
    }
    uint64_t payload_bytes = bytes[1] & 0x7f;
    size_t head = 2, extra = payload_bytes == 126 ? 2 : (payload_bytes == 127 ? 8 : 0);
    bool is_masked = (bytes[1] & 0x80) != 0;
    if (count < head + extra + (is_masked ? 4 : 0)) {
        return false;
    }
    if (extra > 0) {
        payload_bytes = 0;
        for (size_t i = 0; i < extra; i++) {
            payload_bytes = payload_bytes << 8 | bytes[head + i];
        }
    }
    head += extra;
    const unsigned char *mask = is_masked ? bytes + head : NULL;
    head += is_masked ? 4 : 0;
    if (payload_bytes > count - head) {
        return false;
    }
    *ret = (struct frame){.opcode = bytes[0] & 0x0f,
                          .is_final = (bytes[0] & 0x80) != 0,
                          .mask = mask,
                          .payload = bytes + head,
                          .payload_bytes = (size_t)payload_bytes,
                          .whole_bytes = head + (size_t)payload_bytes};
    return true;
}

static void take_frame(struct tap *tap, struct lane *lane, const struct frame *frame)
{
    if (frame->opcode > 2) {
        return; /* Ping, pong and close carry nothing of the protocol. */
    }
    char *grown = realloc(lane->message, lane->message_bytes + frame->payload_bytes + 1);
    demand(grown != NULL, "no memory for a message");
    for (size_t i = 0; i < frame->payload_bytes; i++) {
        unsigned char mask = frame->mask == NULL ? 0 : frame->mask[i % 4];
        grown[lane->message_bytes + i] = (char)(frame->payload[i] ^ mask);
    }
    lane->message = grown;
    lane->message_bytes += frame->payload_bytes;
    grown[lane->message_bytes] = '\0';
    if (frame->is_final) {
        pthread_mutex_lock(&tap->mutex);
        tape_add(&tap->tape, lane->sent, lane->message, lane->message_bytes);
        pthread_mutex_unlock(&tap->mutex);
        lane->message = NULL;
        lane->message_bytes = 0;
    }
}

static void lane_feed(struct tap *tap, struct lane *lane, const unsigned char *bytes, size_t count)
{
    if (lane->count + count > lane->capacity) {
        lane->capacity = (lane->count + count) * 2;
        lane->bytes = realloc(lane->bytes, lane->capacity);
        demand(lane->bytes != NULL, "no memory for the tap");
    }
    memcpy(lane->bytes + lane->count, bytes, count);
    lane->count += count;
    size_t used = 0;
    if (!lane->is_upgraded) {
        const unsigned char *end = memmem(lane->bytes, lane->count, "\r\n\r\n", 4);
        if (end == NULL) {
            return;
        }
        lane->is_upgraded = true;
        used = (size_t)(end - lane->bytes) + 4;
    }
    struct frame frame;
    while (frame_read(lane->bytes + used, lane->count - used, &frame)) {
        take_frame(tap, lane, &frame);
        used += frame.whole_bytes;
    }
    memmove(lane->bytes, lane->bytes + used, lane->count - used);
    lane->count -= used;
}

static bool send_all(int fd, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        count -= (size_t)n;
    }
    return true;
}

/* Passes on what one side has to say. False when it has closed. */
static bool pass(struct tap *tap, struct lane *lane, int from, int to, unsigned char *piece)
{
    ssize_t n = recv(from, piece, PIECE_BYTES, 0);
    if (n <= 0) {
        return false;
    }
    lane_feed(tap, lane, piece, (size_t)n);
    return send_all(to, piece, (size_t)n);
}

/* Serves one connection until either side closes, or the tap is stopped. */
static void serve(struct tap *tap, int daemon, int browser)
{
    struct lane out = {.sent = true}, in = {.sent = false};
    unsigned char *piece = malloc(PIECE_BYTES);
    demand(piece != NULL, "no memory for the tap");
    for (bool goes_on = true; goes_on;) {
        struct pollfd ready[3] = {{.fd = daemon, .events = POLLIN},
                                  {.fd = browser, .events = POLLIN},
                                  {.fd = tap->wake[0], .events = POLLIN}};
        poll(ready, 3, -1);
        goes_on = ready[2].revents == 0;
        if (goes_on && ready[0].revents != 0) {
            goes_on = pass(tap, &out, daemon, browser, piece);
        }
        if (goes_on && ready[1].revents != 0) {
            goes_on = pass(tap, &in, browser, daemon, piece);
        }
    }
    free(piece);
    lane_free(&out);
    lane_free(&in);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void *run(void *tap_)
{
    struct tap *tap = tap_;
    for (;;) {
        struct pollfd ready[2] = {{.fd = tap->listener, .events = POLLIN},
                                  {.fd = tap->wake[0], .events = POLLIN}};
        poll(ready, 2, -1);
        if (ready[1].revents != 0) {
            return NULL;
        }
        int daemon = accept(tap->listener, NULL, NULL);
        int browser = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in to = loopback(tap->browser_port);
        demand(daemon >= 0 && connect(browser, (struct sockaddr *)&to, sizeof(to)) == 0,
               "the tap cannot connect: %s", strerror(errno));
        serve(tap, daemon, browser);
        close(daemon);
        close(browser);
    }
}

struct tap *tap_start(const char *url, char ret_url[TAP_URL_BYTES])
{
    struct tap *tap = calloc(1, sizeof(*tap));
    demand(tap != NULL, "no memory for a tap");
    const char *port = strrchr(url, ':');
    demand(port != NULL && strncmp(url, "ws://", 5) == 0, "no websocket URL: %s", url);
    char *path;
    tap->browser_port = (int)strtol(port + 1, &path, 10);
    pthread_mutex_init(&tap->mutex, NULL);
    tap->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = loopback(0);
    socklen_t bytes = sizeof(own);
    demand(pipe(tap->wake) == 0 && bind(tap->listener, (struct sockaddr *)&own, bytes) == 0 &&
               listen(tap->listener, 4) == 0 &&
               getsockname(tap->listener, (struct sockaddr *)&own, &bytes) == 0,
           "the tap cannot listen: %s", strerror(errno));
    snprintf(ret_url, TAP_URL_BYTES, "ws://127.0.0.1:%u%s", (unsigned)ntohs(own.sin_port), path);
    demand(pthread_create(&tap->thread, NULL, run, tap) == 0, "no thread");
    return tap;
}

uint64_t tap_latest_ns(struct tap *tap)
{
    pthread_mutex_lock(&tap->mutex);
    uint64_t at_ns = tap->tape.count == 0 ? 0 : tap->tape.messages[tap->tape.count - 1].at_ns;
    pthread_mutex_unlock(&tap->mutex);
    return at_ns;
}

void tap_stop(struct tap *tap, struct tape *ret)
{
    demand(write(tap->wake[1], "x", 1) == 1, "the tap's thread cannot be woken");
    pthread_join(tap->thread, NULL);
    *ret = tap->tape;
    close(tap->listener);
    close(tap->wake[0]);
    close(tap->wake[1]);
    pthread_mutex_destroy(&tap->mutex);
    free(tap);
}
