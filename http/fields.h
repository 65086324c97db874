/* fields.h: values into the members of struct render_params, row by row, and the rules
 * that hold between them. Shared by JSON bodies (body.h) and the GET form (form.h). Pure. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"
#include "config/params.h"
#include "http/problem.h"

/* Each of these stores a value of the row's own type, or sets the fault. */
bool field_set_string(const struct config *, struct render_params *, const struct param_row *,
                      const char *value, size_t bytes, struct fault *);
bool field_set_integer(const struct config *, struct render_params *, const struct param_row *,
                       int64_t value, struct fault *);
/* Adds one string to an array. */
bool field_add_string(const struct config *, struct render_params *, const struct param_row *,
                      const char *value, size_t bytes, struct fault *);
bool field_set_boolean(struct render_params *, const struct param_row *, bool value);
/* A value of another type was given; `shown` is how it reads. */
bool field_mismatch(const struct config *, const struct param_row *, const char *shown,
                    struct fault *);
/* The defaults of the table with those of the knobs over them. */
void fields_init(const struct config *, struct render_params *);
/* The rules between parameters, once all are stored. */
bool fields_check(const struct render_params *, struct fault *);

#endif
