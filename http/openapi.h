/* openapi.h: the interface as an OpenAPI document, from the tables that it is made of: routes,
 * parameters and error codes. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include <jansson.h>

/* The caller decrefs; NULL when memory is out. */
json_t *openapi_tree(void);

#endif
