/* heartbeat_text.c: see heartbeat_text.h. */
#include "daemon/heartbeat_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/json_text.h"
#include "daemon/keys.h"
#include "pool/pool.h"

/* The lists of the document, which one pass over the pool fills. */
enum list_name { LIST_WARMED, LIST_VACANCIES, LIST_WARMING, LISTS };

struct list {
    FILE *stream; /* NULL: out of memory. */
    char *text;
    size_t bytes;
    bool has_items, is_broken; /* Memory ran out on the way. */
};

static void list_open(struct list *list)
{
    *list = (struct list){.stream = open_memstream(&list->text, &list->bytes)};
}

/* False when memory ran out on the way. */
static bool list_close(struct list *list)
{
    return list->stream != NULL && fclose(list->stream) == 0 && !list->is_broken;
}

/* A key of a client, without the byte of its key space. */
static void write_key(struct list *list, const struct pool_affinity *affinity)
{
    if (list->has_items)
        (void)fputc(',', list->stream);
    list->has_items = true;
    if (!json_text_string(list->stream, affinity->key + 1, affinity->key_bytes - 1))
        list->is_broken = true;
}

static void write_vacancy(FILE *stream, const struct pool_affinity *affinity)
{
    (void)fprintf(stream, ":{\"idle\":%s,\"tabCount\":%u,\"idlePages\":%u,\"waiting\":%u",
                  affinity->idle ? "true" : "false", affinity->pages, affinity->pages_idle,
                  affinity->waiting);
    if (affinity->has_waiting)
        (void)fprintf(stream, ",\"maxPendingPriority\":%u", affinity->priority_waiting_max);
    (void)fputc('}', stream);
}

/* The affinities that clients named: warm ones with their vacancy, and those whose first page
 * is still opening. */
static void write_affinities(const struct pool *pool, struct list lists[LISTS])
{
    struct pool_affinity affinity;
    size_t cursor = 0;
    while (pool_next_affinity(pool, &cursor, &affinity)) {
        if (affinity.key[0] != KEY_CLIENT)
            continue;
        if (affinity.live) {
            write_key(&lists[LIST_WARMED], &affinity);
            write_key(&lists[LIST_VACANCIES], &affinity);
            write_vacancy(lists[LIST_VACANCIES].stream, &affinity);
        } else if (affinity.warming) {
            write_key(&lists[LIST_WARMING], &affinity);
        }
    }
}

static bool write_document(FILE *stream, const struct pool *pool,
                           const struct heartbeat_facts *facts, const struct list lists[LISTS])
{
    struct pool_stats stats;
    pool_get_stats(pool, &stats);
    (void)fprintf(stream, "{\"data\":{\"type\":\"prerender-server\",\"attributes\":{\"url\":");
    bool good = json_text_string(stream, facts->url, strlen(facts->url));
    (void)fprintf(stream, ",\"capacity\":%u,\"status\":\"%s\",\"warmedAffinities\":[%s]", stats.cap,
                  facts->is_draining ? "draining" : "active", lists[LIST_WARMED].text);
    (void)fprintf(stream, ",\"affinityVacancy\":{%s},\"warmingAffinities\":[%s]",
                  lists[LIST_VACANCIES].text, lists[LIST_WARMING].text);
    (void)fprintf(stream, ",\"bootId\":\"%s\",\"seq\":%llu}}}", facts->boot_id,
                  (unsigned long long)facts->seq);
    return good;
}

static char *assemble(const struct pool *pool, const struct heartbeat_facts *facts,
                      const struct list lists[LISTS], size_t *ret_bytes)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return NULL;
    bool good = write_document(stream, pool, facts, lists);
    if (fclose(stream) != 0 || !good) {
        free(text);
        return NULL;
    }
    *ret_bytes = bytes;
    return text;
}

char *heartbeat_text(const struct pool *pool, const struct heartbeat_facts *facts,
                     size_t *ret_bytes)
{
    struct list lists[LISTS];
    char *text = NULL;
    bool is_open = true, is_whole = true;
    for (size_t i = 0; i < LISTS; i++) {
        list_open(&lists[i]);
        is_open = is_open && lists[i].stream != NULL;
    }
    if (is_open)
        write_affinities(pool, lists);
    for (size_t i = 0; i < LISTS; i++)
        is_whole = list_close(&lists[i]) && is_whole;
    if (is_whole)
        text = assemble(pool, facts, lists, ret_bytes);
    for (size_t i = 0; i < LISTS; i++)
        free(lists[i].text);
    return text;
}
