/* test_heartbeat_text.c: the heartbeat document says of every affinity what the pool says, and
 * any key comes out of it as it went in. */
#include "daemon/heartbeat_text.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/keys.h"
#include "pool/pool.h"
#include "tests/suite.h"

static const struct pool_config config = {
    .pages_min = 2,
    .pages_max = 2,
    .pages_high_priority_max = 2,
    .high_priority_threshold = UINT32_MAX,
    .standbys_min = 1,
    .orphan_contexts_max = 4,
    .affinity_pages_max = 1,
    .affinity_main_max = 1,
    .queue_max = 100,
    .open_timeout_ms = 30000,
};

static struct pool *pool;

static void step(struct pool_event event)
{
    (void)pool_step(pool, 0, &event);
}

/* Its first page is up and the second is opening. */
static void setup(void)
{
    void *memory = calloc(1, pool_bytes(&config));
    ck_assert_ptr_nonnull(memory);
    pool = pool_init(memory, &config, 0);
    step((struct pool_event){.type = POOL_TICK});
    step((struct pool_event){.type = POOL_LIFE_UP, .life = 1});
    step((struct pool_event){.type = POOL_OPENED, .page = 1});
}

static void teardown(void)
{
    free(pool);
}

static void ask(uint64_t id, const char *key, uint32_t priority)
{
    step((struct pool_event){.type = POOL_REQUEST,
                             .request = {.id = id,
                                         .key = key,
                                         .key_bytes = strlen(key),
                                         .priority = priority,
                                         .deadline_ms = 1000,
                                         .queue_deadline_ms = 1000}});
}

/* The attributes; the caller decrefs the root. */
static json_t *document(const struct heartbeat_facts *facts, json_t **ret_root)
{
    size_t bytes = 0;
    char *text = heartbeat_text(pool, facts, &bytes);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(bytes, strlen(text));
    json_error_t error;
    *ret_root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(*ret_root != NULL, "%s in %s", error.text, text);
    free(text);
    json_t *data = json_object_get(*ret_root, "data");
    ck_assert_str_eq(json_string_value(json_object_get(data, "type")), "prerender-server");
    return json_object_get(data, "attributes");
}

static const struct heartbeat_facts facts = {.url = "http://a\"b", .boot_id = "b00t", .seq = 7};

START_TEST(of_an_empty_pool)
{
    json_t *root, *attributes = document(&facts, &root);
    json_t *want = json_pack("{s:s, s:i, s:s, s:[], s:{}, s:[], s:s, s:i}", "url", facts.url,
                             "capacity", 2, "status", "active", "warmedAffinities",
                             "affinityVacancy", "warmingAffinities", "bootId", "b00t", "seq", 7);
    ck_assert(json_equal(attributes, want));
    json_decref(want);
    json_decref(root);
}
END_TEST

START_TEST(tells_that_it_drains)
{
    struct heartbeat_facts draining = facts;
    draining.is_draining = true;
    json_t *root, *attributes = document(&draining, &root);
    ck_assert_str_eq(json_string_value(json_object_get(attributes, "status")), "draining");
    json_decref(root);
}
END_TEST

/* One runs and two wait for it, one's page is opening; keys that no client named are nobody's
 * business. */
START_TEST(of_affinities)
{
    ask(1, "awarm", 0);
    ask(2, "awarm", 3);
    ask(3, "awarm", 5);
    ask(4, "acold", 0);
    ask(5, "ohttp://origin.example", 0);
    json_t *root, *attributes = document(&facts, &root);
    json_t *vacancy = json_pack("{s:{s:b, s:i, s:i, s:i, s:i}}", "warm", "idle", 0, "tabCount", 1,
                                "idlePages", 0, "waiting", 2, "maxPendingPriority", 5);
    json_t *warmed = json_pack("[s]", "warm"), *warming = json_pack("[s]", "cold");
    ck_assert(json_equal(json_object_get(attributes, "affinityVacancy"), vacancy));
    ck_assert(json_equal(json_object_get(attributes, "warmedAffinities"), warmed));
    ck_assert(json_equal(json_object_get(attributes, "warmingAffinities"), warming));
    json_decref(vacancy);
    json_decref(warmed);
    json_decref(warming);
    json_decref(root);
}
END_TEST

/* Idle again, it would start the next one now. */
START_TEST(of_an_idle_page)
{
    ask(1, "awarm", 0);
    step((struct pool_event){.type = POOL_RENDER_DONE, .page = 1, .request = {.id = 1}});
    json_t *root, *attributes = document(&facts, &root);
    json_t *want = json_pack("{s:{s:b, s:i, s:i, s:i}}", "warm", "idle", 1, "tabCount", 1,
                             "idlePages", 1, "waiting", 0);
    ck_assert(json_equal(json_object_get(attributes, "affinityVacancy"), want));
    json_decref(want);
    json_decref(root);
}
END_TEST

/* Each begins with the byte of its key space. */
static const char *const keys[] = {
    "a\"",        "a\\",
    "a\\u0000",   "a\x01\x1f\x7f",
    "a\t\r\n\b",  "arealm:http://r/?a=%2F%25#x",
    "a__proto__", "a../../x",
    "a</script>", "agr\xc3\xbc\xc3\x9f \xf0\x9f\x92\xa9",
    "a ",
};

START_TEST(keeps_keys_byte_for_byte)
{
    const char *key = keys[_i];
    ask(1, key, 0);
    json_t *root, *attributes = document(&facts, &root);
    const json_t *warmed = json_object_get(attributes, "warmedAffinities");
    ck_assert_uint_eq(json_array_size(warmed), 1);
    ck_assert_str_eq(json_string_value(json_array_get(warmed, 0)), key + 1);
    ck_assert_ptr_nonnull(json_object_get(json_object_get(attributes, "affinityVacancy"), key + 1));
    json_decref(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heartbeat text");
    TCase *tcase = tcase_create("heartbeat text");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, of_an_empty_pool);
    tcase_add_test(tcase, tells_that_it_drains);
    tcase_add_test(tcase, of_affinities);
    tcase_add_test(tcase, of_an_idle_page);
    tcase_add_loop_test(tcase, keeps_keys_byte_for_byte, 0, (int)(sizeof keys / sizeof keys[0]));
    suite_add_tcase(suite, tcase);
    return suite_run(suite, SUITE_FORKS);
}
