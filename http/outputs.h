/* outputs.h: in which form the outputs of a render are answered. Pure. */
#ifndef HTTP_OUTPUTS_H
#define HTTP_OUTPUTS_H

#include <stdbool.h>
#include "http/http.h"
#include "http/problem.h"

/* What an Accept header allows, before it is known which outputs are asked for. */
struct http_forms outputs_forms(const char *accept);
/* Once they are: sets .accept and .params.wants_envelope, and makes an expression of
 * .params.javascript. False: none of the forms that the
 * answer could have is accepted; the fault names them. */
bool outputs_settle(struct http_request *, struct fault *);

#endif
