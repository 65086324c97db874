/* problem.h: what is wrong with a request, and the document that says so (RFC 9457). */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include "http/http.h"

#define FAULT_PARAM_BYTES 72
#define FAULT_DETAIL_BYTES 480

/* Why a request is answered here and never reaches the daemon. */
struct fault {
    enum http_code code;             /* HTTP_CODES: nothing is wrong. */
    const char *allow;               /* HTTP_METHOD_NOT_ALLOWED: the value of Allow. Static. */
    bool close;                      /* The framing of this connection cannot be trusted further. */
    char param[FAULT_PARAM_BYTES];   /* "": none. */
    char detail[FAULT_DETAIL_BYTES]; /* One sentence. */
};

void fault_init(struct fault *);
bool fault_is_set(const struct fault *);
/* Sets the fault, cleaned for any encoder; `param` may be NULL. Always returns false, so
 * that a check can end in it. */
bool fault_set(struct fault *, enum http_code, const char *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The problem that answers a fault, of whose strings it borrows. */
struct http_problem fault_problem(const struct fault *);

/* The document of a problem, from malloc(); NULL when memory is out. */
char *problem_body(const struct http_problem *, const char *request_id, bool plain,
                   size_t *ret_bytes);
const char *problem_content_type(bool plain);

#endif
