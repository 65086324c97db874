/* memory.c: resident memory of the daemon over many renders.
 *
 *   bench/memory [RENDERS] [LIMIT_MB]
 *
 * Renders small pages over four affinities, four requests at a time, every tenth with
 * wait.until auto and the others with load, and prints the resident memory of the daemon
 * on the way. Fails when it ends over the limit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/facts.h"
#include "tests/system/process.h"
#include "tests/system/stage.h"

#define AT_ONCE 4
#define ROUND 100

static const char *const knobs[] = {"--pool.pages_min=4", "--pool.pages_max=4", NULL};

/* One round of renders, AT_ONCE of them at any time. Returns how many failed. */
static size_t render_round(struct stage *stage, const char *url)
{
    size_t failed = 0;
    struct flight *flight = flight_new(stage->harness->address);
    for (size_t i = 0; i < ROUND; i++) {
        char affinity[16];
        snprintf(affinity, sizeof(affinity), "tenant-%zu", i % AT_ONCE);
        flight_render(flight, "{s:s, s:s, s:{s:s}}", "url", url, "affinity", affinity, "wait",
                      "until", i % 10 == 0 ? "auto" : "load");
        if (i >= AT_ONCE) {
            demand(flight_wait(flight, i - AT_ONCE, 60000), "a render hangs");
        }
    }
    demand(flight_wait_all(flight, 60000), "a render hangs");
    for (size_t i = 0; i < ROUND; i++) {
        failed += flight_reply(flight, i)->status != 200;
    }
    flight_free(flight);
    return failed;
}

int main(int argc, char **argv)
{
    size_t renders = facts_argument(argc, argv, 1, 10000);
    size_t limit_mb = facts_argument(argc, argv, 2, 20);
    struct stage stage = stage_open(knobs);
    const char *url = origin_url(stage.origin, "/static?n=small");
    facts_print(stage.harness);
    size_t failed = 0, next_report = ROUND;
    uint64_t start_ms = clock_ms();
    for (size_t done = ROUND; done <= renders; done += ROUND) {
        failed += render_round(&stage, url);
        if (done >= next_report || done + ROUND > renders) {
            printf("%6zu renders: %6.1f MB resident, %6.1f MB at most, %zu descriptors\n", done,
                   (double)process_status_number(stage.harness->pid, "VmRSS") / 1024.0,
                   (double)process_status_number(stage.harness->pid, "VmHWM") / 1024.0,
                   process_descriptors(stage.harness->pid));
            fflush(stdout);
            next_report = done < 1000 ? done * 10 : done + 1000;
        }
    }
    double seconds = (double)(clock_ms() - start_ms) / 1000.0;
    double resident_mb = (double)process_status_number(stage.harness->pid, "VmRSS") / 1024.0;
    bool holds = failed == 0 && resident_mb < (double)limit_mb;
    printf("%.1f renders per second, %zu failed\n", (double)renders / seconds, failed);
    printf("resident memory %.1f MB, limit %zu MB: %s\n", resident_mb, limit_mb,
           holds ? "held" : "NOT HELD");
    stage_close(&stage);
    return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
