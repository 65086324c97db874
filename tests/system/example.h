/* example.h: the knobs of config/recipe-example, with the paths of this machine. */
#ifndef TESTS_SYSTEM_EXAMPLE_H
#define TESTS_SYSTEM_EXAMPLE_H

struct example;

/* A recipe for every route, all with that standby document; then `more`, which is copied and
 * has NULL at its end. */
struct example *example_new(const char *standby, const char *const *more);
/* For a launch; valid until example_free(). */
const char *const *example_knobs(const struct example *);
void example_free(struct example *);

#endif
