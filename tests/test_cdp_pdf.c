/* test_cdp_pdf.c: a PDF of the page in a real browser: each row of `pdf` changes it. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "tests/cdp_stage.h"
#include "tests/output_rig.h"
#include "tests/system/process.h"

/* Of all that one PDF draws. */
#define DRAWN_BYTES_MAX (16u * 1024 * 1024)

static void ask_pdf(struct render_params *params)
{
    params->outputs = OUTPUT_BIT(OUTPUT_PDF);
}

static struct bytes pdf_of(uint64_t page, const char *path, void (*shape)(struct render_params *))
{
    struct answer answer = RENDER(page, .path = path, .tune = shape);
    struct bytes pdf = decoded(&answer, OUTPUT_PDF);

    ck_assert(answer.ok);
    ck_assert_mem_eq(pdf.at, "%PDF-", 5);
    ck_assert_ptr_nonnull(memmem(pdf.at + pdf.count - 16, 16, "%%EOF", 5));
    done(&answer);
    return pdf;
}

static bool pdf_has(const struct bytes *pdf, const char *text)
{
    return memmem(pdf->at, pdf->count, text, strlen(text)) != NULL;
}

static unsigned pdf_sheets(const struct bytes *pdf)
{
    unsigned count = 0;

    for (size_t i = 0; i + 11 < pdf->count; i++)
        count += memcmp(pdf->at + i, "/Type /Page\n", 12) == 0;
    return count;
}

/* What its streams hold unpacked: all that is drawn, without dates and ids. */
static struct bytes pdf_drawn(struct bytes pdf)
{
    struct bytes drawn = {malloc(DRAWN_BYTES_MAX), 0};

    for (size_t i = 0; i + 8 < pdf.count; i++) {
        uLongf bytes = DRAWN_BYTES_MAX - drawn.count;
        if (memcmp(pdf.at + i, " stream\n", 8) == 0 &&
            uncompress(drawn.at + drawn.count, &bytes, pdf.at + i + 8, pdf.count - i - 8) == Z_OK)
            drawn.count += bytes;
    }
    free(pdf.at);
    ck_assert_uint_gt(drawn.count, 0);
    return drawn;
}

#define TEXT(text) ((char *)(uintptr_t)(text))

/* Each row changes one member of what the ones before it share. */
#define PDF_ROW(name, change)                                                                      \
    static void ask_##name(struct render_params *params)                                           \
    {                                                                                              \
        ask_pdf(params);                                                                           \
        params->pdf.change;                                                                        \
    }
PDF_ROW(landscape, landscape = true)
PDF_ROW(width, paper_width = 5)
PDF_ROW(height, paper_height = 7)
PDF_ROW(ranges, page_ranges = TEXT("1"))
PDF_ROW(bad_ranges, page_ranges = TEXT("9-1"))
PDF_ROW(scale, scale = 0.5)
PDF_ROW(top, margin_top = 4)
PDF_ROW(bottom, margin_bottom = 4)
PDF_ROW(left, margin_left = 2)
PDF_ROW(right, margin_right = 2)
PDF_ROW(background, print_background = true)
PDF_ROW(header_footer, display_header_footer = true)
PDF_ROW(untagged, generate_tagged = false)
PDF_ROW(css_size, prefer_css_page_size = true)
PDF_ROW(outline, generate_outline = true)

static void ask_header(struct render_params *params)
{
    ask_header_footer(params);
    params->pdf.header_template = TEXT("<b style='font-size:20px'>above</b>");
}

static void ask_footer(struct render_params *params)
{
    ask_header_footer(params);
    params->pdf.footer_template = TEXT("<b style='font-size:20px'>below</b>");
}

START_TEST(papers)
{
    uint64_t page = open_page();
    struct bytes pdf = pdf_of(page, "/painted", ask_pdf);

    ck_assert(pdf_has(&pdf, "/MediaBox [0 0 612 792]"));
    ck_assert(pdf_has(&pdf, "/StructTreeRoot"));
    ck_assert(!pdf_has(&pdf, "/Outlines"));
    ck_assert_uint_eq(pdf_sheets(&pdf), 3);
    free(pdf.at);
    pdf = pdf_of(page, "/painted", ask_landscape);
    ck_assert(pdf_has(&pdf, "/MediaBox [0 0 792 612]"));
    free(pdf.at);
    pdf = pdf_of(page, "/painted", ask_width);
    ck_assert(pdf_has(&pdf, "/MediaBox [0 0 360 792]"));
    free(pdf.at);
    pdf = pdf_of(page, "/painted", ask_height);
    ck_assert(pdf_has(&pdf, "/MediaBox [0 0 612 504]"));
    free(pdf.at);
    pdf = pdf_of(page, "/painted", ask_ranges);
    ck_assert_uint_eq(pdf_sheets(&pdf), 1);
    free(pdf.at);
    pdf = pdf_of(page, "/painted", ask_untagged);
    ck_assert(!pdf_has(&pdf, "/StructTreeRoot"));
    free(pdf.at);
    pdf = pdf_of(page, "/bare", ask_css_size);
    ck_assert(pdf_has(&pdf, "/MediaBox [0 0 288 216]"));
    free(pdf.at);
    pdf = pdf_of(page, "/bare", ask_outline);
    ck_assert(pdf_has(&pdf, "/Outlines"));
    free(pdf.at);
    struct answer answer = RENDER(page, .path = "/painted", .tune = ask_bad_ranges);
    check_output_failed(&answer, "pdf.pageRanges", "age range");
    ck_assert(answer.ok);
    done(&answer);
    close_page(page);
}
END_TEST

static bool is_drawn_alike(const struct bytes *a, const struct bytes *b)
{
    return a->count == b->count && memcmp(a->at, b->at, a->count) == 0;
}

/* What cannot be read from the file directly shows in what is drawn. */
START_TEST(papers_are_drawn_differently)
{
    static void (*const shapes[])(struct render_params *) = {
        ask_pdf,   ask_scale,      ask_top,           ask_bottom, ask_left,
        ask_right, ask_background, ask_header_footer, ask_header, ask_footer};
    size_t count = sizeof shapes / sizeof shapes[0];
    struct bytes drawn[sizeof shapes / sizeof shapes[0]];
    uint64_t page = open_page();
    struct bytes plain = pdf_drawn(pdf_of(page, "/painted", ask_pdf));

    for (size_t i = 0; i < count; i++)
        drawn[i] = pdf_drawn(pdf_of(page, "/painted", shapes[i]));
    ck_assert(is_drawn_alike(&plain, &drawn[0]));
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(!is_drawn_alike(&drawn[i], &drawn[j]), "%zu and %zu are alike", i, j);
    }
    for (size_t i = 0; i < count; i++)
        free(drawn[i].at);
    free(plain.at);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp_pdf");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, papers);
    tcase_add_test(tcase, papers_are_drawn_differently);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
