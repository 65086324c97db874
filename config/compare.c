/* compare.c: what of a configuration that was read again takes a restart. */
#include "config/config.h"

#include <assert.h>
#include <string.h>
#include "config/knobs.h"

static bool is_equal(const struct knob *knob, const struct config *in_effect,
                     const struct config *just_read)
{
    if (knob->type != KNOB_TEXT) {
        return knob_number(knob, in_effect) == knob_number(knob, just_read);
    }
    const char *text = knob_text(knob, just_read);
    return (knob->is_found && text[0] == '\0') || strcmp(knob_text(knob, in_effect), text) == 0;
}

const char *config_restart_knob(const struct config *in_effect, const struct config *just_read)
{
    assert(in_effect && just_read);
    for (size_t i = 0; i < knobs_count; i++) {
        if (!knobs[i].is_read_again && !is_equal(&knobs[i], in_effect, just_read)) {
            return knobs[i].name;
        }
    }
    return recipes_changed_knob(in_effect->recipes, just_read->recipes);
}
