/* text.h - values written as text, by hand where an output's speed depends on it; and what a schema lets
 * pass.
 *
 * Pure functions. Input text is UTF-8 already (struct str past a decoder).
 */
#ifndef ROLLCALL_MAP_TEXT_H
#define ROLLCALL_MAP_TEXT_H

#include "base/buf.h"
#include "base/when.h"

/* Room for n more bytes without a call where the buffer has it; NULL with failed set otherwise. */
static inline uint8_t *text_room(struct buf *out, size_t n)
{
    if (!out->failed && n <= out->cap - out->len) return out->ptr + out->len;
    return buf_reserve(out, n);
}

#define TEXT_DECIMAL 20
/* At most TEXT_DECIMAL bytes; returns how many. */
size_t text_decimal(uint8_t *to, int64_t v);
/* RFC 3339 as when_format writes it, without snprintf; 0 outside the years 0001..9999. At most WHEN_TEXT
 * bytes. */
size_t text_time(char to[WHEN_TEXT], int64_t ms);
/* A JSON string with its quotes. */
void text_json(struct buf *out, struct str s);
/* The longest prefix of at most max bytes that does not split a character. */
struct str text_cut(struct str s, size_t max);
/* Lower case, character by character; empty if it does not fit. */
struct str text_lower(char *to, size_t size, struct str s);

/* email_t. OCSF widened it after 1.1.0, whose local part knows letters, digits and _ . + - only. */
bool text_is_email(struct str s, bool as_in_1_1);
/* hostname_t of 1.1.0: letters, digits, inner hyphens, dots. */
bool text_is_hostname(struct str s);
/* What people type into a form that wants an answer: "-", "n/a", "unknown", "none", "null", "undefined". */
bool text_is_placeholder(struct str s);

#endif
