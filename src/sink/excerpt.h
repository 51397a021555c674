/* excerpt.h - a stranger's bytes made fit for one of our messages.
 *
 * What a receiver answers is shown to an operator's terminal and kept in logs: it must not move the cursor,
 * turn the text around, break the line, or give the token back that we sent.
 */
#ifndef ROLLCALL_SINK_EXCERPT_H
#define ROLLCALL_SINK_EXCERPT_H

#include "base/buf.h"

/* Appends the first max_bytes of `in` to out, longer where something is escaped: runs of blanks and line ends
 * become one space, control and invisible direction characters and what is not UTF-8 become \xNN, every
 * occurrence of `secret` (also one that is cut off at the end of `in`) becomes "[token]". An empty secret
 * hides nothing. */
void excerpt_add(struct buf *out, struct bytes in, size_t max_bytes, struct bytes secret);

#endif
