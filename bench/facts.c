/* facts.c: machine facts and medians; see facts.h. */
#include "bench/facts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The value of the first line "name : value" of a file. */
static void first_value(const char *path, const char *name, char *ret, size_t ret_bytes)
{
    char line[512];
    FILE *file = fopen(path, "re");
    snprintf(ret, ret_bytes, "unknown");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon != NULL && strncmp(line, name, strlen(name)) == 0) {
            const char *value = colon + 1 + strspn(colon + 1, " \t");
            snprintf(ret, ret_bytes, "%.*s", (int)strcspn(value, "\n"), value);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

void facts_print(const struct harness *harness)
{
    char processor[256], memory[256];
    struct utsname system;
    uname(&system);
    first_value("/proc/cpuinfo", "model name", processor, sizeof(processor));
    first_value("/proc/meminfo", "MemTotal", memory, sizeof(memory));
    json_t *version = harness_get_json(harness, "/version");
    printf("machine: %s, %ld processors, %s of memory, %s %s\n", processor,
           sysconf(_SC_NPROCESSORS_ONLN), memory, system.sysname, system.release);
    printf("versions: prerenderd %s, %s\n", json_string_value(json_object_get(version, "version")),
           json_string_value(json_object_get(version, "browser")));
    json_decref(version);
}

static int compare(const void *a_, const void *b_)
{
    double a = *(const double *)a_, b = *(const double *)b_;
    return (a > b) - (a < b);
}

double facts_percentile(double *values, size_t count, unsigned percent)
{
    assert(count > 0 && percent <= 100);
    qsort(values, count, sizeof(values[0]), compare);
    if (percent == 50 && count % 2 == 0) {
        return (values[count / 2 - 1] + values[count / 2]) / 2;
    }
    size_t index = count * percent / 100;
    return values[index < count ? index : count - 1];
}

size_t facts_argument(int argc, char **argv, int index, size_t initial)
{
    size_t value = argc > index ? strtoull(argv[index], NULL, 10) : initial;
    demand(value > 0, "the argument %d must be a number over 0", index);
    return value;
}
