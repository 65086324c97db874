/* ids.h: ids of a recording and the ids that stand for them now. */
#ifndef BENCH_IDS_H
#define BENCH_IDS_H

#include <jansson.h>
#include <stddef.h>

struct ids {
    struct id_pair *pairs;
    size_t count, capacity;
};

/* Learns from two messages of the same meaning: wherever both hold an id in the same place,
 * the first stands for the second from now on. */
void ids_learn(struct ids *, const json_t *then, const json_t *now);
/* One pair; `key` is the name of a member that holds such an id. */
void ids_set(struct ids *, const char *key, const char *then, const char *now);
/* A copy of `tree` with every known id replaced; the caller decrefs it. */
json_t *ids_apply(const struct ids *, const json_t *tree);
void ids_free(struct ids *);

#endif
