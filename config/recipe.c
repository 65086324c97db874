/* recipe.c: the files of the recipes; see recipe.h. */
#include "config/recipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/knobs.h"
#include "config/load.h"

/* A script is evaluated with every request: what is larger belongs into the application. */
#define SCRIPT_BYTES_MAX (256 * 1024)

/* In the order of enum recipe_route. */
static const char *const route_names[RECIPES] = {"visit", "module", "command", "screenshot"};

bool recipe_is_set(const struct recipe *recipe)
{
    return recipe->result != NULL;
}

/* The bytes after the first of a UTF-8 sequence; -1: no sequence begins so. */
static int continuations(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* Overlong forms of three and four bytes, surrogates, and what is beyond U+10FFFF. */
static bool is_odd(unsigned char first, unsigned char second)
{
    return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
           (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
}

static bool is_utf8(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
    while (at < end) {
        int count = continuations(*at);
        if (*at == 0 || count < 0 || count >= end - at || (count > 0 && is_odd(at[0], at[1])))
            return false;
        for (int i = 1; i <= count; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
        }
        at += 1 + count;
    }
    return true;
}

/* Where one script comes from and goes to. */
struct script {
    const char *route, *key, *path;
    char **text;
};

static int fail(struct loader *loader, const struct script *script, const char *reason)
{
    return loader_fail(loader, "recipe.%s.%s is \"%.150s\", %s", script->route, script->key,
                       script->path, reason);
}

static int take(struct loader *loader, const struct script *script, char *text, size_t bytes)
{
    if (bytes > SCRIPT_BYTES_MAX)
        return fail(loader, script, "but a script may have at most 262144 bytes");
    if (!is_utf8(text, bytes))
        return fail(loader, script, "but a script must be UTF-8 without NUL bytes");
    text[bytes] = '\0';
    if (text[strspn(text, " \t\r\n")] == '\0')
        return fail(loader, script, "but a script must hold an expression");
    *script->text = text;
    return 0;
}

static int read_script(struct loader *loader, const struct script *script)
{
    char reason[200];
    if (script->path[0] == '\0')
        return 0;
    FILE *stream = fopen(script->path, "re");
    char *text = stream ? malloc(SCRIPT_BYTES_MAX + 2) : NULL;
    size_t bytes = text ? fread(text, 1, SCRIPT_BYTES_MAX + 1, stream) : 0;
    int rc = 0;
    if (!text || ferror(stream)) {
        snprintf(reason, sizeof reason, "which cannot be read: %s", strerror(errno));
        rc = fail(loader, script, reason);
    } else {
        rc = take(loader, script, text, bytes);
    }
    if (rc != 0)
        free(text);
    if (stream)
        fclose(stream);
    return rc;
}

static const char *first_set(const struct recipe *recipe)
{
    const struct {
        const char *key, *value;
    } knobs_set[] = {
        {"standby_url", recipe->standby_url},
        {"standby_selector", recipe->standby_selector},
        {"before_file", recipe->before_file},
        {"transition_file", recipe->transition_file},
        {"ready_expression_file", recipe->ready_expression_file},
        {"result_file", recipe->result_file},
    };
    for (size_t i = 0; i < sizeof knobs_set / sizeof knobs_set[0]; i++) {
        if (knobs_set[i].value[0] != '\0')
            return knobs_set[i].key;
    }
    return NULL;
}

static int read_recipe(struct loader *loader, const char *route, struct recipe *recipe)
{
    const struct {
        const char *key, *value;
    } required[] = {
        {"standby_url", recipe->standby_url},
        {"transition_file", recipe->transition_file},
        {"result_file", recipe->result_file},
    };
    const struct script scripts[] = {
        {route, "before_file", recipe->before_file, &recipe->before},
        {route, "transition_file", recipe->transition_file, &recipe->transition},
        {route, "ready_expression_file", recipe->ready_expression_file, &recipe->ready},
        {route, "result_file", recipe->result_file, &recipe->result},
    };
    const char *set = first_set(recipe);
    for (size_t i = 0; set && i < sizeof required / sizeof required[0]; i++) {
        if (required[i].value[0] == '\0')
            return loader_fail(loader, "recipe.%s.%s is not set, but must be, as recipe.%s.%s is",
                               route, required[i].key, route, set);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof scripts / sizeof scripts[0]; i++)
        rc = read_script(loader, &scripts[i]);
    return rc;
}

int recipes_read(struct loader *loader)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < RECIPES; i++)
        rc = read_recipe(loader, route_names[i], &loader->config.recipes[i]);
    return rc;
}

static bool is_same_script(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The key of the first script that differs, or NULL. */
static const char *changed_key(const struct recipe *a, const struct recipe *b)
{
    if (!is_same_script(a->before, b->before)) {
        return "before_file";
    }
    if (!is_same_script(a->transition, b->transition)) {
        return "transition_file";
    }
    if (!is_same_script(a->ready, b->ready)) {
        return "ready_expression_file";
    }
    return is_same_script(a->result, b->result) ? NULL : "result_file";
}

const char *recipes_changed_knob(const struct recipe a[RECIPES], const struct recipe b[RECIPES])
{
    char name[64];
    for (int i = 0; i < RECIPES; i++) {
        const char *key = changed_key(&a[i], &b[i]);
        if (key) {
            snprintf(name, sizeof name, "recipe.%s.%s", route_names[i], key);
            const struct knob *knob = knob_find(name);
            assert(knob);
            return knob->name;
        }
    }
    return NULL;
}

void recipes_free(struct config *config)
{
    for (int i = 0; i < RECIPES; i++) {
        struct recipe *recipe = &config->recipes[i];
        char **const texts[] = {&recipe->before, &recipe->transition, &recipe->ready,
                                &recipe->result};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
            free(*texts[j]);
            *texts[j] = NULL;
        }
    }
}
