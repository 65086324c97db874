/* disposal.c: see disposal.h. */
#include "cdp/disposal.h"

#include <assert.h>
#include "cdp/profile.h"

#define PAUSE_MS 50
#define TIMEOUT_MS 10000

static void on_work(uv_work_t *work)
{
    struct disposal *disposal = work->data;

    disposal->result = profile_remove(disposal->directory);
}

static void on_worked(uv_work_t *work, int status)
{
    struct disposal *disposal = work->data;

    assert(disposal->state == DISPOSAL_RUNNING);
    bool is_done = status == 0 && disposal->result == 0;
    disposal->state = is_done ? DISPOSAL_DONE : DISPOSAL_PAUSED;
}

void disposal_turn(struct disposal *disposal, uv_loop_t *loop, uint64_t now_ms,
                   const char *directory)
{
    if (disposal->state == DISPOSAL_IDLE) {
        disposal->directory = directory;
        disposal->work.data = disposal;
        disposal->due_ms = now_ms;
        disposal->give_up_ms = now_ms + TIMEOUT_MS;
        disposal->state = DISPOSAL_PAUSED;
    }
    if (disposal->state != DISPOSAL_PAUSED || now_ms < disposal->due_ms) {
        return;
    }
    disposal->due_ms = now_ms + PAUSE_MS;
    if (now_ms >= disposal->give_up_ms ||
        uv_queue_work(loop, &disposal->work, on_work, on_worked) != 0) {
        disposal->state = DISPOSAL_DONE;
    } else {
        disposal->state = DISPOSAL_RUNNING;
    }
}

uint64_t disposal_deadline_ms(const struct disposal *disposal)
{
    return disposal->state == DISPOSAL_PAUSED ? disposal->due_ms : UINT64_MAX;
}
