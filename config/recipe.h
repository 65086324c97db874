/* recipe.h: how a route of the manager's dialect is served by a warm page of an application
 * that is driven by script rather than by navigation.
 *
 * The page shows the standby document, loaded ahead of need. A request then evaluates, in
 * the world of that document, what the files of the recipe hold, one expression each:
 *
 *   before      prepares the page, such as by putting tokens into its storage
 *   transition  brings it to what the request asks for
 *   ready       is truthy when it is there; asked again and again, as wait.expression
 *   result      is the object that is answered
 *
 * An expression that is a function is called with the attributes of the request. What the
 * first two and the last return is awaited. */
#ifndef CONFIG_RECIPE_H
#define CONFIG_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

/* A recipe is at least its standby document, its transition and its result. */
enum recipe_route { RECIPE_VISIT, RECIPE_MODULE, RECIPE_COMMAND, RECIPE_SCREENSHOT, RECIPES };

struct recipe {
    /* Knobs, "" when unset. */
    char *standby_url, *standby_selector;
    char *before_file, *transition_file, *ready_expression_file, *result_file;
    uint32_t timeout_ms; /* From the grant; never more than manager.render_timeout_ms. */
    /* What is in the files; NULL when there is none. Valid UTF-8 without NUL. */
    char *before, *transition, *ready, *result;
};

struct config;
struct loader;

bool recipe_is_set(const struct recipe *);
/* Checks that recipes are whole and reads their files. 0, or a negative errno with the
 * sentence written. */
int recipes_read(struct loader *);
/* The first knob whose file holds another script, or one more or less; NULL: none. */
const char *recipes_changed_knob(const struct recipe a[RECIPES], const struct recipe b[RECIPES]);
/* Frees what recipes_read() has read; the knobs are freed with the others. */
void recipes_free(struct config *);

#endif
