/* page_pdf.c: a PDF of the page, read as a stream: its size is known only when it is made,
 * so it is read in pieces up to what an output may have. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "cdp/page.h"
#include "cdp/target.h"

/* Of one piece: a multiple of 3, so that pieces of base64 can be joined. */
#define PIECE_BYTES (3 * 512 * 1024)

static json_t *print_json(const struct pdf_params *pdf)
{
    json_t *call = json_pack(
        "{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "transferMode",
        "ReturnAsStream", "landscape", pdf->landscape, "displayHeaderFooter",
        pdf->display_header_footer, "printBackground", pdf->print_background, "preferCSSPageSize",
        pdf->prefer_css_page_size, "generateTaggedPDF", pdf->generate_tagged,
        "generateDocumentOutline", pdf->generate_outline, "scale", pdf->scale, "paperWidth",
        pdf->paper_width, "paperHeight", pdf->paper_height, "marginTop", pdf->margin_top,
        "marginBottom", pdf->margin_bottom, "marginLeft", pdf->margin_left, "marginRight",
        pdf->margin_right);

    if (pdf->page_ranges != NULL)
        (void)json_object_set_new(call, "pageRanges", json_string(pdf->page_ranges));
    if (pdf->header_template != NULL)
        (void)json_object_set_new(call, "headerTemplate", json_string(pdf->header_template));
    if (pdf->footer_template != NULL)
        (void)json_object_set_new(call, "footerTemplate", json_string(pdf->footer_template));
    return call;
}

void page_pdf_undo(struct page *page, uint64_t now_ms)
{
    if (page->render.stream[0] == '\0')
        return;
    target_call(page->target, now_ms, "IO.close", json_pack("{s:s}", "handle", page->render.stream),
                page->life->cdp->config->browser.call_timeout_ms, NULL, 0);
    page->render.stream[0] = '\0';
}

/* Adds one piece to the output. False: memory is out. */
static bool append(struct render_output *output, struct cdp_span piece)
{
    char *grown = realloc(output->bytes, output->bytes_count + piece.bytes + 1);

    if (grown == NULL)
        return false;
    memcpy(grown + output->bytes_count, piece.at, piece.bytes);
    output->bytes = grown;
    output->bytes_count += piece.bytes;
    grown[output->bytes_count] = '\0';
    return true;
}

static void read_piece(struct page *, uint64_t now_ms);

static void on_piece(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct render_output *output = &page->render.result->outputs[OUTPUT_PDF];
    uint64_t bytes_max = page->life->cdp->config->render.output_bytes_max;
    struct cdp_span data, eof;

    if (tag != page->render.loader)
        return;
    if (reply->end != CALL_REPLIED || !message_member(reply->message->body, "data", &data) ||
        !message_member(reply->message->body, "eof", &eof) || !append(output, data)) {
        page_output_lost(page, now_ms, tag);
    } else if (output->bytes_count / 4 * 3 > bytes_max + 2) {
        page_pdf_undo(page, now_ms);
        page_output_too_large(page, now_ms, tag);
    } else if (span_is(eof, "true")) {
        page_pdf_undo(page, now_ms);
        page_output_made(page, now_ms, tag, output->bytes_count / 4 * 3);
    } else {
        read_piece(page, now_ms);
    }
}

static void read_piece(struct page *page, uint64_t now_ms)
{
    page_call(page, now_ms, "IO.read",
              json_pack("{s:s, s:i}", "handle", page->render.stream, "size", PIECE_BYTES), on_piece,
              page->render.loader);
}

static void on_printed(void *owner, uint64_t tag, uint64_t now_ms, const struct call_reply *reply)
{
    struct page *page = ((struct target *)owner)->page;
    struct render_output *output = &page->render.result->outputs[OUTPUT_PDF];
    char why[256];

    if (reply->end == CALL_REPLIED)
        (void)span_text(reply->message->body, "stream", page->render.stream,
                        sizeof page->render.stream);
    if (tag != page->render.loader) {
        page_pdf_undo(page, now_ms);
    } else if (page->render.stream[0] != '\0') {
        free(output->bytes);
        *output = (struct render_output){.bytes_count = 0};
        read_piece(page, now_ms);
    } else if (reply->end == CALL_REFUSED) {
        page_output_refusal(reply, why, sizeof why);
        page_output_failed(page, now_ms, tag, "pdf.pageRanges", why);
    } else {
        page_output_lost(page, now_ms, tag);
    }
}

void page_pdf_make(struct page *page, uint64_t now_ms)
{
    page_pdf_undo(page, now_ms); /* Of a document before. */
    page_call(page, now_ms, "Page.printToPDF", print_json(&page->render.params->pdf), on_printed,
              page->render.loader);
}
