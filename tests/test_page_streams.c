/* test_page_streams.c: how long a page that holds a stream open is waited for, by what its
 * last renders have told. */
#include <check.h>
#include "cdp/page.h"
#include "tests/suite.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define ROWS_MAX 5

static char stream_url[] = "http://a.invalid/stream", other_url[] = "http://a.invalid/other";

/* One render, and the grace and the silence of the next one of stream_url. */
struct row {
    char *url;              /* NULL: no further render. */
    bool is_watched, holds; /* Its requests are; it holds a stream open. */
    uint64_t heard_ms[3];   /* When messages come, after the page is known to hold it; 0: none. */
    uint32_t grace_ms, silence_ms;
    uint64_t told_ms; /* When the machine was last told that all has come; 0: not. */
};

static const struct row tables[][ROWS_MAX] = {
    /* An inspection tells nothing of messages. */
    {{stream_url, false, true, {0}, 500, 50, 0}},
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {30, 60, 90}, 340, 60, 0}},
    /* Silence teaches nothing. */
    {{stream_url, false, true, {0}, 500, 50, 0}, {stream_url, true, true, {0}, 500, 50, 0}},
    /* No longer than ever. */
    {{stream_url, false, true, {0}, 500, 50, 0}, {stream_url, true, true, {400}, 500, 250, 0}},
    /* All has come with as many as before, and once more with each that follows. */
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {10, 20}, 270, 50, 0},
     {stream_url, true, true, {40}, 500, 50, 0}},
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {10, 20}, 270, 50, 0},
     {stream_url, true, true, {10, 70}, 320, 120, 70}},
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {10, 20}, 270, 50, 0},
     {stream_url, true, true, {10, 20, 200}, 450, 250, 200}},
    /* A render that was cut short may have brought less: then the next one is not. */
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {10, 20}, 270, 50, 0},
     {stream_url, true, true, {10}, 500, 50, 0},
     {stream_url, true, true, {10}, 260, 50, 0}},
    /* Another URL is not watched and says nothing; a stream that is gone is forgotten. */
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {100}, 350, 200, 0},
     {other_url, false, false, {0}, 350, 200, 0},
     {stream_url, true, false, {0}, 500, 50, 0}},
    /* Another stream takes its place. */
    {{stream_url, false, true, {0}, 500, 50, 0},
     {stream_url, true, true, {100}, 350, 200, 0},
     {other_url, false, true, {0}, 500, 50, 0}},
};

static void play(struct page *page, const struct row *row, uint64_t now_ms)
{
    struct traffic *traffic = row->is_watched ? cdp_alloc(sizeof *traffic) : NULL;
    struct render_params params = {.url = row->url};

    page->render = (struct page_render){.params = &params, .traffic = traffic};
    ck_assert(!row->is_watched || page_streams_are_likely(page));
    page->state = PAGE_RENDERING;
    page->render.machine = (struct render){.state = RENDER_NAVIGATING, .hard_ms = UINT64_MAX};
    if (row->holds)
        page_streams_tell(page, now_ms, true);
    for (int i = 0; i < COUNT(row->heard_ms) && row->heard_ms[i] != 0; i++)
        page_streams_heard(page, now_ms + row->heard_ms[i]);
    ck_assert_uint_eq(page->render.machine.heard_ms, row->told_ms != 0 ? now_ms + row->told_ms : 0);
    page_streams_finish(page);
    free(traffic);
    params.url = stream_url;
    ck_assert_uint_eq(page_streams_grace_ms(page), row->grace_ms);
    ck_assert_uint_eq(page_streams_silence_ms(page), row->silence_ms);
}

START_TEST(grace_is_learned)
{
    struct page page = {.state = PAGE_READY};

    for (int i = 0; i < ROWS_MAX && tables[_i][i].url != NULL; i++)
        play(&page, &tables[_i][i], 1000 * (uint64_t)(i + 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("page streams");
    TCase *tests = tcase_create("tables");
    tcase_add_loop_test(tests, grace_is_learned, 0, COUNT(tables));
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
