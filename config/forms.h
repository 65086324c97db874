/* forms.h: what the texts among the knobs must look like. Each answers whether all of
 * `text`, which is not blank, has its form; nothing is looked up. */
#ifndef CONFIG_FORMS_H
#define CONFIG_FORMS_H

#include <stdbool.h>
#include <stddef.h>

/* Lists are separated by blanks and commas. Finds the first item of *list and moves *list
 * behind it; 0 bytes: there is none left. */
const char *form_next_item(const char **list, size_t *ret_bytes);

bool form_is_listen(const char *text);
bool form_is_http_url(const char *text);
bool form_is_websocket_url(const char *text);
bool form_is_hosts(const char *text);
bool form_is_origins(const char *text);
bool form_is_networks(const char *text);
bool form_is_user(const char *text);

/* Whether an item of `listen` can be reached from this machine only. */
bool form_is_local_listener(const char *item, size_t item_bytes);
/* Whether the host of an http URL is this machine. */
bool form_is_local_url(const char *url);
/* The port of the first TCP listener; 0: there is none, or the system is to choose it. */
unsigned form_listen_port(const char *list);

#endif
