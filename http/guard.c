/* guard.c: who may call; see guard.h. */
#include "http/guard.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <strings.h>
#include "http/text.h"

#define PASSWORD_BYTES_MAX 512
#define HOST_BYTES_MAX 256

bool guard_framing(const struct head *head, struct fault *fault)
{
    fault->close = true; /* Where a body ends is unclear in all of these. */
    char shown[TEXT_QUOTE_BYTES];
    if (head->broken_name) /* "Content-Length :" is a length to some readers and not to others. */
        return fault_set(fault, HTTP_INVALID_PARAM, NULL, "The header name \"%s\" is not valid.",
                         text_quote(shown, head->broken_name, strlen(head->broken_name)));
    if (head->hosts_count > 1)
        return fault_set(fault, HTTP_INVALID_PARAM, "Host", "There are %u Host headers; send one.",
                         head->hosts_count);
    if (head->hosts_count == 0 && strcasecmp(head->version, "HTTP/1.0") != 0)
        return fault_set(fault, HTTP_INVALID_PARAM, "Host",
                         "There is no Host header; HTTP/1.1 needs one.");
    if (head->content_lengths_count > 1)
        return fault_set(fault, HTTP_INVALID_PARAM, "Content-Length",
                         "There are %u Content-Length headers; send one.",
                         head->content_lengths_count);
    if (head->content_lengths_count > 0 && head->transfer_encodings_count > 0)
        return fault_set(
            fault, HTTP_INVALID_PARAM, "Transfer-Encoding",
            "There are both a Content-Length and a Transfer-Encoding; send one of them.");
    bool is_chunked =
        head->transfer_encodings_count == 1 && strcasecmp(head->transfer_encoding, "chunked") == 0;
    if (head->transfer_encodings_count > 0 && !is_chunked)
        return fault_set(fault, HTTP_INVALID_PARAM, "Transfer-Encoding",
                         "The only Transfer-Encoding that is understood is \"chunked\".");
    fault->close = false;
    return true;
}

/* The host of "host", "host:port", "[v6]", "[v6]:port", without brackets and port. */
static bool host_split(const char *text, const char **ret, size_t *ret_count)
{
    const char *end;
    if (text[0] == '[') {
        end = strchr(text, ']');
        if (!end)
            return false;
        *ret = text + 1;
    } else {
        end = text + strcspn(text, ":/?#");
        *ret = text;
    }
    *ret_count = (size_t)(end - *ret);
    return *ret_count > 0 && *ret_count < HOST_BYTES_MAX;
}

