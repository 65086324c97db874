/* test_cdp_output.c: what is made of a visit beside its HTML, in a real browser: each row of
 * `output`, `expression` and `screenshot` changes what comes out. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "tests/cdp_stage.h"
#include "tests/output_rig.h"
#include "tests/system/process.h"

#define IMAGE_BYTES_MAX (16u * 1024 * 1024)

static const char *text_of(const struct answer *answer, enum output output)
{
    ck_assert_msg(answer->result->code == RENDER_OK, "%s", answer->result->error);
    ck_assert(answer->result->outputs_made & OUTPUT_BIT(output));
    return answer->result->outputs[output].bytes;
}

static uint32_t number_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct image {
    uint32_t width, height, channels;
    unsigned char *pixels; /* Of rows, each after the byte of its filter. */
};

static unsigned char paeth(int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);

    return (unsigned char)(pa <= pb && pa <= pc ? a : (pb <= pc ? b : c));
}

/* PNG section 9: every byte is stored as its difference to a prediction. */
static void unfilter(struct image *image)
{
    size_t stride = (size_t)image->width * image->channels + 1, step = image->channels;

    for (uint32_t y = 0; y < image->height; y++) {
        unsigned char *row = image->pixels + y * stride;
        ck_assert_uint_lt(row[0], 5);
        for (size_t i = 1; i < stride; i++) {
            unsigned char a = i > step ? row[i - step] : 0, b = y > 0 ? row[i - stride] : 0;
            unsigned char c = i > step && y > 0 ? row[i - step - stride] : 0;
            const unsigned char predicted[] = {0, a, b, (unsigned char)((a + b) / 2),
                                               paeth(a, b, c)};
            row[i] = (unsigned char)(row[i] + predicted[row[0]]);
        }
    }
}

/* Reads a PNG of 8 bits per channel, and frees its bytes. */
static struct image png_read(struct bytes png)
{
    struct image image = {.width = number_at(png.at + 16), .height = number_at(png.at + 20)};
    unsigned char *packed = malloc(png.count);
    size_t packed_bytes = 0;
    uLongf bytes = IMAGE_BYTES_MAX;

    ck_assert_mem_eq(png.at, "\x89PNG\r\n\x1a\n", 8);
    ck_assert_uint_eq(png.at[24], 8);
    image.channels = png.at[25] == 6 ? 4 : 3;
    for (size_t at = 8; at + 12 <= png.count;) {
        uint32_t length = number_at(png.at + at);
        if (memcmp(png.at + at + 4, "IDAT", 4) == 0) {
            memcpy(packed + packed_bytes, png.at + at + 8, length);
            packed_bytes += length;
        }
        at += length + 12;
    }
    image.pixels = malloc(bytes);
    ck_assert_int_eq(uncompress(image.pixels, &bytes, packed, packed_bytes), Z_OK);
    unfilter(&image);
    free(packed);
    free(png.at);
    return image;
}

/* 0xRRGGBBAA. */
static uint32_t pixel(const struct image *image, uint32_t x, uint32_t y)
{
    size_t stride = (size_t)image->width * image->channels + 1;
    const unsigned char *at = image->pixels + y * stride + 1 + (size_t)x * image->channels;

    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
           (image->channels == 4 ? at[3] : 255);
}

static void ask_png(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_PNG);
}

static void ask_full_page(struct render_params *params)
{
    ask_png(params);
    params->screenshot.full_page = true;
}

static void ask_selector(struct render_params *params)
{
    ask_png(params);
    params->screenshot.selector = (char *)(uintptr_t) "#box";
}

static void ask_clip(struct render_params *params)
{
    ask_png(params);
    params->screenshot.clip_x = 5;
    params->screenshot.clip_y = 1495;
    params->screenshot.clip_width = 20;
    params->screenshot.clip_height = 10;
}

