/* parser.c: finds in a document what is to be removed or read; see document.h.
 *
 * The only user of libgumbo. Its memory comes from an arena that is freed as a whole: its
 * own destructor recurses as deep as the document nests, and a page decides on that. */
#include "document/document.h"

#include <assert.h>
#include <errno.h>
#include <gumbo.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "document/edits.h"
#include "document/match.h"
#include "document/metas.h"
#include "document/scan.h"

#define ARENA_BLOCK_BYTES ((size_t)1 << 18)

struct block {
    struct block *next;
    size_t bytes, used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *blocks;
};

/* Ends the process when memory is out: the parser cannot be told. */
static void *arena_allocate(void *owner, size_t bytes)
{
    struct arena *arena = owner;
    size_t align = alignof(max_align_t);
    bytes = (bytes + align - 1) / align * align;
    struct block *block = arena->blocks;
    if (!block || block->bytes - block->used < bytes) {
        size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
        block = malloc(sizeof *block + size);
        if (!block)
            abort();
        block->next = arena->blocks;
        block->bytes = size;
        block->used = 0;
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

static void arena_release(void *owner, void *memory)
{
    (void)owner;
    (void)memory;
}

static void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

struct finder {
    const struct document_options *options;
    const char *text; /* What the parser has read. */
    size_t text_bytes;
    const GumboNode *head;
    struct edit *edits;
    size_t edits_count, edits_size;
    char *base_tag; /* Owned. */
    bool has_base, is_out_of_memory;
    struct document_result *result;
};

static void add_edit(struct finder *finder, const struct edit *edit)
{
    if (finder->edits_count == finder->edits_size) {
        size_t size = finder->edits_size ? finder->edits_size * 2 : 64;
        struct edit *edits = realloc(finder->edits, size * sizeof *edits);
        if (!edits) {
            finder->is_out_of_memory = true;
            return;
        }
        finder->edits = edits;
        finder->edits_size = size;
    }
    finder->edits[finder->edits_count++] = *edit;
}

static const char *attribute(const GumboElement *element, const char *name)
{
    const GumboAttribute *found = gumbo_get_attribute(&element->attributes, name);
    return found ? found->value : NULL;
}

/* The end tag that the parser noted may belong to an element around this one. */
static bool is_own_end(const GumboElement *element)
{
    GumboStringPiece tag = element->original_end_tag, own = element->original_tag;
    if (tag.length < 3 || !tag.data || tag.data[1] != '/')
        return false;
    gumbo_tag_from_original_text(&tag);
    gumbo_tag_from_original_text(&own);
    while (tag.length > 0 && strchr(" \t\r\n\f/", tag.data[tag.length - 1]))
        tag.length--; /* The parser leaves blanks before the '>' in the name. */
    char name[64];
    if (own.length >= sizeof name)
        return false;
    memcpy(name, own.data, own.length);
    name[own.length] = '\0';
    return scan_equal(tag.data, tag.length, name);
}

/* Removes an element with its content. */
static void remove_element(struct finder *finder, const GumboElement *element)
{
    if (element->original_tag.length == 0)
        return; /* The parser made it up. */
    size_t start = (size_t)(element->original_tag.data - finder->text);
    size_t end = start + element->original_tag.length;
    size_t close = element->end_pos.offset;
    if (is_own_end(element))
        close = (size_t)(element->original_end_tag.data - finder->text) +
                element->original_end_tag.length;
    else if (element->end_pos.offset == 0) /* Still open at the end of the document. */
        close = finder->text_bytes;
    end = close > end ? close : end;
    assert(start < end && end <= finder->text_bytes);
    add_edit(finder, &(struct edit){.start = start, .end = end});
}

static void remove_tag(struct finder *finder, const GumboElement *element)
{
    size_t start = (size_t)(element->original_tag.data - finder->text);
    if (element->original_tag.length > 0)
        add_edit(finder,
                 &(struct edit){.start = start, .end = start + element->original_tag.length});
}

static bool is_data_script(const GumboElement *element)
{
    const char *type = attribute(element, "type");
    if (!type)
        return false;
    type += strspn(type, " \t\r\n\f");
    return scan_equal(type, strcspn(type, " \t\r\n\f;"), "application/ld+json");
}

static bool list_has(const char *list, const char *word)
{
    while (*list) {
        list += strspn(list, " \t\r\n\f");
        size_t bytes = strcspn(list, " \t\r\n\f");
        if (scan_equal(list, bytes, word))
            return true;
        list += bytes;
    }
    return false;
}

static void take_header(struct finder *finder, const char *content)
{
    struct document_result *result = finder->result;
    struct meta_header header;
    if (result->headers_count == DOCUMENT_HEADERS_MAX || !meta_header_parse(content, &header))
        return;
    struct document_header copy = {strndup(header.name, header.name_bytes),
                                   strndup(header.value, header.value_bytes)};
    if (!copy.name || !copy.value) {
        free(copy.name);
        free(copy.value);
        finder->is_out_of_memory = true;
        return;
    }
    result->headers[result->headers_count++] = copy;
}

static void look_at_meta(struct finder *finder, const GumboElement *element)
{
    const char *name = attribute(element, "name"), *content = attribute(element, "content");
    if (!name)
        return;
    bool is_status = scan_equal(name, strlen(name), "prerender-status-code");
    bool is_header = scan_equal(name, strlen(name), "prerender-header");
    if (!is_status && !is_header)
        return;
    if (is_status && content && finder->result->status == 0)
        finder->result->status = meta_status(content);
    if (is_header && content)
        take_header(finder, content);
    remove_tag(finder, element);
}

static bool is_element(const GumboNode *node)
{
    return node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
}

static const void *parent_of(const void *element)
{
    const GumboNode *parent = ((const GumboNode *)element)->parent;
    return parent && is_element(parent) ? parent : NULL;
}

static const void *previous_of(const void *element)
{
    const GumboNode *node = element;
    for (size_t i = node->index_within_parent; i-- > 0;) {
        const GumboNode *sibling = node->parent->v.element.children.data[i];
        if (is_element(sibling))
            return sibling;
    }
    return NULL;
}

static const char *tag_of(const void *node, size_t *ret_bytes)
{
    const GumboElement *element = &((const GumboNode *)node)->v.element;
    const char *name = gumbo_normalized_tagname(element->tag);
    GumboStringPiece piece = element->original_tag;
    *ret_bytes = strlen(name);
    if (element->tag != GUMBO_TAG_UNKNOWN || piece.length == 0)
        return name;
    gumbo_tag_from_original_text(&piece);
    *ret_bytes = piece.length;
    return piece.data;
}

static const char *attribute_of(const void *node, const char *name)
{
    return attribute(&((const GumboNode *)node)->v.element, name);
}

/* The root stays: without it there is no document. */
static bool is_removed(const struct finder *finder, const GumboNode *node)
{
    static const struct match_tree tree = {parent_of, previous_of, tag_of, attribute_of};
    for (size_t i = 0; i < finder->options->removed_count && parent_of(node); i++) {
        if (match_selector(&finder->options->removed[i], &tree, node))
            return true;
    }
    return false;
}

static void look_at(struct finder *finder, const GumboNode *node)
{
    const GumboElement *element = &node->v.element;
    const struct document_options *options = finder->options;
    if (is_removed(finder, node))
        remove_element(finder, element);
    bool is_html = element->tag_namespace == GUMBO_NAMESPACE_HTML;
    if (element->tag == GUMBO_TAG_SCRIPT && options->strip_scripts && !is_data_script(element))
        remove_element(finder, element);
    if (!is_html)
        return;
    if (element->tag == GUMBO_TAG_LINK && options->strip_scripts) {
        const char *rel = attribute(element, "rel");
        if (rel && list_has(rel, "import"))
            remove_tag(finder, element);
    }
    if (element->tag == GUMBO_TAG_META && options->metas && node->parent == finder->head)
        look_at_meta(finder, element);
    if (element->tag == GUMBO_TAG_BASE && attribute(element, "href"))
        finder->has_base = true;
}

/* The next node in document order, by the indices that nodes have in their parents. */
static const GumboNode *next_node(const GumboNode *node, const GumboNode *root)
{
    if (is_element(node) && node->v.element.children.length > 0)
        return node->v.element.children.data[0];
    while (node != root) {
        const GumboNode *parent = node->parent;
        const GumboVector *siblings = &parent->v.element.children;
        if (node->index_within_parent + 1 < siblings->length)
            return siblings->data[node->index_within_parent + 1];
        node = parent;
    }
    return NULL;
}

static const GumboNode *find_head(const GumboNode *root)
{
    const GumboVector *children = &root->v.element.children;
    for (unsigned i = 0; i < children->length; i++) {
        const GumboNode *child = children->data[i];
        if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == GUMBO_TAG_HEAD)
            return child;
    }
    return NULL;
}

static void append(char **at, const char *text)
{
    size_t bytes = strlen(text);
    memcpy(*at, text, bytes);
    *at += bytes;
}

/* <base href="..."> with what has a meaning in an attribute escaped. */
static char *base_tag(const char *url, size_t *ret_bytes)
{
    char *tag = malloc(strlen(url) * strlen("&quot;") + 32), *at = tag;
    if (!tag)
        return NULL;
    append(&at, "<base href=\"");
    for (; *url; url++) {
        char one[2] = {*url, '\0'};
        append(&at, *url == '&'   ? "&amp;"
                    : *url == '"' ? "&quot;"
                    : *url == '<' ? "&lt;"
                    : *url == '>' ? "&gt;"
                                  : one);
    }
    append(&at, "\">");
    *ret_bytes = (size_t)(at - tag);
    return tag;
}

static void insert_base(struct finder *finder)
{
    if (!finder->options->base || finder->has_base || !finder->head)
        return;
    GumboStringPiece tag = finder->head->v.element.original_tag;
    if (tag.length == 0)
        return;
    struct edit edit = {0};
    edit.start = edit.end = (size_t)(tag.data - finder->text) + tag.length;
    finder->base_tag = base_tag(finder->options->base, &edit.text_bytes);
    if (!finder->base_tag)
        finder->is_out_of_memory = true;
    edit.text = finder->base_tag;
    if (edit.text)
        add_edit(finder, &edit);
}

/* Where two begin at the same byte the longer one comes first. */
static int compare_edits(const void *a, const void *b)
{
    const struct edit *left = a, *right = b;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left->end == right->end ? 0 : (left->end > right->end ? -1 : 1);
}

static void find(struct finder *finder)
{
    struct arena arena = {NULL};
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = arena_allocate;
    options.deallocator = arena_release;
    options.userdata = &arena;
    options.max_errors = 0;
    GumboOutput *output = gumbo_parse_with_options(&options, finder->text, finder->text_bytes);
    finder->head = find_head(output->root);
    const GumboNode *node = output->root;
    for (; node; node = next_node(node, output->root)) {
        if (is_element(node))
            look_at(finder, node);
    }
    insert_base(finder);
    arena_free(&arena);
    if (finder->edits_count > 1)
        qsort(finder->edits, finder->edits_count, sizeof *finder->edits, compare_edits);
}

static int apply(const struct finder *finder, const char *bytes, size_t bytes_count)
{
    struct document_result *result = finder->result;
    size_t max = edits_bytes_max(bytes_count, finder->edits, finder->edits_count);
    result->bytes = finder->is_out_of_memory ? NULL : malloc(max + 1);
    if (!result->bytes)
        return -ENOMEM;
    result->bytes_count =
        edits_apply(bytes, bytes_count, finder->edits, finder->edits_count, result->bytes);
    return 0;
}

int document_edit(const char *bytes, size_t bytes_count, const struct document_options *options,
                  struct document_result *ret)
{
    struct document_result result = {0};
    char *copy = malloc(bytes_count + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, bytes_count);
    copy[bytes_count] = '\0';
    struct finder finder = {
        .options = options, .text = copy, .text_bytes = bytes_count, .result = &result};
    int error = scan_prepare(copy, bytes_count) > DOCUMENT_DEPTH_MAX ? -E2BIG : 0;
    if (error == 0) {
        find(&finder);
        error = apply(&finder, bytes, bytes_count);
    }
    free(finder.edits);
    free(finder.base_tag);
    free(copy);
    if (error == 0)
        *ret = result;
    else
        document_result_free(&result);
    return error;
}

void document_result_free(struct document_result *result)
{
    free(result->bytes);
    for (size_t i = 0; i < result->headers_count; i++) {
        free(result->headers[i].name);
        free(result->headers[i].value);
    }
    memset(result, 0, sizeof *result);
}
