/* file.c: prerenderd.conf, through inih.
 *
 * inih cuts lines that are longer than its buffer and hands the rest over as a line of its
 * own, joins indented lines to the value before, and strips from " ;". Its settings are
 * therefore set here, and lines are counted and judged before it sees them. */
#include "config/load.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

static const char default_file[] = "/etc/prerenderd/prerenderd.conf";

struct reader {
    struct loader *loader;
    FILE *stream;
    unsigned line;                  /* The one inih works on, counted from 1. */
    int rc;                         /* The first failure. */
    unsigned seen_lines[KNOBS_MAX]; /* Where a knob was set; 0: nowhere. */
};

static char *refuse(struct reader *reader, const char *reason)
{
    reader->rc =
        loader_fail(reader->loader, "%.150s:%u: %s", reader->loader->file, reader->line, reason);
    return NULL;
}

/* inih's reader: one line into `buffer`, as fgets() does. NULL: the end, or a refusal. */
static char *read_line(char *buffer, int buffer_bytes, void *stream)
{
    struct reader *reader = stream;
    assert(buffer_bytes > KNOB_LINE_BYTES_MAX);
    if (reader->rc != 0) {
        return NULL;
    }
    /* fgets() does not tell where a NUL byte ends its line, hence byte by byte. */
    int c, count = 0;
    reader->line++;
    while ((c = getc(reader->stream)) != EOF && c != '\n') {
        if (c == '\0') {
            return refuse(reader, "a line must not contain a NUL byte");
        }
        if (count == KNOB_LINE_BYTES_MAX) {
            return refuse(reader, "a line must not be longer than 4090 bytes");
        }
        buffer[count++] = (char)c;
    }
    if (c == EOF && count == 0) {
        return NULL;
    }
    buffer[count] = '\n';
    buffer[count + 1] = '\0';
    return buffer;
}

static int set_once(struct reader *reader, const struct knob *knob, const char *value)
{
    size_t index = (size_t)(knob - knobs);
    assert(index < knobs_count);
    if (reader->seen_lines[index] > 0) {
        return loader_fail(reader->loader, "%s is set twice in %.150s, in lines %u and %u",
                           knob->name, reader->loader->file, reader->seen_lines[index],
                           reader->line);
    }
    reader->seen_lines[index] = reader->line;
    return loader_set(reader->loader, knob, value,
                      (struct origin){.source = SOURCE_FILE, .line = reader->line});
}

/* inih's handler: 0 stops nothing, it is only remembered; so is our first failure. */
static int handle(void *owner, const char *section, const char *key, const char *value)
{
    struct reader *reader = owner;
    char name[128];
    if (reader->rc != 0) {
        return 0;
    }
    snprintf(name, sizeof name, "%s%s%s", section, section[0] != '\0' ? "." : "", key);
    if (strncmp(name, "recipe ", 7) == 0) {
        name[6] = '.'; /* "[recipe visit]" is the one kind of section with two words. */
    }
    const struct knob *knob = knob_find(name);
    reader->rc = knob
                     ? set_once(reader, knob, value)
                     : loader_unknown(reader->loader, name,
                                      (struct origin){.source = SOURCE_FILE, .line = reader->line});
    return reader->rc == 0;
}

static void set_up_inih(void)
{
    ini_use_stack = false;
    ini_max_line = KNOB_LINE_BYTES_MAX + 6;
    ini_initial_alloc = KNOB_LINE_BYTES_MAX + 6;
    ini_allow_realloc = false;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_stop_on_first_error = true;
}

static int parse(struct loader *loader, FILE *stream)
{
    struct reader reader = {.loader = loader, .stream = stream};
    set_up_inih();
    int rc = ini_parse_stream(read_line, &reader, handle, &reader);
    if (reader.rc != 0) {
        return reader.rc;
    }
    if (ferror(stream)) {
        return loader_fail(loader, "cannot read %.150s: %s", loader->file, strerror(errno));
    }
    if (rc > 0) {
        return loader_fail(loader,
                           "%.150s:%d: a line must be \"[section]\", \"key = value\", blank or a "
                           "comment",
                           loader->file, rc);
    }
    if (rc < 0) {
        loader_fail(loader, "out of memory while reading %.150s", loader->file);
        return -ENOMEM;
    }
    return 0;
}

int file_read(struct loader *loader)
{
    if (!loader->file) {
        loader->file = default_file;
    }
    FILE *stream = fopen(loader->file, "re");
    if (!stream) {
        if (errno == ENOENT && !loader->is_file_required) {
            return 0;
        }
        return loader_fail(loader, "cannot read the configuration file %.150s: %s", loader->file,
                           strerror(errno));
    }
    int rc = parse(loader, stream);
    fclose(stream);
    return rc;
}
