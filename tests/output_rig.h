/* output_rig.h: what the tests of outputs look at them with. */
#ifndef TESTS_OUTPUT_RIG_H
#define TESTS_OUTPUT_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base64.h"
#include "tests/cdp_stage.h"

struct bytes {
    unsigned char *at;
    size_t count;
};

/* The bytes of an output that came as base64. */
static inline struct bytes decoded(const struct answer *answer, enum output output)
{
    const struct render_output *made = &answer->result->outputs[output];
    struct bytes bytes;

    ck_assert_int_eq(answer->result->code, RENDER_OK);
    ck_assert_msg(answer->result->outputs_made & OUTPUT_BIT(output), "only %x of %s after %lu ms",
                  answer->result->outputs_made, answer->result->final_url,
                  (unsigned long)answer->elapsed_ms);
    bytes.at = (unsigned char *)strdup(made->bytes);
    ck_assert(base64_decode((char *)bytes.at, made->bytes_count, &bytes.count));
    return bytes;
}

static inline void check_output_failed(const struct answer *answer, const char *param,
                                       const char *text)
{
    check_failed(answer, RENDER_OUTPUT_FAILED);
    ck_assert_str_eq(answer->result->param, param);
    ck_assert_msg(strstr(answer->result->error, text) != NULL, "%s", answer->result->error);
}

#endif
