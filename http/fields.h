/* fields.h: values into the members that rows of config/params.h name, one by one. Shared by
 * JSON bodies (body.h) and the GET form (form.h). Pure. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"
#include "config/params.h"
#include "http/problem.h"

/* Where a value goes: to the member of `row` in the struct at `base`. */
struct field {
    const struct config *config;
    const struct param_row *row;
    void *base;
};

/* Each of these stores a value of the row's own type, or sets the fault. */
bool field_set_string(const struct field *, const char *value, size_t bytes, struct fault *);
bool field_set_integer(const struct field *, int64_t value, struct fault *);
bool field_set_number(const struct field *, double value, struct fault *);
bool field_set_boolean(const struct field *, bool value);
/* One of the choices, by name. */
bool field_set_choice(const struct field *, const char *value, size_t bytes, struct fault *);
/* Adds a choice to a set; the first one takes the place of the default. */
bool field_add_choice(const struct field *, bool is_first, const char *value, size_t bytes,
                      struct fault *);
/* Adds one item to an array or a map. */
bool field_add_string(const struct field *, const char *value, size_t bytes, struct fault *);
bool field_add_integer(const struct field *, int64_t value, struct fault *);
bool field_add_pair(const struct field *, const char *name, const char *value, size_t bytes,
                    struct fault *);
/* Adds a record of defaults and returns where its members go; NULL: the fault. */
void *field_add_record(const struct field *, struct fault *);
/* A value of another type was given; `shown` is how it reads. */
bool field_mismatch(const struct field *, const char *shown, struct fault *);
/* The row has a value already, be it under its other name. */
bool field_given_twice(const struct param_row *, struct fault *);
/* The defaults of the table with those of the knobs over them. */
void fields_init(const struct config *, struct render_params *);

#endif
