/* registry.h: what the manager of the tests knows of its servers, and where it sends a
 * request. Safe to call from several threads. */
#ifndef TESTS_SYSTEM_REGISTRY_H
#define TESTS_SYSTEM_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>

struct registry;

struct registry *registry_new(void);
/* Answers what is for the manager itself. The status, 0: to be proxied. *ret_text, if any,
 * is malloc()ed. */
long registry_handle(struct registry *, const char *method, const char *target, const json_t *json,
                     char headers[512], char **ret_text);
/* The URL of the server for that request, and assigns its affinity. False: none is left. */
bool registry_choose(struct registry *, const json_t *request, const json_t *tried, char ret[512]);
/* Which servers have held the affinity of that release since the last one: an array of URLs,
 * which the caller decrefs and which counts as told. NULL: it does not say which. */
json_t *registry_release(struct registry *, const json_t *release);
void registry_prune(struct registry *, const char *url);
void registry_note_proxied(struct registry *, const json_t *request, const char *url, long status,
                           size_t tries);

#endif
