/* html.h - a report as one page: no script, nothing from elsewhere, printable, light and dark.
 */
#ifndef ROLLCALL_ACCESS_HTML_H
#define ROLLCALL_ACCESS_HTML_H

#include "access/report/report.h"

/* Writes the chosen rules of a report that has run. */
int html_write(struct report *r, int fd, int64_t now_ms, struct err *e) must_use;
/* Appends text for an element or a quoted attribute: & < > " ' escaped, control and bidirectional characters as \u{..}. */
void html_add(struct buf *b, struct str text);

#endif
