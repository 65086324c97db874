/* config_case.h: loads a configuration from texts, for the tests of config/. */
#ifndef TESTS_CONFIG_CASE_H
#define TESTS_CONFIG_CASE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config/config.h"

#define CASE_WORDS_MAX 8

/* What is loaded and what came of it. NULL-terminated lists; no `file`: an empty one. */
struct config_case {
    const char *arguments[CASE_WORDS_MAX];
    const char *variables[CASE_WORDS_MAX];
    const char *file;
    int rc;
    struct config config;
    enum config_verb verb;
    char error[CONFIG_ERROR_BYTES];
    char warnings[4096]; /* One per line. */
    char path[64];       /* Of the file. */
};

static inline void config_case_warn(void *owner, const char *sentence)
{
    struct config_case *test = owner;
    size_t used = strlen(test->warnings);
    snprintf(test->warnings + used, sizeof test->warnings - used, "%s\n", sentence);
}

/* Writes the file to a name of its own. It is removed by config_case_end(). */
static inline void config_case_write(struct config_case *test)
{
    snprintf(test->path, sizeof test->path, "/tmp/prerenderd-test-XXXXXX");
    int fd = mkstemp(test->path);
    assert(fd >= 0);
    size_t bytes = strlen(test->file);
    assert(write(fd, test->file, bytes) == (ssize_t)bytes);
    close(fd);
}

static inline void config_case_load(struct config_case *test)
{
    char config_word[80], *arguments[CASE_WORDS_MAX + 3], *variables[CASE_WORDS_MAX + 1];
    int count = 0;
    if (test->file) {
        config_case_write(test);
    }
    snprintf(config_word, sizeof config_word, "--config=%s", test->file ? test->path : "/dev/null");
    arguments[count++] = (char *)"prerenderd";
    arguments[count++] = config_word;
    for (size_t i = 0; i < CASE_WORDS_MAX && test->arguments[i]; i++) {
        arguments[count++] = (char *)test->arguments[i];
    }
    arguments[count] = NULL;
    memcpy(variables, test->variables, sizeof test->variables);
    variables[CASE_WORDS_MAX] = NULL;
    memset(&test->config, 0xa5, sizeof test->config);
    test->rc = config_load_with_warnings(count, arguments, variables, config_case_warn, test,
                                         &test->config, &test->verb, test->error);
}

static inline void config_case_end(struct config_case *test)
{
    if (test->rc == 0) {
        config_free(&test->config);
    }
    if (test->path[0] != '\0') {
        unlink(test->path);
    }
}

/* What one of the printers writes; to be freed. */
static inline char *config_case_print(const struct config *config)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    assert(stream);
    if (config) {
        config_print(config, stream);
    } else {
        config_print_defaults(stream);
    }
    fclose(stream);
    return text;
}

#endif
