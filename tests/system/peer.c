/* peer.c: see peer.h. Just enough of RFC 6455 for a client that keeps to it. */
#include "tests/system/peer.h"

#include <libwebsockets.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "tests/system/harness.h"

#define HEAD_BYTES_MAX 4096
#define OPCODE_CLOSE 8
#define OPCODE_PING 9

struct frame {
    unsigned opcode;
    bool is_final;
    size_t bytes;
    unsigned char mask[4];
};

static bool read_all(int fd, void *to, size_t bytes)
{
    for (size_t got = 0; got < bytes;) {
        ssize_t n = recv(fd, (char *)to + got, bytes - got, 0);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

static void write_all(int fd, const void *from, size_t bytes)
{
    for (size_t sent = 0; sent < bytes;) {
        ssize_t n = send(fd, (const char *)from + sent, bytes - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        sent += (size_t)n;
    }
}

bool peer_accept(int fd)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    char head[HEAD_BYTES_MAX] = "", joined[256], digest_text[64], reply[256];
    unsigned char digest[20];
    for (size_t at = 0; strstr(head, "\r\n\r\n") == NULL; at++) {
        demand(at + 1 < sizeof(head), "the head of a websocket request is too long");
        if (!read_all(fd, head + at, 1)) {
            return false;
        }
    }
    const char *key = strcasestr(head, name);
    demand(key != NULL, "no websocket request: %s", head);
    key += sizeof(name) - 1;
    snprintf(joined, sizeof(joined), "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
             (int)strcspn(key, "\r\n"), key);
    lws_SHA1((unsigned char *)joined, strlen(joined), digest);
    lws_b64_encode_string((char *)digest, sizeof(digest), digest_text, sizeof(digest_text));
    snprintf(reply, sizeof(reply),
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
             digest_text);
    write_all(fd, reply, strlen(reply));
    return true;
}

static bool read_head(int fd, struct frame *ret)
{
    unsigned char head[2], length[8];
    if (!read_all(fd, head, sizeof(head))) {
        return false;
    }
    demand((head[1] & 0x80) != 0, "a client's frame is not masked");
    *ret = (struct frame){.opcode = head[0] & 0x0f, .is_final = (head[0] & 0x80) != 0};
    ret->bytes = head[1] & 0x7f;
    size_t extra = ret->bytes == 126 ? 2 : (ret->bytes == 127 ? 8 : 0);
    if (!read_all(fd, length, extra)) {
        return false;
    }
    for (size_t i = 0; i < extra; i++) {
        ret->bytes = (i == 0 ? 0 : ret->bytes << 8) | length[i];
    }
    return read_all(fd, ret->mask, sizeof(ret->mask));
}

static void send_frame(int fd, unsigned char first, const char *payload, size_t bytes)
{
    unsigned char head[10] = {first, (unsigned char)bytes};
    size_t extra = bytes < 126 ? 0 : (bytes < 65536 ? 2 : 8);
    if (extra > 0) {
        head[1] = extra == 2 ? 126 : 127;
        for (size_t i = 0; i < extra; i++) {
            head[2 + i] = (unsigned char)((uint64_t)bytes >> (8 * (extra - 1 - i)));
        }
    }
    write_all(fd, head, 2 + extra);
    write_all(fd, payload, bytes);
}

/* Appends the payload of a frame, with a NUL behind it. */
static bool read_payload(int fd, const struct frame *frame, char **text, size_t *bytes)
{
    char *grown = realloc(*text, *bytes + frame->bytes + 1);
    demand(grown != NULL, "no memory for a message");
    *text = grown;
    if (!read_all(fd, grown + *bytes, frame->bytes)) {
        return false;
    }
    for (size_t i = 0; i < frame->bytes; i++) {
        grown[*bytes + i] = (char)(grown[*bytes + i] ^ frame->mask[i % 4]);
    }
    *bytes += frame->bytes;
    grown[*bytes] = '\0';
    return true;
}

char *peer_read(int fd)
{
    char *message = NULL, *control = NULL;
    size_t message_bytes = 0, control_bytes = 0;
    struct frame frame;
    while (read_head(fd, &frame)) {
        bool is_control = frame.opcode >= OPCODE_CLOSE;
        control_bytes = 0;
        if (!read_payload(fd, &frame, is_control ? &control : &message,
                          is_control ? &control_bytes : &message_bytes) ||
            frame.opcode == OPCODE_CLOSE) {
            break;
        }
        if (frame.opcode == OPCODE_PING) {
            send_frame(fd, 0x8a, control, control_bytes);
        } else if (!is_control && frame.is_final) {
            free(control);
            return message;
        }
    }
    free(control);
    free(message);
    return NULL;
}

void peer_send(int fd, const char *text)
{
    send_frame(fd, 0x81, text, strlen(text));
}