static struct image image_of(const char *path, void (*shape)(struct render_params *))
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = path, .tune = shape);
    struct image image = png_read(decoded(&answer, OUTPUT_PNG));

    ck_assert(answer.ok);
    ck_assert_ptr_null(answer.result->html);
    done(&answer);
    close_page(page);
    return image;
}

START_TEST(images_show_what_was_asked_for)
{
    struct image image = image_of("/painted", ask_png);

    ck_assert_uint_eq(image.width, 1280);
    ck_assert_uint_eq(image.height, 800);
    ck_assert_uint_eq(pixel(&image, 1000, 700), 0x00a000ff);
    free(image.pixels);
    image = image_of("/painted", ask_full_page);
    ck_assert_uint_eq(image.width, 1280);
    ck_assert_uint_eq(image.height, 2000);
    ck_assert_uint_eq(pixel(&image, 9, 1500), 0x00a000ff);
    ck_assert_uint_eq(pixel(&image, 10, 1500), 0xff0000ff);
    ck_assert_uint_eq(pixel(&image, 59, 1529), 0xff0000ff);
    ck_assert_uint_eq(pixel(&image, 60, 1529), 0x00a000ff);
    free(image.pixels);
    image = image_of("/painted", ask_selector);
    ck_assert_uint_eq(image.width, 50);
    ck_assert_uint_eq(image.height, 30);
    ck_assert_uint_eq(pixel(&image, 0, 0), 0xff0000ff);
    ck_assert_uint_eq(pixel(&image, 49, 29), 0xff0000ff);
    free(image.pixels);
    image = image_of("/painted", ask_clip);
    ck_assert_uint_eq(image.width, 20);
    ck_assert_uint_eq(image.height, 10);
    ck_assert_uint_eq(pixel(&image, 4, 5), 0x00a000ff);
    ck_assert_uint_eq(pixel(&image, 5, 5), 0xff0000ff);
    free(image.pixels);
}
END_TEST

static void ask_transparent(struct render_params *params)
{
    ask_png(params);
    params->screenshot.omit_background = true;
}

/* The background is back for the next render on the same page. */
START_TEST(background_is_omitted_once)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/bare", .tune = ask_transparent);
    struct image image = png_read(decoded(&answer, OUTPUT_PNG));

    ck_assert_uint_eq(pixel(&image, 100, 100), 0);
    free(image.pixels);
    done(&answer);
    answer = RENDER(page, .path = "/bare", .tune = ask_png);
    image = png_read(decoded(&answer, OUTPUT_PNG));
    ck_assert_uint_eq(pixel(&image, 100, 100), 0xffffffff);
    free(image.pixels);
    done(&answer);
    close_page(page);
}
END_TEST

static void ask_lossy(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_JPEG) | OUTPUT_BIT(OUTPUT_WEBP);
    params->screenshot.quality = 1;
}

static void ask_lossy_good(struct render_params *params)
{
    ask_lossy(params);
    params->screenshot.quality = 100;
}

START_TEST(lossy_images_have_a_quality)
{
    uint64_t page = open_page();
    struct answer poor = RENDER(page, .path = "/painted", .tune = ask_lossy);
    struct answer good = RENDER(page, .path = "/painted", .tune = ask_lossy_good);
    struct bytes jpeg = decoded(&poor, OUTPUT_JPEG), webp = decoded(&poor, OUTPUT_WEBP);
    struct bytes large = decoded(&good, OUTPUT_JPEG);

    ck_assert_mem_eq(jpeg.at, "\xff\xd8\xff", 3);
    ck_assert_mem_eq(webp.at, "RIFF", 4);
    ck_assert_mem_eq(webp.at + 8, "WEBP", 4);
    ck_assert_uint_gt(large.count, jpeg.count);
    free(jpeg.at);
    free(webp.at);
    free(large.at);
    done(&poor);
    done(&good);
    close_page(page);
}
END_TEST

static const char *asked_selector;

static void ask_bad_selector(struct render_params *params)
{
    ask_png(params);
    params->screenshot.selector = (char *)(uintptr_t)asked_selector;
}

