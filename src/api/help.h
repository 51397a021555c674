/* help.h - the manual pages, made HTML when rollcall is built (help.py).
 */
#ifndef ROLLCALL_API_HELP_H
#define ROLLCALL_API_HELP_H

#include <stddef.h>

struct help_page {
    const char *name, *title, *html; /* "rollcall.1"; html: only elements and the attributes id and href, no script, no style */
};
extern const struct help_page help_pages[];
extern const size_t n_help_pages;

#endif
