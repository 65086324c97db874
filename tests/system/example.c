/* example.c: see example.h. */
#include "tests/system/example.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/system/harness.h"

#define FOLDER "config/recipe-example/"
#define KNOBS_MAX 48

struct example {
    char texts[KNOBS_MAX][PATH_MAX + 128];
    const char *list[KNOBS_MAX + 1];
    size_t count;
};

static char *next_text(struct example *example)
{
    demand(example->count < KNOBS_MAX, "too many knobs");
    char *text = example->texts[example->count];
    example->list[example->count++] = text;
    return text;
}

static void add(struct example *example, const char *route, const char *key, const char *value)
{
    (void)snprintf(next_text(example), sizeof example->texts[0], "--recipe.%s.%s=%s", route, key,
                   value);
}

static void add_script(struct example *example, const char *route, const char *key,
                       const char *file)
{
    char found[PATH_MAX], relative[64];
    (void)snprintf(relative, sizeof relative, FOLDER "%s", file);
    harness_find_above(relative, found);
    add(example, route, key, found);
}

static void add_recipe(struct example *example, const char *route, const char *transition,
                       const char *standby)
{
    add(example, route, "standby_url", standby);
    add(example, route, "standby_selector", "main#ready");
    add_script(example, route, "before_file", "before.js");
    add_script(example, route, "transition_file", transition);
    add_script(example, route, "ready_expression_file", "ready.js");
    add_script(example, route, "result_file", "result.js");
}

struct example *example_new(const char *standby, const char *const *more)
{
    struct example *example = calloc(1, sizeof *example);
    demand(example != NULL, "no memory for knobs");
    add_recipe(example, "visit", "visit.js", standby);
    add_recipe(example, "module", "module.js", standby);
    add_recipe(example, "command", "command.js", standby);
    add_recipe(example, "screenshot", "visit.js", standby);
    for (size_t i = 0; more[i] != NULL; i++)
        (void)snprintf(next_text(example), sizeof example->texts[0], "%s", more[i]);
    return example;
}

const char *const *example_knobs(const struct example *example)
{
    return example->list;
}

void example_free(struct example *example)
{
    free(example);
}