/* The page serves on. */
START_TEST(boxes_that_are_not_there)
{
    static const struct {
        const char *selector, *want;
    } rows[] = {
        {"#none", "matches nothing"},
        {"p[", "no valid CSS selector"},
        {"p", "not shown"},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        asked_selector = rows[i].selector;
        struct answer answer = RENDER(page, .path = "/painted", .tune = ask_bad_selector);
        check_output_failed(&answer, "screenshot.selector", rows[i].want);
        ck_assert(answer.ok);
        done(&answer);
    }
    close_page(page);
}
END_TEST

static void ask_high_clip(struct render_params *params)
{
    ask_clip(params);
    params->screenshot.clip_height = 20000;
}

static void ask_large_clip(struct render_params *params)
{
    ask_clip(params);
    params->screenshot.clip_width = params->screenshot.clip_height = 16000;
}

START_TEST(images_too_large_to_paint)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/painted", .tune = ask_high_clip);

    check_output_failed(&answer, "screenshot.clip.height", "at most 16384 on a side");
    done(&answer);
    answer = RENDER(page, .path = "/painted", .tune = ask_large_clip);
    check_failed(&answer, RENDER_OUTPUT_TOO_LARGE);
    done(&answer);
    close_page(page);
}
END_TEST

static void ask_texts(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_HTML) | OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_LINKS);
    params->wants_envelope = true;
}

/* A reader's view; a form with a field called innerText does not hide it. */
START_TEST(text_and_links)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/painted", .tune = ask_texts);
    const char *text = text_of(&answer, OUTPUT_TEXT);
    json_t *links = json_loads(text_of(&answer, OUTPUT_LINKS), 0, NULL);
    char href[128];

    check_complete(&answer);
    ck_shows(answer, "hidden");
    ck_assert_ptr_nonnull(strstr(text, "seen"));
    ck_assert_ptr_nonnull(strstr(text, "made"));
    ck_assert_ptr_null(strstr(text, "hidden"));
    ck_assert_ptr_null(strstr(text, "app"));
    ck_assert_uint_eq(json_array_size(links), 2);
    (void)snprintf(href, sizeof href, "http://127.0.0.1:%u/a?b=1#c", cdp_origin_port(stage.origin));
    const json_t *link = json_array_get(links, 0);
    ck_assert_str_eq(json_string_value(json_object_get(link, "href")), href);
    ck_assert_str_eq(json_string_value(json_object_get(link, "text")), "one link");
    link = json_array_get(links, 1);
    ck_assert_str_eq(json_string_value(json_object_get(link, "text")), "two");
    json_decref(links);
    done(&answer);
    answer = RENDER(page, .path = "/bare", .tune = ask_texts);
    ck_assert_str_eq(answer.result->metas, "{\"description\":\"d\",\"og:title\":\"o&p\"}");
    done(&answer);
    close_page(page);
}
END_TEST

static const char *asked_expression;

static void ask_expression(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_EXPRESSION);
    params->expression = (char *)(uintptr_t)asked_expression;
}

/* In the world of the page, on its clock, whatever the page has done to JSON. */
START_TEST(values_of_expressions)
{
    static const struct {
        const char *expression, *want;
    } rows[] = {
        {"app.n+1", "42"},
        {"[1,'\\u00fc\\ud83d\\ude00']", "\"forged\""},
        {"({a:null,b:[true]}).a", "null"},
        {"undefined", "null"},
        {"'\\ud800'", "\"\\ufffd\""},
        {"'\\0'", "\"\\ufffd\""},
        {"new Promise(r=>setTimeout(()=>r(app.n),8000))", "41"},
        {"fetch('/api').then(r=>r.text())", "\"fetched\""},
        {"const q=7;q*6", "42"},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        asked_expression = rows[i].expression;
        struct answer answer = RENDER(page, .path = "/painted", .tune = ask_expression);
        ck_assert_str_eq(text_of(&answer, OUTPUT_EXPRESSION), rows[i].want);
        ck_assert(answer.ok);
        done(&answer);
    }
    close_page(page);
}
END_TEST