static bool host_is_literal(const char *host, size_t count)
{
    char copy[HOST_BYTES_MAX];
    unsigned char address[sizeof(struct in6_addr)];
    assert(count < sizeof(copy));
    memcpy(copy, host, count);
    copy[count] = '\0';
    return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

static bool host_is_same(const char *host, size_t count, const char *other, size_t other_count)
{
    return count == other_count && strncasecmp(host, other, count) == 0;
}

static bool host_is_allowed(const char *host, size_t count, const struct config *config)
{
    if (host_is_same(host, count, "localhost", strlen("localhost")))
        return true;
    const char *item;
    size_t item_count;
    const char *scheme = strstr(config->manager.advertise_url, "://");
    if (scheme && host_split(scheme + strlen("://"), &item, &item_count) &&
        host_is_same(host, count, item, item_count))
        return true;
    const char *cursor = config->http.allowed_hosts;
    while (text_list_next(&cursor, &item, &item_count)) {
        if (host_is_same(host, count, item, item_count))
            return true;
    }
    return host_is_literal(host, count);
}

bool guard_host(const struct head *head, const struct config *config, struct fault *fault)
{
    if (!head->tcp || !head->host)
        return true; /* Without Host only HTTP/1.0 gets here, and no web page speaks that. */
    const char *host;
    size_t count;
    if (host_split(head->host, &host, &count)) {
        if (host[count - 1] == '.' && count > 1)
            count--; /* A fully qualified name is the same name. */
        if (host_is_allowed(host, count, config))
            return true;
    }
    char shown[TEXT_QUOTE_BYTES];
    text_quote(shown, head->host, strlen(head->host));
    return fault_set(fault, HTTP_HOST_DENIED, "Host",
                     "The Host \"%s\" is not served; call by IP address or localhost, or add the "
                     "name to http.allowed_hosts.",
                     shown);
}

static bool origin_is_allowed(const char *origin, const struct config *config)
{
    const char *cursor = config->http.allowed_origins, *item;
    size_t count;
    while (text_list_next(&cursor, &item, &count)) {
        if (text_equal_nocase(item, count, origin))
            return true;
    }
    return false;
}

bool guard_origin(const struct head *head, const struct config *config, struct fault *fault)
{
    if (!head->tcp)
        return true;
    char shown[TEXT_QUOTE_BYTES];
    if (head->origin) {
        if (origin_is_allowed(head->origin, config))
            return true;
        text_quote(shown, head->origin, strlen(head->origin));
        return fault_set(fault, HTTP_CROSS_ORIGIN, "Origin",
                         "A web page of the origin \"%s\" may not call; add it to "
                         "http.allowed_origins if it should.",
                         shown);
    }
    const char *site = head->sec_fetch_site;
    if (!site || strcasecmp(site, "same-origin") == 0 || strcasecmp(site, "none") == 0)
        return true;
    text_quote(shown, site, strlen(site));
    return fault_set(fault, HTTP_CROSS_ORIGIN, "Sec-Fetch-Site",
                     "A web page of another origin (Sec-Fetch-Site: %s) may not call; add its "
                     "origin to http.allowed_origins if it should.",
                     shown);
}

/* What follows an authentication scheme, or NULL when it is another. */
static const char *after_scheme(const char *value, const char *scheme)
{
    size_t length = strlen(scheme);
    if (strncasecmp(value, scheme, length) != 0 || value[length] != ' ')
        return NULL;
    return value + length + strspn(value + length, " ");
}

static enum token_scope basic_scope(const struct tokens *tokens, const char *encoded)
{
    char pair[PASSWORD_BYTES_MAX];
    size_t bytes;
    if (!text_base64_decode(encoded, strlen(encoded), pair, sizeof(pair), &bytes))
        return TOKEN_NONE;
    const char *colon = memchr(pair, ':', bytes);
    enum token_scope scope = TOKEN_NONE;
    if (colon)
        scope = tokens_scope(tokens, colon + 1, bytes - (size_t)(colon + 1 - pair));
    explicit_bzero(pair, sizeof(pair));
    return scope;
}

static enum token_scope head_scope(const struct head *head, const struct tokens *tokens)
{
    enum token_scope scope = TOKEN_NONE;
    if (head->prerender_token)
        scope = tokens_scope(tokens, head->prerender_token, strlen(head->prerender_token));
    if (!head->authorization)
        return scope;
    enum token_scope other = TOKEN_NONE;
    const char *bearer = after_scheme(head->authorization, "Bearer");
    const char *basic = after_scheme(head->authorization, "Basic");
    if (bearer)
        other = tokens_scope(tokens, bearer, strlen(bearer));
    else if (basic)
        other = basic_scope(tokens, basic);
    return other > scope ? other : scope;
}

bool guard_token(const struct head *head, const struct tokens *tokens, enum token_scope needed,
                 struct fault *fault)
{
    if (!tokens || needed == TOKEN_NONE)
        return true;
    enum token_scope scope = head_scope(head, tokens);
    if (scope >= needed)
        return true;
    const char *word = needed == TOKEN_ADMIN ? "admin" : "render";
    if (scope != TOKEN_NONE)
        return fault_set(fault, HTTP_UNAUTHORIZED, "Authorization",
                         "The token is valid, but this route needs one of scope \"%s\".", word);
    bool given = head->authorization || head->prerender_token;
    return fault_set(fault, HTTP_UNAUTHORIZED, "Authorization",
                     "%s; send a token of scope \"%s\" as \"Authorization: Bearer TOKEN\", "
                     "X-Prerender-Token or Basic password.",
                     given ? "The token is unknown" : "There is no token", word);
}

bool guard_manager(const struct head *head, const struct config *config, struct fault *fault)
{
    char shown[64];
    if (network_lists(config->manager.allow_from, &head->peer))
        return true;
    return fault_set(fault, HTTP_HOST_DENIED, NULL,
                     "%s may not call the manager's routes; add it to manager.allow_from if it "
                     "should.",
                     address_text(&head->peer, shown, sizeof(shown)));
}
