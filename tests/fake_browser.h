/* fake_browser.h: a browser's websocket as a script, on the loop of the test.
 *
 * It speaks RFC 6455 by hand, because a library would refuse to do what has to be tested:
 * half frames, lying lengths, two replies to one command, silence. */
#ifndef TESTS_FAKE_BROWSER_H
#define TESTS_FAKE_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct fake_browser;

/* A whole message has come; `text` is borrowed, with a NUL behind it. */
typedef void fake_on_message(struct fake_browser *, char *text, size_t bytes);

enum fake_handshake {
    FAKE_ACCEPTS,
    FAKE_SAYS_NOTHING, /* Takes the connection and the request, and never answers. */
    FAKE_HANGS_UP,     /* Closes on the request. */
    FAKE_FORBIDS,      /* 403. */
    FAKE_REDIRECTS,    /* 302 to itself. */
    FAKE_LIES,         /* 101 with a wrong Sec-WebSocket-Accept. */
};

/* What it does wrong in the browser's part, see fake_answer(). */
enum fake_flaw {
    FAKE_FAULTLESS,
    FAKE_SHARES_CONTEXTS, /* Cookies are seen in all contexts. */
    FAKE_MISPLACES_PAGES, /* Pages open in another context. */
    FAKE_GARBLES,         /* Documents do not come back as they were. */
    FAKE_REFUSES,         /* Target.createTarget is answered by an error. */
    FAKE_IS_MUTE,         /* Answers nothing. */
    FAKE_IS_MUTE_LATER,   /* Answers nothing once it has disposed of a context. */
    FAKE_ANSWERS_TWICE,
    FAKE_FORGETS_SESSION, /* Replies without sessionId. */
};

struct fake_connection {
    uv_tcp_t tcp;
    struct fake_browser *fake;
    bool is_open, is_upgraded;
    char *input;
    size_t input_bytes, input_capacity, input_at; /* input_at: what of it has been consumed. */
    char *message;                                /* What has come of a fragmented message. */
    size_t message_bytes, message_capacity;
};

struct fake_browser {
    uv_loop_t *loop;
    uv_tcp_t listener;
    uv_idle_t drip;
    struct fake_connection connection; /* One at a time. */
    enum fake_handshake handshake;
    enum fake_flaw flaw;
    fake_on_message *on_message; /* NULL: fake_answer(). */
    void *owner;
    uint32_t connections_count, messages_count, fragments_count;
    size_t frame_bytes_max; /* Of the frames that came. */
    uint32_t handles_count; /* Open ones. */
    char url[128];
    char head[4096];   /* The last request. */
    char version[512]; /* The answer to GET /json/version, with its head. */
    bool has_waiting;  /* A connection waits for the one before to be closed. */
    char method[64];   /* Of the last message that fake_answer() saw. */
    /* Bytes that leave in pieces of `drip_bytes`, one per turn of the loop; 0: at once. */
    size_t drip_bytes;
    char *dripping;
    size_t dripping_bytes, dripping_at;
    uint32_t contexts_count;
    bool is_mute;
};

void fake_open(struct fake_browser *, uv_loop_t *);
/* Starts closing all that is open; then turn the loop until fake_is_closed(). */
void fake_close(struct fake_browser *);
bool fake_is_closed(void *fake);
/* Closes the connection only. */
void fake_hang_up(struct fake_browser *);
/* Stops reading, as a browser does that is stopped. */
void fake_stop_reading(struct fake_browser *);
void fake_start_reading(struct fake_browser *);
void fake_send_raw(struct fake_browser *, const void *bytes, size_t count);
/* `first` is the first byte of the frame: 0x80 final, opcodes 0 continuation, 1 text,
 * 2 binary, 8 close, 9 ping, 10 pong. */
void fake_send_frame(struct fake_browser *, unsigned char first, const void *payload, size_t bytes);
void fake_send_text(struct fake_browser *, const char *text);
/* Answers a command as Chromium would, with the flaw. */
void fake_answer(struct fake_browser *, char *text, size_t bytes);

#endif
