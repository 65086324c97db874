/* origin_pages.h: the fixed pages of the origin server; private to it. */
#ifndef TESTS_SYSTEM_ORIGIN_PAGES_H
#define TESTS_SYSTEM_ORIGIN_PAGES_H

/* The document of a path, or NULL. */
const char *origin_fixed_page(const char *path);

#endif
