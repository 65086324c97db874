/* tokens.c: reading the tokens file and comparing with it; see tokens.h. */
#include "http/tokens.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/text.h"

#define TOKEN_BYTES_MAX 256
#define TOKENS_MAX 1024 /* Each request is compared with all of them. */
#define TOKEN_LINE_BYTES 1024

struct token {
    enum token_scope scope;
    size_t bytes;
    unsigned char value[TOKEN_BYTES_MAX]; /* Padded with zeros. */
};

struct tokens {
    size_t count;
    struct token items[];
};

static bool scope_parse(const char *word, size_t count, enum token_scope *ret)
{
    if (text_equal_nocase(word, count, "render"))
        *ret = TOKEN_RENDER;
    else if (text_equal_nocase(word, count, "admin"))
        *ret = TOKEN_ADMIN;
    else
        return false;
    return true;
}

/* One line into *ret. An empty line or comment is fine and sets *ret_found to false. NULL,
 * or what is wrong; the text of a line is never shown, since it may hold a token. */
static const char *line_parse(const char *line, struct token *ret, bool *ret_found)
{
    const char *cursor = line, *scope, *value;
    size_t scope_bytes, value_bytes, rest_bytes;
    *ret_found = false;
    if (!text_list_next(&cursor, &scope, &scope_bytes) || scope[0] == '#')
        return NULL;
    memset(ret, 0, sizeof(*ret));
    if (!scope_parse(scope, scope_bytes, &ret->scope))
        return "must begin with \"render\" or \"admin\"";
    cursor += strspn(cursor, " \t");
    value = cursor;
    value_bytes = strcspn(value, " \t");
    rest_bytes = strlen(value + value_bytes);
    if (value_bytes == 0)
        return "has no token after its scope";
    if (value_bytes > TOKEN_BYTES_MAX)
        return "has a token of more than 256 bytes";
    if (strspn(value + value_bytes, " \t") != rest_bytes)
        return "has something after its token";
    memcpy(ret->value, value, value_bytes);
    ret->bytes = value_bytes;
    *ret_found = true;
    return NULL;
}

static int tokens_read(FILE *file, const char *path, struct tokens *tokens,
                       char error[CONFIG_ERROR_BYTES])
{
    char line[TOKEN_LINE_BYTES];
    size_t number = 0;
    while (fgets(line, sizeof(line), file)) {
        number++;
        size_t length = strcspn(line, "\r\n");
        bool is_whole = line[length] != '\0' || feof(file);
        line[length] = '\0';
        bool found = false;
        const char *wrong = "is too long";
        if (is_whole && tokens->count < TOKENS_MAX)
            wrong = line_parse(line, &tokens->items[tokens->count], &found);
        else if (is_whole)
            wrong = "is one token more than the 1024 that are possible";
        if (wrong) {
            snprintf(error, CONFIG_ERROR_BYTES, "http.tokens_file: line %zu of \"%s\" %s.", number,
                     path, wrong);
            return -EINVAL;
        }
        tokens->count += found ? 1 : 0;
    }
    if (ferror(file)) {
        int code = errno > 0 ? errno : EIO;
        snprintf(error, CONFIG_ERROR_BYTES, "http.tokens_file: cannot read \"%s\": %s.", path,
                 strerror(code));
        return -code;
    }
    if (tokens->count == 0) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "http.tokens_file: \"%s\" holds no token; write lines such as \"render TOKEN\" or "
                 "leave the knob empty.",
                 path);
        return -EINVAL;
    }
    return 0;
}

int tokens_load(const char *path, struct tokens **ret, char error[CONFIG_ERROR_BYTES])
{
    assert(path && path[0]);
    size_t size = sizeof(struct tokens) + TOKENS_MAX * sizeof(struct token);
    struct tokens *tokens = calloc(1, size);
    FILE *file = fopen(path, "re");
    int result = -ENOMEM;
    if (!file) {
        result = -errno;
        snprintf(error, CONFIG_ERROR_BYTES, "http.tokens_file: cannot open \"%s\": %s.", path,
                 strerror(-result));
    } else if (!tokens) {
        snprintf(error, CONFIG_ERROR_BYTES, "http.tokens_file: out of memory.");
    } else {
        result = tokens_read(file, path, tokens, error);
    }
    if (file)
        (void)fclose(file);
    if (result == 0) {
        struct tokens *fit =
            realloc(tokens, sizeof(*tokens) + tokens->count * sizeof(struct token));
        *ret = fit ? fit : tokens;
    } else {
        free(tokens);
    }
    return result;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    explicit_bzero(tokens->items, tokens->count * sizeof(struct token));
    free(tokens);
}

/* Looks at every byte whatever it finds, so that the time does not tell where they differ. */
static unsigned difference(const struct token *token, const unsigned char *value, size_t bytes)
{
    unsigned bits = (unsigned)(token->bytes ^ bytes);
    for (size_t i = 0; i < TOKEN_BYTES_MAX; i++)
        bits |= (unsigned)(token->value[i] ^ value[i]);
    return bits;
}

enum token_scope tokens_scope(const struct tokens *tokens, const char *token, size_t bytes)
{
    assert(tokens && token);
    unsigned char value[TOKEN_BYTES_MAX] = {0};
    enum token_scope best = TOKEN_NONE;
    if (bytes == 0 || bytes > TOKEN_BYTES_MAX)
        return TOKEN_NONE;
    memcpy(value, token, bytes);
    for (size_t i = 0; i < tokens->count; i++) {
        bool same = difference(&tokens->items[i], value, bytes) == 0;
        if (same && tokens->items[i].scope > best)
            best = tokens->items[i].scope;
    }
    explicit_bzero(value, sizeof(value));
    return best;
}