START_TEST(expressions_that_fail)
{
    static const struct {
        const char *expression, *want;
    } rows[] = {
        {"nothing.here", "ReferenceError"},
        {"[", "SyntaxError"},
        {"Promise.reject(new Error('no'))", "Error: no"},
        {"throw 'x'.repeat(100000000)", "The expression threw: xxx"},
        {"1n", "BigInt"},
        {"'x'.repeat(2000000)", "more than 1 MiB"},
        {"JSON.stringify=()=>'x'.repeat(300000000),1", "more than 1 MiB"},
    };
    uint64_t page = open_page();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        asked_expression = rows[i].expression;
        struct answer answer = RENDER(page, .path = "/painted", .tune = ask_expression);
        check_output_failed(&answer, "expression", rows[i].want);
        ck_assert(answer.ok);
        done(&answer);
    }
    close_page(page);
}
END_TEST

static void ask_changing_expression(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_HTML) | OUTPUT_BIT(OUTPUT_EXPRESSION);
    params->expression = (char *)(uintptr_t)asked_expression;
}

/* The other outputs show what the expression did; without its value they are still there. */
START_TEST(expression_comes_before_the_document)
{
    uint64_t page = open_page();

    asked_expression = "document.title='changed';1";
    struct answer answer = RENDER(page, .path = "/painted", .tune = ask_changing_expression);
    check_complete(&answer);
    ck_shows(answer, "<title>changed</title>");
    ck_assert_str_eq(answer.result->title, "changed");
    done(&answer);
    asked_expression = "new Promise(()=>{})";
    answer = RENDER(page, .path = "/painted", .tune = ask_changing_expression, .timeout_ms = 3000);
    ck_assert_int_eq(answer.result->outcome, RENDER_PARTIAL);
    ck_assert_int_eq(answer.result->reason, RENDER_DEADLINE);
    ck_shows(answer, "seen");
    ck_assert_uint_eq(answer.result->outputs_made, OUTPUT_BIT(OUTPUT_HTML));
    done(&answer);
    close_page(page);
    page = open_page();
    asked_expression = "for(;;);";
    answer = RENDER(page, .path = "/painted", .tune = ask_expression, .timeout_ms = 2000);
    ck_assert_int_eq(answer.result->outcome, RENDER_FAILED);
    ck_assert_int_eq(answer.result->code, RENDER_TIMEOUT);
    done(&answer);
    close_page(page);
    check_canary();
}
END_TEST

static void ask_mhtml(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_MHTML) | OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_PNG);
}

/* It is made although the clock stands otherwise, with what the page has loaded. */
START_TEST(mhtml_has_the_resources)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/framed", .tune = ask_mhtml);
    const char *mhtml = text_of(&answer, OUTPUT_MHTML);

    check_complete(&answer);
    ck_assert_ptr_nonnull(strstr(mhtml, "MIME-Version: 1.0"));
    ck_assert_ptr_nonnull(strstr(mhtml, "multipart/related"));
    ck_assert_ptr_nonnull(strstr(mhtml, "/static"));
    ck_assert_ptr_nonnull(strstr(mhtml, "<p>hello"));
    free(decoded(&answer, OUTPUT_PNG).at);
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp_output");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, images_show_what_was_asked_for);
    tcase_add_test(tcase, background_is_omitted_once);
    tcase_add_test(tcase, lossy_images_have_a_quality);
    tcase_add_test(tcase, boxes_that_are_not_there);
    tcase_add_test(tcase, images_too_large_to_paint);
    tcase_add_test(tcase, text_and_links);
    tcase_add_test(tcase, values_of_expressions);
    tcase_add_test(tcase, expressions_that_fail);
    tcase_add_test(tcase, expression_comes_before_the_document);
    tcase_add_test(tcase, mhtml_has_the_resources);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
