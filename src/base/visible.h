/* visible.h - which characters of foreign text may be shown as they are.
 *
 * Not the others: controls, zero-width characters, line separators, and what changes the direction or hides text (Unicode 15, categories Cc, Zl,
 * Zp and the format characters that terminals and browsers act on): with them a name could move the cursor, forge a line of ours, or read as another name.
 */
#ifndef ROLLCALL_VISIBLE_H
#define ROLLCALL_VISIBLE_H

#include "base/base.h"

/* The first character of text, which is not empty; its length in bytes. No UTF-8: 1, and *c is -1. */
size_t visible_read(int32_t *c, struct str text);
bool visible_is(int32_t c); /* false of -1 */

#endif
