/* batch.c: see batch.h. glibc has no wrapper for sched_setattr(2) before 2.41, and its
 * <sched.h> may not be included together with the kernel's header. */
#include "cdp/batch.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own are 3 ms; it takes up to 100. */
#define SLICE_NS (30ull * 1000 * 1000)

static bool set(uint32_t policy, int32_t nice, uint64_t slice_ns)
{
    struct sched_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.sched_policy = policy;
    attributes.sched_nice = nice;
    attributes.sched_runtime = slice_ns;
    /* A filter of system calls sees the policy only where it is an argument, so it may let the
     * older call through alone. That leaves the slice as it is. */
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ||
           syscall(SYS_sched_setscheduler, 0, policy, &(int){0}) == 0;
}

void batch_begin(struct batch *ret)
{
    struct sched_attr attributes;

    memset(ret, 0, sizeof *ret);
    memset(&attributes, 0, sizeof attributes);
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.sched_policy != SCHED_NORMAL)
        return;
    ret->policy = attributes.sched_policy;
    ret->nice = attributes.sched_nice;
    ret->slice_ns = attributes.sched_runtime;
    ret->is_begun = set(SCHED_BATCH, ret->nice, SLICE_NS);
}

void batch_end(const struct batch *batch)
{
    if (batch->is_begun)
        (void)set(batch->policy, batch->nice, batch->slice_ns);
}
