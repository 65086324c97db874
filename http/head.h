/* head.h: what is looked at in the head of a request, apart from where it came from.
 * All strings are borrowed from the connection for the length of the request. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "http/network.h"

/* Several Accept headers count as one list; what exceeds this is not looked at. */
#define HEAD_ACCEPT_BYTES 1024

struct head {
    const char *method;
    const char *version; /* "HTTP/1.1" */
    const char *target;  /* As sent: path and query, not decoded. */
    size_t head_bytes;
    bool tcp;                       /* Host and origin rules hold on TCP only. */
    struct address peer;            /* TCP: who called. */
    char accept[HEAD_ACCEPT_BYTES]; /* "": none was sent. */
    const char *host, *origin, *sec_fetch_site;
    const char *authorization, *prerender_token;
    const char *request_id, *dialect_request_id;
    const char *prerender, *prerender_int_type; /* X-Prerender, X-Prerender-Int-Type. */
    const char *accept_encoding;
    const char *content_encoding, *content_length, *transfer_encoding, *expect;
    const char *broken_name; /* A header name that is no token, or NULL. */
    uint32_t hosts_count, content_lengths_count, transfer_encodings_count;
};

#endif
